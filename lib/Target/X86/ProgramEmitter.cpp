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
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](kernel::ContractOp) { return emitContract(*this, op); })
      .Case([&](kernel::DepthwiseConvOp) { return emitDepthwise(*this, op); })
      .Case([&](kernel::AttentionOp) { return emitAttention(*this, op); });
}
