//===- KernelGroups.h - Which ops become one kernel -------------*- C++ -*-===//
//
// The decision, apart from the rewriting: nothing in the IR changes here.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_QOPTTOQKERNEL_KERNELGROUPS_H
#define LIB_CONVERSION_QOPTTOQKERNEL_KERNELGROUPS_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

/// The ops of a kernel in their order. Only results of the last one are used
/// outside; without a root it is a map.
struct KernelGroup {
  mlir::Operation *root = nullptr;
  llvm::SmallVector<mlir::Operation *> ops;
};

/// The groups of a block, in the order of their last ops.
llvm::SmallVector<KernelGroup> findKernelGroups(mlir::Block &block);

} // namespace qopt

#endif
