//===- DynamicQuantization.h - Scales made from the data --------*- C++ -*-===//
//
// ONNX has no operator for them, so their formulas are written out.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXPORT_ONNX_DYNAMICQUANTIZATION_H
#define LIB_EXPORT_ONNX_DYNAMICQUANTIZATION_H

#include "GraphWriter.h"

namespace qopt::exporter {

/// Writes a `qopt.quantize_dynamic`. Its scales are f32 in the graph, without
/// the unit of the format.
void writeQuantizeDynamic(GraphWriter &writer, mlir::Operation *op,
                          llvm::StringRef operation);

} // namespace qopt::exporter

#endif // LIB_EXPORT_ONNX_DYNAMICQUANTIZATION_H
