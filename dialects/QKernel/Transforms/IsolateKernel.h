//===- IsolateKernel.h - A program of one kernel ----------------*- C++ -*-===//
//
// What is asked of kernels is asked of an op among tensors. Where tensors have
// memory, a launch and the function that it names are put together again.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_ISOLATEKERNEL_H
#define DIALECTS_QKERNEL_TRANSFORMS_ISOLATEKERNEL_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace qopt::kernel {

/// A variant whose program is `kernel` alone, with the constants that `launch`
/// gives it.
mlir::OwningOpRef<VariantOp> isolateKernel(LaunchOp launch,
                                           mlir::Operation *kernel);

/// The one kernel of such a variant.
mlir::Operation *getIsolated(VariantOp variant);

} // namespace qopt::kernel

#endif
