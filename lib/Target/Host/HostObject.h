//===- HostObject.h - From the LLVM dialect to bytes ------------*- C++ -*-===//
//
// What every target does whose host function is CPU code.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_HOSTOBJECT_H
#define QOPT_LIB_TARGET_HOST_HOSTOBJECT_H

#include "qopt/Target/TargetBackend.h"

namespace qopt::host {

/// The dialects that programs are written in, and their translations.
void registerDialects(mlir::DialectRegistry &registry);

/// Converts `lowered` to the LLVM dialect and compiles it into the variant for
/// `config`, whose machine is `machine`. The entry is `main.<name of its
/// host>`.
mlir::FailureOr<CompiledVariant> emitHostObject(mlir::ModuleOp lowered,
                                                const Machine &machine,
                                                const TargetConfig &config);

} // namespace qopt::host

#endif
