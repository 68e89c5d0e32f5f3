//===- KernelFunctions.h - Functions that hold one kernel -------*- C++ -*-===//
//
// Where operands come from does not count: the body of a kernel sees nothing
// else from outside.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_KERNELFUNCTIONS_H
#define DIALECTS_QKERNEL_TRANSFORMS_KERNELFUNCTIONS_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::kernel {

/// True for a tensor whose elements may be dims of others.
bool isShortList(mlir::Type type);

/// The functions of a variant that were made for its kernels, equal ones once.
class KernelFunctions {
public:
  explicit KernelFunctions(VariantOp variant);

  /// A function that holds what `op` is, whose operands have the types of its
  /// arguments.
  mlir::func::FuncOp findOrMake(mlir::Operation *op);

  int64_t getNumMade() const { return numMade; }

private:
  VariantOp variant;
  /// Functions that were there before.
  int64_t numOthers;
  int64_t numMade = 0;
  llvm::DenseMap<size_t, llvm::SmallVector<mlir::func::FuncOp>> made;
};

} // namespace qopt::kernel

#endif
