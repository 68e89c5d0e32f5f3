//===- ShareHeads.cpp - Keys that are repeated for heads of queries -------===//
//
// Exporters repeat each head of keys and values for the heads of queries that
// share it. Such heads are rows of one head: each row is computed as before,
// and keys are read where they are.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/DimTracing.h"
#include "dialects/QOpt/Transforms/RecognizePatterns.h"

using namespace mlir;
using namespace qopt;

namespace {
/// Rows of which each head stands so many times in a row.
struct Repeated {
  Value rows;
  int64_t heads, times;
};
} // namespace

/// What `value`, [batch, heads, length, width], repeats: [b, h, l, w] with a
/// new axis behind h that is expanded, and then one with it.
static std::optional<Repeated> findRepeated(Value value) {
  auto flat = value.getDefiningOp<ReshapeOp>();
  auto expand = flat ? flat.getX().getDefiningOp<ExpandOp>() : nullptr;
  auto apart = expand ? expand.getX().getDefiningOp<UnsqueezeOp>() : nullptr;
  if (!apart || apart.getAxes() != ArrayRef<int64_t>{2} ||
      typeOf(flat).getRank() != 4 || typeOf(expand).getRank() != 5)
    return std::nullopt;
  Value rows = apart.getX();
  int64_t heads = typeOf(rows).getDimSize(1);
  int64_t times = typeOf(expand).getDimSize(2);
  if (ShapedType::isDynamic(heads) || times < 2 ||
      typeOf(flat).getDimSize(1) != heads * times)
    return std::nullopt;
  DimTracer tracer;
  for (int64_t axis : {0, 1, 2, 3}) {
    DimSource source = tracer.traceDim(rows, axis);
    if (!(tracer.traceDim(expand, axis < 2 ? axis : axis + 1) == source) ||
        (axis != 1 && !(tracer.traceDim(flat, axis) == source)))
      return std::nullopt;
  }
  return Repeated{rows, heads, times};
}

namespace {
/// Writes shapes: lists of dims.
class ShapeWriter {
public:
  ShapeWriter(PatternRewriter &b, Location loc) : b(b), loc(loc) {}

  Value number(int64_t value) { return makeIntegers(b, loc, {value}); }
  /// The dims of `x` from `start` up to `end`.
  Value dims(Value x, int64_t start, int64_t end) {
    return ShapeOp::create(b, loc, listOf(end - start), x, start, end);
  }
  Value dim(Value x, int64_t axis) { return dims(x, axis, axis + 1); }
  Value times(Value list, int64_t factor) {
    return MulOp::create(b, loc, list.getType(), list, number(factor));
  }
  Value join(ArrayRef<Value> lists) {
    int64_t size = 0;
    for (Value list : lists)
      size += typeOf(list).getDimSize(0);
    return ConcatOp::create(b, loc, listOf(size), lists, /*axis=*/0);
  }
  Value reshape(Value x, ArrayRef<int64_t> dims, ArrayRef<Value> lists) {
    return ReshapeOp::create(b, loc, typeOf(x).clone(dims), x, join(lists),
                             /*allow_zero=*/true);
  }

private:
  RankedTensorType listOf(int64_t size) {
    return RankedTensorType::get({size}, b.getI64Type());
  }

  PatternRewriter &b;
  Location loc;
};

struct ShareHeads : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Repeated> key = findRepeated(op.getKey());
    std::optional<Repeated> value = findRepeated(op.getValue());
    if (!key || !value)
      return rewriter.notifyMatchFailure(op, "keys or values stand alone");
    RankedTensorType type = typeOf(op.getQuery());
    if (key->times != value->times || type.getRank() != 4 ||
        type.getDimSize(1) != key->heads * key->times)
      return rewriter.notifyMatchFailure(op, "heads of queries are others");
    Value mask = op.getMask();
    if (mask && !isSameForHeads(mask, op.getQuery()))
      return rewriter.notifyMatchFailure(op, "the mask differs among heads");

    int64_t heads = key->heads, times = key->times;
    Location loc = op.getLoc();
    ShapeWriter w(rewriter, loc);
    int64_t length = type.getDimSize(2);
    int64_t rows =
        ShapedType::isDynamic(length) ? ShapedType::kDynamic : length * times;
    Value query = w.reshape(
        op.getQuery(), {type.getDimSize(0), heads, rows, type.getDimSize(3)},
        {w.dim(op.getQuery(), 0), w.number(heads),
         w.times(w.dim(op.getQuery(), 2), times), w.dim(op.getQuery(), 3)});
    if (mask && typeOf(mask).getRank() > 1)
      mask = repeatRows(rewriter, w, loc, mask, times);
    RankedTensorType old = typeOf(op.getResult());
    auto shared = AttentionOp::create(
        rewriter, loc,
        old.clone({old.getDimSize(0), heads, rows, old.getDimSize(3)}), query,
        key->rows, value->rows, mask, op.getScaleAttr(),
        op.getMaskedRowsAreZeroAttr());
    shared->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    Value result = w.reshape(shared, old.getShape(),
                             {w.dim(op.getQuery(), 0), w.number(heads * times),
                              w.dim(op.getQuery(), 2), w.dim(value->rows, 3)});
    rewriter.replaceOp(op, result);
    return success();
  }

  /// Whether `mask` has one head, and one row or those of `query`.
  static bool isSameForHeads(Value mask, Value query) {
    RankedTensorType type = typeOf(mask);
    int64_t rank = type.getRank();
    if (rank > 4 || (rank > 2 && type.getDimSize(rank - 3) != 1))
      return false;
    DimTracer tracer;
    return rank < 2 || type.getDimSize(rank - 2) == 1 ||
           tracer.traceDim(mask, rank - 2) == tracer.traceDim(query, 2);
  }

  /// The rows of `mask` so many times, one time after the other.
  static Value repeatRows(PatternRewriter &rewriter, ShapeWriter &w,
                          Location loc, Value mask, int64_t times) {
    RankedTensorType type = typeOf(mask);
    int64_t axis = type.getRank() - 2, length = type.getDimSize(axis);
    if (length == 1)
      return mask;
    SmallVector<int64_t> dims(type.getShape()), ones(type.getRank() + 1, 1);
    dims.insert(dims.begin() + axis, 1);
    Value apart =
        UnsqueezeOp::create(rewriter, loc, type.clone(dims), mask, {axis});
    dims[axis] = ones[axis] = times;
    Value many = ExpandOp::create(rewriter, loc, type.clone(dims), apart,
                                  makeIntegers(rewriter, loc, ones));
    dims.erase(dims.begin() + axis);
    dims[axis] =
        ShapedType::isDynamic(length) ? ShapedType::kDynamic : length * times;
    SmallVector<Value> lists;
    if (axis > 0)
      lists.push_back(w.dims(mask, 0, axis));
    lists.push_back(w.times(w.dim(mask, axis), times));
    lists.push_back(w.dim(mask, axis + 1));
    return w.reshape(many, dims, lists);
  }
};
} // namespace

void qopt::populateSharedHeadPatterns(RewritePatternSet &patterns) {
  patterns.add<ShareHeads>(patterns.getContext());
}
