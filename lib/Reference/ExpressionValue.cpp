//===- ExpressionValue.cpp - The value of a weight expression -------------===//
//
// Expressions are graphs of any depth, in which a value may have many users.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Reference/EvaluationLimit.h"
#include "qopt/Reference/Interpreter.h"

using namespace mlir;
using namespace qopt;

namespace {
/// Evaluates the ops behind one value, each once and without recursion: a file
/// decides how deep an expression is and how often it uses a value.
class ExpressionEvaluation {
public:
  std::optional<HostTensor> run(Value value);

private:
  SmallVector<Operation *> sortOps(Operation *last);
  bool evaluateOne(Operation *op);

  llvm::DenseMap<Value, HostTensor> values;
  /// What values that are no constants may still take in memory.
  uint64_t bytesLeft = 0;
  /// Ops of the expression that have yet to read a value.
  llvm::DenseMap<Value, unsigned> readersLeft;
};
} // namespace

/// The ops behind `last` and `last` itself, each after those it reads.
SmallVector<Operation *> ExpressionEvaluation::sortOps(Operation *last) {
  struct Visit {
    Operation *op;
    unsigned nextOperand;
  };
  SmallVector<Operation *> sorted;
  llvm::SmallPtrSet<Operation *, 16> seen{last};
  SmallVector<Visit> path{{last, 0}};
  while (!path.empty()) {
    Visit &visit = path.back();
    if (visit.nextOperand == visit.op->getNumOperands()) {
      sorted.push_back(visit.op);
      path.pop_back();
      continue;
    }
    Value operand = visit.op->getOperand(visit.nextOperand++);
    ++readersLeft[operand];
    if (seen.insert(operand.getDefiningOp()).second)
      path.push_back({operand.getDefiningOp(), 0});
  }
  return sorted;
}

bool ExpressionEvaluation::evaluateOne(Operation *op) {
  SmallVector<HostTensor> operands;
  for (Value operand : op->getOperands())
    operands.push_back(values.at(operand));
  llvm::Expected<SmallVector<HostTensor>> results =
      evaluateOp(op, operands, bytesLeft);
  if (!results) {
    llvm::consumeError(results.takeError());
    return false;
  }
  operands.clear();
  for (Value operand : op->getOperands())
    if (--readersLeft[operand] == 0) {
      if (!operand.getDefiningOp<ConstantOp>())
        bytesLeft += values.at(operand).getSizeInBytes();
      values.erase(operand);
    }
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), *results)) {
    if (!isa<ConstantOp>(op))
      bytesLeft -= tensor.getSizeInBytes();
    values.try_emplace(result, std::move(tensor));
  }
  return true;
}

std::optional<HostTensor> ExpressionEvaluation::run(Value value) {
  SmallVector<Operation *> ops = sortOps(value.getDefiningOp());
  uint64_t bytesOfConstants = 0;
  for (Operation *op : ops)
    if (auto constant = dyn_cast<ConstantOp>(op))
      bytesOfConstants += getSizeInBytes(constant);
  bytesLeft = getEvaluationLimit(bytesOfConstants);
  for (Operation *op : ops)
    if (!evaluateOne(op))
      return std::nullopt;
  return values.at(value);
}

std::optional<HostTensor> qopt::evaluateExpression(Value value) {
  return ExpressionEvaluation().run(value);
}
