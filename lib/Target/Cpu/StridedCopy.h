//===- StridedCopy.h - Copies and fills of elements -------------*- C++ -*-===//
//
// What every movement op is made of.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_STRIDEDCOPY_H
#define QOPT_LIB_TARGET_CPU_STRIDEDCOPY_H

#include "VectorBuilder.h"
#include "lib/Target/Host/HostProgram.h"

namespace qopt::cpu {

/// Axes in memory, outermost first: so many elements, so far apart on each
/// side, in elements.
struct CopyAxis {
  mlir::Value size, fromStride, toStride;
};

/// Copies the elements that `axes` reach.
void emitStridedCopy(HostProgram &program, llvm::StringRef name,
                     mlir::Type element, llvm::ArrayRef<CopyAxis> axes,
                     mlir::Value from, mlir::Value to);

/// Sets `count` elements to the one at `value`.
void emitFill(HostProgram &program, llvm::StringRef name, mlir::Type element,
              mlir::Value value, mlir::Value to, mlir::Value count);

} // namespace qopt::cpu

#endif
