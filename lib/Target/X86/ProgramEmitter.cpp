//===- ProgramEmitter.cpp - The program of an x86-64 tier -----------------===//
//
// Says which emitter writes which product.
//
//===----------------------------------------------------------------------===//

#include "ProgramEmitter.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

/// True where `op` has nothing to compute: its tiles have no size.
static bool hasEmptyResults(Operation *op) {
  return llvm::all_of(op->getResultTypes(), [](Type type) {
    return llvm::is_contained(cast<RankedTensorType>(type).getShape(), 0);
  });
}

LogicalResult ProgramEmitter::emitOp(Operation *op) {
  if (!isa<kernel::ContractOp, kernel::DepthwiseConvOp, kernel::AttentionOp>(
          op))
    return CpuProgram::emitOp(op);
  if (failed(computeDims(op)))
    return failure();
  if (hasEmptyResults(op)) {
    for (Value result : op->getResults())
      allocate(result);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](kernel::ContractOp) { return emitContract(*this, op); })
      .Case([&](kernel::DepthwiseConvOp) { return emitDepthwise(*this, op); })
      .Case([&](kernel::AttentionOp) { return emitAttention(*this, op); });
}
