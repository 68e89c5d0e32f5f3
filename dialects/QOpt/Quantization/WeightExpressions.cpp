//===- WeightExpressions.cpp - Values that only constants decide ----------===//
//
// Expressions are graphs of any depth, in which a value may have many users.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

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
