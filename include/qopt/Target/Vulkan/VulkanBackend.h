//===- VulkanBackend.h - The Vulkan target ----------------------*- C++ -*-===//
//
// Kernels are SPIR-V; the function that drives them is code for x86-64-v3.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_VULKAN_VULKANBACKEND_H
#define QOPT_TARGET_VULKAN_VULKANBACKEND_H

#include "qopt/Target/TargetBackend.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace qopt {

class TargetRegistry;

class VulkanBackend : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "vulkan"; }
  llvm::SmallVector<std::string> getCpus() const override;
  bool runsHere(llvm::StringRef cpu) const override;
  llvm::Expected<TargetCapabilities>
  getCapabilities(const TargetConfig &config) const override;
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override;
  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const override;
};

void registerVulkanTarget(TargetRegistry &registry);

/// The dialects and translations that `lower` and `emitDevice` need.
void registerVulkanDialects(mlir::DialectRegistry &registry);

} // namespace qopt

#endif // QOPT_TARGET_VULKAN_VULKANBACKEND_H
