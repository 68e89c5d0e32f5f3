//===- DecomposeKernels.cpp - Kernels back to qopt ------------------------===//
//
// The inverse of the phase fuse. It shows that a file of a later phase computes
// what quantize fixed.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define DEBUG_TYPE "qkernel-decompose"

namespace qopt::kernel {
#define GEN_PASS_DEF_DECOMPOSEKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

/// What was repacked is row-major again.
static void forgetLayouts(Operation *module, RewriterBase &rewriter) {
  SmallVector<kernel::RepackOp> repacks;
  module->walk([&](kernel::RepackOp repack) { repacks.push_back(repack); });
  for (kernel::RepackOp repack : repacks)
    rewriter.replaceOp(repack, repack.getSource());
  AttrTypeReplacer replacer;
  replacer.addReplacement([](RankedTensorType type) -> Type {
    return kernel::withoutLayout(type);
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

namespace {
struct DecomposeKernelsPass
    : kernel::impl::DecomposeKernelsPassBase<DecomposeKernelsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> kernels;
    SmallVector<kernel::PackOp> packs;
    getOperation()->walk([&](Operation *op) {
      if (kernel::isKernel(op))
        kernels.push_back(op);
      if (auto pack = dyn_cast<kernel::PackOp>(op))
        packs.push_back(pack);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : kernels)
      kernel::decompose(op, rewriter);
    forgetLayouts(getOperation(), rewriter);
    for (kernel::PackOp pack : packs)
      if (isOpTriviallyDead(pack))
        rewriter.eraseOp(pack);
  }
};
} // namespace
