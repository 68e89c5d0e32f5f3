//===- MeasureAccuracy.h - Outputs of two programs compared -----*- C++ -*-===//
//
// Both run on the same samples, one sample at a time. What the exact one makes
// of them is kept for the next program, up to a limit.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_MEASUREACCURACY_H
#define LIB_PIPELINES_MEASUREACCURACY_H

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Pipelines/AccuracyGate.h"
#include <vector>

namespace qopt {

/// Compares programs with one that is exact.
class AccuracyMeter {
public:
  /// Prepares the exact program, whose outputs are observed from then on.
  static llvm::Expected<AccuracyMeter>
  create(mlir::ModuleOp exact, std::unique_ptr<ProgramRunner> runner,
         CalibrationData samples);

  /// How far the f32 outputs of `program` are from the exact ones; nothing
  /// where there are none.
  llvm::Expected<std::vector<OutputAccuracy>> measure(mlir::ModuleOp program,
                                                      ProgramRunner &runner);

private:
  AccuracyMeter(mlir::ModuleOp exact, std::unique_ptr<ProgramRunner> runner,
                CalibrationData samples)
      : exact(exact), exactRunner(std::move(runner)),
        samples(std::move(samples)) {}

  /// The exact outputs for a sample, the index of which is `sample`.
  llvm::Error runExact(size_t sample, llvm::ArrayRef<HostTensor> inputs,
                       std::vector<HostTensor> &outputs);

  mlir::ModuleOp exact;
  std::unique_ptr<ProgramRunner> exactRunner;
  /// Outputs for the first samples.
  std::vector<std::vector<HostTensor>> kept;
  uint64_t keptBytes = 0;
  CalibrationData samples;
};

} // namespace qopt

#endif
