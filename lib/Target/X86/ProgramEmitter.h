//===- ProgramEmitter.h - The program of an x86-64 tier ---------*- C++ -*-===//
//
// What all CPUs share, with the products and the attention of x86-64.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_PROGRAMEMITTER_H
#define QOPT_LIB_TARGET_X86_PROGRAMEMITTER_H

#include "Tier.h"
#include "lib/Target/Cpu/VectorBuilder.h"
#include "lib/Target/Host/HostProgram.h"

namespace qopt::x86 {

using namespace qopt::cpu;

class ProgramEmitter : public HostProgram {
public:
  ProgramEmitter(mlir::ModuleOp module, const Tier &tier,
                 kernel::KernelList kernels, WeightsSection &weights)
      : HostProgram(module, tier.name, kernels, weights), machine(tier) {}

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

} // namespace qopt::x86

#endif
