//===- VerifyLifetimes.cpp - Memory is used while it is there -------------===//
//
// The rules by which qkernel-materialize-lifetimes places the ends, asked block
// by block: what a block makes is its own until it ends it or hands it on.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/VerifyMemory.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

bool kernel::isOwn(Value memory) {
  return isa_and_nonnull<memref::AllocOp, OutputMemoryOp, AppendMemoryOp>(
      memory.getDefiningOp());
}

/// What `value` is another name of.
static Value findRoot(Value value) {
  while (Operation *maker = value.getDefiningOp()) {
    if (!isa<ViewOp, ListOp>(maker))
      break;
    value = maker->getOperand(0);
  }
  return value;
}

namespace {
class LifetimeVerifier {
public:
  LogicalResult verify(Block &block);

private:
  LogicalResult verifyOp(Operation &op, Block &block);
  LogicalResult verifyWritten(LaunchOp launch);
  LogicalResult end(Operation *op, Value memory, Block &block);
  void own(Value value, Block &block) {
    if (isa<MemRefType>(value.getType()))
      owners[value] = &block;
  }

  /// The block that ends memory, or hands it on.
  llvm::DenseMap<Value, Block *> owners;
  llvm::DenseSet<Value> ended;
};
} // namespace

LogicalResult LifetimeVerifier::end(Operation *op, Value memory, Block &block) {
  if (!isa<MemRefType>(memory.getType()))
    return success();
  // Memory may go on under another name.
  Value root = findRoot(memory);
  if (owners.lookup(root) == &block && ended.insert(root).second)
    return success();
  return op->emitOpError("ends or hands on memory that its block does not own");
}

/// Kernels take for granted that nothing else has the names of what they write.
LogicalResult LifetimeVerifier::verifyWritten(LaunchOp launch) {
  llvm::DenseSet<Value> written;
  auto isNew = [&](Value memory) { return written.insert(memory).second; };
  bool isRight = llvm::all_of(launch.getDestinations(), isNew);
  isRight &= llvm::all_of(launch.getTemporaries(), isNew);
  isRight &= llvm::none_of(launch.getInputs(), [&](Value input) {
    return written.contains(findRoot(input));
  });
  if (isRight)
    return success();
  return launch.emitOpError("writes memory that it reads or writes elsewhere");
}

LogicalResult LifetimeVerifier::verifyOp(Operation &op, Block &block) {
  bool isEnded = llvm::any_of(op.getOperands(), [&](Value used) {
    return ended.contains(findRoot(used));
  });
  visitUsedValuesDefinedAbove(op.getRegions(), [&](OpOperand *use) {
    isEnded |= ended.contains(findRoot(use->get()));
  });
  if (isEnded)
    return op.emitOpError("uses memory that has ended");
  if (auto launch = dyn_cast<LaunchOp>(op))
    return verifyWritten(launch);
  if (auto free = dyn_cast<memref::DeallocOp>(op))
    return end(&op, free.getMemref(), block);
  if (isa<scf::YieldOp, scf::ConditionOp, scf::ForOp, scf::WhileOp>(op))
    for (Value handed : op.getOperands())
      if (failed(end(&op, handed, block)))
        return failure();
  for (Region &region : op.getRegions())
    for (Block &inner : region) {
      for (Value argument : inner.getArguments())
        own(argument, inner);
      if (failed(verify(inner)))
        return failure();
    }
  if (isa<memref::AllocOp, scf::IfOp, scf::ForOp, scf::WhileOp>(op))
    for (Value result : op.getResults())
      own(result, block);
  return success();
}

LogicalResult LifetimeVerifier::verify(Block &block) {
  for (Operation &op : block)
    if (failed(verifyOp(op, block)))
      return failure();
  return success();
}

LogicalResult kernel::verifyLifetimes(func::FuncOp program) {
  return LifetimeVerifier().verify(program.getBody().front());
}
