//===- DepthwiseTest.cpp - Convolutions of one channel by one kernel ------===//
//
// Borders, strides and rows that do not fill their last vector.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <vector>

using llvm::formatv;
using llvm::StringRef;
using qopt::test::expectEqualToReference;
using qopt::test::messageOfRun;
using testing::HasSubstr;

TEST(Depthwise, Floats) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xf32>, %wa: tensor<5x1x3x3xf32> {test.constant}, %ba: tensor<5xf32> {test.constant},
                %b: tensor<1x3x33x35xf32>, %wb: tensor<6x1x5x5xf32> {test.constant},
                %c: tensor<2x4x50xf32>, %wc: tensor<4x1x3xf32> {test.constant},
                %d: tensor<?x3x?x?xf32>, %wd: tensor<3x1x2x3xf32> {test.constant})
    -> (tensor<2x5x9x21xf32>, tensor<1x6x17x18xf32>, tensor<2x4x50xf32>, tensor<?x3x?x?xf32>) {
  %0 = qopt.conv %a, %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 5 : i64} : (tensor<2x5x9x21xf32>, tensor<5x1x3x3xf32>, tensor<5xf32>) -> tensor<2x5x9x21xf32>
  %1 = qopt.conv %b, %wb {strides = array<i64: 2, 2>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<1x3x33x35xf32>, tensor<6x1x5x5xf32>) -> tensor<1x6x17x18xf32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>, group = 4 : i64} : (tensor<2x4x50xf32>, tensor<4x1x3xf32>) -> tensor<2x4x50xf32>
  %3 = qopt.conv %d, %wd {strides = array<i64: 2, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 2, 3>, group = 3 : i64} : (tensor<?x3x?x?xf32>, tensor<3x1x2x3xf32>) -> tensor<?x3x?x?xf32>
  return %0, %1, %2, %3 : tensor<2x5x9x21xf32>, tensor<1x6x17x18xf32>, tensor<2x4x50xf32>, tensor<?x3x?x?xf32>
})mlir",
                         {2, 13, 41});
}

TEST(Depthwise, Codes) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xi8>, %za: tensor<1x1x1x1xi8> {test.constant}, %wa: tensor<5x1x3x3xi8> {test.constant}, %ba: tensor<5xi32> {test.constant},
                %b: tensor<1x3x33x35xui8>, %zb: tensor<1xui8>, %wb: tensor<6x1x5x5xui8> {test.constant}, %zw: tensor<1xui8> {test.constant})
    -> (tensor<2x5x9x21xi32>, tensor<1x6x17x18xi32>) {
  %0 = qopt.conv %a zeros(%za), %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 5 : i64} : (tensor<2x5x9x21xi8>, tensor<1x1x1x1xi8>, tensor<5x1x3x3xi8>, tensor<5xi32>) -> tensor<2x5x9x21xi32>
  %1 = qopt.conv %b zeros(%zb), %wb zeros(%zw) {strides = array<i64: 2, 2>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<1x3x33x35xui8>, tensor<1xui8>, tensor<6x1x5x5xui8>, tensor<1xui8>) -> tensor<1x6x17x18xi32>
  return %0, %1 : tensor<2x5x9x21xi32>, tensor<1x6x17x18xi32>
})mlir");
}

namespace {
struct CodeTypes {
  StringRef input = "i8", weight = "i8";
  bool hasInputZero = true, hasWeightZero = false, hasBias = false;
};

/// A depthwise convolution of codes (of several channels); `pads` are before H,
/// before W, behind H, behind W.
struct Codes {
  int64_t channels, height, width, outputs;
  std::vector<int64_t> kernel, strides, dilations, pads;
  CodeTypes types = {};
  /// Attributes of the operands.
  StringRef codes = "";

  int64_t result(int axis) const {
    int64_t dim = axis ? width : height;
    int64_t span = (kernel[axis] - 1) * dilations[axis] + 1;
    return (dim + pads[axis] + pads[axis + 2] - span) / strides[axis] + 1;
  }
};
} // namespace

static std::string listOf(llvm::ArrayRef<int64_t> values) {
  std::string text = "array<i64: ";
  for (auto [i, value] : llvm::enumerate(values))
    text += (i ? ", " : "") + std::to_string(value);
  return text + ">";
}

/// A program of one kernel, which gives the sums and their codes.
static std::string programOf(const Codes &c) {
  std::string x = formatv("tensor<2x{0}x{1}x{2}x{3}>", c.channels, c.height,
                          c.width, c.types.input);
  std::string w = formatv("tensor<{0}x1x{1}x{2}x{3}>", c.outputs, c.kernel[0],
                          c.kernel[1], c.types.weight);
  std::string dims =
      formatv("tensor<2x{0}x{1}x{2}x", c.outputs, c.result(0), c.result(1));
  std::string zx = formatv("tensor<1x1x1x1x{0}>", c.types.input);
  std::string zw = formatv("tensor<1x1x1x1x{0}>", c.types.weight);
  std::string m = formatv("tensor<1x{0}x1x1xf32>", c.outputs);
  std::string bias = formatv("tensor<{0}xi32>", c.outputs);
  std::string types = x + (c.types.hasInputZero ? ", " + zx : "") + ", " + w +
                      (c.types.hasWeightZero ? ", " + zw : "") +
                      (c.types.hasBias ? ", " + bias : "");
  std::string text = formatv(R"mlir(
func.func @main(%x: {0} {{{1}}, %zx: {2}, %w: {3} {{test.constant{4}{1}}, %zw: {5}, %b: {6}) -> ({7}i32>, {7}i8>) {{
  %m = qopt.constant(dense<0.005> : {8}) : {8}
  %z = qopt.constant(dense<3> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %0:2 = qkernel.depthwise_conv(%x, %zx, %w, %zw, %b, %m, %z) : ({0}, {2}, {3}, {5}, {6}, {8}, tensor<1x1x1x1xi8>) -> ({7}i32>, {7}i8>)
      (%px: {0}, %pzx: {2}, %pw: {3}, %pzw: {5}, %pb: {6}, %pm: {8}, %pz: tensor<1x1x1x1xi8>) {{
)mlir",
                             x, c.codes, zx, w, c.codes.empty() ? "" : ", ", zw,
                             bias, dims, m);
  text += formatv("    %1 = qopt.conv %px {0}, %pw {1} {2} {{strides = {3}, "
                  "pads = {4}, dilations = {5}, group = {6} : i64} : ({7}) -> "
                  "{8}i32>\n",
                  c.types.hasInputZero ? "zeros(%pzx)" : "",
                  c.types.hasWeightZero ? "zeros(%pzw)" : "",
                  c.types.hasBias ? "bias %pb" : "", listOf(c.strides),
                  listOf(c.pads), listOf(c.dilations), c.channels, types, dims);
  text += formatv(
      R"mlir(    %2 = qopt.requantize %1, %pm, %pz {{min = -128 : i64, max = 127 : i64} : ({0}i32>, {1}, tensor<1x1x1x1xi8>) -> {0}i8>
    qkernel.yield %1, %2 : {0}i32>, {0}i8>
  }
  return %0#0, %0#1 : {0}i32>, {0}i8>
})mlir",
      dims, m);
  return text;
}

static void expectAllEqualToReference(llvm::ArrayRef<Codes> cases) {
  for (const Codes &c : cases) {
    SCOPED_TRACE(programOf(c));
    expectEqualToReference(programOf(c));
  }
}

/// Every stride, rows of one vector and of many, borders wider than the input,
/// taps that leave holes, all kinds of codes.
TEST(Depthwise, CodesOfAllShapes) {
  const CodeTypes noZeros{"i8", "i8", false};
  const CodeTypes allTerms{"ui8", "ui8", true, true, true};
  const CodeTypes mixed{"i8", "ui8", true, true};
  const CodeTypes unsignedInput{"ui8", "i8", true, false, true};
  const CodeTypes plainBytes{"ui8", "i8", false};
  const CodeTypes nibbles{"ui4", "i4", true, false, true};
  const Codes cases[] = {
      {3, 7, 7, 3, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {3, 14, 14, 6, {5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}, unsignedInput},
      {2, 9, 65, 2, {3, 3}, {1, 2}, {1, 1}, {0, 1, 1, 0}, allTerms},
      {2, 11, 33, 2, {3, 3}, {2, 1}, {1, 1}, {1, 1, 1, 1}, noZeros},
      {2, 17, 70, 2, {5, 3}, {3, 4}, {2, 1}, {3, 2, 0, 1}, mixed},
      {2, 9, 21, 4, {2, 3}, {1, 1}, {2, 5}, {0, 4, 1, 6}, {"i4", "i8"}},
      {2, 3, 5, 2, {7, 7}, {2, 2}, {1, 1}, {9, 70, 9, 75}, nibbles},
      {2, 1, 130, 6, {1, 9}, {1, 1}, {1, 1}, {0, 4, 0, 4}, plainBytes},
      {2, 5, 4, 2, {1, 1}, {4, 2}, {1, 1}, {0, 0, 0, 0}},
  };
  expectAllEqualToReference(cases);
}

/// Planes of more than one strip, below and beside each other.
TEST(Depthwise, CodesInStrips) {
  const Codes cases[] = {
      {2, 90, 100, 2, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {2, 3, 8300, 2, {3, 3}, {2, 1}, {1, 2}, {1, 2, 1, 2}, {"ui8"}},
      {2, 2, 8300, 2, {2, 5}, {1, 2}, {1, 1}, {0, 2, 0, 2}, {"ui8"}},
  };
  expectAllEqualToReference(cases);
}

/// Small planes, several of which are a part; the last part has fewer.
TEST(Depthwise, CodesOfManyPlanes) {
  const CodeTypes allTerms{"ui8", "ui8", true, true, true};
  const Codes cases[] = {
      {37, 7, 7, 74, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, allTerms},
      {43, 14, 14, 43, {5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}},
  };
  expectAllEqualToReference(cases);
}

/// Pairs of products that 16 bits do not hold.
TEST(Depthwise, CodesAtTheirEnds) {
  Codes c{2, 6, 20, 2, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}};
  c.codes = "test.codes = array<i32: -128>";
  expectEqualToReference(programOf(c));
  c.types.input = "ui8";
  c.types.hasInputZero = false;
  c.codes = "test.codes = array<i32: 255>";
  c.types.weight = "ui8";
  c.types.hasWeightZero = true;
  expectEqualToReference(programOf(c));
}

/// What the loops of codes do not do is left to those of any element.
TEST(Depthwise, OtherCodes) {
  expectEqualToReference(R"mlir(
func.func @main(%x: tensor<1x2x9x40xi8>, %w: tensor<2x1x3x3xi8> {test.constant}, %v: tensor<2x1x3x3xi8>)
    -> (tensor<1x2x9x14xi32>, tensor<1x2x9x40xi32>) {
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 3>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x3x3xi8>) -> tensor<1x2x9x14xi32>
  %1 = qopt.conv %x, %v {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x3x3xi8>) -> tensor<1x2x9x40xi32>
  return %0, %1 : tensor<1x2x9x14xi32>, tensor<1x2x9x40xi32>
})mlir");
}

/// How many outputs an input channel has shows when it runs.
TEST(Depthwise, WeightsOfAnOpenNumberOfChannels) {
  const char *text = R"mlir(
func.func @main(%x: tensor<2x3x5x7xf32>, %w: tensor<?x1x3x3xf32>) -> tensor<2x?x5x7xf32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 3 : i64}
    : (tensor<2x3x5x7xf32>, tensor<?x1x3x3xf32>) -> tensor<2x?x5x7xf32>
  return %0 : tensor<2x?x5x7xf32>
})mlir";
  for (int64_t outputs : {3, 6, 9})
    expectEqualToReference(text, {outputs});
  EXPECT_THAT(messageOfRun(text, {7}), HasSubstr("do not fill the groups"));
}
