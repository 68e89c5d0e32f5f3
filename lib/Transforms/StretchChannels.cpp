//===- StretchChannels.cpp - All codes for each depthwise channel ---------===//
//
// A depthwise convolution never adds two channels, so each may have a factor of
// its own for free: its weight takes the factor back, and the weight has a
// scale a channel. Without, one wide channel leaves a few codes to all others.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_STRETCHCHANNELSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Shares of the codes below zero that are tried.
static constexpr int kShares = 64;

/// A channel is stretched to no more than this times its part of the range:
/// what calibration saw of a channel near zero says little of other data.
static constexpr float kMostStretch = 1024;

/// Below this a factor is not worth its multiplication.
static constexpr float kLeastStretch = 1.25f;

/// Dims of one number a channel beside tensors of `rank`, channels on `axis`.
static SmallVector<int64_t> channelDims(int64_t rank, int64_t axis,
                                        int64_t channels) {
  SmallVector<int64_t> dims(rank, 1);
  dims[axis] = channels;
  return dims;
}

/// `constant` times one number for each channel of `result`.
static Value scaleConstant(OpBuilder &builder, Location loc, Value constant,
                           ArrayRef<float> factors, RankedTensorType result) {
  int64_t rank = result.getRank();
  ArrayRef<int64_t> own = typeOf(constant).getShape();
  SmallVector<int64_t> dims = channelDims(rank, 1, factors.size());
  for (auto [i, dim] : llvm::enumerate(own)) {
    int64_t &shared = dims[rank - own.size() + i];
    shared = shared == 1 ? dim : shared;
  }
  Value f = createConstant(builder, loc, factors,
                           channelDims(rank, 1, factors.size()));
  return MulOp::create(builder, loc,
                       RankedTensorType::get(dims, builder.getF32Type()),
                       constant, f);
}

/// The operand of a sum or product that holds the activation, where the other
/// is a constant that does not make the result wider.
static OpOperand *findActivation(Operation *op) {
  if (!isa<AddOp, MulOp>(op))
    return nullptr;
  for (unsigned i : {0u, 1u}) {
    Value constant = op->getOperand(1 - i);
    if (isWeightExpression(constant) && typeOf(constant).hasStaticShape() &&
        op->getOperand(i).getType() == op->getResult(0).getType())
      return &op->getOpOperand(i);
  }
  return nullptr;
}

/// True when positive factors for the channels of `value` can become part of
/// constants in front of it: weights, sums and, if wanted, products.
static bool canScale(Value value, bool takesProducts) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || !typeOf(value).getElementType().isF32())
    return false;
  if (auto conv = dyn_cast<ConvOp>(op))
    return getWeightedContraction(conv) &&
           !conv.getW().getDefiningOp<DequantizeOp>() &&
           (!conv.getBias() || isWeightExpression(conv.getBias()));
  if (isa<ReluOp>(op))
    return canScale(op->getOperand(0), takesProducts);
  OpOperand *activation = findActivation(op);
  if (!activation)
    return false;
  return isa<MulOp>(op) ? takesProducts
                        : canScale(activation->get(), takesProducts);
}

/// Makes `value` its product with `factors`; canScale said that it can be.
static void scale(Value value, ArrayRef<float> factors) {
  Operation *op = value.getDefiningOp();
  OpBuilder builder(op);
  Location loc = op->getLoc();
  setStatistics(value, std::nullopt);
  if (auto conv = dyn_cast<ConvOp>(op)) {
    auto type = typeOf(conv.getW());
    Value f = createConstant(builder, loc, factors,
                             channelDims(type.getRank(), 0, factors.size()));
    conv.getWMutable().assign(
        MulOp::create(builder, loc, type, conv.getW(), f));
    if (!conv.getBias())
      return;
    Value fb = createConstant(builder, loc, factors,
                              {static_cast<int64_t>(factors.size())});
    conv.getBiasMutable().assign(MulOp::create(
        builder, loc, conv.getBias().getType(), conv.getBias(), fb));
    return;
  }
  if (isa<ReluOp>(op))
    return scale(op->getOperand(0), factors);
  OpOperand *activation = findActivation(op);
  OpOperand &constant = op->getOpOperand(1 - activation->getOperandNumber());
  constant.set(
      scaleConstant(builder, loc, constant.get(), factors, typeOf(value)));
  if (isa<AddOp>(op))
    scale(activation->get(), factors);
}

namespace {
struct StretchChannels : qopt::impl::StretchChannelsPassBase<StretchChannels> {
  using StretchChannelsPassBase::StretchChannelsPassBase;

  void runOnOperation() override {
    SmallVector<ConvOp> convs;
    getOperation().walk([&](ConvOp conv) {
      auto request = conv->getAttrOfType<RequestAttr>(kRequestAttrName);
      auto view = getWeightedContraction(conv);
      if (request && request.getParams() == Params::Static && view &&
          view->isDepthwise() && !isInCodesOf(conv.getX(), request.getAct()) &&
          !isInCodesOf(conv.getW(), request.getWeight()))
        convs.push_back(conv);
    });
    for (ConvOp conv : convs)
      stretch(conv);
  }

private:
  /// The widths of ranges that the channels need where all have the same share
  /// of it below zero: the share that makes the least noise behind the weights.
  static std::vector<float> findRanges(const Statistics &stats,
                                       const HostTensor &weight) {
    size_t channels = stats.channelMin.size();
    std::vector<double> gains(channels, 0);
    size_t perChannel = weight.getNumElements() / channels;
    for (auto [i, w] : llvm::enumerate(weight.as<float>()))
      gains[i / perChannel] += double(w) * w;
    std::vector<float> best;
    double leastNoise = INFINITY;
    for (int part = 0; part <= kShares; ++part) {
      float share = static_cast<float>(part) / kShares;
      std::vector<float> ranges(channels, 0);
      double noise = 0;
      for (size_t c = 0; c < channels; ++c) {
        float low = -std::min(stats.channelMin[c], 0.0f);
        float high = std::max(stats.channelMax[c], 0.0f);
        ranges[c] = std::max(low > 0 ? low / share : 0,
                             high > 0 ? high / (1 - share) : 0);
        noise += gains[c] * ranges[c] * ranges[c];
      }
      if (noise < leastNoise) {
        leastNoise = noise;
        best = std::move(ranges);
      }
    }
    return best;
  }

  /// What the channels of the activation are multiplied with; nothing where
  /// they are alike.
  std::vector<float> findFactors(const Statistics &stats,
                                 const HostTensor &weight) {
    std::vector<float> factors = findRanges(stats, weight);
    if (factors.empty())
      return {};
    float widest = *llvm::max_element(factors);
    for (float &factor : factors) {
      // Of a channel that was always 0 nothing is known.
      factor = factor > 0 ? std::min(widest / factor, kMostStretch) : 1;
      if (isPow2)
        factor = roundFactorToPow2(factor);
    }
    if (*llvm::max_element(factors) < kLeastStretch)
      return {};
    return factors;
  }

  void stretch(ConvOp conv) {
    Value x = conv.getX();
    auto stats = qopt::getStatistics(x);
    auto weight = evaluateExpression(conv.getW());
    if (!stats || stats->samples == 0 || !weight || stats->channelAxis != 1 ||
        static_cast<int64_t>(stats->channelMin.size()) != conv.getGroup())
      return;
    bool isFree = canScale(x, /*takesProducts=*/!keepsCodes);
    if (!isFree && keepsCodes && isMadeFromCodes(x))
      return;
    std::vector<float> factors = findFactors(*stats, *weight);
    if (factors.empty())
      return;
    OpBuilder builder(conv);
    Location loc = conv.getLoc();
    int64_t channels = factors.size();
    if (isFree) {
      scale(x, factors);
    } else {
      Value f = createConstant(builder, loc, factors,
                               channelDims(typeOf(x).getRank(), 1, channels));
      conv.getXMutable().assign(MulOp::create(builder, loc, x.getType(), x, f));
    }
    auto type = typeOf(conv.getW());
    // A channel makes as many outputs as there are weights for each.
    std::vector<float> reciprocals(type.getDimSize(0));
    for (auto [i, reciprocal] : llvm::enumerate(reciprocals))
      reciprocal = 1.0f / factors[i * channels / reciprocals.size()];
    Value r =
        createConstant(builder, loc, reciprocals,
                       channelDims(type.getRank(), 0, reciprocals.size()));
    conv.getWMutable().assign(
        MulOp::create(builder, loc, type, conv.getW(), r));
    ++numStretched;
  }
};
} // namespace
