//===- RecognizeLayerNorm.cpp - Layer norms in pieces ---------------------===//
//
// mean, sub, pow or mul, mean, add, sqrt, div, mul [, add]. Some exporters
// write the subtraction twice; both are the same centred value.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/RecognizePatterns.h"

using namespace mlir;
using namespace qopt;

/// The mean of `value` over its last axes; null for other reductions.
static ReduceOp matchRowMean(Value value) {
  auto mean = value.getDefiningOp<ReduceOp>();
  if (!mean || mean.getKind() != ReduceKind::Mean || !mean.getKeepdims())
    return ReduceOp();
  int64_t rank = cast<RankedTensorType>(mean.getX().getType()).getRank();
  ArrayRef<int64_t> axes = mean.getAxes();
  bool isSuffix = !axes.empty() && axes.back() == rank - 1 &&
                  axes.front() == rank - static_cast<int64_t>(axes.size());
  return isSuffix ? mean : ReduceOp();
}

/// For `d * d` or `d ^ 2`: d.
static Value matchSquare(Value value) {
  if (auto mul = value.getDefiningOp<MulOp>())
    return mul.getLhs() == mul.getRhs() ? mul.getLhs() : Value();
  auto pow = value.getDefiningOp<PowOp>();
  return pow && getScalarConstant(pow.getRhs()) == 2.0f ? pow.getLhs()
                                                        : Value();
}

/// True if both values are one difference, perhaps computed twice.
static bool isSameDifference(Value a, SubOp b) {
  auto sub = a.getDefiningOp<SubOp>();
  return sub && (sub == b || sub->getOperands() == b->getOperands());
}

namespace {
/// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon).
struct Normalized {
  Value x;
  int64_t axis;
  float epsilon;
  SmallVector<Operation *> ops;
};
} // namespace

static FailureOr<Normalized> matchNormalized(DivOp div) {
  auto centred = div.getLhs().getDefiningOp<SubOp>();
  auto root = div.getRhs().getDefiningOp<SqrtOp>();
  auto sum = root ? root.getX().getDefiningOp<AddOp>() : AddOp();
  if (!centred || !sum || !root->hasOneUse() || !sum->hasOneUse())
    return failure();
  Value variance = sum.getLhs();
  std::optional<float> epsilon = getScalarConstant(sum.getRhs());
  if (!epsilon) {
    variance = sum.getRhs();
    epsilon = getScalarConstant(sum.getLhs());
  }
  ReduceOp squares = matchRowMean(variance),
           mean = matchRowMean(centred.getRhs());
  if (!epsilon || !squares || !mean || mean.getX() != centred.getLhs() ||
      mean.getAxes() != squares.getAxes() || !variance.hasOneUse() ||
      !squares.getX().hasOneUse())
    return failure();
  Value squared = matchSquare(squares.getX());
  if (!squared || !isSameDifference(squared, centred) ||
      div.getType() != mean.getX().getType())
    return failure();
  Operation *square = squares.getX().getDefiningOp();
  auto isPart = [&](Operation *user) { return user == div || user == square; };
  if (!llvm::all_of(centred->getUsers(), isPart) ||
      !llvm::all_of(squared.getUsers(), isPart))
    return failure();
  return Normalized{mean.getX(),
                    mean.getAxes().front(),
                    *epsilon,
                    {mean, centred, squared.getDefiningOp(), square, squares,
                     sum, root, div}};
}

/// True if `parameter` has the dims of `type` from `axis` on.
static bool isRowParameter(Value parameter, RankedTensorType type,
                           int64_t axis) {
  auto own = cast<RankedTensorType>(parameter.getType());
  return isConstantExpression(parameter) && own.hasStaticShape() &&
         own.getShape() == type.getShape().drop_front(axis);
}

namespace {
/// The product with the scale is the root; a bias after it is taken in.
struct RecognizeLayerNorm : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    Value scale = mul.getRhs();
    auto div = mul.getLhs().getDefiningOp<DivOp>();
    if (!div) {
      scale = mul.getLhs();
      div = mul.getRhs().getDefiningOp<DivOp>();
    }
    if (!div || !div->hasOneUse())
      return rewriter.notifyMatchFailure(mul,
                                         "no quotient for this user alone");
    FailureOr<Normalized> match = matchNormalized(div);
    if (failed(match))
      return rewriter.notifyMatchFailure(mul, "not a normalised row");
    auto type = cast<RankedTensorType>(match->x.getType());
    if (mul.getType() != type || !isRowParameter(scale, type, match->axis))
      return rewriter.notifyMatchFailure(mul, "scale is not a constant row");
    Value bias;
    Operation *root = mul;
    match->ops.push_back(mul);
    if (mul->hasOneUse())
      if (auto add = dyn_cast<AddOp>(*mul->user_begin())) {
        Value other = add.getLhs() == mul ? add.getRhs() : add.getLhs();
        if (isRowParameter(other, type, match->axis)) {
          bias = other;
          root = add;
          match->ops.push_back(add);
        }
      }
    rewriter.setInsertionPoint(root);
    auto norm = LayerNormOp::create(
        rewriter, fuseLocations(rewriter, match->ops), type, match->x, scale,
        bias, rewriter.getI64IntegerAttr(match->axis),
        rewriter.getF32FloatAttr(match->epsilon));
    rewriter.replaceOp(root, norm);
    return success();
  }
};
} // namespace

void qopt::populateLayerNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeLayerNorm>(patterns.getContext());
}
