//===- IntegerBuilder.h - Arithmetic on SSA integers ------------*- C++ -*-===//
//
// What dims, the code of hosts and shaders are computed with: one operation a
// call, folded where operands are constant. Of i64, i32 and index alike.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_INTEGERBUILDER_H
#define DIALECTS_QKERNEL_TRANSFORMS_INTEGERBUILDER_H

#include "mlir/IR/Builders.h"

namespace qopt::kernel {

class IntegerBuilder {
public:
  IntegerBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  /// Of numbers that are not negative, by numbers that are positive.
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value rem(mlir::Value x, mlir::Value y);
  mlir::Value equal(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  /// Coordinates of the element `index` of a row-major tensor.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value index,
                                             mlir::ValueRange dims);
};

} // namespace qopt::kernel

#endif
