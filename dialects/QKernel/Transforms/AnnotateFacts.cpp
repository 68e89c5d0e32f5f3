//===- AnnotateFacts.cpp - What is known of the values of operands --------===//
//
// The analysis is that of Facts.h; verify-kernels runs it again.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/AnnotateFacts.h"
#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QKernel/Transforms/Passes.h"

#define DEBUG_TYPE "qkernel-annotate-facts"

namespace qopt::kernel {
#define GEN_PASS_DEF_ANNOTATEFACTSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

void kernel::annotateFacts(Operation *program) {
  program->walk([](Operation *op) {
    if (!needsKernel(op))
      return;
    if (ArrayAttr facts = findFacts(op))
      op->setAttr(kFactsAttrName, facts);
    else
      op->removeAttr(kFactsAttrName);
  });
}

namespace {
struct AnnotateFactsPass
    : kernel::impl::AnnotateFactsPassBase<AnnotateFactsPass> {
  void runOnOperation() override {
    kernel::annotateFacts(getOperation());
    getOperation().walk([&](Operation *op) {
      if (auto facts = op->getAttrOfType<ArrayAttr>(kernel::kFactsAttrName))
        numFacts += facts.size();
    });
  }
};
} // namespace
