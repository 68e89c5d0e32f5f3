//===- FusedOperators.cpp - What ONNX Runtime's optimizer writes ----------===//
//
// Files that were saved after its optimizations hold these.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Contractions.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// The activation of a fused node: its name and numbers.
static Value activate(NodeImporter &node, Value x, ArrayRef<float> numbers) {
  Composer c(node);
  std::string name = node.getString("activation", "");
  auto number = [&](size_t index, float absent) {
    return index < numbers.size() ? numbers[index] : absent;
  };
  if (name.empty() || !x)
    return x;
  if (name == "Relu")
    return c.of<ReluOp>(x);
  if (name == "Tanh")
    return c.of<TanhOp>(x);
  if (name == "Sigmoid")
    return c.of<SigmoidOp>(x);
  if (name == "LeakyRelu")
    return c.make<LeakyReluOp>(x, node.attr("alpha", number(0, 0.01f)));
  if (name == "HardSigmoid")
    return c.make<HardSigmoidOp>(x, {node.attr("alpha", number(0, 0.2f)),
                                     node.attr("beta", number(1, 0.5f))});
  if (name == "Clip" && numbers.size() == 2)
    return c.make<ClipOp>(
        x, {node.attr("low", numbers[0]), node.attr("high", numbers[1])});
  (void)node.fail(
      unsupported("activation " + quote(name) + " is not supported"));
  return {};
}

static LogicalResult expectFloats(NodeImporter &node, ArrayRef<Value> values) {
  for (Value value : values)
    if (value && (failed(node.expectFloat(value)) ||
                  failed(node.expectSameElementType(value, values.front()))))
      return failure();
  return success();
}

/// `z` is added in front of the activation.
static LogicalResult importFusedConv(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  Value z = node.getInput(3);
  if (failed(expectFloats(node, {x, w, bias, z})))
    return failure();
  Value sum = makeConv(node, {x, {}}, {w, {}}, bias, getElementType(x));
  if (z)
    sum = c.add(sum, z);
  return node.setOutput(
      0, activate(node, sum, node.getFloats("activation_params")));
}

/// The channels of x and of the result are last, those of weights as always.
static LogicalResult importNhwcConv(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  if (failed(expectFloats(node, {x, w, bias})) ||
      failed(node.expectRank(x, 3, "an input")))
    return failure();
  int64_t rank = getRank(x);
  SmallVector<int64_t> toFront{0, rank - 1}, toBack{0};
  for (int64_t axis = 1; axis < rank - 1; ++axis) {
    toFront.push_back(axis);
    toBack.push_back(axis + 1);
  }
  toBack.push_back(1);
  Value image = c.transpose(x, toFront);
  if (!image)
    return failure();
  Value result = makeConv(node, {image, {}}, {w, {}}, bias, getElementType(x));
  return node.setOutput(0, c.transpose(result, toBack));
}

/// `x` as a stack of matrices: the first axis may be that of rows.
static Value readMatrices(Composer &c, Value x, bool hasRowsFirst,
                          bool isTransposed) {
  int64_t rank = getRank(x);
  if (hasRowsFirst && rank > 2) {
    auto order = llvm::to_vector(llvm::seq<int64_t>(1, rank - 1));
    order.append({0, rank - 1});
    x = c.transpose(x, order);
  }
  return isTransposed && rank > 1 ? c.swapAxes(x, rank - 2, rank - 1) : x;
}

static LogicalResult importFusedMatMul(NodeImporter &node) {
  Composer c(node);
  Value a = node.getInput(0), b = node.getInput(1);
  float alpha = node.getFloat("alpha", 1);
  auto read = [&](Value x, StringRef batches, StringRef swaps) {
    return readMatrices(c, x, node.getInt(batches, 0) != 0,
                        node.getInt(swaps, 0) != 0);
  };
  if (failed(expectFloats(node, {a, b})))
    return failure();
  Value product = c.matmul(read(a, "transBatchA", "transA"),
                           read(b, "transBatchB", "transB"));
  return node.setOutput(0, alpha == 1 ? product : c.mul(product, alpha));
}

static LogicalResult importFusedGemm(NodeImporter &node) {
  Composer c(node);
  Value a = node.getInput(0), b = node.getInput(1), bias = node.getInput(2);
  bool transA = node.getInt("transA", 0) != 0;
  bool transB = node.getInt("transB", 0) != 0;
  float alpha = node.getFloat("alpha", 1), beta = node.getFloat("beta", 1);
  SmallVector<float> numbers;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (node.hasAttribute(name))
      numbers.push_back(node.getFloat(name, 0));
  node.ignoreAttribute("activation_gamma");
  if (failed(expectFloats(node, {a, b, bias})))
    return failure();
  if (getRank(a) != 2 || getRank(b) != 2)
    return node.fail(malformed("expects matrices, but found ranks " +
                               Twine(getRank(a)) + " and " +
                               Twine(getRank(b))));
  SmallVector<Value> operands{a, b};
  if (bias)
    operands.push_back(bias);
  Value sum = c.make<GemmOp>(
      operands, {node.attr("alpha", alpha), node.attr("beta", beta),
                 node.attr("trans_a", transA), node.attr("trans_b", transB)});
  return node.setOutput(0, activate(node, sum, numbers));
}

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

/// The codes in bytes that hold several, the lowest bits first, along the last
/// axis; `count` of them.
static Value unpack(Composer &c, Value bytes, int64_t bits, Value count) {
  if (bits == 8)
    return bytes;
  int64_t rank = getRank(bytes);
  SmallVector<Value> parts;
  for (int64_t shift = 0; shift < 8; shift += bits) {
    Value part = shift ? c.div(bytes, double(int64_t(1) << shift)) : bytes;
    part = c.of<AndOp>(part, c.number((1 << bits) - 1, part));
    parts.push_back(c.unsqueeze(part, rank));
  }
  Value whole = c.concat(parts, rank);
  if (!whole)
    return {};
  Value codes = c.reshape(
      whole, c.concat({c.shapeOf(whole, 0, rank - 1),
                       c.mul(c.dimOf(whole, rank - 1), double(8 / bits))},
                      0));
  return c.slice(codes, rank - 1, c.integers(0), count);
}

/// Rows of codes are gathered with their scales, and only these are made
/// floats.
static LogicalResult importGatherBlockQuantized(NodeImporter &node) {
  Composer c(node);
  Value data = node.getInput(0), indices = node.getInput(1);
  Value scales = node.getInput(2), zeros = node.getInput(3);
  int64_t bits = node.getInt("bits", 4);
  int64_t block = node.getInt("block_size", 128), rank = getRank(data);
  std::optional<int64_t> from =
      node.getAxis(node.getInt("gather_axis", 0), rank);
  std::optional<int64_t> along =
      node.getAxis(node.getInt("quantize_axis", 1), rank);
  if (!from || !along || failed(node.expectIndices(indices, "indices")) ||
      failed(node.expectFloat(scales)))
    return failure();
  Type element = getElementType(data);
  bool isPacked = element.isUnsignedInteger(8);
  if (!isPacked && !element.isInteger(4))
    return node.fail(malformed("expects codes of int4, uint4 or uint8, but "
                               "found " +
                               toString(data.getType())));
  if (isPacked && bits != 2 && bits != 4 && bits != 8)
    return node.fail(
        malformed("expects bits 2, 4 or 8, but found " + Twine(bits)));
  if (*from == *along || block < 1 || getRank(scales) != rank ||
      (isPacked && *along != rank - 1))
    return node.fail(
        malformed("expects scales of the rank of the codes, a block_size, and "
                  "a quantize_axis that is not the gather_axis and the last of "
                  "packed codes"));
  // Where the axis of blocks is among those of the indices and the others.
  int64_t axis = *along + (*along > *from ? getRank(indices) - 1 : 0);
  Type type = getElementType(scales);
  auto gather = [&](Value x) { return x ? c.gather(x, indices, *from) : x; };
  Value codes = gather(data), rows = gather(scales), offsets = gather(zeros);
  if (!codes || !rows)
    return failure();
  if (isPacked) {
    codes =
        unpack(c, codes, bits, c.mul(c.dimOf(codes, axis), double(8 / bits)));
    if (offsets)
      offsets = unpack(c, offsets, bits, c.dimOf(rows, axis));
  }
  // A scale for each code: number j belongs to block j / size.
  Value places =
      c.div(c.range(c.integers(0), c.dimOf(codes, axis)), double(block));
  auto spread = [&](Value x) { return c.gather(x, places, axis); };
  Value reals = c.cast(codes, type);
  if (offsets)
    reals = c.sub(reals, spread(c.cast(offsets, type)));
  else if (isPacked)
    reals = c.sub(reals, double(int64_t(1) << (bits - 1)));
  return node.setOutput(0, c.mul(reals, spread(rows)));
}

ArrayRef<Operator> qopt::importer::getFusedOperators() {
  static constexpr Operator rows[] = {
      {"com.microsoft.FusedConv", 1, 2, 4, importFusedConv},
      {"com.microsoft.FusedGemm", 1, 2, 3, importFusedGemm},
      {"com.microsoft.FusedMatMul", 1, 2, 2, importFusedMatMul},
      {"com.microsoft.GatherBlockQuantized", 1, 3, 4,
       importGatherBlockQuantized, "axes of blocks and rows that differ"},
      {"com.microsoft.NhwcConv", 1, 2, 3, importNhwcConv},
      {"com.microsoft.TransposeMatMul", 1, 2, 2, importFusedMatMul},
  };
  return rows;
}
