//===- Kernels.h - The emitters of kernel families --------------*- C++ -*-===//
//
// Each writes one op of the program: allocates its results and launches what
// computes them. A failure comes with a diagnostic on the op.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_KERNELS_H
#define QOPT_LIB_TARGET_CPU_KERNELS_H

#include "CpuProgram.h"

namespace qopt::cpu {

/// `qkernel.map`.
mlir::LogicalResult emitMap(CpuProgram &program, mlir::Operation *op);
/// `qkernel.rows`: softmax, norms, reductions.
mlir::LogicalResult emitRows(CpuProgram &program, mlir::Operation *op);
/// `qkernel.rows` around `qopt.reduce` or `qopt.global_average_pool`.
mlir::LogicalResult emitReduce(CpuProgram &program, mlir::Operation *op);
/// `qkernel.rows` around `qopt.quantize_dynamic`.
mlir::LogicalResult emitQuantizeDynamic(CpuProgram &program,
                                        mlir::Operation *op);
/// `qopt.max_pool` and `qopt.average_pool`.
mlir::LogicalResult emitPool(CpuProgram &program, mlir::Operation *op);
/// Ops that only copy elements, and those that make shapes.
mlir::LogicalResult emitMovement(CpuProgram &program, mlir::Operation *op);

} // namespace qopt::cpu

#endif
