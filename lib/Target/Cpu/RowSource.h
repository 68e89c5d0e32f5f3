//===- RowSource.h - The rows that a kernel reduces -------------*- C++ -*-===//
//
// A row is a run of trailing axes. Rows of f32 are read where they are; others,
// and those that element-wise ops make, are first written to scratch as f32.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_ROWSOURCE_H
#define QOPT_LIB_TARGET_CPU_ROWSOURCE_H

#include "Epilogue.h"

namespace qopt::cpu {

/// The number of rows in a part, so that parts are worth starting.
mlir::Value rowsPerPart(VectorBuilder v, mlir::Value rowSize, int64_t elements);

/// Walks the elements of row `row` of the tensor `dims`, whose rows are the
/// axes from `axis` on: `body` gets lanes for an epilogue with an axis a group,
/// and the index in the row.
void loopRowElements(
    VectorBuilder &v, llvm::ArrayRef<mlir::Value> dims, int64_t axis,
    mlir::Value row,
    llvm::function_ref<void(const Epilogue::Lanes &, mlir::Value index)> body);

} // namespace qopt::cpu

#endif
