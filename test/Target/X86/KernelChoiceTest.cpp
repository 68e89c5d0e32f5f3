//===- KernelChoiceTest.cpp - The kernels that reports name ---------------===//
//
// Products of codes are named by how they are summed.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/AssignKernels.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Target/X86/X86Backend.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

namespace {
struct Choice {
  std::string name, reason;
};
} // namespace

/// The choices for the kernels of one kind in a program, in order.
template <class KernelOp>
static std::vector<Choice> choicesOf(StringRef text, StringRef tier) {
  MLIRContext context;
  context.loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect>();
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return {};
  kernel::assignKernels(module->lookupSymbol<func::FuncOp>("main"),
                        llvm::cantFail(X86Backend().findKernels(tier)));
  std::vector<Choice> choices;
  module->walk([&](KernelOp op) {
    choices.push_back(
        {op.getKernelAttr().str(), op.getReason().value_or("").str()});
  });
  return choices;
}

static constexpr const char *products = R"mlir(
func.func @main(%a: tensor<5x64xi8>, %as: tensor<5x2xf8E8M0FNU>, %t: tensor<5x1xf32>, %z: tensor<5x1xi8>, %w: tensor<64x16xi8>, %ws: tensor<2x16xf8E8M0FNU>,
                %v: tensor<64x16xi4>, %vs: tensor<2x16xf16>, %e: tensor<5x64xf8E4M3FN>, %f: tensor<64x16xf8E4M3FN>, %r: tensor<5x64xf32>,
                %x: tensor<1x40x5x9xf4E2M1FN>, %xs: tensor<1x2x5x9xf8E8M0FNU>, %ks: tensor<7x2x3x3xf8E8M0FNU>, %u: tensor<4x16xf32>)
    -> (tensor<5x16xf32>, tensor<5x16xf32>, tensor<1x7x3x7xf32>, tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>) {
  %k = qopt.constant(dense<1.0> : tensor<7x40x3x3xf4E2M1FN>) : tensor<7x40x3x3xf4E2M1FN>
  %0 = qopt.matmul %a scales(%as), %w scales(%ws) {lhs_format = #qopt.format<mxint8, axis = 1>, rhs_format = #qopt.format<mxint8, axis = 0>} : (tensor<5x64xi8>, tensor<5x2xf8E8M0FNU>, tensor<64x16xi8>, tensor<2x16xf8E8M0FNU>) -> tensor<5x16xf32>
  %1 = qopt.matmul %a scales(%t), %v scales(%vs) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 32, scale = f16>} : (tensor<5x64xi8>, tensor<5x1xf32>, tensor<64x16xi4>, tensor<2x16xf16>) -> tensor<5x16xf32>
  %2 = qopt.conv %x scales(%xs), %k scales(%ks) {x_format = #qopt.format<mxfp4, axis = 1>, w_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x40x5x9xf4E2M1FN>, tensor<1x2x5x9xf8E8M0FNU>, tensor<7x40x3x3xf4E2M1FN>, tensor<7x2x3x3xf8E8M0FNU>) -> tensor<1x7x3x7xf32>
  %3 = qopt.matmul %e scales(%as), %f scales(%ws) {lhs_format = #qopt.format<"mxfp8-e4m3", axis = 1>, rhs_format = #qopt.format<"mxfp8-e4m3", axis = 0>} : (tensor<5x64xf8E4M3FN>, tensor<5x2xf8E8M0FNU>, tensor<64x16xf8E4M3FN>, tensor<2x16xf8E8M0FNU>) -> tensor<5x16xf32>
  %4 = qopt.matmul %r, %v scales(%vs) {rhs_format = #qopt.format<i4, axis = 0, block = 32, scale = f16>} : (tensor<5x64xf32>, tensor<64x16xi4>, tensor<2x16xf16>) -> tensor<5x16xf32>
  %5 = qopt.matmul %a scales(%t) zeros(%z), %v scales(%vs) {lhs_format = #qopt.format<i8, axis = 0, zero = i8>, rhs_format = #qopt.format<i4, axis = 0, block = 32, scale = f16>} : (tensor<5x64xi8>, tensor<5x1xf32>, tensor<5x1xi8>, tensor<64x16xi4>, tensor<2x16xf16>) -> tensor<5x16xf32>
  %6 = qopt.matmul %a scales(%t), %v scales(%u) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 20>} : (tensor<5x64xi8>, tensor<5x1xf32>, tensor<64x16xi4>, tensor<4x16xf32>) -> tensor<5x16xf32>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<5x16xf32>, tensor<5x16xf32>, tensor<1x7x3x7xf32>, tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>, tensor<5x16xf32>
})mlir";

static void expectChoices(StringRef tier, StringRef ofIntegers) {
  std::vector<Choice> choices = choicesOf<kernel::ContractOp>(products, tier);
  ASSERT_EQ(choices.size(), 7u);
  for (int integers : {0, 1, 2})
    EXPECT_EQ(choices[integers].name, ofIntegers.str());
  EXPECT_EQ(choices[3].name, "x86-64.contract.grouped");
  EXPECT_EQ(choices[4].name, "x86-64.contract.weight-only");
  // The row fits, but i8 less a zero is no byte, and 20 is no multiple of 16.
  for (int exception : {5, 6}) {
    EXPECT_EQ(choices[exception].name, "x86-64.contract.grouped");
    EXPECT_NE(choices[exception].reason, "");
  }
  for (int whole : {0, 1, 2, 3, 4})
    EXPECT_EQ(choices[whole].reason, "");
}

/// Words of taps need a stride that parts them, and taps that are known.
TEST(KernelChoice, NamesHowCodesOfAChannelAreSummed) {
  const char *text = R"mlir(
func.func @main(%x: tensor<1x2x9x40xi8>, %v: tensor<2x1x3x3xi8>, %f: tensor<1x2x9x40xf32>)
    -> (tensor<1x2x9x20xi32>, tensor<1x2x9x14xi32>, tensor<1x2x9x40xi32>, tensor<1x2x2x4xi32>, tensor<1x2x9x40xf32>) {
  %w = qopt.constant(dense<1> : tensor<2x1x3x3xi8>) : tensor<2x1x3x3xi8>
  %u = qopt.constant(dense<1> : tensor<2x1x8x37xi8>) : tensor<2x1x8x37xi8>
  %g = qopt.constant(dense<1.0> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x3x3xi8>) -> tensor<1x2x9x20xi32>
  %1 = qopt.conv %x, %w {strides = array<i64: 1, 3>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x3x3xi8>) -> tensor<1x2x9x14xi32>
  %2 = qopt.conv %x, %v {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x3x3xi8>) -> tensor<1x2x9x40xi32>
  %3 = qopt.conv %x, %u {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xi8>, tensor<2x1x8x37xi8>) -> tensor<1x2x2x4xi32>
  %4 = qopt.conv %f, %g {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x2x9x40xf32>, tensor<2x1x3x3xf32>) -> tensor<1x2x9x40xf32>
  return %0, %1, %2, %3, %4 : tensor<1x2x9x20xi32>, tensor<1x2x9x14xi32>, tensor<1x2x9x40xi32>, tensor<1x2x2x4xi32>, tensor<1x2x9x40xf32>
})mlir";
  const std::string anyElement = "x86-64.depthwise";
  for (auto [tier, ofWords] :
       {std::pair("x86-64-v3", "x86-64.depthwise.codes.avx2"),
        std::pair("x86-64-v4", "x86-64.depthwise.codes.vnni")}) {
    std::vector<Choice> choices =
        choicesOf<kernel::DepthwiseConvOp>(text, tier);
    ASSERT_EQ(choices.size(), 5u);
    EXPECT_EQ(choices[0].name, ofWords);
    for (int other : {1, 2, 3, 4})
      EXPECT_EQ(choices[other].name, anyElement);
  }
}

TEST(KernelChoice, NamesHowGroupsAreSummed) {
  expectChoices("x86-64-v3", "x86-64.contract.grouped.avx2");
  expectChoices("x86-64-v4", "x86-64.contract.grouped.vnni");
}
