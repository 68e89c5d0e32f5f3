//===- KnownIntegers.h - What is known of shape arithmetic ------*- C++ -*-===//
//
// Exporters write the dims of a Reshape as Shape, Gather, Concat. Most of such
// a list is known: following it keeps dims static that would be lost.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_KNOWNINTEGERS_H
#define DIALECTS_QOPT_IR_KNOWNINTEGERS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace qopt {

/// Longest list of integers that is looked at.
inline constexpr int64_t kMaxKnownIntegers = 64;

/// The elements of an integer tensor of rank 0 or 1, each where it is known;
/// nothing when their number is not.
std::optional<llvm::SmallVector<std::optional<int64_t>>>
getKnownIntegers(mlir::Value value);

/// The elements when all are known.
std::optional<llvm::SmallVector<int64_t>>
getAllKnownIntegers(mlir::Value value);

} // namespace qopt

#endif
