//===- EmitObject.cpp - LLVM IR to object code ------------------*- C++ -*-===//
//
// LLVM ends the process on what it cannot select. So the work happens on a
// copy in a context of its own, inside a recovery point; after a crash both
// are leaked, since nothing in them can be trusted.
//
//===----------------------------------------------------------------------===//

#include "qopt/Emit/EmitObject.h"

#include "FatalErrors.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <mutex>

using namespace qopt;
using llvm::StringRef;

/// LLVM's list of code generators is one of the process.
static void initialize(const Platform &platform) {
  static std::mutex mutex;
  static llvm::SmallPtrSet<const Platform *, 4> known;
  std::lock_guard<std::mutex> lock(mutex);
  if (!known.insert(&platform).second)
    return;
  platform.initializeCodeGenerator();
  llvm::CrashRecoveryContext::Enable();
}

namespace {
/// Turns LLVM's error diagnostics into text.
struct DiagnosticCollector : llvm::DiagnosticHandler {
  explicit DiagnosticCollector(std::string &errors) : errors(errors) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() == llvm::DS_Error) {
      llvm::raw_string_ostream os(errors);
      llvm::DiagnosticPrinterRawOStream printer(os);
      info.print(printer);
      os << '\n';
    }
    return true;
  }

  std::string &errors;
};

/// One code generation, from bitcode to bytes.
class Emission {
public:
  Emission(const Machine &host, llvm::ArrayRef<StringRef> exports,
           CodeForm form)
      : host(host), exports(exports), form(form) {
    context.setDiagnosticHandler(std::make_unique<DiagnosticCollector>(errors));
  }

  void run(StringRef bitcode);

  std::string errors;
  ObjectBytes bytes;

private:
  void fail(const llvm::Twine &reason) { errors += (reason + "\n").str(); }
  bool createMachine();
  void prepareModule();
  void optimize();
  void generate();

  const Machine &host;
  llvm::ArrayRef<StringRef> exports;
  CodeForm form;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> machine;
};
} // namespace

bool Emission::createMachine() {
  llvm::Triple triple(host.platform->triple);
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    fail(error);
    return false;
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  options.FunctionSections = true;
  options.DataSections = true;
  machine.reset(target->createTargetMachine(
      triple, host.cpu, host.features, options, llvm::Reloc::PIC_,
      /*CM=*/std::nullopt, llvm::CodeGenOptLevel::Default));
  return true;
}

void Emission::prepareModule() {
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  for (llvm::GlobalObject &object : module->global_objects()) {
    if (object.isDeclaration()) {
      object.setDSOLocal(true);
      continue;
    }
    if (llvm::is_contained(exports, object.getName())) {
      object.setLinkage(llvm::GlobalValue::ExternalLinkage);
      object.setVisibility(llvm::GlobalValue::HiddenVisibility);
      object.setDSOLocal(true);
    } else {
      object.setVisibility(llvm::GlobalValue::DefaultVisibility);
      object.setLinkage(llvm::GlobalValue::InternalLinkage);
    }
  }
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", host.cpu);
    if (!host.features.empty())
      function.addFnAttr("target-features", host.features);
  }
}

void Emission::optimize() {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(*module, modules);
}

void Emission::generate() {
  llvm::raw_svector_ostream os(bytes);
  if (form == CodeForm::LLVMIR) {
    module->print(os, /*AAW=*/nullptr);
    return;
  }
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, os, /*DwoOut=*/nullptr,
                                   form == CodeForm::Object
                                       ? llvm::CodeGenFileType::ObjectFile
                                       : llvm::CodeGenFileType::AssemblyFile)) {
    fail("the code generator cannot write this form");
    return;
  }
  passes.run(*module);
}

void Emission::run(StringRef bitcode) {
  llvm::Expected<std::unique_ptr<llvm::Module>> read =
      llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "model"), context);
  if (!read)
    return fail(llvm::toString(read.takeError()));
  module = std::move(*read);
  if (!createMachine())
    return;
  prepareModule();
  llvm::raw_string_ostream os(errors);
  if (llvm::verifyModule(*module, &os))
    return;
  optimize();
  generate();
}

llvm::Expected<ObjectBytes> qopt::emitObject(const llvm::Module &module,
                                             const Machine &host,
                                             llvm::ArrayRef<StringRef> exports,
                                             CodeForm form) {
  initialize(*host.platform);
  llvm::SmallString<0> bitcode;
  llvm::raw_svector_ostream os(bitcode);
  llvm::WriteBitcodeToFile(module, os);

  auto emission = std::make_unique<Emission>(host, exports, form);
  llvm::CrashRecoveryContext recovery;
  bool isWhole;
  {
    FatalErrorScope scope(emission->errors);
    isWhole = recovery.RunSafely([&] { emission->run(bitcode); });
  }
  if (isWhole && emission->errors.empty())
    return std::move(emission->bytes);
  std::string reason = emission->errors;
  if (reason.empty())
    reason = "the code generator crashed";
  if (!isWhole)
    (void)emission.release();
  return makeError(ExitCode::Internal, "cannot generate code for " + host.name +
                                           ": " + StringRef(reason).rtrim());
}
