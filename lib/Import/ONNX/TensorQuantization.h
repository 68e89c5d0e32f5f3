//===- TensorQuantization.h - One scale for a tensor ------------*- C++ -*-===//
//
// QuantizeLinear and DequantizeLinear per tensor, as parts of other operators.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_TENSORQUANTIZATION_H
#define LIB_IMPORT_ONNX_TENSORQUANTIZATION_H

#include "NodeImporter.h"

namespace qopt::importer {

/// A scale of float and a zero point of the codes' type, each of one element;
/// the zero point may be null.
struct TensorScale {
  mlir::Value scale, zero;
};

/// The scale and zero point at these inputs for codes of `codes`. Nothing on
/// failure.
std::optional<TensorScale> readTensorScale(NodeImporter &node, mlir::Type codes,
                                           size_t scale, size_t zero);

/// clamp(rint(x / scale) + zero). Null on failure, and for a null `x`.
mlir::Value quantize(NodeImporter &node, mlir::Value x, const TensorScale &by,
                     mlir::Type codes);

/// (code - zero) * scale. Null on failure, and for null codes.
mlir::Value dequantize(NodeImporter &node, mlir::Value codes,
                       const TensorScale &by);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_TENSORQUANTIZATION_H
