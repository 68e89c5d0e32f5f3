//===- KernelGroups.h - Which ops become one kernel -------------*- C++ -*-===//
//
// The decision, apart from the rewriting: nothing in the IR changes here.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_KERNELGROUPS_H
#define DIALECTS_QKERNEL_TRANSFORMS_KERNELGROUPS_H

#include "dialects/QKernel/Transforms/FuseBlock.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace qopt::kernel {

/// The ops of a kernel in their order; without a root it is a map.
struct KernelGroup {
  mlir::Operation *root = nullptr;
  llvm::SmallVector<mlir::Operation *> ops;
  /// Where the kernel can stand: all that the ops read is made before it, and
  /// what others read of the ops is read behind it.
  mlir::Operation *place = nullptr;
};

/// The groups of a block, in the order of their places.
llvm::SmallVector<KernelGroup> findKernelGroups(mlir::Block &block,
                                                Quantizers quantizers);

} // namespace qopt::kernel

#endif
