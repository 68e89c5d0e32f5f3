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

LogicalResult ProgramEmitter::emitOp(Operation *op) {
  if (!isa<kernel::ContractOp, kernel::DepthwiseConvOp, kernel::AttentionOp>(
          op))
    return CpuProgram::emitOp(op);
  if (failed(computeDims(op)))
    return failure();
  // Nothing to compute: tiles have no size. The dims, which operands give, can
  // tell more than the types.
  auto isEmpty = [&](Value result) {
    return llvm::any_of(tensorDims.lookup(result),
                        [](Value dim) { return knownNumber(dim) == 0; });
  };
  if (llvm::all_of(op->getResults(), isEmpty)) {
    for (Value result : op->getResults())
      allocate(result);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](kernel::ContractOp) { return emitContract(*this, op); })
      .Case([&](kernel::DepthwiseConvOp) { return emitDepthwise(*this, op); })
      .Case([&](kernel::AttentionOp) { return emitAttention(*this, op); });
}
