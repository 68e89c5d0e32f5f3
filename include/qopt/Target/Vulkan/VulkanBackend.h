//===- VulkanBackend.h - The Vulkan target ----------------------*- C++ -*-===//
//
// Kernels are SPIR-V; the function that drives them is code for a CPU.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_VULKAN_VULKANBACKEND_H
#define QOPT_TARGET_VULKAN_VULKANBACKEND_H

#include "qopt/Target/TargetBackend.h"

namespace qopt {

class TargetRegistry;

class VulkanBackend : public TargetBackend {
public:
  /// `host` is a tier of the CPU that drives the device.
  explicit VulkanBackend(const Machine &host);

  llvm::StringRef getName() const override { return "vulkan"; }
  llvm::ArrayRef<Machine> getMachines() const override { return device; }
  Presence findHere(const Machine &machine) const override;
  void registerDialects(mlir::DialectRegistry &registry) const override;
  kernel::KernelList getKernels(const Machine &machine) const override;
  bool writesOutputsInPlace() const override { return false; }
  llvm::StringRef getHostKernels() const override;
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override;
  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const override;

private:
  Machine device;
};

/// The host is the least demanding tier of the CPUs that `registry` has.
void registerVulkanTarget(TargetRegistry &registry);

} // namespace qopt

#endif // QOPT_TARGET_VULKAN_VULKANBACKEND_H
