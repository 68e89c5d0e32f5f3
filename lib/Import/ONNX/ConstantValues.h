//===- ConstantValues.h - Making and reading qopt constants -----*- C++ -*-===//
//
// Small tensors of standard types are elements attributes, which everything
// in MLIR can read; all others are weights.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_CONSTANTVALUES_H
#define LIB_IMPORT_ONNX_CONSTANTVALUES_H

#include "TensorReader.h"
#include "mlir/IR/Builders.h"

namespace qopt::importer {

/// Bytes up to which a constant is an elements attribute.
inline constexpr uint64_t kMaxInlineBytes = 1024;

/// A `qopt.constant` with the tensor.
mlir::Value makeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                         TensorData data);

/// A constant of rank 1 (or 0, of one element) from numbers.
mlir::Value makeIntegers(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> values, bool isScalar = false);
mlir::Value makeFloats(mlir::OpBuilder &builder, mlir::Location loc,
                       llvm::ArrayRef<float> values, bool isScalar = false);

/// The same constant with other dims and as many elements; null when `value`
/// is no constant.
mlir::Value reshapeConstant(mlir::OpBuilder &builder, mlir::Value value,
                            llvm::ArrayRef<int64_t> shape);

/// The elements of a constant of floats of eight bits or more; nothing for any
/// other value.
std::optional<llvm::SmallVector<double>> getConstantFloats(mlir::Value value);

/// The one element of such a constant.
std::optional<double> getConstantFloat(mlir::Value value);

/// The bytes of all elements of a constant, in `storage` where the program
/// holds one for all; nothing for any other value.
std::optional<llvm::ArrayRef<uint8_t>>
getConstantBytes(mlir::Value value, llvm::SmallVectorImpl<uint8_t> &storage);

/// True for a constant whose bytes are all 0.
bool isConstantZero(mlir::Value value);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_CONSTANTVALUES_H
