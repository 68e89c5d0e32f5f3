//===- Recipe.h - What a user asks of the numbers ---------------*- C++ -*-===//
//
// A preset is a recipe with a name. A recipe file (YAML, version 1) starts from
// a preset and changes what it names.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_RECIPE_H
#define QOPT_PIPELINES_RECIPE_H

#include "qopt/Transforms/Methods.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace qopt {

/// How weights are stored.
struct WeightRecipe {
  /// Row of the format table; empty keeps the model's type.
  std::string format;
  /// Products that share a scale; 0 is the format's own block, or one scale an
  /// output channel.
  int64_t group = 0;
  /// Types in place of the format's; empty keeps those.
  std::string scale, zero;
};

/// How the activations of contractions are stored.
struct ActivationRecipe {
  /// none, static or dynamic.
  std::string mode = "none";
  std::string format = "i8";
  std::string scale;
  /// Decibels that a static range may cost before policy makes it dynamic.
  double maxStaticCost = 6.0;
  /// Decibels below which a tensor between integer ops stays float, where all
  /// scales are powers of two.
  double minSqnr = 33.0;
};

struct TransformRecipe {
  /// The options of all transformations.
  MethodOptions options;
  /// Factors are powers of two.
  bool pow2 = false;
};

struct CalibrationRecipe {
  /// search, min-max, percentile or squared-error.
  std::string range = "search";
  double percentile = 0.9999;
};

struct RoundingRecipe {
  /// `method`, and the options of all rounding methods.
  MethodOptions options;
  bool clipSearch = true;
  /// Biases make up for the mean error of rounded weights, where there are
  /// samples.
  bool correctBias = true;
  /// floor, ceil or even.
  std::string scaleRule = "floor";
  /// nearest, ceil, floor or best: exponents of weights.
  std::string pow2 = "best";
  /// m1: scales of groups are powers of two; m2: times one of the channel.
  std::string pow2Scales = "m1";
  /// nearest or ceil: exponents of activations. Ceil cuts no range, and ranges
  /// cut by up to a third ruin networks whose activations have few outliers.
  std::string activation = "ceil";
};

/// How states that grow by what each run adds are kept between runs.
struct CacheRecipe {
  /// Empty keeps the model's type.
  std::string format;
};

/// Where the compiler leaves what the other sections ask for.
struct PolicyRecipe {
  /// Decibels of the outputs' SQNR on samples below which products with fewer
  /// bits get 8. Above the 10 that are warned of: samples are few, and new data
  /// is worse.
  double minOutputSqnr = 12.0;
};

/// How the activations of some nodes are stored; empty keeps the recipe's.
struct OverrideActivations {
  std::string format, scale;
};

/// What some nodes are to be, in place of the preset's choice.
struct OverrideRecipe {
  /// Regular expressions over whole names and operators; empty is all.
  std::string nodes, ops;
  /// float, static, dynamic or weight-only; empty keeps the recipe's mode.
  std::string precision;
  /// With a format these stand for the recipe's; without one, what is not empty
  /// does.
  WeightRecipe weights;
  OverrideActivations activations;

  bool matches(llvm::StringRef node, llvm::StringRef op) const;
  /// What it is called in messages and reports: its nodes, else its operators.
  std::string pattern() const { return nodes.empty() ? "ops " + ops : nodes; }
};

/// What a recipe asks of one node.
struct NodePrecision {
  /// float, static, dynamic or weight-only.
  std::string params;
  WeightRecipe weights;
  OverrideActivations activations;

  bool isFloat() const { return params == "float" || weights.format.empty(); }
  /// True where activations have one range for all data.
  bool isStatic() const { return !isFloat() && params == "static"; }
};

struct Recipe {
  /// `methods` outlives the recipe and all that is made of it.
  explicit Recipe(const MethodRegistry &methods = getMethods());

  const MethodRegistry *methods;
  int version = 1;
  std::string preset;
  /// fast, default or best.
  std::string effort = "default";
  WeightRecipe weights;
  ActivationRecipe activations;
  TransformRecipe transforms;
  CalibrationRecipe calibration;
  RoundingRecipe rounding;
  CacheRecipe cache;
  PolicyRecipe policy;
  std::vector<OverrideRecipe> overrides;

  /// True when nothing is quantized.
  bool isFloat() const;
  /// What is asked of the nodes that `rule` matches; null: of all others.
  NodePrecision getPrecision(const OverrideRecipe *rule) const;
  /// What is asked of a node; the last override that matches it wins.
  NodePrecision getPrecision(llvm::StringRef node, llvm::StringRef op) const;
  /// True when the sections or an override ask for what `isMet` looks for.
  bool asksFor(llvm::function_ref<bool(const NodePrecision &)> isMet) const;
  /// True when static ranges or a transform need statistics of samples.
  bool needsCalibration() const;
  /// True when outputs are to be closer to the float model's than they are
  /// without being asked for it.
  bool asksForOutputSqnr() const;
  /// True when statistics change what comes out, so that they are collected
  /// wherever there are samples.
  bool usesCalibration() const;
  /// What the rounding method wants to know of the activations that weights
  /// meet.
  RoundingNeeds getRoundingNeeds() const;
  /// True when all scales of weights and activations are powers of two, so
  /// that codes are computed from codes.
  bool isCodePath() const;
};

/// Names of all presets, in the order of the documentation.
llvm::ArrayRef<llvm::StringRef> getPresetNames();

/// The recipe of a preset. Fails with a suggestion for an unknown name.
llvm::Expected<Recipe> getPreset(llvm::StringRef name,
                                 const MethodRegistry &methods = getMethods());

/// Gives the recipe of a preset what `effort` says: `fast` searches for
/// nothing, `best` takes the methods that cost most and help. Fails for another
/// word.
llvm::Error applyEffort(Recipe &recipe, llvm::StringRef effort);

/// What a recipe starts from: its preset with its effort.
llvm::Expected<Recipe> getStart(const Recipe &named);

/// Reads a recipe file. Fails with the line for what it does not understand.
llvm::Expected<Recipe> readRecipe(llvm::StringRef path,
                                  const MethodRegistry &methods = getMethods());

/// Reads the text of a recipe file; messages name it `path`.
llvm::Expected<Recipe>
parseRecipe(llvm::StringRef path, llvm::StringRef text,
            const MethodRegistry &methods = getMethods());

/// The recipe as the text of a recipe file, with every key.
std::string writeRecipe(const Recipe &recipe);

/// The reference of recipe files, in Markdown: every key with what it takes,
/// what it is without being named, and an example.
std::string writeRecipeReference();

} // namespace qopt

#endif
