//===- FoldBatchNorm.cpp - Batch norms into contractions ------------------===//
//
// Writes weight expressions and reads no weight. What follows a convolution or
// a product with a constant scales its output channels and moves its bias.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#define DEBUG_TYPE "qopt-fold-batch-norm"

namespace qopt {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Of f32, which the epsilon is added to.
static bool hasConstantParameters(BatchNormOp norm) {
  return llvm::all_of(norm->getOperands().drop_front(), [](Value parameter) {
    return getElementTypeOrSelf(parameter).isF32() &&
           isConstantExpression(parameter);
  });
}

/// m = scale / sqrt(variance + epsilon), one value a channel.
static Value makeFactor(OpBuilder &builder, Location loc, BatchNormOp norm) {
  Type type = norm.getScale().getType();
  Value epsilon = makeScalar(builder, loc, norm.getEpsilon().convertToFloat());
  Value sum = AddOp::create(builder, loc, norm.getVariance().getType(),
                            norm.getVariance(), epsilon);
  Value root = SqrtOp::create(builder, loc, sum.getType(), sum);
  return DivOp::create(builder, loc, type, norm.getScale(), root);
}

/// ([bias] - mean) * m + norm bias; an absent bias is 0.
static Value makeBias(OpBuilder &builder, Location loc, BatchNormOp norm,
                      Value bias, Value factor) {
  Type type = factor.getType();
  if (!bias) {
    Value moved = MulOp::create(builder, loc, type, norm.getMean(), factor);
    return SubOp::create(builder, loc, type, norm.getBias(), moved);
  }
  Value centred = SubOp::create(builder, loc, type, bias, norm.getMean());
  Value scaled = MulOp::create(builder, loc, type, centred, factor);
  return AddOp::create(builder, loc, type, scaled, norm.getBias());
}

/// `weight * factor` with the factor along axis 0.
static Value scaleOutputChannels(OpBuilder &builder, Location loc, Value weight,
                                 Value factor) {
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int64_t> shape(type.getRank(), 1);
  shape[0] = type.getDimSize(0);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(1, type.getRank()));
  Value column = UnsqueezeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), factor,
      axes);
  return MulOp::create(builder, loc, type, weight, column);
}

namespace {
struct FoldIntoConv : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp norm,
                                PatternRewriter &rewriter) const override {
    auto conv = norm.getX().getDefiningOp<ConvOp>();
    if (!conv)
      return rewriter.notifyMatchFailure(norm, "not after a convolution");
    if (!conv->hasOneUse())
      return rewriter.notifyMatchFailure(norm, "convolution has other users");
    if (!hasConstantParameters(norm))
      return rewriter.notifyMatchFailure(norm,
                                         "parameters are not f32 constants");
    if (!isConstantExpression(conv.getW()) ||
        (conv.getBias() && !isConstantExpression(conv.getBias())) ||
        !conv.getWScales().empty())
      return rewriter.notifyMatchFailure(norm,
                                         "weight is not a float constant");
    Location loc = rewriter.getFusedLoc({conv.getLoc(), norm.getLoc()});
    Value factor = makeFactor(rewriter, loc, norm);
    Value weight = scaleOutputChannels(rewriter, loc, conv.getW(), factor);
    Value bias = makeBias(rewriter, loc, norm, conv.getBias(), factor);
    auto folded = cast<ConvOp>(rewriter.clone(*conv));
    rewriter.modifyOpInPlace(folded, [&] {
      folded.getWMutable().assign(weight);
      folded.getBiasMutable().assign(bias);
      folded->setLoc(loc);
    });
    rewriter.replaceOp(norm, folded);
    rewriter.eraseOp(conv);
    return success();
  }
};

/// After `x W [+ c]` with rank 2, where the channels are the columns of W.
struct FoldIntoMatMul : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp norm,
                                PatternRewriter &rewriter) const override {
    auto add = norm.getX().getDefiningOp<AddOp>();
    auto matmul = (add ? add.getLhs() : norm.getX()).getDefiningOp<MatMulOp>();
    if (!matmul)
      return rewriter.notifyMatchFailure(norm, "not after a matmul");
    auto type = cast<RankedTensorType>(matmul.getResult().getType());
    if (type.getRank() != 2 || norm.getX().getType() != type)
      return rewriter.notifyMatchFailure(norm, "channels are not the columns");
    if (!matmul->hasOneUse() || (add && !add->hasOneUse()))
      return rewriter.notifyMatchFailure(norm, "product has other users");
    if (!hasConstantParameters(norm) ||
        !isConstantExpression(matmul.getRhs()) ||
        !matmul.getRhsScales().empty())
      return rewriter.notifyMatchFailure(norm,
                                         "weight is not a float constant");
    if (add && (!isConstantExpression(add.getRhs()) ||
                add.getRhs().getType() != norm.getScale().getType()))
      return rewriter.notifyMatchFailure(norm, "sum is not a bias");
    Location loc = rewriter.getFusedLoc({matmul.getLoc(), norm.getLoc()});
    Value factor = makeFactor(rewriter, loc, norm);
    Value weight = MulOp::create(rewriter, loc, matmul.getRhs().getType(),
                                 matmul.getRhs(), factor);
    Value bias =
        makeBias(rewriter, loc, norm, add ? add.getRhs() : Value(), factor);
    auto folded = cast<MatMulOp>(rewriter.clone(*matmul));
    rewriter.modifyOpInPlace(folded, [&] {
      folded.getRhsMutable().assign(weight);
      folded->setLoc(loc);
    });
    Location biasLoc =
        add ? rewriter.getFusedLoc({add.getLoc(), norm.getLoc()}) : loc;
    rewriter.replaceOp(norm,
                       AddOp::create(rewriter, biasLoc, type, folded, bias));
    if (add)
      rewriter.eraseOp(add);
    rewriter.eraseOp(matmul);
    return success();
  }
};

struct FoldBatchNormPass
    : qopt::impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldIntoConv, FoldIntoMatMul>(&getContext());
    GreedyRewriteConfig config;
    config.enableFolding(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
