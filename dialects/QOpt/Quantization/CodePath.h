//===- CodePath.h - Which ops compute codes from codes ----------*- C++ -*-===//
//
// What an op is on a path of codes with scales that are powers of two. The pass
// that places quantizers and the one that propagates codes ask the same
// questions, so the second finds an integer form for all that the first placed.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_CODEPATH_H
#define DIALECTS_QOPT_QUANTIZATION_CODEPATH_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

enum class CodeRole {
  /// Has no integer form.
  None,
  /// A convolution or a product with quantized operands.
  Contraction,
  /// A sum or difference of two activations, or of one and a constant.
  Sum,
  /// A function of one tensor, element by element.
  Unary,
  /// Moves or chooses elements: the result has the operand's codes.
  Preserving,
  Concat,
  Pad,
  /// A mean over a constant number of positions.
  Average
};

/// True for a quantizer that the model came with.
bool isOfFile(QuantizeOp op);

/// True for an op that has the elements of its first operand, each once.
bool isMovement(mlir::Operation *op);

/// The role of `op`; `why` says why there is none.
CodeRole getCodeRole(mlir::Operation *op, llvm::StringRef &why);

/// The operands of an op with a role that are not made of constants alone.
llvm::SmallVector<mlir::Value> getActivations(mlir::Operation *op);

/// Positions that an average is taken over; nothing when that number, the
/// channels or a window's size vary.
std::optional<int64_t> getAverageCount(mlir::Operation *op);

/// True for a ReLU or clip that becomes the range of codes of a contraction,
/// a bias or a sum before it.
bool isClamp(mlir::Operation *op);

/// True when `value` gets no codes of its own, because its only user takes it
/// together with the op that makes it.
bool isInsideOfStep(mlir::Value value);

/// True for an activation that requests make from codes by integers alone,
/// before quantizers stand. A function that curves is no part of it: it is a
/// table of codes at best, and a factor for each channel is worth more than
/// that.
bool isMadeFromCodes(mlir::Value activation);

} // namespace qopt

#endif
