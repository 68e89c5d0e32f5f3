//===- QOptQuantizationOps.cpp - Codes, scales, constants -----------------===//
//
// Generated definitions and the numbered constraints of their descriptions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"

using namespace mlir;
using namespace qopt;

static bool broadcastsTo(RankedTensorType from, RankedTensorType to) {
  if (from.getRank() != to.getRank())
    return false;
  for (auto [size, dim] : llvm::zip_equal(from.getShape(), to.getShape()))
    if (size != 1 && size != dim && !ShapedType::isDynamic(size) &&
        !ShapedType::isDynamic(dim))
      return false;
  return true;
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  // constant_c3
  if (!type.hasStaticShape())
    return emitOpError("expects static dims, but found ") << type;
  if (auto elements = dyn_cast<ElementsAttr>(getValue())) {
    // constant_c2
    if (elements.getShapedType() != type)
      return emitOpError("expects elements of type ")
             << type << ", but found " << elements.getShapedType();
    return success();
  }
  auto weight = dyn_cast<WeightAttr>(getValue());
  // constant_c4
  if (!weight)
    return emitOpError("expects a weight or an elements attribute");
  // constant_c1
  uint64_t bits = static_cast<uint64_t>(type.getNumElements()) *
                  getPackedBitWidth(type.getElementType());
  uint64_t bytes = (bits + 7) / 8;
  if (weight.getBlob()->bytes.size() != bytes)
    return emitOpError("expects a weight of ")
           << bytes << " bytes, but found " << weight.getBlob()->bytes.size();
  return success();
}

/// Checks that scales and zeros have the rank of the codes.
static LogicalResult verifyRanks(Operation *op, Type codes, ValueRange others) {
  // quantize_c2, dequantize_c2, quantize_dynamic_c4
  int64_t rank = cast<RankedTensorType>(codes).getRank();
  for (Value other : others)
    if (cast<RankedTensorType>(other.getType()).getRank() != rank)
      return op->emitOpError("expects scales and zeros of rank ")
             << rank << ", but found " << other.getType();
  return success();
}

LogicalResult QuantizeOp::verify() {
  // quantize_c1
  if (getScales().empty())
    return emitOpError("expects one scale or more");
  if (failed(verifyRanks(*this, getResult().getType(), getScales())))
    return failure();
  return verifyRanks(*this, getResult().getType(), getZeros());
}

LogicalResult DequantizeOp::verify() {
  // dequantize_c1
  if (getScales().empty())
    return emitOpError("expects one scale or more");
  if (failed(verifyRanks(*this, getResult().getType(), getScales())))
    return failure();
  return verifyRanks(*this, getResult().getType(), getZeros());
}

LogicalResult QuantizeDynamicOp::verify() {
  // quantize_dynamic_c2
  size_t expected = getFormat().getScaleTypes().size();
  if (getScales().size() != expected)
    return emitOpError("expects ")
           << expected << " scales, but found " << getScales().size();
  // quantize_dynamic_c1
  int64_t axis = getFormat().getAxis(),
          rank = cast<RankedTensorType>(getX().getType()).getRank();
  if (getFormat().isBlocked() && expected > 1 &&
      (getPer() == Per::Row ? axis != rank - 1 : axis == 0))
    return emitOpError("expects blocks inside of a ")
           << stringifyPer(getPer()) << ", but found them along axis " << axis
           << " of " << getX().getType();
  return verifyRanks(*this, getCodes().getType(), getScales());
}

/// The bounds of an integer type of 32 bits or fewer.
static std::pair<int64_t, int64_t> getBounds(IntegerType type) {
  unsigned width = type.getWidth();
  if (type.isUnsigned())
    return {0, static_cast<int64_t>(llvm::maxUIntN(width))};
  return {llvm::minIntN(width), llvm::maxIntN(width)};
}

static LogicalResult verifyRequantization(Operation *op,
                                          RankedTensorType result,
                                          ValueRange perChannel, int64_t min,
                                          int64_t max) {
  // requantize_c1, shift_c1, divide_round_c1
  for (Value operand : perChannel)
    if (!broadcastsTo(cast<RankedTensorType>(operand.getType()), result))
      return op->emitOpError("expects an operand that broadcasts to ")
             << result << ", but found " << operand.getType();
  // requantize_c3, shift_c3, divide_round_c4
  auto type = dyn_cast<IntegerType>(result.getElementType());
  if (!type || type.getWidth() > 32)
    return op->emitOpError("expects integer codes of 32 bits or fewer, but "
                           "found ")
           << result;
  // requantize_c2, shift_c2, divide_round_c2
  auto [lowest, highest] = getBounds(type);
  if (min < lowest || max > highest || min > max)
    return op->emitOpError("expects a range inside [")
           << lowest << ", " << highest << "], but found [" << min << ", "
           << max << "]";
  return success();
}

LogicalResult RequantizeOp::verify() {
  return verifyRequantization(*this,
                              cast<RankedTensorType>(getResult().getType()),
                              {getMultiplier(), getZero()}, getMin(), getMax());
}

LogicalResult ShiftOp::verify() {
  SmallVector<Value> perChannel{getAmount()};
  if (getZero())
    perChannel.push_back(getZero());
  return verifyRequantization(*this,
                              cast<RankedTensorType>(getResult().getType()),
                              perChannel, getMin(), getMax());
}

LogicalResult DivideRoundOp::verify() {
  // divide_round_c3
  if (getDivisor() < 1 || getDivisor() > std::numeric_limits<int32_t>::max())
    return emitOpError("expects a positive divisor of 32 bits, but found ")
           << getDivisor();
  return verifyRequantization(*this,
                              cast<RankedTensorType>(getResult().getType()),
                              {getZero()}, getMin(), getMax());
}

LogicalResult LookupOp::verify() {
  auto table = cast<RankedTensorType>(getTable().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  // lookup_c1
  if (table.getShape() != ArrayRef<int64_t>{256} ||
      table.getElementType() != result.getElementType())
    return emitOpError("expects a table of 256 ")
           << result.getElementType() << ", but found " << table;
  return success();
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptQuantizationOps.cpp.inc"

void QOptDialect::registerQuantizationOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptQuantizationOps.cpp.inc"
      >();
}
