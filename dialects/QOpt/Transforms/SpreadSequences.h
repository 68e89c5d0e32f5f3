//===- SpreadSequences.h - Sequences as two tensors -------------*- C++ -*-===//
//
// What is left where no constant says how long a sequence is.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_SPREADSEQUENCES_H
#define DIALECTS_QOPT_TRANSFORMS_SPREADSEQUENCES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {

/// Puts two tensors in the place of each sequence of `function`: the elements
/// of its tensors one after the other, and a row of dims for each of them.
/// Fails, with a diagnostic, where an op has no such form.
mlir::LogicalResult spreadSequences(mlir::func::FuncOp function);

} // namespace qopt

#endif
