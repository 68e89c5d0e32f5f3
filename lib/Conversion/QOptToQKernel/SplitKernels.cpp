//===- SplitKernels.cpp - Kernels without their quantizers ----------------===//
//
// Only the ops of the split kernels stand bare in a fused block, so fusing it
// again touches nothing else.
//
//===----------------------------------------------------------------------===//

#include "qopt/Conversion/QOptToQKernel/SplitKernels.h"
#include "KernelGroups.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

void qopt::splitKernels(func::FuncOp function,
                        llvm::function_ref<bool(Operation *)> shouldSplit) {
  SmallVector<Operation *> kernels;
  function.walk([&](Operation *op) {
    if (kernel::isKernel(op) && shouldSplit(op))
      kernels.push_back(op);
  });
  llvm::SetVector<Block *> blocks;
  IRRewriter rewriter(function.getContext());
  for (Operation *op : kernels) {
    blocks.insert(op->getBlock());
    kernel::decompose(op, rewriter);
  }
  for (Block *block : blocks)
    fuseBlock(*block, Quantizers::StandAlone);
}
