//===- Resize.h - Images of another size ------------------------*- C++ -*-===//
//
// What Resize and Upsample say of how their result is made.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_RESIZE_H
#define LIB_IMPORT_ONNX_RESIZE_H

#include "Composer.h"

namespace qopt::importer {

struct ResizeForm {
  /// nearest, linear or cubic.
  std::string mode;
  std::string coordinates = "half_pixel";
  std::string rounding = "round_prefer_floor";
  /// stretch, not_larger or not_smaller.
  std::string policy = "stretch";
  float cubic = -0.75f;
  bool excludesOutside = false;
  /// Weights of a smaller result reach over as much more.
  bool antialias = false;
  /// Outside of a region that is cropped.
  float outside = 0;
};

/// Makes the first output the first input with `axes` resized by `scales` or to
/// `sizes`, one of which is null.
mlir::LogicalResult resizeByValues(NodeImporter &node, mlir::Value roi,
                                   mlir::Value scales, mlir::Value sizes,
                                   llvm::ArrayRef<int64_t> axes,
                                   const ResizeForm &form);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_RESIZE_H
