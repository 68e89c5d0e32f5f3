//===- Recipe.cpp - Recipe files ------------------------------------------===//
//
// The preset is read first, so that every other key changes it whatever the
// order in the file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Recipe.h"
#include "dialects/QOpt/IR/Formats.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/YAMLTraits.h"

using namespace qopt;

LLVM_YAML_IS_SEQUENCE_VECTOR(qopt::OverrideRecipe)

namespace llvm::yaml {
template <> struct MappingTraits<WeightRecipe> {
  static void mapping(IO &io, WeightRecipe &r) {
    io.mapOptional("format", r.format);
    io.mapOptional("group", r.group);
    io.mapOptional("scale", r.scale);
    io.mapOptional("zero", r.zero);
  }
};
template <> struct MappingTraits<ActivationRecipe> {
  static void mapping(IO &io, ActivationRecipe &r) {
    io.mapOptional("mode", r.mode);
    io.mapOptional("format", r.format);
    io.mapOptional("scale", r.scale);
    io.mapOptional("max-static-cost", r.maxStaticCost);
    io.mapOptional("min-sqnr", r.minSqnr);
  }
};
template <> struct MappingTraits<TransformRecipe> {
  static void mapping(IO &io, TransformRecipe &r) {
    io.mapOptional("smooth", r.smooth);
    io.mapOptional("equalize", r.equalize);
    io.mapOptional("pow2", r.pow2);
  }
};
template <> struct MappingTraits<CalibrationRecipe> {
  static void mapping(IO &io, CalibrationRecipe &r) {
    io.mapOptional("range", r.range);
    io.mapOptional("percentile", r.percentile);
  }
};
template <> struct MappingTraits<RoundingRecipe> {
  static void mapping(IO &io, RoundingRecipe &r) {
    io.mapOptional("method", r.method);
    io.mapOptional("damping", r.damping);
    io.mapOptional("moment-weight", r.momentWeight);
    io.mapOptional("clip-search", r.clipSearch);
    io.mapOptional("scale-rule", r.scaleRule);
    io.mapOptional("pow2", r.pow2);
    io.mapOptional("pow2-scales", r.pow2Scales);
    io.mapOptional("activation", r.activation);
  }
};
template <> struct MappingTraits<OverrideRecipe> {
  static void mapping(IO &io, OverrideRecipe &r) {
    io.mapRequired("nodes", r.nodes);
    io.mapRequired("precision", r.precision);
  }
};
template <> struct MappingTraits<Recipe> {
  static void mapping(IO &io, Recipe &r) {
    io.mapRequired("version", r.version);
    io.mapOptional("preset", r.preset);
    io.mapOptional("weights", r.weights);
    io.mapOptional("activations", r.activations);
    io.mapOptional("transforms", r.transforms);
    io.mapOptional("calibration", r.calibration);
    io.mapOptional("rounding", r.rounding);
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
    const RoundingRecipe &rounding = recipe.rounding;
    return firstOf(
        [&] { return checkWeights(); }, [&] { return checkActivations(); },
        [&] { return checkSmooth(); },
        [&] {
          return checkWord("calibration.range", recipe.calibration.range,
                           {"min-max", "percentile", "squared-error"});
        },
        [&] {
          double share = recipe.calibration.percentile;
          return share > 0 && share <= 1
                     ? llvm::Error::success()
                     : fail(
                           "calibration.percentile expects a share above 0 and "
                           "not above 1");
        },
        [&] {
          return checkWord("rounding.method", rounding.method,
                           {"nearest", "gptq"});
        },
        [&] {
          return rounding.damping > 0 && rounding.damping <= 1
                     ? llvm::Error::success()
                     : fail("rounding.damping expects a share above 0 and not "
                            "above 1");
        },
        [&] {
          return checkWord("rounding.moment-weight", rounding.momentWeight,
                           {"token-norm", "none"});
        },
        [&] {
          return checkWord("rounding.scale-rule", rounding.scaleRule,
                           {"floor", "ceil", "even"});
        },
        [&] {
          return checkWord("rounding.pow2", rounding.pow2,
                           {"nearest", "ceil", "floor", "best"});
        },
        [&] {
          return checkWord("rounding.pow2-scales", rounding.pow2Scales,
                           {"m1", "m2"});
        },
        [&] {
          return checkWord("rounding.activation", rounding.activation,
                           {"nearest", "ceil"});
        },
        [&] { return checkOverrides(); });
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

  llvm::Error checkWord(llvm::StringRef key, llvm::StringRef value,
                        llvm::ArrayRef<llvm::StringRef> words) const {
    if (llvm::is_contained(words, value))
      return llvm::Error::success();
    return fail(key + " expects " + llvm::join(words, ", ") + ", but found '" +
                value + "'");
  }

  llvm::Error checkFormat(llvm::StringRef key, llvm::StringRef name) const {
    if (lookupFormat(name))
      return llvm::Error::success();
    return fail(key + ": unknown format '" + name + "'");
  }

  llvm::Error checkType(llvm::StringRef key, llvm::StringRef name,
                        llvm::ArrayRef<llvm::StringRef> words) const {
    return name.empty() ? llvm::Error::success() : checkWord(key, name, words);
  }

  llvm::Error checkWeights() const {
    const WeightRecipe &weights = recipe.weights;
    if (weights.group < 0 || weights.group > 65536)
      return fail("weights.group expects 0 to 65536, but found " +
                  llvm::Twine(weights.group));
    return firstOf(
        [&] {
          return weights.format.empty()
                     ? llvm::Error::success()
                     : checkFormat("weights.format", weights.format);
        },
        [&] {
          return checkType("weights.scale", weights.scale,
                           {"f32", "f16", "bf16", "f8E8M0FNU"});
        },
        [&] {
          return checkType("weights.zero", weights.zero, {"ui4", "ui8", "i8"});
        });
  }

  llvm::Error checkActivations() const {
    const ActivationRecipe &activations = recipe.activations;
    if (llvm::Error error = firstOf(
            [&] {
              return checkWord("activations.mode", activations.mode,
                               {"none", "static", "dynamic"});
            },
            [&] {
              return checkFormat("activations.format", activations.format);
            },
            [&] {
              return checkType("activations.scale", activations.scale,
                               {"f32", "f8E8M0FNU"});
            }))
      return error;
    if (activations.mode == "static" &&
        lookupFormat(activations.format)->block > 0)
      return fail(
          "activations.mode static expects a format without blocks, but "
          "found '" +
          activations.format + "'");
    if (!(activations.maxStaticCost >= 0))
      return fail("activations.max-static-cost expects 0 or more decibels");
    if (!(activations.minSqnr >= 0))
      return fail("activations.min-sqnr expects 0 or more decibels");
    return llvm::Error::success();
  }

  llvm::Error checkSmooth() const {
    llvm::StringRef smooth = recipe.transforms.smooth;
    double exponent;
    if (smooth == "off" || smooth == "search" || smooth == "log" ||
        (!smooth.getAsDouble(exponent) && exponent >= 0 && exponent <= 1))
      return llvm::Error::success();
    return fail(
        "transforms.smooth expects off, search, log or an exponent from 0 "
        "to 1, but found '" +
        smooth + "'");
  }

  llvm::Error checkOverrides() const {
    for (const OverrideRecipe &rule : recipe.overrides) {
      if (llvm::Error error = checkWord("overrides.precision", rule.precision,
                                        {"float", "static", "dynamic"}))
        return error;
      std::string problem;
      if (!llvm::Regex(rule.nodes).isValid(problem))
        return fail("overrides.nodes '" + rule.nodes + "': " + problem);
      if (recipe.isFloat() && rule.precision != "float")
        return fail(
            "overrides.precision '" + rule.precision +
            "' expects a recipe with weights.format or a preset other than "
            "fp32");
    }
    return llvm::Error::success();
  }
};
} // namespace

bool Recipe::needsCalibration() const {
  return !isFloat() && (activations.mode == "static" ||
                        llvm::any_of(overrides, [](const OverrideRecipe &rule) {
                          return rule.precision == "static";
                        }));
}

bool Recipe::isCodePath() const {
  return !isFloat() && activations.mode == "static" &&
         weights.scale == "f8E8M0FNU" && activations.scale == "f8E8M0FNU";
}

llvm::Expected<Recipe> qopt::readRecipe(llvm::StringRef path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseRecipe(path, file->getText().str());
}

llvm::Expected<Recipe> qopt::parseRecipe(llvm::StringRef path,
                                         llvm::StringRef text) {
  if (llvm::Error error = checkSize(path, text))
    return std::move(error);
  Recipe named;
  if (llvm::Error error = parseInto(path, text, named))
    return std::move(error);
  auto recipe = getPreset(named.preset.empty() ? "fp32" : named.preset);
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
