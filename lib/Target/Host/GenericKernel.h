//===- GenericKernel.h - Runs what has a formula of loops -------*- C++ -*-===//
//
// The same on every target but for the loops that it writes and what it writes
// them into. An op that stands alone in a kernel of its family is run as if it
// stood bare.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_GENERICKERNEL_H
#define QOPT_LIB_TARGET_HOST_GENERICKERNEL_H

#include "dialects/QKernel/IR/Kernel.h"
#include "dialects/QOpt/Numerics/LoopFormulas.h"

namespace qopt::host {

/// Says why `op`, which is named generic and has no formula, has no kernel.
mlir::LogicalResult refuse(mlir::Operation *op);

/// The op that `op`, a kernel, holds if that is all, or `op` itself.
mlir::Operation *findSingleOp(mlir::Operation *op);

/// What `value`, an operand or result of the single op of `kernel`, is outside.
mlir::Value findOutside(mlir::Operation *kernel, mlir::Value value);

/// Chosen by no match, but where no other kernel is for an op.
template <class Loops, class Program>
class GenericKernel final : public kernel::Kernel {
public:
  llvm::StringRef getName() const override { return kernel::kGeneric; }
  kernel::Match match(mlir::Operation *) const override {
    return kernel::Match::other();
  }
  mlir::LogicalResult emit(mlir::Operation *op,
                           kernel::KernelBuilder &builder) const override {
    mlir::Operation *single = findSingleOp(op);
    if (!numerics::hasFormula(single))
      return refuse(op);
    Loops loops(static_cast<Program &>(builder), op);
    numerics::runFormula(loops, single);
    return mlir::success(loops.isWritten());
  }
};

} // namespace qopt::host

#endif
