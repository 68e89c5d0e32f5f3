//===- GptqRounding.cpp - The rounding method `gptq` ----------------------===//
//
// Scales and zeros are those of rounding to nearest, and so are the codes where
// GPTQ would not lower the error that the moments foretell, or where there are
// no moments. Scales of few values are chosen again when their block is
// reached.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/BlockScales.h"
#include "dialects/QOpt/Quantization/Gptq.h"
#include "dialects/QOpt/Quantization/MethodRegistry.h"

using namespace mlir;
using namespace qopt;

/// What bounds the memory beside a large weight, and fits into caches.
static constexpr int64_t kOutputsAtOnce = 1024;

namespace {
class GptqRounding : public RoundingMethod {
public:
  llvm::StringRef getName() const override { return "gptq"; }

  llvm::StringRef getMeaning() const override {
    return "makes up for errors of rounding in matrix products";
  }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"damping", 0.01, shareAboveZero(),
         "share of the mean second moment of the activations that is added to "
         "each",
         "0.05", "w4a16-g32"},
        {"moment-weight", std::string("token-norm"),
         oneOf({"token-norm", "none"}),
         "how much a row of activations counts; token-norm gives each the same "
         "weight",
         "none", "w4a16-g32"},
        {"moments-of", std::string("float"), oneOf({"float", "quantized"}),
         "whose activations count: those of the float program, or those that "
         "the layers before make with their codes, which costs a run of all "
         "samples for each group of products that read one activation",
         "quantized", "w4a16-g32"},
        {"refine", int64_t(0), number(0, 100),
         "rounds behind it in which each weight of a layer takes the "
         "code "
         "that is best beside the others'; they fit the samples more closely, "
         "which few samples do not bear",
         "3", "w4a16-g32"},
    };
    return options;
  }

  RoundingNeeds getNeeds(const MethodOptions &options) const override {
    RoundingNeeds needs;
    needs.moments = true;
    if (options.get<std::string>("moment-weight") == "token-norm")
      needs.rowWeight = RowWeight::InverseSquare;
    needs.isSequential = options.get<std::string>("moments-of") == "quantized";
    return needs;
  }

  llvm::Expected<QuantizedWeight>
  round(const LayerToRound &layer, const WeightGrid &grid,
        const MethodOptions &options) const override {
    llvm::Expected<QuantizedWeight> quantized = grid.quantize(layer.weight);
    if (!quantized || layer.moments.empty())
      return quantized;
    GptqOptions gptqOptions;
    gptqOptions.damping = options.get<double>("damping");
    if (llvm::Error error =
            chooseCodes(*quantized, layer, grid.getFormat(), gptqOptions,
                        options.get<int64_t>("refine")))
      layer.op->emitWarning("is rounded to nearest, as its activations' ")
          << llvm::toString(std::move(error));
    return quantized;
  }

private:
  static llvm::Error chooseCodes(QuantizedWeight &quantized,
                                 const LayerToRound &layer, FormatAttr format,
                                 GptqOptions options, int64_t rounds) {
    int64_t products = layer.weight.getDims()[0],
            outputs = layer.weight.getDims()[1];
    HostTensor scales = quantized.scales.front();
    std::optional<BlockScales> blocks = BlockScales::of(quantized, format);
    options.ordersByMoment = !blocks;
    auto factor = factorMoments(layer.moments, products, options);
    if (!factor)
      return factor.takeError();

    ElementGrids grids(quantized, format);
    ArrayRef<float> values = layer.weight.as<float>();
    auto codes = quantized.codes.asMutable<uint8_t>();
    std::vector<uint8_t> chosen(codes.size());
    double loss = 0, nearestLoss = 0;
    for (int64_t first = 0; first < outputs; first += kOutputsAtOnce) {
      int64_t count = std::min(kOutputsAtOnce, outputs - first);
      GptqProblem problem{count, products, {}, layer.moments};
      problem.weight.resize(count * products);
      std::vector<double> nearest(problem.weight.size());
      for (int64_t k = 0; k < products; ++k)
        for (int64_t n = 0; n < count; ++n) {
          int64_t from = k * outputs + first + n, to = n * products + k;
          problem.weight[to] = values[from];
          nearest[to] = grids.valueOf(k, first + n, codes[from]);
        }
      nearestLoss += proxyLoss(problem, nearest);

      auto takeScale = [&](int64_t n, int64_t k, ArrayRef<double> block,
                           int64_t which) {
        blocks->take(k, first + n, block, which);
      };
      std::optional<ScaleChoices> choices;
      if (blocks)
        choices = {blocks->getBlock(), blocks->getCount(), takeScale};
      auto round = [&](int64_t n, int64_t k, double value) {
        uint8_t code = grids.codeOf(k, first + n, static_cast<float>(value));
        chosen[k * outputs + first + n] = code;
        return grids.valueOf(k, first + n, code);
      };
      std::vector<double> rounded =
          gptq(problem, *factor, options, round, choices ? &*choices : nullptr);
      refine(problem, rounds, rounded, round);
      loss += proxyLoss(problem, rounded);
    }
    if (loss < nearestLoss)
      llvm::copy(chosen, codes.begin());
    else
      quantized.scales.front() = std::move(scales);
    return llvm::Error::success();
  }
};
} // namespace

namespace qopt {
void registerGptqRounding(MethodRegistry &registry) {
  registry.add(std::make_unique<GptqRounding>());
}
} // namespace qopt
