//===- VerifyPrepared.cpp - The form that the phase prepare leaves --------===//
//
// Later phases rely on these facts and do not check them again.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "dialects/QOpt/IR/VerifyTypes.h"
#include "dialects/QOpt/Transforms/FoldSequences.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"

#define DEBUG_TYPE "verify-prepared"

namespace qopt {
#define GEN_PASS_DEF_VERIFYPREPAREDPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static LogicalResult verifyPrepared(Operation *op) {
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()))
    return success();
  if (isa<GemmOp>(op))
    return op->emitOpError("is left after prepare").attachNote()
           << "run --qopt-decompose-gemm";
  if (isa<ObserveOp>(op))
    return op->emitOpError("stands outside of a calibration");
  if (hasSequences(op))
    return refuseSequences(op);
  return verifyTypes(op);
}

namespace {
struct VerifyPreparedPass
    : qopt::impl::VerifyPreparedPassBase<VerifyPreparedPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      return failed(verifyPrepared(op)) ? WalkResult::interrupt()
                                        : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
