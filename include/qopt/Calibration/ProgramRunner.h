//===- ProgramRunner.h - Runs the program that is calibrated ----*- C++ -*-===//
//
// Calibration does not know what runs a program: compiled code or Reference.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_PROGRAMRUNNER_H
#define QOPT_CALIBRATION_PROGRAMRUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Reference/Interpreter.h"

namespace qopt {

/// Runs a module's @main, which holds observe ops, on samples.
class ProgramRunner {
public:
  virtual ~ProgramRunner() = default;
  /// Gets a program ready for the runs that follow, in the place of the last.
  virtual llvm::Error prepare(mlir::ModuleOp module) = 0;
  /// Runs it on one sample, whose tensors are in the order of the arguments.
  /// Where `results` is not null they become what @main returns.
  virtual llvm::Error
  run(llvm::ArrayRef<HostTensor> inputs, ObserveCallback observe,
      llvm::SmallVectorImpl<HostTensor> *results = nullptr) = 0;
};

/// Runs programs with lib/Reference: slow, and needs no target.
std::unique_ptr<ProgramRunner> createReferenceRunner();

} // namespace qopt

#endif
