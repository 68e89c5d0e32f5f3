//===- Moments.h - Second moments of activations ----------------*- C++ -*-===//
//
// What rounding methods like GPTQ ask of calibration: for each product with a
// weight, H = sum over rows x of its activation of x x^T, in f64. Moments are
// large, so they stand in the IR only from here to the pass that reads them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_MOMENTS_H
#define QOPT_CALIBRATION_MOMENTS_H

#include "dialects/QOpt/Quantization/RoundingMethod.h"
#include "qopt/Calibration/Calibrate.h"

namespace qopt {

/// Puts the moments on every matmul that is to have a quantized weight of rank
/// 2, by running all samples. Convolutions get none. Rows that hold NaN or
/// infinity are left out.
llvm::Error collectMoments(mlir::ModuleOp module, const CalibrationData &data,
                           RowWeight weight, ProgramRunner &runner);

} // namespace qopt

#endif
