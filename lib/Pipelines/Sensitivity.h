//===- Sensitivity.h - What the codes of one product cost -------*- C++ -*-===//
//
// How the outputs change where one product has its codes and all others are
// float: what statistics of the product alone cannot tell.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_SENSITIVITY_H
#define LIB_PIPELINES_SENSITIVITY_H

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/Distance.h"
#include <vector>

namespace qopt {

/// For each f32 output the power of noise over that of the output.
using OutputNoise = llvm::SmallVector<double>;

/// For each of `products`, ops of @main with a request, the noise that its
/// codes make by themselves. Weights are rounded to nearest, whatever the
/// method of `recipe`.
llvm::Expected<std::vector<OutputNoise>> measureSensitivities(
    mlir::ModuleOp module, llvm::ArrayRef<mlir::Operation *> products,
    const Recipe &recipe, ProgramRunner &runner, const CalibrationData &data);

/// The same of a distance; infinite where it is none that can be measured.
double toNoise(const Distance &distance);

} // namespace qopt

#endif
