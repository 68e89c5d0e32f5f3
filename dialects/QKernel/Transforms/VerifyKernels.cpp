//===- VerifyKernels.cpp - The form that the phase kernels leaves ---------===//
//
// The report reads kernel names and reasons; lowering reads bytes.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/VerifyKernels.h"
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

/// A kernel writes what it matches, and takes for granted that it does.
static LogicalResult verifyKernel(Operation *op, kernel::KernelList kernels) {
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  if (!name)
    return op->emitOpError("has no kernel");
  if (name.getValue() == kernel::kGeneric) {
    if (!op->getAttrOfType<StringAttr>(kernel::getReasonAttrName(op)))
      return op->emitOpError("is generic without a reason");
    return success();
  }
  const kernel::Kernel *kernel = kernel::findKernel(kernels, name);
  if (!kernel)
    return op->emitOpError("has the kernel ")
           << name << ", which is not known here";
  kernel::Match match = kernel->match(op);
  if (match)
    return success();
  InFlightDiagnostic error = op->emitOpError("has the kernel ")
                             << name << ", which does not run it";
  if (!match.getReason().empty())
    error << ": " << match.getReason();
  return error;
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

LogicalResult kernel::verifyChoice(Operation *op, KernelList kernels) {
  return success(succeeded(::verifyFacts(op)) &&
                 succeeded(::verifyKernel(op, kernels)));
}

static LogicalResult verifyVariant(kernel::VariantOp variant) {
  llvm::Expected<kernel::KernelList> kernels = variant.getTarget().getKernels();
  if (!kernels)
    return variant.emitOpError(llvm::toString(kernels.takeError()));
  WalkResult result = variant.walk([&](Operation *op) {
    bool isWrong =
        kernel::needsKernel(op) && failed(kernel::verifyChoice(op, *kernels));
    return isWrong ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct VerifyKernelsPass
    : kernel::impl::VerifyKernelsPassBase<VerifyKernelsPass> {
  void runOnOperation() override {
    llvm::SmallDenseSet<Attribute> targets;
    // Regions before their op: a variant when its tensors are right.
    WalkResult result = getOperation()->walk([&](Operation *op) {
      auto variant = dyn_cast<kernel::VariantOp>(op);
      if (variant && !targets.insert(variant.getTargetAttr()).second) {
        variant.emitOpError("is a second one of ") << variant.getTargetAttr();
        return WalkResult::interrupt();
      }
      bool isRight = succeeded(verifyMemory(op)) &&
                     (!variant || succeeded(verifyVariant(variant)));
      return isRight ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
