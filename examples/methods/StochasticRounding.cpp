//===- StochasticRounding.cpp - A rounding method beside qopt's own -------===//
//
// The two codes around a value are taken at random, the nearer one more often,
// so that the mean of many roundings is the value. What it shows is the whole
// of a method: a name, an option, and codes for every format.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include <cmath>
#include <random>

using namespace qopt;

namespace {
class StochasticRounding : public RoundingMethod {
public:
  llvm::StringRef getName() const override { return "stochastic"; }

  llvm::StringRef getMeaning() const override {
    return "takes one of the two codes around a weight of matrix products at "
           "random";
  }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"seed", int64_t(1), number(0, 1e9),
         "where its random numbers begin, the same ones for each layer", "7"}};
    return options;
  }

  llvm::Expected<QuantizedWeight>
  round(const LayerToRound &layer, const WeightGrid &grid,
        const MethodOptions &options) const override {
    // The ranges, and the nearest codes in them.
    llvm::Expected<QuantizedWeight> quantized = grid.quantize(layer.weight);
    if (!quantized || layer.weight.getRank() != 2)
      return quantized;
    ElementGrids grids(*quantized, grid.getFormat());
    std::mt19937 random(static_cast<uint32_t>(options.get<int64_t>("seed")));
    auto codes = quantized->codes.asMutable<uint8_t>();
    llvm::ArrayRef<float> weight = layer.weight.as<float>();
    int64_t outputs = layer.weight.getDims()[1];
    for (size_t i = 0; i < weight.size(); ++i) {
      int64_t k = i / outputs, n = i % outputs;
      double nearest = grids.valueOf(k, n, codes[i]);
      double error = weight[i] - nearest;
      // The next code on the side of the value; none where it is very near.
      uint8_t next = codes[i];
      for (int doublings = 1; next == codes[i] && doublings <= 8; ++doublings)
        next = grids.codeOf(
            k, n, static_cast<float>(nearest + std::ldexp(error, doublings)));
      double step = grids.valueOf(k, n, next) - nearest;
      if (step != 0 && error / step * 0x1p32 > random())
        codes[i] = next;
    }
    return quantized;
  }
};
} // namespace

namespace qopt {
void registerStochasticRounding(MethodRegistry &registry) {
  registry.add(std::make_unique<StochasticRounding>());
}
} // namespace qopt
