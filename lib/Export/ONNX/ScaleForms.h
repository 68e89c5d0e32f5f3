//===- ScaleForms.h - Scales as ONNX has them -------------------*- C++ -*-===//
//
// Our scales and zeros have the rank of the codes. ONNX has one for a tensor
// (a scalar), one for each position of an axis (a list) or one for each block.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXPORT_ONNX_SCALEFORMS_H
#define LIB_EXPORT_ONNX_SCALEFORMS_H

#include "GraphWriter.h"

namespace qopt::exporter {

enum class Granularity {
  Tensor,
  Axis,
  Block,
  /// Any other; ONNX has no operator for it.
  Other
};

/// The scale and zero of codes, as inputs and attributes of QuantizeLinear and
/// DequantizeLinear.
struct ScaleForm {
  Granularity granularity = Granularity::Tensor;
  int64_t axis = 0, block = 0;
  /// The f32 scale; dims are those of the granularity, for `Other` those that
  /// broadcast to the codes.
  std::string scale;
  /// Of the type of the codes, or empty.
  std::string zero;

  /// Attributes `axis` and `block_size` where they say something.
  llvm::SmallVector<NodeAttribute>
  getAttributes(mlir::RankedTensorType codes) const;
};

/// True where blocks, if the format has them, run along an axis of `rank`.
bool hasValidAxis(FormatAttr format, int64_t rank);

/// Writes scales and zeros for codes of the type `codes`. `format` may be null.
/// Reports what ONNX cannot say.
ScaleForm writeScales(GraphWriter &writer, mlir::RankedTensorType codes,
                      mlir::ValueRange scales, mlir::ValueRange zeros,
                      FormatAttr format);

/// Adds `axis` and `block_size`. A vector of one block gets neither: ONNX
/// Runtime reads a list of one scale as that of a tensor.
void addBlocks(llvm::SmallVectorImpl<NodeAttribute> &attributes,
               mlir::RankedTensorType codes, int64_t axis, int64_t block);

/// The f32 product of `scale` and the unit of the format.
std::string multiplyByUnit(GraphWriter &writer, llvm::StringRef scale,
                           FormatAttr format);

} // namespace qopt::exporter

#endif // LIB_EXPORT_ONNX_SCALEFORMS_H
