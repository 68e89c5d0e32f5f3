//===- IntegerOperators.cpp - Products of codes ---------------------------===//
//
// Their sums are those of integers, exact; what rounds them to codes again is
// one factor and one zero point, `sat(rint(f32(sum) * f32(sx * sw / sy)) +
// zy)`.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Contractions.h"
#include "IntegerProducts.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// Where the parameters of an operator on codes stand among its inputs, and the
/// axes of the result that those of each side belong to.
struct Parameters {
  size_t xScale, wScale, yScale, yZero;
  int64_t xAxis, wAxis;
};
} // namespace

static LogicalResult expectScale(NodeImporter &node, size_t input) {
  Type type = getElementType(node.getInput(input));
  return node.expectElementType(node.getInput(input),
                                type.isF32() || type.isF16() || type.isBF16(),
                                "a scale of float, float16 or bfloat16");
}

/// Makes the first output the codes of `sums`.
static LogicalResult requantize(NodeImporter &node, Value sums,
                                const Parameters &parameters) {
  for (size_t scale : {parameters.xScale, parameters.wScale, parameters.yScale})
    if (failed(expectScale(node, scale)))
      return failure();
  Value zero = node.getInput(parameters.yZero);
  if (failed(expectBytes(node, zero)))
    return failure();
  int64_t rank = getRank(sums);
  Type f32 = node.getBuilder().getF32Type(), codes = getElementType(zero);
  auto read = [&](size_t input, int64_t axis, StringRef name) {
    Value value = node.getInput(input);
    if (isa<FloatType>(getElementType(value)))
      value = Composer(node).cast(value, f32);
    return value ? alongAxis(node, value, rank, axis, name) : Value();
  };
  Value x = read(parameters.xScale, parameters.xAxis, "a scale");
  Value w = read(parameters.wScale, parameters.wAxis, "a scale");
  Value y = read(parameters.yScale, parameters.wAxis, "a scale");
  zero = read(parameters.yZero, parameters.wAxis, "a zero point");
  if (!x || !w || !y || !zero)
    return failure();
  Value product = node.make<MulOp>(f32, {x, w});
  Value factor = product ? node.make<DivOp>(f32, {product, y}) : Value();
  if (!factor)
    return failure();
  bool isUnsigned = codes.isUnsignedInteger();
  return node.makeOutput<RequantizeOp>(
      codes, {sums, factor, zero},
      {node.attr("min", int64_t(isUnsigned ? 0 : -128)),
       node.attr("max", int64_t(isUnsigned ? 255 : 127))});
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// The sums of a convolution of codes. Null on failure.
static Value convolve(NodeImporter &node, size_t xInput, size_t wInput,
                      size_t xZero, size_t wZero) {
  std::optional<Codes> x = readCodes(node, xInput, xZero),
                       w = readCodes(node, wInput, wZero);
  if (!x || !w)
    return {};
  if (x->zeros || (w->zeros && node.getInt("group", 1) != 1)) {
    (void)node.fail(unsupported(
        "expects one zero point for each tensor, or for each output channel "
        "of a convolution with one group",
        "quantize the weights symmetrically"));
    return {};
  }
  OpBuilder &builder = node.getBuilder();
  Type i32 = builder.getI32Type();
  Value sums = makeConv(node, x->operand(), w->operand(), {}, i32);
  if (!w->zeros || !sums)
    return sums;
  // What the zeros of the weights are added up to is a sum over each window.
  RankedTensorType weights = getType(w->tensor);
  SmallVector<int64_t> shape(weights.getShape());
  shape[0] = 1;
  if (shape[1] == ShapedType::kDynamic) {
    (void)node.fail(unsupported("weights with a zero point for each channel "
                                "and an unknown number of channels are not "
                                "supported"));
    return {};
  }
  auto type = RankedTensorType::get(shape, builder.getIntegerType(8));
  Value ones = ConstantOp::create(
      builder, node.getLoc(), type,
      DenseElementsAttr::get(type, builder.getI8IntegerAttr(1)));
  Value windows = makeConv(node, x->operand(), {ones, {}}, {}, i32);
  return subtractZeros(
      node, sums, alongAxis(node, w->zeros, getRank(sums), 1, "a zero point"),
      windows);
}

static LogicalResult importConvInteger(NodeImporter &node) {
  return node.setOutput(0, convolve(node, 0, 1, 2, 3));
}

static LogicalResult importQLinearConv(NodeImporter &node) {
  Value sums = convolve(node, 0, 3, 2, 5);
  if (!sums)
    return failure();
  if (Value bias = node.getInput(8)) {
    Type i32 = node.getBuilder().getI32Type();
    if (failed(node.expectElementType(bias, getElementType(bias) == i32,
                                      "a bias of int32")))
      return failure();
    bias = alongAxis(node, bias, getRank(sums), 1, "a bias");
    if (!bias || failed(node.expectBroadcast({sums, bias})))
      return failure();
    sums = node.make<AddOp>(i32, {sums, bias});
  }
  if (!sums)
    return failure();
  return requantize(node, sums, {1, 4, 6, 7, /*xAxis=*/1, /*wAxis=*/1});
}

/// The sums of a matrix product of codes. Null on failure.
static Value multiply(NodeImporter &node, size_t a, size_t b, size_t aZero,
                      size_t bZero) {
  std::optional<Codes> lhs = readCodes(node, a, aZero),
                       rhs = readCodes(node, b, bZero);
  return lhs && rhs ? multiplyCodes(node, *lhs, *rhs) : Value();
}

static LogicalResult importMatMulInteger(NodeImporter &node) {
  return node.setOutput(0, multiply(node, 0, 1, 2, 3));
}

static LogicalResult importQLinearMatMul(NodeImporter &node) {
  Value sums = multiply(node, 0, 3, 2, 5);
  if (!sums)
    return failure();
  int64_t rank = getRank(sums);
  return requantize(node, sums,
                    {1, 4, 6, 7, std::max<int64_t>(rank - 2, 0),
                     std::max<int64_t>(rank - 1, 0)});
}

ArrayRef<Operator> qopt::importer::getIntegerOperators() {
  static constexpr Operator rows[] = {
      {"ConvInteger", 10, 2, 4, importConvInteger,
       "1 or 2 spatial axes; a zero point for each channel with one group"},
      {"MatMulInteger", 10, 2, 4, importMatMulInteger, ""},
      {"QLinearConv", 10, 8, 9, importQLinearConv,
       "1 or 2 spatial axes; a zero point for each channel with one group"},
      {"QLinearMatMul", 10, 8, 8, importQLinearMatMul,
       "int8 and uint8; scales of float"},
  };
  return rows;
}
