//===- Constants.cpp - Constants as passes see them -----------------------===//
//
// Scalars stand in either form of a constant's value, attribute or weight.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <cstring>

using namespace mlir;
using namespace qopt;

std::optional<float> qopt::getScalarConstant(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto type = cast<RankedTensorType>(value.getType());
  if (!constant || !type.getElementType().isF32() || !type.hasStaticShape() ||
      type.getNumElements() != 1)
    return std::nullopt;
  if (auto elements = dyn_cast<DenseFPElementsAttr>(constant.getValue()))
    return (*elements.value_begin<APFloat>()).convertToFloat();
  auto weight = dyn_cast<WeightAttr>(constant.getValue());
  float result;
  if (!weight || weight.getBlob()->bytes.size() != sizeof(result))
    return std::nullopt;
  std::memcpy(&result, weight.getBlob()->bytes.data(), sizeof(result));
  return result;
}

/// True for a dequantize of a weight. One of i32 is a bias, which no format is
/// kept for.
static bool isOfCodes(Operation *op) {
  auto dequantize = dyn_cast<DequantizeOp>(op);
  return dequantize && !cast<RankedTensorType>(dequantize.getCodes().getType())
                            .getElementType()
                            .isSignlessInteger(32);
}

/// True for what an op makes of constants: one has all of its dims.
static bool hasAllDims(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return !tensor || tensor.hasStaticShape();
}

bool qopt::isExpressionOp(Operation *op) {
  return isa_and_nonnull<QOptDialect>(op->getDialect()) && isPure(op) &&
         op->getNumRegions() == 0 && !isa<ConstantOp>(op) && !isOfCodes(op) &&
         llvm::all_of(op->getResultTypes(), hasAllDims);
}

bool qopt::isConstantExpression(Value value) {
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      return false;
    if (isa<ConstantOp>(op) || !seen.insert(op).second)
      continue;
    if (!isExpressionOp(op))
      return false;
    llvm::append_range(pending, op->getOperands());
  }
  return true;
}

Value qopt::makeScalar(OpBuilder &builder, Location loc, float value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return ConstantOp::create(builder, loc, type,
                            DenseElementsAttr::get(type, value));
}

Value qopt::makeIntegers(OpBuilder &builder, Location loc,
                         ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    builder.getI64Type());
  return ConstantOp::create(builder, loc, type,
                            DenseElementsAttr::get(type, values));
}
