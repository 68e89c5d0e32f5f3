//===- X86Backend.h - The x86-64 target -------------------------*- C++ -*-===//
//
// Its machines are the CPU tiers of lib/Emit.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_X86_X86BACKEND_H
#define QOPT_TARGET_X86_X86BACKEND_H

#include "qopt/Target/TargetBackend.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace qopt {

class TargetRegistry;

class X86Backend : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "x86-64"; }
  llvm::SmallVector<std::string> getCpus() const override;
  bool runsHere(llvm::StringRef cpu) const override;
  llvm::Expected<TargetCapabilities>
  getCapabilities(const TargetConfig &config) const override;
  KernelChoice selectKernel(mlir::Operation *op,
                            const TargetConfig &config) const override;
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override;
  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const override;
};

void registerX86Target(TargetRegistry &registry);

/// The dialects and translations that `lower` and `emitDevice` need.
void registerX86Dialects(mlir::DialectRegistry &registry);

} // namespace qopt

#endif // QOPT_TARGET_X86_X86BACKEND_H
