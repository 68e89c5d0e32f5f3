//===- Observer.h - Statistics of a stream of tensors -----------*- C++ -*-===//
//
// An observer sees each sample's tensor once, in the order of the samples, and
// keeps nothing but sums, extremes and a histogram.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_OBSERVER_H
#define QOPT_CALIBRATION_OBSERVER_H

#include "dialects/QOpt/Quantization/Statistics.h"
#include "qopt/Calibration/Histogram.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// How the range of a tensor follows from its values.
enum class RangeRule {
  MinMax,       ///< the extremes
  Percentile,   ///< without a share of the values at each end
  SquaredError, ///< the range whose 8-bit codes have the least squared error
};

struct RangeOptions {
  RangeRule rule = RangeRule::MinMax;
  /// Share of the values that a percentile keeps, as in 0.9999.
  double percentile = 0.9999;
};

/// Collects the statistics of one tensor.
class TensorObserver {
public:
  TensorObserver(int64_t channelAxis, RangeOptions options)
      : channelAxis(channelAxis), options(options) {}

  /// Adds an f32 tensor. Fails on NaN and infinity.
  llvm::Error add(const HostTensor &tensor);

  /// What was seen so far; nothing when no element was.
  std::optional<Statistics> finish() const;

private:
  void addRows(llvm::ArrayRef<float> values, int64_t rowSize);

  int64_t channelAxis;
  RangeOptions options;
  int64_t samples = 0, numElements = 0, numRows = 0;
  float min = 0, max = 0;
  double squares = 0, peakSquares = 0;
  std::vector<float> channelMin, channelMax;
  std::vector<double> channelSquares;
  std::vector<int64_t> channelCounts;
  Histogram histogram;
};

} // namespace qopt

#endif
