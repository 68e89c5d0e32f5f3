//===- Histogram.cpp - Counts of values over a growing range --------------===//
//
// The bound is a power of two, so doubling it is exact.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Histogram.h"
#include <algorithm>
#include <cmath>

using namespace qopt;

void Histogram::grow(float magnitude) {
  if (magnitude == 0)
    return;
  if (bound == 0) {
    int exponent;
    std::frexp(magnitude, &exponent);
    bound = std::ldexp(1.0f, exponent);
    // Everything counted before was 0, the lower edge of the middle bin.
    return;
  }
  while (magnitude >= bound) {
    std::vector<int64_t> wider(kBins, 0);
    for (int64_t bin = 0; bin < kBins; ++bin)
      wider[kBins / 4 + bin / 2] += counts[bin];
    counts = std::move(wider);
    bound *= 2;
  }
}

void Histogram::add(llvm::ArrayRef<float> values) {
  float largest = 0;
  for (float value : values)
    largest = std::max(largest, std::abs(value));
  if (bound == 0 || largest >= bound)
    grow(largest);
  double scale = bound == 0 ? 0 : kBins / (2.0 * bound);
  for (float value : values) {
    auto bin = static_cast<int64_t>(std::floor(value * scale)) + kBins / 2;
    ++counts[std::clamp<int64_t>(bin, 0, kBins - 1)];
  }
  total += values.size();
}

double Histogram::center(int64_t bin) const {
  return (bin + 0.5 - kBins / 2) * (2.0 * bound / kBins);
}

std::pair<float, float> Histogram::percentileRange(double share) const {
  double cut = total * (1 - share) / 2;
  int64_t low = 0, high = kBins - 1;
  double below = 0, above = 0;
  while (low < high && below + counts[low] <= cut)
    below += counts[low++];
  while (high > low && above + counts[high] <= cut)
    above += counts[high--];
  double width = 2.0 * bound / kBins;
  return {static_cast<float>((low - kBins / 2) * width),
          static_cast<float>((high + 1 - kBins / 2) * width)};
}

double Histogram::errorOf(float low, float high, int levels) const {
  double step = (static_cast<double>(high) - low) / (levels - 1);
  double error = 0;
  for (int64_t bin = 0; bin < kBins; ++bin) {
    if (counts[bin] == 0)
      continue;
    double value = center(bin);
    double beyond = value < low ? low - value : value > high ? value - high : 0;
    // Inside the range the error is that of rounding, spread evenly.
    error += counts[bin] * (beyond > 0 ? beyond * beyond : step * step / 12);
  }
  return error;
}

std::pair<float, float> Histogram::leastErrorRange(float low, float high,
                                                   int levels) const {
  constexpr int kSteps = 100;
  std::pair<float, float> best{low, high};
  double bestError = errorOf(low, high, levels);
  // One end after the other: the ends hardly interact.
  for (int pass = 0; pass < 2; ++pass)
    for (int end = 0; end < 2; ++end)
      for (int step = 1; step < kSteps; ++step) {
        auto [from, to] = best;
        float keep = 1.0f - static_cast<float>(step) / kSteps;
        (end == 0 ? from : to) = (end == 0 ? low : high) * keep;
        double error = errorOf(from, to, levels);
        if (error < bestError) {
          bestError = error;
          best = {from, to};
        }
      }
  return best;
}
