//===- States.h - What a program goes on from in its next run ---*- C++ -*-===//
//
// Phases tell arguments which result they are next; the context of a run keeps
// them then.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_STATES_H
#define DIALECTS_QOPT_IR_STATES_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

/// The attribute of an argument of a program: which result it is in the next
/// run, and along which axis that grows, as two i64.
inline constexpr llvm::StringLiteral kStateAttrName = "qopt.state";

/// The concatenation that makes of `past`, an argument of a program, what it is
/// next: past and new along the axis that grows. Null where the result is made
/// otherwise, or where another op reads elements of `past`.
ConcatOp findAppend(mlir::BlockArgument past);

/// Whether an attention takes `use` as its keys or its values.
bool isKeyOrValue(const mlir::OpOperand &use);

/// The type of scales, one a row of a tensor of type `rows`.
mlir::RankedTensorType rowScaleTypeOf(mlir::RankedTensorType rows);

/// The name of the scales of a state that is called `state`, `number` for the
/// case that other tensors have the names before.
std::string makeScaleName(llvm::StringRef state, unsigned number);

/// Whether `maker` makes floats of what states are kept in: elements of f16, or
/// bytes with a scale a row, which are the scale times the byte.
bool decodesRows(mlir::Operation *maker);

} // namespace qopt

#endif
