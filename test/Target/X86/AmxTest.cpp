//===- AmxTest.cpp - Products of codes in AMX tiles -----------------------===//
//
// Rows and K that fill tiles, that leave some over and that are too few. The
// code that is generated is also read: it must use tiles, and spill none.
//
//===----------------------------------------------------------------------===//

#include "AmxEmulation.h"
#include "ContractHarness.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qopt/Emit/EmitObject.h"
#include "qopt/Target/Host/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using qopt::test::expectEqualToReference;

/// A product of `rows` rows by 70 columns over `depth` codes, with zero points.
static std::string matMul(std::string rows, int64_t depth,
                          std::string element = "i8") {
  std::string k = std::to_string(depth);
  std::string x = "tensor<" + rows + "x" + k + "x" + element + ">";
  std::string w = "tensor<" + k + "x70xi8>";
  std::string zero = "tensor<1x1x" + element + ">";
  std::string y = "tensor<" + rows + "x70xi32>";
  return "func.func @main(%x: " + x + ", %w: " + w +
         " {test.constant}, %z: " + zero + " {test.constant}) -> " + y +
         " {\n  %0 = qopt.matmul %x zeros(%z), %w : (" + x + ", " + zero +
         ", " + w + ") -> " + y + "\n  return %0 : " + y + "\n}\n";
}

TEST(Amx, RowsThatFillTilesOrNot) {
  for (int64_t rows : {1, 15, 16, 31, 32, 33, 47, 48, 79, 200})
    expectEqualToReference(matMul("?", 128), {rows});
}

TEST(Amx, DepthsThatFillTilesOrNot) {
  for (int64_t depth : {61, 64, 65, 68, 127, 128, 129, 200, 330})
    expectEqualToReference(matMul("35", depth));
}

TEST(Amx, UnsignedRows) { expectEqualToReference(matMul("50", 96, "ui8")); }

TEST(Amx, Batches) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x3x40x130xi8>, %b: tensor<2x3x130x37xi8>, %c: tensor<1x3x130x37xui8>,
                %d: tensor<?x?x?xi8>, %e: tensor<?x?x33xi8>)
    -> (tensor<2x3x40x37xi32>, tensor<2x3x40x37xi32>, tensor<?x?x33xi32>) {
  %0 = qopt.matmul %a, %b : (tensor<2x3x40x130xi8>, tensor<2x3x130x37xi8>) -> tensor<2x3x40x37xi32>
  %1 = qopt.matmul %a, %c : (tensor<2x3x40x130xi8>, tensor<1x3x130x37xui8>) -> tensor<2x3x40x37xi32>
  %2 = qopt.matmul %d, %e : (tensor<?x?x?xi8>, tensor<?x?x33xi8>) -> tensor<?x?x33xi32>
  return %0, %1, %2 : tensor<2x3x40x37xi32>, tensor<2x3x40x37xi32>, tensor<?x?x33xi32>
})mlir",
                         {2, 19, 90, 2, 90});
}

TEST(Amx, Conv) {
  expectEqualToReference(R"mlir(
func.func @main(%x: tensor<2x48x11x9xi8>, %zx: tensor<1x1x1x1xi8> {test.constant},
                %w: tensor<40x48x3x3xi8> {test.constant}, %bias: tensor<40xi32> {test.constant},
                %p: tensor<34x48x1x1xi8> {test.constant}, %g: tensor<64x24x3x3xi8> {test.constant})
    -> (tensor<2x40x11x9xi32>, tensor<2x34x11x9xi32>, tensor<2x64x6x5xi32>) {
  %0 = qopt.conv %x zeros(%zx), %w bias %bias {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<2x48x11x9xi8>, tensor<1x1x1x1xi8>, tensor<40x48x3x3xi8>, tensor<40xi32>) -> tensor<2x40x11x9xi32>
  %1 = qopt.conv %x, %p {pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<2x48x11x9xi8>, tensor<34x48x1x1xi8>) -> tensor<2x34x11x9xi32>
  %2 = qopt.conv %x zeros(%zx), %g {group = 2 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>}
    : (tensor<2x48x11x9xi8>, tensor<1x1x1x1xi8>, tensor<64x24x3x3xi8>) -> tensor<2x64x6x5xi32>
  return %0, %1, %2 : tensor<2x40x11x9xi32>, tensor<2x34x11x9xi32>, tensor<2x64x6x5xi32>
})mlir");
}

namespace {
/// A program lowered for the tier `amx`.
struct Lowered {
  explicit Lowered(StringRef text) {
    context
        .loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect>();
    program = parseSourceString<ModuleOp>(text, &context);
    auto main = program->lookupSymbol<func::FuncOp>("main");
    OpBuilder b = OpBuilder::atBlockBegin(&main.getBody().front());
    llvm::BitVector constants(main.getNumArguments());
    for (BlockArgument argument : main.getArguments()) {
      if (!main.getArgAttr(argument.getArgNumber(), "test.constant"))
        continue;
      auto type = cast<RankedTensorType>(argument.getType());
      argument.replaceAllUsesWith(ConstantOp::create(
          b, main.getLoc(), type,
          DenseElementsAttr::get(type,
                                 b.getIntegerAttr(type.getElementType(), 1))));
      constants.set(argument.getArgNumber());
    }
    (void)main.eraseArguments(constants);
    X86Backend backend;
    auto variants = *backend.makeVariants(*program, TargetConfig{"amx"});
    auto lowered = *backend.lowerProgram(*variants, TargetConfig{"amx"});
    module = std::move(lowered.variants.front().module);
    EXPECT_TRUE(succeeded(host::convertToLLVM(*module)));
  }

  std::string assembly() {
    llvm::LLVMContext llvmContext;
    auto translated = translateModuleToLLVMIR(*module, llvmContext);
    auto text = emitObject(*translated, *X86Backend().findMachine("amx"),
                           {"main.amx"}, CodeForm::Assembly);
    EXPECT_TRUE(bool(text)) << llvm::toString(text.takeError());
    return std::string(text->begin(), text->end());
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> program, module;
};
} // namespace

static size_t count(StringRef text, StringRef word) { return text.count(word); }

TEST(Amx, CodeUsesTilesAndSpillsNone) {
  std::string text = Lowered(matMul("64", 256)).assembly();
  // For each 64 codes of K: two by two tiles, then two by one.
  size_t products = count(text, "tdpbusd");
  EXPECT_GE(products, 6u);
  EXPECT_EQ(products % 6, 0u);
  EXPECT_EQ(count(text, "tileloadd"), products / 6 * 7) << "a tile is spilled";
  EXPECT_EQ(count(text, "tilestored"), 6u) << "a tile is spilled";
  EXPECT_GE(count(text, "ldtilecfg"), 1u);
  EXPECT_GE(count(text, "tilerelease"), 1u);
  EXPECT_EQ(count(text, "vpdpbusd"), 0u) << "K is a multiple of 64";
}

TEST(Amx, FewRowsAndShortDepthsUseNone) {
  EXPECT_EQ(count(Lowered(matMul("15", 256)).assembly(), "tdpb"), 0u);
  EXPECT_EQ(count(Lowered(matMul("64", 60)).assembly(), "tdpb"), 0u);
}

TEST(Amx, EmulationReplacesEveryInstruction) {
  Lowered lowered(matMul("64", 256));
  EXPECT_GT(test::emulateTiles(*lowered.module), 0u);
  EXPECT_EQ(count(lowered.assembly(), "tileloadd"), 0u);
}
