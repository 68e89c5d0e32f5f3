//===- CodedError.h - Errors that know their exit code ----------*- C++ -*-===//
//
// Every tool ends with one of a few exit codes. The place that finds an error
// knows which one it is, so the error carries it up.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_CODEDERROR_H
#define QOPT_SUPPORT_CODEDERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace qopt {

/// Why a tool ends. The numbers are promised to users.
enum class ExitCode {
  Done = 0,
  /// A malformed model or malformed data.
  BadData = 1,
  /// Flags or recipe.
  BadUse = 2,
  /// Valid, but not supported.
  Unsupported = 3,
  /// A missing or unreadable file, disk, memory.
  NoResource = 4,
  /// The accuracy gate or an expectation was not met.
  NotAccurate = 5,
  Internal = 70,
  Interrupted = 130,
};

/// A message with the exit code of a tool that ends because of it.
class CodedError : public llvm::ErrorInfo<CodedError> {
public:
  static char ID;

  CodedError(ExitCode code, const llvm::Twine &message)
      : code(code), message(message.str()) {}

  ExitCode getCode() const { return code; }
  llvm::StringRef getMessage() const { return message; }

  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  ExitCode code;
  std::string message;
};

/// Makes an error with `code`.
llvm::Error makeError(ExitCode code, const llvm::Twine &message);

/// Consumes `error` and returns its text; `code` receives the exit code, which
/// is `Internal` for errors that are not a `CodedError`.
std::string takeMessage(llvm::Error error, ExitCode &code);

} // namespace qopt

#endif // QOPT_SUPPORT_CODEDERROR_H
