//===- Contractions.h - Making sums over products ---------------*- C++ -*-===//
//
// Operators on reals and on codes differ in their operands alone: kernels,
// strides and broadcast batches are checked once.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_CONTRACTIONS_H
#define LIB_IMPORT_ONNX_CONTRACTIONS_H

#include "NodeImporter.h"
#include "WindowAttributes.h"

namespace qopt::importer {

/// One side of a product: reals, or codes with a zero of one element, of any
/// rank, or none.
struct ProductOperand {
  mlir::Value tensor, zero;
};

/// A convolution whose window the node's attributes say, with elements of
/// `element`. Null on failure.
mlir::Value makeConv(NodeImporter &node, ProductOperand x, ProductOperand w,
                     mlir::Value bias, mlir::Type element);

/// The same by a window that is known, of static kernel size.
mlir::Value makeConvByWindow(NodeImporter &node, ProductOperand x,
                             ProductOperand w, mlir::Value bias,
                             mlir::Type element, const WindowAttributes &window,
                             int64_t group);

/// The matrix product of `lhs` and `rhs`, with elements of `element`. Null on
/// failure.
mlir::Value makeMatMul(NodeImporter &node, ProductOperand lhs,
                       ProductOperand rhs, mlir::Type element);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_CONTRACTIONS_H
