//===- FatalErrors.cpp - LLVM's fatal errors as text ------------*- C++ -*-===//
//
// LLVM has one handler for the process. It is ours while any thread needs it,
// and each thread has its own text.
//
//===----------------------------------------------------------------------===//

#include "FatalErrors.h"

#include "qopt/Support/CodedError.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

using namespace qopt;

static thread_local std::string *currentErrors = nullptr;

static std::mutex &getMutex() {
  static std::mutex mutex;
  return mutex;
}

static unsigned &getNumScopes() {
  static unsigned numScopes = 0;
  return numScopes;
}

/// Returns only for threads that have no scope; LLVM then ends the process.
static void handleFatalError(void *, const char *reason, bool) {
  if (!currentErrors) {
    llvm::errs() << "LLVM ERROR: " << reason << '\n';
    return;
  }
  *currentErrors += reason;
  llvm::CrashRecoveryContext::GetCurrent()->HandleExit(
      static_cast<int>(ExitCode::Internal));
}

FatalErrorScope::FatalErrorScope(std::string &errors) : outer(currentErrors) {
  currentErrors = &errors;
  std::lock_guard<std::mutex> lock(getMutex());
  if (getNumScopes()++ == 0)
    llvm::install_fatal_error_handler(handleFatalError);
}

FatalErrorScope::~FatalErrorScope() {
  currentErrors = outer;
  std::lock_guard<std::mutex> lock(getMutex());
  if (--getNumScopes() == 0)
    llvm::remove_fatal_error_handler();
}
