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
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
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

/// A program of `kernel` alone, with the constants that it reads.
static OwningOpRef<func::FuncOp> isolate(Operation *kernel) {
  OpBuilder builder(kernel->getContext());
  OwningOpRef<func::FuncOp> alone(func::FuncOp::create(
      builder, kernel->getLoc(), "main",
      builder.getFunctionType({}, kernel->getResultTypes())));
  Block *body = alone->addEntryBlock();
  builder.setInsertionPointToEnd(body);
  IRMapping mapping;
  SmallVector<Type> arguments;
  auto bring = [&](auto &bring, Value value) {
    if (mapping.contains(value))
      return;
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<ConstantOp, kernel::PackOp>(op)) {
      for (Value operand : op->getOperands())
        bring(bring, operand);
      builder.clone(*op, mapping);
      return;
    }
    arguments.push_back(value.getType());
    mapping.map(value, body->addArgument(value.getType(), value.getLoc()));
  };
  for (Value operand : kernel->getOperands())
    bring(bring, operand);
  Operation *copy = builder.clone(*kernel, mapping);
  func::ReturnOp::create(builder, kernel->getLoc(), copy->getResults());
  alone->setType(builder.getFunctionType(arguments, kernel->getResultTypes()));
  return alone;
}

/// Reports every kernel of `program` that cannot be lowered, each as if it were
/// alone: lowering ends at the first. False when each can.
static bool reportAll(const TargetBackend &backend, func::FuncOp program,
                      const TargetConfig &config) {
  bool isAnyReported = false;
  for (Operation &op : program.getOps()) {
    // Small integers may be dims, which only the whole program knows.
    bool takesDims = llvm::any_of(op.getOperandTypes(), [](Type type) {
      return getElementTypeOrSelf(type).isInteger(64);
    });
    if (!kernel::isKernel(&op) || takesDims)
      continue;
    WeightsSection weights;
    isAnyReported |= failed(backend.lower(*isolate(&op), config, weights));
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
  if (failed(lowered) || failed(verify(lowered->get())))
    return failure();
  result.variants.push_back({config, std::move(*lowered)});
  return success();
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
  if (!result.variants.empty())
    return result;
  auto program = module.lookupSymbol<func::FuncOp>("main");
  if (!program)
    return module.emitOpError("expects a function @main"), failure();
  for (const TargetConfig &config : configs) {
    llvm::Expected<kernel::KernelList> kernels = findKernels(config.cpu);
    if (!kernels)
      return module.emitError(llvm::toString(kernels.takeError())), failure();
    OwningOpRef<func::FuncOp> assigned(program.clone());
    kernel::assignKernels(*assigned, *kernels);
    kernel::annotateFacts(*assigned);
    if (failed(lowerOne(*this, *assigned, config, result)))
      return failure();
  }
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
  auto lowered = lowerProgram(module, configs);
  if (failed(lowered))
    return failure();
  return emitProgram(std::move(*lowered));
}
