//===- Kernels.h - The emitters of kernel families --------------*- C++ -*-===//
//
// Each writes one op of the program: allocates its results and launches what
// computes them. A failure comes with a diagnostic on the op.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_KERNELS_H
#define QOPT_LIB_TARGET_X86_KERNELS_H

#include "ProgramEmitter.h"

namespace qopt::x86 {

/// `qkernel.contract` on f32, and on integer codes with i32 sums.
mlir::LogicalResult emitContract(ProgramEmitter &program, mlir::Operation *op);
/// `qkernel.contract` whose root has scales: sums of groups.
mlir::LogicalResult emitGroupedContract(ProgramEmitter &program,
                                        mlir::Operation *op);
mlir::LogicalResult emitDepthwise(ProgramEmitter &program, mlir::Operation *op);
mlir::LogicalResult emitAttention(ProgramEmitter &program, mlir::Operation *op);

} // namespace qopt::x86

#endif
