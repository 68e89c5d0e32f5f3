//===- SmoothActivations.cpp - SmoothQuant with searched factors ----------===//
//
// All products of one activation share factors. The norm of a post-norm block
// feeds the residual too: there the factor is a multiplication in front of the
// quantizer. That of a pre-norm block takes it into its scale and bias.
//
//===----------------------------------------------------------------------===//

#include "ChannelFactors.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "qopt/Transforms/Methods.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace qopt;

namespace {
/// The matmuls with weights that read one activation as the same codes.
struct Consumers {
  Statistics stats;
  SmallVector<Operation *> matmuls;
  std::vector<WeightMagnitudes> weights;
  /// Of scales that are made from a row; none where they are for all data.
  std::optional<CodeNoise> dynamic;
};

/// The request that codes of an activation follow.
using CodedAs = std::pair<FormatAttr, Params>;

class SmoothActivations : public Transformation {
public:
  llvm::StringRef getName() const override { return "smooth"; }

  llvm::ArrayRef<MethodOption> getOptions() const override {
    static const MethodOption options[] = {
        {"smooth",
         std::string("off"),
         {{"off", "search", "log"}, false, false, OptionValues::Range{0, 1}},
         "SmoothQuant: moves the spread of activation channels into the "
         "weights of products, for static, dynamic and block formats; search "
         "tries exponents for each group of products, log is "
         "the logarithmic rule, a number one exponent for all",
         "'0.8'"},
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

All matmuls with weights that read one activation as the same codes are a group
and share s. Where a layer_norm with constant scale and bias makes the activation
for this group alone, these are multiplied by r instead of %x. With `search` the exponents 0.5 to 0.9, the logarithmic rule and s = 1
compete by the output error that the statistics predict for the group's
formats; s = 1 leaves the group alone. Where one range serves all data, part of
that error is what new values lose by clipping, as held-back samples show it,
or as few samples let expect: factors that make every channel fill the range
lose by it. A dead channel has s = 1. With pow2 the predicted step of the
activation is a power of two, and each candidate is tried with common factors
of fourths of an octave, which round other channels up.

Does nothing for convolutions, for activations without statistics, and for
matmuls whose activations are not quantized. Where codes are computed from codes
it also does nothing where the activation comes from an op that has an integer
form, as a factor for each channel would put floats between codes. Norms, softmax
and attention are floats anyway, and functions such as GELU become so.

Needs statistics; drops those of the new activations.

Numerics: bounded; with pow2 factors exact unless a value leaves the normal
range. SmoothQuant (Xiao et al. 2023), logarithmic rule: FPTQ (Li et al. 2023).
)";
  }

  TransformedActivations getActivations() const override {
    return TransformedActivations::Quantized;
  }

  bool needsStatistics() const override { return true; }

  void apply(const LayerGroup &group, const TransformSettings &settings,
             const MethodOptions &options) const override {
    if (settings.keepsCodes && isMadeFromCodes(group.activation))
      return;
    std::optional<Statistics> stats = group.getStatistics();
    if (!stats)
      return;
    llvm::MapVector<CodedAs, Consumers> consumers;
    for (const Layer &layer : group.layers)
      if (auto matmul = dyn_cast<MatMulOp>(layer.op);
          matmul && layer.isQuantized())
        collect(matmul, layer.request, *stats, consumers);
    for (auto &[coded, own] : consumers)
      if (auto choice =
              FactorSearch(own.stats, own.weights, settings.isPow2, own.dynamic)
                  .choose(options.get<std::string>(getName())))
        applyFactors(group.activation, own.matmuls, *choice, getName());
  }

private:
  static void collect(MatMulOp matmul, RequestAttr request,
                      const Statistics &stats,
                      llvm::MapVector<CodedAs, Consumers> &consumers) {
    std::optional<HostTensor> weight = evaluateWeight(matmul, stats);
    if (!weight)
      return;
    Consumers &own = consumers[{request.getAct(), request.getParams()}];
    own.stats = stats;
    if (request.getParams() == Params::Dynamic)
      own.dynamic = CodeNoise(request.getAct());
    own.matmuls.push_back(matmul);
    own.weights.push_back(WeightMagnitudes::of(*weight, /*channelAxis=*/0,
                                               /*outputAxis=*/1));
    own.weights.back().noise = CodeNoise(request.getWeight());
  }
};
} // namespace

namespace qopt {
void registerSmoothActivations(MethodRegistry &registry) {
  registry.add(std::make_unique<SmoothActivations>());
}
} // namespace qopt
