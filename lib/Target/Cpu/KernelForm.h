//===- KernelForm.h - Every op in the kernel of its family ------*- C++ -*-===//
//
// Bare qopt ops run through the same emitters as fused ones.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_KERNELFORM_H
#define QOPT_LIB_TARGET_CPU_KERNELFORM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::cpu {

/// Removes ops without effect or use, and puts each bare op that has a kernel
/// family into a kernel op of its own.
void wrapBareOps(mlir::func::FuncOp program);

} // namespace qopt::cpu

#endif
