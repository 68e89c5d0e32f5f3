//===- ConvertToLLVM.cpp - From loops and vectors to LLVM -----------------===//
//
// Kernels use i64 and LLVM pointers throughout, so no type is converted and
// functions stay as they are.
//
//===----------------------------------------------------------------------===//

#include "ConvertToLLVM.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace qopt;

static bool isLibraryCall(Operation *op) {
  return isa<LLVM::ExpOp, LLVM::Exp2Op, LLVM::LogOp, LLVM::Log2Op,
             LLVM::Log10Op, LLVM::SinOp, LLVM::CosOp, LLVM::PowOp, LLVM::PowIOp,
             LLVM::TanhOp>(op);
}

LogicalResult cpu::convertToLLVM(ModuleOp module) {
  MLIRContext *context = module.getContext();
  PassManager loops(context, ModuleOp::getOperationName());
  loops.enableVerifier(false);
  loops.addPass(kernel::createMergeKernelFunctionsPass());
  loops.addPass(createSCFToControlFlowPass());
  // Checks return from their function, which they cannot out of a region.
  loops.addPass(kernel::createLowerChecksPass());
  if (failed(loops.run(module)))
    return failure();
  LLVMTypeConverter types(context);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(types, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
  populateMathToLLVMConversionPatterns(types, patterns);
  populateVectorToLLVMConversionPatterns(types, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  if (failed(applyFullConversion(module, target, std::move(patterns))))
    return failure();
  WalkResult walk = module.walk([](Operation *op) {
    if (!isLibraryCall(op))
      return WalkResult::advance();
    op->emitOpError("would need a math library");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}
