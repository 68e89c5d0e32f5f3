//===- Recipe.cpp - Recipe files ------------------------------------------===//
//
// The preset and the effort are read first, so that every other key changes
// what they stand for whatever the order in the file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Recipe.h"
#include "RecipeKeys.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Quantization/NodePattern.h"
#include "qopt/Pipelines/RecipeRules.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/Support/YAMLTraits.h"
#include <functional>

using namespace qopt;

LLVM_YAML_IS_SEQUENCE_VECTOR(qopt::OverrideRecipe)

/// Reads or writes every key of a section.
template <typename Section>
static void mapKeys(llvm::yaml::IO &io, Section &section) {
  if (MethodOptions *options = getMethodOptions(section))
    for (MethodOptions::Entry &entry : options->entries)
      std::visit(
          [&](auto &value) { io.mapOptional(entry.declaration->name, value); },
          entry.value);
  for (const RecipeKey<Section> &key : getRecipeKeys<Section>())
    std::visit([&](auto field) { io.mapOptional(key.name, section.*field); },
               key.field);
}

/// Sections of an override that say nothing are not written.
template <typename Section>
static void mapUnlessDefault(llvm::yaml::IO &io, llvm::StringRef name,
                             Section &section) {
  if (!io.outputting() || !isDefault(section))
    io.mapOptional(name, section);
}

namespace llvm::yaml {
template <> struct MappingTraits<WeightRecipe> {
  static void mapping(IO &io, WeightRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<ActivationRecipe> {
  static void mapping(IO &io, ActivationRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<TransformRecipe> {
  static void mapping(IO &io, TransformRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<CalibrationRecipe> {
  static void mapping(IO &io, CalibrationRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<RoundingRecipe> {
  static void mapping(IO &io, RoundingRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<CacheRecipe> {
  static void mapping(IO &io, CacheRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<PolicyRecipe> {
  static void mapping(IO &io, PolicyRecipe &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<OverrideActivations> {
  static void mapping(IO &io, OverrideActivations &r) { mapKeys(io, r); }
};
template <> struct MappingTraits<OverrideRecipe> {
  static void mapping(IO &io, OverrideRecipe &r) {
    mapKeys(io, r);
    mapUnlessDefault(io, "weights", r.weights);
    mapUnlessDefault(io, "activations", r.activations);
  }
};
template <> struct MappingTraits<Recipe> {
  static void mapping(IO &io, Recipe &r) {
    io.mapRequired("version", r.version);
    io.mapOptional("preset", r.preset);
    io.mapOptional("effort", r.effort);
    io.mapOptional("weights", r.weights);
    io.mapOptional("activations", r.activations);
    io.mapOptional("transforms", r.transforms);
    io.mapOptional("calibration", r.calibration);
    io.mapOptional("rounding", r.rounding);
    io.mapOptional("kv-cache", r.cache);
    io.mapOptional("policy", r.policy);
    // An empty sequence that is optional would not be written.
    if (io.outputting())
      io.mapRequired("overrides", r.overrides);
    else
      io.mapOptional("overrides", r.overrides);
  }
};
} // namespace llvm::yaml

static void collectDiagnostic(const llvm::SMDiagnostic &diagnostic,
                              void *text) {
  llvm::raw_string_ostream os(*static_cast<std::string *>(text));
  os << (static_cast<std::string *>(text)->empty() ? "" : "; ") << "line "
     << diagnostic.getLineNo() << ": " << diagnostic.getMessage();
}

static llvm::Error parseInto(llvm::StringRef path, llvm::StringRef text,
                             Recipe &recipe) {
  if (text.trim().empty())
    return makeError(ExitCode::BadUse,
                     path + ": expects a recipe, but the text is empty");
  std::string problems;
  llvm::yaml::Input input(text, nullptr, collectDiagnostic, &problems);
  input >> recipe;
  if (input.error())
    return makeError(ExitCode::BadUse, path + ": " + problems);
  if (input.nextDocument())
    return makeError(ExitCode::BadUse,
                     path + ": expects one YAML document, but found another "
                            "behind '...' or '---'");
  return llvm::Error::success();
}

/// LLVM's YAML parser recurses; what people write is far from both limits.
static llvm::Error checkSize(llvm::StringRef path, llvm::StringRef text) {
  static constexpr size_t kMaxBytes = 65536;
  static constexpr size_t kMaxBrackets = 1024;
  if (text.size() > kMaxBytes)
    return makeError(ExitCode::BadUse, path + ": expects a recipe of at most " +
                                           llvm::Twine(kMaxBytes) +
                                           " bytes, but "
                                           "found " +
                                           llvm::Twine(text.size()));
  if (text.count('[') + text.count('{') + text.count("- -") > kMaxBrackets)
    return makeError(ExitCode::BadUse, path + ": is nested too deeply");
  return llvm::Error::success();
}

namespace {
/// Checks the values of one recipe file; the first problem is the one told.
class RecipeCheck {
public:
  RecipeCheck(llvm::StringRef path, const Recipe &recipe)
      : path(path), recipe(recipe) {}

  llvm::Error run() {
    if (recipe.version != 1)
      return fail("expects version 1, but found " +
                  llvm::Twine(recipe.version));
    return firstOf(
        [&] { return checkKeys("weights.", recipe.weights); },
        [&] { return checkKeys("activations.", recipe.activations); },
        [&] { return checkKeys("transforms.", recipe.transforms); },
        [&] { return checkKeys("calibration.", recipe.calibration); },
        [&] { return checkKeys("rounding.", recipe.rounding); },
        [&] { return checkKeys("kv-cache.", recipe.cache); },
        [&] { return checkKeys("policy.", recipe.policy); },
        [&] { return checkPrecision("", recipe.getPrecision(nullptr)); },
        [&] { return checkTransforms(); }, [&] { return checkOverrides(); });
  }

private:
  llvm::StringRef path;
  const Recipe &recipe;

  llvm::Error fail(const llvm::Twine &what) const {
    return makeError(ExitCode::BadUse, path + ": " + what);
  }

  template <typename... Checks> static llvm::Error firstOf(Checks... checks) {
    llvm::Error error = llvm::Error::success();
    (void)static_cast<bool>(error);
    (void)((!(error = checks()) && ...));
    return error;
  }

  template <typename Section>
  llvm::Error checkKeys(llvm::StringRef prefix, const Section &section) const {
    auto problem = findBadValue(prefix, section);
    return problem ? fail(*problem) : llvm::Error::success();
  }

  /// Checks what the sections or an override ask for together; `where` stands
  /// before the key.
  llvm::Error checkPrecision(llvm::StringRef where,
                             const NodePrecision &asked) const {
    for (const RecipeRule &rule : getRecipeRules())
      if (std::string problem = rule.findProblem(recipe, asked);
          !problem.empty())
        return fail(where + rule.key + " " + problem);
    return llvm::Error::success();
  }

  llvm::Error checkTransforms() const {
    std::string problem = findUnusedTransformation(recipe);
    return problem.empty() ? llvm::Error::success() : fail(problem);
  }

  llvm::Error checkOverride(const OverrideRecipe &rule) const {
    if (rule.nodes.empty() && rule.ops.empty())
      return fail("an override expects nodes, ops or both");
    std::string key =
        "override '" + (rule.nodes.empty() ? rule.ops : rule.nodes) + "'";
    bool hasFormats = !isDefault(rule.weights) || !isDefault(rule.activations);
    if (rule.precision.empty() && !hasFormats)
      return fail(key + " expects precision, weights or activations");
    if (rule.precision == "float" && hasFormats)
      return fail(key + " has precision float and formats");
    if (rule.precision == "weight-only" && !isDefault(rule.activations))
      return fail(key + " has precision weight-only and activations");
    NodePrecision asked = recipe.getPrecision(&rule);
    if (asked.params != "float" && asked.weights.format.empty())
      return fail(key +
                  " expects weights.format, here or in the recipe, or a preset "
                  "other than fp32");
    return checkPrecision(key + ": ", asked);
  }

  llvm::Error checkOverrides() const {
    for (const OverrideRecipe &rule : recipe.overrides)
      if (llvm::Error error = firstOf(
              [&] { return checkKeys("overrides.", rule); },
              [&] { return checkKeys("overrides.weights.", rule.weights); },
              [&] {
                return checkKeys("overrides.activations.", rule.activations);
              },
              [&] { return checkOverride(rule); }))
        return error;
    return llvm::Error::success();
  }
};
} // namespace

Recipe::Recipe(const MethodRegistry &methods) : methods(&methods) {
  transforms.options = methods.getTransformOptions();
  rounding.options = methods.getRoundingOptions();
}

llvm::Expected<Recipe> qopt::getStart(const Recipe &named) {
  auto recipe =
      getPreset(named.preset.empty() ? "fp32" : named.preset, *named.methods);
  if (!recipe)
    return recipe;
  if (llvm::Error error = applyEffort(*recipe, named.effort))
    return std::move(error);
  return recipe;
}

bool OverrideRecipe::matches(llvm::StringRef node, llvm::StringRef op) const {
  return NodePattern{nodes, ops}.matches(node, op);
}

static void replaceUnlessEmpty(std::string &text, const std::string &other) {
  if (!other.empty())
    text = other;
}

NodePrecision Recipe::getPrecision(const OverrideRecipe *rule) const {
  NodePrecision asked;
  asked.weights = weights;
  asked.activations = {activations.format, activations.scale};
  asked.params = activations.mode == "none" ? "weight-only" : activations.mode;
  if (!rule)
    return asked;
  if (!rule->weights.format.empty()) {
    asked.weights = rule->weights;
  } else {
    replaceUnlessEmpty(asked.weights.scale, rule->weights.scale);
    replaceUnlessEmpty(asked.weights.zero, rule->weights.zero);
    if (rule->weights.group)
      asked.weights.group = rule->weights.group;
  }
  if (!rule->activations.format.empty()) {
    asked.activations = rule->activations;
    // Whoever names a format does not mean floats.
    if (asked.params == "weight-only")
      asked.params = "dynamic";
    if (lookupFormat(rule->activations.format)->block > 0)
      asked.params = "dynamic";
  }
  replaceUnlessEmpty(asked.activations.scale, rule->activations.scale);
  replaceUnlessEmpty(asked.params, rule->precision);
  return asked;
}

NodePrecision Recipe::getPrecision(llvm::StringRef node,
                                   llvm::StringRef op) const {
  for (const OverrideRecipe &rule : llvm::reverse(overrides))
    if (rule.matches(node, op))
      return getPrecision(&rule);
  return getPrecision(nullptr);
}

bool Recipe::asksFor(
    llvm::function_ref<bool(const NodePrecision &)> isMet) const {
  return isMet(getPrecision(nullptr)) ||
         llvm::any_of(overrides, [&](const OverrideRecipe &rule) {
           return isMet(getPrecision(&rule));
         });
}

bool Recipe::isFloat() const {
  return !asksFor([](const NodePrecision &asked) { return !asked.isFloat(); });
}

bool Recipe::needsCalibration() const {
  auto needsStatistics =
      [&](const std::unique_ptr<Transformation> &transformation) {
        return transformation->needsStatistics() &&
               transformation->isOn(transforms.options);
      };
  return (!isFloat() &&
          llvm::any_of(methods->getTransformations(), needsStatistics)) ||
         asksFor(std::mem_fn(&NodePrecision::isStatic));
}

bool Recipe::asksForOutputSqnr() const {
  return !isFloat() && policy.minOutputSqnr > PolicyRecipe().minOutputSqnr;
}

bool Recipe::usesCalibration() const {
  return needsCalibration() || (!isFloat() && rounding.correctBias);
}

RoundingNeeds Recipe::getRoundingNeeds() const {
  if (isFloat())
    return {};
  return methods->getRoundingMethod(rounding.options)
      .getNeeds(rounding.options);
}

bool Recipe::isCodePath() const {
  return !isFloat() && activations.mode == "static" &&
         weights.scale == "f8E8M0FNU" && activations.scale == "f8E8M0FNU";
}

llvm::Expected<Recipe> qopt::readRecipe(llvm::StringRef path,
                                        const MethodRegistry &methods) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseRecipe(path, file->getText().str(), methods);
}

llvm::Expected<Recipe> qopt::parseRecipe(llvm::StringRef path,
                                         llvm::StringRef text,
                                         const MethodRegistry &methods) {
  if (llvm::Error error = checkSize(path, text))
    return std::move(error);
  if (llvm::Error error = checkMethods(methods))
    return std::move(error);
  Recipe named(methods);
  if (llvm::Error error = parseInto(path, text, named))
    return std::move(error);
  auto recipe = getStart(named);
  if (!recipe) {
    ExitCode code;
    std::string message = takeMessage(recipe.takeError(), code);
    return makeError(code, path + ": " + message);
  }
  if (llvm::Error error = parseInto(path, text, *recipe))
    return std::move(error);
  if (llvm::Error error = RecipeCheck(path, *recipe).run())
    return std::move(error);
  return recipe;
}

std::string qopt::writeRecipe(const Recipe &recipe) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::yaml::Output output(os);
  Recipe copy = recipe;
  output << copy;
  return text;
}
