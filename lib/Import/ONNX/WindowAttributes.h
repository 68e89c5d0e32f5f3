//===- WindowAttributes.h - Kernels, strides and pads -----------*- C++ -*-===//
//
// Convolutions and pools state their windows in the same attributes.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_WINDOWATTRIBUTES_H
#define LIB_IMPORT_ONNX_WINDOWATTRIBUTES_H

#include "NodeImporter.h"

namespace qopt::importer {

struct WindowAttributes {
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  /// All begins, then all ends; `auto_pad` is resolved.
  llvm::SmallVector<int64_t> pads;
};

/// Reads the attributes of a window over the spatial axes of `x`; `kernel` is
/// what the weights say, or empty. Fails the node and returns nothing when they
/// contradict each other or are not supported.
std::optional<WindowAttributes> readWindow(NodeImporter &node, mlir::Value x,
                                           llvm::ArrayRef<int64_t> kernel);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_WINDOWATTRIBUTES_H
