//===- X86Backend.cpp - The x86-64 target ---------------------------------===//
//
// One object a tier. Its entry is `main.<tier>`; what else it defines is local,
// so that objects of several tiers can be linked together.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/X86/X86Backend.h"
#include "Kernels.h"
#include "lib/Target/Cpu/CpuProgram.h"
#include "lib/Target/Host/HostObject.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetRegistry.h"

using namespace mlir;
using namespace qopt;

void qopt::registerX86Target(TargetRegistry &registry) {
  registry.add(std::make_unique<X86Backend>());
}

void X86Backend::registerDialects(DialectRegistry &registry) const {
  host::registerDialects(registry);
}

kernel::KernelList X86Backend::getKernels(const Machine &machine) const {
  return x86::kernelsOf(*x86::findTier(machine.name));
}

FailureOr<OwningOpRef<ModuleOp>>
X86Backend::lower(func::FuncOp program, const TargetConfig &config,
                  WeightsSection &weights) const {
  const x86::TierRow *tier = x86::findTier(config.cpu);
  assert(tier && "a machine of this target");
  assert(program.getBody().hasOneBlock() && "programs are verified");
  loadDialects(program.getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(program.getLoc()));
  cpu::CpuProgram emitter(*module, *tier->tier, x86::kernelsOf(*tier), weights);
  if (failed(emitter.emit(program)))
    return failure();
  return module;
}

FailureOr<CompiledVariant>
X86Backend::emitDevice(ModuleOp lowered, const TargetConfig &config) const {
  loadDialects(lowered.getContext());
  return host::emitHostObject(lowered, *findMachine(config.cpu), config);
}
