//===- GroupedContractTest.cpp - Products whose operands have scales ------===//
//
// Each format on both sides, with a last block that is short.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

/// `text` with each `KEY` replaced.
static std::string
replaced(std::string text,
         std::initializer_list<std::pair<std::string, std::string>> values) {
  for (const auto &[key, value] : values)
    for (size_t at; (at = text.find(key)) != std::string::npos;)
      text.replace(at, key.size(), value);
  return text;
}

TEST(GroupedContract, FourBitWeights) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x9x100xf32>, %w: tensor<100x50xui4> {test.constant}, %s: tensor<4x50xf16> {test.constant}, %z: tensor<4x50xui4> {test.constant},
                %b: tensor<11x64xi8>, %t: tensor<11x1xf32>, %v: tensor<64x48xi4> {test.constant}, %u: tensor<4x48xf32> {test.constant},
                %c: tensor<1x70xf32>, %x: tensor<70x17xi2> {test.constant}, %y: tensor<1x17xf32> {test.constant})
    -> (tensor<2x9x50xf32>, tensor<11x48xf32>, tensor<1x17xf32>, tensor<2x9x50xf32>) {
  %0 = qopt.matmul %a, %w scales(%s) zeros(%z) {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<2x9x100xf32>, tensor<100x50xui4>, tensor<4x50xf16>, tensor<4x50xui4>) -> tensor<2x9x50xf32>
  %1 = qopt.matmul %b scales(%t), %v scales(%u) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 16>} : (tensor<11x64xi8>, tensor<11x1xf32>, tensor<64x48xi4>, tensor<4x48xf32>) -> tensor<11x48xf32>
  %2 = qopt.matmul %c, %x scales(%y) {rhs_format = #qopt.format<i2, axis = 1>} : (tensor<1x70xf32>, tensor<70x17xi2>, tensor<1x17xf32>) -> tensor<1x17xf32>
  %3 = qopt.matmul %a, %w scales(%s) {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16>} : (tensor<2x9x100xf32>, tensor<100x50xui4>, tensor<4x50xf16>) -> tensor<2x9x50xf32>
  return %0, %1, %2, %3 : tensor<2x9x50xf32>, tensor<11x48xf32>, tensor<1x17xf32>, tensor<2x9x50xf32>
})mlir");
}

class GroupedFormats
    : public testing::TestWithParam<std::pair<const char *, const char *>> {};

TEST_P(GroupedFormats, MatMul) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<2x5x70xELEMENT>, %as: tensor<2x5x3xf8E8M0FNU>, %w: tensor<70x37xELEMENT> {test.constant}, %ws: tensor<3x37xf8E8M0FNU> {test.constant},
                %b: tensor<2x70x20xELEMENT>, %bs: tensor<2x3x20xf8E8M0FNU>, %f: tensor<2x5x70xf32>)
    -> (tensor<2x5x37xf32>, tensor<2x5x20xf32>, tensor<2x5x37xf32>) {
  %0 = qopt.matmul %a scales(%as), %w scales(%ws) {lhs_format = #qopt.format<"FORMAT", axis = 2>, rhs_format = #qopt.format<"FORMAT", axis = 0>} : (tensor<2x5x70xELEMENT>, tensor<2x5x3xf8E8M0FNU>, tensor<70x37xELEMENT>, tensor<3x37xf8E8M0FNU>) -> tensor<2x5x37xf32>
  %1 = qopt.matmul %a scales(%as), %b scales(%bs) {lhs_format = #qopt.format<"FORMAT", axis = 2>, rhs_format = #qopt.format<"FORMAT", axis = 1>} : (tensor<2x5x70xELEMENT>, tensor<2x5x3xf8E8M0FNU>, tensor<2x70x20xELEMENT>, tensor<2x3x20xf8E8M0FNU>) -> tensor<2x5x20xf32>
  %2 = qopt.matmul %f, %w scales(%ws) {rhs_format = #qopt.format<"FORMAT", axis = 0>} : (tensor<2x5x70xf32>, tensor<70x37xELEMENT>, tensor<3x37xf8E8M0FNU>) -> tensor<2x5x37xf32>
  return %0, %1, %2 : tensor<2x5x37xf32>, tensor<2x5x20xf32>, tensor<2x5x37xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

TEST_P(GroupedFormats, Conv) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<2x40x5x18xELEMENT>, %as: tensor<2x2x5x18xf8E8M0FNU>, %w: tensor<7x40x3x3xELEMENT> {test.constant}, %ws: tensor<7x2x3x3xf8E8M0FNU> {test.constant}, %b: tensor<7xf32> {test.constant},
                %p: tensor<9x40x1x1xELEMENT> {test.constant}, %ps: tensor<9x2x1x1xf8E8M0FNU> {test.constant}, %f: tensor<2x40x5x18xf32>,
                %g: tensor<1x64x7x9xELEMENT>, %gs: tensor<1x2x7x9xf8E8M0FNU>, %v: tensor<6x32x3x3xELEMENT> {test.constant}, %vs: tensor<6x1x3x3xf8E8M0FNU> {test.constant})
    -> (tensor<2x7x5x18xf32>, tensor<2x9x5x18xf32>, tensor<2x7x5x18xf32>, tensor<1x6x4x5xf32>) {
  %0 = qopt.conv %a scales(%as), %w scales(%ws) bias %b {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<7x40x3x3xELEMENT>, tensor<7x2x3x3xf8E8M0FNU>, tensor<7xf32>) -> tensor<2x7x5x18xf32>
  %1 = qopt.conv %a scales(%as), %p scales(%ps) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<9x40x1x1xELEMENT>, tensor<9x2x1x1xf8E8M0FNU>) -> tensor<2x9x5x18xf32>
  %2 = qopt.conv %f, %w scales(%ws) {w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xf32>, tensor<7x40x3x3xELEMENT>, tensor<7x2x3x3xf8E8M0FNU>) -> tensor<2x7x5x18xf32>
  %3 = qopt.conv %g scales(%gs), %v scales(%vs) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x64x7x9xELEMENT>, tensor<1x2x7x9xf8E8M0FNU>, tensor<6x32x3x3xELEMENT>, tensor<6x1x3x3xf8E8M0FNU>) -> tensor<1x6x4x5xf32>
  return %0, %1, %2, %3 : tensor<2x7x5x18xf32>, tensor<2x9x5x18xf32>, tensor<2x7x5x18xf32>, tensor<1x6x4x5xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

TEST_P(GroupedFormats, Depthwise) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<2x40x5x18xELEMENT>, %as: tensor<2x2x5x18xf8E8M0FNU>, %w: tensor<40x1x3x3xELEMENT> {test.constant}, %ws: tensor<2x1x3x3xf8E8M0FNU> {test.constant},
                %f: tensor<2x40x5x18xf32>)
    -> (tensor<2x40x5x18xf32>, tensor<2x40x3x9xf32>) {
  %0 = qopt.conv %a scales(%as), %w scales(%ws) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<40x1x3x3xELEMENT>, tensor<2x1x3x3xf8E8M0FNU>) -> tensor<2x40x5x18xf32>
  %1 = qopt.conv %f, %w scales(%ws) {w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xf32>, tensor<40x1x3x3xELEMENT>, tensor<2x1x3x3xf8E8M0FNU>) -> tensor<2x40x3x9xf32>
  return %0, %1 : tensor<2x40x5x18xf32>, tensor<2x40x3x9xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

INSTANTIATE_TEST_SUITE_P(Mx, GroupedFormats,
                         testing::Values(std::pair("mxfp4", "f4E2M1FN"),
                                         std::pair("mxfp6-e2m3", "f6E2M3FN"),
                                         std::pair("mxfp6-e3m2", "f6E3M2FN"),
                                         std::pair("mxfp8-e4m3", "f8E4M3FN"),
                                         std::pair("mxfp8-e5m2", "f8E5M2"),
                                         std::pair("mxint8", "i8")));

TEST(GroupedContract, Nvfp4) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<5x70xf4E2M1FN>, %as: tensor<5x5xf8E4M3FN>, %at: tensor<1x1xf32>, %w: tensor<70x37xf4E2M1FN> {test.constant}, %ws: tensor<5x37xf8E4M3FN> {test.constant}, %wt: tensor<1x1xf32> {test.constant},
                %x: tensor<1x20x5x18xf4E2M1FN>, %xs: tensor<1x2x5x18xf8E4M3FN>, %xt: tensor<1x1x1x1xf32>, %k: tensor<7x20x3x3xf4E2M1FN> {test.constant}, %ks: tensor<7x2x3x3xf8E4M3FN> {test.constant}, %kt: tensor<1x1x1x1xf32> {test.constant})
    -> (tensor<5x37xf32>, tensor<1x7x5x18xf32>) {
  %0 = qopt.matmul %a scales(%as, %at), %w scales(%ws, %wt) {lhs_format = #qopt.format<nvfp4, axis = 1>, rhs_format = #qopt.format<nvfp4, axis = 0>} : (tensor<5x70xf4E2M1FN>, tensor<5x5xf8E4M3FN>, tensor<1x1xf32>, tensor<70x37xf4E2M1FN>, tensor<5x37xf8E4M3FN>, tensor<1x1xf32>) -> tensor<5x37xf32>
  %1 = qopt.conv %x scales(%xs, %xt), %k scales(%ks, %kt) {x_format = #qopt.format<nvfp4, axis = 1>, w_format = #qopt.format<nvfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x20x5x18xf4E2M1FN>, tensor<1x2x5x18xf8E4M3FN>, tensor<1x1x1x1xf32>, tensor<7x20x3x3xf4E2M1FN>, tensor<7x2x3x3xf8E4M3FN>, tensor<1x1x1x1xf32>) -> tensor<1x7x5x18xf32>
  return %0, %1 : tensor<5x37xf32>, tensor<1x7x5x18xf32>
})mlir");
}

TEST(GroupedContract, ConvOfFourBitWeights) {
  expectEqualToReference(R"mlir(
func.func @main(%x: tensor<1x40x5x18xf32>, %w: tensor<7x40x3x3xui4> {test.constant}, %s: tensor<7x2x3x3xf16> {test.constant}, %z: tensor<7x2x3x3xui4> {test.constant},
                %y: tensor<2x20x30xf32>, %v: tensor<5x20x3xi4> {test.constant}, %t: tensor<5x1x1xf32> {test.constant})
    -> (tensor<1x7x5x18xf32>, tensor<2x5x30xf32>) {
  %0 = qopt.conv %x, %w scales(%s) zeros(%z) {w_format = #qopt.format<ui4, axis = 1, block = 32, scale = f16, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x40x5x18xf32>, tensor<7x40x3x3xui4>, tensor<7x2x3x3xf16>, tensor<7x2x3x3xui4>) -> tensor<1x7x5x18xf32>
  %1 = qopt.conv %y, %v scales(%t) {w_format = #qopt.format<i4, axis = 0>, strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>} : (tensor<2x20x30xf32>, tensor<5x20x3xi4>, tensor<5x1x1xf32>) -> tensor<2x5x30xf32>
  return %0, %1 : tensor<1x7x5x18xf32>, tensor<2x5x30xf32>
})mlir");
}

/// `bytes` in hexadecimal digits, `count` times.
static std::string repeated(const std::string &bytes, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += bytes;
  return text;
}

TEST(GroupedContract, ConvWithoutNumbersAsScalesBesidePadding) {
  // The first scale of each plane is no number, which spoils four outputs of a
  // corner and no others of the border.
  std::string planes = repeated("ff" + repeated("7f", 89), 4);
  // 0.5 and infinity.
  std::string samples = "0000003f0000807f";
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<2x40x5x18xf8E4M3FN>, %w: tensor<7x40x3x3xf8E4M3FN> {test.constant}, %ws: tensor<7x2x3x3xf8E8M0FNU> {test.constant},
                %d: tensor<40x1x3x3xf8E4M3FN> {test.constant}, %ds: tensor<2x1x3x3xf8E8M0FNU> {test.constant},
                %b: tensor<2x40x5x18xi8>, %v: tensor<7x40x3x3xi4> {test.constant}, %vs: tensor<7x2x3x3xf16> {test.constant},
                %c: tensor<7x40x3x3xi8> {test.constant}, %cs: tensor<7x1x1x1xf32> {test.constant})
    -> (tensor<2x7x5x18xf32>, tensor<2x40x5x18xf32>, tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>) {
  %as = qopt.constant(#qopt.weight<"hex:PLANES">) : tensor<2x2x5x18xf8E8M0FNU>
  %bs = qopt.constant(#qopt.weight<"hex:SAMPLES">) : tensor<2x1x1x1xf32>
  %0 = qopt.conv %a scales(%as), %w scales(%ws) {x_format = #qopt.format<"mxfp8-e4m3", axis = 1>, w_format = #qopt.format<"mxfp8-e4m3", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xf8E4M3FN>, tensor<2x2x5x18xf8E8M0FNU>, tensor<7x40x3x3xf8E4M3FN>, tensor<7x2x3x3xf8E8M0FNU>) -> tensor<2x7x5x18xf32>
  %1 = qopt.conv %a scales(%as), %d scales(%ds) {x_format = #qopt.format<"mxfp8-e4m3", axis = 1>, w_format = #qopt.format<"mxfp8-e4m3", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xf8E4M3FN>, tensor<2x2x5x18xf8E8M0FNU>, tensor<40x1x3x3xf8E4M3FN>, tensor<2x1x3x3xf8E8M0FNU>) -> tensor<2x40x5x18xf32>
  %2 = qopt.conv %b scales(%bs), %v scales(%vs) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 1, block = 32, scale = f16>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xi4>, tensor<7x2x3x3xf16>) -> tensor<2x7x5x18xf32>
  %3 = qopt.conv %b scales(%bs), %c scales(%cs) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i8, axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xi8>, tensor<7x1x1x1xf32>) -> tensor<2x7x5x18xf32>
  return %0, %1, %2, %3 : tensor<2x7x5x18xf32>, tensor<2x40x5x18xf32>, tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>
})mlir",
                                  {{"PLANES", planes}, {"SAMPLES", samples}}));
}
