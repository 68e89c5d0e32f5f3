//===- TensorQuantization.cpp - One scale for a tensor --------------------===//
//
// Our ops want scales and zeros of the codes' rank.
//
//===----------------------------------------------------------------------===//

#include "TensorQuantization.h"
#include "CodeFormat.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static LogicalResult expectOne(NodeImporter &node, Value value,
                               StringRef name) {
  RankedTensorType type = getType(value);
  if (type.getRank() <= 1 && type.hasStaticShape() &&
      type.getNumElements() == 1)
    return success();
  return node.fail(unsupported("expects " + name +
                               " of one element, but "
                               "found " +
                               toString(type)));
}

std::optional<TensorScale> qopt::importer::readTensorScale(NodeImporter &node,
                                                           Type codes,
                                                           size_t scale,
                                                           size_t zero) {
  TensorScale result{node.getInput(scale), node.getInput(zero)};
  if (!result.scale) {
    (void)node.fail(
        malformed("expects input " + Twine(scale) + ", but it is left out"));
    return std::nullopt;
  }
  if (!isByte(codes)) {
    (void)node.fail(malformed("expects codes of int8 or uint8, but found " +
                              toString(codes)));
    return std::nullopt;
  }
  if (failed(node.expectElementType(result.scale,
                                    getElementType(result.scale).isF32(),
                                    "a scale of float")) ||
      failed(expectOne(node, result.scale, "a scale")))
    return std::nullopt;
  if (result.zero && (failed(node.expectElementType(
                          result.zero, getElementType(result.zero) == codes,
                          "a zero point of the type of the "
                          "codes")) ||
                      failed(expectOne(node, result.zero, "a zero point"))))
    return std::nullopt;
  return result;
}

/// `value`, of one element, with `rank` axes of 1.
static Value withRank(NodeImporter &node, Value value, int64_t rank) {
  SmallVector<int64_t> ones(rank, 1);
  if (getRank(value) == rank)
    return value;
  if (Value constant = reshapeConstant(node.getBuilder(), value, ones))
    return constant;
  Value shape = makeIntegers(node.getBuilder(), node.getLoc(), ones);
  return node.make<ReshapeOp>(getElementType(value), {value, shape},
                              node.attr("allow_zero", false));
}

namespace {
/// The operands of an op between reals and codes.
struct Operands {
  Value scale;
  SmallVector<Value, 1> zeros;
};
} // namespace

static std::optional<Operands>
makeOperands(NodeImporter &node, const TensorScale &by, int64_t rank) {
  Operands operands;
  operands.scale = withRank(node, by.scale, rank);
  if (by.zero && !isConstantZero(by.zero))
    operands.zeros.push_back(withRank(node, by.zero, rank));
  if (node.getFailure())
    return std::nullopt;
  return operands;
}

static FormatAttr getFormat(Type codes, const TensorScale &by) {
  return getCodeFormat(codes, getElementType(by.scale), Type(), /*axis=*/-1,
                       /*block=*/0);
}

Value qopt::importer::quantize(NodeImporter &node, Value x,
                               const TensorScale &by, Type codes) {
  if (!x)
    return {};
  auto operands = makeOperands(node, by, getRank(x));
  if (!operands)
    return {};
  OpBuilder &builder = node.getBuilder();
  auto op =
      QuantizeOp::create(builder, node.getLoc(),
                         RankedTensorType::get(getType(x).getShape(), codes), x,
                         operands->scale, operands->zeros, getFormat(codes, by),
                         builder.getUnitAttr(), builder.getBoolAttr(true));
  return succeeded(node.finish(op)) ? op.getResult() : Value();
}

Value qopt::importer::dequantize(NodeImporter &node, Value codes,
                                 const TensorScale &by) {
  if (!codes)
    return {};
  auto operands = makeOperands(node, by, getRank(codes));
  if (!operands)
    return {};
  OpBuilder &builder = node.getBuilder();
  auto op = DequantizeOp::create(
      builder, node.getLoc(),
      RankedTensorType::get(getType(codes).getShape(), builder.getF32Type()),
      codes, operands->scale, operands->zeros,
      getFormat(getElementType(codes), by));
  return succeeded(node.finish(op)) ? op.getResult() : Value();
}
