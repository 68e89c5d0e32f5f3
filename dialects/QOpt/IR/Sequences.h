//===- Sequences.h - Which ops work on sequences ----------------*- C++ -*-===//
//
// Values of other ops are tensors.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_SEQUENCES_H
#define DIALECTS_QOPT_IR_SEQUENCES_H

#include "mlir/IR/Operation.h"

namespace qopt {

bool isSequenceOrOptional(mlir::Type type);

/// True for an op with a sequence or optional among its operands and results.
bool hasSequences(mlir::Operation *op);

} // namespace qopt

#endif
