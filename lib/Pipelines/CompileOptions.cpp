//===- CompileOptions.cpp - Options of a compilation by name --------------===//
//
// What users of the command, of the C API and of Python call them.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/Notes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace qopt;
using llvm::StringRef;

static llvm::Error fail(StringRef option, const llvm::Twine &expected,
                        StringRef found) {
  return makeError(ExitCode::BadUse, "--" + option + " expects " + expected +
                                         ", but found '" + found + "'");
}

static bool isOwnRecipe(RecipeSource source) {
  return source == RecipeSource::File || source == RecipeSource::Text;
}

static llvm::Error refuseEffortBesideRecipe() {
  return makeError(ExitCode::BadUse,
                   "--effort and --recipe exclude each other\n"
                   "note: name the effort in the recipe");
}

static llvm::Error setEffort(CompileOptions &options, StringRef effort) {
  if (isOwnRecipe(options.recipeSource))
    return refuseEffortBesideRecipe();
  Recipe named = options.recipe;
  named.effort = effort.str();
  auto recipe = getStart(named);
  if (!recipe)
    return recipe.takeError();
  options.recipe = std::move(*recipe);
  return llvm::Error::success();
}

static llvm::Error setRecipe(CompileOptions &options, RecipeSource source,
                             StringRef value) {
  if (options.recipeSource != RecipeSource::Default &&
      options.recipeSource != source)
    return makeError(ExitCode::BadUse,
                     "--preset and --recipe exclude each other\n"
                     "note: name the preset in the recipe");
  std::string effort = options.recipe.effort;
  if (effort != "default" && isOwnRecipe(source))
    return refuseEffortBesideRecipe();
  const MethodRegistry &methods = *options.recipe.methods;
  auto recipe = source == RecipeSource::Preset ? getPreset(value, methods)
                : source == RecipeSource::File
                    ? readRecipe(value, methods)
                    : parseRecipe("recipe", value, methods);
  if (!recipe)
    return withNote(recipe.takeError(), ExitCode::BadUse,
                    "qopt-compile --list-recipe-keys prints all keys and what "
                    "they take");
  if (source == RecipeSource::Preset)
    if (llvm::Error error = applyEffort(*recipe, effort))
      return error;
  options.recipe = std::move(*recipe);
  options.recipeSource = source;
  return llvm::Error::success();
}

static llvm::Error setPhase(std::optional<Phase> &phase, StringRef option,
                            StringRef name) {
  auto found = findPhase(name);
  if (!found || *found > Phase::Target)
    return fail(option,
                "import, prepare, calibrate, transform, quantize, fuse, "
                "kernels or target",
                name);
  phase = found;
  return llvm::Error::success();
}

/// `mlir` stops after the phase kernels, unless another one is set.
static llvm::Error setEmit(CompileOptions &options, StringRef name) {
  options.namesCode = name != "mlir";
  if (name == "mlir") {
    if (!options.stopAfter)
      options.stopAfter = Phase::Kernels;
    return llvm::Error::success();
  }
  auto kind = llvm::StringSwitch<std::optional<EmitKind>>(name)
                  .Case("shared", EmitKind::Shared)
                  .Case("object", EmitKind::Object)
                  .Case("llvm", EmitKind::LLVMIR)
                  .Case("asm", EmitKind::Assembly)
                  .Case("qdq-onnx", EmitKind::QdqOnnx)
                  .Default(std::nullopt);
  if (!kind)
    return fail("emit", kEmitForms, name);
  options.emit = *kind;
  return llvm::Error::success();
}

static llvm::Error setFallback(CompileOptions &options, StringRef level) {
  options.failOnFallback = level.empty() ? "planned" : level.str();
  if (llvm::is_contained({"planned", "any", "slow"}, options.failOnFallback))
    return llvm::Error::success();
  return fail("fail-on-fallback", "any, slow or nothing", level);
}

static llvm::Error setShapes(CompileOptions &options, StringRef text) {
  auto shapes = parseShapes(text);
  if (!shapes)
    return shapes.takeError();
  options.shapes = std::move(*shapes);
  return llvm::Error::success();
}

static llvm::Error setGate(CompileOptions &options, StringRef text) {
  auto gate = AccuracyGate::parse(text);
  if (!gate)
    return gate.takeError();
  options.accuracyGate = *gate;
  return llvm::Error::success();
}

static llvm::Error addState(CompileOptions &options, StringRef text) {
  auto [output, input] = text.split('=');
  if (output.empty() || input.empty())
    return fail("state", "OUTPUT=INPUT", text);
  options.states.push_back(text.str());
  return llvm::Error::success();
}

static llvm::Error setCapacity(CompileOptions &options, StringRef text) {
  if (text.getAsInteger(10, options.capacity) || options.capacity < 1)
    return fail("capacity", "a number from 1 on", text);
  return llvm::Error::success();
}

llvm::Error qopt::setOption(CompileOptions &options, StringRef name,
                            StringRef value) {
  if (name == "preset")
    return setRecipe(options, RecipeSource::Preset, value);
  if (name == "recipe")
    return setRecipe(options, RecipeSource::File, value);
  if (name == "recipe-text")
    return setRecipe(options, RecipeSource::Text, value);
  if (name == "effort")
    return setEffort(options, value);
  if (name == "stop-after")
    return setPhase(options.stopAfter, name, value);
  if (name == "start-from")
    return setPhase(options.startFrom, name, value);
  if (name == "emit")
    return setEmit(options, value);
  if (name == "fail-on-fallback")
    return setFallback(options, value);
  if (name == "shapes")
    return setShapes(options, value);
  if (name == "state")
    return addState(options, value);
  if (name == "capacity")
    return setCapacity(options, value);
  if (name == "accuracy-gate")
    return setGate(options, value);
  if (name == "cpu") {
    llvm::SmallVector<StringRef> cpus;
    value.split(cpus, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    options.cpus.assign(cpus.begin(), cpus.end());
    return llvm::Error::success();
  }
  std::string *text = llvm::StringSwitch<std::string *>(name)
                          .Case("calib", &options.calibration)
                          .Case("calib-cache", &options.calibrationCache)
                          .Case("target", &options.target)
                          .Case("report", &options.reportFolder)
                          .Default(nullptr);
  if (!text)
    return makeError(ExitCode::BadUse, "there is no option '" + name + "'");
  *text = value.str();
  return llvm::Error::success();
}
