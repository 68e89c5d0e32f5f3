//===- RangeTrials.cpp - Ranges tried on samples --------------------------===//
//
// The readers of a tensor are linear, so the power of the weights that meet a
// channel is what they make of its error, and of its signal, where errors are
// independent. A row is measured by its own signal: a mean of squares would
// tell of the loudest rows alone. A cut error is no independent one, so the
// extremes stay in doubt.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/RangeTrials.h"
#include <cassert>
#include <cmath>

using namespace qopt;

ElementOrder ElementOrder::of(llvm::ArrayRef<int64_t> dims,
                              int64_t channelAxis) {
  ElementOrder order;
  if (dims.empty())
    return order;
  order.channels = dims[channelAxis];
  for (int64_t dim : dims.drop_front(channelAxis + 1))
    order.inner *= dim;
  bool isConvInput = channelAxis < static_cast<int64_t>(dims.size()) - 1;
  order.rowSize = 1;
  for (int64_t dim : isConvInput ? dims.drop_front() : dims.take_back())
    order.rowSize *= dim;
  return order;
}

RangeTrials::RangeTrials(llvm::ArrayRef<RealRange> tried,
                         llvm::ArrayRef<float> channelPowers)
    : ranges(tried), channelPowers(channelPowers) {
  assert(!ranges.empty() && ranges.size() <= kMostRanges);
  innerLow = static_cast<float>(ranges[0].low);
  innerHigh = static_cast<float>(ranges[0].high);
  // Lanes without a range of their own repeat the first.
  for (size_t i = 0; i < kMostRanges; ++i) {
    const RealRange &range = ranges[i < ranges.size() ? i : 0];
    double step = range.step() > 0 ? range.step() : 1;
    steps[i] = static_cast<float>(step);
    reciprocals[i] = static_cast<float>(1 / step);
    firsts[i] = static_cast<float>(std::nearbyint(range.low / step));
    lasts[i] = firsts[i] + 255;
    innerLow = std::max(innerLow, static_cast<float>(range.low));
    innerHigh = std::min(innerHigh, static_cast<float>(range.high));
  }
}

void RangeTrials::addElement(float value, float power, RowSums &row) {
  // Adding and taking away 1.5 * 2^23 rounds to the nearest integer, and
  // compilers know it in vectors.
  constexpr float rounder = 0x1.8p23f;
  PerRange<float> squares;
  for (size_t i = 0; i < kMostRanges; ++i) {
    float code = value * reciprocals[i];
    code = code < firsts[i] ? firsts[i] : code;
    code = code > lasts[i] ? lasts[i] : code;
    code = (code + rounder) - rounder;
    float error = code * steps[i] - value;
    squares[i] = error * error * power;
  }
  for (size_t i = 0; i < kMostRanges; ++i)
    row.noise[i] += squares[i];
  row.signal += double(value) * value * power;
  if (value >= innerLow && value <= innerHigh)
    return;
  for (size_t i = 0; i < ranges.size(); ++i) {
    double beyond =
        std::max({value - ranges[i].high, ranges[i].low - value, 0.0});
    squaresBeyond[i] += beyond * beyond;
  }
}

void RangeTrials::add(llvm::ArrayRef<float> values, const ElementOrder &order) {
  bool hasPowers = static_cast<int64_t>(channelPowers.size()) == order.channels;
  PerRange<double> sums = {};
  int64_t numRows = 0;
  for (size_t start = 0; start < values.size(); start += order.rowSize) {
    RowSums row;
    for (size_t i = start; i < start + order.rowSize; ++i) {
      float value = values[i];
      if (!std::isfinite(value))
        continue;
      ++numElements;
      // Zero is a code of every range.
      if (value == 0)
        continue;
      size_t channel = (i / order.inner) % order.channels;
      addElement(value, hasPowers ? channelPowers[channel] : 1.0f, row);
    }
    if (row.signal == 0)
      continue;
    ++numRows;
    // A row whose noise exceeds its signal is lost, and no more.
    for (size_t i = 0; i < ranges.size(); ++i)
      sums[i] += std::min(row.noise[i] / row.signal, 1.0);
  }
  if (numRows == 0)
    return;
  for (double &sum : sums)
    sum /= numRows;
  costs.push_back(sums);
}

size_t RangeTrials::chooseIndex() const {
  size_t best = 0;
  double mostSaved = 0;
  double count = costs.size();
  for (size_t i = 1; i < ranges.size() && count > 1; ++i) {
    double mean = 0, squares = 0;
    for (const PerRange<double> &cost : costs)
      mean += (cost[0] - cost[i]) / count;
    for (const PerRange<double> &cost : costs)
      squares += (cost[0] - cost[i] - mean) * (cost[0] - cost[i] - mean);
    double standardError = std::sqrt(squares / (count - 1) / count);
    if (mean > standardError && mean > mostSaved) {
      mostSaved = mean;
      best = i;
    }
  }
  return best;
}

double RangeTrials::meanSquareBeyond() const {
  return numElements ? squaresBeyond[chooseIndex()] / numElements : 0;
}
