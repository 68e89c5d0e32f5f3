//===- Movement.h - Ops that copy elements and make shapes ------*- C++ -*-===//
//
// A kernel each; none computes.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_MOVEMENT_H
#define QOPT_LIB_TARGET_CPU_MOVEMENT_H

#include "Kernels.h"

namespace qopt::cpu {

mlir::LogicalResult emitTranspose(HostProgram &program, mlir::Operation *op);
kernel::Match checkSlice(const AnyCpu &, mlir::Operation *op);
mlir::LogicalResult emitSlice(HostProgram &program, mlir::Operation *op);
/// A concatenation writes in front of slots.
bool joinsWithSlots(mlir::Operation *op, mlir::Value value, int64_t axis);
mlir::LogicalResult emitConcat(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitSplit(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitGather(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitExpand(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitPad(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitShape(HostProgram &program, mlir::Operation *op);
mlir::LogicalResult emitConstantOfShape(HostProgram &program,
                                        mlir::Operation *op);
mlir::LogicalResult emitRange(HostProgram &program, mlir::Operation *op);

} // namespace qopt::cpu

#endif
