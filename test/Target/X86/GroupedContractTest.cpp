//===- GroupedContractTest.cpp - Products whose operands have scales ------===//
//
// Each format on both sides, with a last block that is short. Small integers
// are summed as such, so what makes sums of f32 special is tested by itself.
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

/// Where only a run knows the rows, it chooses: few decode lanes themselves.
TEST(GroupedContract, RowsThatARunKnows) {
  for (int64_t rows : {1, 3, 4, 9})
    expectEqualToReference(R"mlir(
func.func @main(%a: tensor<?x100xf32>, %w: tensor<100x50xui4> {test.constant}, %s: tensor<4x50xf16> {test.constant}, %z: tensor<4x50xui4> {test.constant},
                %b: tensor<?x64xi8>, %t: tensor<?x1xf32>, %v: tensor<64x48xi4> {test.constant}, %u: tensor<4x48xf32> {test.constant},
                %e: tensor<100x50xf4E2M1FN> {test.constant}, %f: tensor<4x50xf8E8M0FNU> {test.constant}, %x: tensor<100x17xi2> {test.constant}, %y: tensor<1x17xf32> {test.constant})
    -> (tensor<?x50xf32>, tensor<?x48xf32>, tensor<?x50xf32>, tensor<?x17xf32>) {
  %0 = qopt.matmul %a, %w scales(%s) zeros(%z) {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<?x100xf32>, tensor<100x50xui4>, tensor<4x50xf16>, tensor<4x50xui4>) -> tensor<?x50xf32>
  %1 = qopt.matmul %b scales(%t), %v scales(%u) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 16>} : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<64x48xi4>, tensor<4x48xf32>) -> tensor<?x48xf32>
  %2 = qopt.matmul %a, %e scales(%f) {rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<?x100xf32>, tensor<100x50xf4E2M1FN>, tensor<4x50xf8E8M0FNU>) -> tensor<?x50xf32>
  %3 = qopt.matmul %a, %x scales(%y) {rhs_format = #qopt.format<i2, axis = 1>} : (tensor<?x100xf32>, tensor<100x17xi2>, tensor<1x17xf32>) -> tensor<?x17xf32>
  return %0, %1, %2, %3 : tensor<?x50xf32>, tensor<?x48xf32>, tensor<?x50xf32>, tensor<?x17xf32>
})mlir",
                           {rows, rows, rows});
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

/// Each format beside each other one: some of the sums are of integers.
class GroupedPairs
    : public testing::TestWithParam<std::pair<const char *, const char *>> {};

TEST_P(GroupedPairs, MatMul) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<3x70xELEMENT>, %as: tensor<3x3xf8E8M0FNU>, %s: tensor<3x37xf8E8M0FNU> {test.constant}, %w0: tensor<70x37xf4E2M1FN> {test.constant}, %w1: tensor<70x37xf6E2M3FN> {test.constant}, %w2: tensor<70x37xf6E3M2FN> {test.constant}, %w3: tensor<70x37xf8E4M3FN> {test.constant}, %w4: tensor<70x37xf8E5M2> {test.constant}, %w5: tensor<70x37xi8> {test.constant})
    -> (tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>) {
  %0 = qopt.matmul %a scales(%as), %w0 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xf4E2M1FN>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  %1 = qopt.matmul %a scales(%as), %w1 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"mxfp6-e2m3", axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xf6E2M3FN>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  %2 = qopt.matmul %a scales(%as), %w2 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"mxfp6-e3m2", axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xf6E3M2FN>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  %3 = qopt.matmul %a scales(%as), %w3 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"mxfp8-e4m3", axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xf8E4M3FN>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  %4 = qopt.matmul %a scales(%as), %w4 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"mxfp8-e5m2", axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xf8E5M2>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  %5 = qopt.matmul %a scales(%as), %w5 scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<mxint8, axis = 0>} : (tensor<3x70xELEMENT>, tensor<3x3xf8E8M0FNU>, tensor<70x37xi8>, tensor<3x37xf8E8M0FNU>) -> tensor<3x37xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>, tensor<3x37xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

TEST_P(GroupedPairs, Conv) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<1x38x3x17xELEMENT>, %as: tensor<1x2x3x17xf8E8M0FNU>, %s: tensor<5x2x1x3xf8E8M0FNU> {test.constant}, %w0: tensor<5x38x1x3xf4E2M1FN> {test.constant}, %w1: tensor<5x38x1x3xf6E2M3FN> {test.constant}, %w2: tensor<5x38x1x3xf6E3M2FN> {test.constant}, %w3: tensor<5x38x1x3xf8E4M3FN> {test.constant}, %w5: tensor<5x38x1x3xi8> {test.constant})
    -> (tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>) {
  %0 = qopt.conv %a scales(%as), %w0 scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x38x3x17xELEMENT>, tensor<1x2x3x17xf8E8M0FNU>, tensor<5x38x1x3xf4E2M1FN>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x17xf32>
  %1 = qopt.conv %a scales(%as), %w1 scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"mxfp6-e2m3", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x38x3x17xELEMENT>, tensor<1x2x3x17xf8E8M0FNU>, tensor<5x38x1x3xf6E2M3FN>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x17xf32>
  %2 = qopt.conv %a scales(%as), %w2 scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"mxfp6-e3m2", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x38x3x17xELEMENT>, tensor<1x2x3x17xf8E8M0FNU>, tensor<5x38x1x3xf6E3M2FN>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x17xf32>
  %3 = qopt.conv %a scales(%as), %w3 scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"mxfp8-e4m3", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x38x3x17xELEMENT>, tensor<1x2x3x17xf8E8M0FNU>, tensor<5x38x1x3xf8E4M3FN>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x17xf32>
  %5 = qopt.conv %a scales(%as), %w5 scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<mxint8, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x38x3x17xELEMENT>, tensor<1x2x3x17xf8E8M0FNU>, tensor<5x38x1x3xi8>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x17xf32>
  return %0, %1, %2, %3, %5 : tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>, tensor<1x5x3x17xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

INSTANTIATE_TEST_SUITE_P(Mx, GroupedPairs,
                         testing::Values(std::pair("mxfp4", "f4E2M1FN"),
                                         std::pair("mxfp6-e2m3", "f6E2M3FN"),
                                         std::pair("mxfp6-e3m2", "f6E3M2FN"),
                                         std::pair("mxfp8-e4m3", "f8E4M3FN"),
                                         std::pair("mxfp8-e5m2", "f8E5M2"),
                                         std::pair("mxint8", "i8")));

TEST(GroupedContract, IntegerBlocks) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x9x101xi8>, %t: tensor<2x9x1xf32>, %w: tensor<101x50xi4> {test.constant}, %s16: tensor<7x50xf16> {test.constant}, %s20: tensor<6x50xf32> {test.constant},
                %u: tensor<101x50xui4> {test.constant}, %z: tensor<4x50xui4> {test.constant}, %s32: tensor<4x50xf16> {test.constant},
                %c: tensor<101x33xi2> {test.constant}, %y: tensor<1x33xf32> {test.constant}, %d: tensor<101x33xui2> {test.constant},
                %f: tensor<1x101xi8>, %ft: tensor<1x1xf32>, %b: tensor<7x36xi4>, %bt: tensor<7x1xf32>, %bz: tensor<7x1xi4>, %e: tensor<36x16xi4>, %es: tensor<3x16xf32>)
    -> (tensor<2x9x50xf32>, tensor<2x9x50xf32>, tensor<2x9x50xf32>, tensor<2x9x33xf32>, tensor<2x9x33xf32>, tensor<7x16xf32>, tensor<1x50xf32>, tensor<1x33xf32>, tensor<1x50xf32>) {
  %0 = qopt.matmul %a scales(%t), %w scales(%s16) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 16, scale = f16>} : (tensor<2x9x101xi8>, tensor<2x9x1xf32>, tensor<101x50xi4>, tensor<7x50xf16>) -> tensor<2x9x50xf32>
  %1 = qopt.matmul %a scales(%t), %w scales(%s20) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 20>} : (tensor<2x9x101xi8>, tensor<2x9x1xf32>, tensor<101x50xi4>, tensor<6x50xf32>) -> tensor<2x9x50xf32>
  %2 = qopt.matmul %a scales(%t), %u scales(%s32) zeros(%z) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<2x9x101xi8>, tensor<2x9x1xf32>, tensor<101x50xui4>, tensor<4x50xf16>, tensor<4x50xui4>) -> tensor<2x9x50xf32>
  %3 = qopt.matmul %a scales(%t), %c scales(%y) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i2, axis = 1>} : (tensor<2x9x101xi8>, tensor<2x9x1xf32>, tensor<101x33xi2>, tensor<1x33xf32>) -> tensor<2x9x33xf32>
  %4 = qopt.matmul %a scales(%t), %d scales(%y) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<ui2, axis = 1>} : (tensor<2x9x101xi8>, tensor<2x9x1xf32>, tensor<101x33xui2>, tensor<1x33xf32>) -> tensor<2x9x33xf32>
  %5 = qopt.matmul %b scales(%bt) zeros(%bz), %e scales(%es) {lhs_format = #qopt.format<i4, axis = 0, zero = i4>, rhs_format = #qopt.format<i4, axis = 0, block = 16>} : (tensor<7x36xi4>, tensor<7x1xf32>, tensor<7x1xi4>, tensor<36x16xi4>, tensor<3x16xf32>) -> tensor<7x16xf32>
  %6 = qopt.matmul %f scales(%ft), %w scales(%s16) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 16, scale = f16>} : (tensor<1x101xi8>, tensor<1x1xf32>, tensor<101x50xi4>, tensor<7x50xf16>) -> tensor<1x50xf32>
  %7 = qopt.matmul %f scales(%ft), %d scales(%y) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<ui2, axis = 1>} : (tensor<1x101xi8>, tensor<1x1xf32>, tensor<101x33xui2>, tensor<1x33xf32>) -> tensor<1x33xf32>
  %8 = qopt.matmul %f scales(%ft), %u scales(%s32) zeros(%z) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<1x101xi8>, tensor<1x1xf32>, tensor<101x50xui4>, tensor<4x50xf16>, tensor<4x50xui4>) -> tensor<1x50xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8 : tensor<2x9x50xf32>, tensor<2x9x50xf32>, tensor<2x9x50xf32>, tensor<2x9x33xf32>, tensor<2x9x33xf32>, tensor<7x16xf32>, tensor<1x50xf32>, tensor<1x33xf32>, tensor<1x50xf32>
})mlir");
}

TEST(GroupedContract, IntegersOfOneShortBlock) {
  // Blocks that hold all of k need not fill words or chunks.
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<6x18xi8>, %at: tensor<6x1xf32>, %u: tensor<18x20xui4> {test.constant}, %s: tensor<1x20xf32> {test.constant}, %z: tensor<1x20xui4> {test.constant},
                %b: tensor<6x2xi8>, %v: tensor<2x20xi4> {test.constant}, %c: tensor<6x20xi8>, %w: tensor<20x20xui4> {test.constant}, %d: tensor<6x20xi4>, %e: tensor<20x20xi4>,
                %x: tensor<1x30x3x9xi8>, %xs: tensor<1x1x1x1xf32>, %k: tensor<6x5x1x3xi4> {test.constant}, %ks: tensor<6x1x1x3xf32> {test.constant})
    -> (tensor<6x20xf32>, tensor<6x20xf32>, tensor<6x20xf32>, tensor<6x20xf32>, tensor<1x6x3x9xf32>, tensor<1x6x3x9xf32>) {
  %0 = qopt.matmul %a scales(%at), %u scales(%s) zeros(%z) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<ui4, axis = 0, block = 18, zero = ui4>} : (tensor<6x18xi8>, tensor<6x1xf32>, tensor<18x20xui4>, tensor<1x20xf32>, tensor<1x20xui4>) -> tensor<6x20xf32>
  %1 = qopt.matmul %b scales(%at), %v scales(%s) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 2>} : (tensor<6x2xi8>, tensor<6x1xf32>, tensor<2x20xi4>, tensor<1x20xf32>) -> tensor<6x20xf32>
  %2 = qopt.matmul %c scales(%at), %w scales(%s) zeros(%z) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<ui4, axis = 0, block = 20, zero = ui4>} : (tensor<6x20xi8>, tensor<6x1xf32>, tensor<20x20xui4>, tensor<1x20xf32>, tensor<1x20xui4>) -> tensor<6x20xf32>
  %3 = qopt.matmul %d scales(%at), %e scales(%s) {lhs_format = #qopt.format<i4, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 30>} : (tensor<6x20xi4>, tensor<6x1xf32>, tensor<20x20xi4>, tensor<1x20xf32>) -> tensor<6x20xf32>
  %4 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 1, block = 6>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>, group = 6 : i64} : (tensor<1x30x3x9xi8>, tensor<1x1x1x1xf32>, tensor<6x5x1x3xi4>, tensor<6x1x1x3xf32>) -> tensor<1x6x3x9xf32>
  %5 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 1, block = 5>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>, group = 6 : i64} : (tensor<1x30x3x9xi8>, tensor<1x1x1x1xf32>, tensor<6x5x1x3xi4>, tensor<6x1x1x3xf32>) -> tensor<1x6x3x9xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<6x20xf32>, tensor<6x20xf32>, tensor<6x20xf32>, tensor<6x20xf32>, tensor<1x6x3x9xf32>, tensor<1x6x3x9xf32>
})mlir");
}

TEST(GroupedContract, IntegersOfUnknownSize) {
  expectEqualToReference(
      R"mlir(
func.func @main(%a: tensor<?x?xi8>, %as: tensor<?x?xf8E8M0FNU>, %b: tensor<?x?xf4E2M1FN>, %bs: tensor<?x?xf8E8M0FNU>,
                %c: tensor<?x?x70xf6E2M3FN>, %cs: tensor<?x?x3xf8E8M0FNU>, %d: tensor<?x70x20xi8>, %ds: tensor<?x3x20xf8E8M0FNU>, %w: tensor<70x20xi8> {test.constant}, %ws: tensor<3x20xf8E8M0FNU> {test.constant}, %e: tensor<?x?xf4E2M1FN>, %es: tensor<?x3xf8E8M0FNU>)
    -> (tensor<?x?xf32>, tensor<?x?x20xf32>, tensor<?x?x20xf32>, tensor<?x20xf32>) {
  %0 = qopt.matmul %a scales(%as), %b scales(%bs) {lhs_format = #qopt.format<mxint8, axis = 1>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<?x?xi8>, tensor<?x?xf8E8M0FNU>, tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>) -> tensor<?x?xf32>
  %1 = qopt.matmul %c scales(%cs), %d scales(%ds) {lhs_format = #qopt.format<"mxfp6-e2m3", axis = 2>, rhs_format = #qopt.format<mxint8, axis = 1>} : (tensor<?x?x70xf6E2M3FN>, tensor<?x?x3xf8E8M0FNU>, tensor<?x70x20xi8>, tensor<?x3x20xf8E8M0FNU>) -> tensor<?x?x20xf32>
  %2 = qopt.matmul %c scales(%cs), %w scales(%ws) {lhs_format = #qopt.format<"mxfp6-e2m3", axis = 2>, rhs_format = #qopt.format<mxint8, axis = 0>} : (tensor<?x?x70xf6E2M3FN>, tensor<?x?x3xf8E8M0FNU>, tensor<70x20xi8>, tensor<3x20xf8E8M0FNU>) -> tensor<?x?x20xf32>
  %3 = qopt.matmul %e scales(%es), %w scales(%ws) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<mxint8, axis = 0>} : (tensor<?x?xf4E2M1FN>, tensor<?x3xf8E8M0FNU>, tensor<70x20xi8>, tensor<3x20xf8E8M0FNU>) -> tensor<?x20xf32>
  return %0, %1, %2, %3 : tensor<?x?xf32>, tensor<?x?x20xf32>, tensor<?x?x20xf32>, tensor<?x20xf32>
})mlir",
      {6, 75, 6, 3, 75, 21, 3, 21, 3, 11, 3, 11, 3, 3, 4, 70, 4});
}

TEST(GroupedContract, SumsOfMoreThan24Bits) {
  // Without blocks: 1024 products of -128 are 2^24, more of them are rounded
  // step by step.
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<3x1024xi8> {test.codes = array<i32: -128>}, %w: tensor<1024x20xi8> {test.constant, test.codes = array<i32: -128>},
                %b: tensor<3x2500xi8> {test.codes = array<i32: -128, -128, -127>}, %v: tensor<2500x20xi8> {test.constant, test.codes = array<i32: -128, -128, -127>}, %m: tensor<2500x20xi8> {test.codes = array<i32: -128, -128, -127>},
                %t: tensor<3x1xf32>, %s: tensor<1x20xf32> {test.constant},
                %x: tensor<1x500x2x9xi8> {test.codes = array<i32: -128, -128, -127>}, %k: tensor<4x500x1x3xi8> {test.constant, test.codes = array<i32: -128, -128, -127>}, %xs: tensor<1x1x1x1xf32>, %ks: tensor<4x1x1x1xf32> {test.constant})
    -> (tensor<3x20xf32>, tensor<3x20xf32>, tensor<3x20xf32>, tensor<1x4x2x7xf32>) {
  %0 = qopt.matmul %a scales(%t), %w scales(%s) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i8, axis = 1>} : (tensor<3x1024xi8>, tensor<3x1xf32>, tensor<1024x20xi8>, tensor<1x20xf32>) -> tensor<3x20xf32>
  %1 = qopt.matmul %b scales(%t), %v scales(%s) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i8, axis = 1>} : (tensor<3x2500xi8>, tensor<3x1xf32>, tensor<2500x20xi8>, tensor<1x20xf32>) -> tensor<3x20xf32>
  %2 = qopt.matmul %b scales(%t), %m scales(%s) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i8, axis = 1>} : (tensor<3x2500xi8>, tensor<3x1xf32>, tensor<2500x20xi8>, tensor<1x20xf32>) -> tensor<3x20xf32>
  %3 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<i8>, w_format = #qopt.format<i8, axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x500x2x9xi8>, tensor<1x1x1x1xf32>, tensor<4x500x1x3xi8>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x7xf32>
  return %0, %1, %2, %3 : tensor<3x20xf32>, tensor<3x20xf32>, tensor<3x20xf32>, tensor<1x4x2x7xf32>
})mlir");
}

TEST(GroupedContract, SumsThatAreZero) {
  // Codes of both zeros and of the smallest numbers, with scales that make
  // results underflow.
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<8x70xf4E2M1FN> {test.codes = array<i32: 0, 0, 8, 8, 8, 1, 9>}, %as: tensor<8x3xf8E8M0FNU> {test.codes = array<i32: 0, 1, 2, 50, 127, 254>}, %w: tensor<70x37xf4E2M1FN> {test.constant, test.codes = array<i32: 0, 8, 8, 1, 9>}, %ws: tensor<3x37xf8E8M0FNU> {test.constant, test.codes = array<i32: 0, 1, 2, 50, 127, 254>},
                %n: tensor<8x70xf4E2M1FN> {test.codes = array<i32: 8>}, %x: tensor<1x33x3x18xf4E2M1FN> {test.codes = array<i32: 0, 8, 8, 8, 1, 9>}, %xs: tensor<1x2x3x18xf8E8M0FNU> {test.codes = array<i32: 0, 1, 50, 127, 254>}, %k: tensor<5x33x1x3xf4E2M1FN> {test.constant, test.codes = array<i32: 0, 8, 8, 1, 9>}, %ks: tensor<5x2x1x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 0, 1, 50, 127, 254>})
    -> (tensor<8x37xf32>, tensor<8x37xf32>, tensor<1x5x3x18xf32>) {
  %0 = qopt.matmul %a scales(%as), %w scales(%ws) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<8x70xf4E2M1FN>, tensor<8x3xf8E8M0FNU>, tensor<70x37xf4E2M1FN>, tensor<3x37xf8E8M0FNU>) -> tensor<8x37xf32>
  %1 = qopt.matmul %n scales(%as), %w scales(%ws) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<8x70xf4E2M1FN>, tensor<8x3xf8E8M0FNU>, tensor<70x37xf4E2M1FN>, tensor<3x37xf8E8M0FNU>) -> tensor<8x37xf32>
  %2 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<mxfp4, axis = 1>, w_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<1x33x3x18xf4E2M1FN>, tensor<1x2x3x18xf8E8M0FNU>, tensor<5x33x1x3xf4E2M1FN>, tensor<5x2x1x3xf8E8M0FNU>) -> tensor<1x5x3x18xf32>
  return %0, %1, %2 : tensor<8x37xf32>, tensor<8x37xf32>, tensor<1x5x3x18xf32>
})mlir");
}

TEST_P(GroupedFormats, ScalesWithoutNumbersAndExtremes) {
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<16x70xELEMENT>, %as: tensor<16x3xf8E8M0FNU> {test.codes = array<i32: 0, 1, 60, 100, 110, 120, 127, 127, 127, 127, 127, 127, 127, 130, 140, 150, 190, 230, 240, 254, 255>}, %w: tensor<70x40xELEMENT> {test.constant}, %ws: tensor<3x40xf8E8M0FNU> {test.constant, test.codes = array<i32: 0, 1, 60, 100, 110, 120, 127, 127, 127, 127, 127, 127, 127, 130, 140, 150, 190, 230, 240, 254, 255>},
                %x: tensor<2x40x3x18xELEMENT>, %xs: tensor<2x2x3x18xf8E8M0FNU> {test.codes = array<i32: 0, 60, 127, 127, 127, 127, 127, 127, 127, 127, 190, 253, 254, 127, 127, 127, 127, 255>}, %k: tensor<3x40x1x3xELEMENT> {test.constant}, %ks: tensor<3x2x1x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 0, 60, 127, 127, 127, 190, 254>})
    -> (tensor<16x40xf32>, tensor<2x3x3x18xf32>) {
  %0 = qopt.matmul %a scales(%as), %w scales(%ws) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"FORMAT", axis = 0>} : (tensor<16x70xELEMENT>, tensor<16x3xf8E8M0FNU>, tensor<70x40xELEMENT>, tensor<3x40xf8E8M0FNU>) -> tensor<16x40xf32>
  %1 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x3x18xELEMENT>, tensor<2x2x3x18xf8E8M0FNU>, tensor<3x40x1x3xELEMENT>, tensor<3x2x1x3xf8E8M0FNU>) -> tensor<2x3x3x18xf32>
  return %0, %1 : tensor<16x40xf32>, tensor<2x3x3x18xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

TEST_P(GroupedFormats, DepthwiseOfModerateScales) {
  // Planes of which all scales are moderate, some scales are tiny, and one is
  // no number; beside them weights that are moderate, tiny or about to
  // underflow.
  auto [format, element] = GetParam();
  expectEqualToReference(replaced(R"mlir(
func.func @main(%a: tensor<2x40x5x18xELEMENT>, %as: tensor<2x2x5x18xf8E8M0FNU> {test.codes = array<i32: 110, 119, 124, 127, 131, 140>}, %at: tensor<2x2x5x18xf8E8M0FNU> {test.codes = array<i32: 20, 30, 31>}, %w: tensor<80x1x3x3xELEMENT> {test.constant}, %ws: tensor<3x1x3x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 115, 127, 129, 133>}, %wt: tensor<3x1x3x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 20, 40, 60>}, %al: tensor<2x2x5x18xf8E8M0FNU> {test.codes = array<i32: 110, 112, 114>}, %wl: tensor<3x1x3x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 0, 1, 2, 3>},
                %b: tensor<1x33x40xELEMENT>, %bs: tensor<1x2x40xf8E8M0FNU> {test.codes = array<i32: 110, 119, 127, 127, 131, 140, 119, 127, 127, 131, 140, 119, 127, 127, 131, 140, 119, 127, 127, 131, 255>}, %v: tensor<33x1x3xELEMENT> {test.constant}, %vs: tensor<2x1x3xf8E8M0FNU> {test.constant, test.codes = array<i32: 115, 127, 129, 133>})
    -> (tensor<2x80x5x18xf32>, tensor<2x80x3x9xf32>, tensor<2x80x5x18xf32>, tensor<2x80x5x18xf32>, tensor<1x33x38xf32>, tensor<2x80x5x18xf32>) {
  %0 = qopt.conv %a scales(%as), %w scales(%ws) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<80x1x3x3xELEMENT>, tensor<3x1x3x3xf8E8M0FNU>) -> tensor<2x80x5x18xf32>
  %1 = qopt.conv %a scales(%as), %w scales(%ws) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<80x1x3x3xELEMENT>, tensor<3x1x3x3xf8E8M0FNU>) -> tensor<2x80x3x9xf32>
  %2 = qopt.conv %a scales(%at), %w scales(%ws) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<80x1x3x3xELEMENT>, tensor<3x1x3x3xf8E8M0FNU>) -> tensor<2x80x5x18xf32>
  %3 = qopt.conv %a scales(%at), %w scales(%wt) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<80x1x3x3xELEMENT>, tensor<3x1x3x3xf8E8M0FNU>) -> tensor<2x80x5x18xf32>
  %4 = qopt.conv %b scales(%bs), %v scales(%vs) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, group = 33 : i64} : (tensor<1x33x40xELEMENT>, tensor<1x2x40xf8E8M0FNU>, tensor<33x1x3xELEMENT>, tensor<2x1x3xf8E8M0FNU>) -> tensor<1x33x38xf32>
  %5 = qopt.conv %a scales(%al), %w scales(%wl) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<80x1x3x3xELEMENT>, tensor<3x1x3x3xf8E8M0FNU>) -> tensor<2x80x5x18xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x80x5x18xf32>, tensor<2x80x3x9xf32>, tensor<2x80x5x18xf32>, tensor<2x80x5x18xf32>, tensor<1x33x38xf32>, tensor<2x80x5x18xf32>
})mlir",
                                  {{"FORMAT", format}, {"ELEMENT", element}}));
}

TEST(GroupedContract, ConvOfIntegerBlocks) {
  expectEqualToReference(R"mlir(
func.func @main(%x: tensor<2x40x5x18xi8>, %xs: tensor<2x1x1x1xf32>, %w: tensor<7x40x3x3xi4> {test.constant}, %s: tensor<7x2x3x3xf16> {test.constant}, %b: tensor<7xf32> {test.constant}, %t: tensor<7x1x1x1xf32> {test.constant}, %s6: tensor<7x7x3x3xf32> {test.constant},
                %y: tensor<1x30x40xi8>, %ys: tensor<1x1x1xf32>, %v: tensor<6x10x3xi2> {test.constant}, %vs: tensor<6x1x1xf32> {test.constant}, %u: tensor<6x10x3xui4> {test.constant}, %us: tensor<6x2x3xf32> {test.constant}, %o: tensor<7x40x3x3xui4> {test.constant}, %z: tensor<7x2x3x3xui4> {test.constant})
    -> (tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>, tensor<1x6x40xf32>, tensor<1x6x40xf32>, tensor<2x7x5x18xf32>) {
  %0 = qopt.conv %x scales(%xs), %w scales(%s) bias %b {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 1, block = 32, scale = f16>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xi4>, tensor<7x2x3x3xf16>, tensor<7xf32>) -> tensor<2x7x5x18xf32>
  %1 = qopt.conv %x scales(%xs), %w scales(%t) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xi4>, tensor<7x1x1x1xf32>) -> tensor<2x7x5x18xf32>
  %2 = qopt.conv %x scales(%xs), %w scales(%s6) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i4, axis = 1, block = 6>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xi4>, tensor<7x7x3x3xf32>) -> tensor<2x7x5x18xf32>
  %3 = qopt.conv %y scales(%ys), %v scales(%vs) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<i2, axis = 0>, strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>, group = 3 : i64} : (tensor<1x30x40xi8>, tensor<1x1x1xf32>, tensor<6x10x3xi2>, tensor<6x1x1xf32>) -> tensor<1x6x40xf32>
  %4 = qopt.conv %y scales(%ys), %u scales(%us) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<ui4, axis = 1, block = 8>, strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>, group = 3 : i64} : (tensor<1x30x40xi8>, tensor<1x1x1xf32>, tensor<6x10x3xui4>, tensor<6x2x3xf32>) -> tensor<1x6x40xf32>
  %5 = qopt.conv %x scales(%xs), %o scales(%s) zeros(%z) {x_format = #qopt.format<i8, axis = 0>, w_format = #qopt.format<ui4, axis = 1, block = 32, scale = f16, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xi8>, tensor<2x1x1x1xf32>, tensor<7x40x3x3xui4>, tensor<7x2x3x3xf16>, tensor<7x2x3x3xui4>) -> tensor<2x7x5x18xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>, tensor<2x7x5x18xf32>, tensor<1x6x40xf32>, tensor<1x6x40xf32>, tensor<2x7x5x18xf32>
})mlir");
}

/// A scale for each row of a product and for each sample of a convolution.
TEST(GroupedContract, Nvfp4) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<5x70xf4E2M1FN>, %as: tensor<5x5xf8E4M3FN>, %at: tensor<5x1xf32>, %w: tensor<70x37xf4E2M1FN> {test.constant}, %ws: tensor<5x37xf8E4M3FN> {test.constant}, %wt: tensor<1x1xf32> {test.constant},
                %x: tensor<3x20x5x18xf4E2M1FN>, %xs: tensor<3x2x5x18xf8E4M3FN>, %xt: tensor<3x1x1x1xf32>, %k: tensor<7x20x3x3xf4E2M1FN> {test.constant}, %ks: tensor<7x2x3x3xf8E4M3FN> {test.constant}, %kt: tensor<1x1x1x1xf32> {test.constant})
    -> (tensor<5x37xf32>, tensor<3x7x5x18xf32>) {
  %0 = qopt.matmul %a scales(%as, %at), %w scales(%ws, %wt) {lhs_format = #qopt.format<nvfp4, axis = 1>, rhs_format = #qopt.format<nvfp4, axis = 0>} : (tensor<5x70xf4E2M1FN>, tensor<5x5xf8E4M3FN>, tensor<5x1xf32>, tensor<70x37xf4E2M1FN>, tensor<5x37xf8E4M3FN>, tensor<1x1xf32>) -> tensor<5x37xf32>
  %1 = qopt.conv %x scales(%xs, %xt), %k scales(%ks, %kt) {x_format = #qopt.format<nvfp4, axis = 1>, w_format = #qopt.format<nvfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<3x20x5x18xf4E2M1FN>, tensor<3x2x5x18xf8E4M3FN>, tensor<3x1x1x1xf32>, tensor<7x20x3x3xf4E2M1FN>, tensor<7x2x3x3xf8E4M3FN>, tensor<1x1x1x1xf32>) -> tensor<3x7x5x18xf32>
  return %0, %1 : tensor<5x37xf32>, tensor<3x7x5x18xf32>
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
