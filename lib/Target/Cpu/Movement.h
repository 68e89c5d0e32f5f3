//===- Movement.h - Ops that copy elements and make shapes ------*- C++ -*-===//
//
// A kernel each; none computes.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_MOVEMENT_H
#define QOPT_LIB_TARGET_CPU_MOVEMENT_H

#include "Kernels.h"

namespace qopt::cpu {

/// Another view of the same memory: reshape and its like.
mlir::LogicalResult emitView(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitTranspose(CpuProgram &program, mlir::Operation *op);
kernel::Match checkSlice(const AnyCpu &, mlir::Operation *op);
mlir::LogicalResult emitSlice(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitConcat(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitSplit(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitGather(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitExpand(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitPad(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitShape(CpuProgram &program, mlir::Operation *op);
mlir::LogicalResult emitConstantOfShape(CpuProgram &program,
                                        mlir::Operation *op);
mlir::LogicalResult emitRange(CpuProgram &program, mlir::Operation *op);

} // namespace qopt::cpu

#endif
