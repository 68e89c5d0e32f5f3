//===- WeightExpressions.cpp - Values that only constants decide ----------===//
//
// Expressions are graphs of any depth, in which a value may have many users.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Reference/EvaluationLimit.h"
#include "qopt/Reference/Interpreter.h"

using namespace mlir;
using namespace qopt;

/// Ops that one question looks at. Passes ask for every op of a program, and
/// the way to its inputs is as long as the program.
static constexpr size_t kMaxOps = 512;

bool qopt::isWeightExpression(Value value) {
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      return false;
    if (isa<ConstantOp>(op) || !seen.insert(op).second)
      continue;
    if (op->getNumOperands() == 0 || !isPure(op) || op->getNumRegions() != 0 ||
        seen.size() > kMaxOps)
      return false;
    llvm::append_range(pending, op->getOperands());
  }
  return true;
}

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

bool qopt::isInCodesOf(Value value, FormatAttr format) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return dequantize && format && dequantize.getFormatAttr() == format;
}

static bool isFloat32(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType().isF32();
}

std::optional<WeightedContraction> qopt::getWeightedContraction(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op)) {
    if (!isFloat32(conv.getX()) || !isWeightExpression(conv.getW()) ||
        !conv.getXScales().empty() || !conv.getWScales().empty())
      return std::nullopt;
    int64_t channels =
        cast<RankedTensorType>(conv.getX().getType()).getDimSize(1);
    int64_t group = conv.getGroup();
    return WeightedContraction{
        &conv.getXMutable(),           &conv.getWMutable(), 0, 1, 1, true,
        group > 1 && group == channels};
  }
  auto matmul = dyn_cast<MatMulOp>(op);
  if (!matmul || !isFloat32(matmul.getLhs()) ||
      !isWeightExpression(matmul.getRhs()) ||
      isWeightExpression(matmul.getLhs()) || !matmul.getLhsScales().empty() ||
      !matmul.getRhsScales().empty() ||
      cast<RankedTensorType>(matmul.getRhs().getType()).getRank() != 2)
    return std::nullopt;
  int64_t lastAxis =
      cast<RankedTensorType>(matmul.getLhs().getType()).getRank() - 1;
  return WeightedContraction{&matmul.getLhsMutable(),
                             &matmul.getRhsMutable(),
                             1,
                             0,
                             lastAxis,
                             false,
                             false};
}
