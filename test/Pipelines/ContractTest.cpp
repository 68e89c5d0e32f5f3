//===- ContractTest.cpp - What became of each node ------------------------===//
//
// The contract of a real model, preset by preset, and of programs that break
// it.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "lib/Pipelines/Precision.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <numeric>

using namespace qopt;
using namespace qopt::test;

namespace {
struct Words {
  llvm::StringRef preset, dense, depthwise;
};
} // namespace

static std::string nameOf(const testing::TestParamInfo<Words> &info) {
  std::string name = info.param.preset.str();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class ContractOfPreset : public testing::TestWithParam<Words> {};

TEST_P(ContractOfPreset, IsKept) {
  Report report = compileDigits(GetParam().preset);
  EXPECT_EQ(report.contract.getRows().size(), 16u);
  for (llvm::StringRef node : {"/conv_0", "/conv_6", "/conv_10", "/gemm_15"}) {
    const ContractRow &row = findRow(report, node);
    EXPECT_EQ(row.asked, GetParam().dense) << node.str();
    EXPECT_EQ(row.planned, GetParam().dense) << node.str();
    EXPECT_EQ(row.realised, GetParam().dense) << node.str();
    EXPECT_TRUE(row.isContraction);
  }
  EXPECT_EQ(findRow(report, "/conv_3").planned, GetParam().depthwise);
  EXPECT_EQ(findRow(report, "/conv_3").realised, GetParam().depthwise);
  EXPECT_TRUE(report.contract.findBreaches("planned").empty());
}

TEST_P(ContractOfPreset, CountsEveryProductOnce) {
  Report report = compileDigits(GetParam().preset, Phase::Quantize);
  uint64_t macs = 0;
  for (const ContractRow &row : report.contract.getRows())
    macs += row.macs;
  // 3x3 on 1 to 16 channels, 3x3 depthwise, 1x1 to 32, 3x3 on 4x4, 32 to 10.
  EXPECT_EQ(macs, 64u * 16 * 9 + 64 * 16 * 9 + 64 * 32 * 16 + 16 * 32 * 32 * 9 +
                      32 * 10);
  double sum = 0;
  for (auto &[words, share] : report.contract.shareOfMacs())
    sum += share;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST_P(ContractOfPreset, CountsBytesByKind) {
  const WeightBytes bytes =
      compileDigits(GetParam().preset, Phase::Quantize).contract.getBytes();
  uint64_t codes = 0;
  for (auto &[type, size] : bytes.codes)
    codes += size;
  EXPECT_EQ(bytes.total(), codes + bytes.scales + bytes.floats);
  bool isFloat = GetParam().preset == "fp32";
  EXPECT_EQ(codes == 0, isFloat);
  EXPECT_EQ(bytes.scales == 0, isFloat);
}

INSTANTIATE_TEST_SUITE_P(
    All, ContractOfPreset,
    testing::Values(Words{"fp32", "float", "float"},
                    Words{"w8a8", "i8 x i8 static", "i8 x i8 static"},
                    Words{"w8a8-dynamic", "i8 x i8 dynamic", "i8 x i8 dynamic"},
                    Words{"w8a8-pow2", "i8 x i8 static", "i8 x i8 static"},
                    Words{"w4a16-g32", "float x ui4", "float"},
                    Words{"w4a16-g128-pow2", "float x ui4", "float"},
                    Words{"w4a8-g64", "i8 x i4 dynamic", "float"},
                    Words{"mxint8", "mxint8 x mxint8", "mxint8 x mxint8"},
                    Words{"mxfp8-e4m3", "mxfp8-e4m3 x mxfp8-e4m3",
                          "mxfp8-e4m3 x mxfp8-e4m3"},
                    Words{"mxfp6-e3m2", "mxfp6-e3m2 x mxfp6-e3m2",
                          "mxfp6-e3m2 x mxfp6-e3m2"},
                    Words{"mxfp4", "mxfp4 x mxfp4", "mxfp4 x mxfp4"},
                    Words{"nvfp4-a16", "float x nvfp4", "float x nvfp4"}),
    nameOf);

TEST(Contract, FusedNodesHaveTheWordsOfTheirProduct) {
  Report report = compileDigits("mxfp4");
  const ContractRow &norm = findRow(report, "/batchnormalization_7");
  EXPECT_EQ(norm.realised, "mxfp4 x mxfp4");
  EXPECT_EQ(norm.macs, 0u);
  EXPECT_EQ(norm.kernel, findRow(report, "/conv_6").kernel);
}

TEST(Contract, NodesOnAPathOfCodesSayTheirType) {
  Report report = compileDigits("w8a8-pow2");
  for (llvm::StringRef node : {"/relu_2", "/maxpool_9", "/flatten_14"})
    EXPECT_EQ(findRow(report, node).realised, "i8") << node.str();
}

TEST(Contract, AnOverrideIsWhatWasAsked) {
  Recipe recipe = llvm::cantFail(getPreset("w8a8-dynamic"));
  OverrideRecipe &rule = recipe.overrides.emplace_back();
  rule.nodes = "/conv_6";
  rule.precision = "float";
  TemporaryFolder folder;
  Report report = llvm::cantFail(compileDigits(recipe, Phase::Kernels, folder));
  const ContractRow &row = findRow(report, "/conv_6");
  EXPECT_EQ(row.asked, "float");
  EXPECT_EQ(row.realised, "float");
  EXPECT_EQ(row.reason, "override");
  EXPECT_TRUE(report.contract.findBreaches("any").empty());
}

TEST(Contract, LevelsRefuseMoreAndMore) {
  Report report = compileDigits("w4a16-g32");
  EXPECT_TRUE(report.contract.findBreaches("planned").empty());
  // The depthwise convolution and the norm folded into it.
  auto breaches = report.contract.findBreaches("any");
  ASSERT_EQ(breaches.size(), 2u);
  EXPECT_EQ(breaches[0]->node, "/conv_3");
  EXPECT_EQ(breaches[0]->reason, "depthwise: no products to group");
  // No kernel of it is generic.
  EXPECT_EQ(report.contract.findBreaches("slow").size(), 2u);
}

//===----------------------------------------------------------------------===//
// Programs that no compilation makes
//===----------------------------------------------------------------------===//

/// A product and what follows it; `request` is on the product. Node 2 has no
/// op.
static mlir::OwningOpRef<mlir::ModuleOp>
parseProgram(mlir::MLIRContext &context, llvm::StringRef request) {
  std::string text = (R"(
module attributes {qopt.nodes = [
    #qopt.node_info<0, "/m", "MatMul">, #qopt.node_info<1, "/r", "Relu">,
    #qopt.node_info<2, "/gone", "Identity">]} {
  func.func @main(%x: tensor<?x4xf32>) -> tensor<?x3xf32> {
    %w = qopt.constant(dense<1.0> : tensor<4x3xf32>) : tensor<4x3xf32>
    %m = qopt.matmul %x, %w {)" +
                      request + R"(}
        : (tensor<?x4xf32>, tensor<4x3xf32>) -> tensor<?x3xf32>
        loc(fused<#qopt.node<0>>["/m"])
    %r = qopt.relu %m : (tensor<?x3xf32>) -> tensor<?x3xf32>
        loc(fused<#qopt.node<1>>["/r"])
    return %r : tensor<?x3xf32>
  }
})")
                         .str();
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}

/// The contract of a program that `recipe` planned and that became `result`.
static Contract readContract(const Recipe &recipe, mlir::ModuleOp planned,
                             mlir::ModuleOp result) {
  auto mainOf = [](mlir::ModuleOp module) {
    return module.lookupSymbol<mlir::func::FuncOp>("main");
  };
  Contract contract;
  contract.start(planned);
  contract.readPlan(mainOf(planned), recipe, "prepare");
  contract.readResult(mainOf(result), "quantize");
  return contract;
}

static constexpr llvm::StringLiteral kRequest =
    "qopt.request = #qopt.request<params = dynamic, act = <i8>, "
    "weight = <i8, axis = 1>>";

TEST(Contract, ARealisedPrecisionThatWasNotPlannedIsABreach) {
  auto context = makeContext();
  auto program = parseProgram(*context, kRequest);
  ASSERT_TRUE(program);
  Contract contract = readContract(llvm::cantFail(getPreset("w8a8-dynamic")),
                                   *program, *program);
  auto breaches = contract.findBreaches("planned");
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(breaches[0]->node, "/m");
  EXPECT_EQ(breaches[0]->planned, "i8 x i8 dynamic");
  EXPECT_EQ(breaches[0]->realised, "float");
  EXPECT_EQ(breaches[0]->macs, 12u);
}

TEST(Contract, APlannedProductThatVanishedIsABreach) {
  auto context = makeContext();
  auto planned = parseProgram(*context, kRequest);
  auto result = parseProgram(*context, kRequest);
  ASSERT_TRUE(planned && result);
  auto main = result->lookupSymbol<mlir::func::FuncOp>("main");
  main.walk(
      [](MatMulOp op) { op->setLoc(mlir::UnknownLoc::get(op.getContext())); });
  Contract contract = readContract(llvm::cantFail(getPreset("w8a8-dynamic")),
                                   *planned, *result);
  auto breaches = contract.findBreaches("planned");
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(breaches[0]->realised, "nothing");
  EXPECT_EQ(breaches[0]->kernel, "folded in quantize");
}

TEST(Contract, AGenericKernelIsSlow) {
  auto context = makeContext();
  auto program = parseProgram(*context, "");
  auto kernels = mlir::parseSourceString<mlir::ModuleOp>(R"(
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    %1 = qkernel.map(%x) {kernel = "generic", reason = "no table row"}
        : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
      %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
          loc(fused<#qopt.node<1>>["/r"])
      qkernel.yield %0 : tensor<8xf32>
    }
    return %1 : tensor<8xf32>
  }
})",
                                                         context.get());
  ASSERT_TRUE(program && kernels);
  Contract contract = readContract(Recipe(), *program, *program);
  EXPECT_TRUE(contract.findBreaches("slow").empty());
  contract.readKernels(*kernels);
  EXPECT_TRUE(contract.findBreaches("any").empty());
  auto breaches = contract.findBreaches("slow");
  ASSERT_EQ(breaches.size(), 1u);
  EXPECT_EQ(breaches[0]->node, "/r");
  EXPECT_EQ(breaches[0]->reason, "no table row");
}

TEST(Contract, ANodeWithoutAnOpIsFolded) {
  auto context = makeContext();
  auto program = parseProgram(*context, "");
  ASSERT_TRUE(program);
  Contract contract = readContract(Recipe(), *program, *program);
  ASSERT_EQ(contract.getRows().size(), 3u);
  EXPECT_EQ(contract.getRows()[2].kernel, "folded in prepare");
  EXPECT_EQ(contract.getRows()[0].kernel, "");
  EXPECT_TRUE(contract.findBreaches("any").empty());
}

TEST(Contract, AttentionCountsItsTwoProducts) {
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
func.func @main(%q: tensor<2x3x7xf32>, %k: tensor<2x5x7xf32>, %v: tensor<2x5x11xf32>) -> tensor<2x3x11xf32> {
  %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x3x7xf32>, tensor<2x5x7xf32>, tensor<2x5x11xf32>) -> tensor<2x3x11xf32>
  return %0 : tensor<2x3x11xf32>
})",
                                                        context.get());
  ASSERT_TRUE(module);
  module->walk([](AttentionOp op) {
    EXPECT_EQ(countMacs(op), 2u * (3 * 5 * 7 + 3 * 5 * 11));
  });
}
