//===- ElementTypes.h - Element types by name -------------------*- C++ -*-===//
//
// The names are those of qopt_model.h, of the format table and of MLIR itself,
// which differ for unsigned integers and for i1 only.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_ELEMENTTYPES_H
#define DIALECTS_QOPT_IR_ELEMENTTYPES_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
struct fltSemantics;
} // namespace llvm

namespace qopt {

/// The type called `name`, as in `f32`, `i4`, `u8` or `ui8`, `bool` or
/// `f4E2M1FN`; null where there is none.
mlir::Type findMLIRType(llvm::StringRef name, mlir::MLIRContext *context);

/// How the float called `name` is computed with; null where it is none.
const llvm::fltSemantics *findFloatSemantics(llvm::StringRef name);

} // namespace qopt

#endif // DIALECTS_QOPT_IR_ELEMENTTYPES_H
