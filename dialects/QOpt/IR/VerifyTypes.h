//===- VerifyTypes.h - What ops say of their types --------------*- C++ -*-===//
//
// Checks for programs that come from a file.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_VERIFYTYPES_H
#define DIALECTS_QOPT_IR_VERIFYTYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace qopt {

/// The largest size, stride, dilation or pad of a window: sums and products of
/// two fit in 64 bits.
inline constexpr int64_t kMaxWindow = int64_t(1) << 30;

/// Checks that the types of `op`, an op of the dialect, are those that its
/// operands and attributes give, and that they fit in memory. Passes keep this
/// true and rely on it. The op has passed its verifier; the ops before it have
/// passed this check.
mlir::LogicalResult verifyTypes(mlir::Operation *op);

/// Checks that tensors of `type` have elements of a kind that ops compute with
/// and sizes that can be computed with.
mlir::LogicalResult
verifyTensor(mlir::RankedTensorType type,
             llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace qopt

#endif
