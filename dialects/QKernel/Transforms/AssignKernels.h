//===- AssignKernels.h - Which kernel runs each op --------------*- C++ -*-===//
//
// The decision of the phase `kernels`, for whoever has the kernels of a machine
// at hand; the pass `qkernel-assign` asks the target of a variant.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_ASSIGNKERNELS_H
#define DIALECTS_QKERNEL_TRANSFORMS_ASSIGNKERNELS_H

#include "dialects/QKernel/IR/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::kernel {

/// Writes the name of a kernel on every op of `program` that needs one, with
/// the reason why it is not a preferred one. Ops that no kernel runs whole are
/// taken apart first; see the pass.
void assignKernels(mlir::func::FuncOp program, KernelList kernels);

} // namespace qopt::kernel

#endif
