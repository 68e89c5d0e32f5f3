//===- RecognizeAttention.cpp - Attention in pieces -----------------------===//
//
// softmax(scale * Q K^T [+ mask]) V. The scale may stand at Q, at K, at the
// product or be split between them. The transposition of K is taken back: the
// op wants keys as rows. Zeros may stand for the softmax of a row that may look
// at nothing.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/DimTracing.h"
#include "dialects/QOpt/Transforms/Products.h"
#include "dialects/QOpt/Transforms/RecognizePatterns.h"

using namespace mlir;
using namespace qopt;

static bool isFloatMatMul(MatMulOp matmul) {
  auto isFloat = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getElementType().isF32();
  };
  return isFloat(matmul.getLhs()) && isFloat(matmul.getRhs()) &&
         matmul.getLhsScales().empty() && matmul.getRhsScales().empty();
}

namespace {
/// A value times a constant.
struct Scaled {
  Value value;
  double scale = 1.0;
  SmallVector<Operation *> ops;
};
} // namespace

/// Splits off the constant if no one else needs the product.
static Scaled splitScale(Value value) {
  Scaled result{value, 1.0, {}};
  Product product = getProduct(value);
  if (!value.hasOneUse() || product.factors.size() != 1 ||
      product.factors[0].getType() != value.getType())
    return result;
  return {product.factors[0], product.coefficient, product.ops};
}

/// K as rows, from the transposed K of a product; null if nothing transposes it
/// in its last two axes.
static Value takeBackTranspose(PatternRewriter &rewriter,
                               TransposeOp transpose) {
  SmallVector<int64_t> perm(transpose.getPerm());
  size_t rank = perm.size();
  std::swap(perm[rank - 1], perm[rank - 2]);
  if (llvm::equal(perm, llvm::seq<int64_t>(0, rank)))
    return transpose.getX();
  auto type = cast<RankedTensorType>(transpose.getType());
  SmallVector<int64_t> shape(type.getShape());
  std::swap(shape[rank - 1], shape[rank - 2]);
  return TransposeOp::create(rewriter, transpose.getLoc(), type.clone(shape),
                             transpose.getX(), perm);
}

/// The softmax that `value` is, or that has zeros in the rows whose scores are
/// all minus infinity; `ops` are then what finds the rows.
static SoftmaxOp findSoftmax(Value value, SmallVectorImpl<Operation *> &ops) {
  if (auto softmax = value.getDefiningOp<SoftmaxOp>())
    return softmax;
  auto where = value.getDefiningOp<WhereOp>();
  if (!where || !where->hasOneUse() || getScalarConstant(where.getX()) != 0.0f)
    return {};
  auto softmax = where.getY().getDefiningOp<SoftmaxOp>();
  auto test = where.getCondition().getDefiningOp<EqualOp>();
  if (!softmax || !test || !test->hasOneUse() ||
      getScalarConstant(test.getRhs()) !=
          -std::numeric_limits<float>::infinity())
    return {};
  auto most = test.getLhs().getDefiningOp<ReduceOp>();
  int64_t axis = cast<RankedTensorType>(softmax.getType()).getRank() - 1;
  if (!most || !most->hasOneUse() || most.getX() != softmax.getX() ||
      most.getKind() != ReduceKind::Max || !most.getKeepdims() ||
      most.getAxes() != ArrayRef<int64_t>{axis})
    return {};
  ops.append({where, test, most});
  return softmax;
}

/// Whether no one else uses what `op` makes.
static bool isUsedOnlyBy(ArrayRef<Operation *> ops, Operation *op) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    return llvm::is_contained(ops, user);
  });
}

namespace {
struct RecognizeAttention : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatMulOp outer,
                                PatternRewriter &rewriter) const override {
    SmallVector<Operation *> ops;
    SoftmaxOp softmax = findSoftmax(outer.getLhs(), ops);
    bool areZeros = !ops.empty();
    if (!softmax || !isFloatMatMul(outer))
      return rewriter.notifyMatchFailure(outer, "not a softmax times values");
    auto scoresType = cast<RankedTensorType>(softmax.getType());
    int64_t rank = scoresType.getRank();
    int64_t axis = softmax.getAxis();
    if (rank < 2 || (axis != rank - 1 && axis != -1))
      return rewriter.notifyMatchFailure(outer, "softmax not along the keys");
    if (!softmax->hasOneUse())
      return rewriter.notifyMatchFailure(outer,
                                         "probabilities have other users");
    ops.append({softmax, outer});

    Value scores = softmax.getX(), mask;
    if (auto add = scores.getDefiningOp<AddOp>();
        add && isUsedOnlyBy(ops, add)) {
      bool isLeft = isProduct(add.getLhs());
      scores = isLeft ? add.getLhs() : add.getRhs();
      mask = isLeft ? add.getRhs() : add.getLhs();
      ops.push_back(add);
    }
    Scaled scaled = splitScale(scores);
    auto inner = scaled.value.getDefiningOp<MatMulOp>();
    if (!inner || !inner->hasOneUse() || !isFloatMatMul(inner))
      return rewriter.notifyMatchFailure(outer, "scores are not a product");
    Scaled query = splitScale(inner.getLhs()), key = splitScale(inner.getRhs());
    auto transpose = key.value.getDefiningOp<TransposeOp>();
    if (!transpose)
      return rewriter.notifyMatchFailure(outer, "keys are not transposed");
    Scaled keyRows = splitScale(transpose.getX());
    if (!transpose->hasOneUse())
      return rewriter.notifyMatchFailure(outer, "keys have other users");
    if (!haveEqualLeadingDims(query.value, transpose, outer.getRhs()))
      return rewriter.notifyMatchFailure(outer, "leading dims may broadcast");
    // Along the keys the product with the values says it: a mask of other
    // length than they have would be refused there.
    if (mask && !DimTracer().broadcastsInto(mask, inner, /*trailing=*/1))
      return rewriter.notifyMatchFailure(outer, "mask may change the shape");

    for (const Scaled &part : {scaled, query, key, keyRows})
      ops.append(part.ops.begin(), part.ops.end());
    ops.append({inner, transpose});
    double scale = scaled.scale * query.scale * key.scale * keyRows.scale;
    if (keyRows.scale != 1.0)
      rewriter.modifyOpInPlace(
          transpose, [&] { transpose.getXMutable().assign(keyRows.value); });
    Value rows = takeBackTranspose(rewriter, transpose);
    auto attention = AttentionOp::create(
        rewriter, fuseLocations(rewriter, ops), outer.getType(), query.value,
        rows, outer.getRhs(), mask,
        rewriter.getF32FloatAttr(static_cast<float>(scale)),
        areZeros ? rewriter.getUnitAttr() : UnitAttr());
    attention->setDiscardableAttrs(outer->getDiscardableAttrDictionary());
    rewriter.replaceOp(outer, attention);
    return success();
  }

  /// True for a product of two activations, scaled or not.
  static bool isProduct(Value value) {
    return isa_and_nonnull<MatMulOp>(splitScale(value).value.getDefiningOp());
  }

  /// True if query, key and value have one rank and equal dims but the last
  /// two.
  static bool haveEqualLeadingDims(Value query, Value key, Value value) {
    auto rankOf = [](Value v) {
      return cast<RankedTensorType>(v.getType()).getRank();
    };
    if (rankOf(query) != rankOf(key) || rankOf(query) != rankOf(value))
      return false;
    DimTracer tracer;
    return llvm::all_of(llvm::seq<int64_t>(0, rankOf(query) - 2),
                        [&](int64_t i) {
                          DimSource source = tracer.traceDim(query, i);
                          return source == tracer.traceDim(key, i) &&
                                 source == tracer.traceDim(value, i);
                        });
  }
};
} // namespace

void qopt::populateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeAttention>(patterns.getContext());
}
