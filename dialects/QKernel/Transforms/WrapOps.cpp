//===- WrapOps.cpp - Every op in the kernel of its family -----------------===//
//
// A value that an op uses twice becomes one operand of its kernel.
//
//===----------------------------------------------------------------------===//

#include "WrapOps.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

static void wrap(Operation *op, Operation *root) {
  OpBuilder b(op);
  llvm::SetVector<Value> operands(op->operand_begin(), op->operand_end());
  Operation *kernel = kernel::createKernel(
      b, op->getLoc(), root, op->getResultTypes(), operands.getArrayRef());
  Block *block = b.createBlock(&kernel->getRegion(0));
  IRMapping mapping;
  for (Value operand : operands)
    mapping.map(operand, block->addArgument(operand.getType(), op->getLoc()));
  Operation *copy = b.clone(*op, mapping);
  kernel::YieldOp::create(b, op->getLoc(), copy->getResults());
  op->replaceAllUsesWith(kernel->getResults());
  op->erase();
}

void kernel::wrapBareOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
    else if (isa<KernelRootOpInterface>(op))
      wrap(&op, /*root=*/&op);
    else if (kernel::isEpilogueOp(&op))
      wrap(&op, /*root=*/nullptr);
}
