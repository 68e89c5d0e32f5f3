//===- TensorErrors.h - What quantizing cost each tensor --------*- C++ -*-===//
//
// Watches the passes of `quantize` and writes errors and ranges to the report.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_TENSORERRORS_H
#define LIB_PIPELINES_TENSORERRORS_H

#include "mlir/Pass/PassInstrumentation.h"
#include "qopt/Pipelines/Report.h"

namespace qopt {

/// Fills `report.ranges` before, and `report.errors` after, codes are put in.
/// `report` outlives the pass manager.
std::unique_ptr<mlir::PassInstrumentation> createErrorRecorder(Report &report);

} // namespace qopt

#endif
