//===- Rows.h - Sums and maxima of rows -------------------------*- C++ -*-===//
//
// A row is walked by one invocation, in the order that the formulas state.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_ROWS_H
#define QOPT_LIB_TARGET_VULKAN_ROWS_H

#include "Shader.h"

namespace qopt::vulkan {

/// The element `i` of a row, f32.
using RowElement = llvm::function_ref<mlir::Value(mlir::Value i)>;

/// 16 partial sums, element i in sum i mod 16, then the fixed tree; of squares
/// by fma where `squares` says so.
mlir::Value rowSum(Shader &shader, mlir::Value count, RowElement element,
                   bool squares = false);
/// NaN wins; `init` for no element.
mlir::Value rowMax(Shader &shader, mlir::Value count, mlir::Value init,
                   RowElement element);

} // namespace qopt::vulkan

#endif
