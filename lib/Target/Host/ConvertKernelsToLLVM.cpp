//===- ConvertKernelsToLLVM.cpp - From loops and vectors to LLVM ----------===//
//
// The last step of lowering: afterwards the module has only the LLVM dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "qopt/Target/Host/Passes.h"

#define DEBUG_TYPE "convert-kernels-to-llvm"

namespace qopt::host {
#define GEN_PASS_DEF_CONVERTKERNELSTOLLVMPASS
#include "lib/Target/Host/Passes.h.inc"
} // namespace qopt::host

using namespace mlir;
using namespace qopt;

static bool isLibraryCall(Operation *op) {
  return isa<LLVM::ExpOp, LLVM::Exp2Op, LLVM::LogOp, LLVM::Log2Op,
             LLVM::Log10Op, LLVM::SinOp, LLVM::CosOp, LLVM::PowOp, LLVM::PowIOp,
             LLVM::TanhOp>(op);
}

namespace {
/// Rounding to nearest even and the conversion of what it gives, at once: the
/// rounding mode is the default one.
struct ConvertRoundedToInteger : ConvertOpToLLVMPattern<arith::FPToSIOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(arith::FPToSIOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto rounded = op.getIn().getDefiningOp<math::RoundEvenOp>();
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!rounded || (vector && vector.getRank() != 1) ||
        !getElementTypeOrSelf(op.getIn()).isF32() ||
        !getElementTypeOrSelf(op.getType()).isInteger(32))
      return failure();
    Value operand = rewriter.getRemappedValue(rounded.getOperand());
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, getTypeConverter()->convertType(op.getType()),
        rewriter.getStringAttr("llvm.lrint"), operand);
    return success();
  }
};
} // namespace

/// Says that the loops of tiles turn often. LLVM takes 32 turns for each loop
/// it meets, so that the constants of an epilogue in two loops would get
/// registers before the sums of a tile in one.
static void weighTiles(ModuleOp module) {
  constexpr int32_t turns = 1 << 16;
  module.walk([](LLVM::BrOp latch) {
    if (!latch->hasAttr("llvm.loop_annotation"))
      return;
    // What a user wrote may end otherwise.
    if (auto header =
            dyn_cast<LLVM::CondBrOp>(latch.getDest()->getTerminator()))
      header.setBranchWeights(ArrayRef<int32_t>{turns, 1});
  });
}

namespace {
struct ConvertKernelsToLLVMPass
    : host::impl::ConvertKernelsToLLVMPassBase<ConvertKernelsToLLVMPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    LLVMTypeConverter types(&getContext());
    RewritePatternSet patterns(&getContext());
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    populateMathToLLVMConversionPatterns(types, patterns);
    populateVectorToLLVMConversionPatterns(types, patterns);
    patterns.add<ConvertRoundedToInteger>(types, /*benefit=*/2);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      return signalPassFailure();
    weighTiles(module);
    WalkResult walk = module.walk([](Operation *op) {
      if (!isLibraryCall(op))
        return WalkResult::advance();
      op->emitOpError("would need a math library");
      return WalkResult::interrupt();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

void host::buildConvertPipeline(OpPassManager &pm) {
  pm.addPass(createSCFToControlFlowPass());
  // Checks return from their function, which they cannot out of a region.
  pm.addPass(kernel::createLowerChecksPass());
  pm.addPass(createConvertKernelsToLLVMPass());
}

LogicalResult host::convertToLLVM(ModuleOp module) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildConvertPipeline(pm);
  return pm.run(module);
}
