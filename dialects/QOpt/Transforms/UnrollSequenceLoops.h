//===- UnrollSequenceLoops.h - Loops that carry sequences -------*- C++ -*-===//
//
// What a loop carries has one type, and a sequence that grows would need
// another one each time. Written out, each iteration has its own.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_UNROLLSEQUENCELOOPS_H
#define DIALECTS_QOPT_TRANSFORMS_UNROLLSEQUENCELOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {

/// Writes out the iterations of each `scf.for` that carries a sequence or an
/// optional, where constants say how many there are and the function gets no
/// longer than a model may be. Leaves all other loops.
void unrollSequenceLoops(mlir::func::FuncOp function);

} // namespace qopt

#endif // DIALECTS_QOPT_TRANSFORMS_UNROLLSEQUENCELOOPS_H
