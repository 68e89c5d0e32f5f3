//===- ExportONNX.h - From qopt to an ONNX file -----------------*- C++ -*-===//
//
// The program between quantizers and dequantizers becomes a model in QDQ form,
// in the lowest opset that has its element types.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EXPORT_ONNX_EXPORTONNX_H
#define QOPT_EXPORT_ONNX_EXPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>
#include <utility>

namespace qopt {

struct OnnxExportOptions {
  /// Keys and values that the file says of itself.
  llvm::SmallVector<std::pair<std::string, std::string>> metadata;
  /// Protobuf reads no message that is longer.
  uint64_t maxSizeInBytes = INT32_MAX;
};

/// The bytes of an ONNX file that computes what @main of `module` does. Fails
/// with a diagnostic for an op without an ONNX form, and for a program that one
/// file cannot hold.
mlir::FailureOr<std::string>
exportOnnxModel(mlir::ModuleOp module, const OnnxExportOptions &options = {});

} // namespace qopt

#endif // QOPT_EXPORT_ONNX_EXPORTONNX_H
