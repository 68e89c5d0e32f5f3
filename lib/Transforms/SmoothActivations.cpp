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
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace qopt {
#define GEN_PASS_DEF_SMOOTHACTIVATIONSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

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

/// An activation and the request that its codes follow.
using CodedActivation = std::tuple<Value, FormatAttr, Params>;
using ConsumerGroups = llvm::MapVector<CodedActivation, Consumers>;

struct SmoothActivations
    : qopt::impl::SmoothActivationsPassBase<SmoothActivations> {
  using SmoothActivationsPassBase::SmoothActivationsPassBase;

  void runOnOperation() override {
    double exponent = 0;
    if (alpha != "search" && alpha != "log" &&
        (StringRef(alpha).getAsDouble(exponent) || exponent < 0 ||
         exponent > 1)) {
      emitError(getOperation().getLoc(), "alpha '")
          << alpha << "' expects search, log, or a number between 0 and 1";
      return signalPassFailure();
    }
    ConsumerGroups groups;
    getOperation().walk([&](MatMulOp matmul) { collect(matmul, groups); });
    for (auto &[coded, group] : groups)
      smooth(std::get<Value>(coded), group);
  }

private:
  void collect(MatMulOp matmul, ConsumerGroups &groups) {
    auto request = matmul->getAttrOfType<RequestAttr>(kRequestAttrName);
    auto view = getWeightedContraction(matmul);
    if (!request || !view || !request.getAct())
      return;
    // Codes that the model came with stand.
    if (isInCodesOf(matmul.getLhs(), request.getAct()) ||
        isInCodesOf(matmul.getRhs(), request.getWeight()))
      return;
    if (keepsCodes && isMadeFromCodes(matmul.getLhs()))
      return;
    auto stats = qopt::getStatistics(matmul.getLhs());
    int64_t k = cast<RankedTensorType>(matmul.getRhs().getType()).getDimSize(0);
    if (!stats || stats->samples == 0 ||
        static_cast<int64_t>(stats->channelMin.size()) != k)
      return;
    auto weight = evaluateExpression(matmul.getRhs());
    if (!weight)
      return;
    Consumers &group =
        groups[{matmul.getLhs(), request.getAct(), request.getParams()}];
    group.stats = *stats;
    if (request.getParams() == Params::Dynamic)
      group.dynamic = CodeNoise(request.getAct());
    group.matmuls.push_back(matmul);
    group.weights.push_back(WeightMagnitudes::of(*weight, /*channelAxis=*/0,
                                                 /*outputAxis=*/1));
    group.weights.back().noise = CodeNoise(request.getWeight());
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

  void smooth(Value activation, Consumers &group) {
    std::optional<FactorChoice> choice =
        FactorSearch(group.stats, group.weights, isPow2, group.dynamic)
            .choose(alpha);
    if (!choice)
      return;
    int64_t k = choice->factors.size();
    SmallVector<float> reciprocals;
    for (float factor : choice->factors)
      reciprocals.push_back(1.0f / factor);
    DictionaryAttr description = choice->describe(&getContext(), "smooth");
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
