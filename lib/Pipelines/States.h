//===- States.h - Outputs that feed inputs of the next run ------*- C++ -*-===//
//
// By the names that exporters of decoders give them, and as users say.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_STATES_H
#define LIB_PIPELINES_STATES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Emit/ProgramDescription.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// What users say of states.
struct StateOptions {
  /// Each `OUTPUT=INPUT`.
  llvm::ArrayRef<std::string> named;
  /// What lengths may grow to; 0: a run says it.
  int64_t capacity = 0;
  /// The outputs that programs add to in place, see `markStates`.
  llvm::SmallVector<int32_t> appended = {};
};

/// Fills in `program.states`: pairs of `present` and `past`, and the named
/// ones. Fails for a named one that does not fit.
llvm::Error findStates(ProgramDescription &program,
                       const StateOptions &options);

/// Tells `main` which of its arguments are `states` that grow.
void markStates(mlir::func::FuncOp main,
                llvm::ArrayRef<StateDescription> states);

/// Fails where the variants of `module` add to an output in place that goes on
/// from another input than `program` says: what was marked is in the code.
llvm::Error checkAppended(mlir::ModuleOp module,
                          const ProgramDescription &program);

/// The outputs that the variants of `module`, whose tensors have memory, add to
/// in place.
llvm::SmallVector<int32_t> findAppended(mlir::ModuleOp module);

} // namespace qopt

#endif // LIB_PIPELINES_STATES_H
