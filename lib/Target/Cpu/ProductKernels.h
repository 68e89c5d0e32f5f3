//===- ProductKernels.h - Kernels over tiles --------------------*- C++ -*-===//
//
// Each writes one op of the program that its check matches: allocates its
// results and launches what computes them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_PRODUCTKERNELS_H
#define QOPT_LIB_TARGET_CPU_PRODUCTKERNELS_H

#include "ContractTile.h"
#include "CpuProgram.h"
#include "Kernels.h"

namespace qopt::cpu {

/// True if the argument of a kernel's body stands for a constant.
bool isConstant(mlir::Operation *kernel, mlir::Value argument);

/// Why a product of other tensors than of f32 and of small codes has no kernel.
kernel::Match wrongOperands(mlir::Value lhs, mlir::Value rhs);
/// Why a product of codes in blocks of two sizes has none.
kernel::Match wrongBlocks(FormatAttr lhs, FormatAttr rhs);

/// `qkernel.contract` on f32.
kernel::Match checkFloatContract(const Tier &tier, mlir::Operation *op);
mlir::LogicalResult emitFloatContract(CpuProgram &program, mlir::Operation *op);
/// `qkernel.contract` on 8-bit codes with i32 sums.
kernel::Match checkCodeContract(const Tier &tier, mlir::Operation *op);
kernel::Match checkTileContract(const Tier &tier, mlir::Operation *op);
template <CodeUnit unit>
mlir::LogicalResult emitCodeContract(CpuProgram &program, mlir::Operation *op);

/// `qkernel.contract` whose root has scales: sums of groups, of f32 or of
/// integers where these are sure to be the same.
kernel::Match checkGroupedContract(const Tier &tier, mlir::Operation *op);
kernel::Match checkIntegerGroups(const Tier &tier, mlir::Operation *op);
enum class GroupSum { Float, Integer };
template <GroupSum sum>
mlir::LogicalResult emitGroupedContract(CpuProgram &program,
                                        mlir::Operation *op);

/// `qkernel.depthwise_conv` on 8-bit codes with constant weights.
kernel::Match checkCodeDepthwise(const Tier &tier, mlir::Operation *op);
mlir::LogicalResult emitCodeDepthwise(CpuProgram &program, mlir::Operation *op);
kernel::Match checkDepthwise(const Tier &tier, mlir::Operation *op);
mlir::LogicalResult emitDepthwise(CpuProgram &program, mlir::Operation *op);
kernel::Match checkGroupedDepthwise(const Tier &tier, mlir::Operation *op);
mlir::LogicalResult emitGroupedDepthwise(CpuProgram &program,
                                         mlir::Operation *op);

kernel::Match checkAttention(const Tier &tier, mlir::Operation *op);
/// Keys and values may have slots behind them.
bool readsKeysWithSlots(mlir::Operation *op, mlir::Value value, int64_t axis);
mlir::LogicalResult emitAttention(CpuProgram &program, mlir::Operation *op);

} // namespace qopt::cpu

#endif
