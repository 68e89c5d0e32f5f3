//===- X86Backend.h - The x86-64 target -------------------------*- C++ -*-===//
//
// Kernels of its own for products and attention; all else is of every CPU.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_X86_X86BACKEND_H
#define QOPT_TARGET_X86_X86BACKEND_H

#include "qopt/Target/TargetBackend.h"
#include "qopt/Target/X86/X86Machines.h"

namespace qopt {

class TargetRegistry;

class X86Backend : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "x86-64"; }
  llvm::ArrayRef<Machine> getMachines() const override {
    return getX86Machines();
  }
  void registerDialects(mlir::DialectRegistry &registry) const override;
  kernel::KernelList getKernels(const Machine &machine) const override;
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override;
  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const override;
};

void registerX86Target(TargetRegistry &registry);

} // namespace qopt

#endif // QOPT_TARGET_X86_X86BACKEND_H
