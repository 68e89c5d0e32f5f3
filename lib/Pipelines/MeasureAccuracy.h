//===- MeasureAccuracy.h - Outputs of two programs compared -----*- C++ -*-===//
//
// Both run on the same samples, one sample at a time.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_MEASUREACCURACY_H
#define LIB_PIPELINES_MEASUREACCURACY_H

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Pipelines/AccuracyGate.h"
#include <vector>

namespace qopt {

/// A program and what runs it.
struct MeasuredProgram {
  mlir::ModuleOp module;
  ProgramRunner &runner;
};

/// Compares the f32 outputs of `quantized` with those of `exact`; nothing where
/// there are none.
llvm::Expected<std::vector<OutputAccuracy>>
measureAccuracy(MeasuredProgram exact, MeasuredProgram quantized,
                const CalibrationData &data);

} // namespace qopt

#endif
