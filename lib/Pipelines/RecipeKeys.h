//===- RecipeKeys.h - The keys of a recipe file -----------------*- C++ -*-===//
//
// One table a section, and the options that methods declare. The reader, the
// checks, --dump-recipe and the reference in docs/recipe.md are derived from
// these.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_RECIPEKEYS_H
#define LIB_PIPELINES_RECIPEKEYS_H

#include "qopt/Pipelines/Recipe.h"
#include "llvm/ADT/STLExtras.h"
#include <optional>
#include <variant>

namespace qopt {

/// A key of a section that `Section` holds.
template <typename Section> struct RecipeKey {
  llvm::StringLiteral name;
  std::variant<std::string Section::*, double Section::*, int64_t Section::*,
               bool Section::*>
      field;
  OptionValues values;
  llvm::StringLiteral meaning;
  /// A value for the reference, and the preset that it changes.
  llvm::StringLiteral example;
  llvm::StringLiteral preset = "w8a8";
};

template <typename Section> llvm::ArrayRef<RecipeKey<Section>> getRecipeKeys();

template <> llvm::ArrayRef<RecipeKey<WeightRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<ActivationRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<TransformRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<CalibrationRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<RoundingRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<CacheRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<PolicyRecipe>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<OverrideActivations>> getRecipeKeys();
template <> llvm::ArrayRef<RecipeKey<OverrideRecipe>> getRecipeKeys();

/// The keys that methods declare, which stand before those of the table; null
/// for a section without any.
template <typename Section> MethodOptions *getMethodOptions(Section &) {
  return nullptr;
}
inline MethodOptions *getMethodOptions(TransformRecipe &section) {
  return &section.options;
}
inline const MethodOptions *getMethodOptions(const TransformRecipe &section) {
  return &section.options;
}
inline MethodOptions *getMethodOptions(RoundingRecipe &section) {
  return &section.options;
}
inline const MethodOptions *getMethodOptions(const RoundingRecipe &section) {
  return &section.options;
}

/// Fails where two methods have one name or one key of a recipe.
llvm::Error checkMethods(const MethodRegistry &methods);

/// The value of `key` in `section` as a recipe file has it.
template <typename Section>
std::string getText(const RecipeKey<Section> &key, const Section &section) {
  return std::visit(
      [&](auto field) -> std::string {
        const auto &value = section.*field;
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>)
          return value;
        else if constexpr (std::is_same_v<Value, bool>)
          return value ? "true" : "false";
        else
          return formatNumber(value);
      },
      key.field);
}

/// True when no key differs from what a recipe that does not name it has.
template <typename Section> bool isDefault(const Section &section) {
  return llvm::all_of(getRecipeKeys<Section>(), [&](const auto &key) {
    return getText(key, section) == getText(key, Section());
  });
}

/// What is wrong with a value, for the first key that does not take its own;
/// `prefix` stands before its name, as in "weights.".
template <typename Section>
std::optional<std::string> findBadValue(llvm::StringRef prefix,
                                        const Section &section) {
  if (const MethodOptions *options = getMethodOptions(section))
    for (const MethodOptions::Entry &entry : options->entries)
      if (auto problem =
              entry.declaration->values.findProblem(formatValue(entry.value)))
        return (prefix + entry.declaration->name + " " + *problem).str();
  for (const RecipeKey<Section> &key : getRecipeKeys<Section>())
    if (auto problem = key.values.findProblem(getText(key, section)))
      return (prefix + key.name + " " + *problem).str();
  return std::nullopt;
}

} // namespace qopt

#endif
