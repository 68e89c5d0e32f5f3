//===- Observer.h - Statistics of a stream of tensors -----------*- C++ -*-===//
//
// An observer sees each sample's tensor once, in the order of the samples, and
// keeps nothing but sums, extremes and a histogram. What is not finite is
// counted and in nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_OBSERVER_H
#define QOPT_CALIBRATION_OBSERVER_H

#include "dialects/QOpt/Quantization/Statistics.h"
#include "qopt/Calibration/Histogram.h"
#include "qopt/Calibration/RangeTrials.h"
#include "qopt/Support/HostTensor.h"
#include <array>
#include <map>

namespace qopt {

/// How the range of a tensor follows from its values.
enum class RangeRule {
  MinMax,       ///< the extremes
  Percentile,   ///< without a share of the values at each end
  SquaredError, ///< the range whose 8-bit codes have the least squared error
  Search,       ///< the extremes, or what samples show to be better
};

struct RangeOptions {
  RangeRule rule = RangeRule::MinMax;
  /// Share of the values that a percentile keeps, as in 0.9999.
  double percentile = 0.9999;
  /// Steps of codes are powers of two that hold the whole range.
  bool isPow2 = false;
};

/// Collects the statistics of one tensor.
class TensorObserver {
public:
  /// `channelPowers` says how much the readers of the tensor make of a
  /// channel's squared error. Where it is empty nobody knows, and no search
  /// cuts the extremes.
  TensorObserver(int64_t channelAxis, RangeOptions options,
                 llvm::ArrayRef<float> channelPowers = {})
      : channelAxis(channelAxis), options(options),
        channelPowers(channelPowers) {}

  /// Adds an f32 tensor of a sample that decides the range.
  void add(const HostTensor &tensor);

  /// Adds one of a sample that was held back: it shows how far new values go
  /// beyond those before.
  void addHeldBack(const HostTensor &tensor);

  /// Tries ranges on a sample that decided the range: what is rare may be in no
  /// other. Comes after those held back, on which they are tried at once.
  void addTrial(const HostTensor &tensor);

  /// How many values were NaN or infinity.
  int64_t countNonFinite() const { return nonFinite; }

  /// What was seen so far; nothing when no element was. `samples` is 0 when
  /// none was finite.
  std::optional<Statistics> finish() const;

private:
  static constexpr size_t kNumMargins = std::size(kUnseenMargins);
  /// Sums of squares, one for each margin.
  using MarginSums = std::array<double, kNumMargins>;

  void addRows(llvm::ArrayRef<float> values, int64_t rowSize);
  double meanRowPeakSquare() const;
  std::pair<float, float> cutRange() const;
  llvm::SmallVector<RealRange> findTrials() const;
  void describeUnseen(Statistics &stats) const;
  void takeBestTrial(Statistics &stats) const;
  void widen(Statistics &stats) const;

  int64_t channelAxis;
  RangeOptions options;
  llvm::SmallVector<float> channelPowers;
  int64_t samples = 0, numElements = 0, nonFinite = 0;
  float min = 0, max = 0;
  double squares = 0;
  /// The product of the rows' largest magnitudes is peakMantissas times two to
  /// the peakExponents and to the exponents here, each with its number of rows.
  double peakMantissas = 1;
  int64_t peakExponents = 0;
  std::map<int, int64_t> rowsOfExponent;
  std::vector<float> channelMin, channelMax;
  std::vector<double> channelSums, channelSquares;
  std::vector<int64_t> channelCounts;
  Histogram histogram;

  std::optional<std::pair<float, float>> fittedRange;
  /// Where the range is searched for.
  std::optional<RangeTrials> trials;
  int64_t numHeldBack = 0;
  /// Over the values that were held back, the squares of their channels' peaks.
  double heldBackPeaks = 0;
  double unseenSquares = 0;
  MarginSums squaresAbove = {}, squaresBelow = {};
};

} // namespace qopt

#endif
