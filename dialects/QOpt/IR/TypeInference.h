//===- TypeInference.h - Static result types --------------------*- C++ -*-===//
//
// What is known of result types before a run: unknown dims stay dynamic.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_TYPEINFERENCE_H
#define DIALECTS_QOPT_IR_TYPEINFERENCE_H

#include "mlir/IR/Operation.h"

namespace qopt {

/// Elements of a constant integer tensor, or `std::nullopt`.
std::optional<llvm::SmallVector<int64_t>>
getConstantIntegers(mlir::Value value);

/// Dims of the results of `op` as far as operand types and constants tell;
/// unknown ones are `ShapedType::kDynamic`. Fails for ops without a rule.
mlir::FailureOr<llvm::SmallVector<llvm::SmallVector<int64_t>>>
inferResultShapes(mlir::Operation *op);

/// Gives the results of `op` the inferred dims, merged with those that their
/// types already state (a static dim is never lost). Element types stay.
mlir::LogicalResult refineResultTypes(mlir::Operation *op);

} // namespace qopt

#endif
