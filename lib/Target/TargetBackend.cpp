//===- TargetBackend.cpp - What targets have in common --------------------===//
//
// The phases behind `fuse`, and how a program goes through them.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/TargetBackend.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Target/KnownKernels.h"
#include "qopt/Target/Passes.h"
#include <cstdlib>

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// Machines
//===----------------------------------------------------------------------===//

Presence TargetBackend::findHere(const Machine &machine) const {
  ArrayRef<Machine> machines = getMachines();
  const char *best = getenv("QOPT_CPU");
  if (const Machine *named = best ? findMachine(best) : nullptr)
    if (&machine > named && &machine < machines.end())
      return {false, "QOPT_CPU names " + named->name.str()};
  return findCpu(machine.getHost());
}

const Machine *TargetBackend::findMachine(StringRef name) const {
  const Machine *found =
      llvm::find_if(getMachines(), [&](const Machine &machine) {
        return machine.name == name ||
               (!machine.alias.empty() && machine.alias == name);
      });
  return found == getMachines().end() ? nullptr : found;
}

const Machine *TargetBackend::findBestHere() const {
  for (const Machine &machine : llvm::reverse(getMachines()))
    if (findHere(machine))
      return &machine;
  return nullptr;
}

void TargetBackend::loadDialects(MLIRContext *context) const {
  DialectRegistry registry;
  registerDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

llvm::Expected<kernel::KernelList>
TargetBackend::findKernels(StringRef cpu) const {
  // In programs a machine has one name.
  if (const Machine *machine = findMachine(cpu);
      machine && machine->name == cpu)
    return getKernels(*machine);
  return llvm::createStringError(getName().str() + " has no machine \"" +
                                 cpu.str() + "\"");
}

void TargetBackend::buildKernelsPipeline(OpPassManager &module,
                                         ArrayRef<TargetConfig> configs) const {
  kernel::MakeVariantsPassOptions options;
  options.target = getName().str();
  for (const TargetConfig &config : configs)
    options.machines.push_back(config.cpu);
  module.addPass(kernel::createMakeVariantsPass(options));
  OpPassManager &variant = module.nest<kernel::VariantOp>();
  variant.addPass(kernel::createAssignKernelsPass());
  // Each kernel takes layouts of its own, so it is chosen before.
  variant.addPass(kernel::createChooseLayoutsPass());
  // Of the ops that are chosen: taking kernels apart makes others.
  variant.addPass(kernel::createAnnotateFactsPass());
  module.addPass(kernel::createVerifyKernelsPass());
}

void TargetBackend::populateTargetPipeline(OpPassManager &variant) const {
  variant.nest<func::FuncOp>().addPass(
      kernel::createMaterializeLifetimesPass({writesOutputsInPlace()}));
  // Which results lie in outputs is no part of a kernel, so that comes first.
  variant.addPass(kernel::createOutlineKernelsPass());
  variant.addPass(kernel::createBufferizePass({getHostKernels().str()}));
  // Sizes are arithmetic on dims, which are values from here on.
  variant.addPass(kernel::createStageKernelsPass());
}

void TargetBackend::buildTargetPipeline(OpPassManager &module) const {
  // All variants together: they share a context.
  module.addPass(kernel::createBindStatesPass());
  populateTargetPipeline(module.nest<kernel::VariantOp>());
  module.addPass(kernel::createVerifyTargetPass(
      {getHostKernels().str(), /*memory=*/false}));
}

void TargetBackend::buildEmitPipeline(OpPassManager &module,
                                      WeightsSection &weights) const {
  module.addPass(createEmitKernelsPass(
      [this](StringRef name) { return name == getName() ? this : nullptr; },
      weights));
  // A launch can be several functions; dims that are known tell them apart.
  module.addNestedPass<kernel::VariantOp>(
      kernel::createMergeKernelFunctionsPass());
}

FailureOr<OwningOpRef<ModuleOp>>
TargetBackend::makeVariants(ModuleOp module,
                            ArrayRef<TargetConfig> configs) const {
  MLIRContext *context = module.getContext();
  loadDialects(context);
  makeKernelsKnown(*this, *context->getOrLoadDialect<kernel::QKernelDialect>());
  OwningOpRef<ModuleOp> made(module.clone());
  PassManager pm(context, ModuleOp::getOperationName());
  buildKernelsPipeline(pm, configs);
  buildTargetPipeline(pm);
  if (failed(pm.run(*made)))
    return failure();
  return made;
}

FailureOr<LoweredProgram>
TargetBackend::lowerProgram(ModuleOp module,
                            ArrayRef<TargetConfig> configs) const {
  LoweredProgram result;
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildEmitPipeline(pm, result.weights);
  if (failed(pm.run(module)))
    return failure();
  for (auto variant :
       llvm::make_early_inc_range(module.getOps<kernel::VariantOp>())) {
    StringRef cpu = variant.getTarget().getCpu();
    const TargetConfig *asked = llvm::find_if(
        configs, [&](const TargetConfig &config) { return config.cpu == cpu; });
    TargetConfig config =
        asked == configs.end() ? TargetConfig{cpu.str()} : *asked;
    const Machine *machine = findMachine(cpu);
    if (!result.machine || machine < result.machine)
      result.machine = machine;
    // What comes now takes modules.
    OwningOpRef<ModuleOp> functions(ModuleOp::create(variant.getLoc()));
    functions->getBodyRegion().takeBody(variant.getBody());
    result.variants.push_back({config, std::move(functions)});
    variant.erase();
  }
  if (result.variants.empty())
    return module.emitError("has no variant for ") << getName(), failure();
  return result;
}

FailureOr<CompiledProgram>
TargetBackend::emitProgram(LoweredProgram lowered) const {
  CompiledProgram result;
  result.machine = lowered.machine;
  for (LoweredProgram::Variant &variant : lowered.variants) {
    auto compiled = emitDevice(*variant.module, variant.config);
    if (failed(compiled))
      return failure();
    result.variants.push_back(std::move(*compiled));
    variant.module = nullptr;
  }
  result.weights = lowered.weights.take();
  return result;
}

FailureOr<CompiledProgram>
TargetBackend::compile(ModuleOp module, ArrayRef<TargetConfig> configs) const {
  auto variants = makeVariants(module, configs);
  if (failed(variants))
    return failure();
  auto lowered = lowerProgram(**variants, configs);
  if (failed(lowered))
    return failure();
  return emitProgram(std::move(*lowered));
}
