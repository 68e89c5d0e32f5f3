//===- NearestRounding.cpp - The rounding method `nearest` ----------------===//

#include "dialects/QOpt/Quantization/MethodRegistry.h"

using namespace qopt;

namespace {
class NearestRounding : public RoundingMethod {
public:
  llvm::StringRef getName() const override { return "nearest"; }

  llvm::StringRef getMeaning() const override {
    return "takes the nearest code";
  }

  llvm::Expected<QuantizedWeight> round(const LayerToRound &layer,
                                        const WeightGrid &grid,
                                        const MethodOptions &) const override {
    return grid.quantize(layer.weight);
  }
};
} // namespace

namespace qopt {
void registerNearestRounding(MethodRegistry &registry) {
  registry.add(std::make_unique<NearestRounding>());
}
} // namespace qopt
