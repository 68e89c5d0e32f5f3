//===- CrashGuard.h - A crash is an error message ---------------*- C++ -*-===//
//
// For the tools: it takes signals of the whole process, which a library of
// others must not.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_CRASHGUARD_H
#define LIB_DRIVER_CRASHGUARD_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// Runs `work` on a thread with a large stack, because parsers of text recurse.
/// A crash in it is our fault: an internal error that names `tool` and `model`,
/// and no file that was being written is left.
llvm::Error runGuarded(llvm::StringRef tool, llvm::StringRef model,
                       llvm::function_ref<llvm::Error()> work);

/// What `main` returns. Does not come back where guarded work crashed: what
/// runs at the end of a process would wait for locks that stay taken.
int endProcess(int code);

} // namespace qopt

#endif // LIB_DRIVER_CRASHGUARD_H
