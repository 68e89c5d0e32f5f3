//===- CrashGuard.cpp - A crash is an error message -----------------------===//
//
// LLVM's recovery leaves the thread that crashed as it is: what it allocated is
// lost, and its locks stay taken.
//
//===----------------------------------------------------------------------===//

#include "CrashGuard.h"

#include "qopt/Support/CodedError.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/Signals.h"

using namespace qopt;

llvm::Error qopt::runGuarded(llvm::StringRef tool, llvm::StringRef model,
                             llvm::function_ref<llvm::Error()> work) {
  static constexpr unsigned kStackBytes = 64 << 20;
  llvm::Error error = llvm::Error::success();
  llvm::CrashRecoveryContext::Enable();
  bool survived = llvm::CrashRecoveryContext().RunSafelyOnThread(
      [&] { error = llvm::joinErrors(std::move(error), work()); }, kStackBytes);
  if (survived)
    return error;
  llvm::sys::RunInterruptHandlers();
  return llvm::joinErrors(
      std::move(error),
      makeError(ExitCode::Internal,
                model + ": " + tool +
                    " crashed\nnote: please report this, with the files that "
                    "it was given"));
}
