//===- Effort.cpp - How much a compile may cost ---------------------------===//
//
// What a preset takes of the methods: those that helped where they were
// measured (benchmarks/methods.py), or none that searches.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"

using namespace qopt;

static void skipSearches(Recipe &recipe) {
  recipe.rounding.clipSearch = false;
  recipe.calibration.range = "min-max";
  MethodOptions &transforms = recipe.transforms.options;
  if (transforms.get<std::string>("smooth") == "search")
    transforms.set("smooth", std::string("log"));
}

static void takeBestMethods(Recipe &recipe) {
  const BlockFormat *format = lookupFormat(recipe.weights.format);
  if (!format)
    return;
  const ElementFormatInfo &element = format->elementInfo();
  MethodOptions &transforms = recipe.transforms.options;
  // Seven bits of mantissa leave nothing that a better rounding could win.
  if (element.kind == ElementKind::Float || element.bits <= 4)
    recipe.rounding.options.set("method", std::string("gptq"));
  // Sixteen values share a scale of FP8: neither rotations nor factors help.
  if (format->name == "nvfp4")
    return;
  if (recipe.activations.mode != "none" || format->hasSharedExponent())
    transforms.set("rotate", std::string("32"));
  else if (element.bits <= 4)
    transforms.set("awq", true);
}

llvm::Error qopt::applyEffort(Recipe &recipe, llvm::StringRef effort) {
  if (!llvm::is_contained({"fast", "default", "best"}, effort))
    return makeError(ExitCode::BadUse,
                     "effort expects fast, default or best, but found '" +
                         effort + "'");
  recipe.effort = effort.str();
  if (effort == "fast")
    skipSearches(recipe);
  else if (effort == "best")
    takeBestMethods(recipe);
  return llvm::Error::success();
}
