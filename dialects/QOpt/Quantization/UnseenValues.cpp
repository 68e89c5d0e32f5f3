//===- UnseenValues.cpp - What ranges meet that no sample showed ----------===//
//
// The tail of a channel beyond its extremes is that of all channels together,
// in units of the channel's peak: a few rows tell little of one channel and
// much of hundreds.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/UnseenValues.h"
#include <cmath>

using namespace qopt;

/// Parts of a range by which an end is moved.
static constexpr double kMargins[] = {0.0625, 0.125, 0.1875, 0.25,
                                      0.375,  0.5,   0.75,   1};
/// Steps between which what a power of two leaves free is shared.
static constexpr int kShares = 8;
/// Powers of two that are tried, from the smallest that holds the range.
static constexpr int kExponents = 2;

double ScaledChannels::clipping(size_t channel, double lowest,
                                double highest) const {
  double peak = stats.channelPeak(channel) / factor(channel);
  if (peak == 0)
    return 0;
  double above =
      interpolateUnseen(stats.unseenAbove, (highest - high(channel)) / peak);
  double below =
      interpolateUnseen(stats.unseenBelow, (low(channel) - lowest) / peak);
  return peak * peak * (above + below);
}

double qopt::meanClipping(const ScaledChannels &channels, RealRange range) {
  double sum = 0;
  for (size_t channel = 0; channel < channels.size(); ++channel)
    sum += channels.clipping(channel, range.low, range.high);
  return channels.size() ? sum / channels.size() : 0;
}

static double errorOf(const ScaledChannels &channels, RealRange range) {
  return range.step() * range.step() / 12 + meanClipping(channels, range);
}

/// `range` with each end moved out as far as lessens the error.
static RealRange widenToFit(const ScaledChannels &channels, RealRange range) {
  double width = range.high - range.low;
  RealRange best = range;
  double bestError = errorOf(channels, range);
  // One end after the other, twice: they share the step.
  for (int pass = 0; pass < 2; ++pass)
    for (bool isLow : {false, true})
      for (double margin : kMargins) {
        RealRange tried = best;
        if (isLow)
          tried.low = range.low - margin * width;
        else
          tried.high = range.high + margin * width;
        double error = errorOf(channels, tried);
        if (error < bestError) {
          bestError = error;
          best = tried;
        }
      }
  return best;
}

static RealRange widenToPow2(const ScaledChannels &channels, RealRange range) {
  int exponent;
  double mantissa = std::frexp(range.step(), &exponent);
  exponent -= mantissa == 0.5;
  RealRange best = range;
  double bestError = INFINITY;
  for (int i = 0; i <= kExponents; ++i) {
    // A little less, so that rounding does not end at the next power.
    double width = std::ldexp(255 * (1 - 0x1p-18), exponent + i);
    double free = width - (range.high - range.low);
    for (int share = 0; share <= kShares && free >= 0; ++share) {
      double below = free * share / kShares;
      RealRange tried{range.low - below, range.high + free - below};
      double error = errorOf(channels, tried);
      if (error < bestError) {
        bestError = error;
        best = tried;
      }
    }
  }
  return best;
}

RealRange qopt::widenRange(const ScaledChannels &channels, RealRange range,
                           bool isPow2) {
  if (!(range.high > range.low))
    return range;
  return isPow2 ? widenToPow2(channels, range) : widenToFit(channels, range);
}

RealRange qopt::chooseRange(const ScaledChannels &channels, bool isPow2) {
  RealRange range;
  for (size_t channel = 0; channel < channels.size(); ++channel) {
    range.low = std::min(range.low, channels.low(channel));
    range.high = std::max(range.high, channels.high(channel));
  }
  return widenRange(channels, range, isPow2);
}
