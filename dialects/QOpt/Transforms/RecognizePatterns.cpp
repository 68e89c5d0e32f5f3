//===- RecognizePatterns.cpp - Ops that exporters take apart --------------===//
//
// Runs every family of patterns to a fixed point: one family's result is part
// of another's pattern (hard sigmoid in hard swish).
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/RecognizePatterns.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "qopt-recognize-patterns"

namespace qopt {
#define GEN_PASS_DEF_RECOGNIZEPATTERNSPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

Location qopt::fuseLocations(OpBuilder &builder, ArrayRef<Operation *> ops) {
  SmallVector<Location> locations;
  for (Operation *op : ops)
    locations.push_back(op->getLoc());
  return builder.getFusedLoc(locations);
}

namespace {
struct RecognizePatternsPass
    : qopt::impl::RecognizePatternsPassBase<RecognizePatternsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateActivationPatterns(patterns);
    populateAttentionPatterns(patterns);
    populateLayerNormPatterns(patterns);
    populateSharedHeadPatterns(patterns);
    GreedyRewriteConfig config;
    config.enableFolding(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
