//===- AttentionOfMicrosoft.cpp - Attention of com.microsoft --------------===//
//
// As ONNX Runtime's CPU kernels compute it. What a mask of keys leaves out gets
// a number added, not minus infinity: a row that is all masked is the softmax
// of its scores.
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "IntegerProducts.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

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
// Masks
//===----------------------------------------------------------------------===//

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

/// The attributes and the mask that Attention and MultiHeadAttention share;
/// `first` is the position of the first query, null for 0.
static Value attendWithMask(NodeImporter &node, HeadAttention &parts,
                            Value keyMask, Value bias, Value first) {
  Composer c(node);
  if (!parts.q || !parts.k || !parts.v)
    return {};
  Type type = getElementType(parts.q);
  float fill = node.getFloat("mask_filter_value", -10000.0f);
  float scale = node.getFloat("scale", 0);
  parts.looks.bias = bias;
  if (keyMask) {
    if (getRank(keyMask) < 1 || getRank(keyMask) > 3) {
      (void)node.fail(unsupported("a mask of this rank is not supported: " +
                                  toString(keyMask.getType())));
      return {};
    }
    Value added = c.where(readKeyMask(c, keyMask, parts.k), c.number(0, type),
                          c.number(fill, type));
    parts.looks.bias = bias ? c.add(bias, added) : added;
  }
  bool isCausal = node.getInt("unidirectional", 0) != 0;
  limitPositions(c, parts.q, parts.k, first, isCausal, -1, -1, parts.looks);
  if (scale != 0)
    parts.scale = c.number(scale, widerOf(parts.q));
  return joinHeads(c, attend(c, parts));
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

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
    int64_t width = sizeOf(q, 2),
            keyWidth = getRank(k) == 3 ? sizeOf(k, 2) : -1;
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
  Value first;
  if (pastK && pastV) {
    first = c.dimOf(pastK, 2);
    parts.k = c.concat({pastK, parts.k}, 2);
    parts.v = c.concat({pastV, parts.v}, 2);
  }
  Value result =
      attendWithMask(node, parts, node.getInput(4), node.getInput(5), first);
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, parts.k)) &&
                 succeeded(node.setOutput(2, parts.v)));
}

/// Attention over `all`, in which queries, keys and values of `sizes` stand
/// side by side on the last axis.
static LogicalResult attendToProduct(NodeImporter &node, Value all,
                                     ArrayRef<int64_t> sizes, Value keyMask,
                                     Value past, Value bias) {
  Composer c(node);
  int64_t heads = node.getInt("num_heads", 0);
  auto part = [&](int64_t start, int64_t size) {
    Value flat = c.slice(all, 2, start, start + size);
    return flat ? toHeads(c, flat, heads) : Value();
  };
  HeadAttention parts;
  parts.q = part(0, sizes[0]);
  parts.k = part(sizes[0], sizes[1]);
  parts.v = part(sizes[0] + sizes[1], sizes[2]);
  Value first;
  if (past) {
    Value pastK = c.squeeze(c.slice(past, 0, 0, 1), 0);
    Value pastV = c.squeeze(c.slice(past, 0, 1, 2), 0);
    first = c.dimOf(past, 3);
    parts.k = c.concat({pastK, parts.k}, 2);
    parts.v = c.concat({pastV, parts.v}, 2);
  }
  Value result = attendWithMask(node, parts, keyMask, bias, first);
  Value present =
      c.concat({c.unsqueeze(parts.k, 0), c.unsqueeze(parts.v, 0)}, 0);
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, present)));
}

/// One product makes queries, keys and values.
static LogicalResult importAttentionOfMicrosoft(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), weights = node.getInput(1);
  Value bias = node.getInput(2);
  SmallVector<int64_t> sizes = node.getInts("qkv_hidden_sizes");
  if (node.getInt("do_rotary", 0) != 0 || node.getNumInputs() > 6)
    return node.fail(unsupported("do_rotary and past_sequence_length are not "
                                 "supported"));
  if (failed(node.expectFloat(x)) || getRank(x) != 3 || getRank(weights) != 2 ||
      !isKnown(sizeOf(weights, 1)))
    return node.fail(unsupported("expects floats of three axes and weights of "
                                 "known width"));
  if (sizes.empty())
    sizes.assign(3, sizeOf(weights, 1) / 3);
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != sizeOf(weights, 1))
    return node.fail(malformed("attribute \"qkv_hidden_sizes\" expects three "
                               "numbers with a sum of " +
                               Twine(sizeOf(weights, 1))));
  Value all = c.matmul(x, weights);
  if (bias)
    all = c.add(all, bias);
  return attendToProduct(node, all, sizes, node.getInput(3), node.getInput(4),
                         node.getInput(5));
}

/// The product is one of codes: f32(sum) * (input scale * weight scale) + bias.
static LogicalResult importQAttention(NodeImporter &node) {
  Composer c(node);
  Value bias = node.getInput(2), x = node.getInput(0);
  Value weights = node.getInput(1);
  if (node.getInt("do_rotary", 0) != 0 ||
      node.getInt("past_present_share_buffer", 0) != 0)
    return node.fail(unsupported("do_rotary and past_present_share_buffer are "
                                 "not supported",
                                 "export the model without them"));
  if (getRank(x) != 3 || getRank(weights) != 2 || !isKnown(sizeOf(weights, 1)))
    return node.fail(unsupported("expects codes of three axes and weights of "
                                 "known width"));
  if (sizeOf(weights, 1) % 3 != 0)
    return node.fail(malformed("expects weights of queries, keys and values, "
                               "of one width, side by side, but found " +
                               toString(weights.getType())));
  std::optional<Codes> a = readCodes(node, 0, 6), b = readCodes(node, 1, 7);
  Value sums = a && b ? multiplyCodes(node, *a, *b) : Value();
  if (!sums)
    return failure();
  Value xScale = alongAxis(node, node.getInput(3), 3, 1, "a scale");
  Value wScale = alongAxis(node, node.getInput(4), 3, 2, "a scale");
  if (!xScale || !wScale ||
      failed(node.expectBroadcast({sums, xScale, wScale, bias})))
    return failure();
  Value reals = c.cast(sums, node.getBuilder().getF32Type());
  Value all = c.add(c.mul(reals, c.mul(xScale, wScale)), bias);
  SmallVector<int64_t> sizes(3, sizeOf(weights, 1) / 3);
  return attendToProduct(node, all, sizes, node.getInput(5), node.getInput(8),
                         Value());
}

ArrayRef<Operator> qopt::importer::getAttentionOperatorsOfMicrosoft() {
  static constexpr Operator rows[] = {
      {"com.microsoft.Attention", 1, 2, 7, importAttentionOfMicrosoft,
       "no do_rotary; masks of one to three axes"},
      {"com.microsoft.GroupQueryAttention", 1, 1, 16, importGroupQueryAttention,
       "a cache of floats; no norms of queries and keys"},
      {"com.microsoft.MultiHeadAttention", 1, 1, 8, importMultiHeadAttention,
       "no packed inputs; masks of one to three axes"},
      {"com.microsoft.QAttention", 1, 5, 9, importQAttention,
       "no do_rotary; masks of one to three axes"},
      {"com.microsoft.RotaryEmbedding", 1, 4, 4, importRotaryOfMicrosoft,
       "is_packed_batching = 0"},
  };
  return rows;
}
