//===- FoldSequences.h - What is left of sequences --------------*- C++ -*-===//
//
// No pass behind the fold knows sequences and optionals, and no kernel does.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_FOLDSEQUENCES_H
#define DIALECTS_QOPT_TRANSFORMS_FOLDSEQUENCES_H

#include "mlir/IR/Operation.h"

namespace qopt {

/// Says that `op` works on what a run alone knows; always fails.
mlir::LogicalResult refuseSequences(mlir::Operation *op);

} // namespace qopt

#endif
