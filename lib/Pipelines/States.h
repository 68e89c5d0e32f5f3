//===- States.h - Outputs that feed inputs of the next run ------*- C++ -*-===//
//
// By the names that exporters of decoders give them, and as users say.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_STATES_H
#define LIB_PIPELINES_STATES_H

#include "qopt/Emit/ProgramDescription.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// What users say of states.
struct StateOptions {
  /// Each `OUTPUT=INPUT`.
  llvm::ArrayRef<std::string> named;
  /// What lengths may grow to; 0: a run says it.
  int64_t capacity = 0;
};

/// Fills in `program.states`: pairs of `present` and `past`, and the named
/// ones. Fails for a named one that does not fit.
llvm::Error findStates(ProgramDescription &program,
                       const StateOptions &options);

} // namespace qopt

#endif // LIB_PIPELINES_STATES_H
