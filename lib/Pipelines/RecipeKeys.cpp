//===- RecipeKeys.cpp - The keys of a recipe file -------------------------===//

#include "RecipeKeys.h"
#include "dialects/QOpt/IR/Formats.h"

using namespace qopt;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static constexpr double kEndless = std::numeric_limits<double>::infinity();

/// Empty keeps the type that the format has.
static OptionValues elementOrNothing(std::vector<StringRef> words) {
  return {words, /*mayBeEmpty=*/true};
}

/// The formats that contractions read: codes of at most 8 bits, floats in
/// blocks. Files may come with others.
static OptionValues format() {
  std::vector<StringRef> names;
  for (const BlockFormat &row : blockFormats())
    if (row.elementInfo().isInteger() ? row.elementInfo().bits <= 8
                                      : row.block > 0)
      names.push_back(row.name);
  return {names};
}

static OptionValues formatOrNothing() {
  OptionValues values = format();
  values.mayBeEmpty = true;
  return values;
}

static OptionValues pattern() {
  return {{}, /*mayBeEmpty=*/true, /*isPattern=*/true};
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

template <> llvm::ArrayRef<RecipeKey<WeightRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<WeightRecipe> keys[] = {
      {"format", &WeightRecipe::format, formatOrNothing(),
       "how weights are stored; empty keeps the model's type", "i4"},
      {"group", &WeightRecipe::group, number(0, 65536),
       "products along the reduction axis that share a scale; 0 is the block "
       "of the format, or one scale an output channel",
       "64", "w4a16-g32"},
      {"scale", &WeightRecipe::scale,
       elementOrNothing({"f32", "f16", "bf16", "f8E8M0FNU"}),
       "element type of the scales; empty is the format's own, f8E8M0FNU makes "
       "them powers of two",
       "bf16", "w4a16-g32"},
      {"zero", &WeightRecipe::zero,
       elementOrNothing({"ui4", "ui8", "ui2", "i4", "i8", "i2"}),
       "element type of the zero points, the same as the codes'; empty is "
       "symmetric",
       "ui4", "w4a16-g128"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<ActivationRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<ActivationRecipe> keys[] = {
      {"mode", &ActivationRecipe::mode, oneOf({"none", "static", "dynamic"}),
       "where the ranges of activations come from: static, calibration "
       "samples; dynamic, the data of each run; none leaves them in float",
       "dynamic"},
      {"format", &ActivationRecipe::format, format(),
       "how the activations in front of products are stored", "mxint8",
       "mxfp8-e4m3"},
      {"scale", &ActivationRecipe::scale,
       elementOrNothing({"f32", "f8E8M0FNU"}),
       "element type of their scales; empty is the format's own, f8E8M0FNU "
       "makes them powers of two",
       "f8E8M0FNU"},
      {"max-static-cost", &ActivationRecipe::maxStaticCost, number(0, kEndless),
       "decibels that a static range may cost against the data's own range "
       "before policy makes the node dynamic",
       "3"},
      {"min-sqnr", &ActivationRecipe::minSqnr, number(0, kEndless),
       "decibels of signal over rounding noise below which a tensor between "
       "integer ops stays float, where all scales are powers of two",
       "30", "w8a8-pow2"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<TransformRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<TransformRecipe> keys[] = {
      {"pow2", &TransformRecipe::pow2, flag(),
       "factors of transformations are powers of two, which changes no bit of "
       "a "
       "float program",
       "true"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<CalibrationRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<CalibrationRecipe> keys[] = {
      {"range", &CalibrationRecipe::range,
       oneOf({"search", "min-max", "percentile", "squared-error"}),
       "how the range of a tensor is chosen from what the samples showed: "
       "search tries the extremes and what cuts them",
       "min-max"},
      {"percentile", &CalibrationRecipe::percentile, shareAboveZero(),
       "share of the values that a range of percentile holds", "0.999"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<RoundingRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<RoundingRecipe> keys[] = {
      {"clip-search", &RoundingRecipe::clipSearch, flag(),
       "tries narrower ranges of weights for the least squared error", "false"},
      {"correct-bias", &RoundingRecipe::correctBias, flag(),
       "lets biases take back the mean error of rounded weights, where there "
       "are samples",
       "false"},
      {"scale-rule", &RoundingRecipe::scaleRule,
       oneOf({"floor", "ceil", "even"}),
       "shared exponent of a block of activations: floor is that of OCP MX, "
       "ceil cuts nothing, even rounds the largest value first",
       "ceil", "mxfp8-e4m3"},
      {"pow2", &RoundingRecipe::pow2,
       oneOf({"nearest", "ceil", "floor", "best"}),
       "exponents of weight scales that are powers of two; best tries two and "
       "keeps the one of less error",
       "nearest", "w8a8-pow2"},
      {"pow2-scales", &RoundingRecipe::pow2Scales, oneOf({"m1", "m2"}),
       "m1: scales of groups are powers of two; m2: powers of two times one "
       "float a channel",
       "m2", "w4a16-g32-pow2"},
      {"activation", &RoundingRecipe::activation, oneOf({"nearest", "ceil"}),
       "exponents of activation scales that are powers of two; ceil cuts no "
       "range",
       "nearest", "w8a8-pow2"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<CacheRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<CacheRecipe> keys[] = {
      {"format", &CacheRecipe::format, elementOrNothing({"i8", "f16"}),
       "how states that grow, as keys and values of decoders, are kept from "
       "run "
       "to run; empty keeps the model's type",
       "i8"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<PolicyRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<PolicyRecipe> keys[] = {
      {"min-output-sqnr", &PolicyRecipe::minOutputSqnr, number(0, kEndless),
       "decibels of SQNR on samples below which an output is too far from the "
       "float model's, so that the products that cost it most get 8 bits in "
       "place of fewer",
       "20", "mxfp4"},
  };
  return keys;
}

template <>
llvm::ArrayRef<RecipeKey<OverrideActivations>> qopt::getRecipeKeys() {
  static const RecipeKey<OverrideActivations> keys[] = {
      {"format", &OverrideActivations::format, formatOrNothing(),
       "in place of the recipe's activations.format", "mxint8", "mxfp4"},
      {"scale", &OverrideActivations::scale,
       elementOrNothing({"f32", "f8E8M0FNU"}),
       "in place of the recipe's activations.scale", "f32"},
  };
  return keys;
}

template <> llvm::ArrayRef<RecipeKey<OverrideRecipe>> qopt::getRecipeKeys() {
  static const RecipeKey<OverrideRecipe> keys[] = {
      {"nodes", &OverrideRecipe::nodes, pattern(),
       "the nodes whose whole name matches; `.*` stands for anything; empty "
       "is every node",
       "'/conv_.*', precision: dynamic"},
      {"ops", &OverrideRecipe::ops, pattern(),
       "of these, the nodes whose whole ONNX operator matches; empty is every "
       "operator",
       "MatMul|Gemm, precision: dynamic"},
      {"precision", &OverrideRecipe::precision,
       elementOrNothing({"float", "static", "dynamic", "weight-only"}),
       "float leaves the node as it is, weight-only its activations; static "
       "and dynamic say where ranges of activations come from; empty is the "
       "recipe's activations.mode",
       "float, ops: Conv"},
  };
  return keys;
}
