//===- RecipeRules.cpp - What a recipe's keys may say together ------------===//
//
// Rules follow from the format table, so a new row of it needs none of its own.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/RecipeRules.h"
#include "dialects/QOpt/IR/Formats.h"
#include "llvm/ADT/STLExtras.h"
#include <functional>

using namespace qopt;
using llvm::StringRef;

static std::string quote(StringRef text) { return ("'" + text + "'").str(); }

/// Null where nothing is quantized.
static const BlockFormat *weightFormat(const NodePrecision &asked) {
  return asked.isFloat() ? nullptr : lookupFormat(asked.weights.format);
}

/// Null where activations keep the model's type.
static const BlockFormat *activationFormat(const NodePrecision &asked) {
  bool areQuantized = asked.params == "static" || asked.params == "dynamic";
  return areQuantized ? lookupFormat(asked.activations.format) : nullptr;
}

static bool isUnsigned(const BlockFormat *format) {
  return format && !format->elementInfo().isSigned();
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static std::string checkUnsignedWeight(const Recipe &,
                                       const NodePrecision &asked) {
  const BlockFormat *format = weightFormat(asked);
  if (!isUnsigned(format) || !asked.weights.zero.empty())
    return "";
  return "expects a zero beside " + quote(format->name) +
         ", which has no negative values; write zero: " + format->name.str() +
         ", or format: " + format->name.drop_front().str();
}

static std::string checkZero(const Recipe &, const NodePrecision &asked) {
  const BlockFormat *format = weightFormat(asked);
  StringRef zero = asked.weights.zero;
  if (!format || zero.empty())
    return "";
  if (format->block > 0)
    return "expects integers without blocks, but found " + quote(format->name) +
           "; leave zero out";
  StringRef own = format->elementInfo().name;
  return zero == own
             ? ""
             : ("expects " + own + ", the type of the codes, but found '" +
                zero + "'; write zero: " + own)
                   .str();
}

static std::string findOtherScale(const BlockFormat *format, StringRef scale) {
  if (!format || format->block == 0 || scale.empty())
    return "";
  StringRef own = infoOf(format->scales.front()).name;
  return scale == own ? ""
                      : ("expects " + own + ", the scale of '" + format->name +
                         "', but found '" + scale + "'; leave scale out")
                            .str();
}

static std::string checkWeightScale(const Recipe &,
                                    const NodePrecision &asked) {
  return findOtherScale(weightFormat(asked), asked.weights.scale);
}

static std::string checkUnusedWeights(const Recipe &recipe,
                                      const NodePrecision &) {
  const WeightRecipe &weights = recipe.weights;
  bool isNamed =
      weights.group || !weights.scale.empty() || !weights.zero.empty();
  if (!recipe.isFloat() || !isNamed)
    return "";
  return "is empty, so group, scale and zero mean nothing; write format: i8, "
         "or a preset";
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static std::string checkStaticBlocks(const Recipe &,
                                     const NodePrecision &asked) {
  const BlockFormat *format = activationFormat(asked);
  if (!format || format->block == 0 || asked.params != "static")
    return "";
  return "expects no blocks where activations are static, but found " +
         quote(format->name) + "; write dynamic, or format: i8";
}

static std::string checkUnsignedDynamic(const Recipe &,
                                        const NodePrecision &asked) {
  const BlockFormat *format = activationFormat(asked);
  if (!isUnsigned(format) || asked.params != "dynamic")
    return "";
  return "expects signed codes where activations are dynamic, but found " +
         quote(format->name) +
         "; write format: " + format->name.drop_front().str() + ", or static";
}

static std::string checkActivationScale(const Recipe &,
                                        const NodePrecision &asked) {
  return findOtherScale(activationFormat(asked), asked.activations.scale);
}

static std::string checkDynamicScale(const Recipe &,
                                     const NodePrecision &asked) {
  const BlockFormat *format = activationFormat(asked);
  StringRef scale = asked.activations.scale;
  if (!format || format->block > 0 || asked.params != "dynamic" ||
      scale.empty() || scale == infoOf(format->scales.front()).name)
    return "";
  return ("expects f32 where activations are dynamic, because no power of two "
          "is made from data, but found '" +
          scale + "'; leave scale out, or write static")
      .str();
}

static std::string checkUnusedMode(const Recipe &recipe,
                                   const NodePrecision &) {
  if (!recipe.isFloat() || recipe.activations.mode == "none")
    return "";
  return "expects weights.format beside " + quote(recipe.activations.mode) +
         "; write weights.format: i8, or a preset";
}

/// True for nodes whose activations have a format that the sections name.
static bool readsActivations(const NodePrecision &asked) {
  return activationFormat(asked) && !asked.isFloat();
}

static std::string checkUnusedActivations(const Recipe &recipe,
                                          const NodePrecision &) {
  const ActivationRecipe &activations = recipe.activations;
  bool isNamed = activations.format != ActivationRecipe().format ||
                 !activations.scale.empty();
  if (recipe.isFloat() || !isNamed || recipe.asksFor(readsActivations))
    return "";
  return "is none, so format and scale mean nothing; write mode: dynamic, or "
         "leave them out";
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

/// True where the recipe asks for activations that the transformation has
/// something to do with.
static bool hasActivations(const Recipe &recipe,
                           TransformedActivations activations) {
  switch (activations) {
  case TransformedActivations::Any:
    return true;
  case TransformedActivations::Weighted:
    return recipe.asksFor(std::not_fn(std::mem_fn(&NodePrecision::isFloat)));
  case TransformedActivations::Quantized:
    return recipe.asksFor(readsActivations);
  case TransformedActivations::Static:
    return recipe.asksFor(std::mem_fn(&NodePrecision::isStatic));
  case TransformedActivations::Float:
    return recipe.asksFor([](const NodePrecision &asked) {
      return !asked.isFloat() && asked.params == "weight-only";
    });
  }
  llvm_unreachable("all are told");
}

/// What `transforms.<name>` expects, and what to write in its place.
static std::pair<StringRef, StringRef>
describeExpected(TransformedActivations activations) {
  switch (activations) {
  case TransformedActivations::Any:
    return {"", ""};
  case TransformedActivations::Weighted:
    return {"weights in codes", "a weights.format"};
  case TransformedActivations::Quantized:
    return {"activations in codes", "activations.mode: dynamic"};
  case TransformedActivations::Static:
    return {"static activations", "activations.mode: static"};
  case TransformedActivations::Float:
    return {"float activations and weights in codes", "activations.mode: none"};
  }
  llvm_unreachable("all are told");
}

/// What turns a transformation off.
static StringRef offWord(const Transformation &transformation) {
  return std::holds_alternative<bool>(
             transformation.getOptions().front().initial)
             ? "false"
             : "off";
}

std::string qopt::describeRule(const Transformation &transformation) {
  std::string text = ("is " + offWord(transformation) + " where").str();
  switch (transformation.getActivations()) {
  case TransformedActivations::Any:
    return "";
  case TransformedActivations::Weighted:
    return text + " no weights are in codes";
  case TransformedActivations::Quantized:
    return text + " no activations are static or dynamic";
  case TransformedActivations::Static:
    return text + " no activations are static";
  case TransformedActivations::Float:
    return text + " no activations are floats in front of weights in codes";
  }
  llvm_unreachable("all are told");
}

std::string qopt::findUnusedTransformation(const Recipe &recipe) {
  const MethodOptions &options = recipe.transforms.options;
  auto preset = getStart(recipe);
  if (!preset) {
    llvm::consumeError(preset.takeError());
    return "";
  }
  for (const auto &transformation : recipe.methods->getTransformations()) {
    StringRef name = transformation->getName();
    TransformedActivations activations = transformation->getActivations();
    // A preset's own one may find nothing to do.
    bool isOfPreset =
        preset->transforms.options.getValue(name) == options.getValue(name);
    if (!transformation->isOn(options) || isOfPreset ||
        hasActivations(recipe, activations))
      continue;
    auto [expected, mode] = describeExpected(activations);
    return ("transforms." + name + " expects " + expected + "; write " +
            offWord(*transformation) + ", or " + mode)
        .str();
  }
  return "";
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

llvm::ArrayRef<RecipeRule> qopt::getRecipeRules() {
  static constexpr RecipeRule rules[] = {
      {"activations.format", "is without blocks where activations are static",
       checkStaticBlocks},
      {"activations.format", "is signed where activations are dynamic",
       checkUnsignedDynamic},
      {"activations.scale", "is the format's own where that has blocks",
       checkActivationScale},
      {"activations.scale", "is f32 where dynamic codes have no blocks",
       checkDynamicScale},
      {"activations.mode",
       "is none where no weights.format is named, here or in an override",
       checkUnusedMode},
      {"activations.mode",
       "is static or dynamic, here or in an override, where "
       "activations.format or activations.scale is named",
       checkUnusedActivations},
      {"weights.format",
       "is named, here or in an override, beside weights.group, "
       "weights.scale and weights.zero",
       checkUnusedWeights},
      {"weights.format", "has a weights.zero where it is unsigned",
       checkUnsignedWeight},
      {"weights.scale", "is the format's own where that has blocks",
       checkWeightScale},
      {"weights.zero", "is the type of the codes, which have no blocks",
       checkZero},
  };
  return rules;
}
