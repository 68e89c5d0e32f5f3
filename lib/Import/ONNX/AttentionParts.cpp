//===- AttentionParts.cpp - What attention is made of ---------------------===//
//
// A row that may look at nothing is zeros where it can be: softmax alone would
// make NaN of it. Heads that share keys are rows of one matrix, so that keys
// are never copied for each head.
//
//===----------------------------------------------------------------------===//

#include "AttentionParts.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

Type qopt::importer::widerOf(Value x) {
  Type type = getElementType(x);
  return type.isF64() ? type : Float32Type::get(x.getContext());
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

Value qopt::importer::splitHeads(Composer &c, Value x, int64_t heads) {
  NodeImporter &node = c.getNode();
  int64_t width = sizeOf(x, 2);
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

Value qopt::importer::toHeads(Composer &c, Value x, int64_t heads) {
  if (getRank(x) == 4)
    return x;
  return c.transpose(splitHeads(c, x, heads), {0, 2, 1, 3});
}

Value qopt::importer::joinHeads(Composer &c, Value x) {
  Value rows = c.transpose(x, {0, 2, 1, 3});
  if (!rows)
    return {};
  int64_t heads = sizeOf(rows, 2), size = sizeOf(rows, 3);
  bool areKnown = isKnown(heads) && isKnown(size);
  return areKnown
             ? c.reshape(rows, {0, 0, heads * size})
             : c.reshape(rows, c.concat({c.shapeOf(rows, 0, 2),
                                         c.productOf(c.shapeOf(rows, 2, 4))},
                                        0));
}

//===----------------------------------------------------------------------===//
// Heads that share keys
//===----------------------------------------------------------------------===//

namespace {
/// N query heads as K matrices of G * S rows.
struct Groups {
  Composer &c;
  Value queries, keys;
  bool areEqual;

  Groups(Composer &c, Value queries, Value keys)
      : c(c), queries(queries), keys(keys) {
    int64_t n = sizeOf(queries, 1), k = sizeOf(keys, 1);
    areEqual = isKnown(n) && n == k;
  }

  /// G, as a list of one.
  Value size() {
    int64_t n = sizeOf(queries, 1), k = sizeOf(keys, 1);
    if (isKnown(n) && isKnown(k))
      return c.integers(n / k);
    return c.div(c.dimOf(queries, 1), c.dimOf(keys, 1));
  }

  /// [B, N, S, X] to [B, K, G * S, X].
  Value group(Value x) {
    if (areEqual || !x)
      return x;
    return c.reshape(x, c.concat({c.dimOf(x, 0), c.dimOf(keys, 1),
                                  c.mul(c.dimOf(x, 2), size()), c.dimOf(x, 3)},
                                 0));
  }

  /// And back.
  Value ungroup(Value x) {
    if (areEqual || !x)
      return x;
    return c.reshape(
        x,
        c.concat({c.dimOf(x, 0), c.shapeOf(queries, 1, 3), c.dimOf(x, 3)}, 0));
  }

  /// What broadcasts to [B, N, S, T] as what does to [B, K, G * S, T].
  Value groupMask(Value x) {
    if (areEqual || !x)
      return x;
    x = c.unsqueeze(x, llvm::to_vector(llvm::seq<int64_t>(0, 4 - getRank(x))));
    if (!x)
      return {};
    Value one = c.integers(1);
    if (sizeOf(x, 1) != 1) {
      x = c.expand(x, c.concat({one, c.shapeOf(queries, 1, 3), one}, 0));
      return group(x);
    }
    if (sizeOf(x, 2) == 1)
      return x;
    Value rows = c.dimOf(queries, 2);
    Value copies =
        c.expand(c.unsqueeze(x, 2), c.concat({one, one, size(), rows, one}, 0));
    return c.reshape(
        copies,
        c.concat({c.dimOf(x, 0), one, c.mul(rows, size()), c.dimOf(x, 3)}, 0));
  }
};
} // namespace

static bool checkHeads(Composer &c, const HeadAttention &attention) {
  int64_t heads = sizeOf(attention.q, 1), keys = sizeOf(attention.k, 1);
  if (!isKnown(heads) || !isKnown(keys) || (keys != 0 && heads % keys == 0))
    return true;
  (void)c.getNode().fail(malformed("expects heads of queries that those of "
                                   "keys divide, but found " +
                                   Twine(heads) + " and " + Twine(keys)));
  return false;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// 1 / sqrt(size of a head).
static Value getDefaultScale(Composer &c, Value queries) {
  Type f32 = c.getNode().getBuilder().getF32Type();
  int64_t size = sizeOf(queries, 3);
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
    return c.mul(c.matmul(queries, turned), scale);
  Value root = c.cast(c.of<SqrtOp>(scale), type);
  return c.matmul(c.mul(queries, root), c.mul(turned, root));
}

/// What is not allowed is minus infinity.
static Value getSummand(Composer &c, const Looks &looks, Type type) {
  if (!looks.allowed)
    return looks.bias;
  Value others = looks.bias ? looks.bias : c.number(0, type);
  return c.where(looks.allowed, others, c.number(-kInfinity, type));
}

/// Shares of the scores; `sinks` are [1, K, G, 1, 1] or null.
static Value makeShares(Composer &c, Value scores, Value sinks,
                        bool mayBeEmpty) {
  if (!sinks) {
    Value shares = c.softmax(scores, 3);
    if (!mayBeEmpty)
      return shares;
    Value most = c.reduce(ReduceKind::Max, scores, ArrayRef<int64_t>{3});
    return c.where(c.test<EqualOp>(most, -kInfinity), 0, shares);
  }
  Value column =
      c.expand(sinks, c.concat({c.shapeOf(scores, 0, 3), c.integers(1)}, 0));
  Value all = c.softmax(c.concat({scores, column}, 3), 3);
  return c.slice(all, 3, c.integers(0), c.dimOf(scores, 3));
}

Value qopt::importer::attend(Composer &c, HeadAttention &parts) {
  if (!parts.q || !parts.k || !parts.v || !checkHeads(c, parts))
    return {};
  Groups groups(c, parts.q, parts.k);
  Value scale = parts.scale;
  if (!scale)
    scale = c.cast(getDefaultScale(c, parts.q), widerOf(parts.q));
  Value stages[4];
  Value scores = multiplyKeys(c, groups.group(parts.q), parts.k, scale);
  if (!scores)
    return {};
  stages[0] = scores;
  if (parts.softcap != 0)
    scores = c.mul(c.of<TanhOp>(c.div(scores, parts.softcap)), parts.softcap);
  stages[1] = scores;
  Type type = getElementType(stages[0]);
  if (Value summand = getSummand(c, parts.looks, type))
    scores = c.add(scores, groups.groupMask(summand));
  stages[2] = scores;
  Value sinks;
  if (parts.sinks) {
    // One for each row of a group.
    sinks = c.unsqueeze(c.cast(parts.sinks, type), {0, 2, 3});
    sinks = groups.groupMask(c.expand(
        sinks,
        c.concat({c.integers(1), c.shapeOf(parts.q, 1, 3), c.integers(1)}, 0)));
  }
  Value exact = c.cast(scores, parts.precision ? parts.precision : type);
  Value shares =
      c.cast(makeShares(c, exact, sinks, parts.looks.mayBeEmpty), type);
  stages[3] = shares;
  if (parts.mode >= 0)
    parts.scores = groups.ungroup(stages[parts.mode]);
  return groups.ungroup(c.matmul(shares, parts.v));
}

void qopt::importer::limitPositions(Composer &c, Value queries, Value keys,
                                    Value first, bool isCausal, int64_t left,
                                    int64_t right, Looks &looks) {
  if (!queries || !keys || (!isCausal && left < 0 && right < 0))
    return;
  Value row = c.positionsOf(keys, 2);
  Value column = c.positionsOf(queries, 2);
  if (first && getRank(first) == 1) {
    // A range to a sum of dims: that keeps the number of rows known.
    column = c.range(first, c.add(first, c.dimOf(queries, 2)));
    first = {};
  }
  column = c.unsqueeze(column, 1);
  if (first)
    column = c.add(column, first);
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

//===----------------------------------------------------------------------===//
// Positions that turn
//===----------------------------------------------------------------------===//

Value qopt::importer::rotate(Composer &c, Value x, Value cosines, Value sines,
                             int64_t rotated, bool isInterleaved) {
  NodeImporter &node = c.getNode();
  int64_t size = x ? sizeOf(x, 3) : 0;
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

Value qopt::importer::pickAngles(Composer &c, Value cache, Value positions) {
  if (positions)
    cache = c.gather(cache, positions, 0);
  return c.unsqueeze(cache, 2);
}

LogicalResult qopt::importer::rotateInput(NodeImporter &node, Value cosines,
                                          Value sines, Value positions) {
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
    heads = isKnown(sizeOf(x, 2)) && isKnown(getType(cosines).getShape().back())
                ? sizeOf(x, 2) / (2 * getType(cosines).getShape().back())
                : 0;
  Value rows = isFlat ? splitHeads(c, x, heads) : c.swapAxes(x, 1, 2);
  Value result =
      rotate(c, rows, pickAngles(c, cosines, positions),
             pickAngles(c, sines, positions), rotated, isInterleaved);
  return node.setOutput(0, isFlat ? c.reshape(result, c.shapeOf(x))
                                  : c.swapAxes(result, 1, 2));
}
