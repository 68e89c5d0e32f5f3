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
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Methods.h"
#include <cmath>

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
class StretchChannels : public Transformation {
public:
  llvm::StringRef getName() const override { return "stretch"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"stretch", false, flag(),
         "gives each channel in front of a depthwise convolution all codes, "
         "where ranges are static",
         "false"},
    };
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%y = qopt.conv %x, %w {group = 64 : i64}
// becomes, with f the widest channel's range over each channel's own
%xs = qopt.mul %x, %f
%ws = qopt.mul %w, %r          // r = f32(1 / f), one value a channel
%y = qopt.conv %xs, %ws {group = 64 : i64}
```

Channels of a depthwise convolution are never added, and its weight has a
scale for each, so the factors cost no bit of the weight. All channels keep one
zero, so their ranges share a ratio of what lies below zero to what lies
above: the one that makes the least noise behind the weights.

A convolution with weights, a product with a constant or a sum with one in
front of it, also with ReLU in between, takes the factors into its constants
instead of `qopt.mul`.

Does nothing for convolutions that are not depthwise or not requested static,
for activations without statistics, and where all channels have nearly the
same range. Where codes are computed from codes it also does nothing where floats
would come between codes.

Needs statistics; drops those of the stretched activations.

Numerics: bounded; with pow2 factors exact unless a value leaves the normal
range.
)";
  }

  TransformedActivations getActivations() const override {
    return TransformedActivations::Static;
  }

  bool needsStatistics() const override { return true; }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &) const override {
    for (const Layer &layer : group.layers)
      if (layer.view.isDepthwise() && layer.isStatic())
        stretch(cast<ConvOp>(layer.op), settings);
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
  static std::vector<float> findFactors(const Statistics &stats,
                                        const HostTensor &weight, bool isPow2) {
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

  static void stretch(ConvOp conv, const TransformSettings &settings) {
    Value x = conv.getX();
    auto stats = qopt::getStatistics(x);
    auto weight = evaluateExpression(conv.getW());
    if (!stats || stats->samples == 0 || !weight || stats->channelAxis != 1 ||
        stats->channelMin.size() != conv.getGroup())
      return;
    bool isFree = canScale(x, /*takesProducts=*/!settings.keepsCodes);
    if (!isFree && settings.keepsCodes && isMadeFromCodes(x))
      return;
    std::vector<float> factors = findFactors(*stats, *weight, settings.isPow2);
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
  }
};
} // namespace

namespace qopt {
void registerStretchChannels(MethodRegistry &registry) {
  registry.add(std::make_unique<StretchChannels>());
}
} // namespace qopt
