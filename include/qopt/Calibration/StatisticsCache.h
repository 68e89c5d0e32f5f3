//===- StatisticsCache.h - Statistics that are known already ----*- C++ -*-===//
//
// A folder with a file for each calibration, named by a hash of all that
// decides its result: the program with its weights, the samples, the way ranges
// are chosen and the version of qopt. Which machine or runner made it does not
// matter: all give the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_STATISTICSCACHE_H
#define QOPT_CALIBRATION_STATISTICSCACHE_H

#include "qopt/Calibration/Calibrate.h"

namespace qopt {

class StatisticsCache {
public:
  /// The entry of one calibration in `folder`. Fails when a sample cannot be
  /// read.
  static llvm::Expected<StatisticsCache> open(llvm::StringRef folder,
                                              mlir::ModuleOp module,
                                              const CalibrationData &data,
                                              RangeOptions options);

  /// Puts the statistics on `values`, in the order in which they were stored.
  /// False when there is no such file or it is damaged; then nothing is
  /// changed.
  bool load(llvm::ArrayRef<mlir::Value> values) const;

  /// Keeps the statistics of `values`. Fails when the file cannot be written.
  llvm::Error store(llvm::ArrayRef<mlir::Value> values) const;

private:
  explicit StatisticsCache(std::string path) : path(std::move(path)) {}

  std::string path;
};

} // namespace qopt

#endif
