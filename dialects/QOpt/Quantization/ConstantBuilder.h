//===- ConstantBuilder.h - Constants made by a pass -------------*- C++ -*-===//
//
// Short forms for the scales, zeros and factors that passes write.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_CONSTANTBUILDER_H
#define DIALECTS_QOPT_QUANTIZATION_CONSTANTBUILDER_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/Builders.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// A constant of the tensor's dims with the given MLIR element type.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                           const HostTensor &tensor, mlir::Type elementType);

/// An f32 constant.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                           llvm::ArrayRef<float> values,
                           llvm::ArrayRef<int64_t> dims);

/// A constant of integers or of codes, one a value, in `elementType`.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                           llvm::ArrayRef<int64_t> values,
                           llvm::ArrayRef<int64_t> dims,
                           mlir::Type elementType);

/// The same constant with other dims; null when `value` is no constant.
mlir::Value reshapeConstant(mlir::OpBuilder &builder, mlir::Value value,
                            llvm::ArrayRef<int64_t> dims);

/// The real values of a constant's elements, whatever its element type.
llvm::SmallVector<double> readReals(ConstantOp constant);

} // namespace qopt

#endif
