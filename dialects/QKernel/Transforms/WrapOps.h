//===- WrapOps.h - Every op in the kernel of its family ---------*- C++ -*-===//
//
// Bare qopt ops are run by the same kernels as fused ones.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_WRAPOPS_H
#define DIALECTS_QKERNEL_TRANSFORMS_WRAPOPS_H

#include "mlir/IR/Block.h"

namespace qopt::kernel {

/// Removes ops without effect or use, and puts each bare op that has a kernel
/// family into a kernel op of its own.
void wrapBareOps(mlir::Block &block);

} // namespace qopt::kernel

#endif
