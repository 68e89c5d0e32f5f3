//===- FoldChannelAffine.cpp - Factors and sums into convolutions ---------===//
//
// What a convolution's result is multiplied with or what is added to it, one
// number a channel or one for all, becomes part of its weight and bias.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "qopt-fold-channel-affine"

namespace qopt {
#define GEN_PASS_DEF_FOLDCHANNELAFFINEPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// True if `parameter` holds one number, or one for each channel of `result`.
static bool isPerChannel(Value parameter, RankedTensorType result) {
  auto type = cast<RankedTensorType>(parameter.getType());
  if (!type.hasStaticShape() || type.getRank() > result.getRank())
    return false;
  int64_t channelAxis = type.getRank() - result.getRank() + 1;
  for (auto [axis, size] : llvm::enumerate(type.getShape()))
    if (size != 1 && (static_cast<int64_t>(axis) != channelAxis ||
                      size != result.getDimSize(1)))
      return false;
  return true;
}

/// The parameter as a vector of one number, or of one for each channel.
static Value flatten(OpBuilder &builder, Location loc, Value parameter) {
  auto type = cast<RankedTensorType>(parameter.getType());
  if (type.getRank() == 1)
    return parameter;
  auto flat =
      RankedTensorType::get({type.getNumElements()}, type.getElementType());
  return ReshapeOp::create(builder, loc, flat, parameter,
                           makeIntegers(builder, loc, {type.getNumElements()}),
                           /*allow_zero=*/false);
}

namespace {
/// The convolution and the parameter of a sum or product that may be folded.
struct Affine {
  ConvOp conv;
  Value parameter;
};
} // namespace

static FailureOr<Affine> matchAffine(Operation *op, PatternRewriter &rewriter) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  auto conv = lhs.getDefiningOp<ConvOp>();
  if (!conv) {
    conv = rhs.getDefiningOp<ConvOp>();
    std::swap(lhs, rhs);
  }
  if (!conv)
    return rewriter.notifyMatchFailure(op, "not after a convolution");
  if (!conv->hasOneUse())
    return rewriter.notifyMatchFailure(op, "convolution has other users");
  auto type = cast<RankedTensorType>(conv.getResult().getType());
  if (!type.getElementType().isF32() || op->getResult(0).getType() != type ||
      !conv.getWScales().empty())
    return rewriter.notifyMatchFailure(op, "not a float convolution's shape");
  if (!isConstantExpression(rhs) || !isPerChannel(rhs, type))
    return rewriter.notifyMatchFailure(op, "not a constant for each channel");
  if (conv.getBias() && !isConstantExpression(conv.getBias()))
    return rewriter.notifyMatchFailure(op, "bias is not constant");
  return Affine{conv, rhs};
}

/// Replaces `op` by its convolution with another weight and bias.
static void replaceByConv(PatternRewriter &rewriter, Operation *op, ConvOp conv,
                          Location loc, Value weight, Value bias) {
  auto folded = cast<ConvOp>(rewriter.clone(*conv));
  rewriter.modifyOpInPlace(folded, [&] {
    folded.getWMutable().assign(weight);
    if (bias)
      folded.getBiasMutable().assign(bias);
    folded->setLoc(loc);
  });
  rewriter.replaceOp(op, folded);
  rewriter.eraseOp(conv);
}

namespace {
struct FoldFactor : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    FailureOr<Affine> match = matchAffine(mul, rewriter);
    if (failed(match))
      return failure();
    auto [conv, parameter] = *match;
    if (!isConstantExpression(conv.getW()))
      return rewriter.notifyMatchFailure(mul, "weight is not constant");
    Location loc = rewriter.getFusedLoc({conv.getLoc(), mul.getLoc()});
    Value factor = flatten(rewriter, loc, parameter);
    Value bias = conv.getBias();
    if (bias)
      bias = MulOp::create(rewriter, loc, bias.getType(), bias, factor);
    auto weightType = cast<RankedTensorType>(conv.getW().getType());
    auto factorType = cast<RankedTensorType>(factor.getType());
    if (factorType.getNumElements() > 1) {
      SmallVector<int64_t> shape(weightType.getRank(), 1);
      shape[0] = factorType.getNumElements();
      factor = UnsqueezeOp::create(
          rewriter, loc,
          RankedTensorType::get(shape, factorType.getElementType()), factor,
          llvm::to_vector(llvm::seq<int64_t>(1, weightType.getRank())));
    }
    Value weight =
        MulOp::create(rewriter, loc, weightType, conv.getW(), factor);
    replaceByConv(rewriter, mul, conv, loc, weight, bias);
    return success();
  }
};

struct FoldSum : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp add,
                                PatternRewriter &rewriter) const override {
    FailureOr<Affine> match = matchAffine(add, rewriter);
    if (failed(match))
      return failure();
    auto [conv, parameter] = *match;
    Location loc = rewriter.getFusedLoc({conv.getLoc(), add.getLoc()});
    Value sum = flatten(rewriter, loc, parameter);
    int64_t channels =
        cast<RankedTensorType>(conv.getW().getType()).getDimSize(0);
    auto type = RankedTensorType::get({channels}, rewriter.getF32Type());
    if (conv.getBias())
      sum = AddOp::create(rewriter, loc, type, conv.getBias(), sum);
    else if (sum.getType() != type)
      sum = ExpandOp::create(rewriter, loc, type, sum,
                             makeIntegers(rewriter, loc, {channels}));
    replaceByConv(rewriter, add, conv, loc, conv.getW(), sum);
    return success();
  }
};

struct FoldChannelAffinePass
    : qopt::impl::FoldChannelAffinePassBase<FoldChannelAffinePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldFactor, FoldSum>(&getContext());
    GreedyRewriteConfig config;
    config.enableFolding(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
