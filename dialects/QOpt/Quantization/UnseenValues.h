//===- UnseenValues.h - What ranges meet that no sample showed --*- C++ -*-===//
//
// A range of extremes fits the samples it was made from and clips others: with
// n rows, one new value in n + 1 lies beyond what its channel has shown. How
// far, samples tell that were held back.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_UNSEENVALUES_H
#define DIALECTS_QOPT_QUANTIZATION_UNSEENVALUES_H

#include "dialects/QOpt/Quantization/Statistics.h"

namespace qopt {

/// The channels of an activation that is divided by factors, all 1 at first.
class ScaledChannels {
public:
  explicit ScaledChannels(const Statistics &stats) : stats(stats) {}
  /// One factor for each channel.
  ScaledChannels(const Statistics &stats, llvm::ArrayRef<float> factors)
      : stats(stats), factors(factors) {}

  size_t size() const { return stats.channelMin.size(); }
  float factor(size_t channel) const {
    return factors.empty() ? 1.0f : factors[channel];
  }
  double low(size_t channel) const {
    return double(stats.channelMin[channel]) / factor(channel);
  }
  double high(size_t channel) const {
    return double(stats.channelMax[channel]) / factor(channel);
  }

  /// Mean square of what new values of a channel are expected to lose at these
  /// bounds.
  double clipping(size_t channel, double lowest, double highest) const;

private:
  const Statistics &stats;
  llvm::ArrayRef<float> factors;
};

/// A range of 8-bit codes and what it costs.
struct RealRange {
  double low = 0, high = 0;
  /// The step of the codes in it.
  double step() const { return (high - low) / 255; }
};

/// The range around `range`, which holds 0, at which rounding and clipping cost
/// the least over all channels. With `isPow2` its step is a power of two.
RealRange widenRange(const ScaledChannels &channels, RealRange range,
                     bool isPow2);

/// The same around all that the channels have shown.
RealRange chooseRange(const ScaledChannels &channels, bool isPow2);

/// Mean over the channels of what clipping costs.
double meanClipping(const ScaledChannels &channels, RealRange range);

} // namespace qopt

#endif
