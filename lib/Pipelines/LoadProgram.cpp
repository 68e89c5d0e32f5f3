//===- LoadProgram.cpp - Where a compilation starts, and stops early ------===//
//
// A model is imported; a phase file says which phase made it and from which
// recipe, and tells the contract what the phases before it would have told.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "Problems.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/Pipelines/PhaseFiles.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

/// The recipe that the program of a file was made from.
static constexpr llvm::StringLiteral kRecipeAttrName = "qopt.recipe";

/// The phase that the file at `path` says it was made by; "" for other files.
static std::string findPhaseOfFile(StringRef path) {
  if (llvm::sys::path::extension(path) != ".mlir")
    return "";
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return "";
  StringRef text = (*file)->getBuffer();
  std::string key = (kPhaseAttrName + " = \"").str();
  size_t at = text.find(key);
  if (at == StringRef::npos)
    return "";
  StringRef name = text.drop_front(at + key.size()).split('"').first;
  return findPhase(name) ? name.str() : "";
}

std::string qopt::describeRecipe(const Recipe &recipe) {
  return recipe.preset.empty() ? "a recipe" : "preset '" + recipe.preset + "'";
}

/// What a phase file says of itself must fit the flags.
llvm::Error Compilation::readPhaseAttributes() {
  Phase expected = *options.startFrom;
  if (auto made = (*module)->getAttrOfType<StringAttr>(kPhaseAttrName);
      made && made.getValue() != getName(expected))
    return makeError(ExitCode::BadUse,
                     options.model + ": is a file of phase " +
                         made.getValue().str() + ", not of " +
                         getName(expected).str() +
                         "\nnote: give --start-from=" + made.getValue().str());
  auto text = (*module)->getAttrOfType<StringAttr>(kRecipeAttrName);
  if (!text || (options.recipeSource != RecipeSource::Default &&
                expected == Phase::Import))
    return llvm::Error::success();
  auto recipe =
      parseRecipe(options.model, text.getValue(), *options.recipe.methods);
  if (!recipe)
    return recipe.takeError();
  // `prepare` writes what is asked for on every node.
  if (options.recipeSource != RecipeSource::Default &&
      writeRecipe(options.recipe) != writeRecipe(*recipe))
    return makeError(ExitCode::BadUse,
                     options.model + ": was made from " +
                         describeRecipe(*recipe) + ", but " +
                         describeRecipe(options.recipe) +
                         " is asked for\nnote: leave --preset and --recipe "
                         "out, or start from the model or a file of phase "
                         "import");
  report.recipe = *recipe;
  return llvm::Error::success();
}

llvm::Error Compilation::load() {
  if (options.startFrom) {
    if (llvm::sys::path::extension(options.model) == ".onnx")
      return makeError(ExitCode::BadUse,
                       options.model +
                           ": is the name of an ONNX model, but --start-from "
                           "takes a program of a phase\nnote: leave "
                           "--start-from out");
    auto read = readPhaseFile(options.model, context);
    if (!read)
      return read.takeError();
    module = std::move(*read);
    return readPhaseAttributes();
  }
  if (std::string phase = findPhaseOfFile(options.model); !phase.empty())
    return makeError(
        ExitCode::BadUse,
        options.model + ": is a program of phase " + phase +
            ", not an ONNX model\nnote: give --start-from=" + phase);
  ImportError error;
  auto imported =
      importOnnxModel(options.model, context, error, options.shapes);
  if (failed(imported))
    return makeError(error.code,
                     error.message +
                         (error.note.empty() ? "" : "\nnote: " + error.note));
  module = std::move(*imported);
  return llvm::Error::success();
}

/// Checks the form of a phase file, and reads from it what the phases that made
/// it would have told the contract.
llvm::Error Compilation::resume() {
  Phase phase = *options.startFrom;
  eraseVariants(*module, [&](kernel::VariantOp variant) {
    return variant.getTarget().getName() != backend->getName();
  });
  if (llvm::Error error = runPipeline(
          phase,
          [&](OpPassManager &pm) { buildVerifyPipeline(pm, phase, *backend); },
          ExitCode::BadData))
    return error;
  if (phase < Phase::Prepare)
    return llvm::Error::success();
  OwningOpRef<ModuleOp> copy = module->clone();
  eraseVariants(*copy, [](auto) { return true; });
  PassManager pm(&context, ModuleOp::getOperationName());
  // Kernels hide the ops that the contract reads.
  pm.addPass(kernel::createDecomposeKernelsPass());
  if (failed(pm.run(*copy)))
    return makeError(ExitCode::BadData,
                     options.model + ": its kernels cannot be taken apart");
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  // `target` leaves it as it was.
  StringRef made = getName(std::min(phase, Phase::Kernels));
  report.contract.readPlan(main, report.recipe, made);
  if (phase >= Phase::Quantize)
    report.contract.readResult(main, made);
  if (phase < Phase::Kernels)
    return llvm::Error::success();
  report.contract.readKernels(*module);
  if (phase >= Phase::Target)
    if (llvm::Error error = findStates(getMain()))
      return error;
  return checkContract();
}

/// The program as a file that says which phase made it from which recipe.
llvm::Error Compilation::writeProgram(ModuleOp program, Phase phase) {
  Builder builder(&context);
  program->setAttr(kPhaseAttrName, builder.getStringAttr(getName(phase)));
  program->setAttr(kRecipeAttrName,
                   builder.getStringAttr(writeRecipe(report.recipe)));
  return writePhaseFile(program, options.output);
}
