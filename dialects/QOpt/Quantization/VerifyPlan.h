//===- VerifyPlan.h - What programs say of precision ------------*- C++ -*-===//
//
// Checks for programs that come from a file.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_VERIFYPLAN_H
#define DIALECTS_QOPT_QUANTIZATION_VERIFYPLAN_H

#include "mlir/IR/Operation.h"

namespace qopt {

/// Checks that the request of `op`, if any, names formats that its operands can
/// have. `op` has passed `verifyTypes`.
mlir::LogicalResult verifyRequest(mlir::Operation *op);

/// Checks that the statistics of `value`, if any, are those of a tensor of its
/// type.
mlir::LogicalResult verifyStatistics(mlir::Value value);

} // namespace qopt

#endif
