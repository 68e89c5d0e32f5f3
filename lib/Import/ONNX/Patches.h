//===- Patches.h - Windows as a further axis --------------------*- C++ -*-===//
//
// For what no kernel walks: every element of a window is copied out.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_PATCHES_H
#define LIB_IMPORT_ONNX_PATCHES_H

#include "Composer.h"
#include "WindowAttributes.h"

namespace qopt::importer {

/// `x` with the pads of a window around its spatial axes.
mlir::Value padSpatial(Composer &c, mlir::Value x,
                       const WindowAttributes &window, mlir::Value value);

/// The windows over `x`, [N, C, positions..., elements of a window], where `x`
/// is padded already. `ceilMode` lets the last window of an axis, if it starts
/// inside of what is not the pad behind, reach over the end, where `value` is.
mlir::Value extractPatches(Composer &c, mlir::Value x,
                           const WindowAttributes &window, bool ceilMode,
                           mlir::Value value);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_PATCHES_H
