//===- SmoothActivations.cpp - SmoothQuant with searched factors ----------===//
//
// The search needs no data: the error of a group follows from the channels'
// statistics and the weights. The norm of a post-norm block feeds the residual
// too: there the factor is a multiplication in front of the quantizer. That of
// a pre-norm block takes it into its scale and bias.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_SMOOTHACTIVATIONSPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Common factors tried with powers of two: fourths of an octave.
static constexpr float kCommonFactors[] = {1, 1.189f, 1.414f, 1.682f};

namespace {
/// The matmuls with weights that read one activation.
struct Consumers {
  Statistics stats;
  SmallVector<MatMulOp> matmuls;
  /// Weights in [K, N], one after the other.
  SmallVector<HostTensor> weights;

  int64_t numProducts() const { return stats.channelMin.size(); }
};

/// Factors for the channels of an activation.
using Factors = std::vector<float>;

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
    llvm::MapVector<Value, Consumers> groups;
    getOperation().walk([&](MatMulOp matmul) { collect(matmul, groups); });
    for (auto &[activation, group] : groups)
      smooth(activation, group);
  }

private:
  void collect(MatMulOp matmul, llvm::MapVector<Value, Consumers> &groups) {
    auto request = matmul->getAttrOfType<RequestAttr>(kRequestAttrName);
    auto view = getWeightedContraction(matmul);
    if (!request || !view || request.getParams() != "static")
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
    Consumers &group = groups[matmul.getLhs()];
    group.stats = *stats;
    group.matmuls.push_back(matmul);
    group.weights.push_back(*weight);
  }

  /// True for what quantized operands become by integers alone. A function that
  /// curves is a table of codes at best, and the factor is worth more than
  /// that.
  static bool isMadeFromCodes(Value activation) {
    Operation *op = activation.getDefiningOp();
    if (!op)
      return false;
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    StringRef why;
    CodeRole role = getCodeRole(op, why);
    return (request && request.getParams() == "static") ||
           isa<ReluOp, ClipOp>(op) ||
           (role != CodeRole::None && role != CodeRole::Unary);
  }

  Factors exponentFactors(const Consumers &group, double exponent) {
    Factors factors(group.numProducts(), 1.0f);
    for (int64_t k = 0; k < group.numProducts(); ++k) {
      float peak = group.stats.channelPeak(k);
      float largest = 0;
      for (const HostTensor &weight : group.weights) {
        int64_t n = weight.getDims()[1];
        for (float w : weight.as<float>().slice(k * n, n))
          largest = std::max(largest, std::abs(w));
      }
      if (peak > 0)
        factors[k] = static_cast<float>(
            std::max(std::pow(peak, exponent) /
                         std::pow(std::max(largest, 1e-5f), 1 - exponent),
                     1e-5));
    }
    return factors;
  }

  Factors logFactors(const Consumers &group) {
    Factors factors(group.numProducts(), 1.0f);
    for (int64_t k = 0; k < group.numProducts(); ++k)
      if (float peak = group.stats.channelPeak(k); peak > 0)
        factors[k] = static_cast<float>(peak / std::log2(2.0 + peak));
    return factors;
  }

  /// Mean squared output error of the group with 8-bit codes: the activation's
  /// step times the weights, and the weights' steps times the activation.
  double predictError(const Consumers &group, const Factors &factors) {
    double low = 0, high = 0;
    for (int64_t k = 0; k < group.numProducts(); ++k) {
      low = std::min<double>(low, group.stats.channelMin[k] / factors[k]);
      high = std::max<double>(high, group.stats.channelMax[k] / factors[k]);
    }
    double step = (high - low) / 255;
    // A recipe of powers of two has such a step, the next one that is enough.
    if (isPow2 && step > 0)
      step = std::exp2(std::ceil(std::log2(step)));
    double activationNoise = step * step / 12;
    double error = 0;
    for (const HostTensor &weight : group.weights) {
      int64_t n = weight.getDims()[1];
      auto w = weight.as<float>();
      std::vector<double> peak(n, 0);
      for (int64_t k = 0; k < group.numProducts(); ++k)
        for (int64_t j = 0; j < n; ++j)
          peak[j] =
              std::max(peak[j], std::abs(double(w[k * n + j]) * factors[k]));
      double weightNoise = 0;
      for (double largest : peak)
        weightNoise += largest * largest / (127.0 * 127.0 * 12);
      for (int64_t k = 0; k < group.numProducts(); ++k) {
        double square = 0;
        for (int64_t j = 0; j < n; ++j)
          square += double(w[k * n + j]) * w[k * n + j];
        double factor = double(factors[k]) * factors[k];
        error += activationNoise * square * factor +
                 weightNoise * group.stats.channelMeanSquare[k] / factor;
      }
    }
    return error;
  }

  std::optional<Factors> choose(const Consumers &group) {
    auto finish = [&](Factors factors) {
      if (isPow2)
        for (float &factor : factors)
          factor = roundFactorToPow2(factor);
      return factors;
    };
    if (alpha == "log")
      return finish(logFactors(group));
    double exponent;
    if (!StringRef(alpha).getAsDouble(exponent))
      return finish(exponentFactors(group, exponent));
    std::optional<Factors> best;
    double bestError = predictError(group, Factors(group.numProducts(), 1.0f));
    auto consider = [&](Factors factors) {
      double error = predictError(group, factors);
      if (error < bestError) {
        bestError = error;
        best = std::move(factors);
      }
    };
    SmallVector<Factors> candidates{logFactors(group)};
    for (double exponent : {0.5, 0.6, 0.7, 0.8, 0.9})
      candidates.push_back(exponentFactors(group, exponent));
    // Another factor for all channels rounds other channels up.
    for (float common : ArrayRef(kCommonFactors).take_front(isPow2 ? 4 : 1))
      for (const Factors &candidate : candidates) {
        Factors scaled(candidate);
        for (float &factor : scaled)
          factor *= common;
        consider(finish(std::move(scaled)));
      }
    return best;
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
    std::optional<Factors> factors = choose(group);
    if (!factors)
      return;
    int64_t k = group.numProducts();
    Factors reciprocals;
    for (float factor : *factors)
      reciprocals.push_back(1.0f / factor);
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
    Value s = createConstant(builder, loc, *factors, {k, 1});
    for (MatMulOp matmul : group.matmuls) {
      builder.setInsertionPoint(matmul);
      Value scaled =
          MulOp::create(builder, matmul.getLoc(), matmul.getRhs().getType(),
                        matmul.getRhs(), s);
      matmul.getLhsMutable().assign(smoothed);
      matmul.getRhsMutable().assign(scaled);
    }
  }
};
} // namespace
