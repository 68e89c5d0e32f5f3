//===- CodedError.cpp - Errors that know their exit code --------*- C++ -*-===//
//
// When several errors are joined, the first decides the exit code.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/CodedError.h"

#include "llvm/Support/raw_ostream.h"

using namespace qopt;

char CodedError::ID = 0;

void CodedError::log(llvm::raw_ostream &os) const { os << message; }

std::error_code CodedError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

llvm::Error qopt::makeError(ExitCode code, const llvm::Twine &message) {
  return llvm::make_error<CodedError>(code, message);
}

std::string qopt::takeMessage(llvm::Error error, ExitCode &code) {
  std::string text;
  code = ExitCode::Internal;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    if (text.empty() && info.isA<CodedError>())
      code = static_cast<const CodedError &>(info).getCode();
    if (!text.empty())
      text += '\n';
    text += info.message();
  });
  return text;
}
