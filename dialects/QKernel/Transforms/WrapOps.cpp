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

static bool isDepthwise(ConvOp conv) {
  return conv.getGroup() > 1 &&
         cast<RankedTensorType>(conv.getX().getType()).getDimSize(1) ==
             static_cast<int64_t>(conv.getGroup());
}

template <class KernelOp> static void wrapIn(Operation *op) {
  OpBuilder b(op);
  llvm::SetVector<Value> operands(op->operand_begin(), op->operand_end());
  auto kernel =
      KernelOp::create(b, op->getLoc(), op->getResultTypes(),
                       operands.getArrayRef(), StringAttr(), StringAttr());
  Block *block = b.createBlock(&kernel.getBody());
  IRMapping mapping;
  for (Value operand : operands)
    mapping.map(operand, block->addArgument(operand.getType(), op->getLoc()));
  Operation *copy = b.clone(*op, mapping);
  kernel::YieldOp::create(b, op->getLoc(), copy->getResults());
  op->replaceAllUsesWith(kernel->getResults());
  op->erase();
}

void kernel::wrapBareOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isOpTriviallyDead(&op)) {
      op.erase();
      continue;
    }
    if (auto conv = dyn_cast<ConvOp>(op)) {
      if (isDepthwise(conv))
        wrapIn<kernel::DepthwiseConvOp>(&op);
      else
        wrapIn<kernel::ContractOp>(&op);
    } else if (isa<MatMulOp>(op)) {
      wrapIn<kernel::ContractOp>(&op);
    } else if (isa<qopt::AttentionOp>(op)) {
      wrapIn<kernel::AttentionOp>(&op);
    } else if (isa<SoftmaxOp, LayerNormOp, ReduceOp, GlobalAveragePoolOp,
                   QuantizeDynamicOp>(op)) {
      wrapIn<kernel::RowsOp>(&op);
    } else if (kernel::isEpilogueOp(&op)) {
      wrapIn<kernel::MapOp>(&op);
    }
  }
}
