//===- CrashGuard.cpp - A crash is an error message -----------------------===//
//
// LLVM's recovery leaves the thread that crashed as it is: what it allocated is
// lost, and its locks stay taken. Its handlers run on the stack of the thread,
// which an endless recursion has used up, so they get another one here.
//
//===----------------------------------------------------------------------===//

#include "CrashGuard.h"

#include "qopt/Support/CodedError.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <unistd.h>
#include <vector>

using namespace qopt;

/// Set once and for all: what the thread that crashed held is never let go.
static bool hasCrashed = false;

/// Lets the handlers of LLVM's recovery run on the stack of `sigaltstack`.
static void moveHandlers() {
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP}) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) != 0)
      continue;
    action.sa_flags |= SA_ONSTACK;
    sigaction(signal, &action, nullptr);
  }
}

llvm::Error qopt::runGuarded(llvm::StringRef tool, llvm::StringRef model,
                             llvm::function_ref<llvm::Error()> work) {
  static constexpr unsigned kStackBytes = 64 << 20;
  llvm::Error error = llvm::Error::success();
  llvm::CrashRecoveryContext::Enable();
  moveHandlers();
  std::vector<char> handlerStack(64 << 10);
  bool survived = llvm::CrashRecoveryContext().RunSafelyOnThread(
      [&] {
        stack_t stack = {};
        stack.ss_sp = handlerStack.data();
        stack.ss_size = handlerStack.size();
        sigaltstack(&stack, nullptr);
        error = llvm::joinErrors(std::move(error), work());
        stack.ss_flags = SS_DISABLE;
        sigaltstack(&stack, nullptr);
      },
      kStackBytes);
  if (survived)
    return error;
  hasCrashed = true;
  llvm::sys::RunInterruptHandlers();
  return llvm::joinErrors(
      std::move(error),
      makeError(ExitCode::Internal,
                model + ": " + tool +
                    " crashed\nnote: please report this, with the files that "
                    "it was given"));
}

int qopt::endProcess(int code) {
  if (!hasCrashed)
    return code;
  llvm::outs().flush();
  llvm::errs().flush();
  _exit(code);
}
