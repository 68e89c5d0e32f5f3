//===- IntegerOperators.cpp - Products of codes ---------------------------===//
//
// Their sums are those of integers, exact; what rounds them to codes again is
// one factor and one zero point, `sat(rint(f32(sum) * f32(sx * sw / sy)) +
// zy)`.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Contractions.h"
#include "Operators.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static bool isByte(Type type) {
  return isa<IntegerType>(type) && type.getIntOrFloatBitWidth() == 8;
}

static LogicalResult expectBytes(NodeImporter &node, Value value) {
  return node.expectElementType(value, isByte(getElementType(value)),
                                "codes of int8 or uint8");
}

//===----------------------------------------------------------------------===//
// Zero points and scales
//===----------------------------------------------------------------------===//

/// A constant tensor of rank 1 whose elements are all alike as one of rank 0;
/// any other value as it is.
static Value collapseEqual(NodeImporter &node, Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || getRank(value) != 1)
    return value;
  auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
  if (!elements || elements.empty() || !elements.isSplat())
    return value;
  auto type = RankedTensorType::get({}, getElementType(value));
  return ConstantOp::create(
      node.getBuilder(), constant.getLoc(), type,
      DenseElementsAttr::get(type, elements.getSplatValue<APInt>()));
}

namespace {
/// Codes with their zero point.
struct Codes {
  Value tensor;
  /// Of one element, as products take it; null where there is none.
  Value zero = {};
  /// In place of that, as it stands in the model: one for each row or column.
  Value zeros = {};

  ProductOperand operand() const { return {tensor, zero}; }
};
} // namespace

/// The codes of an input with the zero point of another.
static std::optional<Codes> readCodes(NodeImporter &node, size_t input,
                                      size_t zeroInput) {
  Codes codes{node.getInput(input)};
  if (failed(expectBytes(node, codes.tensor)))
    return std::nullopt;
  Value zero = node.getInput(zeroInput);
  if (!zero)
    return codes;
  if (failed(node.expectSameElementType(codes.tensor, zero)))
    return std::nullopt;
  if (isConstantZero(zero))
    return codes;
  zero = collapseEqual(node, zero);
  RankedTensorType type = getType(zero);
  bool isOne = type.hasStaticShape() && type.getNumElements() == 1;
  (isOne ? codes.zero : codes.zeros) = zero;
  return codes;
}

/// `value`, of one element or with one for each position of `axis`, as a tensor
/// of `rank` that broadcasts. Null on failure.
static Value alongAxis(NodeImporter &node, Value value, int64_t rank,
                       int64_t axis, StringRef name) {
  RankedTensorType type = getType(value);
  if (type.getRank() == rank && rank > 1)
    return value;
  if (type.getRank() > 1 || !type.hasStaticShape()) {
    (void)node.fail(unsupported("expects " + name +
                                " of rank 0 or 1 and of "
                                "known size, but found " +
                                toString(type)));
    return {};
  }
  SmallVector<int64_t> shape(rank, 1);
  if (rank > 0)
    shape[axis] = type.getNumElements();
  if (Value constant = reshapeConstant(node.getBuilder(), value, shape))
    return constant;
  Value dims = makeIntegers(node.getBuilder(), node.getLoc(), shape);
  return node.make<ReshapeOp>(getElementType(value), {value, dims},
                              node.attr("allow_zero", false));
}

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

/// `sums` less `zeros` times what they belong to. Null on failure.
static Value subtractZeros(NodeImporter &node, Value sums, Value zeros,
                           Value others) {
  Type i32 = node.getBuilder().getI32Type();
  Value wide = zeros ? node.make<CastOp>(i32, zeros) : Value();
  if (!wide || !others || !sums ||
      failed(node.expectBroadcast({sums, wide, others})))
    return {};
  Value product = node.make<MulOp>(i32, {wide, others});
  return product ? node.make<SubOp>(i32, {sums, product}) : Value();
}

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

/// The sums of `codes` less their zeros along `axis`, which stays. Null on
/// failure.
static Value addUp(NodeImporter &node, const Codes &codes, int64_t axis) {
  Type i32 = node.getBuilder().getI32Type();
  int64_t rank = getRank(codes.tensor);
  Value values = node.make<CastOp>(i32, codes.tensor);
  if (Value zero = codes.zero ? codes.zero : codes.zeros) {
    zero = alongAxis(node, zero, rank, axis == rank - 1 ? rank - 2 : rank - 1,
                     "a zero point");
    Value wide = zero ? node.make<CastOp>(i32, zero) : Value();
    if (!wide || failed(node.expectBroadcast({values, wide})))
      return {};
    values = node.make<SubOp>(i32, {values, wide});
  }
  if (!values)
    return {};
  return node.make<ReduceOp>(
      i32, values,
      {node.attr("kind",
                 ReduceKindAttr::get(i32.getContext(), ReduceKind::Sum)),
       node.attr("axes", ArrayRef<int64_t>{axis}),
       node.attr("keepdims", true)});
}

/// The sums of a matrix product of codes. Null on failure.
static Value multiply(NodeImporter &node, size_t aInput, size_t bInput,
                      size_t aZero, size_t bZero) {
  std::optional<Codes> a = readCodes(node, aInput, aZero),
                       b = readCodes(node, bInput, bZero);
  if (!a || !b)
    return {};
  if ((a->zeros || b->zeros) &&
      (getRank(a->tensor) < 2 || getRank(b->tensor) < 2)) {
    (void)node.fail(malformed("expects one zero point for the codes of a "
                              "vector"));
    return {};
  }
  Value sums = makeMatMul(node, a->operand(), b->operand(),
                          node.getBuilder().getI32Type());
  // sum (a - za) * (b - zb) = sum a * b - zb * sum (a - za) - za * sum b, where
  // a zero of one element is within the first sum.
  int64_t rank = sums ? getRank(sums) : 0;
  if (b->zeros && sums)
    sums = subtractZeros(
        node, sums, alongAxis(node, b->zeros, rank, rank - 1, "a zero point"),
        addUp(node, *a, getRank(a->tensor) - 1));
  if (a->zeros && sums)
    sums = subtractZeros(
        node, sums, alongAxis(node, a->zeros, rank, rank - 2, "a zero point"),
        addUp(node, {b->tensor, b->zero}, getRank(b->tensor) - 2));
  return sums;
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
