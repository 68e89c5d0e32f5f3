//===- CheckOverrides.cpp - Every override of a recipe matches a node -----===//
//
// A typing error in a pattern would go unnoticed: what may have been meant is
// looked for among the nodes of the model.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "qopt/Support/NearestName.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace qopt;

/// Why an override matches nothing, and what may have been meant.
static std::string describeMismatch(const OverrideRecipe &rule,
                                    ArrayRef<ContractRow> rows) {
  bool isOperator = rule.nodes.empty();
  StringRef pattern = isOperator ? rule.ops : rule.nodes;
  std::string text = "override '" + rule.pattern() + "' matches no node";
  OverrideRecipe byName = rule;
  byName.ops.clear();
  StringRef part;
  NearestName nearest(pattern);
  for (const ContractRow &row : rows) {
    if (!isOperator && byName.matches(row.node, row.op))
      return text + " of operator '" + rule.ops + "': node \"" + row.node +
             "\" is of " + row.op;
    StringRef name = isOperator ? row.op : row.node;
    if (part.empty() && llvm::Regex(pattern).match(name))
      part = name;
    nearest.add(name);
  }
  if (!part.empty())
    return text + ", only a part of '" + part.str() +
           "'\nnote: a pattern matches whole names; write .* where anything "
           "may "
           "stand";
  return text + (nearest.get().empty()
                     ? "\nnote: --report DIR, without the override, "
                       "lists the names of all nodes"
                     : suggest(nearest.get()));
}

/// Every override must match a node: a typing error would go unnoticed.
llvm::Error Compilation::checkOverrides() {
  for (const OverrideRecipe &rule : report.recipe.overrides) {
    OverrideMatch match;
    match.pattern = rule.pattern();
    for (const ContractRow &row : report.contract.getRows())
      if (rule.matches(row.node, row.op))
        match.nodes.push_back(row.id);
    if (match.nodes.empty())
      return makeError(ExitCode::BadUse,
                       describeMismatch(rule, report.contract.getRows()));
    report.overrides.push_back(std::move(match));
  }
  return llvm::Error::success();
}
