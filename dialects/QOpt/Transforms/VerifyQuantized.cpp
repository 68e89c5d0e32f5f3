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

static bool isDequantized(Value value) {
  return isa_and_nonnull<DequantizeOp>(value.getDefiningOp());
}

/// True for a float contraction that codes could do. Batches of matrices are
/// those of attention, whose products stay float.
static bool hidesCodes(Operation *op) {
  if (auto matmul = dyn_cast<MatMulOp>(op))
    return isDequantized(matmul.getLhs()) && isDequantized(matmul.getRhs()) &&
           cast<RankedTensorType>(matmul.getRhs().getType()).getRank() <= 2;
  auto conv = dyn_cast<ConvOp>(op);
  return conv && isDequantized(conv.getX()) && isDequantized(conv.getW());
}

static LogicalResult verifyQuantized(Operation *op) {
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()))
    return success();
  if (isa<GemmOp, ObserveOp>(op))
    return op->emitOpError("is left after quantize");
  if (hidesCodes(op))
    return op->emitOpError("is a float contraction of two dequantized operands");
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
