//===- VerifyQuantized.cpp - The form that the phase quantize leaves ------===//
//
// The numbers are fixed: nothing is left that a later phase could round in
// another way.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"

#define DEBUG_TYPE "verify-quantized"

namespace qopt {
#define GEN_PASS_DEF_VERIFYQUANTIZEDPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// True for the reals of a weight's codes.
static bool isDequantizedWeight(Value value) {
  auto op = value.getDefiningOp<DequantizeOp>();
  return op && llvm::all_of(op->getOperands(), [](Value operand) {
           return isa_and_nonnull<ConstantOp>(operand.getDefiningOp());
         });
}

/// True for a float contraction that decodes its weight each time. Two
/// activations may be multiplied as floats: that is a plan.
static bool hidesCodes(Operation *op) {
  auto contraction = dyn_cast<ContractionOpInterface>(op);
  if (!contraction)
    return false;
  Contraction sum = contraction.getContraction();
  return isDequantizedWeight(sum.lhs.tensor) ||
         isDequantizedWeight(sum.rhs.tensor);
}

static LogicalResult verifyQuantized(Operation *op) {
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()))
    return success();
  if (isa<GemmOp, ObserveOp>(op))
    return op->emitOpError("is left after quantize");
  if (hidesCodes(op))
    return op->emitOpError("is a float contraction of a dequantized weight");
  bool isExpression =
      isExpressionOp(op) && op->getNumOperands() > 0 &&
      llvm::all_of(op->getOperands(), [](Value operand) {
        return isa_and_nonnull<ConstantOp>(operand.getDefiningOp());
      });
  if (isExpression)
    return op->emitOpError("is a weight expression that was not evaluated")
               .attachNote()
           << "run --qopt-evaluate-weights";
  return success();
}

namespace {
struct VerifyQuantizedPass
    : qopt::impl::VerifyQuantizedPassBase<VerifyQuantizedPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      return failed(verifyQuantized(op)) ? WalkResult::interrupt()
                                         : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
