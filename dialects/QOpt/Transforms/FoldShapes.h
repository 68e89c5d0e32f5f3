//===- FoldShapes.h - Shape arithmetic without running it -------*- C++ -*-===//
//
// Follows elements of shape tensors back to constants and dims.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_FOLDSHAPES_H
#define DIALECTS_QOPT_TRANSFORMS_FOLDSHAPES_H

#include "dialects/QOpt/IR/QOptOps.h"
#include <optional>

namespace qopt {

/// The elements of a 0-D or 1-D integer result if all of them are constants or
/// static dims.
std::optional<llvm::SmallVector<int64_t>> getStaticElements(mlir::Value tensor);

/// A constant `shape` that means the same to this reshape: 0 for a dim of its
/// input, -1 for at most one other.
std::optional<llvm::SmallVector<int64_t>> getStaticTarget(ReshapeOp op);

} // namespace qopt

#endif
