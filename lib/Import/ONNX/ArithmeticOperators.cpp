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

ArrayRef<Operator> qopt::importer::getArithmeticOperators() {
  static constexpr Operator rows[] = {
      {"Acos", 7, 1, 1, importFunction<computeAcos>},
      {"Acosh", 9, 1, 1, importFunction<computeAcosh>},
      {"Asin", 7, 1, 1, importFunction<computeAsin>},
      {"Asinh", 9, 1, 1, importFunction<computeAsinh>},
      {"Atan", 7, 1, 1, importFunction<computeAtan>},
      {"Atanh", 9, 1, 1, importFunction<computeAtanh>},
      {"BitwiseNot", 18, 1, 1, importBitwiseNot},
      {"Cosh", 9, 1, 1, importFunction<computeCosh>},
      {"EyeLike", 9, 1, 1, importEyeLike},
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
