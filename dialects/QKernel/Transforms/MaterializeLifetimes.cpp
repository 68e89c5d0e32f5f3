//===- MaterializeLifetimes.cpp - Where memory begins and ends ------------===//
//
// Blocks are taken one by one: what a block makes ends in it, unless its end
// hands it on. A use in a region of an op is a use by that op.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

#define DEBUG_TYPE "qkernel-materialize-lifetimes"

namespace qopt::kernel {
#define GEN_PASS_DEF_MATERIALIZELIFETIMESPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// The lifetimes of a block
//===----------------------------------------------------------------------===//

namespace {
/// The tensors that have memory in one block.
class Lifetimes {
public:
  explicit Lifetimes(Block &block) {
    // What a region carries is its own; the caller owns the program's inputs.
    if (!isa<func::FuncOp>(block.getParentOp()))
      for (Value argument : block.getArguments())
        add(argument, block.getTerminator());
    for (Operation &op : block)
      visit(op);
  }

  /// The tensor whose memory `tensor` lies in; null where it is not this
  /// block's.
  Value findOwner(Value tensor) const { return owners.lookup(tensor); }

  /// Each tensor that owns its memory, with the op that uses it last.
  const llvm::MapVector<Value, Operation *> &getLastUses() const {
    return last;
  }

private:
  void add(Value value, Operation *op) {
    if (!isa<RankedTensorType>(value.getType()))
      return;
    owners[value] = value;
    last[value] = op;
  }

  void extend(Value used, Operation *op) {
    if (Value owner = findOwner(used))
      last[owner] = op;
  }

  void visit(Operation &op) {
    for (Value operand : op.getOperands())
      extend(operand, &op);
    visitUsedValuesDefinedAbove(
        op.getRegions(), [&](OpOperand *use) { extend(use->get(), &op); });
    if (kernel::isView(&op)) {
      if (Value owner = findOwner(op.getOperand(0)))
        owners[op.getResult(0)] = owner;
      return;
    }
    if (isa<ConstantOp, arith::ConstantOp, kernel::PackOp>(op))
      return;
    for (Value result : op.getResults())
      add(result, &op);
  }

  llvm::DenseMap<Value, Value> owners;
  llvm::MapVector<Value, Operation *> last;
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct MaterializeLifetimesPass
    : kernel::impl::MaterializeLifetimesPassBase<MaterializeLifetimesPass> {
  using MaterializeLifetimesPassBase::MaterializeLifetimesPassBase;

  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock()) {
      getOperation().emitError("expects a function of one block");
      return signalPassFailure();
    }
    // Blocks of the program; bodies of kernels know no memory.
    SmallVector<Block *> blocks;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      bool isProgram =
          isa<func::FuncOp>(op) || isa<scf::SCFDialect>(op->getDialect());
      if (!isProgram)
        return op->getNumRegions() ? WalkResult::skip() : WalkResult::advance();
      for (Region &region : op->getRegions())
        for (Block &block : region)
          blocks.push_back(&block);
      return WalkResult::advance();
    });
    for (Block *block : blocks)
      materialize(*block);
  }

  void materialize(Block &block) {
    Lifetimes lifetimes(block);
    Operation *end = block.getTerminator();
    for (Operation &op : block)
      if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
        for (OpOperand &init : loop.getInitsMutable())
          copy(init);
    llvm::DenseSet<Value> moved;
    if (isa<func::ReturnOp>(end))
      giveOut(end, lifetimes);
    else
      moved = handOn(end, lifetimes);
    free(lifetimes, end, moved);
  }

  /// Memory of its own for what a region is given or yields.
  void copy(OpOperand &use) {
    if (!isa<RankedTensorType>(use.get().getType()))
      return;
    Operation *op = use.getOwner();
    OpBuilder b(op);
    use.set(kernel::CopyOp::create(b, op->getLoc(), use.get()));
    ++numCopies;
  }

  /// Copies what the end of a region yields and does not own; returns the
  /// tensors that are handed on.
  llvm::DenseSet<Value> handOn(Operation *end, const Lifetimes &lifetimes) {
    llvm::DenseSet<Value> moved;
    for (OpOperand &use : end->getOpOperands()) {
      Value owner = lifetimes.findOwner(use.get());
      if (!owner || !moved.insert(owner).second)
        copy(use);
    }
    return moved;
  }

  /// Outputs are made in place, or copied at the end of the program.
  void giveOut(Operation *end, const Lifetimes &lifetimes) {
    llvm::DenseMap<Value, int> numUses;
    for (Value value : end->getOperands())
      ++numUses[value];
    OpBuilder b(end);
    for (OpOperand &use : end->getOpOperands()) {
      Value value = use.get();
      int32_t index = use.getOperandNumber();
      if (numUses[value] == 1 && isInPlace(value, lifetimes))
        markOutput(cast<OpResult>(value), index);
      else
        kernel::OutputOp::create(b, end->getLoc(), value, index);
    }
  }

  bool isInPlace(Value value, const Lifetimes &lifetimes) {
    Operation *maker = value.getDefiningOp();
    return inPlace && maker && !isa<scf::SCFDialect>(maker->getDialect()) &&
           lifetimes.findOwner(value) == value;
  }

  static void markOutput(OpResult result, int32_t index) {
    Operation *op = result.getOwner();
    SmallVector<int32_t> outputs(op->getNumResults(), -1);
    if (auto known =
            op->getAttrOfType<DenseI32ArrayAttr>(kernel::kOutputsAttrName))
      outputs.assign(known.asArrayRef().begin(), known.asArrayRef().end());
    outputs[result.getResultNumber()] = index;
    op->setAttr(kernel::kOutputsAttrName,
                DenseI32ArrayAttr::get(op->getContext(), outputs));
  }

  void free(const Lifetimes &lifetimes, Operation *end,
            const llvm::DenseSet<Value> &moved) {
    llvm::DenseMap<Operation *, Operation *> previous;
    for (auto [value, op] : lifetimes.getLastUses()) {
      // What a run ends with is the caller's, or the arena's.
      if (moved.contains(value) || isa<func::ReturnOp>(op))
        continue;
      OpBuilder b(op);
      if (op != end) {
        Operation *&at = previous.try_emplace(op, op).first->second;
        b.setInsertionPointAfter(at);
        at = kernel::FreeOp::create(b, op->getLoc(), value);
      } else {
        kernel::FreeOp::create(b, op->getLoc(), value);
      }
      ++numFrees;
    }
  }
};
} // namespace
