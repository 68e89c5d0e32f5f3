//===- DynamicQuantization.h - Codes whose scale the data gives -*- C++ -*-===//
//
// DynamicQuantizeLinear, alone or as the first half of another operator.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_DYNAMICQUANTIZATION_H
#define LIB_IMPORT_ONNX_DYNAMICQUANTIZATION_H

#include "NodeImporter.h"

namespace qopt::importer {

/// Codes of uint8 with their scale and zero point, both of rank 0.
struct DynamicCodes {
  mlir::Value codes, scale, zero;
};

/// With the range [lo, hi] of all of `x`, widened to hold 0:
/// ```
/// scale = hi == lo ? 1 : (hi - lo) / 255
/// zero = rint(clamp(0 - lo / scale, 0, 255))
/// code = clamp(rint(x / scale) + zero)
/// ```
/// Nothing on failure.
std::optional<DynamicCodes> quantizeDynamically(NodeImporter &node,
                                                mlir::Value x);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_DYNAMICQUANTIZATION_H
