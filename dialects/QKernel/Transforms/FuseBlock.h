//===- FuseBlock.h - The kernels of a block ---------------------*- C++ -*-===//
//
// What the phase `fuse` does to a block, and the phase `kernels` again to what
// it took apart.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_FUSEBLOCK_H
#define DIALECTS_QKERNEL_TRANSFORMS_FUSEBLOCK_H

#include "mlir/IR/Block.h"

namespace qopt::kernel {

/// Whether quantizers of rows join the kernels beside them.
enum class Quantizers { Join, StandAlone };

/// Makes kernels of the ops of a block; returns how many ops are in how many.
struct FusedCount {
  unsigned ops = 0, kernels = 0;
};
FusedCount fuseBlock(mlir::Block &block, Quantizers quantizers);

} // namespace qopt::kernel

#endif
