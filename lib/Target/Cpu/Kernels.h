//===- Kernels.h - The emitters of kernel families --------------*- C++ -*-===//
//
// Each writes one op of the program that its check matches: allocates its
// results and launches what computes them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_KERNELS_H
#define QOPT_LIB_TARGET_CPU_KERNELS_H

#include "VectorBuilder.h"
#include "lib/Target/Host/BodyTypes.h"
#include "lib/Target/Host/HostProgram.h"
#include "qopt/Target/KernelTable.h"

namespace qopt::cpu {

/// All CPUs run these kernels.
struct AnyCpu {};

/// Adds the kernels of this folder, under the name of a target.
void addKernels(KernelSet &set, llvm::StringRef target);

/// `qkernel.map`.
mlir::LogicalResult emitMap(HostProgram &program, mlir::Operation *op);

/// `qkernel.rows`: softmax, norms, reductions.
kernel::Match checkRows(const AnyCpu &, mlir::Operation *op);
mlir::LogicalResult emitRows(HostProgram &program, mlir::Operation *op);

/// `qkernel.rows` around `qopt.reduce` or `qopt.global_average_pool`.
kernel::Match checkReduce(mlir::Operation *op);
mlir::LogicalResult emitReduce(HostProgram &program, mlir::Operation *op);

/// `qkernel.rows` around `qopt.quantize_dynamic`.
kernel::Match checkQuantizeDynamic(const AnyCpu &, mlir::Operation *op);
mlir::LogicalResult emitQuantizeDynamic(HostProgram &program,
                                        mlir::Operation *op);

/// `qopt.max_pool` and `qopt.average_pool`.
kernel::Match checkPool(const AnyCpu &, mlir::Operation *op);
mlir::LogicalResult emitPool(HostProgram &program, mlir::Operation *op);

/// What stands in front of the product of a contraction: rows that are
/// normalized and quantized.
kernel::Match checkPrologue(mlir::Operation *contract);

/// Whether all operands of `op` are floats that lanes hold as f32.
kernel::Match checkFloats(mlir::Operation *op);

} // namespace qopt::cpu

#endif
