//===- RmsScaling.cpp - A transformation beside qopt's own ----------------===//
//
// Loud channels of an activation are divided by a power of their root mean
// square, and the weights that meet them multiplied. What it shows is the whole
// of a transformation: a key of recipes, a need for statistics, and a rewrite.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
class RmsScaling : public Transformation {
public:
  llvm::StringRef getName() const override { return "rms"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"rms",
         std::string("off"),
         {{"off"}, false, false, OptionValues::Range{0, 1}},
         "divides the channels of activations by this power of their size",
         "'0.5'"}};
    return options;
  }

  llvm::StringRef getDescription() const override {
    return R"(```mlir
%y = qopt.matmul %x, %w
// becomes
%y = qopt.matmul (qopt.mul %x, %r), (qopt.mul %w, %s)
```

Numerics: bounded; with pow2 factors exact unless a value leaves the normal
range.
)";
  }

  bool needsStatistics() const override { return true; }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &options) const override {
    std::optional<Statistics> stats = group.getStatistics();
    if (!stats || !llvm::all_of(group.layers, [](const Layer &layer) {
          return isa<MatMulOp>(layer.op) && layer.isQuantized();
        }))
      return;
    double exponent = std::stod(options.get<std::string>(getName()));
    std::vector<float> factors, reciprocals;
    for (float square : stats->channelMeanSquare) {
      float factor =
          square > 0 ? static_cast<float>(std::pow(std::sqrt(square), exponent))
                     : 1;
      factors.push_back(settings.isPow2 ? roundFactorToPow2(factor) : factor);
      reciprocals.push_back(1 / factors.back());
    }
    int64_t channels = static_cast<int64_t>(factors.size());

    OpBuilder builder(group.activation.getContext());
    builder.setInsertionPointAfterValue(group.activation);
    Location loc = group.activation.getLoc();
    Value r = createConstant(builder, loc, reciprocals, {channels});
    Value s = createConstant(builder, loc, factors, {channels, 1});
    Value scaled = MulOp::create(builder, loc, group.activation.getType(),
                                 group.activation, r);
    for (const Layer &layer : group.layers) {
      builder.setInsertionPoint(layer.op);
      Value weight = layer.view.rhs.tensor;
      layer.view.lhs.operand->set(scaled);
      layer.view.rhs.operand->set(
          MulOp::create(builder, loc, weight.getType(), weight, s));
    }
  }
};
} // namespace

namespace qopt {
void registerRmsScaling(MethodRegistry &registry) {
  registry.add(std::make_unique<RmsScaling>());
}
} // namespace qopt
