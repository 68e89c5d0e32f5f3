//===- WeightExpressions.cpp - Values that only constants decide ----------===//
//
// Expressions are short chains, so the walk needs no memory of its answers.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Reference/Interpreter.h"

using namespace mlir;
using namespace qopt;

bool qopt::isWeightExpression(Value value) {
  SmallVector<Value> pending{value};
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      return false;
    if (isa<ConstantOp>(op))
      continue;
    if (op->getNumOperands() == 0 || !isPure(op) || op->getNumRegions() != 0)
      return false;
    llvm::append_range(pending, op->getOperands());
  }
  return true;
}

std::optional<HostTensor> qopt::evaluateExpression(Value value) {
  Operation *op = value.getDefiningOp();
  SmallVector<HostTensor> operands;
  for (Value operand : op->getOperands()) {
    std::optional<HostTensor> tensor = evaluateExpression(operand);
    if (!tensor)
      return std::nullopt;
    operands.push_back(*tensor);
  }
  llvm::Expected<SmallVector<HostTensor>> results = evaluateOp(op, operands);
  if (!results) {
    llvm::consumeError(results.takeError());
    return std::nullopt;
  }
  return (*results)[cast<OpResult>(value).getResultNumber()];
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
