//===- RecipeRules.h - What a recipe's keys may say together ----*- C++ -*-===//
//
// Each key has its own values; these rules are about several. A recipe that
// breaks one would be read and mean nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_RECIPERULES_H
#define QOPT_PIPELINES_RECIPERULES_H

#include "qopt/Pipelines/Recipe.h"

namespace qopt {

struct RecipeRule {
  /// The key that is wrong where the rule is broken.
  llvm::StringLiteral key;
  /// What holds, as the documentation says it.
  llvm::StringLiteral text;
  /// What was found and what to write instead, for the nodes of which `asked`
  /// is asked; empty where the rule holds. Every key has one of its own values
  /// already.
  std::string (*findProblem)(const Recipe &recipe, const NodePrecision &asked);
};

llvm::ArrayRef<RecipeRule> getRecipeRules();

/// What holds for the key of a transformation, as the documentation says it;
/// empty where nothing does.
std::string describeRule(const Transformation &transformation);

/// What is wrong with the first transformation that is turned on where it has
/// nothing to do; empty where there is none.
std::string findUnusedTransformation(const Recipe &recipe);

} // namespace qopt

#endif
