//===- DimPolicy.h - What the rule of an op's dims may ask ------*- C++ -*-===//
//
// The type inference uses numbers that may be unknown, Reference uses the
// numbers of a run, code generation uses SSA values.
//
// A policy P has
//   using Dim
//   Dim constant(int64_t)
//   std::optional<int64_t> known(Dim)   the number, where it is one
//   bool isSame(Dim, Dim)               whether they are known to be equal
//   Dim add sub mul min max (Dim, Dim)
//   Dim floorDiv ceilDiv (Dim, Dim)     of numbers that are not negative
//   Dim broadcast(Dim, Dim)             numpy's rule for two dims
//   Dim selectEqual(Dim a, int64_t b, Dim x, Dim y)    a == b ? x : y
//   Dim selectNegative(Dim a, Dim x, Dim y)            a < 0 ? x : y
//   SmallVector<Dim> dimsOf(Value)
//   SmallVector<Dim> elementsOf(Value)  of a 0-D or 1-D integer tensor
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_DIMPOLICY_H
#define DIALECTS_QOPT_IR_DIMPOLICY_H

#include "llvm/ADT/SmallVector.h"

namespace qopt {

template <class P> using Dims = llvm::SmallVector<typename P::Dim>;

/// The dims of each result of an op.
template <class P> using ResultDims = llvm::SmallVector<Dims<P>>;

} // namespace qopt

#endif // DIALECTS_QOPT_IR_DIMPOLICY_H
