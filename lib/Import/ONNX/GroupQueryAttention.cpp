//===- GroupQueryAttention.cpp - Attention of decoders with a cache -------===//
//
// The cache may be as long as what is in it, or a buffer with room behind it:
// each sequence of the batch has its own number of keys. New keys are written
// behind those that count, and a longer total makes the cache longer.
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
struct Inputs {
  Value q, k, v, pastK, pastV, lengths, total, cosines, sines, positions, bias,
      sinks;
};
} // namespace

/// Queries, keys and values of one tensor.
static LogicalResult unpack(Composer &c, Inputs &in, int64_t heads,
                            int64_t keyHeads) {
  int64_t width = sizeOf(in.q, 2), all = heads + 2 * keyHeads;
  if (!isKnown(width) || width % all != 0)
    return c.getNode().fail(malformed("expects queries, keys and values of " +
                                      Twine(all) + " heads, but found " +
                                      toString(in.q.getType())));
  int64_t size = width / all;
  SmallVector<Value> parts =
      c.split(in.q, 2, {heads * size, keyHeads * size, keyHeads * size});
  in.q = parts[0];
  in.k = parts[1];
  in.v = parts[2];
  return success(in.q != nullptr);
}

static LogicalResult readInputs(Composer &c, Inputs &in, int64_t heads,
                                int64_t keyHeads) {
  NodeImporter &node = c.getNode();
  in = {node.getInput(0), node.getInput(1),  node.getInput(2),
        node.getInput(3), node.getInput(4),  node.getInput(5),
        node.getInput(6), node.getInput(7),  node.getInput(8),
        node.getInput(9), node.getInput(10), node.getInput(11)};
  for (size_t i = 12; i < node.getNumInputs(); ++i)
    if (node.getInput(i))
      return node.fail(unsupported(
          i < 14 ? "scales of a cache of codes are not supported"
                 : "weights that normalize queries and keys are not "
                   "supported"));
  if (heads <= 0 || keyHeads <= 0 || heads % keyHeads != 0)
    return node.fail(malformed("expects kv_num_heads that divide num_heads, "
                               "but found " +
                               Twine(keyHeads) + " and " + Twine(heads)));
  if (failed(node.expectFloat(in.q)) ||
      failed(node.expectRank(in.q, 3, "query")))
    return failure();
  if (getRank(in.q) != 3 || !in.k != !in.v || !in.pastK != !in.pastV)
    return node.fail(malformed("expects a query of three axes, a key with each "
                               "value, and past keys with past values"));
  if (!in.lengths || !in.total ||
      failed(node.expectIndices(in.lengths, "seqlens_k")) ||
      failed(node.expectIndices(in.total, "total_sequence_length")))
    return node.fail(malformed("expects seqlens_k and total_sequence_length"));
  if (!in.k && failed(unpack(c, in, heads, keyHeads)))
    return failure();
  for (Value x : {in.k, in.v, in.pastK, in.pastV})
    if (x && failed(node.expectSameElementType(in.q, x)))
      return failure();
  if (in.pastK && (getRank(in.pastK) != 4 || getRank(in.pastV) != 4))
    return node.fail(malformed("expects a past of four axes, but found " +
                               toString(in.pastK.getType())));
  return success();
}

/// Keys or values [B, K, S, H] written into the cache at `slots` [B, S], which
/// is made as long as `total` where it is shorter.
static Value append(Composer &c, Value past, Value fresh, Value slots,
                    Value total) {
  NodeImporter &node = c.getNode();
  if (!past || !fresh || !slots)
    return {};
  Value missing = c.of<MaxOp>(c.sub(total, c.dimOf(past, 2)), c.integers(0));
  Value none = c.expand(
      c.number(0, fresh),
      c.concat({c.shapeOf(fresh, 0, 2), missing, c.dimOf(fresh, 3)}, 0));
  Value buffer = c.concat({past, none}, 2);
  Value indices = c.expand(c.unsqueeze(slots, {1, 3}), c.shapeOf(fresh));
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Set);
  return c.make<ScatterElementsOp>(
      {buffer, indices, fresh},
      {node.attr("axis", int64_t(2)), node.attr("kind", kind)});
}

/// Attributes that the CPU kernel takes only as they are by default.
static LogicalResult checkAttributes(NodeImporter &node) {
  for (StringRef name : {"qk_output", "sliding_window_cache"})
    if (node.getInt(name, 0) != 0)
      return node.fail(unsupported("expects " + name +
                                   " = 0, but found "
                                   "another"));
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (node.getString(name, "NONE") != "NONE")
      return node.fail(unsupported("a cache of codes is not supported"));
  node.ignoreAttribute("kv_cache_bit_width");
  node.ignoreAttribute("qk_norm_epsilon");
  return success();
}

LogicalResult qopt::importer::importGroupQueryAttention(NodeImporter &node) {
  Composer c(node);
  int64_t heads = node.getInt("num_heads", 0);
  int64_t keyHeads = node.getInt("kv_num_heads", 0);
  bool isRotated = node.getInt("do_rotary", 0) != 0;
  bool isInterleaved = node.getInt("rotary_interleaved", 0) != 0;
  bool isCausal = node.getInt("causal", 1) != 0;
  int64_t window = node.getInt("local_window_size", -1);
  float scale = node.getFloat("scale", 0);
  bool isSmooth = node.getInt("smooth_softmax", -1) > 0;
  Inputs in;
  if (failed(readInputs(c, in, heads, keyHeads)) ||
      failed(checkAttributes(node)))
    return failure();
  Type i64 = node.getBuilder().getI64Type();
  Value total = c.reshape(c.cast(in.total, i64), {1});
  Value lengths = c.cast(in.lengths, i64); // [B, 1]
  lengths = getRank(in.lengths) == 1 ? c.unsqueeze(lengths, {1})
                                     : c.reshape(lengths, {-1, 1});
  Value count = c.dimOf(in.q, 1);
  // The position of the first new key, and so of all, [B, S].
  Value first;
  if (in.pastK) {
    first = c.sub(c.add(lengths, 1.0), count);
    // A prompt may be shorter than its row; it begins at 0 all the same.
    first = c.where(c.test<EqualOp>(total, count), 0, first);
  }
  Value slots = c.unsqueeze(c.positionsOf(in.q, 1), 0);
  if (first)
    slots = c.add(slots, first);
  Value q = splitHeads(c, in.q, heads), k = splitHeads(c, in.k, keyHeads);
  if (isRotated) {
    if (!in.cosines || !in.sines)
      return node.fail(malformed("expects tables of cosines and sines"));
    Value positions = in.positions ? in.positions : slots;
    Value cosines = pickAngles(c, in.cosines, positions);
    Value sines = pickAngles(c, in.sines, positions);
    int64_t half = cosines ? sizeOf(cosines, 3) : 0;
    if (!isKnown(half))
      return node.fail(unsupported("expects tables of known width, but found " +
                                   toString(in.cosines.getType())));
    q = rotate(c, q, cosines, sines, 2 * half, isInterleaved);
    k = rotate(c, k, cosines, sines, 2 * half, isInterleaved);
  }
  HeadAttention parts;
  parts.q = c.swapAxes(q, 1, 2);
  parts.k = c.swapAxes(k, 1, 2);
  parts.v = toHeads(c, in.v, keyHeads);
  if (in.pastK) {
    parts.k = append(c, in.pastK, parts.k, slots, total);
    parts.v = append(c, in.pastV, parts.v, slots, total);
  }
  if (!parts.q || !parts.k || !parts.v)
    return failure();
  if (in.bias)
    parts.looks.bias = c.cast(in.bias, getElementType(parts.q));
  Value from = first ? c.unsqueeze(first, {1, 2}) : first;
  limitPositions(c, parts.q, parts.k, from, isCausal,
                 window > 0 ? window - 1 : -1, -1, parts.looks);
  // Slots behind the last key of a sequence; in front of it nothing is empty.
  if (!isCausal)
    parts.looks.allow(c, c.test<LessOrEqualOp>(c.positionsOf(parts.k, 2),
                                               c.unsqueeze(lengths, {1, 2})));
  parts.looks.mayBeEmpty = false;
  parts.softcap = node.getFloat("softcap", 0);
  if (scale != 0)
    parts.scale = c.number(scale, widerOf(parts.q));
  parts.sinks = in.sinks;
  if (isSmooth && !in.sinks)
    parts.sinks = c.expand(c.number(0, parts.q), c.integers(heads));
  Value result = joinHeads(c, attend(c, parts));
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, parts.k)) &&
                 succeeded(node.setOutput(2, parts.v)));
}
