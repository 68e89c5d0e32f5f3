//===- QKernelOps.h - The qkernel dialect -----------------------*- C++ -*-===//
//
// Kernels, packed operands and variants.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_IR_QKERNELOPS_H
#define DIALECTS_QKERNEL_IR_QKERNELOPS_H

#include "dialects/QKernel/IR/Kernel.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <functional>

#include "dialects/QKernel/IR/QKernelDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/QKernel/IR/QKernelAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/QKernel/IR/QKernelOps.h.inc"

namespace qopt::kernel {

/// True for the ops that carry a body: contract, map and their like.
bool isKernel(mlir::Operation *op);

/// What the roots of a kernel are; nothing for a map, which has none.
std::optional<KernelFamily> getFamily(mlir::Operation *kernel);

/// The kernel op for a root, without a body; null makes a map.
mlir::Operation *createKernel(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::Operation *root, mlir::TypeRange results,
                              mlir::ValueRange inputs);

/// True for an op that may stand beside the root in a kernel's body.
bool isEpilogueOp(mlir::Operation *op);

/// True if the codes and scales of a row depend on that row alone.
bool quantizesRows(QuantizeDynamicOp op);

/// The attributes that name what runs an op, and why it is the generic kernel.
/// Bare qopt ops have attributes of their own, so theirs carry a prefix.
llvm::StringRef getKernelNameAttrName(mlir::Operation *op);
llvm::StringRef getReasonAttrName(mlir::Operation *op);

/// True for an op that the phase `kernels` chooses a kernel for.
bool needsKernel(mlir::Operation *op);

/// The attribute that says which results are made in the memory of outputs.
inline constexpr llvm::StringLiteral kOutputsAttrName = "qkernel.outputs";

/// The attribute of a concatenation that adds to what a state had.
inline constexpr llvm::StringLiteral kAppendAttrName = "qkernel.append";

/// The memory of a tensor with slots behind it along `axis`.
mlir::MemRefType getAppendedType(mlir::MemRefType memory, int64_t axis);

/// The output of the program that `result` is made in; nothing for none.
std::optional<int32_t> getOutput(mlir::OpResult result);

/// True if the result of `op` has the elements of its operand in the same
/// order, so that it needs no memory of its own.
bool isView(mlir::Operation *op);

/// The type of an element in memory: f64, f32, f16, and integers of its bits
/// but of at least 8 for all others.
mlir::Type getMemoryElement(mlir::Type element);

/// The memory of a tensor.
mlir::MemRefType getMemoryType(mlir::RankedTensorType tensor);

/// Ends the run with `code` (1: data, 4: memory) and a text that names the node
/// of `loc`, unless `condition` holds.
void createRequire(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::Value condition, int32_t code,
                   const llvm::Twine &text);

/// The type of the same tensor in row-major order.
mlir::Type withoutLayout(mlir::Type type);

/// Puts the body back in place of the kernel (packed operands give way to what
/// was packed). Afterwards the program is the one that `fuse` started from.
void decompose(mlir::Operation *kernel, mlir::RewriterBase &rewriter);

} // namespace qopt::kernel

#endif
