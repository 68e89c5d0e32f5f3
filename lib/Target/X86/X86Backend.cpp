//===- X86Backend.cpp - The x86-64 target ---------------------------------===//
//
// One object a tier. Its entry is `main.<tier>`; what else it defines is local,
// so that objects of several tiers can be linked together.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/X86/X86Backend.h"
#include "Capabilities.h"
#include "ConvertToLLVM.h"
#include "ProgramEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qopt/Emit/EmitObject.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetRegistry.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace qopt;

void qopt::registerX86Dialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect,
                  LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                  ub::UBDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void qopt::registerX86Target(TargetRegistry &registry) {
  registry.add(std::make_unique<X86Backend>());
}

llvm::SmallVector<std::string> X86Backend::getCpus() const {
  llvm::SmallVector<std::string> names;
  for (const CpuTier &tier : getCpuTiers())
    names.push_back(tier.name.str());
  return names;
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

static void loadDialects(MLIRContext *context) {
  DialectRegistry registry;
  registerX86Dialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
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
  if (failed(emitter.emit(program)) || failed(verify(*module)) ||
      failed(x86::convertToLLVM(*module)))
    return failure();
  return module;
}

FailureOr<CompiledVariant>
X86Backend::emitDevice(ModuleOp lowered, const TargetConfig &config) const {
  const CpuTier *tier = findCpuTier(config.cpu);
  if (!tier)
    return lowered.emitError("x86-64 has no tier \"") << config.cpu << "\"",
           failure();
  loadDialects(lowered.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(lowered, context);
  if (!module)
    return lowered.emitError("cannot be translated to LLVM IR"), failure();
  CompiledVariant variant;
  variant.cpu = tier->name.str();
  variant.entry = "main." + variant.cpu;
  variant.requiredFeatures = tier->requiredFeatures;
  llvm::Expected<ObjectBytes> object =
      emitObject(*module, *tier, {StringRef(variant.entry)}, config.form);
  if (!object)
    return lowered.emitError(llvm::toString(object.takeError())), failure();
  if (config.form == CodeForm::Object)
    if (llvm::Error error =
            checkUndefinedSymbols(StringRef(object->data(), object->size())))
      return lowered.emitError(llvm::toString(std::move(error))), failure();
  variant.bytes.assign(object->begin(), object->end());
  return variant;
}
