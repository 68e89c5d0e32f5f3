//===- ArtefactWriter.h - Code and weights to a file ------------*- C++ -*-===//
//
// The last phase: compiled variants become the file that was asked for.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_ARTEFACTWRITER_H
#define LIB_PIPELINES_ARTEFACTWRITER_H

#include "States.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Emit/LinkModel.h"
#include "qopt/Target/TargetBackend.h"

namespace qopt {

/// The inputs and outputs of `main`.
llvm::Expected<ProgramDescription> describeProgram(mlir::func::FuncOp main);

/// Links `program` with the runtime into the shared library at `path`.
/// `main` describes inputs and outputs; `manifest` is JSON text; `states`
/// says which outputs feed inputs.
llvm::Error writeSharedLibrary(mlir::func::FuncOp main,
                               const CompiledProgram &program,
                               llvm::StringRef name, llvm::StringRef manifest,
                               llvm::StringRef path, const StateOptions &states,
                               ModelDigests digests = ModelDigests::Written);

} // namespace qopt

#endif
