//===- CpuProgram.h - The program of a tier ---------------------*- C++ -*-===//
//
// What all hosts share, with products and attention over tiles.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CPUPROGRAM_H
#define QOPT_LIB_TARGET_CPU_CPUPROGRAM_H

#include "Tier.h"
#include "lib/Target/Host/HostProgram.h"

namespace qopt::cpu {

class CpuProgram : public HostProgram {
public:
  CpuProgram(mlir::ModuleOp module, const Tier &tier,
             kernel::KernelList kernels, WeightsSection &weights)
      : HostProgram(module, tier.getName(), kernels, weights), machine(tier) {}

  /// `Kernel::stage` of kernels that write with this.
  static mlir::LogicalResult stage(const kernel::Kernel &kernel,
                                   const Tier &tier, kernel::LaunchOp launch);

  const Tier &tier() const { return machine; }

protected:
  mlir::LogicalResult emitKernel(mlir::Operation *op,
                                 const kernel::Kernel &kernel) override;

private:
  const Tier &machine;
};

} // namespace qopt::cpu

#endif
