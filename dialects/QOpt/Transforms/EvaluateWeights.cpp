//===- EvaluateWeights.cpp - Weight expressions to constants --------------===//
//
// Values inside an expression live in memory from their op to their last use;
// only what the rest of the program reads enters the weight store.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Reference/Interpreter.h"
#include "llvm/ADT/SetVector.h"

#define DEBUG_TYPE "qopt-evaluate-weights"

namespace qopt {
#define GEN_PASS_DEF_EVALUATEWEIGHTSPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// Evaluates the expressions of one function in program order.
class ExpressionEvaluator {
public:
  /// Adds `op` if all of its operands are constants or expressions.
  void collect(Operation *op) {
    bool isExpression =
        isExpressionOp(op) && llvm::all_of(op->getOperands(), [&](Value operand) {
          Operation *producer = operand.getDefiningOp();
          return producer &&
                 (isa<ConstantOp>(producer) || expressions.contains(producer));
        });
    if (isExpression)
      expressions.insert(op);
  }

  LogicalResult evaluateAll() {
    for (Operation *op : expressions)
      if (failed(evaluateOne(op)))
        return failure();
    for (Operation *op : llvm::reverse(expressions))
      op->erase();
    return success();
  }

  size_t size() const { return expressions.size(); }

private:
  LogicalResult evaluateOne(Operation *op) {
    SmallVector<HostTensor> operands;
    for (Value operand : op->getOperands()) {
      auto constant = operand.getDefiningOp<ConstantOp>();
      llvm::Expected<HostTensor> tensor =
          constant ? readConstant(constant)
                   : llvm::Expected<HostTensor>(values.at(operand));
      if (!tensor)
        return op->emitOpError("cannot be evaluated: ")
               << llvm::toString(tensor.takeError());
      operands.push_back(std::move(*tensor));
    }
    llvm::Expected<SmallVector<HostTensor>> results = evaluateOp(op, operands);
    if (!results)
      return op->emitOpError("cannot be evaluated: ")
             << llvm::toString(results.takeError());
    operands.clear();
    for (Value operand : op->getOperands())
      release(operand, op);
    for (auto [result, tensor] : llvm::zip_equal(op->getResults(), *results))
      define(result, std::move(tensor));
    return success();
  }

  /// Forgets a value after its last user in program order.
  void release(Value value, Operation *user) {
    bool isLast = llvm::all_of(value.getUsers(), [&](Operation *other) {
      return other == user || other->isBeforeInBlock(user);
    });
    if (isLast)
      values.erase(value);
  }

  /// Keeps the tensor for other expressions; gives all other users a constant.
  void define(OpResult result, HostTensor tensor) {
    auto isOutside = [&](OpOperand &use) {
      return !expressions.contains(use.getOwner());
    };
    if (llvm::any_of(result.getUses(), isOutside)) {
      OpBuilder builder(result.getOwner());
      auto constant = ConstantOp::create(
          builder, result.getOwner()->getLoc(), result.getType(),
          makeConstantValue(tensor, builder.getContext()));
      result.replaceUsesWithIf(constant.getResult(), isOutside);
    }
    if (!result.use_empty())
      values.insert({result, std::move(tensor)});
  }

  llvm::SetVector<Operation *> expressions;
  llvm::DenseMap<Value, HostTensor> values;
};

struct EvaluateWeightsPass
    : qopt::impl::EvaluateWeightsPassBase<EvaluateWeightsPass> {
  void runOnOperation() override {
    ExpressionEvaluator evaluator;
    getOperation().walk([&](Operation *op) { evaluator.collect(op); });
    numEvaluated += evaluator.size();
    if (failed(evaluator.evaluateAll()))
      return signalPassFailure();
    SmallVector<ConstantOp> unused;
    getOperation().walk([&](ConstantOp constant) {
      if (constant->use_empty())
        unused.push_back(constant);
    });
    for (ConstantOp constant : unused)
      constant.erase();
  }
};
} // namespace
