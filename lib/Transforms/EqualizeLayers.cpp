//===- EqualizeLayers.cpp - Cross-layer equalization ----------------------===//
//
// Works on weight expressions: it reads the weights to find the factors and
// writes products and quotients of expressions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/FactorSearch.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Methods.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Two convolutions with at most a ReLU between them.
struct LayerPair {
  ConvOp first, second;
  Operation *between; // ReLU or null
};

static std::optional<LayerPair> findPair(ConvOp second) {
  Value middle = second.getX();
  Operation *between = nullptr;
  if (auto relu = middle.getDefiningOp<ReluOp>()) {
    if (!middle.hasOneUse())
      return std::nullopt;
    between = relu;
    middle = relu.getX();
  }
  auto first = middle.getDefiningOp<ConvOp>();
  if (!first || !middle.hasOneUse())
    return std::nullopt;
  auto view = getWeightedContraction(second);
  if (!view || (view->group > 1 && !view->isDepthwise()))
    return std::nullopt;
  if (!isWeightExpression(first.getW()) ||
      !cast<RankedTensorType>(first.getW().getType()).getElementType().isF32())
    return std::nullopt;
  if (first.getBias() && !isWeightExpression(first.getBias()))
    return std::nullopt;
  // Codes that the model came with stand.
  if (first.getW().getDefiningOp<DequantizeOp>() ||
      second.getW().getDefiningOp<DequantizeOp>())
    return std::nullopt;
  return LayerPair{first, second, between};
}

/// Without statistics, a bias is what is known of a channel besides its
/// weights.
static Statistics guessStatistics(const WeightMagnitudes &w1,
                                  const std::optional<HostTensor> &bias) {
  Statistics stats;
  for (auto [channel, peak] : llvm::enumerate(w1.largest)) {
    float most = bias ? std::abs(bias->as<float>()[channel]) : 0.0f;
    stats.channelMax.push_back(std::max(peak, most));
    stats.channelMin.push_back(0);
    stats.channelMeanSquare.push_back(0);
  }
  return stats;
}

namespace {
class EqualizeLayers : public Transformation {
public:
  llvm::StringRef getName() const override { return "equalize"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"equalize", false, flag(),
         "evens out the channels between two layers with nothing but ReLU "
         "between them",
         "true"},
    };
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%a = qopt.conv %x, %w1 bias %b1
%r = qopt.relu %a
%y = qopt.conv %r, %w2
// becomes
%a = qopt.conv %x, (%w1 / s) bias (%b1 / s)
%r = qopt.relu %a
%y = qopt.conv %r, (%w2 * s)
```

Where the middle value has statistics, s is found as `smooth` finds it, and a pair
that gains nothing stays. Without, s = sqrt(r1 / r2) of the channels' largest
weights, where r1 is that of the bias if it is larger. A dead channel has s = 1,
and one near zero counts as 2^-12 of the largest.

Leaves a pair alone when the middle value has other users, when something
else than ReLU stands between, when the second is a grouped convolution that
is not depthwise, or when a weight depends on an input.

Runs in `transform`; drops the statistics in between.

Numerics: bounded; with pow2 factors exact unless a value leaves the normal
range. Data-free quantization (Nagel et al. 2019).
)";
  }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &) const override {
    for (const Layer &layer : group.layers)
      if (auto conv = dyn_cast<ConvOp>(layer.op))
        if (std::optional<LayerPair> pair = findPair(conv))
          equalize(*pair, settings.isPow2);
  }

private:
  /// Factors by what the samples show, where they are better than none; without
  /// samples those that balance the layers.
  static std::optional<FactorChoice> choose(LayerPair pair, bool isPow2) {
    std::optional<HostTensor> w1 = evaluateExpression(pair.first.getW());
    std::optional<HostTensor> w2 = evaluateExpression(pair.second.getW());
    std::optional<HostTensor> bias;
    if (pair.first.getBias())
      bias = evaluateExpression(pair.first.getBias());
    if (!w1 || !w2 || (pair.first.getBias() && !bias))
      return std::nullopt;
    auto first = WeightMagnitudes::of(*w1, /*channelAxis=*/0, /*outputAxis=*/0);
    auto second = WeightMagnitudes::of(*w2, pair.second.getGroup() > 1 ? 0 : 1,
                                       /*outputAxis=*/0);
    if (first.largest.size() != second.largest.size())
      return std::nullopt;
    std::optional<Statistics> stats = qopt::getStatistics(pair.second.getX());
    bool isKnown = stats && stats->samples &&
                   stats->channelMin.size() == first.largest.size();
    if (!isKnown)
      stats = guessStatistics(first, bias);
    return FactorSearch(*stats, {std::move(second)}, isPow2)
        .choose(isKnown ? "search" : "0.5");
  }

  static void equalize(LayerPair pair, bool isPow2) {
    std::optional<FactorChoice> choice = choose(pair, isPow2);
    if (!choice)
      return;
    ArrayRef<float> factors = choice->factors;
    int64_t channels = factors.size();
    SmallVector<float> reciprocals;
    for (float factor : factors)
      reciprocals.push_back(1.0f / factor);
    scaleOutputs(pair.first, reciprocals, channels);
    ConvOp second = pair.second;
    SmallVector<int64_t> dims(
        cast<RankedTensorType>(second.getW().getType()).getRank(), 1);
    dims[second.getGroup() > 1 ? 0 : 1] = channels;
    OpBuilder builder(pair.second);
    Location loc = pair.second.getLoc();
    Value s = createConstant(builder, loc, factors, dims);
    second.getWMutable().assign(
        MulOp::create(builder, loc, second.getW().getType(), second.getW(), s));
    second->setAttr(kFactorsAttrName,
                    choice->describe(second.getContext(), "equalize"));
    setStatistics(pair.first.getResult(), std::nullopt);
    if (pair.between)
      setStatistics(pair.between->getResult(0), std::nullopt);
  }

  static void scaleOutputs(ConvOp conv, ArrayRef<float> reciprocals,
                           int64_t channels) {
    OpBuilder builder(conv);
    Location loc = conv.getLoc();
    SmallVector<int64_t> dims(
        cast<RankedTensorType>(conv.getW().getType()).getRank(), 1);
    dims[0] = channels;
    Value r = createConstant(builder, loc, reciprocals, dims);
    conv.getWMutable().assign(
        MulOp::create(builder, loc, conv.getW().getType(), conv.getW(), r));
    if (!conv.getBias())
      return;
    Value rb = createConstant(builder, loc, reciprocals, {channels});
    conv.getBiasMutable().assign(MulOp::create(
        builder, loc, conv.getBias().getType(), conv.getBias(), rb));
  }
};
} // namespace

namespace qopt {
void registerEqualizeLayers(MethodRegistry &registry) {
  registry.add(std::make_unique<EqualizeLayers>());
}
} // namespace qopt
