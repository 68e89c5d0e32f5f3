//===- ObservedOutputs.h - The outputs of programs that run -----*- C++ -*-===//
//
// Runners show values, not results, so outputs are observed. Those that are not
// f32 are left out: an empty f32 tensor stands for them.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_OBSERVEDOUTPUTS_H
#define LIB_PIPELINES_OBSERVEDOUTPUTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/ProgramRunner.h"
#include "qopt/Support/Distance.h"
#include <vector>

namespace qopt {

/// The function that a program is.
mlir::func::FuncOp getMain(mlir::ModuleOp module);

/// Indices of the results that are compared.
llvm::SmallVector<unsigned> findFloatResults(mlir::func::FuncOp main);

/// Lets runners of the program show the results that are compared.
void observeResults(mlir::func::FuncOp main);

/// Runs one sample on a prepared program; copies of what it shows are put into
/// `outputs`, one for each result.
llvm::Error runObserved(ProgramRunner &runner,
                        llvm::ArrayRef<HostTensor> inputs,
                        llvm::MutableArrayRef<HostTensor> outputs);

/// Adds the distances of outputs from the expected ones to the sums of each.
/// One of other dims is an error that cannot be measured.
void addDistances(llvm::ArrayRef<HostTensor> found,
                  llvm::ArrayRef<HostTensor> expected,
                  llvm::MutableArrayRef<DistanceSums> sums);

} // namespace qopt

#endif
