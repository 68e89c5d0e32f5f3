//===- Passes.h - From functions of kernels to LLVM -------------*- C++ -*-===//
//
// Generated from Passes.td, with the pipeline that they are part of.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_HOST_PASSES_H
#define QOPT_TARGET_HOST_PASSES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt::host {

#define GEN_PASS_DECL
#include "lib/Target/Host/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Target/Host/Passes.h.inc"

/// From what a target's `lower` makes to the LLVM dialect.
void buildConvertPipeline(mlir::OpPassManager &pm);

/// Runs that pipeline.
mlir::LogicalResult convertToLLVM(mlir::ModuleOp module);

} // namespace qopt::host

#endif // QOPT_TARGET_HOST_PASSES_H
