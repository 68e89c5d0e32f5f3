//===- FatalErrors.h - LLVM's fatal errors as text --------------*- C++ -*-===//
//
// LLVM prints a fatal error and ends the process, sometimes by exit, which a
// recovery point does not see. Inside a scope it does neither.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_EMIT_FATALERRORS_H
#define QOPT_LIB_EMIT_FATALERRORS_H

#include <string>

namespace qopt {

/// While it lives, a fatal error on this thread adds its text to `errors` and
/// leaves the innermost llvm::CrashRecoveryContext, which must be there.
class FatalErrorScope {
public:
  explicit FatalErrorScope(std::string &errors);
  ~FatalErrorScope();

private:
  std::string *outer;
};

} // namespace qopt

#endif // QOPT_LIB_EMIT_FATALERRORS_H
