//===- Recipe.cpp - Recipe files ------------------------------------------===//
//
// The preset is read first, so that every other key changes it whatever the
// order in the file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
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
    io.mapOptional("clip-search", r.clipSearch);
    io.mapOptional("scale-rule", r.scaleRule);
    io.mapOptional("pow2", r.pow2);
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

static void collectDiagnostic(const llvm::SMDiagnostic &diagnostic, void *text) {
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
  return llvm::Error::success();
}

static llvm::Error checkWord(llvm::StringRef path, llvm::StringRef key,
                             llvm::StringRef value,
                             llvm::ArrayRef<llvm::StringRef> words) {
  if (llvm::is_contained(words, value))
    return llvm::Error::success();
  return makeError(ExitCode::BadUse, path + ": " + key + " expects " +
                                         llvm::join(words, ", ") + ", but found '" +
                                         value + "'");
}

static llvm::Error checkRecipe(llvm::StringRef path, const Recipe &recipe) {
  if (recipe.version != 1)
    return makeError(ExitCode::BadUse, path + ": expects version 1, but found " +
                                           llvm::Twine(recipe.version));
  if (llvm::Error error = checkWord(path, "activations.mode",
                                    recipe.activations.mode,
                                    {"none", "static", "dynamic"}))
    return error;
  if (llvm::Error error = checkWord(path, "calibration.range",
                                    recipe.calibration.range,
                                    {"min-max", "percentile", "squared-error"}))
    return error;
  for (const OverrideRecipe &rule : recipe.overrides) {
    if (llvm::Error error = checkWord(path, "overrides.precision", rule.precision,
                                      {"float", "static", "dynamic"}))
      return error;
    std::string problem;
    if (!llvm::Regex(rule.nodes).isValid(problem))
      return makeError(ExitCode::BadUse, path + ": overrides.nodes '" +
                                             rule.nodes + "': " + problem);
  }
  return llvm::Error::success();
}

llvm::Expected<Recipe> qopt::readRecipe(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeError(ExitCode::NoResource, "cannot read recipe '" + path + "': " +
                                               buffer.getError().message());
  Recipe named;
  if (llvm::Error error = parseInto(path, (*buffer)->getBuffer(), named))
    return std::move(error);
  auto recipe = getPreset(named.preset.empty() ? "fp32" : named.preset);
  if (!recipe)
    return recipe.takeError();
  if (llvm::Error error = parseInto(path, (*buffer)->getBuffer(), *recipe))
    return std::move(error);
  if (llvm::Error error = checkRecipe(path, *recipe))
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
