//===- PhaseFiles.h - A program as a file between phases --------*- C++ -*-===//
//
// Text with references to the files that hold the weights. Weights that no file
// holds yet go to a file beside the text.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_PHASEFILES_H
#define QOPT_PIPELINES_PHASEFILES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// Writes `module` to `path` and what its weights need to `path`.weights.
/// Neither file is left when one cannot be written.
llvm::Error writePhaseFile(mlir::ModuleOp module, llvm::StringRef path);

/// Reads a phase file; weights are mapped.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
readPhaseFile(llvm::StringRef path, mlir::MLIRContext &context);

} // namespace qopt

#endif
