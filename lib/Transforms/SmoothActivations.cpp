//===- SmoothActivations.cpp - SmoothQuant with searched factors ----------===//
//
// All products of one activation share factors. The norm of a post-norm block
// feeds the residual too: there the factor is a multiplication in front of the
// quantizer. That of a pre-norm block takes it into its scale and bias.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/FactorSearch.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Methods.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace qopt;

namespace {
/// The matmuls with weights that read one activation as the same codes.
struct Consumers {
  Statistics stats;
  SmallVector<MatMulOp> matmuls;
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
      smooth(group.activation, own,
             FactorSearch(own.stats, own.weights, settings.isPow2, own.dynamic)
                 .choose(options.get<std::string>(getName())));
  }

private:
  static void collect(MatMulOp matmul, RequestAttr request,
                      const Statistics &stats,
                      llvm::MapVector<CodedAs, Consumers> &consumers) {
    int64_t k = cast<RankedTensorType>(matmul.getRhs().getType()).getDimSize(0);
    if (static_cast<int64_t>(stats.channelMin.size()) != k)
      return;
    auto weight = evaluateExpression(matmul.getRhs());
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

  /// Multiplies what a norm makes by `r`, in its scale and bias; false where
  /// something else reads it or these are no constants for each channel.
  static bool scaleNorm(Value activation, const Consumers &group, Value r) {
    auto norm = activation.getDefiningOp<LayerNormOp>();
    auto isOfGroup = [&](Operation *user) {
      return llvm::is_contained(group.matmuls, user);
    };
    auto isChannels = [&](Value vector) {
      return vector.getType() == r.getType() &&
             vector.getDefiningOp<ConstantOp>();
    };
    if (!norm || !llvm::all_of(activation.getUsers(), isOfGroup) ||
        !isChannels(norm.getScale()) ||
        (norm.getBias() && !isChannels(norm.getBias())))
      return false;
    OpBuilder builder(norm);
    for (OpOperand &operand : norm->getOpOperands().drop_front())
      operand.set(
          MulOp::create(builder, norm.getLoc(), r.getType(), operand.get(), r));
    setStatistics(activation, std::nullopt);
    return true;
  }

  static void smooth(Value activation, Consumers &group,
                     const std::optional<FactorChoice> &choice) {
    if (!choice)
      return;
    int64_t k = choice->factors.size();
    SmallVector<float> reciprocals;
    for (float factor : choice->factors)
      reciprocals.push_back(1.0f / factor);
    DictionaryAttr description =
        choice->describe(activation.getContext(), "smooth");
    Operation *first = group.matmuls.front();
    for (MatMulOp matmul : group.matmuls)
      if (matmul->isBeforeInBlock(first))
        first = matmul;
    OpBuilder builder(first);
    Location loc = first->getLoc();
    if (auto norm = activation.getDefiningOp<LayerNormOp>())
      builder.setInsertionPoint(norm);
    Value r = createConstant(builder, loc, reciprocals, {k});
    builder.setInsertionPoint(first);
    Value smoothed = activation;
    if (!scaleNorm(activation, group, r))
      smoothed =
          MulOp::create(builder, loc, activation.getType(), activation, r);
    Value s = createConstant(builder, loc, choice->factors, {k, 1});
    for (MatMulOp matmul : group.matmuls) {
      builder.setInsertionPoint(matmul);
      Value scaled =
          MulOp::create(builder, matmul.getLoc(), matmul.getRhs().getType(),
                        matmul.getRhs(), s);
      matmul.getLhsMutable().assign(smoothed);
      matmul.getRhsMutable().assign(scaled);
      matmul->setAttr(kFactorsAttrName, description);
    }
  }
};
} // namespace

namespace qopt {
void registerSmoothActivations(MethodRegistry &registry) {
  registry.add(std::make_unique<SmoothActivations>());
}
} // namespace qopt
