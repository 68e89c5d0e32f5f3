//===- ElementwiseOperators.cpp - Element-wise operators ------------------===//
//
// Most rows differ only in the op they make and the types they take.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static bool isBool(Type type) { return type.isInteger(1); }
static bool isInteger(Type type) {
  return isa<IntegerType>(type) && !isBool(type);
}
static bool isFloat(Type type) { return isa<FloatType>(type); }
static bool isNumber(Type type) { return isFloat(type) || isInteger(type); }
static bool isAny(Type) { return true; }

static StringRef describe(bool (*predicate)(Type)) {
  if (predicate == isBool)
    return "booleans";
  if (predicate == isInteger)
    return "integers";
  return predicate == isFloat ? "floats" : "numbers";
}

static LogicalResult expectElements(NodeImporter &node, Value value,
                                    bool (*predicate)(Type)) {
  return node.expectElementType(value, predicate(getElementType(value)),
                                ("a tensor of " + describe(predicate)).str());
}

/// Checks that two operands have one element type and broadcast.
static LogicalResult checkOperands(NodeImporter &node, Value lhs, Value rhs,
                                   bool (*predicate)(Type)) {
  if (failed(expectElements(node, lhs, predicate)) ||
      failed(node.expectSameElementType(lhs, rhs)))
    return failure();
  return node.expectBroadcast({lhs, rhs});
}

template <typename OpTy, bool (*predicate)(Type)>
static LogicalResult importUnary(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(expectElements(node, x, predicate)))
    return failure();
  return node.makeOutput<OpTy>(getElementType(x), x);
}

/// The second operand as later opsets have it. Before opset 7 it lies along the
/// axes of the first one from `axis` on, or along the last ones, and only
/// where `broadcast` says so.
static Value alignOld(NodeImporter &node, Value lhs, Value rhs) {
  if (node.getOpset() >= 7)
    return rhs;
  bool broadcasts = node.getInt("broadcast", 0) != 0;
  int64_t behind = 0, axis = node.getInt("axis", -1);
  if (node.hasAttribute("axis") && axis >= 0)
    behind = getRank(lhs) - axis - getRank(rhs);
  bool differ = getType(lhs).hasStaticShape() &&
                getType(rhs).hasStaticShape() &&
                getType(lhs).getShape() != getType(rhs).getShape();
  if (behind < 0 || getRank(rhs) > getRank(lhs) || (!broadcasts && differ)) {
    (void)node.fail(malformed("expects operands of one shape, or an axis "
                              "beside broadcast = 1 where the second fits, but "
                              "found " +
                              toString(lhs.getType()) + " and " +
                              toString(rhs.getType())));
    return {};
  }
  auto axes =
      llvm::to_vector(llvm::seq<int64_t>(getRank(rhs), getRank(rhs) + behind));
  return broadcasts ? Composer(node).unsqueeze(rhs, axes) : rhs;
}

template <typename OpTy, bool (*predicate)(Type)>
static LogicalResult importBinary(NodeImporter &node) {
  Value lhs = node.getInput(0);
  Value rhs = alignOld(node, lhs, node.getInput(1));
  if (!rhs)
    return failure();
  if (failed(checkOperands(node, lhs, rhs, predicate)))
    return failure();
  return node.makeOutput<OpTy>(getElementType(lhs), {lhs, rhs});
}

template <typename OpTy, bool (*predicate)(Type)>
static LogicalResult importComparison(NodeImporter &node) {
  Value lhs = node.getInput(0);
  Value rhs = alignOld(node, lhs, node.getInput(1));
  if (!rhs)
    return failure();
  if (failed(checkOperands(node, lhs, rhs, predicate)))
    return failure();
  return node.makeOutput<OpTy>(node.getBuilder().getI1Type(), {lhs, rhs});
}

/// Max, Min and Sum of any number of tensors: from the left.
template <typename OpTy>
static LogicalResult importVariadic(NodeImporter &node) {
  Value result = node.getInput(0);
  for (Value next : node.getInputs().drop_front()) {
    if (failed(checkOperands(node, result, next, isNumber)))
      return failure();
    result = node.make<OpTy>(getElementType(result), {result, next});
    if (!result)
      return failure();
  }
  return node.setOutput(0, result);
}

/// The type in which powers of an integer have the low bits that they have in
/// all integers.
static Type getPowerType(Type base, Type exponent) {
  MLIRContext *context = base.getContext();
  auto isOf = [](Type type, unsigned bits) {
    return type.getIntOrFloatBitWidth() >= bits;
  };
  if (base.isUnsignedInteger(64) || exponent.isUnsignedInteger(64))
    return IntegerType::get(context, 64, IntegerType::Unsigned);
  bool isLong = isOf(base, 64) || isOf(exponent, 64) ||
                base.isUnsignedInteger(32) || exponent.isUnsignedInteger(32);
  return IntegerType::get(context, isLong ? 64 : 32);
}

/// By a product where the exponent is whole, else by that of floats, without
/// its fraction.
static Value makeIntegerPower(NodeImporter &node, Value base, Value exponent) {
  Composer c(node);
  Type type = getElementType(base), given = getElementType(exponent);
  Type i64 = node.getBuilder().getI64Type();
  Value number = isFloat(given) ? c.cast(exponent, i64) : exponent;
  if (!number)
    return {};
  Type wide = getPowerType(type, getElementType(number));
  Value wideBase = c.cast(base, wide);
  Value power = c.of<PowOp>(wideBase, c.cast(number, wide));
  // Of a base without sign the exponent may have one.
  if (wide.isUnsignedInteger() && !getElementType(number).isUnsignedInteger())
    power = c.where(c.test<LessOp>(number, 0.0),
                    c.cast(c.test<EqualOp>(wideBase, 1.0), wide), power);
  power = c.cast(power, type);
  if (!isFloat(given))
    return power;
  Value root = c.cast(c.of<PowOp>(c.cast(base, given), exponent), type);
  // An exponent without end is whole, but no number of factors.
  power = c.where(c.test<LessOp>(c.of<AbsOp>(exponent), 0x1p63), power, root);
  return c.where(c.test<EqualOp>(c.of<FloorOp>(exponent), exponent), power,
                 root);
}

static LogicalResult importPow(NodeImporter &node) {
  Value base = node.getInput(0);
  Value exponent = alignOld(node, base, node.getInput(1));
  if (!exponent)
    return failure();
  if (failed(expectElements(node, base, isNumber)) ||
      failed(expectElements(node, exponent, isNumber)) ||
      failed(node.expectBroadcast({base, exponent})))
    return failure();
  Type type = getElementType(base);
  if (isInteger(type))
    return node.setOutput(0, makeIntegerPower(node, base, exponent));
  if (getElementType(exponent) != type)
    exponent = node.make<CastOp>(type, exponent);
  if (!exponent)
    return failure();
  return node.makeOutput<PowOp>(type, {base, exponent});
}

static LogicalResult importMod(NodeImporter &node) {
  Value lhs = node.getInput(0), rhs = node.getInput(1);
  bool truncates = node.getInt("fmod", 0) != 0;
  if (failed(checkOperands(node, lhs, rhs, isNumber)))
    return failure();
  return node.makeOutput<ModOp>(getElementType(lhs), {lhs, rhs},
                                node.attr("truncates", truncates));
}

static LogicalResult importWhere(NodeImporter &node) {
  Value condition = node.getInput(0), x = node.getInput(1),
        y = node.getInput(2);
  if (failed(expectElements(node, condition, isBool)) ||
      failed(node.expectSameElementType(x, y)) ||
      failed(node.expectBroadcast({condition, x, y})))
    return failure();
  return node.makeOutput<WhereOp>(getElementType(x), {condition, x, y});
}

template <typename OpTy>
static LogicalResult importAlpha(NodeImporter &node, float absent) {
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)))
    return failure();
  return node.makeOutput<OpTy>(
      getElementType(x), x, node.attr("alpha", node.getFloat("alpha", absent)));
}

static LogicalResult importLeakyRelu(NodeImporter &node) {
  return importAlpha<LeakyReluOp>(node, 0.01f);
}

/// Three ops that one kernel fuses.
static LogicalResult importPRelu(NodeImporter &node) {
  Value x = node.getInput(0), slope = node.getInput(1);
  // Before opset 7 a list is a slope for each channel.
  if (node.getOpset() < 7 && getRank(slope) == 1 && getRank(x) > 2)
    slope = Composer(node).unsqueeze(
        slope, llvm::to_vector(llvm::seq<int64_t>(1, getRank(x) - 1)));
  if (!slope)
    return failure();
  if (failed(checkOperands(node, x, slope, isNumber)))
    return failure();
  if (getRank(slope) > getRank(x))
    return node.fail(malformed("expects a slope of rank " + Twine(getRank(x)) +
                               " or less, but found " +
                               toString(slope.getType())));
  Type type = getElementType(x);
  Value zero = makeFloats(node.getBuilder(), node.getLoc(), 0.0f, true);
  if (!type.isF32())
    zero = node.make<CastOp>(type, zero);
  Value scaled = node.make<MulOp>(type, {x, slope});
  if (!zero || !scaled)
    return failure();
  Value isBelow = node.make<LessOp>(node.getBuilder().getI1Type(), {x, zero});
  return isBelow ? node.makeOutput<WhereOp>(type, {isBelow, scaled, x})
                 : failure();
}

static LogicalResult importElu(NodeImporter &node) {
  return importAlpha<EluOp>(node, 1.0f);
}

static LogicalResult importHardSigmoid(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)))
    return failure();
  return node.makeOutput<HardSigmoidOp>(
      getElementType(x), x,
      {node.attr("alpha", node.getFloat("alpha", 0.2f)),
       node.attr("beta", node.getFloat("beta", 0.5f))});
}

static LogicalResult importGelu(NodeImporter &node) {
  Value x = node.getInput(0);
  std::string form = node.getString("approximate", "none");
  if (form != "none" && form != "tanh")
    return node.fail(malformed("expects approximate \"none\" or \"tanh\", but "
                               "found " +
                               quote(form)));
  if (failed(node.expectFloat(x)))
    return failure();
  return node.makeOutput<GeluOp>(
      getElementType(x), x,
      node.attr("form", GeluFormAttr::get(x.getContext(),
                                          form == "tanh" ? GeluForm::Tanh
                                                         : GeluForm::Erf)));
}

/// x * sigmoid(alpha * x); SiLU where alpha is 1.
static LogicalResult importSwish(NodeImporter &node) {
  Value x = node.getInput(0);
  float alpha = node.getFloat("alpha", 1.0f);
  if (failed(node.expectFloat(x)))
    return failure();
  Type type = getElementType(x);
  if (alpha == 1.0f)
    return node.makeOutput<SiluOp>(type, x);
  Value factor = makeFloats(node.getBuilder(), node.getLoc(), alpha, true);
  if (type != getElementType(factor))
    factor = node.make<CastOp>(type, factor);
  Value scaled = factor ? node.make<MulOp>(type, {x, factor}) : Value();
  Value gate = scaled ? node.make<SigmoidOp>(type, scaled) : Value();
  return gate ? node.makeOutput<MulOp>(type, {x, gate}) : failure();
}

/// Attributes that change how floats become the codes of `type`.
static LogicalResult makeCast(NodeImporter &node, Type type) {
  bool saturates = node.getInt("saturate", 1) != 0;
  bool isFloat8 = isa<FloatType>(type) && type.getIntOrFloatBitWidth() == 8;
  std::string mode = node.getString("round_mode", "up");
  if (mode != "up" && isa<Float8E8M0FNUType>(type))
    return node.fail(
        unsupported("expects round_mode \"up\", but found " + quote(mode)));
  return node.makeOutput<CastOp>(type, node.getInput(0),
                                 node.attr("saturate", saturates || !isFloat8));
}

static LogicalResult importCast(NodeImporter &node) {
  int64_t to = node.getInt("to", 0);
  StringRef name = getOnnxTypeName(to);
  Type type = getOnnxElementType(node.getBuilder().getContext(), to);
  if (name.empty())
    return node.fail(
        malformed("expects a data type in \"to\", but found " + Twine(to)));
  if (!type)
    return node.fail(unsupported("casts to " + name + " are not supported"));
  return makeCast(node, type);
}

/// Before opset 6 the type is its name.
static LogicalResult importCastByName(NodeImporter &node) {
  std::string name = node.getString("to", "");
  onnx::TensorProto::DataType number;
  if (!onnx::TensorProto::DataType_Parse(name, &number))
    return node.fail(
        malformed("expects a data type in \"to\", but found " + quote(name)));
  Type type = getOnnxElementType(node.getBuilder().getContext(), number);
  if (!type)
    return node.fail(unsupported("casts to " + name + " are not supported"));
  return makeCast(node, type);
}

static LogicalResult importCastLike(NodeImporter &node) {
  return makeCast(node, getElementType(node.getInput(1)));
}

/// Booleans are bytes of 0 and 1.
static LogicalResult importBitCast(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t to = node.getInt("to", 0);
  Type type = getOnnxElementType(node.getBuilder().getContext(), to);
  if (!type)
    return node.fail(malformed("expects a data type of numbers in \"to\", but "
                               "found " +
                               Twine(to)));
  Type from = getElementType(x);
  auto bitsOf = [](Type type) {
    return isBool(type) ? 8u : type.getIntOrFloatBitWidth();
  };
  if (bitsOf(from) != bitsOf(type))
    return node.fail(malformed("expects a type of " + Twine(bitsOf(from)) +
                               " bits, but found " + Twine(bitsOf(type))));
  if (!isBool(from) && !isBool(type))
    return node.makeOutput<BitCastOp>(type, x);
  // Of other bytes a truth value has no bits.
  Type byte = node.getBuilder().getIntegerType(8, /*isSigned=*/false);
  Composer c(node);
  if (isBool(from)) {
    x = c.cast(x, byte);
    return x && type != byte && !isBool(type)
               ? node.makeOutput<BitCastOp>(type, x)
               : node.setOutput(0, c.cast(x, type));
  }
  x = from == byte ? x : node.make<BitCastOp>(byte, x);
  return node.setOutput(0, c.cast(x, type));
}

/// Clip with bounds that are known and fit `qopt.clip`.
static LogicalResult makeClip(NodeImporter &node, std::optional<float> low,
                              std::optional<float> high) {
  SmallVector<NamedAttribute> bounds;
  if (low)
    bounds.push_back(node.attr("low", *low));
  if (high)
    bounds.push_back(node.attr("high", *high));
  Value x = node.getInput(0);
  return node.makeOutput<ClipOp>(getElementType(x), x, bounds);
}

static LogicalResult importClipWithAttributes(NodeImporter &node) {
  if (failed(node.expectFloat(node.getInput(0))))
    return failure();
  std::optional<float> low, high;
  if (node.hasAttribute("min"))
    low = node.getFloat("min", 0);
  if (node.hasAttribute("max"))
    high = node.getFloat("max", 0);
  return makeClip(node, low, high);
}

/// Bounds that are computed, or that a float may not hold, take min and max.
static LogicalResult importClip(NodeImporter &node) {
  Value x = node.getInput(0), low = node.getInput(1), high = node.getInput(2);
  bool isConstant = true;
  for (Value bound : {low, high}) {
    if (!bound)
      continue;
    if (failed(checkOperands(node, x, bound, isNumber)))
      return failure();
    isConstant &= getConstantFloat(bound).has_value();
  }
  auto floatOf = [](Value bound) -> std::optional<float> {
    if (!bound)
      return std::nullopt;
    return static_cast<float>(*getConstantFloat(bound));
  };
  if (isConstant && getElementType(x).isF32())
    return makeClip(node, floatOf(low), floatOf(high));
  Value result = x;
  if (low)
    result = node.make<MaxOp>(getElementType(x), {result, low});
  if (high && result)
    result = node.make<MinOp>(getElementType(x), {result, high});
  return node.setOutput(0, result);
}

ArrayRef<Operator> qopt::importer::getElementwiseOperators() {
  static constexpr Operator rows[] = {
      {"Abs", 1, 1, 1, importUnary<AbsOp, isNumber>},
      {"Add", 1, 2, 2, importBinary<AddOp, isNumber>},
      {"And", 1, 2, 2, importBinary<AndOp, isBool>},
      {"BitCast", 26, 1, 1, importBitCast, "no strings"},
      {"BitwiseAnd", 18, 2, 2, importBinary<AndOp, isInteger>},
      {"BitwiseOr", 18, 2, 2, importBinary<OrOp, isInteger>},
      {"BitwiseXor", 18, 2, 2, importBinary<XorOp, isInteger>},
      {"Cast", 1, 1, 1, importCastByName},
      {"Cast", 6, 1, 1, importCast,
       "no strings, no complex numbers; round_mode up"},
      {"CastLike", 15, 2, 2, importCastLike, "no strings; round_mode up"},
      {"Ceil", 1, 1, 1, importUnary<CeilOp, isFloat>},
      {"Clip", 1, 1, 1, importClipWithAttributes},
      {"Clip", 11, 1, 3, importClip},
      {"Cos", 7, 1, 1, importUnary<CosOp, isFloat>},
      {"Div", 1, 2, 2, importBinary<DivOp, isNumber>},
      {"Elu", 1, 1, 1, importElu},
      {"Equal", 1, 2, 2, importComparison<EqualOp, isAny>},
      {"Erf", 9, 1, 1, importUnary<ErfOp, isFloat>},
      {"Exp", 1, 1, 1, importUnary<ExpOp, isFloat>},
      {"Floor", 1, 1, 1, importUnary<FloorOp, isFloat>},
      {"Gelu", 20, 1, 1, importGelu},
      {"Greater", 1, 2, 2, importComparison<GreaterOp, isNumber>},
      {"GreaterOrEqual", 12, 2, 2,
       importComparison<GreaterOrEqualOp, isNumber>},
      {"HardSigmoid", 1, 1, 1, importHardSigmoid},
      {"HardSwish", 14, 1, 1, importUnary<HardSwishOp, isFloat>},
      {"LeakyRelu", 1, 1, 1, importLeakyRelu},
      {"Less", 1, 2, 2, importComparison<LessOp, isNumber>},
      {"LessOrEqual", 12, 2, 2, importComparison<LessOrEqualOp, isNumber>},
      {"Log", 1, 1, 1, importUnary<LogOp, isFloat>},
      {"Max", 1, 1, kAnyNumber, importVariadic<MaxOp>},
      {"Min", 1, 1, kAnyNumber, importVariadic<MinOp>},
      {"Mod", 10, 2, 2, importMod},
      {"Mul", 1, 2, 2, importBinary<MulOp, isNumber>},
      {"Neg", 1, 1, 1, importUnary<NegOp, isNumber>},
      {"Not", 1, 1, 1, importUnary<NotOp, isBool>},
      {"Or", 1, 2, 2, importBinary<OrOp, isBool>},
      {"PRelu", 1, 2, 2, importPRelu},
      {"Pow", 1, 2, 2, importPow},
      {"Reciprocal", 1, 1, 1, importUnary<ReciprocalOp, isFloat>},
      {"Relu", 1, 1, 1, importUnary<ReluOp, isNumber>},
      {"Round", 11, 1, 1, importUnary<RoundOp, isFloat>},
      {"Sigmoid", 1, 1, 1, importUnary<SigmoidOp, isFloat>},
      {"Sin", 7, 1, 1, importUnary<SinOp, isFloat>},
      {"Softplus", 1, 1, 1, importUnary<SoftplusOp, isFloat>},
      {"Sqrt", 1, 1, 1, importUnary<SqrtOp, isFloat>},
      {"Sub", 1, 2, 2, importBinary<SubOp, isNumber>},
      {"Sum", 1, 1, kAnyNumber, importVariadic<AddOp>},
      {"Swish", 24, 1, 1, importSwish},
      {"Tanh", 1, 1, 1, importUnary<TanhOp, isFloat>},
      {"Where", 9, 3, 3, importWhere},
      {"Xor", 1, 2, 2, importBinary<XorOp, isBool>},
  };
  return rows;
}
