//===- QOptToQKernel.cpp - The phase fuse ---------------------------------===//
//
// Each block by itself: no kernel crosses the end of a region.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/FuseBlock.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"

#define DEBUG_TYPE "convert-qopt-to-qkernel"

namespace qopt {
#define GEN_PASS_DEF_CONVERTQOPTTOQKERNELPASS
#include "lib/Conversion/QOptToQKernel/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct ConvertQOptToQKernelPass
    : qopt::impl::ConvertQOptToQKernelPassBase<ConvertQOptToQKernelPass> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!kernel::isKernel(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      kernel::FusedCount count =
          kernel::fuseBlock(*block, kernel::Quantizers::Join);
      numFused += count.ops;
      numKernels += count.kernels;
    }
  }
};
} // namespace
