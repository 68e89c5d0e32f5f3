//===- ConvertToLLVM.h - From loops and vectors to LLVM ---------*- C++ -*-===//
//
// The last step of lowering: afterwards the module has only the LLVM dialect.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONVERTTOLLVM_H
#define QOPT_LIB_TARGET_CPU_CONVERTTOLLVM_H

#include "mlir/IR/BuiltinOps.h"

namespace qopt::cpu {

/// Converts scf, cf, arith, math and vector. Fails, with a diagnostic, when an
/// op remains or would become a call of a math library.
mlir::LogicalResult convertToLLVM(mlir::ModuleOp module);

} // namespace qopt::cpu

#endif
