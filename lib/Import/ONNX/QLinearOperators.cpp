//===- QLinearOperators.cpp - ONNX Runtime's operators on codes -----------===//
//
// Those of the domain com.microsoft. Whether a zero point is added before or
// after the rounding differs from one to the next, and their codes with it.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "DynamicQuantization.h"
#include "IntegerProducts.h"
#include "Operators.h"
#include "TensorQuantization.h"
#include "WindowAttributes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// Codes with their scale and zero point.
struct Scaled {
  Value codes;
  TensorScale by;
};
} // namespace

/// The codes at input `first` with what follows them.
static std::optional<Scaled> readScaled(NodeImporter &node, size_t first) {
  Value codes = node.getInput(first);
  if (!codes) {
    (void)node.fail(
        malformed("expects input " + Twine(first) + ", but it is left out"));
    return std::nullopt;
  }
  auto by = readTensorScale(node, getElementType(codes), first + 1, first + 2);
  if (!by)
    return std::nullopt;
  return Scaled{codes, *by};
}

static Value asFloat(Composer &c, Value x) {
  return c.cast(x, c.getNode().getBuilder().getF32Type());
}

/// The zero point as a float; 0 where there is none.
static Value zeroOf(Composer &c, const TensorScale &by) {
  return by.zero ? asFloat(c, by.zero) : c.number(0, by.scale);
}

/// Codes of reals that count steps: clamp(rint(x)).
static Value saturate(Composer &c, Value x, Type codes) {
  bool isUnsigned = codes.isUnsignedInteger();
  Value low = x ? c.number(isUnsigned ? 0 : -128, x) : Value();
  Value high = x ? c.number(isUnsigned ? 255 : 127, x) : Value();
  Value inside = c.of<MinOp>(c.of<MaxOp>(c.of<RoundOp>(x), low), high);
  return c.cast(inside, codes);
}

//===----------------------------------------------------------------------===//
// Element-wise
//===----------------------------------------------------------------------===//

namespace {
/// What the operators on two tensors of codes take.
struct Pair {
  Scaled a, b;
  TensorScale result;
  Type codes;
};
} // namespace

static std::optional<Pair> readPair(NodeImporter &node) {
  std::optional<Scaled> a = readScaled(node, 0), b = readScaled(node, 3);
  if (!a || !b || failed(node.expectSameElementType(a->codes, b->codes)) ||
      failed(node.expectBroadcast({a->codes, b->codes})))
    return std::nullopt;
  Type codes = getElementType(a->codes);
  auto result = readTensorScale(node, codes, 6, 7);
  if (!result)
    return std::nullopt;
  return Pair{*a, *b, *result, codes};
}

/// rint(fma(A, ra, fma(B, rb, zC - fma(ra, zA, rb * zB)))), ra = sA / sC.
static LogicalResult importAdd(NodeImporter &node) {
  auto pair = readPair(node);
  if (!pair)
    return failure();
  Composer c(node);
  Value ra = c.div(pair->a.by.scale, pair->result.scale);
  Value rb = c.div(pair->b.by.scale, pair->result.scale);
  Value zeros = c.make<FmaOp>(
      {ra, zeroOf(c, pair->a.by), c.mul(rb, zeroOf(c, pair->b.by))});
  Value rest = c.sub(zeroOf(c, pair->result), zeros);
  Value sum = c.make<FmaOp>({asFloat(c, pair->b.codes), rb, rest});
  sum = c.make<FmaOp>({asFloat(c, pair->a.codes), ra, sum});
  return node.setOutput(0, saturate(c, sum, pair->codes));
}

/// rint((A - zA) * (B - zB) * (sA * sB / sC) + zC).
static LogicalResult importMul(NodeImporter &node) {
  auto pair = readPair(node);
  if (!pair)
    return failure();
  Composer c(node);
  auto difference = [&](const Scaled &x) {
    return c.sub(asFloat(c, x.codes), zeroOf(c, x.by));
  };
  Value factor =
      c.div(c.mul(pair->a.by.scale, pair->b.by.scale), pair->result.scale);
  Value product =
      c.mul(c.mul(difference(pair->a), difference(pair->b)), factor);
  product = c.add(product, zeroOf(c, pair->result));
  return node.setOutput(0, saturate(c, product, pair->codes));
}

/// A function of reals between two scales, which becomes a table.
static LogicalResult importTable(NodeImporter &node,
                                 llvm::function_ref<Value(Value)> function) {
  std::optional<Scaled> x = readScaled(node, 0);
  if (!x)
    return failure();
  Type codes = getElementType(x->codes);
  auto result = readTensorScale(node, codes, 3, 4);
  Value real = result ? dequantize(node, x->codes, x->by) : Value();
  Value y = real ? function(real) : Value();
  return node.setOutput(0, y ? quantize(node, y, *result, codes) : Value());
}

static LogicalResult importSigmoid(NodeImporter &node) {
  Composer c(node);
  return importTable(node, [&](Value x) { return c.of<SigmoidOp>(x); });
}

static LogicalResult importLeakyRelu(NodeImporter &node) {
  Composer c(node);
  NamedAttribute alpha = node.attr("alpha", node.getFloat("alpha", 0.01f));
  return importTable(node,
                     [&](Value x) { return c.make<LeakyReluOp>({x}, alpha); });
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

/// True for one value, and for constants of the same bytes.
static bool areSame(Value x, Value y) {
  if (x == y || !x || !y)
    return x == y;
  SmallVector<uint8_t> ofX, ofY;
  auto bytes = getConstantBytes(x, ofX);
  return bytes && bytes == getConstantBytes(y, ofY);
}

/// The codes of `x` by another scale; themselves by the same.
static Value rescale(NodeImporter &node, const Scaled &x,
                     const TensorScale &to) {
  if (areSame(x.by.scale, to.scale) && areSame(x.by.zero, to.zero))
    return x.codes;
  return quantize(node, dequantize(node, x.codes, x.by), to,
                  getElementType(x.codes));
}

static LogicalResult importConcat(NodeImporter &node) {
  SmallVector<Value> parts;
  for (size_t i = 2; i + 1 < node.getNumInputs(); i += 3) {
    std::optional<Scaled> x = readScaled(node, i);
    auto to = x ? readTensorScale(node, getElementType(x->codes), 0, 1)
                : std::nullopt;
    Value part = to ? rescale(node, *x, *to) : Value();
    if (!part || (!parts.empty() &&
                  (failed(node.expectSameElementType(parts.front(), part)) ||
                   getRank(parts.front()) != getRank(part))))
      return node.fail(malformed("expects tensors of one type and rank, each "
                                 "with a scale and a zero point"));
    parts.push_back(part);
  }
  auto axis = node.getAxis(node.getInt("axis", 0), getRank(parts.front()));
  if (!axis)
    return failure();
  return node.setOutput(0, Composer(node).concat(parts, *axis));
}

static LogicalResult importWhere(NodeImporter &node) {
  std::optional<Scaled> x = readScaled(node, 1), y = readScaled(node, 4);
  if (!x || !y)
    return failure();
  auto to = readTensorScale(node, getElementType(x->codes), 7, 8);
  if (!to || failed(node.expectSameElementType(x->codes, y->codes)))
    return failure();
  Value first = rescale(node, *x, *to), second = rescale(node, *y, *to);
  if (!first || !second ||
      failed(node.expectBroadcast({node.getInput(0), first, second})))
    return failure();
  return node.setOutput(0,
                        Composer(node).where(node.getInput(0), first, second));
}

//===----------------------------------------------------------------------===//
// Rows and windows
//===----------------------------------------------------------------------===//

static LogicalResult importSoftmax(NodeImporter &node) {
  std::optional<Scaled> x = readScaled(node, 0);
  if (!x)
    return failure();
  Type codes = getElementType(x->codes);
  auto result = readTensorScale(node, codes, 3, 4);
  auto axis = node.getAxis(node.getInt("axis", -1), getRank(x->codes));
  int64_t opset = node.getInt("opset", 13);
  if (!result || !axis)
    return failure();
  Composer c(node);
  Value real = dequantize(node, x->codes, x->by);
  if (opset < 13) {
    // All axes from this one on are one row.
    Value rows =
        c.concat({c.productOf(c.shapeOf(real, 0, *axis)), c.integers(-1)}, 0);
    Value flat =
        c.make<ReshapeOp>({real, rows}, node.attr("allow_zero", false));
    real = c.reshape(c.softmax(flat, 1), c.shapeOf(real));
  } else {
    real = c.softmax(real, *axis);
  }
  return node.setOutput(0,
                        real ? quantize(node, real, *result, codes) : Value());
}

/// [N, ..., C] as [N, C, ...], or back.
static Value moveChannels(Composer &c, Value x, bool toFront) {
  if (!x)
    return {};
  SmallVector<int64_t> perm =
      llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  if (toFront)
    std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  else
    std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  return c.transpose(x, perm);
}

/// rint(f32(sum (x - zX)) * (sX / (sY * count))) + zY.
static LogicalResult importGlobalAveragePool(NodeImporter &node) {
  std::optional<Scaled> x = readScaled(node, 0);
  if (!x || failed(node.expectRank(x->codes, 3, "an input")))
    return failure();
  bool isLast = node.getInt("channels_last", 0) != 0;
  Type codes = getElementType(x->codes), i32 = node.getBuilder().getI32Type();
  auto result = readTensorScale(node, codes, 3, 4);
  if (!result)
    return failure();
  Composer c(node);
  int64_t rank = getRank(x->codes), first = isLast ? 1 : 2;
  auto axes = llvm::to_vector(llvm::seq(first, first + rank - 2));
  Value wide = c.cast(x->codes, i32);
  if (x->by.zero)
    wide = c.sub(wide, c.cast(x->by.zero, i32));
  Value sum = asFloat(c, c.reduce(ReduceKind::Sum, wide, axes));
  Value count =
      asFloat(c, c.productOf(c.shapeOf(x->codes, first, first + rank - 2)));
  Value factor = c.div(x->by.scale, c.mul(result->scale, count));
  Value steps = c.add(c.of<RoundOp>(c.mul(sum, factor)), zeroOf(c, *result));
  return node.setOutput(0, saturate(c, steps, codes));
}

/// rint(mean / sY + zY) of the reals in a window.
static LogicalResult importAveragePool(NodeImporter &node) {
  std::optional<Scaled> x = readScaled(node, 0);
  if (!x)
    return failure();
  bool isLast = node.getInt("channels_last", 0) != 0;
  bool ceilMode = node.getInt("ceil_mode", 0) != 0;
  bool includesPad = node.getInt("count_include_pad", 0) != 0;
  Type codes = getElementType(x->codes);
  auto result = readTensorScale(node, codes, 3, 4);
  Composer c(node);
  Value real = result ? dequantize(node, x->codes, x->by) : Value();
  if (isLast)
    real = moveChannels(c, real, /*toFront=*/true);
  auto window = real ? readWindow(node, real, {}) : std::nullopt;
  if (!window)
    return failure();
  Value mean = c.make<AveragePoolOp>(
      {real},
      {node.attr("kernel", window->kernel),
       node.attr("strides", window->strides), node.attr("pads", window->pads),
       node.attr("ceil_mode", ceilMode),
       node.attr("count_include_pad", includesPad)});
  if (isLast)
    mean = moveChannels(c, mean, /*toFront=*/false);
  Value steps = c.add(c.div(mean, result->scale), zeroOf(c, *result));
  return node.setOutput(0, saturate(c, steps, codes));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static Value addBias(Composer &c, Value x, Value bias) {
  if (!bias || !x)
    return x;
  return succeeded(c.getNode().expectBroadcast({x, bias})) ? c.add(x, bias)
                                                           : Value();
}

/// f32(sum) * (sA * sB) + bias.
static LogicalResult importMatMulIntegerToFloat(NodeImporter &node) {
  Value bias = node.getInput(6);
  std::optional<Codes> a = readCodes(node, 0, 4), b = readCodes(node, 1, 5);
  Value sums = a && b ? multiplyCodes(node, *a, *b) : Value();
  if (!sums)
    return failure();
  int64_t rank = getRank(sums);
  Value aScale = alongAxis(node, node.getInput(2), rank,
                           std::max<int64_t>(rank - 2, 0), "a scale");
  Value bScale = alongAxis(node, node.getInput(3), rank,
                           std::max<int64_t>(rank - 1, 0), "a scale");
  Composer c(node);
  Value real = c.mul(asFloat(c, sums), c.mul(aScale, bScale));
  return node.setOutput(0, addBias(c, real, bias));
}

static LogicalResult importDynamicQuantizeMatMul(NodeImporter &node) {
  Value bias = node.getInput(4);
  auto made = quantizeDynamically(node, node.getInput(0));
  std::optional<Codes> b = readCodes(node, 1, 3);
  Value sums =
      made && b ? multiplyCodes(node, {made->codes, made->zero}, *b) : Value();
  if (!sums)
    return failure();
  int64_t rank = getRank(sums);
  Value bScale = alongAxis(node, node.getInput(2), rank,
                           std::max<int64_t>(rank - 1, 0), "a scale");
  Composer c(node);
  Value real = c.mul(asFloat(c, sums), c.mul(made->scale, bScale));
  return node.setOutput(0, addBias(c, real, bias));
}

/// rint(f32((A - zA) * (B - zB) + C) * (alpha * sA * sB / sY)) + zY, or the
/// float in front of the division where there is no sY.
static LogicalResult importGemm(NodeImporter &node) {
  float alpha = node.getFloat("alpha", 1.0f);
  bool transA = node.getInt("transA", 0) != 0;
  bool transB = node.getInt("transB", 0) != 0;
  std::optional<Codes> a = readCodes(node, 0, 2), b = readCodes(node, 3, 5);
  if (!a || !b)
    return failure();
  Composer c(node);
  if (getRank(a->tensor) != 2 || getRank(b->tensor) != 2)
    return node.fail(malformed("expects matrices"));
  if (transA)
    a->tensor = c.transpose(a->tensor, {1, 0});
  if (transB)
    b->tensor = c.transpose(b->tensor, {1, 0});
  Value sums = addBias(c, multiplyCodes(node, *a, *b), node.getInput(6));
  Value bScale = alongAxis(node, node.getInput(4), 2, 1, "a scale");
  Value factor = c.mul(node.getInput(1), bScale);
  if (alpha != 1.0f)
    factor = c.mul(factor, alpha);
  if (!sums || !factor)
    return failure();
  if (!node.getInput(7))
    return node.setOutput(0, c.mul(asFloat(c, sums), factor));
  Value zero = node.getInput(8);
  Type codes = zero ? getElementType(zero) : getElementType(a->tensor);
  auto result = readTensorScale(node, codes, 7, 8);
  if (!result)
    return failure();
  Value steps =
      c.of<RoundOp>(c.mul(asFloat(c, sums), c.div(factor, result->scale)));
  return node.setOutput(0,
                        saturate(c, c.add(steps, zeroOf(c, *result)), codes));
}

ArrayRef<Operator> qopt::importer::getQLinearOperators() {
  static constexpr Operator rows[] = {
      {"com.microsoft.DynamicQuantizeMatMul", 1, 3, 5,
       importDynamicQuantizeMatMul},
      {"com.microsoft.MatMulIntegerToFloat", 1, 4, 7,
       importMatMulIntegerToFloat},
      {"com.microsoft.QGemm", 1, 6, 9, importGemm},
      {"com.microsoft.QLinearAdd", 1, 2, 8, importAdd},
      {"com.microsoft.QLinearAveragePool", 1, 2, 5, importAveragePool,
       "1 or 2 spatial axes, no dilations"},
      {"com.microsoft.QLinearConcat", 1, 5, kAnyNumber, importConcat},
      {"com.microsoft.QLinearGlobalAveragePool", 1, 5, 5,
       importGlobalAveragePool},
      {"com.microsoft.QLinearLeakyRelu", 1, 2, 5, importLeakyRelu},
      {"com.microsoft.QLinearMul", 1, 2, 8, importMul},
      {"com.microsoft.QLinearSigmoid", 1, 2, 5, importSigmoid},
      {"com.microsoft.QLinearSoftmax", 1, 2, 5, importSoftmax},
      {"com.microsoft.QLinearWhere", 1, 1, 9, importWhere},
  };
  return rows;
}
