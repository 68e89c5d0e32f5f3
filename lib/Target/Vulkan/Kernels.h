//===- Kernels.h - The emitters of kernel families --------------*- C++ -*-===//
//
// Each records one op of the program: allocates its results on the device and
// dispatches what computes them. A failure comes with a diagnostic on the op.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_KERNELS_H
#define QOPT_LIB_TARGET_VULKAN_KERNELS_H

#include "DeviceProgram.h"

namespace qopt::vulkan {

/// `qkernel.map`.
mlir::LogicalResult emitMap(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.contract` and `qkernel.depthwise_conv`.
mlir::LogicalResult emitContract(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.rows`: softmax and layer norm, reductions, global pools.
mlir::LogicalResult emitRows(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.rows` around `qopt.quantize_dynamic`.
mlir::LogicalResult emitQuantizeDynamic(DeviceProgram &program,
                                        mlir::Operation *op);
mlir::LogicalResult emitAttention(DeviceProgram &program, mlir::Operation *op);
/// `qopt.max_pool` and `qopt.average_pool`.
mlir::LogicalResult emitPool(DeviceProgram &program, mlir::Operation *op);
/// Ops that only copy elements.
mlir::LogicalResult emitMovement(DeviceProgram &program, mlir::Operation *op);

} // namespace qopt::vulkan

#endif
