//===- SplitKernels.h - Kernels without their quantizers --------*- C++ -*-===//
//
// For a target that has no kernel for a root with a quantizer beside it.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CONVERSION_QOPTTOQKERNEL_SPLITKERNELS_H
#define QOPT_CONVERSION_QOPTTOQKERNEL_SPLITKERNELS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt {

/// Puts the body of each kernel of `function` that `shouldSplit` names back in
/// its place and fuses it again without joining quantizers to other roots.
void splitKernels(mlir::func::FuncOp function,
                  llvm::function_ref<bool(mlir::Operation *)> shouldSplit);

} // namespace qopt

#endif
