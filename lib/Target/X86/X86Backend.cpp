//===- X86Backend.cpp - The x86-64 target ---------------------------------===//
//
// One object a tier. Its entry is `main.<tier>`; what else it defines is local,
// so that objects of several tiers can be linked together.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/X86/X86Backend.h"
#include "Capabilities.h"
#include "ProgramEmitter.h"
#include "lib/Target/Cpu/HostObject.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetRegistry.h"

using namespace mlir;
using namespace qopt;

void qopt::registerX86Target(TargetRegistry &registry) {
  registry.add(std::make_unique<X86Backend>());
}

void X86Backend::registerDialects(DialectRegistry &registry) const {
  cpu::registerDialects(registry);
}

llvm::Expected<TargetCapabilities>
X86Backend::getCapabilities(const TargetConfig &config) const {
  const x86::Tier *tier = x86::findTier(config.cpu);
  if (!tier)
    return makeError(ExitCode::BadUse,
                     "x86-64 has no tier \"" + config.cpu + "\"");
  return x86::capabilitiesOf(*tier);
}

KernelChoice X86Backend::selectKernel(Operation *op,
                                      const TargetConfig &config) const {
  KernelChoice choice = TargetBackend::selectKernel(op, config);
  const x86::Tier *tier = x86::findTier(config.cpu);
  return tier ? x86::checkedChoice(*tier, op, std::move(choice)) : choice;
}

FailureOr<OwningOpRef<ModuleOp>>
X86Backend::lower(func::FuncOp program, const TargetConfig &config,
                  WeightsSection &weights) const {
  const x86::Tier *tier = x86::findTier(config.cpu);
  if (!tier)
    return program.emitError("x86-64 has no tier \"") << config.cpu << "\"",
           failure();
  if (!program.getBody().hasOneBlock())
    return program.emitError("expects a function of one block"), failure();
  loadDialects(program.getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(program.getLoc()));
  x86::ProgramEmitter emitter(*module, *tier, weights);
  if (failed(emitter.emit(program)) || failed(cpu::finishModule(*module)))
    return failure();
  return module;
}

FailureOr<CompiledVariant>
X86Backend::emitDevice(ModuleOp lowered, const TargetConfig &config) const {
  const Machine *machine = findMachine(config.cpu);
  if (!machine)
    return lowered.emitError("x86-64 has no tier \"") << config.cpu << "\"",
           failure();
  loadDialects(lowered.getContext());
  return cpu::emitHostObject(lowered, *machine, config);
}
