//===- KernelGroups.h - Which ops become one kernel -------------*- C++ -*-===//
//
// The decision, apart from the rewriting: nothing in the IR changes here.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_QOPTTOQKERNEL_KERNELGROUPS_H
#define LIB_CONVERSION_QOPTTOQKERNEL_KERNELGROUPS_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

/// The ops of a kernel in their order; without a root it is a map.
struct KernelGroup {
  mlir::Operation *root = nullptr;
  llvm::SmallVector<mlir::Operation *> ops;
  /// Where the kernel can stand: all that the ops read is made before it, and
  /// what others read of the ops is read behind it.
  mlir::Operation *place = nullptr;
};

/// Whether quantizers of rows join the kernels beside them.
enum class Quantizers { Join, StandAlone };

/// The groups of a block, in the order of their places.
llvm::SmallVector<KernelGroup> findKernelGroups(mlir::Block &block,
                                                Quantizers quantizers);

/// Makes kernels of the ops of a block; returns how many ops are in how many.
struct FusedCount {
  unsigned ops = 0, kernels = 0;
};
FusedCount fuseBlock(mlir::Block &block, Quantizers quantizers);

} // namespace qopt

#endif
