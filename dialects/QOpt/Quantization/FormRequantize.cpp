//===- FormRequantize.cpp - Accumulator to codes in one step --------------===//
//
// The multiplier is made in f64 and rounded once; the bias is an integer at the
// accumulator's scale. A ReLU is the lower clamp.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodeClamp.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/IntegerBias.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_FORMREQUANTIZEPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Shifts by more give what this one gives: 0, or saturation.
static constexpr int kLargestShift = 32;

static std::optional<SmallVector<double>> constantReals(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  return readReals(constant);
}

namespace {
/// accumulator [+ bias] [clamped] -> codes.
struct Chain {
  DequantizeOp dequantize;
  Value bias;
  Clamp clamp;
};

static std::optional<Chain> matchChain(Value x) {
  Chain chain;
  if (!x.hasOneUse())
    return std::nullopt;
  x = peelClamp(x, chain.clamp);
  if (!x.hasOneUse())
    return std::nullopt;
  if (auto add = x.getDefiningOp<AddOp>()) {
    bool biasOnRight = add.getRhs().getDefiningOp<ConstantOp>() != nullptr;
    chain.bias = biasOnRight ? add.getRhs() : add.getLhs();
    x = biasOnRight ? add.getLhs() : add.getRhs();
    if (!chain.bias.getDefiningOp<ConstantOp>() || !x.hasOneUse())
      return std::nullopt;
  }
  chain.dequantize = x.getDefiningOp<DequantizeOp>();
  if (!chain.dequantize ||
      !typeOf(chain.dequantize.getCodes())
           .getElementType()
           .isSignlessInteger(32) ||
      !chain.dequantize.getZeros().empty())
    return std::nullopt;
  return chain;
}

/// A constant's value for each channel of `axis`, or one for all; nothing when
/// it varies along another axis.
static std::optional<SmallVector<double>> perChannel(Value value, int64_t rank,
                                                     int64_t axis) {
  auto type = typeOf(value);
  int64_t missing = rank - type.getRank();
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    if (dim != 1 && static_cast<int64_t>(i) + missing != axis)
      return std::nullopt;
  return constantReals(value);
}

struct FormRequantizePattern : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto chain = matchChain(op.getX());
    if (!chain)
      return rewriter.notifyMatchFailure(op, "no accumulator comes in");
    auto codeType =
        dyn_cast<IntegerType>(typeOf(op.getResult()).getElementType());
    if (!codeType || op.getScales().size() != 1 || op.getZeros().size() > 1)
      return rewriter.notifyMatchFailure(op, "not one scale and zero");
    auto outputScale = constantReals(op.getScales()[0]);
    // An absent zero is 0.
    auto outputZero = op.getZeros().empty() ? SmallVector<double>{0.0}
                                            : constantReals(op.getZeros()[0]);
    if (!outputScale || !outputZero || outputScale->size() != 1)
      return rewriter.notifyMatchFailure(op, "scales are not constant");
    // A constant of more dims than the accumulator makes several codes of one.
    if (chain->dequantize.getResult().getType() != op.getX().getType())
      return rewriter.notifyMatchFailure(op, "the bias broadcasts the sum");
    int64_t rank = typeOf(op.getResult()).getRank();
    int64_t axis = rank - 1;
    if (auto sum = chain->dequantize.getCodes()
                       .getDefiningOp<ContractionOpInterface>())
      if (sum.getContraction().isConvolution)
        axis = sum.getContraction().getResultOutputAxis();
    SmallVector<double> scales{1.0};
    bool isPow2 =
        isa<Float8E8M0FNUType>(typeOf(op.getScales()[0]).getElementType());
    for (Value scale : chain->dequantize.getScales()) {
      isPow2 &= isa<Float8E8M0FNUType>(typeOf(scale).getElementType());
      auto values = perChannel(scale, rank, axis);
      if (!values)
        return rewriter.notifyMatchFailure(op, "scales are not constant");
      if (scales.size() == 1)
        scales.resize(values->size(), scales.front());
      for (size_t i = 0; i < scales.size(); ++i)
        scales[i] *= (*values)[values->size() == 1 ? 0 : i];
    }
    std::optional<SmallVector<double>> bias;
    if (chain->bias) {
      bias = perChannel(chain->bias, rank, axis);
      if (!bias)
        return rewriter.notifyMatchFailure(op, "the bias is not per channel");
    }
    return rewrite(op, rewriter, *chain, scales, bias, (*outputScale)[0],
                   static_cast<int64_t>((*outputZero)[0]), isPow2, axis);
  }

private:
  LogicalResult rewrite(QuantizeOp op, PatternRewriter &rewriter, Chain chain,
                        ArrayRef<double> scales,
                        const std::optional<SmallVector<double>> &bias,
                        double outputScale, int64_t zero, bool isPow2,
                        int64_t axis) const {
    Location loc = rewriter.getFusedLoc(
        {chain.dequantize.getLoc(), op.getX().getLoc(), op.getLoc()});
    auto result = typeOf(op.getResult());
    auto codeType = cast<IntegerType>(result.getElementType());
    Value sum = chain.dequantize.getCodes();
    auto channelDims = [&](int64_t size) {
      SmallVector<int64_t> dims(result.getRank(), 1);
      dims[axis] = size;
      return dims;
    };
    if (bias) {
      SmallVector<int64_t> integers;
      size_t count = std::max(scales.size(), bias->size());
      for (size_t i = 0; i < count; ++i) {
        double real = (*bias)[bias->size() == 1 ? 0 : i] /
                      scales[scales.size() == 1 ? 0 : i];
        if (!(std::abs(real) < kMaxIntegerBias))
          return rewriter.notifyMatchFailure(op, "the bias does not fit");
        integers.push_back(static_cast<int64_t>(std::nearbyint(real)));
      }
      Value bias32 =
          createConstant(rewriter, loc, integers, channelDims(integers.size()),
                         rewriter.getI32Type());
      sum = AddOp::create(rewriter, loc, sum.getType(), sum, bias32);
    }
    auto [low, high] = getCodeRange(codeType, chain.clamp, outputScale, zero);
    Value zeroValue =
        createConstant(rewriter, loc, ArrayRef<int64_t>{zero},
                       SmallVector<int64_t>(result.getRank(), 1), codeType);
    SmallVector<int64_t> dims = channelDims(scales.size());
    if (isPow2) {
      SmallVector<int64_t> amounts;
      for (double scale : scales)
        amounts.push_back(
            std::clamp(std::ilogb(outputScale) - std::ilogb(scale),
                       -kLargestShift, kLargestShift));
      Value amount = createConstant(rewriter, loc, amounts, dims,
                                    rewriter.getIntegerType(8));
      rewriter.replaceOpWithNewOp<ShiftOp>(op, result, sum, amount, zeroValue,
                                           low, high);
      return success();
    }
    SmallVector<float> multipliers;
    for (double scale : scales)
      multipliers.push_back(static_cast<float>(scale / outputScale));
    Value multiplier = createConstant(rewriter, loc, multipliers, dims);
    rewriter.replaceOpWithNewOp<RequantizeOp>(op, result, sum, multiplier,
                                              zeroValue, low, high);
    return success();
  }
};

struct FormRequantize : qopt::impl::FormRequantizePassBase<FormRequantize> {
  using FormRequantizePassBase::FormRequantizePassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FormRequantizePattern>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
