//===- AttentionOperators.cpp - Attention and what goes with it -----------===//
//
// Written as products, masks and a softmax, which later passes recognise. A
// row that may look at nothing is zeros: softmax alone would make NaN of it.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static int64_t dimOf(Value x, int64_t axis) {
  return getType(x).getDimSize(axis);
}

static bool isKnown(int64_t dim) { return !ShapedType::isDynamic(dim); }

/// A type that holds sums of products of `x`.
static Type widerOf(Value x) {
  Type type = getElementType(x);
  return type.isF64() ? type : Float32Type::get(x.getContext());
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// [B, S, N * H] to [B, S, N, H].
static Value splitHeads(Composer &c, Value x, int64_t heads) {
  NodeImporter &node = c.getNode();
  int64_t width = dimOf(x, 2);
  if (heads <= 0 || (isKnown(width) && width % heads != 0)) {
    (void)node.fail(malformed("expects a number of heads that divides " +
                              toString(x.getType()) + ", but found " +
                              Twine(heads)));
    return {};
  }
  if (isKnown(width))
    return c.reshape(x, {0, 0, heads, width / heads});
  return c.reshape(x, {0, 0, heads, -1});
}

/// [B, N, S, H] of what has three axes or four.
static Value toHeads(Composer &c, Value x, int64_t heads) {
  if (getRank(x) == 4)
    return x;
  return c.transpose(splitHeads(c, x, heads), {0, 2, 1, 3});
}

/// [B, N, S, H] to [B, S, N * H].
static Value joinHeads(Composer &c, Value x) {
  Value rows = c.transpose(x, {0, 2, 1, 3});
  if (!rows)
    return {};
  int64_t heads = dimOf(rows, 2), size = dimOf(rows, 3);
  bool areKnown = isKnown(heads) && isKnown(size);
  return areKnown
             ? c.reshape(rows, {0, 0, heads * size})
             : c.reshape(rows, c.concat({c.shapeOf(rows, 0, 2),
                                         c.productOf(c.shapeOf(rows, 2, 4))},
                                        0));
}

/// [B, G * K, S, H] as [B, K, G * S, H]: the heads that share keys.
static Value groupHeads(Composer &c, Value x, Value keys) {
  Value dims =
      c.concat({c.shapeOf(x, 0, 1), c.shapeOf(keys, 1, 2),
                c.div(c.productOf(c.shapeOf(x, 1, 3)), c.dimOf(keys, 1)),
                c.shapeOf(x, 3, 4)},
               0);
  return c.reshape(x, dims);
}

/// A product of two tensors of heads, of which the right one may have fewer.
static Value multiplyHeads(Composer &c, Value x, Value y) {
  if (!x || !y)
    return {};
  int64_t heads = dimOf(x, 1), keys = dimOf(y, 1);
  if (isKnown(heads) && isKnown(keys) && (keys == 0 || heads % keys != 0)) {
    (void)c.getNode().fail(malformed("expects heads of queries that those of "
                                     "keys divide, but found " +
                                     Twine(heads) + " and " + Twine(keys)));
    return {};
  }
  if (heads == keys && isKnown(keys))
    return c.matmul(x, y);
  Value product = c.matmul(groupHeads(c, x, y), y);
  return c.reshape(product,
                   c.concat({c.shapeOf(x, 0, 3), c.shapeOf(y, 3, 4)}, 0));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// What a query may look at.
struct Looks {
  /// Booleans that broadcast to [B, N, S, T]; null for everything.
  Value allowed;
  /// A summand of the scores; null for none.
  Value bias;
  /// Whether a row may have nothing to look at.
  bool mayBeEmpty = false;

  void allow(Composer &c, Value more) {
    allowed = allowed ? c.of<AndOp>(allowed, more) : more;
  }
};

struct Scores {
  /// Before the softcap, behind it, behind the mask, and as shares.
  Value stages[4];
};
} // namespace

/// Fills the last axis of a mask up to `size`, which the keys have.
static Value padMask(Composer &c, Value mask, Value keys, double fill) {
  NodeImporter &node = c.getNode();
  if (!mask || !keys || getRank(mask) == 0)
    return mask;
  int64_t have = getType(mask).getShape().back(), want = dimOf(keys, 2);
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

/// Softmax of what is left; `precision` is the type of its numbers.
static Scores makeScores(Composer &c, Value scores, double softcap,
                         const Looks &looks, Type precision) {
  Scores result;
  result.stages[0] = scores;
  if (softcap != 0)
    scores = c.mul(c.of<TanhOp>(c.div(scores, softcap)), softcap);
  result.stages[1] = scores;
  if (looks.bias)
    scores = c.add(scores, looks.bias);
  if (looks.allowed)
    scores = c.where(looks.allowed, scores, -kInfinity);
  result.stages[2] = scores;
  if (!scores)
    return result;
  Type type = getElementType(scores);
  Value exact = c.cast(scores, precision ? precision : type);
  Value shares = c.softmax(exact, 3);
  if (looks.mayBeEmpty) {
    Value most = c.reduce(ReduceKind::Max, exact, ArrayRef<int64_t>{3});
    shares = c.where(c.test<EqualOp>(most, -kInfinity), 0, shares);
  }
  result.stages[3] = c.cast(shares, type);
  return result;
}

/// 1 / sqrt(size of a head).
static Value getDefaultScale(Composer &c, Value queries) {
  Type f32 = c.getNode().getBuilder().getF32Type();
  int64_t size = dimOf(queries, 3);
  if (isKnown(size))
    return c.number(size == 0 ? 1 : 1 / std::sqrt(static_cast<double>(size)),
                    f32);
  return c.div(1, c.of<SqrtOp>(c.cast(c.dimOf(queries, 3), f32)));
}

/// The scores in front of everything else. Narrow types multiply both sides by
/// the root of the scale, as the function of the schema does.
static Value multiplyKeys(Composer &c, Value queries, Value keys, Value scale) {
  Value turned = c.transpose(keys, {0, 1, 3, 2});
  if (!turned || !scale)
    return {};
  Type type = getElementType(queries);
  if (type == getElementType(scale))
    return c.mul(multiplyHeads(c, queries, turned), scale);
  Value root = c.cast(c.of<SqrtOp>(scale), type);
  return multiplyHeads(c, c.mul(queries, root), c.mul(turned, root));
}

/// Positions of queries and keys: a column [S, 1] and a row [T].
static Value getColumn(Composer &c, Value queries) {
  return c.unsqueeze(c.positionsOf(queries, 2), 1);
}

/// What the attributes allow; `offset` is the position of the first query.
static void limitPositions(Composer &c, Value queries, Value keys, Value offset,
                           bool isCausal, int64_t left, int64_t right,
                           Looks &looks) {
  if (!isCausal && left < 0 && right < 0)
    return;
  Value row = c.positionsOf(keys, 2), column = getColumn(c, queries);
  if (offset)
    column = c.add(column, offset);
  if (isCausal)
    looks.allow(c, c.test<LessOrEqualOp>(row, column));
  if (left >= 0)
    looks.allow(c, c.test<GreaterOrEqualOp>(
                       row, c.sub(column, static_cast<double>(left))));
  if (right >= 0)
    looks.allow(c, c.test<LessOrEqualOp>(
                       row, c.add(column, static_cast<double>(right))));
  looks.mayBeEmpty |= left >= 0 || right >= 0;
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
  Value scale = node.hasAttribute("scale")
                    ? c.number(node.getFloat("scale", 1), widerOf(q))
                    : c.cast(getDefaultScale(c, q), widerOf(q));
  Scores scores =
      makeScores(c, multiplyKeys(c, q, k, scale), softcap, looks, precision);
  Value result = multiplyHeads(c, scores.stages[3], v);
  if (isFlat)
    result = joinHeads(c, result);
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, k)) &&
                 succeeded(node.setOutput(2, v)) &&
                 succeeded(node.setOutput(3, scores.stages[mode])));
}

//===----------------------------------------------------------------------===//
// Positions that turn
//===----------------------------------------------------------------------===//

/// Rotates the first elements of `x` [B, S, N, H] by angles whose cosines and
/// sines are [B, S, 1, R / 2].
static Value rotate(Composer &c, Value x, Value cosines, Value sines,
                    int64_t rotated, bool isInterleaved) {
  NodeImporter &node = c.getNode();
  int64_t size = x ? dimOf(x, 3) : 0;
  if (!x || !cosines || !sines)
    return {};
  if (!isKnown(size)) {
    (void)node.fail(unsupported("expects heads of known size, but found " +
                                toString(x.getType())));
    return {};
  }
  rotated = rotated == 0 ? size : rotated;
  if (rotated < 0 || rotated > size || rotated % 2 != 0) {
    (void)node.fail(malformed("expects an even number of elements to rotate, "
                              "at most " +
                              Twine(size) + ", but found " + Twine(rotated)));
    return {};
  }
  int64_t half = rotated / 2;
  Value part = rotated == size ? x : c.slice(x, 3, 0, rotated);
  Value first, second;
  if (isInterleaved) {
    Value pairs = c.reshape(part, {0, 0, 0, half, 2});
    first = c.squeeze(c.slice(pairs, 4, 0, 1), 4);
    second = c.squeeze(c.slice(pairs, 4, 1, 2), 4);
  } else {
    first = c.slice(part, 3, 0, half);
    second = c.slice(part, 3, half, rotated);
  }
  Value a = c.sub(c.mul(first, cosines), c.mul(second, sines));
  Value b = c.add(c.mul(second, cosines), c.mul(first, sines));
  Value turned =
      isInterleaved
          ? c.reshape(c.concat({c.unsqueeze(a, 4), c.unsqueeze(b, 4)}, 4),
                      {0, 0, 0, rotated})
          : c.concat({a, b}, 3);
  if (rotated == size)
    return turned;
  return c.concat({turned, c.slice(x, 3, rotated, size)}, 3);
}

/// Rows of a cache [max, R / 2] at positions [B, S], or a cache that has one
/// row for each already, as [B, S, 1, R / 2].
static Value pickAngles(Composer &c, Value cache, Value positions) {
  if (positions)
    cache = c.gather(cache, positions, 0);
  return c.unsqueeze(cache, 2);
}

static LogicalResult rotateInput(NodeImporter &node, Value cosines, Value sines,
                                 Value positions) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t heads = node.getInt("num_heads", 0);
  int64_t rotated = node.getInt("rotary_embedding_dim", 0);
  bool isInterleaved = node.getInt("interleaved", 0) != 0;
  bool isFlat = getRank(x) == 3;
  if (failed(node.expectFloat(x)))
    return failure();
  if (!isFlat && getRank(x) != 4)
    return node.fail(malformed("expects three axes or four, but found " +
                               toString(x.getType())));
  if (isFlat && heads == 0 && rotated == 0)
    // All that is known: a head is as wide as the angles of a row twice.
    heads = isKnown(dimOf(x, 2)) && isKnown(getType(cosines).getShape().back())
                ? dimOf(x, 2) / (2 * getType(cosines).getShape().back())
                : 0;
  Value rows = isFlat ? splitHeads(c, x, heads) : c.swapAxes(x, 1, 2);
  Value result =
      rotate(c, rows, pickAngles(c, cosines, positions),
             pickAngles(c, sines, positions), rotated, isInterleaved);
  return node.setOutput(0, isFlat ? c.reshape(result, c.shapeOf(x))
                                  : c.swapAxes(result, 1, 2));
}

static LogicalResult importRotaryEmbedding(NodeImporter &node) {
  Value positions = node.getInput(3);
  if (positions && failed(node.expectIndices(positions, "position_ids")))
    return failure();
  return rotateInput(node, node.getInput(1), node.getInput(2), positions);
}

/// With positions second; one number is that of the first row.
static LogicalResult importRotaryOfMicrosoft(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), positions = node.getInput(1);
  node.ignoreAttribute("scale"); // ONNX Runtime's CPU kernel does, too
  if (node.getInt("is_packed_batching", 0) != 0)
    return node.fail(unsupported("expects is_packed_batching = 0, but found "
                                 "another"));
  if (failed(node.expectIndices(positions, "position_ids")))
    return failure();
  if (getRank(positions) == 1) {
    Value first = c.cast(positions, node.getBuilder().getI64Type());
    int64_t axis = getRank(x) == 3 ? 1 : 2;
    if (getRank(x) != 3 && getRank(x) != 4)
      return node.fail(malformed("expects three axes or four, but found " +
                                 toString(x.getType())));
    positions = c.unsqueeze(c.add(c.positionsOf(x, axis), first), 0);
  }
  return positions
             ? rotateInput(node, node.getInput(2), node.getInput(3), positions)
             : failure();
}

//===----------------------------------------------------------------------===//
// com.microsoft
//===----------------------------------------------------------------------===//

/// What is masked gets -10000 added, not minus infinity.
static Value keepBias(Composer &c, Value kept, float fill, Type type) {
  Value bias = c.where(kept, c.number(0, type), c.number(fill, type));
  return bias;
}

/// [B], [B, T] or [B, S, T] as what broadcasts to [B, N, S, T]; 0 is masked.
static Value readKeyMask(Composer &c, Value mask, Value keys) {
  if (getRank(mask) == 1) // the number of keys
    return c.test<LessOp>(
        c.positionsOf(keys, 2),
        c.unsqueeze(c.cast(mask, c.getNode().getBuilder().getI64Type()),
                    {1, 2, 3}));
  Value kept = c.negate(c.test<EqualOp>(mask, 0.0));
  return getRank(mask) == 2 ? c.unsqueeze(kept, {1, 2}) : c.unsqueeze(kept, 1);
}

namespace {
/// Attention on heads [B, N, S, H] as com.microsoft has it.
struct HeadAttention {
  Value q, k, v, keyMask, bias;
  /// The position of the first query; null for 0.
  Value offset;
  bool isCausal = false;
};
} // namespace

static Value makeHeadAttention(Composer &c, const HeadAttention &parts) {
  NodeImporter &node = c.getNode();
  if (!parts.q || !parts.k || !parts.v)
    return {};
  Type type = getElementType(parts.q);
  float fill = node.getFloat("mask_filter_value", -10000.0f);
  float scale = node.getFloat("scale", 0);
  Looks looks;
  looks.bias = parts.bias;
  if (parts.keyMask) {
    if (getRank(parts.keyMask) < 1 || getRank(parts.keyMask) > 3) {
      (void)node.fail(unsupported("a mask of this rank is not supported: " +
                                  toString(parts.keyMask.getType())));
      return {};
    }
    Value added =
        keepBias(c, readKeyMask(c, parts.keyMask, parts.k), fill, type);
    looks.bias = looks.bias ? c.add(looks.bias, added) : added;
  }
  limitPositions(c, parts.q, parts.k, parts.offset, parts.isCausal, -1, -1,
                 looks);
  Value factor = scale != 0
                     ? c.number(scale, widerOf(parts.q))
                     : c.cast(getDefaultScale(c, parts.q), widerOf(parts.q));
  Scores scores =
      makeScores(c, multiplyKeys(c, parts.q, parts.k, factor), 0, looks, {});
  return joinHeads(c, multiplyHeads(c, scores.stages[3], parts.v));
}

/// query, key, value [B, S, N * H], or keys and values [B, N, S, H].
static LogicalResult importMultiHeadAttention(NodeImporter &node) {
  Composer c(node);
  int64_t heads = node.getInt("num_heads", 0);
  Value q = node.getInput(0), k = node.getInput(1), v = node.getInput(2);
  Value bias = node.getInput(3);
  Value pastK = node.getInput(6), pastV = node.getInput(7);
  if (failed(node.expectFloat(q)))
    return failure();
  if (!k || !v || getRank(q) != 3)
    return node.fail(unsupported("packed queries, keys and values are not "
                                 "supported"));
  if (node.getNumInputs() > 8)
    return node.fail(unsupported("cache_indirection and what follows it are "
                                 "not supported"));
  if (bias) {
    int64_t width = dimOf(q, 2), keyWidth = getRank(k) == 3 ? dimOf(k, 2) : -1;
    if (getRank(k) != 3 || getRank(bias) != 1 || !isKnown(width) ||
        !isKnown(keyWidth))
      return node.fail(unsupported("a bias needs queries and keys of three "
                                   "axes and known width"));
    q = c.add(q, c.slice(bias, 0, 0, width));
    k = c.add(k, c.slice(bias, 0, width, width + keyWidth));
    v = c.add(v, c.slice(bias, 0, width + keyWidth,
                         std::numeric_limits<int64_t>::max()));
    if (!q || !k || !v)
      return failure();
  }
  HeadAttention parts;
  parts.q = toHeads(c, q, heads);
  parts.k = toHeads(c, k, heads);
  parts.v = toHeads(c, v, heads);
  parts.keyMask = node.getInput(4);
  parts.bias = node.getInput(5);
  parts.isCausal = node.getInt("unidirectional", 0) != 0;
  if (pastK && pastV) {
    parts.offset = c.dimOf(pastK, 2);
    parts.k = c.concat({pastK, parts.k}, 2);
    parts.v = c.concat({pastV, parts.v}, 2);
  }
  return success(succeeded(node.setOutput(0, makeHeadAttention(c, parts))) &&
                 succeeded(node.setOutput(1, parts.k)) &&
                 succeeded(node.setOutput(2, parts.v)));
}

/// One product makes queries, keys and values.
static LogicalResult importAttentionOfMicrosoft(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), weights = node.getInput(1);
  Value bias = node.getInput(2), past = node.getInput(4);
  int64_t heads = node.getInt("num_heads", 0);
  SmallVector<int64_t> sizes = node.getInts("qkv_hidden_sizes");
  if (node.getInt("do_rotary", 0) != 0 || node.getNumInputs() > 6)
    return node.fail(unsupported("do_rotary and past_sequence_length are not "
                                 "supported"));
  if (failed(node.expectFloat(x)) || getRank(x) != 3 || getRank(weights) != 2 ||
      !isKnown(dimOf(weights, 1)))
    return node.fail(unsupported("expects floats of three axes and weights of "
                                 "known width"));
  if (sizes.empty())
    sizes.assign(3, dimOf(weights, 1) / 3);
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != dimOf(weights, 1))
    return node.fail(malformed("attribute \"qkv_hidden_sizes\" expects three "
                               "numbers with a sum of " +
                               Twine(dimOf(weights, 1))));
  Value all = c.matmul(x, weights);
  if (bias)
    all = c.add(all, bias);
  auto part = [&](int64_t start, int64_t size) {
    Value flat = c.slice(all, 2, start, start + size);
    return flat ? toHeads(c, flat, heads) : Value();
  };
  HeadAttention parts;
  parts.q = part(0, sizes[0]);
  parts.k = part(sizes[0], sizes[1]);
  parts.v = part(sizes[0] + sizes[1], sizes[2]);
  parts.keyMask = node.getInput(3);
  parts.bias = node.getInput(5);
  parts.isCausal = node.getInt("unidirectional", 0) != 0;
  if (past) {
    Value pastK = c.squeeze(c.slice(past, 0, 0, 1), 0);
    Value pastV = c.squeeze(c.slice(past, 0, 1, 2), 0);
    parts.offset = c.dimOf(past, 3);
    parts.k = c.concat({pastK, parts.k}, 2);
    parts.v = c.concat({pastV, parts.v}, 2);
  }
  Value result = makeHeadAttention(c, parts);
  Value present =
      c.concat({c.unsqueeze(parts.k, 0), c.unsqueeze(parts.v, 0)}, 0);
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, present)));
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
  if (getRank(x) != 3 || getRank(w) != 3 || !isKnown(dimOf(w, 2)) ||
      !isKnown(dimOf(w, 0)))
    return node.fail(unsupported("expects three axes and weights of known "
                                 "dims, but found " +
                                 toString(x.getType()) + " and " +
                                 toString(w.getType())));
  if (activation != "none" && activation != "silu" && activation != "swish")
    return node.fail(malformed("attribute \"activation\" has no value " +
                               quote(activation)));
  int64_t before = dimOf(w, 2) - 1;
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
      b.getDenseI64ArrayAttr({1}), b.getI64IntegerAttr(dimOf(w, 0)),
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
      {"com.microsoft.Attention", 1, 2, 7, importAttentionOfMicrosoft,
       "no do_rotary; masks of one to three axes"},
      {"com.microsoft.MultiHeadAttention", 1, 1, 8, importMultiHeadAttention,
       "no packed inputs; masks of one to three axes"},
      {"com.microsoft.RotaryEmbedding", 1, 4, 4, importRotaryOfMicrosoft,
       "is_packed_batching = 0"},
  };
  return rows;
}
