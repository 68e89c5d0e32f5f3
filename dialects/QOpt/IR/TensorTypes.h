//===- TensorTypes.h - The type of a value, which is a tensor ---*- C++ -*-===//
//
// Operands and results of the dialect's ops are tensors of known rank.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_TENSORTYPES_H
#define DIALECTS_QOPT_IR_TENSORTYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace qopt {

inline mlir::RankedTensorType typeOf(mlir::Value tensor) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType());
}

} // namespace qopt

#endif // DIALECTS_QOPT_IR_TENSORTYPES_H
