//===- EmitPhase.cpp - The file that a compilation is for -----------------===//
//
// Code for the machines that were named, or an ONNX model for any.
//
//===----------------------------------------------------------------------===//

#include "ArtefactWriter.h"
#include "Compilation.h"
#include "Problems.h"
#include "qopt/Export/ONNX/ExportONNX.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

static constexpr int kManifestVersion = 1;

/// What the artefact says of itself: nothing that differs from run to run.
std::string Compilation::makeManifest() {
  llvm::json::Array cpus;
  for (const TargetConfig &config : configs)
    cpus.push_back(config.cpu);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(
      llvm::json::Object{{"version", kManifestVersion},
                         {"qopt", getVersion()},
                         {"preset", report.recipe.preset},
                         {"recipe", writeRecipe(report.recipe)},
                         {"target", backend->getName()},
                         {"cpus", std::move(cpus)},
                         {"contract", report.contract.toJson()}});
  return text;
}

static CodeForm getForm(EmitKind emit) {
  switch (emit) {
  case EmitKind::Shared:
  case EmitKind::Object:
    return CodeForm::Object;
  case EmitKind::LLVMIR:
    return CodeForm::LLVMIR;
  case EmitKind::Assembly:
    return CodeForm::Assembly;
  case EmitKind::QdqOnnx:
    break;
  }
  llvm_unreachable("a kind without code");
}

/// Writes the code of the one tier asked for. A file of phase kernels has tiers
/// of its own.
llvm::Error Compilation::writeTier(const CompiledProgram &program) {
  StringRef cpu = configs.front().cpu;
  auto variant =
      llvm::find_if(program.variants, [&](const CompiledVariant &variant) {
        return variant.cpu == cpu;
      });
  if (variant != program.variants.end())
    return writeFileAtomically(options.output,
                               {variant->bytes.data(), variant->bytes.size()});
  auto cpus =
      llvm::map_range(program.variants, [](const CompiledVariant &variant) {
        return StringRef(variant.cpu);
      });
  return makeError(ExitCode::BadUse, options.model + ": has no kernels for " +
                                         cpu + ", only for " +
                                         llvm::join(cpus, ", "));
}

llvm::Error Compilation::emit() {
  Problems problems(context, options.model, report.contract);
  if (options.emit == EmitKind::QdqOnnx) {
    auto bytes = exportOnnxModel(
        *qdqModule, {{{"qopt.recipe", writeRecipe(report.recipe)}}});
    if (failed(bytes))
      return problems.take(ExitCode::Unsupported, "the export failed");
    return writeFileAtomically(options.output, *bytes);
  }
  for (TargetConfig &config : configs)
    config.form = getForm(options.emit);
  // Variants are gone when their code is made.
  SmallVector<int32_t> appended = findAppended(*module);
  auto lowered = backend->lowerProgram(*module, configs);
  if (failed(lowered))
    return problems.take(ExitCode::Unsupported, "code generation failed");
  auto program = backend->emitProgram(std::move(*lowered));
  if (failed(program))
    return problems.take(ExitCode::Unsupported, "code generation failed");
  if (options.emit != EmitKind::Shared)
    return writeTier(*program);
  return writeSharedLibrary(
      getMain(), *program, llvm::sys::path::filename(options.model),
      makeManifest(), options.output,
      {options.states, options.capacity, std::move(appended)});
}
