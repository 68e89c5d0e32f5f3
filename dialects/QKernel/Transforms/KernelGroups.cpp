//===- KernelGroups.cpp - Which ops become one kernel ---------------------===//
//
// A group grows from its root to the users of its last value. It may pass a
// fork when the branches join again, so that still one value leaves it. A
// quantizer of rows joins the product that reads its codes, or else the norm or
// the map that makes its rows: the rows leave such a kernel as well where
// others read them. Attention takes in what decodes its keys and values. No
// group is longer than what compiles in linear time.
//
//===----------------------------------------------------------------------===//

#include "KernelGroups.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/Transforms/DimTracing.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;
using kernel::KernelGroup;
using kernel::Quantizers;

/// Most ops of a kernel. A kernel's loop has no branches, and the time to
/// compile such code grows faster than its length.
static constexpr size_t kMaxOps = 64;

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
  return isa<KernelRootOpInterface>(op) && !isShapeArithmetic(op);
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
  GroupFinder(Block &block, Quantizers quantizers)
      : block(block), quantizers(quantizers) {}

  SmallVector<KernelGroup> run() {
    // What makes the rows of a product is no kernel of its own, so products
    // choose first.
    auto addRoots = [&](auto isWanted) {
      for (Operation &op : block)
        if (isKernelRoot(&op) && !taken.contains(&op) && isWanted(&op))
          addGroup(&op, &op);
    };
    addRoots([](Operation *op) {
      return cast<KernelRootOpInterface>(op).getKernelFamily() !=
             KernelFamily::Rows;
    });
    addRoots([](Operation *op) { return !isa<QuantizeDynamicOp>(op); });
    for (Operation &op : block)
      if (kernel::isEpilogueOp(&op) && !taken.contains(&op) &&
          isFusable(&op, op.getResult(0)))
        addGroup(&op, /*root=*/nullptr);
    addRoots([](Operation *) { return true; });
    llvm::sort(groups, [](const KernelGroup &a, const KernelGroup &b) {
      return a.place->isBeforeInBlock(b.place);
    });
    return std::move(groups);
  }

private:
  void addGroup(Operation *first, Operation *root) {
    members.clear();
    members.insert(first);
    QuantizeDynamicOp behind;
    if (first->getNumResults() == 1) {
      Value shape = first->getResult(0);
      while (grow(shape))
        ;
      Value last = members.back()->getResult(0);
      takeProducers(shape, members.getArrayRef(), root);
      if (quantizers == Quantizers::Join) {
        takePrologue(root);
        behind = findQuantizerOf(last, root);
      }
      takeCodes(root);
    }
    KernelGroup group{root, llvm::to_vector(members), nullptr};
    llvm::sort(group.ops, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    group.place = group.ops.back();
    if (behind) {
      // It reads nothing but the rows, so it may move up to them.
      group.ops.push_back(behind);
      members.insert(behind);
      if (!root)
        group.root = behind;
    }
    taken.insert(members.begin(), members.end());
    groups.push_back(std::move(group));
  }

  /// Takes in the users of the last value, up to the next op whose result is
  /// the only value that leaves the group.
  bool grow(Value shape) {
    llvm::SetVector<Operation *> added;
    llvm::SmallPtrSet<Operation *, 8> pending(members.back()->user_begin(),
                                              members.back()->user_end());
    while (!pending.empty() && added.size() < kMaxForkedOps &&
           members.size() + added.size() < kMaxOps) {
      if (!llvm::all_of(
              pending, [&](Operation *op) { return op->getBlock() == &block; }))
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

  /// Takes in producers of the kernel's shape, from the operands of `start` on,
  /// that have no other user. The root's own operands are not of that kind.
  void takeProducers(Value shape, ArrayRef<Operation *> start,
                     Operation *root) {
    SmallVector<Operation *> pending(start);
    while (!pending.empty()) {
      Operation *op = pending.pop_back_val();
      if (op == root)
        continue;
      for (Value operand : op->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (!isOnlyUsedInside(producer) || !isFusable(producer, shape) ||
            llvm::is_contained(producer->getUsers(), root))
          continue;
        if (members.size() >= kMaxOps)
          return;
        members.insert(producer);
        pending.push_back(producer);
      }
    }
  }

  /// Takes in what makes the rows of a product: a quantizer, the norm before it
  /// and the element-wise ops around that.
  void takePrologue(Operation *root) {
    OpOperand *codes =
        root ? cast<KernelRootOpInterface>(root).getPrologueOperand() : nullptr;
    if (!codes)
      return;
    auto quantizer = codes->get().getDefiningOp<QuantizeDynamicOp>();
    if (!quantizer || !isOnlyUsedInside(quantizer) ||
        !kernel::quantizesRows(quantizer) || !quantizer.getCodes().hasOneUse())
      return;
    members.insert(quantizer);
    Value rows = quantizer.getX();
    size_t before = members.size();
    takeProducers(rows, {quantizer.getOperation()}, root);
    SmallVector<Operation *> made(members.getArrayRef().drop_front(before - 1));
    for (Operation *op : made)
      for (Value operand : op->getOperands()) {
        auto norm = operand.getDefiningOp<LayerNormOp>();
        if (!isOnlyUsedInside(norm) || !norm.makesWholeRows() ||
            !tracer.haveSameShape(norm.getResult(), rows))
          continue;
        members.insert(norm);
        takeProducers(rows, {norm.getOperation()}, root);
        return;
      }
  }

  /// Takes in what decodes keys and values.
  void takeCodes(Operation *root) {
    auto attention = dyn_cast_or_null<AttentionOp>(root);
    if (!attention)
      return;
    for (Value rows : {attention.getKey(), attention.getValue()}) {
      Operation *maker = rows.getDefiningOp();
      if (isOnlyUsedInside(maker) &&
          llvm::all_of(rows.getUses(), isKeyOrValue) && decodesRows(maker) &&
          haveOneScaleEach(maker))
        members.insert(maker);
    }
  }

  /// True where it is known that no scale is for several rows. What is cast is
  /// a list: anything else is better cast where it is made.
  bool haveOneScaleEach(Operation *maker) {
    auto op = dyn_cast<DequantizeOp>(maker);
    if (!op)
      return maker->getOperand(0).getDefiningOp<ConcatOp>() != nullptr;
    Value codes = op.getCodes(), scales = op.getScales().front();
    int64_t last = cast<RankedTensorType>(codes.getType()).getRank() - 1;
    return llvm::all_of(llvm::seq<int64_t>(0, last), [&](int64_t axis) {
      return tracer.traceDim(scales, axis) == tracer.traceDim(codes, axis);
    });
  }

  /// True for an op of this block, in no group yet, whose users are all in this
  /// one.
  bool isOnlyUsedInside(Operation *op) {
    return op && op->getBlock() == &block && !taken.contains(op) &&
           !members.contains(op) &&
           llvm::all_of(op->getUsers(), [&](Operation *user) {
             return members.contains(user);
           });
  }

  /// What quantizes `rows`, the last value of a map or of a group whose root
  /// normalizes rows.
  QuantizeDynamicOp findQuantizerOf(Value rows, Operation *root) {
    if (root && !cast<KernelRootOpInterface>(root).makesWholeRows())
      return {};
    for (Operation *user : rows.getUsers()) {
      auto quantizer = dyn_cast<QuantizeDynamicOp>(user);
      if (quantizer && quantizer->getBlock() == &block &&
          !taken.contains(quantizer) && kernel::quantizesRows(quantizer))
        return quantizer;
    }
    return {};
  }

  bool isFusable(Operation *op, Value shape) {
    if (taken.contains(op) || !kernel::isEpilogueOp(op) ||
        isShapeArithmetic(op) || op->use_empty() ||
        !tracer.haveSameShape(op->getResult(0), shape))
      return false;
    return llvm::all_of(getBroadcastOperands(op), [&](Value operand) {
      return tracer.broadcastsInto(operand, shape);
    });
  }

  Block &block;
  Quantizers quantizers;
  DimTracer tracer;
  llvm::SetVector<Operation *> members;
  llvm::SmallPtrSet<Operation *, 32> taken;
  SmallVector<KernelGroup> groups;
};
} // namespace

SmallVector<KernelGroup> kernel::findKernelGroups(Block &block,
                                                  Quantizers quantizers) {
  return GroupFinder(block, quantizers).run();
}
