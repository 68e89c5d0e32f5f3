//===- CompiledRunner.h - Calibration by compiled code ----------*- C++ -*-===//
//
// The float program is compiled for this machine and run from a temporary file.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_COMPILEDRUNNER_H
#define LIB_PIPELINES_COMPILEDRUNNER_H

#include "qopt/Calibration/ProgramRunner.h"
#include "qopt/Target/TargetBackend.h"

namespace qopt {

/// Runs programs with the code that `backend` makes for `cpu`.
std::unique_ptr<ProgramRunner>
createCompiledRunner(const TargetBackend &backend, llvm::StringRef cpu);

} // namespace qopt

#endif
