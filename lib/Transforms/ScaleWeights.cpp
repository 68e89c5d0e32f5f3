//===- ScaleWeights.cpp - AWQ: channels that matter get finer codes -------===//
//
// Where activations stay floats, only weights are rounded. Those that meet loud
// channels are multiplied before they are rounded, and the channels divided, as
// far as the other weights of their groups do not lose more by it. Nothing is
// guessed: each candidate is rounded.
//
//===----------------------------------------------------------------------===//

#include "ChannelFactors.h"
#include "dialects/QOpt/Quantization/WeightGrid.h"
#include "qopt/Transforms/Methods.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Exponents that are tried are multiples of 1 over it, below 1.
static constexpr int kExponents = 20;

/// Outputs of a weight that are rounded for each candidate, at most: rows of a
/// product are independent, and so many tell what all would.
static constexpr int64_t kTriedOutputs = 256;

/// A factor is this at least, before all are brought around 1.
static constexpr double kLeastFactor = 1e-4;

namespace {
/// Products of one activation whose weights alone are to have codes.
class WeightGroup {
public:
  explicit WeightGroup(const Statistics &stats) : stats(stats) {}

  /// Adds a product, if its weight can be evaluated.
  void add(const Layer &layer) {
    auto matmul = dyn_cast<MatMulOp>(layer.op);
    if (!matmul || !layer.isWeightOnly())
      return;
    std::optional<HostTensor> weight = evaluateWeight(matmul, stats);
    if (!weight)
      return;
    matmuls.push_back(matmul);
    tried.push_back({takeOutputs(*weight), layer.request.getWeight()});
  }

  ArrayRef<Operation *> getMatmuls() const { return matmuls; }

  /// The best of all exponents; nothing where no factor is better than 1.
  std::optional<FactorChoice> search(bool isPow2) const {
    double plain = findError(
               std::vector<float>(stats.channelMeanSquare.size(), 1.0f)),
           least = plain;
    std::optional<FactorChoice> best;
    for (int step = 1; step < kExponents; ++step) {
      double exponent = static_cast<double>(step) / kExponents;
      std::vector<float> factors = makeFactors(exponent, isPow2);
      double error = findError(factors);
      if (!(error < least))
        continue;
      least = error;
      best = FactorChoice{std::move(factors), formatNumber(exponent),
                          error > 0 ? plain / error : 1};
    }
    return best;
  }

private:
  struct Tried {
    HostTensor weight;
    FormatAttr format;
  };

  /// [K, N] of some of the outputs, as far apart as they can be.
  static HostTensor takeOutputs(const HostTensor &weight) {
    int64_t products = weight.getDims()[0], outputs = weight.getDims()[1],
            count = std::min(outputs, kTriedOutputs);
    std::vector<float> values(products * count);
    for (int64_t k = 0; k < products; ++k)
      for (int64_t n = 0; n < count; ++n)
        values[k * count + n] =
            weight.as<float>()[k * outputs + n * outputs / count];
    return llvm::cantFail(HostTensor::copy(
        ElementType::F32, {products, count},
        {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
  }

  /// Root mean squares of the channels to a power, so that the largest and the
  /// smallest are as far from 1. A channel that was silent has no factor: it
  /// may speak.
  std::vector<float> makeFactors(double exponent, bool isPow2) const {
    std::vector<double> powers;
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (float square : stats.channelMeanSquare) {
      powers.push_back(
          square > 0
              ? std::max(std::pow(std::sqrt(square), exponent), kLeastFactor)
              : 0);
      if (square > 0) {
        least = std::min(least, powers.back());
        most = std::max(most, powers.back());
      }
    }
    std::vector<float> factors;
    for (double power : powers) {
      auto factor = power > 0
                        ? static_cast<float>(power / std::sqrt(least * most))
                        : 1.0f;
      factors.push_back(isPow2 ? roundFactorToPow2(factor) : factor);
    }
    return factors;
  }

  /// Mean square of what rounding adds to the outputs, if the errors of weights
  /// have nothing to do with each other.
  double findError(const std::vector<float> &factors) const {
    double error = 0;
    for (const Tried &one : tried) {
      HostTensor scaled = one.weight;
      int64_t outputs = scaled.getDims()[1];
      MutableArrayRef<float> values = scaled.asMutable<float>();
      for (auto [k, factor] : llvm::enumerate(factors))
        for (float &value : values.slice(k * outputs, outputs))
          value *= factor;
      WeightQuantizerOptions options;
      options.clipSearch = false;
      auto rounded = WeightGrid(one.format, options).quantize(scaled);
      if (!rounded) {
        llvm::consumeError(rounded.takeError());
        return std::numeric_limits<double>::infinity();
      }
      ElementGrids grids(*rounded, one.format);
      for (auto [k, factor] : llvm::enumerate(factors)) {
        double sum = 0;
        for (int64_t n = 0; n < outputs; ++n) {
          int64_t at = k * outputs + n;
          double lost = values[at] -
                        grids.valueOf(k, n, rounded->codes.as<uint8_t>()[at]);
          sum += lost * lost;
        }
        error += sum * stats.channelMeanSquare[k] / (double(factor) * factor);
      }
    }
    return error;
  }

  const Statistics &stats;
  SmallVector<Operation *> matmuls;
  std::vector<Tried> tried;
};

class ScaleWeights : public Transformation {
public:
  llvm::StringRef getName() const override { return "awq"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"awq", false, flag(),
         "AWQ: multiplies weights that meet loud channels before they are "
         "rounded, where activations stay floats",
         "true", "w4a16-g32"},
    };
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%y = qopt.matmul %x, %w
// becomes
%xs = qopt.mul %x, %r          // r = f32(1 / s), one value a channel
%ws = qopt.mul %w, %s
%y = qopt.matmul %xs, %ws
```

All matmuls with weights that read one activation, and whose weights alone are to
have codes, share s = m^e / sqrt(max m^e * min m^e), m the root mean square of a
channel in the samples. The exponent e is one of 0, 0.05 ... 0.95: each is tried by
rounding up to 256 outputs of each weight to nearest. The error of a weight counts
as the mean square of its channel; e = 0 leaves the group alone. Where a layer_norm
with constant scale and bias makes the activation for this group alone, these are
multiplied by r instead of %x.

Does nothing for convolutions, for activations without statistics, and where
activations have codes, which `smooth` serves.

Needs statistics; drops those of the new activations.

Numerics: bounded; with pow2 factors exact unless a value leaves the normal
range. AWQ (Lin et al. 2023).
)";
  }

  TransformedActivations getActivations() const override {
    return TransformedActivations::Float;
  }

  bool needsStatistics() const override { return true; }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &options) const override {
    std::optional<Statistics> stats = group.getStatistics();
    if (!stats)
      return;
    WeightGroup weights(*stats);
    for (const Layer &layer : group.layers)
      weights.add(layer);
    if (weights.getMatmuls().empty())
      return;
    if (auto choice = weights.search(settings.isPow2))
      applyFactors(group.activation, weights.getMatmuls(), *choice, getName());
  }
};
} // namespace

namespace qopt {
void registerScaleWeights(MethodRegistry &registry) {
  registry.add(std::make_unique<ScaleWeights>());
}
} // namespace qopt
