//===- RunBatch.h - Many small cases in one process -------------*- C++ -*-===//
//
// For test suites: the start of a process costs more than a small model.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNBATCH_H
#define LIB_DRIVER_RUNBATCH_H

#include "RunOptions.h"

namespace qopt {

/// Runs the cases of a list, a JSON object with `id`, `model`, `inputs` and
/// `outputs` a line (other keys are the list's own), and prints `{"id", "exit",
/// "message"}` for each as soon as it ends. A case that fails does not end the
/// list; its code is that of the list's error, if it is the first that fails.
llvm::Error runBatch(const RunOptions &options);

} // namespace qopt

#endif // LIB_DRIVER_RUNBATCH_H
