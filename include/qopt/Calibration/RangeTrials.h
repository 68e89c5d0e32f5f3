//===- RangeTrials.h - Ranges tried on samples ------------------*- C++ -*-===//
//
// Which range is best, the distribution of values cannot tell: cutting its tail
// is right where the tail is noise and ruins a network that looks at its few
// large values. Samples are rounded in each range, and the ops that read the
// tensor say what that costs.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_RANGETRIALS_H
#define QOPT_CALIBRATION_RANGETRIALS_H

#include "dialects/QOpt/Quantization/UnseenValues.h"
#include "qopt/Support/HostTensor.h"
#include <array>

namespace qopt {

/// Where the channels and the rows of a tensor's elements lie.
struct ElementOrder {
  /// Elements from one channel to the next, and channels.
  int64_t inner = 1, channels = 1;
  /// Elements of a row, whose error is measured by its own size.
  int64_t rowSize = 1;

  /// A row is the last axis, or a sample where the channels are another axis.
  static ElementOrder of(llvm::ArrayRef<int64_t> dims, int64_t channelAxis);
};

class RangeTrials {
public:
  /// Tries 8-bit codes in each range; the first is taken unless another is
  /// clearly better. `channelPowers` says how much the readers make of a
  /// channel's squared error; all alike where the channels are others.
  RangeTrials(llvm::ArrayRef<RealRange> ranges,
              llvm::ArrayRef<float> channelPowers);

  /// Adds a sample; what is not finite counts in no sum.
  void add(llvm::ArrayRef<float> values, const ElementOrder &order);

  /// The range that costs least in the mean over samples; one of the others
  /// only where what it saves exceeds the standard error of that mean, so not
  /// on the word of a single sample.
  RealRange choose() const { return ranges[chooseIndex()]; }

  /// Mean square of what lies beyond the chosen range.
  double meanSquareBeyond() const;

private:
  static constexpr size_t kMostRanges = 8;
  template <typename T> using PerRange = std::array<T, kMostRanges>;

  struct RowSums {
    PerRange<double> noise = {};
    double signal = 0;
  };

  size_t chooseIndex() const;
  void addElement(float value, float power, RowSums &row);

  llvm::SmallVector<RealRange> ranges;
  llvm::SmallVector<float> channelPowers;
  /// The codes of each range: reciprocal step, first and last code, step.
  PerRange<float> reciprocals = {}, firsts = {}, lasts = {}, steps = {};
  /// What lies here is in all ranges.
  float innerLow = 0, innerHigh = 0;
  int64_t numElements = 0;
  PerRange<double> squaresBeyond = {};
  /// Of each sample, the mean over its rows of noise over signal.
  std::vector<PerRange<double>> costs;
};

} // namespace qopt

#endif
