//===- TargetBackend.cpp - What targets have in common --------------------===//
//
// Variants are compiled in the order of the module, so that the offsets of
// their shared constants do not depend on anything else.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/TargetBackend.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/AnnotateFacts.h"
#include "dialects/QKernel/Transforms/AssignKernels.h"
#include "dialects/QKernel/Transforms/IsolateKernel.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Target/KnownKernels.h"
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

/// Reports every kernel of `program` that cannot be lowered, each as if it were
/// alone: lowering ends at the first. False when each can.
static bool reportAll(const TargetBackend &backend, func::FuncOp program,
                      const TargetConfig &config) {
  bool isAnyReported = false;
  SymbolTableCollection symbols;
  for (auto launch : program.getOps<kernel::LaunchOp>()) {
    Operation *kernel = launch.getKernel(symbols);
    // What has steps was written once to find them.
    if (launch.getStep())
      continue;
    // Small integers may be dims, which only the whole program knows.
    bool takesDims = llvm::any_of(kernel->getOperandTypes(), [](Type type) {
      return getElementTypeOrSelf(type).isInteger(64);
    });
    if (!kernel::isKernel(kernel) || takesDims)
      continue;
    OwningOpRef<kernel::VariantOp> alone =
        kernel::isolateKernel(launch, kernel);
    PassManager pm(program.getContext(), kernel::VariantOp::getOperationName());
    backend.populateTargetPipeline(pm);
    WeightsSection weights;
    isAnyReported |=
        failed(pm.run(*alone)) ||
        failed(backend.lower(alone->lookupSymbol<func::FuncOp>("main"), config,
                             weights));
  }
  return isAnyReported;
}

/// As `backend.lower`, with a report of every kernel that is in the way.
static FailureOr<OwningOpRef<ModuleOp>> lower(const TargetBackend &backend,
                                              func::FuncOp program,
                                              const TargetConfig &config,
                                              WeightsSection &weights) {
  SmallVector<Diagnostic> first;
  {
    ScopedDiagnosticHandler handler(program.getContext(),
                                    [&](Diagnostic &diagnostic) {
                                      first.push_back(std::move(diagnostic));
                                      return success();
                                    });
    auto lowered = backend.lower(program, config, weights);
    if (succeeded(lowered))
      return lowered;
  }
  if (!reportAll(backend, program, config))
    for (Diagnostic &diagnostic : first)
      program.getContext()->getDiagEngine().emit(std::move(diagnostic));
  return failure();
}

static LogicalResult lowerOne(const TargetBackend &backend,
                              func::FuncOp program, const TargetConfig &config,
                              LoweredProgram &result) {
  const Machine *machine = backend.findMachine(config.cpu);
  if (!machine)
    return program.emitError(backend.getName())
           << " has no machine \"" << config.cpu << "\"";
  if (!result.machine || machine < result.machine)
    result.machine = machine;
  auto lowered = lower(backend, program, config, result.weights);
  if (failed(lowered))
    return failure();
  // A launch can be several functions; dims that are known tell them apart.
  PassManager pm(program.getContext(), ModuleOp::getOperationName());
  pm.addPass(kernel::createMergeKernelFunctionsPass());
  if (failed(pm.run(**lowered)))
    return failure();
  result.variants.push_back({config, std::move(*lowered)});
  return success();
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

FailureOr<OwningOpRef<ModuleOp>>
TargetBackend::makeVariants(ModuleOp module,
                            ArrayRef<TargetConfig> configs) const {
  MLIRContext *context = module.getContext();
  loadDialects(context);
  makeKernelsKnown(*this, *context->getOrLoadDialect<kernel::QKernelDialect>());
  auto program = module.lookupSymbol<func::FuncOp>("main");
  if (!program)
    return module.emitError("expects a function @main"), failure();
  OwningOpRef<ModuleOp> made(ModuleOp::create(module.getLoc()));
  OpBuilder b = OpBuilder::atBlockEnd(made->getBody());
  for (const TargetConfig &config : configs) {
    llvm::Expected<kernel::KernelList> kernels = findKernels(config.cpu);
    if (!kernels)
      return module.emitError(llvm::toString(kernels.takeError())), failure();
    auto variant = kernel::VariantOp::create(
        b, module.getLoc(), config.cpu,
        kernel::TargetAttr::get(context, getName(), config.cpu));
    OpBuilder inner =
        OpBuilder::atBlockBegin(&variant.getBody().emplaceBlock());
    auto copy = cast<func::FuncOp>(inner.clone(*program));
    kernel::assignKernels(copy, *kernels);
    kernel::annotateFacts(copy);
  }
  PassManager pm(context, ModuleOp::getOperationName());
  populateTargetPipeline(pm.nest<kernel::VariantOp>());
  if (failed(pm.run(*made)))
    return failure();
  return made;
}

FailureOr<LoweredProgram>
TargetBackend::lowerProgram(ModuleOp module,
                            ArrayRef<TargetConfig> configs) const {
  LoweredProgram result;
  for (auto variant : module.getOps<kernel::VariantOp>()) {
    if (variant.getTarget().getName() != getName())
      continue;
    StringRef cpu = variant.getTarget().getCpu();
    const TargetConfig *asked = llvm::find_if(
        configs, [&](const TargetConfig &config) { return config.cpu == cpu; });
    TargetConfig config =
        asked == configs.end() ? TargetConfig{cpu.str()} : *asked;
    auto program = variant.lookupSymbol<func::FuncOp>("main");
    if (!program)
      return variant.emitOpError("expects a function @main"), failure();
    if (failed(lowerOne(*this, program, config, result)))
      return failure();
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
