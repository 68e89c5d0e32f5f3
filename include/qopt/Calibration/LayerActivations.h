//===- LayerActivations.h - What weights are multiplied with ----*- C++ -*-===//
//
// What rounding methods ask of calibration: second moments and rows of the
// activation that a product with a weight reads. They are large, so they stand
// in the IR only from here to the pass that reads them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_LAYERACTIVATIONS_H
#define QOPT_CALIBRATION_LAYERACTIVATIONS_H

#include "dialects/QOpt/Quantization/RoundingMethod.h"
#include "qopt/Calibration/SampleCut.h"

namespace qopt {

/// Products with weights that read one activation.
struct ProductGroup {
  mlir::Value activation;
  llvm::SmallVector<mlir::Operation *> products;
};

/// The matmuls of @main that are to have quantized weights of rank 2, in the
/// order of the program. Convolutions are none of them.
std::vector<ProductGroup> findProductGroups(mlir::ModuleOp module);

/// Puts what `needs` names on every product of `groups`, by running all
/// samples; from `cut` on, where there is one. Rows that hold NaN or infinity
/// are left out.
llvm::Error collectActivations(mlir::ModuleOp module,
                               llvm::ArrayRef<ProductGroup> groups,
                               const CalibrationData &data,
                               const RoundingNeeds &needs,
                               ProgramRunner &runner, SampleCut *cut = nullptr);

} // namespace qopt

#endif
