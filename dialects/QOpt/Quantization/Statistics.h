//===- Statistics.h - What calibration knows of a tensor --------*- C++ -*-===//
//
// The form in which statistics stand in the IR: a dictionary, `qopt.stats`, on
// the op that defines the tensor (or on the function's argument).
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_STATISTICS_H
#define DIALECTS_QOPT_QUANTIZATION_STATISTICS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include <optional>
#include <vector>

namespace qopt {

/// Statistics of one float tensor over all samples.
struct Statistics {
  /// Bounds of the range to be represented. They come from the observer that
  /// calibration used: the extremes, a percentile, or the least squared error.
  float min = 0, max = 0;
  /// Mean of the squares of all elements.
  float meanSquare = 0;
  /// Mean over rows of the squared largest magnitude of a row. A row is what a
  /// dynamic scale belongs to: the last axis, or a sample of a convolution.
  float rowPeakSquare = 0;
  int64_t samples = 0;
  /// The axis along which the vectors run.
  int64_t channelAxis = 0;
  std::vector<float> channelMin, channelMax, channelMeanSquare;

  /// Largest magnitude of a channel.
  float channelPeak(size_t channel) const;
};

/// The channel axis of a tensor: 1 where a convolution reads it, else the last.
int64_t getChannelAxis(mlir::Value value);

/// Statistics of `value`, if its definition carries any.
std::optional<Statistics> getStatistics(mlir::Value value);

/// Puts statistics on the definition of `value`; none removes them.
void setStatistics(mlir::Value value, const std::optional<Statistics> &stats);

/// The same as they stand in the IR; null for none.
mlir::DictionaryAttr getStatisticsAttr(mlir::Value value);
void setStatisticsAttr(mlir::Value value, mlir::DictionaryAttr dictionary);

} // namespace qopt

#endif
