//===- FactorSearch.h - Factors between channels and weights ----*- C++ -*-===//
//
// Channels of an activation are divided by factors and the weights that meet
// them multiplied: which factors are best, statistics and weights tell, and
// whether any are better than none.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_FACTORSEARCH_H
#define DIALECTS_QOPT_QUANTIZATION_FACTORSEARCH_H

#include "dialects/QOpt/Quantization/CodeNoise.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// What a pass of factors leaves on an op for the report, until `quantize`.
inline constexpr llvm::StringLiteral kFactorsAttrName = "qopt.factors";

/// What of a weight the search needs, by channel and output.
struct WeightMagnitudes {
  /// Weights that meet one channel and go to one output.
  int64_t taps = 1;
  int64_t outputs = 0;
  /// Each channel has an output of its own, so that `outputs` is 1.
  bool isDiagonal = false;
  /// Largest magnitude, [channel, output].
  std::vector<float> peaks;
  /// Sum of squares of a channel.
  std::vector<double> squares;
  /// Largest magnitude of a channel.
  std::vector<float> largest;
  /// What its codes cost.
  CodeNoise noise;

  /// Of a weight whose channels lie along `channelAxis` and whose outputs lie
  /// along `outputAxis`; with both the same, each channel has its own output.
  static WeightMagnitudes of(const HostTensor &weight, int64_t channelAxis,
                             int64_t outputAxis);
};

/// Factors for the channels of an activation.
struct FactorChoice {
  std::vector<float> factors;
  /// `log`, or an exponent as in `0.8`.
  std::string rule;
  /// How many times smaller the predicted error is than without factors.
  double gain = 1;

  /// What the report shows.
  mlir::DictionaryAttr describe(mlir::MLIRContext *context,
                                llvm::StringRef transform) const;
};

class FactorSearch {
public:
  /// The products of one activation with `weights`. The activation has one
  /// range of 8-bit codes for all data, whose step is a power of two with
  /// `isPow2`, or the scales that `dynamic` makes of each row.
  FactorSearch(const Statistics &stats, std::vector<WeightMagnitudes> weights,
               bool isPow2, std::optional<CodeNoise> dynamic = std::nullopt)
      : stats(stats), weights(std::move(weights)), isPow2(isPow2),
        dynamic(std::move(dynamic)) {}

  /// What `rule` gives: `log`, an exponent between 0 and 1, or `search` for the
  /// best of them; nothing where none is better than 1 for all channels.
  std::optional<FactorChoice> choose(llvm::StringRef rule) const;

private:
  using Factors = std::vector<float>;

  Factors exponentFactors(double exponent) const;
  Factors logFactors() const;
  Factors round(Factors factors) const;
  std::vector<double> staticNoise(const Factors &factors) const;
  std::vector<double> dynamicNoise(const Factors &factors) const;
  double predictError(const Factors &factors) const;
  std::optional<FactorChoice> search() const;

  const Statistics &stats;
  std::vector<WeightMagnitudes> weights;
  bool isPow2;
  std::optional<CodeNoise> dynamic;
};

} // namespace qopt

#endif
