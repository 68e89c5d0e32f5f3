//===- ChooseLayouts.cpp - How tensors between kernels lie in memory ------===//
//
// One decision for a whole function: every kernel takes and gives row-major
// tensors. A layout is left only where a caller sees it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

#define DEBUG_TYPE "qkernel-choose-layouts"

namespace qopt::kernel {
#define GEN_PASS_DEF_CHOOSELAYOUTSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using kernel::RepackOp;

static bool hasLayout(Type type) { return kernel::withoutLayout(type) != type; }

namespace {
/// The repacks of one function that stay.
class RowMajor {
public:
  explicit RowMajor(func::FuncOp function) : function(function) {}

  /// Returns how many there are.
  int64_t decide() {
    Block &entry = function.getBody().front();
    repackAll(entry.getArguments(), entry, entry.begin());
    function.walk([&](Operation *op) {
      // The type of a constant is that of its elements.
      if (matchPattern(op, m_Constant()))
        return repackAll(op->getResults(), *op->getBlock(),
                         std::next(op->getIterator()));
      if (auto repack = dyn_cast<RepackOp>(op);
          repack && !edges.contains(repack))
        inner.push_back(repack);
    });
    function.walk([&](Operation *op) {
      if (!matchPattern(op, m_Constant()))
        forget(op->getResults());
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (&block != &entry)
            forget(block.getArguments());
    });
    for (RepackOp repack : inner) {
      repack.getResult().replaceAllUsesWith(repack.getSource());
      repack.erase();
    }
    for (Block &block : function.getBody())
      if (auto end = dyn_cast<func::ReturnOp>(block.getTerminator()))
        repackReturned(end);
    return static_cast<int64_t>(edges.size());
  }

private:
  /// Makes row-major tensors of those of `values` that have a layout.
  void repackAll(ValueRange values, Block &block, Block::iterator place) {
    OpBuilder builder(&block, place);
    for (Value value : values) {
      if (!hasLayout(value.getType()))
        continue;
      auto repack =
          RepackOp::create(builder, value.getLoc(),
                           kernel::withoutLayout(value.getType()), value);
      value.replaceAllUsesExcept(repack.getResult(), repack);
      edges.insert(repack);
    }
  }

  void repackReturned(func::ReturnOp end) {
    OpBuilder builder(end);
    for (auto [operand, type] :
         llvm::zip_equal(end->getOpOperands(), function.getResultTypes()))
      if (operand.get().getType() != type) {
        auto repack =
            RepackOp::create(builder, end.getLoc(), type, operand.get());
        operand.set(repack);
        edges.insert(repack);
      }
  }

  static void forget(ValueRange values) {
    for (Value value : values)
      value.setType(kernel::withoutLayout(value.getType()));
  }

  func::FuncOp function;
  /// Where a layout begins or ends that is not ours to choose.
  llvm::SmallDenseSet<Operation *> edges;
  SmallVector<RepackOp> inner;
};

struct ChooseLayoutsPass
    : kernel::impl::ChooseLayoutsPassBase<ChooseLayoutsPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        numRepacks += RowMajor(function).decide();
  }
};
} // namespace
