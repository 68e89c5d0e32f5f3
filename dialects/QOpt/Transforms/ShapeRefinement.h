//===- ShapeRefinement.h - Better result types in place ---------*- C++ -*-===//
//
// Result types may only change where every user copes with it.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_SHAPEREFINEMENT_H
#define DIALECTS_QOPT_TRANSFORMS_SHAPEREFINEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {

/// Gives the results of a qopt op the dims that its operands tell. Results that
/// other dialects use keep their types, but for a function's results.
/// Returns true if a type changed.
bool refineShapes(mlir::Operation *op);

/// Gives a function's type the types that its one block returns. A dim of a
/// result that is known keeps no name.
void updateResultTypes(mlir::func::FuncOp function);

} // namespace qopt

#endif
