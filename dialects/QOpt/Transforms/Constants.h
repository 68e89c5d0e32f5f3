//===- Constants.h - Constants as passes see them ---------------*- C++ -*-===//
//
// What is a constant, what is made of constants only, and how to make small
// ones. Large weights are never read here.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_CONSTANTS_H
#define DIALECTS_QOPT_TRANSFORMS_CONSTANTS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/Builders.h"
#include <optional>

namespace qopt {

/// The value of an f32 constant of one element.
std::optional<float> getScalarConstant(mlir::Value value);

/// True for a constant and for a weight expression: ops on constants only. A
/// dequantize is no part of one, because the codes behind it are fixed numbers,
/// unless it is of i32: that is a bias.
bool isConstantExpression(mlir::Value value);

/// True for an op that a weight expression may hold.
bool isExpressionOp(mlir::Operation *op);

/// A 0-D f32 constant.
mlir::Value makeScalar(mlir::OpBuilder &builder, mlir::Location loc,
                       float value);

/// A 1-D i64 constant.
mlir::Value makeIntegers(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> values);

} // namespace qopt

#endif
