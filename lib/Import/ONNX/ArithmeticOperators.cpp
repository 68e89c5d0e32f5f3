//===- ArithmeticOperators.cpp - Arithmetic of several ops ----------------===//
//
// Where a formula would lose small numbers, another one stands: log(1 + u) by
// what 1 + u was rounded to, sinh by tanh, arcs by the arc tangent.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

//===----------------------------------------------------------------------===//
// Truth values
//===----------------------------------------------------------------------===//

/// Codes of narrow floats are compared as what they stand for.
static Value widen(Composer &c, Value x) {
  Type type = getElementType(x);
  bool isNarrow = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 16;
  return isNarrow ? c.cast(x, c.getNode().getBuilder().getF32Type()) : x;
}

static LogicalResult importIsNaN(NodeImporter &node) {
  Composer c(node);
  if (failed(node.expectFloat(node.getInput(0))))
    return failure();
  Value x = widen(c, node.getInput(0));
  return node.setOutput(0, c.negate(c.test<EqualOp>(x, x)));
}

static LogicalResult importIsInf(NodeImporter &node) {
  Composer c(node);
  bool positive = node.getInt("detect_positive", 1) != 0;
  bool negative = node.getInt("detect_negative", 1) != 0;
  if (failed(node.expectFloat(node.getInput(0))))
    return failure();
  Value x = widen(c, node.getInput(0));
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (positive && negative)
    x = c.of<AbsOp>(x);
  else if (negative)
    x = c.of<NegOp>(x);
  if (!positive && !negative)
    return node.setOutput(0, c.test<LessOp>(x, x));
  return node.setOutput(0, c.test<EqualOp>(x, inf));
}

static LogicalResult importBitwiseNot(NodeImporter &node) {
  Value x = node.getInput(0);
  Type type = getElementType(x);
  if (failed(node.expectElementType(
          x, isa<IntegerType>(type) && !type.isInteger(1),
          "a tensor of integers")))
    return failure();
  return node.setOutput(0, Composer(node).of<XorOp>(x, -1.0));
}

/// By a product or a quotient with a power of two from a table; what is shifted
/// by the width or more, or by less than 0, is shifted away.
static LogicalResult importBitShift(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), by = node.getInput(1);
  std::string direction = node.getString("direction", "");
  auto type = dyn_cast<IntegerType>(getElementType(x));
  if (direction != "LEFT" && direction != "RIGHT")
    return node.fail(
        malformed("attribute \"direction\" has no value " + quote(direction)));
  if (!type || type.getWidth() < 8)
    return node.fail(malformed("expects a tensor of integers, but found " +
                               toString(x.getType())));
  if (failed(node.expectSameElementType(x, by)) ||
      failed(node.expectBroadcast({x, by})))
    return failure();
  int64_t width = type.getWidth();
  bool isSigned = !type.isUnsigned();
  OpBuilder &builder = node.getBuilder();
  SmallVector<APInt> powers;
  for (int64_t bit = 0; bit < width; ++bit)
    powers.push_back(APInt::getOneBitSet(width, bit));
  auto listType = RankedTensorType::get(width, type);
  Value table = ConstantOp::create(builder, node.getLoc(), listType,
                                   DenseElementsAttr::get(listType, powers));
  Value isInside = c.test<LessOp>(by, static_cast<double>(width));
  if (isSigned)
    isInside = c.of<AndOp>(isInside, c.test<GreaterOrEqualOp>(by, 0.0));
  Value steps = c.cast(c.where(isInside, by, 0), builder.getI64Type());
  Value power = c.gather(table, steps, 0);
  if (direction == "LEFT")
    return node.setOutput(0, c.where(isInside, c.mul(x, power), 0));
  if (!isSigned)
    return node.setOutput(0, c.where(isInside, c.div(x, power), 0));
  // The sign is copied: down to the next multiple. The highest bit alone is a
  // negative number, and leaves the sign.
  Value sign = c.where(c.test<LessOp>(x, 0.0), c.number(-1, x), c.number(0, x));
  Value isWhole = c.of<AndOp>(isInside, c.test<GreaterOp>(power, 0.0));
  Value divisor = c.where(isWhole, power, 1);
  Value floor = c.div(c.sub(x, c.of<ModOp>(x, divisor)), divisor);
  return node.setOutput(0, c.where(isWhole, floor, sign));
}

//===----------------------------------------------------------------------===//
// Sums and signs
//===----------------------------------------------------------------------===//

static LogicalResult importMean(NodeImporter &node) {
  Composer c(node);
  Value sum = node.getInput(0);
  if (failed(node.expectFloat(sum)))
    return failure();
  for (Value next : node.getInputs().drop_front()) {
    if (failed(node.expectSameElementType(sum, next)) ||
        failed(node.expectBroadcast({sum, next})))
      return failure();
    sum = c.add(sum, next);
  }
  return node.setOutput(0,
                        c.div(sum, static_cast<double>(node.getNumInputs())));
}

static LogicalResult importSign(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  if (failed(node.expectElementType(x, !getElementType(x).isInteger(1),
                                    "a tensor of numbers")))
    return failure();
  Type type = getElementType(x);
  Value isAbove = c.cast(c.test<GreaterOp>(x, 0.0), type);
  if (type.isUnsignedInteger())
    return node.setOutput(0, isAbove);
  return node.setOutput(0,
                        c.sub(isAbove, c.cast(c.test<LessOp>(x, 0.0), type)));
}

static LogicalResult importSize(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  auto scalar = [&](Value list) {
    return c.make<ReshapeOp>({list, c.integers({})},
                             node.attr("allow_zero", false));
  };
  return node.setOutput(0, scalar(c.productOf(c.shapeOf(x))));
}

//===----------------------------------------------------------------------===//
// Functions of angles
//===----------------------------------------------------------------------===//

/// Checks for floats. Those of 16 bits are computed in f32 and rounded once.
template <Value (*compute)(Composer &c, Value x)>
static LogicalResult importFunction(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)))
    return failure();
  Type type = getElementType(x), f32 = node.getBuilder().getF32Type();
  Value wide = type.isF64() ? x : c.cast(x, f32);
  return node.setOutput(0, c.cast(compute(c, wide), type));
}

/// log(1 + u): the rounding of 1 + u is divided away.
static Value logOnePlus(Composer &c, Value u) {
  Value sum = c.add(u, 1);
  Value exact = c.div(c.mul(u, c.of<LogOp>(sum)), c.sub(sum, 1));
  Value plain = c.where(c.test<EqualOp>(sum, 1.0), u, exact);
  // An infinite sum has no rounding.
  constexpr double inf = std::numeric_limits<double>::infinity();
  return c.where(c.test<EqualOp>(sum, inf), sum, plain);
}

static Value withSign(Composer &c, Value magnitude, Value x) {
  return c.where(c.test<LessOp>(x, 0.0), c.of<NegOp>(magnitude), magnitude);
}

static Value computeTan(Composer &c, Value x) {
  return c.div(c.of<SinOp>(x), c.of<CosOp>(x));
}

/// (exp(x) + exp(-x)) / 2, where neither overflows before its half does.
static Value computeCosh(Composer &c, Value x) {
  Value half = c.of<ExpOp>(c.mul(c.of<AbsOp>(x), 0.5));
  Value small = c.div(0.5, half);
  return c.add(c.mul(c.mul(half, 0.5), half), c.div(small, half));
}

static Value computeSinh(Composer &c, Value x) {
  return c.mul(c.of<TanhOp>(x), computeCosh(c, x));
}

static Value computeAsinh(Composer &c, Value x) {
  Value a = c.of<AbsOp>(x);
  Value root = c.of<SqrtOp>(c.add(c.mul(a, a), 1));
  Value u = c.add(a, c.div(c.mul(a, a), c.add(root, 1)));
  // Of large numbers the square is infinite: log(2 a).
  Value large = c.add(c.of<LogOp>(a), 0.6931471805599453);
  Value isLarge = c.test<GreaterOp>(a, 1e18);
  return withSign(c, c.where(isLarge, large, logOnePlus(c, u)), x);
}

static Value computeAcosh(Composer &c, Value x) {
  Value d = c.sub(x, 1);
  Value root = c.of<SqrtOp>(c.mul(d, c.add(x, 1)));
  Value large = c.add(c.of<LogOp>(x), 0.6931471805599453);
  return c.where(c.test<GreaterOp>(x, 1e18), large,
                 logOnePlus(c, c.add(d, root)));
}

static Value computeAtanh(Composer &c, Value x) {
  Value a = c.of<AbsOp>(x);
  Value u = c.div(c.add(a, a), c.sub(1, a));
  return withSign(c, c.mul(logOnePlus(c, u), 0.5), x);
}

/// The arc tangent of 0 ... 1 is a polynomial behind two halvings of the
/// angle: atan(x) = 2 atan(x / (1 + sqrt(1 + x^2))).
static Value computeAtan(Composer &c, Value x) {
  Value a = c.of<AbsOp>(x);
  Value isAbove = c.test<GreaterOp>(a, 1.0);
  Value inside = c.where(isAbove, c.div(1, a), a);
  auto halve = [&](Value t) {
    return c.div(t, c.add(c.of<SqrtOp>(c.add(c.mul(t, t), 1)), 1));
  };
  Value t = halve(halve(inside)), square = c.mul(t, t);
  Value sum = c.number(-1.0 / 11, t);
  for (double term : {1.0 / 9, -1.0 / 7, 1.0 / 5, -1.0 / 3, 1.0})
    sum = c.add(c.mul(sum, square), term);
  Value angle = c.mul(c.mul(t, sum), 4);
  constexpr double quarter = 1.5707963267948966;
  return withSign(c, c.where(isAbove, c.sub(quarter, angle), angle), x);
}

static Value computeAsin(Composer &c, Value x) {
  Value root = c.of<SqrtOp>(c.mul(c.sub(1, x), c.add(x, 1)));
  return computeAtan(c, c.div(x, root));
}

static Value computeAcos(Composer &c, Value x) {
  Value root = c.of<SqrtOp>(c.div(c.sub(1, x), c.add(x, 1)));
  return c.mul(computeAtan(c, root), 2);
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

static LogicalResult importEyeLike(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  if (getRank(x) != 2)
    return node.fail(
        malformed("expects a matrix, but found " + toString(x.getType())));
  Type type = getElementType(x);
  if (int64_t dtype = node.getInt("dtype", 0))
    type = getOnnxElementType(node.getBuilder().getContext(), dtype);
  if (!type)
    return node.fail(unsupported("elements of \"dtype\" are not supported"));
  Value rows = c.unsqueeze(c.positionsOf(x, 0), 1);
  Value diagonal = c.add(rows, c.integers(node.getInt("k", 0)));
  return node.setOutput(
      0, c.cast(c.test<EqualOp>(diagonal, c.positionsOf(x, 1)), type));
}

/// a - b * cos(2 pi n / N) + c * cos(4 pi n / N) for n below the size.
static LogicalResult makeWindow(NodeImporter &node, double a, double b,
                                double third) {
  Composer c(node);
  Value size = node.getInput(0);
  Type f32 = node.getBuilder().getF32Type();
  Type type = getOnnxElementType(node.getBuilder().getContext(),
                                 node.getInt("output_datatype", 1));
  bool isPeriodic = node.getInt("periodic", 1) != 0;
  if (failed(node.expectIndices(size, "size")))
    return failure();
  if (!type || !getType(size).hasStaticShape() ||
      getType(size).getNumElements() != 1)
    return node.fail(malformed("expects one number as size and a data type"));
  Value count = c.reshape(c.cast(size, node.getBuilder().getI64Type()), {1});
  Value steps = c.cast(isPeriodic ? count : c.sub(count, 1), f32);
  Value n = c.cast(c.range(c.integers(0), count), f32);
  constexpr double turn = 6.283185307179586;
  Value angle = c.div(c.mul(n, turn), steps);
  Value window = c.sub(a, c.mul(c.of<CosOp>(angle), b));
  if (third != 0)
    window = c.add(window, c.mul(c.of<CosOp>(c.mul(angle, 2)), third));
  return node.setOutput(0, c.cast(window, type));
}

static LogicalResult importHannWindow(NodeImporter &node) {
  return makeWindow(node, 0.5, 0.5, 0);
}
static LogicalResult importHammingWindow(NodeImporter &node) {
  return makeWindow(node, 25.0 / 46, 21.0 / 46, 0);
}
static LogicalResult importBlackmanWindow(NodeImporter &node) {
  return makeWindow(node, 0.42, 0.5, 0.08);
}

ArrayRef<Operator> qopt::importer::getArithmeticOperators() {
  static constexpr Operator rows[] = {
      {"Acos", 7, 1, 1, importFunction<computeAcos>},
      {"Acosh", 9, 1, 1, importFunction<computeAcosh>},
      {"Asin", 7, 1, 1, importFunction<computeAsin>},
      {"Asinh", 9, 1, 1, importFunction<computeAsinh>},
      {"Atan", 7, 1, 1, importFunction<computeAtan>},
      {"Atanh", 9, 1, 1, importFunction<computeAtanh>},
      {"BitShift", 11, 2, 2, importBitShift},
      {"BitwiseNot", 18, 1, 1, importBitwiseNot},
      {"BlackmanWindow", 17, 1, 1, importBlackmanWindow},
      {"Cosh", 9, 1, 1, importFunction<computeCosh>},
      {"EyeLike", 9, 1, 1, importEyeLike},
      {"HammingWindow", 17, 1, 1, importHammingWindow},
      {"HannWindow", 17, 1, 1, importHannWindow},
      {"IsInf", 10, 1, 1, importIsInf},
      {"IsNaN", 9, 1, 1, importIsNaN},
      {"Mean", 1, 1, kAnyNumber, importMean},
      {"Sign", 9, 1, 1, importSign},
      {"Sinh", 9, 1, 1, importFunction<computeSinh>},
      {"Size", 1, 1, 1, importSize},
      {"Tan", 7, 1, 1, importFunction<computeTan>},
  };
  return rows;
}
