//===- Biases.h - Biases of sums of codes -----------------------*- C++ -*-===//
//
// Where a sum of codes becomes codes again, its bias is an integer in steps of
// the sum. That is so in our programs and in quantized ONNX models.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXPORT_ONNX_BIASES_H
#define LIB_EXPORT_ONNX_BIASES_H

#include "GraphWriter.h"

namespace qopt::exporter {

/// Writes the f32 `bias` that is added to what `contraction` makes of codes,
/// where `sum` is the result with the bias: as int32 behind a DequantizeLinear
/// if `sum` becomes codes, else as it is.
std::string writeBias(GraphWriter &writer, mlir::Operation *contraction,
                      mlir::Value bias, mlir::Value sum);

} // namespace qopt::exporter

#endif // LIB_EXPORT_ONNX_BIASES_H
