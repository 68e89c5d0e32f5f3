//===- ElementTypes.h - ONNX data types as MLIR types -----------*- C++ -*-===//
//
// Signed integers are signless in MLIR, unsigned ones are unsigned.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_ONNX_ELEMENTTYPES_H
#define LIB_ONNX_ELEMENTTYPES_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace qopt {

/// ONNX's name of a data type; empty when ONNX has no such type.
llvm::StringRef getOnnxTypeName(int32_t dataType);

/// The element type for an ONNX data type; null for those that we do not have
/// (strings, complex numbers) and for unknown numbers.
mlir::Type getOnnxElementType(mlir::MLIRContext *context, int32_t dataType);

/// The ONNX data type of elements of a type, if there is one.
std::optional<int32_t> findOnnxDataType(mlir::Type elementType);

/// The first opset from 21 on in which operators take a data type.
int64_t getOpsetOf(int32_t dataType);

} // namespace qopt

#endif // LIB_ONNX_ELEMENTTYPES_H
