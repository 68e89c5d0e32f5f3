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

  /// The samples that numbers are fitted to, and those that were held back and
  /// only judge them: of every four the fourth, so none where there are fewer.
  CalibrationData fitted() const;
  CalibrationData heldBack() const;
};

/// What is odd about the data and no error, for the user to see.
using Warnings = std::vector<std::string>;

/// The name of an argument's array in a sample.
std::string nameOfInput(mlir::func::FuncOp function, unsigned index);

/// Reads a sample and puts its arrays in the order of the function's arguments.
/// Fails when an array is missing or has another type or dims.
llvm::Expected<llvm::SmallVector<HostTensor>>
readSample(llvm::StringRef path, mlir::func::FuncOp function);

/// The error of a run on the sample `file`.
llvm::Error inSample(llvm::StringRef file, llvm::Error error);

/// Sees values of samples: the number of the sample, that of an observe op, and
/// its value.
using SampleCallback =
    llvm::function_ref<void(size_t sample, int64_t id, const HostTensor &)>;

/// Runs the program, in which observe ops stand, on every sample.
llvm::Error runSamples(mlir::ModuleOp module, const CalibrationData &data,
                       ProgramRunner &runner, SampleCallback observe);

/// Reads all samples. Fails where one does not fit the model, and warns of
/// samples that are empty, and of those that are all equal.
llvm::Error checkSamples(mlir::func::FuncOp function,
                         const CalibrationData &data, Warnings &warnings);

/// Puts statistics on every value of @main that meets a weight which is to have
/// codes, or is to have static codes, and has none, by running all samples.
/// Ranges are those of the fitted samples; those held back show how far new
/// values go beyond. Fails where an array holds NaN or infinity that reaches
/// such a value; a mask of infinities for floats may. With a `cacheFolder`,
/// statistics of the same calibration are taken from it, or kept there.
llvm::Error calibrate(mlir::ModuleOp module, const CalibrationData &data,
                      RangeOptions options, ProgramRunner &runner,
                      llvm::StringRef cacheFolder = "");

/// Warns of values that were NaN or infinity, and of activations of products
/// that were one number in all samples.
void warnOfStatistics(mlir::ModuleOp module, Warnings &warnings);

} // namespace qopt

#endif
