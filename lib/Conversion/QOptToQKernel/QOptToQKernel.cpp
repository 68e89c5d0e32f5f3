//===- QOptToQKernel.cpp - The phase fuse ---------------------------------===//
//
// A kernel stands where its last op stood, so that every value it reads is there.
// Its body does not see the function: what it reads comes in as arguments.
//
//===----------------------------------------------------------------------===//

#include "KernelGroups.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/IRMapping.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "llvm/ADT/SetVector.h"

#define DEBUG_TYPE "convert-qopt-to-qkernel"

namespace qopt {
#define GEN_PASS_DEF_CONVERTQOPTTOQKERNELPASS
#include "lib/Conversion/QOptToQKernel/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isDepthwise(ConvOp conv) {
  auto type = cast<RankedTensorType>(conv.getX().getType());
  return conv.getGroup() > 1 &&
         type.getDimSize(1) == static_cast<int64_t>(conv.getGroup());
}

/// The kernel op for a root, without a body.
static Operation *createKernel(OpBuilder &builder, Location loc, Operation *root,
                               TypeRange results, ValueRange inputs) {
  StringAttr none;
  if (!root)
    return kernel::MapOp::create(builder, loc, results, inputs, none, none);
  if (isa<qopt::AttentionOp>(root))
    return kernel::AttentionOp::create(builder, loc, results, inputs, none, none);
  auto conv = dyn_cast<ConvOp>(root);
  if (conv && isDepthwise(conv))
    return kernel::DepthwiseConvOp::create(builder, loc, results, inputs, none,
                                           none);
  if (conv || isa<MatMulOp>(root))
    return kernel::ContractOp::create(builder, loc, results, inputs, none, none);
  return kernel::RowsOp::create(builder, loc, results, inputs, none, none);
}

static void convert(const KernelGroup &group) {
  llvm::SmallPtrSet<Operation *, 8> inside(group.ops.begin(), group.ops.end());
  llvm::SetVector<Value> captured;
  SmallVector<Location> locations;
  for (Operation *op : group.ops) {
    locations.push_back(op->getLoc());
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        captured.insert(operand);
  }
  Operation *last = group.ops.back();
  OpBuilder builder(last);
  Operation *kernelOp =
      createKernel(builder, builder.getFusedLoc(locations), group.root,
                   last->getResultTypes(), captured.getArrayRef());
  Block &body = kernelOp->getRegion(0).emplaceBlock();
  IRMapping mapping;
  for (Value value : captured)
    mapping.map(value, body.addArgument(value.getType(), value.getLoc()));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : group.ops)
    builder.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (Value result : last->getResults())
    yielded.push_back(mapping.lookup(result));
  kernel::YieldOp::create(builder, kernelOp->getLoc(), yielded);
  last->replaceAllUsesWith(kernelOp);
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
}

namespace {
struct ConvertQOptToQKernelPass
    : qopt::impl::ConvertQOptToQKernelPassBase<ConvertQOptToQKernelPass> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!kernel::isKernel(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks)
      for (const KernelGroup &group : findKernelGroups(*block)) {
        numFused += group.ops.size();
        ++numKernels;
        convert(group);
      }
  }
};
} // namespace
