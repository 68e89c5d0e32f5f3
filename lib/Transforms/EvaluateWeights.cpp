//===- EvaluateWeights.cpp - Weight expressions to constants --------------===//
//
// Values inside an expression live in memory from their op to their last use;
// only what the rest of the program reads enters the weight store. Both
// together are limited by the size of the constants that the program came with.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Reference/EvaluationLimit.h"
#include "qopt/Reference/Interpreter.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

#define DEBUG_TYPE "qopt-evaluate-weights"

namespace qopt {
#define GEN_PASS_DEF_EVALUATEWEIGHTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// Evaluates the expressions of one function in program order.
class ExpressionEvaluator {
public:
  explicit ExpressionEvaluator(bool decodes) : decodes(decodes) {}

  /// Adds `op` if all of its operands are constants or expressions.
  void collect(Operation *op) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      bytesOfConstants += getSizeInBytes(constant);
    bool isExpression =
        (isExpressionOp(op) || (decodes && isa<DequantizeOp>(op))) &&
        llvm::all_of(op->getOperands(), [&](Value operand) {
          Operation *producer = operand.getDefiningOp();
          return producer &&
                 (isa<ConstantOp>(producer) || expressions.contains(producer));
        });
    if (isExpression)
      expressions.insert(op);
  }

  LogicalResult evaluateAll() {
    bytesLeft = getEvaluationLimit(bytesOfConstants);
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
                   : llvm::Expected<HostTensor>(values.at(operand).tensor);
      if (!tensor)
        return op->emitOpError("cannot be evaluated: ")
               << llvm::toString(tensor.takeError());
      operands.push_back(std::move(*tensor));
    }
    llvm::Expected<SmallVector<HostTensor>> results =
        evaluateOp(op, operands, bytesLeft);
    if (!results)
      return op->emitOpError("cannot be evaluated: ")
             << llvm::toString(results.takeError());
    operands.clear();
    for (Value operand : op->getOperands())
      release(operand);
    for (auto [result, tensor] : llvm::zip_equal(op->getResults(), *results))
      define(result, std::move(tensor));
    return success();
  }

  /// Forgets a value after its last reader.
  void release(Value value) {
    auto it = values.find(value);
    if (it == values.end() || --it->second.readersLeft != 0)
      return;
    bytesLeft += it->second.tensor.getSizeInBytes();
    values.erase(it);
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
      takeBytes(tensor);
    }
    if (result.use_empty())
      return;
    takeBytes(tensor);
    unsigned readers = std::distance(result.use_begin(), result.use_end());
    values.try_emplace(result, LiveValue{std::move(tensor), readers});
  }

  void takeBytes(const HostTensor &tensor) {
    bytesLeft -= std::min<uint64_t>(bytesLeft, tensor.getSizeInBytes());
  }

  /// True where the dequantize of a weight is an expression.
  bool decodes;
  llvm::SetVector<Operation *> expressions;
  struct LiveValue {
    HostTensor tensor;
    /// Uses by expressions that were not evaluated yet.
    unsigned readersLeft;
  };
  llvm::DenseMap<Value, LiveValue> values;
  uint64_t bytesOfConstants = 0;
  /// What values may still take.
  uint64_t bytesLeft = 0;
};

struct EvaluateWeightsPass
    : qopt::impl::EvaluateWeightsPassBase<EvaluateWeightsPass> {
  using EvaluateWeightsPassBase::EvaluateWeightsPassBase;

  void runOnOperation() override {
    ExpressionEvaluator evaluator(decodes);
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
