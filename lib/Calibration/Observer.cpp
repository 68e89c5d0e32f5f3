//===- Observer.cpp - Statistics of a stream of tensors -------------------===//
//
// Sums are f64 in the order of the elements, so equal tensors give equal
// statistics on every machine.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Observer.h"
#include "qopt/Support/CodedError.h"
#include <cmath>

using namespace qopt;

void TensorObserver::addRows(llvm::ArrayRef<float> values, int64_t rowSize) {
  for (size_t row = 0; row + rowSize <= values.size(); row += rowSize) {
    float peak = 0;
    for (float value : values.slice(row, rowSize))
      peak = std::max(peak, std::abs(value));
    peakSquares += static_cast<double>(peak) * peak;
    ++numRows;
  }
}

llvm::Error TensorObserver::add(const HostTensor &tensor) {
  llvm::ArrayRef<float> values = tensor.as<float>();
  if (values.empty())
    return llvm::Error::success();
  llvm::ArrayRef<int64_t> dims = tensor.getDims();
  int64_t rank = dims.size();
  int64_t channels = rank == 0 ? 1 : dims[channelAxis];
  if (samples == 0) {
    channelMin.assign(channels, INFINITY);
    channelMax.assign(channels, -INFINITY);
    channelSquares.assign(channels, 0);
    channelCounts.assign(channels, 0);
  }
  int64_t inner = 1;
  for (int64_t axis = channelAxis + 1; axis < rank; ++axis)
    inner *= dims[axis];
  // A channel axis whose size varies has no channel statistics.
  bool hasChannels = static_cast<int64_t>(channelMin.size()) == channels;
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!std::isfinite(value))
      return makeError(ExitCode::BadData, "the tensor holds NaN or infinity");
    double square = static_cast<double>(value) * value;
    min = numElements == 0 && i == 0 ? value : std::min(min, value);
    max = numElements == 0 && i == 0 ? value : std::max(max, value);
    squares += square;
    if (!hasChannels)
      continue;
    int64_t channel = (i / inner) % channels;
    channelMin[channel] = std::min(channelMin[channel], value);
    channelMax[channel] = std::max(channelMax[channel], value);
    channelSquares[channel] += square;
    ++channelCounts[channel];
  }
  if (!hasChannels)
    channelMin.clear(), channelMax.clear();
  bool isConvInput = channelAxis < rank - 1;
  int64_t rowSize = rank == 0     ? 1
                    : isConvInput ? tensor.getNumElements() / dims[0]
                                  : dims[rank - 1];
  addRows(values, rowSize);
  if (options.rule != RangeRule::MinMax)
    histogram.add(values);
  numElements += values.size();
  ++samples;
  return llvm::Error::success();
}

std::optional<Statistics> TensorObserver::finish() const {
  if (numElements == 0)
    return std::nullopt;
  Statistics stats;
  stats.min = min;
  stats.max = max;
  if (options.rule == RangeRule::Percentile) {
    auto [low, high] = histogram.percentileRange(options.percentile);
    stats.min = std::max(min, low);
    stats.max = std::min(max, high);
  } else if (options.rule == RangeRule::SquaredError) {
    std::tie(stats.min, stats.max) = histogram.leastErrorRange(
        std::min(min, 0.0f), std::max(max, 0.0f), /*levels=*/256);
  }
  stats.meanSquare = static_cast<float>(squares / numElements);
  stats.rowPeakSquare = static_cast<float>(peakSquares / numRows);
  stats.samples = samples;
  stats.channelAxis = channelAxis;
  stats.channelMin = channelMin;
  if (channelMin.empty())
    return stats;
  stats.channelMax = channelMax;
  for (auto [square, count] : llvm::zip_equal(channelSquares, channelCounts))
    stats.channelMeanSquare.push_back(
        static_cast<float>(count ? square / count : 0));
  return stats;
}
