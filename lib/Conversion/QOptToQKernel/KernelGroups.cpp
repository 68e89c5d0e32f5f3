//===- KernelGroups.cpp - Which ops become one kernel ---------------------===//
//
// A group grows from its root to the users of its last value. It may pass a fork
// when the branches join again, so that still one value leaves it.
//
//===----------------------------------------------------------------------===//

#include "KernelGroups.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Transforms/DimTracing.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

/// Most ops between a fork and the place where its branches join.
static constexpr size_t kMaxForkedOps = 16;

static bool isShapeArithmetic(Operation *op) {
  auto isWide = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isInteger(64);
  };
  return llvm::any_of(op->getOperandTypes(), isWide) ||
         llvm::any_of(op->getResultTypes(), isWide);
}

static bool isKernelRoot(Operation *op) {
  return isa<MatMulOp, ConvOp, qopt::AttentionOp, SoftmaxOp, LayerNormOp, ReduceOp,
             GlobalAveragePoolOp, QuantizeDynamicOp>(op) &&
         !isShapeArithmetic(op);
}

/// Operands that are read element by element; tables and channel vectors are
/// not.
static OperandRange getBroadcastOperands(Operation *op) {
  bool hasVectors = isa<LookupOp, BatchNormOp>(op);
  return hasVectors ? op->getOperands().take_front(1) : op->getOperands();
}

namespace {
class GroupFinder {
public:
  explicit GroupFinder(Block &block) : block(block) {}

  SmallVector<KernelGroup> run() {
    for (Operation &op : block)
      if (isKernelRoot(&op))
        addGroup(&op, &op);
    for (Operation &op : block)
      if (kernel::isEpilogueOp(&op) && !taken.contains(&op) &&
          isFusable(&op, op.getResult(0)))
        addGroup(&op, /*root=*/nullptr);
    llvm::sort(groups, [](const KernelGroup &a, const KernelGroup &b) {
      return a.ops.back()->isBeforeInBlock(b.ops.back());
    });
    return std::move(groups);
  }

private:
  void addGroup(Operation *first, Operation *root) {
    members.clear();
    members.insert(first);
    if (first->getNumResults() == 1) {
      Value shape = first->getResult(0);
      while (grow(shape))
        ;
      takeProducers(shape, root);
    }
    KernelGroup group{root, llvm::to_vector(members)};
    llvm::sort(group.ops, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    taken.insert(members.begin(), members.end());
    groups.push_back(std::move(group));
  }

  /// Takes in the users of the last value, up to the next op whose result is the
  /// only value that leaves the group.
  bool grow(Value shape) {
    llvm::SetVector<Operation *> added;
    llvm::SmallPtrSet<Operation *, 8> pending(members.back()->user_begin(),
                                              members.back()->user_end());
    while (!pending.empty() && added.size() < kMaxForkedOps) {
      if (!llvm::all_of(pending,
                        [&](Operation *op) { return op->getBlock() == &block; }))
        return false;
      Operation *next = *std::min_element(
          pending.begin(), pending.end(),
          [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
      if (!isFusable(next, shape))
        return false;
      pending.erase(next);
      added.insert(next);
      if (pending.empty()) {
        members.insert(added.begin(), added.end());
        return true;
      }
      pending.insert(next->user_begin(), next->user_end());
    }
    return false;
  }

  /// Takes in producers of the kernel's shape that have no other user. The
  /// root's own operands are not of that kind.
  void takeProducers(Value shape, Operation *root) {
    SmallVector<Operation *> pending(members.begin(), members.end());
    while (!pending.empty()) {
      Operation *op = pending.pop_back_val();
      if (op == root)
        continue;
      for (Value operand : op->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        auto isInside = [&](Operation *user) { return members.contains(user); };
        if (!producer || producer->getBlock() != &block || isInside(producer) ||
            !isFusable(producer, shape) ||
            !llvm::all_of(producer->getUsers(), isInside))
          continue;
        members.insert(producer);
        pending.push_back(producer);
      }
    }
  }

  bool isFusable(Operation *op, Value shape) {
    if (taken.contains(op) || !kernel::isEpilogueOp(op) || isShapeArithmetic(op) ||
        op->use_empty() || !tracer.haveSameShape(op->getResult(0), shape))
      return false;
    return llvm::all_of(getBroadcastOperands(op), [&](Value operand) {
      return tracer.broadcastsInto(operand, shape);
    });
  }

  Block &block;
  DimTracer tracer;
  llvm::SetVector<Operation *> members;
  llvm::SmallPtrSet<Operation *, 32> taken;
  SmallVector<KernelGroup> groups;
};
} // namespace

SmallVector<KernelGroup> qopt::findKernelGroups(Block &block) {
  return GroupFinder(block).run();
}
