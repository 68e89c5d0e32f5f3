//===- Handles.h - What the opaque types of the C API are -------*- C++ -*-===//
//
// Errors cross the border as one allocated object.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CAPI_HANDLES_H
#define LIB_CAPI_HANDLES_H

#include "qopt-c/Support.h"
#include "qopt/Support/CodedError.h"

struct QoptError {
  qopt::ExitCode code;
  std::string text;
};

struct QoptText {
  std::string text;
};

namespace qopt {

/// Null for success.
inline QoptError *makeHandle(llvm::Error error) {
  if (!error)
    return nullptr;
  auto *wrapped = new QoptError;
  wrapped->text = takeMessage(std::move(error), wrapped->code);
  return wrapped;
}

} // namespace qopt

#endif // LIB_CAPI_HANDLES_H
