//===- VerifyKernels.cpp - The form that the phase kernels leaves ---------===//
//
// The report reads kernel names and reasons; lowering reads bytes.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QKernel/Transforms/Passes.h"

#define DEBUG_TYPE "verify-kernels"

namespace qopt::kernel {
#define GEN_PASS_DEF_VERIFYKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

static LogicalResult verifyMemory(Operation *op) {
  auto types =
      llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                               SmallVector<Type>(op->getResultTypes()));
  for (Type type : types) {
    if (kernel::withoutLayout(type) != type)
      return op->emitOpError("uses ")
             << type << ", but kernels take row-major tensors only";
    auto memref = dyn_cast<BaseMemRefType>(type);
    if (memref && memref.getElementType().isIntOrFloat() &&
        memref.getElementTypeBitWidth() < 8 &&
        !memref.getElementType().isInteger(1))
      return op->emitOpError("uses ")
             << memref << ", whose elements are narrower than a byte";
  }
  return success();
}

static LogicalResult verifyKernelName(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  if (!name)
    return op->emitOpError("has no kernel");
  if (name.getValue() == kernel::kGeneric &&
      !op->getAttrOfType<StringAttr>(kernel::getReasonAttrName(op)))
    return op->emitOpError("is generic without a reason");
  return success();
}

/// Code is written by the facts, so they must be true and all there.
static LogicalResult verifyFacts(Operation *op) {
  ArrayAttr expected = kernel::findFacts(op);
  Attribute found = op->getAttr(kernel::kFactsAttrName);
  if (found == expected)
    return success();
  InFlightDiagnostic error = op->emitOpError("expects ");
  auto print = [&](Attribute facts) {
    if (facts)
      error << "the facts " << facts;
    else
      error << "no facts";
  };
  print(expected);
  error << " of its operands, but found ";
  print(found);
  error.attachNote() << "run qkernel-annotate-facts";
  return error;
}

namespace {
struct VerifyKernelsPass
    : kernel::impl::VerifyKernelsPassBase<VerifyKernelsPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      bool isChosen =
          kernel::needsKernel(op) && op->getParentOfType<kernel::VariantOp>();
      if (failed(verifyMemory(op)) ||
          (isChosen &&
           (failed(verifyKernelName(op)) || failed(verifyFacts(op)))))
        return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
