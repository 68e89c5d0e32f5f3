//===- AttentionOperators.cpp - Attention and what goes with it -----------===//
//
// Those of the default domain.
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Fills the last axis of a mask up to `size`, which the keys have.
static Value padMask(Composer &c, Value mask, Value keys, double fill) {
  NodeImporter &node = c.getNode();
  if (!mask || !keys || getRank(mask) == 0)
    return mask;
  int64_t have = getType(mask).getShape().back(), want = sizeOf(keys, 2);
  if (!isKnown(have) || !isKnown(want) || have >= want)
    return mask;
  SmallVector<int64_t> pads(2 * getRank(mask), 0);
  pads.back() = want - have;
  return c.make<PadOp>({mask, c.number(fill, mask)}, node.attr("pads", pads));
}

/// Reads a mask of booleans or numbers.
static LogicalResult addMask(Composer &c, Value mask, Value keys, Type type,
                             Looks &looks) {
  if (!mask)
    return success();
  looks.mayBeEmpty = true;
  if (getElementType(mask).isInteger(1)) {
    looks.allow(c, padMask(c, mask, keys, 0));
    return success();
  }
  if (failed(c.getNode().expectFloat(mask)))
    return failure();
  looks.bias = c.cast(padMask(c, mask, keys, -kInfinity), type);
  return success();
}

static LogicalResult importAttention(NodeImporter &node) {
  Composer c(node);
  Value q = node.getInput(0), k = node.getInput(1), v = node.getInput(2);
  Value pastK = node.getInput(4), pastV = node.getInput(5);
  Value lengths = node.getInput(6);
  int64_t heads = node.getInt("q_num_heads", 0);
  int64_t keyHeads = node.getInt("kv_num_heads", 0);
  bool isCausal = node.getInt("is_causal", 0) != 0;
  bool isFlat = getRank(q) == 3;
  double softcap = node.getFloat("softcap", 0);
  int64_t mode = node.getInt("qk_matmul_output_mode", 0);
  int64_t left = node.getInt("left_window_size", -1);
  int64_t right = node.getInt("right_window_size", -1);
  for (Value x : {q, k, v}) {
    if (failed(node.expectFloat(x)))
      return failure();
    if (getRank(x) != 4 && getRank(x) != 3)
      return node.fail(malformed("expects three axes or four, but found " +
                                 toString(x.getType())));
  }
  if (mode < 0 || mode > 3)
    return node.fail(malformed("attribute \"qk_matmul_output_mode\" expects 0 "
                               "to 3, but found " +
                               Twine(mode)));
  Type precision;
  if (int64_t type = node.getInt("softmax_precision", 0)) {
    precision = getOnnxElementType(node.getBuilder().getContext(), type);
    if (!precision || !isa<FloatType>(precision))
      return node.fail(malformed("attribute \"softmax_precision\" expects a "
                                 "type of floats"));
  }
  q = toHeads(c, q, heads);
  k = toHeads(c, k, keyHeads);
  v = toHeads(c, v, keyHeads);
  if (!q || !k || !v)
    return failure();
  Value offset;
  if (pastK) {
    offset = c.dimOf(pastK, 2);
    k = c.concat({pastK, k}, 2);
    v = pastV ? c.concat({pastV, v}, 2) : v;
  }
  if (!k || !v)
    return failure();
  Looks looks;
  if (failed(addMask(c, node.getInput(3), k, getElementType(q), looks)))
    return failure();
  if (lengths) {
    Value length =
        c.unsqueeze(c.cast(lengths, node.getBuilder().getI64Type()), {1, 2, 3});
    looks.allow(c, c.test<LessOp>(c.positionsOf(k, 2), length));
    looks.mayBeEmpty = true;
    if (!pastK)
      offset = c.sub(length, c.dimOf(q, 2));
  }
  limitPositions(c, q, k, offset, isCausal, left, right, looks);
  HeadAttention parts;
  parts.q = q;
  parts.k = k;
  parts.v = v;
  if (node.hasAttribute("scale"))
    parts.scale = c.number(node.getFloat("scale", 1), widerOf(q));
  parts.looks = looks;
  parts.softcap = softcap;
  parts.precision = precision;
  parts.mode = node.hasOutput(3) ? mode : -1;
  Value result = attend(c, parts);
  if (isFlat)
    result = joinHeads(c, result);
  if (failed(node.setOutput(0, result)) || failed(node.setOutput(1, k)) ||
      failed(node.setOutput(2, v)))
    return failure();
  return node.hasOutput(3) ? node.setOutput(3, parts.scores) : success();
}

//===----------------------------------------------------------------------===//
// Positions that turn
//===----------------------------------------------------------------------===//

static LogicalResult importRotaryEmbedding(NodeImporter &node) {
  Value positions = node.getInput(3);
  if (positions && failed(node.expectIndices(positions, "position_ids")))
    return failure();
  return rotateInput(node, node.getInput(1), node.getInput(2), positions);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

/// A convolution of each channel over what came before.
static LogicalResult importCausalConvWithState(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  Value past = node.getInput(3);
  std::string activation = node.getString("activation", "none");
  if (failed(node.expectFloat(x)) || failed(node.expectSameElementType(x, w)))
    return failure();
  if (getRank(x) != 3 || getRank(w) != 3 || !isKnown(sizeOf(w, 2)) ||
      !isKnown(sizeOf(w, 0)))
    return node.fail(unsupported("expects three axes and weights of known "
                                 "dims, but found " +
                                 toString(x.getType()) + " and " +
                                 toString(w.getType())));
  if (activation != "none" && activation != "silu" && activation != "swish")
    return node.fail(malformed("attribute \"activation\" has no value " +
                               quote(activation)));
  int64_t before = sizeOf(w, 2) - 1;
  Value all = x;
  if (past) {
    all = c.concat({past, x}, 2);
  } else if (before > 0) {
    SmallVector<int64_t> pads{0, 0, before, 0, 0, 0};
    all = c.make<PadOp>(x, node.attr("pads", pads));
  }
  if (!all || node.getFailure())
    return failure();
  OpBuilder &b = node.getBuilder();
  auto conv = ConvOp::create(
      b, node.getLoc(), RankedTensorType::get({}, getElementType(x)), all,
      ValueRange(), ValueRange(), w, ValueRange(), ValueRange(), bias,
      b.getDenseI64ArrayAttr({1}), b.getDenseI64ArrayAttr({0, 0}),
      b.getDenseI64ArrayAttr({1}), b.getI64IntegerAttr(sizeOf(w, 0)),
      FormatAttr(), FormatAttr());
  if (failed(node.finish(conv)))
    return failure();
  Value result = conv.getResult();
  if (activation != "none")
    result = c.of<SiluOp>(result);
  Value last = before == 0 ? c.slice(all, 2, 0, 0)
                           : c.slice(all, 2, -before,
                                     std::numeric_limits<int64_t>::max());
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, last)));
}

ArrayRef<Operator> qopt::importer::getAttentionOperators() {
  static constexpr Operator rows[] = {
      {"Attention", 23, 3, 7, importAttention},
      {"CausalConvWithState", 27, 2, 4, importCausalConvWithState},
      {"RotaryEmbedding", 23, 3, 4, importRotaryEmbedding,
       "heads of known size"},
  };
  return rows;
}
