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

bool qopt::isContractionOfCodes(Operation *op) {
  auto contraction = dyn_cast<ContractionOpInterface>(op);
  return contraction && contraction.takesCodes();
}

std::optional<Contraction> qopt::getWeightedContraction(Operation *op) {
  if (!isContractionOfCodes(op))
    return std::nullopt;
  Contraction sum = cast<ContractionOpInterface>(op).getContraction();
  if (!sum.lhs.getType().getElementType().isF32() || sum.hasScales() ||
      !isWeightExpression(sum.rhs.tensor))
    return std::nullopt;
  // The weight of a convolution has its own dims, whatever the image is.
  if (!sum.isConvolution &&
      (sum.rhs.getType().getRank() != 2 || isWeightExpression(sum.lhs.tensor)))
    return std::nullopt;
  return sum;
}
