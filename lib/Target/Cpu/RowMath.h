//===- RowMath.h - Sums and maxima of rows ----------------------*- C++ -*-===//
//
// The 16 partial sums of a row are the 16 lanes of a vector.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_ROWMATH_H
#define QOPT_LIB_TARGET_CPU_ROWMATH_H

#include "VectorBuilder.h"

namespace qopt::cpu {

/// Joins the 16 lanes of `vector` to one scalar by the tree of row sums:
/// s[j] + s[j + 8], then 4, 2, 1. `join` takes two vectors of equal length.
mlir::Value foldLanes(
    VectorBuilder &v, mlir::Value vector,
    llvm::function_ref<mlir::Value(mlir::Value, mlir::Value, int64_t lanes)>
        join);

/// The sum of 16 partial f32 sums.
mlir::Value sumLanes(VectorBuilder &v, mlir::Value partialSums);

/// The largest lane: NaN wins for f32, signed for integers.
mlir::Value maxLanes(VectorBuilder &v, mlir::Value vector);

/// Walks a row of `size` elements in steps of 16 lanes with carried values.
/// `body` gets the index of the first lane and how many lanes are inside (null:
/// all).
llvm::SmallVector<mlir::Value>
loopRow(VectorBuilder &v, mlir::Value size, mlir::ValueRange inits,
        llvm::function_ref<llvm::SmallVector<mlir::Value>(
            mlir::Value index, mlir::Value count, mlir::ValueRange carried)>
            body);

/// `value` in the lanes below `count`, `other` (one scalar) in the rest.
mlir::Value keepLanes(VectorBuilder &v, mlir::Value value, mlir::Value count,
                      mlir::Value other);

} // namespace qopt::cpu

#endif
