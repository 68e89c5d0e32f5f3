//===- Failure.h - What went wrong while a model is imported ----*- C++ -*-===//
//
// The place that finds a fault knows what it is, not which node it is in: the
// caller puts that in front.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_FAILURE_H
#define LIB_IMPORT_ONNX_FAILURE_H

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <string>

namespace qopt::importer {

struct Failure {
  ExitCode code = ExitCode::Internal;
  std::string what;
  std::string note;
};

inline Failure malformed(const llvm::Twine &what,
                         const llvm::Twine &note = "") {
  return {ExitCode::BadData, what.str(), note.str()};
}

inline Failure unsupported(const llvm::Twine &what,
                           const llvm::Twine &note = "") {
  return {ExitCode::Unsupported, what.str(), note.str()};
}

inline Failure unreadable(const llvm::Twine &what,
                          const llvm::Twine &note = "") {
  return {ExitCode::NoResource, what.str(), note.str()};
}

/// What to do about a failure: its own note, or what helps with any of its
/// kind; empty where the failure says it all.
llvm::StringRef getNote(const Failure &failure);

/// A name from a model in quotes, safe to print and not too long.
std::string quote(llvm::StringRef name);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_FAILURE_H
