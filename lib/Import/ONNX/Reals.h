//===- Reals.h - Floats of formulas that are in f32 -------------*- C++ -*-===//

#ifndef LIB_IMPORT_ONNX_REALS_H
#define LIB_IMPORT_ONNX_REALS_H

#include "NodeImporter.h"

namespace qopt::importer {

/// Checks for floats that an op computes in f32: f64 it has no formula for.
inline mlir::LogicalResult expectReals(NodeImporter &node, mlir::Value x) {
  if (mlir::failed(node.expectFloat(x)))
    return mlir::failure();
  if (!getElementType(x).isF64())
    return mlir::success();
  return node.fail(unsupported("elements of f64 are not supported",
                               "cast them in the model"));
}

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_REALS_H
