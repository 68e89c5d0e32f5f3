//===- VerifyMemory.h - Where a program reads and writes --------*- C++ -*-===//
//
// Of programs whose ops are right one by one.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_VERIFYMEMORY_H
#define DIALECTS_QKERNEL_TRANSFORMS_VERIFYMEMORY_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::kernel {

/// Memory that nothing but its own op gives another name.
bool isOwn(mlir::Value memory);

/// Checks that memory ends at most once, in the block that owns it, and has no
/// use after that; that what a region is given and yields is memory of its own;
/// and that a launch writes none that it reads or writes elsewhere.
llvm::LogicalResult verifyLifetimes(mlir::func::FuncOp program);

/// Checks that what a run reads and writes lies within memory: that dims are
/// those that kernels give their results, and that the program has checked what
/// kernels ask of their operands.
llvm::LogicalResult verifyDims(VariantOp variant, KernelList kernels);

} // namespace qopt::kernel

#endif
