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
  /// Geometric mean over rows of a row's squared largest magnitude. A row is
  /// what a dynamic scale belongs to: the last axis, or a sample of a
  /// convolution.
  float rowPeakSquare = 0;
  int64_t samples = 0;
  /// The axis along which the vectors run.
  int64_t channelAxis = 0;
  std::vector<float> channelMin, channelMax, channelMean, channelMeanSquare;
  /// Values that are NaN or infinity. No other number here knows of them.
  int64_t nonFinite = 0;
  /// Mean square of what lies beyond [min, max] and 0 in samples that were held
  /// back; 0 when none were.
  float unseenSquare = 0;
  /// How far new values go beyond what their channel has shown, on each side:
  /// for each of `kUnseenMargins`, the mean square of what lies beyond a range
  /// that is wider by that margin, as a part of the mean square of the
  /// channels' peaks. Large channels count more: those that are silent show
  /// nothing.
  std::vector<float> unseenAbove, unseenBelow;

  /// Largest magnitude of a channel.
  float channelPeak(size_t channel) const;
};

/// Parts of a channel's largest magnitude by which a range is wider.
inline constexpr float kUnseenMargins[] = {0,    0.0625f, 0.125f, 0.25f,
                                           0.5f, 1,       2,      4};

/// What `unseen` says of a margin: linear between two of the table.
double interpolateUnseen(llvm::ArrayRef<float> unseen, double margin);

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
