//===- Calibrate.h - Fill in the statistics of a program --------*- C++ -*-===//
//
// Streams samples through the float program; no activation is kept.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_CALIBRATE_H
#define QOPT_CALIBRATION_CALIBRATE_H

#include "qopt/Calibration/Observer.h"
#include "qopt/Calibration/ProgramRunner.h"

namespace qopt {

/// Paths of samples, each an .npz with one array for each input.
struct CalibrationData {
  std::vector<std::string> files;

  /// The .npz files of a folder in the order of their names, or one file.
  static llvm::Expected<CalibrationData> find(llvm::StringRef path);
};

/// Reads a sample and puts its arrays in the order of the function's arguments.
/// Fails when an array is missing, has another type or dims, or holds NaN.
llvm::Expected<llvm::SmallVector<HostTensor>>
readSample(llvm::StringRef path, mlir::func::FuncOp function);

/// Runs the program, in which observe ops stand, on every sample. `observe`
/// gets the number of an op and its value; a failure of it ends the run.
llvm::Error runSamples(
    mlir::ModuleOp module, const CalibrationData &data, ProgramRunner &runner,
    llvm::function_ref<llvm::Error(int64_t, const HostTensor &)> observe);

/// Puts statistics on every f32 value of @main that an op with a weight reads
/// and that has none, by running all samples.
/// With a `cacheFolder`, statistics of the same calibration are taken from it,
/// or kept there.
llvm::Error calibrate(mlir::ModuleOp module, const CalibrationData &data,
                      RangeOptions options, ProgramRunner &runner,
                      llvm::StringRef cacheFolder = "");

} // namespace qopt

#endif
