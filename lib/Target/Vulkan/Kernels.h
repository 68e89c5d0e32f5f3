//===- Kernels.h - The kernels of Vulkan ------------------------*- C++ -*-===//
//
// Each records one op of the program that its check matches: allocates its
// results on the device and dispatches what computes them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_KERNELS_H
#define QOPT_LIB_TARGET_VULKAN_KERNELS_H

#include "DeviceProgram.h"
#include "qopt/Target/KernelTable.h"

namespace qopt::vulkan {

/// All devices run these kernels.
struct AnyDevice {};

/// The kernels of a device, and before them those that the CPU runs for it.
kernel::KernelList getKernels();

/// How the names of the kernels begin that run on the CPU.
inline constexpr llvm::StringLiteral kHostPrefix = "vulkan.host";

/// True for the name of a kernel that the CPU runs.
bool isHostKernel(llvm::StringRef name);

/// `qkernel.map`.
mlir::LogicalResult emitMap(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.contract` and `qkernel.depthwise_conv`.
kernel::Match checkContract(const AnyDevice &, mlir::Operation *op);
mlir::LogicalResult emitContract(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.rows`: softmax and layer norm, reductions, global pools.
kernel::Match checkRows(const AnyDevice &, mlir::Operation *op);
mlir::LogicalResult emitRows(DeviceProgram &program, mlir::Operation *op);
/// `qkernel.rows` around `qopt.quantize_dynamic`.
kernel::Match checkQuantizeDynamic(const AnyDevice &, mlir::Operation *op);
mlir::LogicalResult emitQuantizeDynamic(DeviceProgram &program,
                                        mlir::Operation *op);
kernel::Match checkAttention(const AnyDevice &, mlir::Operation *op);
mlir::LogicalResult emitAttention(DeviceProgram &program, mlir::Operation *op);
/// `qopt.max_pool` and `qopt.average_pool`.
kernel::Match checkPool(const AnyDevice &, mlir::Operation *op);
mlir::LogicalResult emitPool(DeviceProgram &program, mlir::Operation *op);

} // namespace qopt::vulkan

#endif
