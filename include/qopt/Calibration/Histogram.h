//===- Histogram.h - Counts of values over a growing range ------*- C++ -*-===//
//
// The range doubles when a value lies outside, and neighbouring bins are then
// added, so no count is ever split and the order of samples does not matter
// for the bins' bounds beyond the first value.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_HISTOGRAM_H
#define QOPT_CALIBRATION_HISTOGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <utility>
#include <vector>

namespace qopt {

/// A histogram of f32 values, symmetric around 0, of 2048 bins.
class Histogram {
public:
  static constexpr int64_t kBins = 2048;

  /// Counts finite values.
  void add(llvm::ArrayRef<float> values);

  /// Bounds that keep `share` of the values, half of the rest cut at each end.
  std::pair<float, float> percentileRange(double share) const;

  /// Bounds inside [low, high] at which `levels` evenly spaced codes have the
  /// least squared error, a value beyond them taking the nearest code.
  std::pair<float, float> leastErrorRange(float low, float high,
                                          int levels) const;

private:
  void grow(float magnitude);
  double center(int64_t bin) const;
  double errorOf(float low, float high, int levels) const;

  float bound = 0; // the bins cover [-bound, bound)
  int64_t total = 0;
  std::vector<int64_t> counts = std::vector<int64_t>(kBins, 0);
};

} // namespace qopt

#endif
