//===- FuseBlock.cpp - The kernels of a block -----------------------------===//
//
// A kernel's body does not see the function: what it reads comes in as
// arguments, and what others read of it leaves as results.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/FuseBlock.h"
#include "KernelGroups.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

namespace {
/// The values that go in and out of a group.
struct Boundary {
  explicit Boundary(const kernel::KernelGroup &group) {
    llvm::SmallPtrSet<Operation *, 8> inside(group.ops.begin(),
                                             group.ops.end());
    auto isOutside = [&](Operation *op) { return !op || !inside.contains(op); };
    for (Operation *op : group.ops) {
      for (Value operand : op->getOperands())
        if (isOutside(operand.getDefiningOp()))
          captured.insert(operand);
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), isOutside))
          leaving.push_back(result);
    }
  }
  llvm::SetVector<Value> captured;
  SmallVector<Value> leaving;
};
} // namespace

static void convert(const kernel::KernelGroup &group) {
  Boundary boundary(group);
  auto locations = llvm::map_to_vector(
      group.ops, [](Operation *op) { return op->getLoc(); });
  OpBuilder builder(group.place);
  Operation *kernelOp = kernel::createKernel(
      builder, builder.getFusedLoc(locations), group.root,
      ValueRange(boundary.leaving).getTypes(), boundary.captured.getArrayRef());
  Block &body = kernelOp->getRegion(0).emplaceBlock();
  IRMapping mapping;
  for (Value value : boundary.captured)
    mapping.map(value, body.addArgument(value.getType(), value.getLoc()));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : group.ops)
    builder.clone(*op, mapping);
  auto yielded = llvm::map_to_vector(
      boundary.leaving, [&](Value value) { return mapping.lookup(value); });
  kernel::YieldOp::create(builder, kernelOp->getLoc(), yielded);
  for (auto [value, result] :
       llvm::zip_equal(boundary.leaving, kernelOp->getResults()))
    value.replaceAllUsesExcept(result, llvm::SmallPtrSet<Operation *, 8>(
                                           group.ops.begin(), group.ops.end()));
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
}

kernel::FusedCount kernel::fuseBlock(Block &block, Quantizers quantizers) {
  FusedCount count;
  for (const KernelGroup &group : findKernelGroups(block, quantizers)) {
    count.ops += group.ops.size();
    ++count.kernels;
    convert(group);
  }
  return count;
}
