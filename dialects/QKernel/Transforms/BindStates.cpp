//===- BindStates.cpp - States that a program adds to in place ------------===//
//
// All variants of an artefact share the context, so they agree on which states
// have one memory for what they were and what they become.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Kernel.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QOpt/IR/States.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>

#define DEBUG_TYPE "qkernel-bind-states"

namespace qopt::kernel {
#define GEN_PASS_DEF_BINDSTATESPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

/// The kernel that `op` names, if the machine has it.
static const kernel::Kernel *findKernelOf(Operation *op,
                                          kernel::KernelList kernels) {
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  return name ? kernel::findKernel(kernels, name) : nullptr;
}

/// Whether `op` reads or writes `value` wherever it lies.
static bool mayHaveSlots(Operation *op, Value value, int64_t axis,
                         kernel::KernelList kernels) {
  const kernel::Kernel *kernel = findKernelOf(op, kernels);
  return kernel && kernel->mayHaveSlots(op, value, axis);
}

/// Whether the state that `append` makes can lie where it was.
static bool isInPlace(ConcatOp append, kernel::KernelList kernels) {
  Value result = append.getResult();
  auto axis = static_cast<int64_t>(append.getAxis());
  Operation *end = append->getBlock()->getTerminator();
  auto reads = [&](Operation *user) {
    return user != end && !isa<ShapeOp>(user);
  };
  return mayHaveSlots(append, result, axis, kernels) &&
         llvm::count(end->getOperands(), result) == 1 &&
         llvm::all_of(result.getUsers(), [&](Operation *user) {
           return user->getBlock() == append->getBlock() &&
                  (!reads(user) || mayHaveSlots(user, result, axis, kernels));
         });
}

namespace {
struct BindStatesPass : kernel::impl::BindStatesPassBase<BindStatesPass> {
  void runOnOperation() override {
    std::map<unsigned, SmallVector<ConcatOp>> appends;
    auto variants = getOperation().getOps<kernel::VariantOp>();
    for (auto variant : variants) {
      variant.walk(
          [](Operation *op) { op->removeAttr(kernel::kAppendAttrName); });
      if (failed(findAppends(variant, appends)))
        return signalPassFailure();
    }
    auto unit = UnitAttr::get(&getContext());
    for (auto &[argument, found] : appends) {
      if (static_cast<int64_t>(found.size()) !=
          std::distance(variants.begin(), variants.end()))
        continue;
      for (ConcatOp append : found)
        append->setAttr(kernel::kAppendAttrName, unit);
      ++numBound;
    }
  }

  static LogicalResult
  findAppends(kernel::VariantOp variant,
              std::map<unsigned, SmallVector<ConcatOp>> &appends) {
    llvm::Expected<kernel::KernelList> kernels =
        variant.getTarget().getKernels();
    if (!kernels)
      return variant.emitOpError(llvm::toString(kernels.takeError()));
    auto main = variant.lookupSymbol<func::FuncOp>("main");
    for (BlockArgument argument :
         main ? main.getArguments() : Block::BlockArgListType())
      if (ConcatOp append = findAppend(argument))
        if (isInPlace(append, *kernels))
          appends[argument.getArgNumber()].push_back(append);
    return success();
  }
};
} // namespace
