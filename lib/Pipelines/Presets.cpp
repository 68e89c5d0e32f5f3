//===- Presets.cpp - The named recipes ------------------------------------===//
//
// One row a family; sizes of groups and the -a16 forms are derived.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/CodedError.h"

using namespace qopt;

static constexpr llvm::StringRef kPresetNames[] = {
    "fp32",           "w8a8",
    "w8a8-dynamic",   "w8a8-pow2",
    "w4a16-g32",      "w4a16-g64",
    "w4a16-g128",     "w4a16-g32-pow2",
    "w4a16-g64-pow2", "w4a16-g128-pow2",
    "w4a8-g32",       "w4a8-g64",
    "w4a8-g128",      "mxint8",
    "mxfp8-e4m3",     "mxfp8-e5m2",
    "mxfp6-e2m3",     "mxfp6-e3m2",
    "mxfp4",          "nvfp4",
    "mxint8-a16",     "mxfp8-e4m3-a16",
    "mxfp8-e5m2-a16", "mxfp6-e2m3-a16",
    "mxfp6-e3m2-a16", "mxfp4-a16",
    "nvfp4-a16"};

llvm::ArrayRef<llvm::StringRef> qopt::getPresetNames() { return kPresetNames; }

static llvm::StringRef findNearest(llvm::StringRef name) {
  llvm::StringRef nearest;
  unsigned least = ~0u;
  for (llvm::StringRef known : kPresetNames) {
    unsigned distance = name.edit_distance(known);
    if (distance < least) {
      least = distance;
      nearest = known;
    }
  }
  return nearest;
}

static void fillW8(Recipe &recipe, llvm::StringRef rest) {
  recipe.weights.format = "i8";
  recipe.activations.mode = rest == "-dynamic" ? "dynamic" : "static";
  if (rest == "-dynamic")
    return;
  recipe.transforms.smooth = "search";
  if (rest == "-pow2") {
    recipe.weights.scale = recipe.activations.scale = "f8E8M0FNU";
    recipe.transforms.pow2 = true;
    recipe.transforms.equalize = true;
  }
}

static void fillW4(Recipe &recipe, llvm::StringRef name) {
  bool isPow2 = name.consume_back("-pow2");
  llvm::StringRef size = name.rsplit("-g").second;
  size.getAsInteger(10, recipe.weights.group);
  bool isWeightOnly = name.starts_with("w4a16");
  recipe.weights.format = isWeightOnly ? "ui4" : "i4";
  recipe.weights.scale = isPow2 ? "f8E8M0FNU" : "f16";
  if (isWeightOnly)
    recipe.weights.zero = "ui4";
  else
    recipe.activations.mode = "dynamic";
}

static void fillBlocks(Recipe &recipe, llvm::StringRef name) {
  bool isWeightOnly = name.consume_back("-a16");
  recipe.weights.format = name.str();
  if (isWeightOnly)
    return;
  recipe.activations.mode = "dynamic";
  recipe.activations.format = name.str();
}

llvm::Expected<Recipe> qopt::getPreset(llvm::StringRef name) {
  if (!llvm::is_contained(kPresetNames, name))
    return makeError(ExitCode::BadUse, "unknown preset '" + name +
                                           "'; did you mean '" +
                                           findNearest(name) + "'?");
  Recipe recipe;
  recipe.preset = name.str();
  llvm::StringRef rest = name;
  if (name == "fp32")
    return recipe;
  if (rest.consume_front("w8a8"))
    fillW8(recipe, rest);
  else if (name.starts_with("w4"))
    fillW4(recipe, name);
  else
    fillBlocks(recipe, name);
  return recipe;
}
