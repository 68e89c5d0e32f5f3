//===- ElementwiseLoop.h - A pass over all elements of a space --*- C++ -*-===//
//
// What maps are, and how reductions finish.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_ELEMENTWISELOOP_H
#define QOPT_LIB_TARGET_CPU_ELEMENTWISELOOP_H

#include "Epilogue.h"

namespace qopt::cpu {

/// Gives the lanes of the root from `index`, the row-major position of the
/// first of them; `extras` are those of the loop, inside the kernel.
using RootLanes = llvm::function_ref<mlir::Value(
    KernelScope &scope, llvm::ArrayRef<mlir::Value> extras, mlir::Value index,
    mlir::Value count)>;

/// Finishes every element of the space of `epilogue`, which has no groups yet.
mlir::LogicalResult emitElementwiseLoop(HostProgram &program,
                                        llvm::StringRef name,
                                        Epilogue &epilogue,
                                        llvm::ArrayRef<mlir::Value> extras = {},
                                        RootLanes root = nullptr);

} // namespace qopt::cpu

#endif
