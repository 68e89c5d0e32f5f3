//===- VerifyKernels.h - Whether a kernel runs an op ------------*- C++ -*-===//
//
// What `kernels` chose, and what a program that launches says of it.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_VERIFYKERNELS_H
#define DIALECTS_QKERNEL_TRANSFORMS_VERIFYKERNELS_H

#include "dialects/QKernel/IR/QKernelOps.h"

namespace qopt::kernel {

/// Checks that the facts of `op` are true and all there, and that the kernel
/// that it names, one of `kernels` or the generic one, runs it.
llvm::LogicalResult verifyChoice(mlir::Operation *op, KernelList kernels);

} // namespace qopt::kernel

#endif
