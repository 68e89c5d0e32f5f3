//===- OutlineKernels.cpp - A function of each kernel ---------------------===//
//
// What makes short lists stays in the program, which follows dims through it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/KernelFunctions.h"
#include "dialects/QKernel/Transforms/Passes.h"

#define DEBUG_TYPE "qkernel-outline"

namespace qopt::kernel {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

static bool isLaunched(Operation *op) {
  if (!kernel::needsKernel(op) || kernel::isView(op))
    return false;
  bool hasPacked = llvm::any_of(op->getOperands(), [](Value operand) {
    return operand.getDefiningOp<kernel::PackOp>();
  });
  return !hasPacked && !llvm::all_of(op->getResultTypes(), kernel::isShortList);
}

static void launch(Operation *op, func::FuncOp function) {
  OpBuilder b(op);
  auto launch = kernel::LaunchOp::create(
      b, op->getLoc(), op->getResultTypes(), FlatSymbolRefAttr::get(function),
      op->getOperands(), /*destinations=*/ValueRange());
  if (Attribute outputs = op->getAttr(kernel::kOutputsAttrName))
    launch->setAttr(kernel::kOutputsAttrName, outputs);
  op->replaceAllUsesWith(launch);
  op->erase();
}

namespace {
struct OutlineKernelsPass
    : kernel::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> found;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk([&](Operation *op) {
        if (isLaunched(op))
          found.push_back(op);
      });
    kernel::KernelFunctions functions(getOperation());
    for (Operation *op : found)
      launch(op, functions.findOrMake(op));
    numLaunches += found.size();
    numFunctions += functions.getNumMade();
  }
};
} // namespace
