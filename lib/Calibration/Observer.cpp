//===- Observer.cpp - Statistics of a stream of tensors -------------------===//
//
// Sums are f64 in the order of the elements, so equal tensors give equal
// statistics on every machine.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Observer.h"
#include "dialects/QOpt/Quantization/UnseenValues.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace qopt;

/// A channel that was silent so far and wakes up shows nothing of the others.
static constexpr float kLargestExcess = 8;

/// A row that is lower than one step of the range's 8 bits has lost all, and no
/// lower row loses more.
static constexpr int kLeastExponents = 8;

/// Shares of the values that ranges hold which are tried in a search.
static constexpr double kTriedShares[] = {0.99999, 0.9999, 0.999};

void TensorObserver::addRows(llvm::ArrayRef<float> values, int64_t rowSize) {
  for (size_t row = 0; row + rowSize <= values.size(); row += rowSize) {
    float peak = -1;
    for (float value : values.slice(row, rowSize))
      if (std::isfinite(value))
        peak = std::max(peak, std::abs(value));
    // A row of zeros has no error in any range.
    if (peak <= 0)
      continue;
    int exponent;
    peakMantissas *= std::frexp(peak, &exponent);
    ++rowsOfExponent[exponent];
    // Kept near 1, so that it never underflows.
    peakMantissas = std::frexp(peakMantissas, &exponent);
    peakExponents += exponent;
  }
}

/// Logarithms, because each row loses its own share of its signal: a mean of
/// squares would tell of the loudest rows alone.
double TensorObserver::meanRowPeakSquare() const {
  if (rowsOfExponent.empty())
    return 0;
  int loudest = rowsOfExponent.rbegin()->first;
  double exponents = peakExponents;
  int64_t numRows = 0;
  for (auto [exponent, count] : rowsOfExponent) {
    exponents += double(std::max(exponent, loudest - kLeastExponents)) * count;
    numRows += count;
  }
  return std::exp2(2 * (std::log2(peakMantissas) + exponents) / numRows);
}

void TensorObserver::add(const HostTensor &tensor) {
  llvm::ArrayRef<float> values = tensor.as<float>();
  if (values.empty())
    return;
  llvm::ArrayRef<int64_t> dims = tensor.getDims();
  auto [inner, channels, rowSize] = ElementOrder::of(dims, channelAxis);
  if (numElements + nonFinite == 0) {
    channelMin.assign(channels, INFINITY);
    channelMax.assign(channels, -INFINITY);
    channelSums.assign(channels, 0);
    channelSquares.assign(channels, 0);
    channelCounts.assign(channels, 0);
  }
  // A channel axis whose size varies has no channel statistics.
  bool hasChannels = static_cast<int64_t>(channelMin.size()) == channels;
  llvm::SmallVector<float> finite;
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!std::isfinite(value)) {
      ++nonFinite;
      continue;
    }
    double square = static_cast<double>(value) * value;
    min = numElements == 0 ? value : std::min(min, value);
    max = numElements == 0 ? value : std::max(max, value);
    squares += square;
    ++numElements;
    if (options.rule != RangeRule::MinMax)
      finite.push_back(value);
    if (!hasChannels)
      continue;
    int64_t channel = (i / inner) % channels;
    channelMin[channel] = std::min(channelMin[channel], value);
    channelMax[channel] = std::max(channelMax[channel], value);
    channelSums[channel] += value;
    channelSquares[channel] += square;
    ++channelCounts[channel];
  }
  if (!hasChannels)
    channelMin.clear(), channelMax.clear();
  addRows(values, rowSize);
  histogram.add(finite);
  ++samples;
}

void TensorObserver::addHeldBack(const HostTensor &tensor) {
  if (numElements == 0)
    return;
  if (!fittedRange)
    fittedRange = cutRange();
  if (options.rule == RangeRule::Search && !channelPowers.empty() && !trials)
    trials.emplace(findTrials(), channelPowers);
  float low = std::min(fittedRange->first, 0.0f);
  float high = std::max(fittedRange->second, 0.0f);
  llvm::ArrayRef<float> values = tensor.as<float>();
  llvm::ArrayRef<int64_t> dims = tensor.getDims();
  ElementOrder order = ElementOrder::of(dims, channelAxis);
  auto [inner, channels, rowSize] = order;
  if (trials)
    trials->add(values, order);
  bool hasChannels = static_cast<int64_t>(channelMin.size()) == channels;
  auto addExcess = [](MarginSums &sums, float excess, float peak) {
    for (auto [sum, margin] : llvm::zip_equal(sums, kUnseenMargins))
      if (double beyond = std::min(excess / peak, kLargestExcess) - margin;
          beyond > 0)
        sum += beyond * beyond * peak * peak;
  };
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!std::isfinite(value)) {
      ++nonFinite;
      continue;
    }
    double beyond = std::max({value - high, low - value, 0.0f});
    unseenSquares += beyond * beyond;
    ++numHeldBack;
    int64_t channel = hasChannels ? (i / inner) % channels : 0;
    if (!hasChannels || channelCounts[channel] == 0)
      continue;
    float peak =
        std::max(std::abs(channelMin[channel]), std::abs(channelMax[channel]));
    if (peak == 0)
      continue;
    addExcess(squaresAbove, value - channelMax[channel], peak);
    addExcess(squaresBelow, channelMin[channel] - value, peak);
    heldBackPeaks += double(peak) * peak;
  }
}

void TensorObserver::addTrial(const HostTensor &tensor) {
  if (trials)
    trials->add(tensor.as<float>(),
                ElementOrder::of(tensor.getDims(), channelAxis));
}

std::pair<float, float> TensorObserver::cutRange() const {
  switch (options.rule) {
  case RangeRule::MinMax:
  case RangeRule::Search:
    break;
  case RangeRule::Percentile: {
    auto [low, high] = histogram.percentileRange(options.percentile);
    return {std::max(min, low), std::min(max, high)};
  }
  case RangeRule::SquaredError:
    return histogram.leastErrorRange(std::min(min, 0.0f), std::max(max, 0.0f),
                                     /*levels=*/256);
  }
  return {min, max};
}

/// The extremes, and what cuts them.
llvm::SmallVector<RealRange> TensorObserver::findTrials() const {
  RealRange all{std::min(min, 0.0f), std::max(max, 0.0f)};
  llvm::SmallVector<RealRange> found;
  auto insert = [&](std::pair<float, float> ends) {
    RealRange range{std::clamp<double>(ends.first, all.low, 0),
                    std::clamp<double>(ends.second, 0, all.high)};
    if (llvm::none_of(found, [&](const RealRange &other) {
          return other.low == range.low && other.high == range.high;
        }))
      found.push_back(range);
  };
  insert({min, max});
  for (double share : kTriedShares)
    insert(histogram.percentileRange(share));
  insert(histogram.leastErrorRange(all.low, all.high, /*levels=*/256));
  return found;
}

/// What new values do, as held-back samples show it. Without any, it follows
/// from the number n of values that a channel has shown: one in n + 1 is the
/// new extreme on a side, and with tails that fall exponentially it goes beyond
/// by the peak / (1 + ln n) in the mean. Logarithm and exponential are rough,
/// and the same everywhere.
void TensorObserver::describeUnseen(Statistics &stats) const {
  if (channelMin.empty())
    return;
  int64_t count = *llvm::max_element(channelCounts);
  double decay = 1 / (1 + 0.7 * llvm::Log2_64(std::max<int64_t>(count, 1)));
  for (size_t i = 0; i < kNumMargins; ++i) {
    double t = kUnseenMargins[i] / decay;
    double guess = 2 * decay * decay / (count + 1) /
                   (1 + t * (1 + t / 2 * (1 + t / 3 * (1 + t / 4))));
    auto meanOf = [&](const MarginSums &sums) {
      return static_cast<float>(heldBackPeaks ? sums[i] / heldBackPeaks
                                              : guess);
    };
    stats.unseenAbove.push_back(meanOf(squaresAbove));
    stats.unseenBelow.push_back(meanOf(squaresBelow));
  }
}

/// Moves the ends that the rule did not cut to where clipping and rounding of
/// new values are expected to cost the least.
void TensorObserver::widen(Statistics &stats) const {
  if (heldBackPeaks == 0 || stats.min > min || stats.max < max)
    return;
  ScaledChannels channels(stats);
  RealRange range = widenRange(
      channels, {std::min(stats.min, 0.0f), std::max(stats.max, 0.0f)},
      options.isPow2);
  constexpr double largest = std::numeric_limits<float>::max();
  // An end that stays is told as it was seen, though 0 lies beyond it.
  if (range.low < std::min(stats.min, 0.0f))
    stats.min = static_cast<float>(std::max(range.low, -largest));
  if (range.high > std::max(stats.max, 0.0f))
    stats.max = static_cast<float>(std::min(range.high, largest));
  stats.unseenSquare = static_cast<float>(meanClipping(channels, range));
}

/// Takes the range that is best on samples, unless it is the extremes.
void TensorObserver::takeBestTrial(Statistics &stats) const {
  RealRange range = trials->choose();
  if (range.low <= min && range.high >= max)
    return;
  constexpr double largest = std::numeric_limits<float>::max();
  stats.min = static_cast<float>(std::max(range.low, -largest));
  stats.max = static_cast<float>(std::min(range.high, largest));
  stats.unseenSquare = static_cast<float>(trials->meanSquareBeyond());
}

std::optional<Statistics> TensorObserver::finish() const {
  if (numElements + nonFinite == 0)
    return std::nullopt;
  Statistics stats;
  stats.nonFinite = nonFinite;
  stats.channelAxis = channelAxis;
  if (numElements == 0)
    return stats;
  std::tie(stats.min, stats.max) = fittedRange ? *fittedRange : cutRange();
  stats.meanSquare = static_cast<float>(squares / numElements);
  stats.rowPeakSquare = static_cast<float>(meanRowPeakSquare());
  stats.samples = samples;
  if (numHeldBack)
    stats.unseenSquare = static_cast<float>(unseenSquares / numHeldBack);
  describeUnseen(stats);
  for (size_t channel = 0; channel < channelMin.size(); ++channel) {
    int64_t count = channelCounts[channel];
    // A channel that was never finite is a dead one.
    stats.channelMin.push_back(count ? channelMin[channel] : 0);
    stats.channelMax.push_back(count ? channelMax[channel] : 0);
    stats.channelMean.push_back(
        static_cast<float>(count ? channelSums[channel] / count : 0));
    stats.channelMeanSquare.push_back(
        static_cast<float>(count ? channelSquares[channel] / count : 0));
  }
  if (trials)
    takeBestTrial(stats);
  widen(stats);
  return stats;
}
