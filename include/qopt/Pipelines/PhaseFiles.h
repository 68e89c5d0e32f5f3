//===- PhaseFiles.h - A program as a file between phases --------*- C++ -*-===//
//
// Text with references to the files that hold the weights. Weights that no file
// holds yet go to a file beside the text.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_PHASEFILES_H
#define QOPT_PIPELINES_PHASEFILES_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// The phase that made the program of a file.
inline constexpr llvm::StringLiteral kPhaseAttrName = "qopt.phase";

/// Writes `module` to `path` and what its weights need to `path`.weights.
/// Neither file is left when one cannot be written.
llvm::Error writePhaseFile(mlir::ModuleOp module, llvm::StringRef path);

/// Reads a phase file; weights are mapped.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
readPhaseFile(llvm::StringRef path, mlir::MLIRContext &context);

/// Leaves out the variants of a program that are like `isLeftOut`.
void eraseVariants(mlir::ModuleOp module,
                   llvm::function_ref<bool(kernel::VariantOp)> isLeftOut);

} // namespace qopt

#endif
