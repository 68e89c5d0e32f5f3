//===- LoopValues.h - What loops of a formula carry -------------*- C++ -*-===//
//
// Formulas carry tuples, as Reference has values of several types; in code all
// are SSA values.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_LOOPVALUES_H
#define QOPT_LIB_TARGET_HOST_LOOPVALUES_H

#include "mlir/IR/ValueRange.h"
#include "llvm/ADT/SmallVector.h"
#include <tuple>
#include <utility>

namespace qopt::host {

template <class Tuple>
llvm::SmallVector<mlir::Value> toValues(const Tuple &tuple) {
  return std::apply(
      [](auto... values) { return llvm::SmallVector<mlir::Value>{values...}; },
      tuple);
}

template <class Tuple, size_t... i>
Tuple pick(mlir::ValueRange values, std::index_sequence<i...>) {
  return Tuple(values[i]...);
}

template <class Tuple> Tuple fromValues(mlir::ValueRange values) {
  return pick<Tuple>(values,
                     std::make_index_sequence<std::tuple_size_v<Tuple>>());
}

} // namespace qopt::host

#endif
