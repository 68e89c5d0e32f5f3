//===- HostObject.cpp - From the LLVM dialect to bytes --------------------===//
//
// What an object needs from outside is checked here, so that a link never
// fails.
//
//===----------------------------------------------------------------------===//

#include "HostObject.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qopt/Emit/EmitObject.h"
#include "qopt/Target/Host/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace qopt;

void host::registerDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect,
                  kernel::QKernelDialect, LLVM::LLVMDialect, math::MathDialect,
                  scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

FailureOr<CompiledVariant> host::emitHostObject(ModuleOp lowered,
                                                const Machine &machine,
                                                const TargetConfig &config) {
  if (failed(convertToLLVM(lowered)))
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(lowered, context);
  if (!module)
    return lowered.emitError("cannot be translated to LLVM IR"), failure();
  CompiledVariant variant;
  variant.cpu = config.cpu;
  const Machine &host = machine.getHost();
  variant.entry = ("main." + host.name).str();
  variant.requiredFeatures = host.requiredFeatures;
  llvm::Expected<ObjectBytes> object =
      emitObject(*module, host, {StringRef(variant.entry)}, config.form);
  if (!object)
    return lowered.emitError(llvm::toString(object.takeError())), failure();
  if (config.form == CodeForm::Object)
    if (llvm::Error error = checkUndefinedSymbols(
            StringRef(object->data(), object->size()), machine))
      return lowered.emitError(llvm::toString(std::move(error))), failure();
  variant.bytes.assign(object->begin(), object->end());
  return variant;
}
