//===- Facts.h - What is known of the values of operands --------*- C++ -*-===//
//
// Kernels take shorter ways where zero points are 0, shifts go to the right or
// indices are in range. The phase `kernels` finds that out once and writes it
// on the op: what emits code reads no constant.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_IR_FACTS_H
#define DIALECTS_QKERNEL_IR_FACTS_H

#include "dialects/QKernel/IR/QKernelOps.h"

namespace qopt::kernel {

/// The attribute that facts stand in.
inline constexpr llvm::StringLiteral kFactsAttrName = "qkernel.facts";

/// What the program says of the integers of `tensor`, an operand of `op`; null
/// where it says nothing.
IntegersAttr findIntegers(mlir::Operation *op, mlir::Value tensor);

/// All that kernels ask of the operands of `op`; null for nothing.
mlir::ArrayAttr findFacts(mlir::Operation *op);

/// Checks the attribute that facts of `op` stand in.
llvm::LogicalResult verifyFacts(mlir::Operation *op, mlir::Attribute attribute);

/// What the facts of `op` say of `tensor`, one of its operands or an argument
/// of its body; null where they say nothing.
IntegersAttr getFact(mlir::Operation *op, mlir::Value tensor);

} // namespace qopt::kernel

#endif
