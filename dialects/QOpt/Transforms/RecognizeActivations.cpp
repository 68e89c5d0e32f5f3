//===- RecognizeActivations.cpp - GELU, SiLU, hard swish and sigmoid ------===//
//
// A product is matched by its factors. The rewritten op rounds where its own
// formula says, not where the exporter's ops did.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Products.h"
#include "dialects/QOpt/Transforms/RecognizePatterns.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;

/// For `value + constant`, in either order: the other operand.
static Value matchAddOf(Value sum, double constant) {
  auto add = sum.getDefiningOp<AddOp>();
  if (!add)
    return Value();
  for (auto [x, c] : {std::pair<Value, Value>(add.getLhs(), add.getRhs()),
                      std::pair<Value, Value>(add.getRhs(), add.getLhs())})
    if (std::optional<float> found = getScalarConstant(c);
        found && isAbout(*found, constant))
      return x;
  return Value();
}

static bool isClip(ClipOp clip, double low, double high) {
  return clip && clip.getLow() && clip.getHigh() &&
         clip.getLow()->convertToFloat() == low &&
         clip.getHigh()->convertToFloat() == high;
}

/// For `clip(x + 3, 0, 6)`: x.
static Value matchRelu6OfPlus3(ClipOp clip) {
  if (!isClip(clip, 0, 6) || !clip.getX().hasOneUse())
    return Value();
  return matchAddOf(clip.getX(), 3);
}

/// For a product of the value and a constant, or the value itself: the value,
/// if the constant is `coefficient`.
static Value matchScaled(Value scaled, double coefficient) {
  Product product = getProduct(scaled);
  return product.factors.size() == 1 &&
                 isAbout(product.coefficient, coefficient)
             ? product.factors[0]
             : Value();
}

/// For `x + 0.044715 * x^3`: x.
static Value matchCubicSum(Value sum) {
  auto add = sum.getDefiningOp<AddOp>();
  if (!add || !add->hasOneUse())
    return Value();
  for (auto [x, cube] : {std::pair<Value, Value>(add.getLhs(), add.getRhs()),
                         std::pair<Value, Value>(add.getRhs(), add.getLhs())}) {
    Product product = getProduct(cube);
    if (!cube.hasOneUse() || !isAbout(product.coefficient, 0.044715))
      continue;
    bool isThreeTimes =
        product.factors.size() == 3 &&
        llvm::all_of(product.factors, [&, x = x](Value f) { return f == x; });
    auto pow = product.getFactor<PowOp>();
    bool isPower = product.factors.size() == 1 && pow && pow.getLhs() == x &&
                   getScalarConstant(pow.getRhs()) == 3.0f;
    if (isThreeTimes || isPower)
      return x;
  }
  return Value();
}

namespace {
/// 0.5 * x * (1 + erf(x / sqrt(2))), or with tanh, in any association.
struct RecognizeGelu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    Product product = getProduct(mul);
    auto onePlus = product.getFactor<AddOp>();
    if (!onePlus || !isAbout(product.coefficient, 0.5))
      return rewriter.notifyMatchFailure(mul, "not half of a sum's product");
    Value inner = matchAddOf(onePlus, 1);
    Operation *function = inner ? inner.getDefiningOp() : nullptr;
    if (!isa_and_nonnull<ErfOp, TanhOp>(function) || !function->hasOneUse() ||
        !function->getOperand(0).hasOneUse())
      return rewriter.notifyMatchFailure(mul, "not 1 + erf or 1 + tanh");
    bool isErf = isa<ErfOp>(function);
    double coefficient = isErf
                             ? 1.0 / llvm::numbers::sqrt2
                             : llvm::numbers::inv_sqrtpi * llvm::numbers::sqrt2;
    Value x = matchScaled(function->getOperand(0), coefficient);
    if (x && !isErf)
      x = matchCubicSum(x);
    if (!x || !product.isOf(x, onePlus))
      return rewriter.notifyMatchFailure(mul, "argument is not the factor");
    if (x.getType() != mul.getType())
      return rewriter.notifyMatchFailure(mul, "a constant changes the shape");
    SmallVector<Operation *> ops(product.ops);
    ops.append({onePlus, function, function->getOperand(0).getDefiningOp()});
    rewriter
        .replaceOpWithNewOp<GeluOp>(mul, mul.getType(), x,
                                    isErf ? GeluForm::Erf : GeluForm::Tanh)
        ->setLoc(fuseLocations(rewriter, ops));
    return success();
  }
};

/// x * sigmoid(x).
struct RecognizeSilu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    Product product = getProduct(mul);
    auto sigmoid = product.getFactor<SigmoidOp>();
    if (!sigmoid || product.coefficient != 1.0)
      return rewriter.notifyMatchFailure(mul, "no sigmoid for this user alone");
    if (!product.isOf(sigmoid.getX(), sigmoid))
      return rewriter.notifyMatchFailure(mul, "argument is not the factor");
    if (sigmoid.getX().getType() != mul.getType())
      return rewriter.notifyMatchFailure(mul, "a constant changes the shape");
    SmallVector<Operation *> ops(product.ops);
    ops.push_back(sigmoid);
    rewriter.replaceOpWithNewOp<SiluOp>(mul, mul.getType(), sigmoid.getX())
        ->setLoc(fuseLocations(rewriter, ops));
    return success();
  }
};

/// x * hard_sigmoid(x), or x * clip(x + 3, 0, 6) / 6 in any association.
template <typename OpTy> struct RecognizeHardSwish : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Product product = getProduct(op);
    SmallVector<Operation *> ops(product.ops);
    Value x, gate;
    if (auto sigmoid = product.getFactor<HardSigmoidOp>();
        sigmoid && isAbout(product.coefficient, 1.0) &&
        isAbout(sigmoid.getAlpha().convertToFloat(), 1.0 / 6) &&
        sigmoid.getBeta().convertToFloat() == 0.5f) {
      x = sigmoid.getX();
      gate = sigmoid;
    } else if (auto clip = product.getFactor<ClipOp>();
               clip && isAbout(product.coefficient, 1.0 / 6)) {
      x = matchRelu6OfPlus3(clip);
      gate = clip;
      ops.push_back(clip.getX().getDefiningOp());
    }
    if (!x || !product.isOf(x, gate))
      return rewriter.notifyMatchFailure(op, "not x times its hard sigmoid");
    if (x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "a constant changes the shape");
    ops.push_back(gate.getDefiningOp());
    rewriter.replaceOpWithNewOp<HardSwishOp>(op, op.getType(), x)
        ->setLoc(fuseLocations(rewriter, ops));
    return success();
  }
};

/// clip(x + 3, 0, 6) / 6.
template <typename OpTy>
struct RecognizeHardSigmoidOfRelu6 : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Product product = getProduct(op);
    auto clip = product.getFactor<ClipOp>();
    if (!clip || product.factors.size() != 1 ||
        !isAbout(product.coefficient, 1.0 / 6))
      return rewriter.notifyMatchFailure(op, "not a sixth of a clip");
    Value x = matchRelu6OfPlus3(clip);
    if (!x || x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "not clip(x + 3, 0, 6)");
    SmallVector<Operation *> ops(product.ops);
    ops.append({clip, clip.getX().getDefiningOp()});
    auto type = rewriter.getF32FloatAttr(static_cast<float>(1.0 / 6));
    rewriter
        .replaceOpWithNewOp<HardSigmoidOp>(op, op.getType(), x, type,
                                           rewriter.getF32FloatAttr(0.5f))
        ->setLoc(fuseLocations(rewriter, ops));
    return success();
  }
};

/// clip(alpha * x + beta, 0, 1).
struct RecognizeHardSigmoid : OpRewritePattern<ClipOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ClipOp clip,
                                PatternRewriter &rewriter) const override {
    auto add = clip.getX().getDefiningOp<AddOp>();
    if (!isClip(clip, 0, 1) || !add || !add->hasOneUse())
      return rewriter.notifyMatchFailure(clip, "not a sum clipped to [0, 1]");
    Value scaled = add.getLhs();
    std::optional<float> beta = getScalarConstant(add.getRhs());
    if (!beta) {
      scaled = add.getRhs();
      beta = getScalarConstant(add.getLhs());
    }
    Product product = getProduct(scaled);
    if (!beta || product.ops.empty() || product.factors.size() != 1 ||
        !scaled.hasOneUse())
      return rewriter.notifyMatchFailure(clip, "not alpha * x + beta");
    Value x = product.factors[0];
    if (x.getType() != clip.getType())
      return rewriter.notifyMatchFailure(clip, "a constant changes the shape");
    SmallVector<Operation *> ops(product.ops);
    ops.append({add, clip});
    rewriter
        .replaceOpWithNewOp<HardSigmoidOp>(
            clip, clip.getType(), x,
            rewriter.getF32FloatAttr(static_cast<float>(product.coefficient)),
            rewriter.getF32FloatAttr(*beta))
        ->setLoc(fuseLocations(rewriter, ops));
    return success();
  }
};
} // namespace

void qopt::populateActivationPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeGelu, RecognizeSilu, RecognizeHardSwish<MulOp>,
               RecognizeHardSwish<DivOp>, RecognizeHardSigmoidOfRelu6<MulOp>,
               RecognizeHardSigmoidOfRelu6<DivOp>, RecognizeHardSigmoid>(
      patterns.getContext());
}
