//===- LoopFormulas.h - The formula of every op of loops --------*- C++ -*-===//
//
// One dispatch from the ops of QOptLoopOps.td to `formula`.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H

#include "dialects/QOpt/IR/LoopOps.h"
#include "dialects/QOpt/Numerics/ImageFormulas.h"
#include "dialects/QOpt/Numerics/IndexingFormulas.h"
#include "dialects/QOpt/Numerics/MovementFormulas.h"
#include "dialects/QOpt/Numerics/SearchFormulas.h"

namespace qopt::numerics {

/// Runs, or writes, the formula of `op`; false when it has none of loops.
template <class P> bool runFormula(P &policy, mlir::Operation *op) {
  return dispatchLoopOp(op, [&](auto loopOp) { formula(policy, loopOp); });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_LOOPFORMULAS_H
