//===- Presets.cpp - The named recipes ------------------------------------===//
//
// The names are listed; what a name stands for is derived from its parts.
//
//===----------------------------------------------------------------------===//

#include "RecipeKeys.h"
#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/NearestName.h"

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

/// What other tools call these, in lower case with dashes.
static constexpr std::pair<llvm::StringRef, llvm::StringRef> kAliases[] = {
    {"float", "fp32"},
    {"float32", "fp32"},
    {"f32", "fp32"},
    {"none", "fp32"},
    // These keep the model's own types.
    {"fp16", "fp32"},
    {"f16", "fp32"},
    {"float16", "fp32"},
    {"half", "fp32"},
    {"bf16", "fp32"},
    {"bfloat16", "fp32"},
    {"int8", "w8a8"},
    {"i8", "w8a8"},
    {"s8", "w8a8"},
    {"qint8", "w8a8"},
    {"w8", "w8a8"},
    {"static", "w8a8"},
    {"int8-static", "w8a8"},
    {"static-int8", "w8a8"},
    {"w8a8-static", "w8a8"},
    {"w8a8-int8", "w8a8"},
    {"uint8", "w8a8"},
    {"quint8", "w8a8"},
    {"dynamic", "w8a8-dynamic"},
    {"int8-dynamic", "w8a8-dynamic"},
    {"dynamic-int8", "w8a8-dynamic"},
    {"w8a16", "mxint8-a16"},
    {"int8-weight-only", "mxint8-a16"},
    {"q8-0", "mxint8-a16"},
    {"q8", "mxint8-a16"},
    {"pow2", "w8a8-pow2"},
    {"int4", "w4a16-g128"},
    {"i4", "w4a16-g128"},
    {"uint4", "w4a16-g128"},
    {"u4", "w4a16-g128"},
    {"w4", "w4a16-g128"},
    {"w4a16", "w4a16-g128"},
    {"int4-weight-only", "w4a16-g128"},
    {"awq", "w4a16-g128"},
    {"gptq", "w4a16-g128"},
    {"w4a8", "w4a8-g128"},
    {"q4-0", "w4a16-g32"},
    {"q4-1", "w4a16-g32"},
    {"q4-k", "w4a16-g32"},
    {"q4-k-m", "w4a16-g32"},
    {"q4-k-s", "w4a16-g32"},
    {"iq4-nl", "w4a16-g32"},
    {"fp8", "mxfp8-e4m3"},
    {"f8", "mxfp8-e4m3"},
    {"float8", "mxfp8-e4m3"},
    {"e4m3", "mxfp8-e4m3"},
    {"fp8-e4m3", "mxfp8-e4m3"},
    {"e5m2", "mxfp8-e5m2"},
    {"fp8-e5m2", "mxfp8-e5m2"},
    {"mxfp8", "mxfp8-e4m3"},
    {"fp6", "mxfp6-e2m3"},
    {"mxfp6", "mxfp6-e2m3"},
    {"fp4", "mxfp4"},
    {"f4", "mxfp4"},
    {"e2m1", "mxfp4"},
    {"fp4-e2m1", "mxfp4"},
    {"mx4", "mxfp4"},
    {"mx6", "mxfp6-e2m3"},
    {"mx9", "mxint8"},
};

/// The preset that `name` may stand for; empty where none is near.
static llvm::StringRef suggestPreset(llvm::StringRef name) {
  std::string plain = name.lower();
  llvm::replace(plain, '_', '-');
  for (auto &[alias, preset] : kAliases)
    if (alias == plain)
      return preset;
  NearestName nearest(plain);
  for (llvm::StringRef known : kPresetNames)
    nearest.add(known);
  return nearest.get();
}

static void fillW8(Recipe &recipe, llvm::StringRef rest) {
  recipe.weights.format = "i8";
  recipe.activations.mode = rest == "-dynamic" ? "dynamic" : "static";
  if (rest == "-dynamic")
    return;
  recipe.transforms.options.set("smooth", std::string("search"));
  recipe.transforms.options.set("stretch", true);
  if (rest == "-pow2") {
    recipe.weights.scale = recipe.activations.scale = "f8E8M0FNU";
    recipe.transforms.pow2 = true;
    recipe.transforms.options.set("equalize", true);
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

llvm::Expected<Recipe> qopt::getPreset(llvm::StringRef name,
                                       const MethodRegistry &methods) {
  if (!llvm::is_contained(kPresetNames, name)) {
    return makeError(ExitCode::BadUse,
                     "unknown preset '" + name + "'" +
                         suggest(suggestPreset(name)) +
                         "\nnote: qopt-compile --list-presets prints all");
  }
  if (llvm::Error error = checkMethods(methods))
    return std::move(error);
  Recipe recipe(methods);
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
