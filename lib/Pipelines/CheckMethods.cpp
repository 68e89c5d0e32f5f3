//===- CheckMethods.cpp - Whether a registry is good for recipes ----------===//
//
// Methods come from plug-ins that do not know of each other.
//
//===----------------------------------------------------------------------===//

#include "RecipeKeys.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringMap.h"

using namespace qopt;

namespace {
/// Who has which key of a section.
class SectionKeys {
public:
  /// `Section` has keys of its own.
  template <typename Section>
  SectionKeys(llvm::StringRef name, const Section &) : section(name) {
    for (const RecipeKey<Section> &key : getRecipeKeys<Section>())
      owners[key.name] = "every recipe";
  }

  void add(llvm::StringRef key, const llvm::Twine &owner) {
    auto [it, isNew] = owners.try_emplace(key, owner.str());
    if (!isNew && problem.empty())
      problem = ("the key " + section + "." + key + " belongs to " +
                 it->second + " and to " + owner)
                    .str();
  }
  void add(llvm::ArrayRef<MethodOption> options, const llvm::Twine &owner) {
    for (const MethodOption &option : options)
      add(option.name, owner);
  }

  const std::string &getProblem() const { return problem; }

private:
  llvm::StringRef section;
  llvm::StringMap<std::string> owners;
  std::string problem;
};
} // namespace

static std::string findProblem(const MethodRegistry &methods) {
  llvm::StringMap<int> names;
  SectionKeys rounding("rounding", RoundingRecipe());
  rounding.add("method", "every recipe");
  for (const auto &method : methods.getRoundingMethods()) {
    if (++names[method->getName()] > 1)
      return ("two rounding methods are called '" + method->getName() + "'")
          .str();
    rounding.add(method->getOptions(),
                 "the rounding method '" + method->getName() + "'");
  }
  SectionKeys transforms("transforms", TransformRecipe());
  for (const auto &transformation : methods.getTransformations())
    transforms.add(transformation->getOptions(),
                   "the transformation '" + transformation->getName() + "'");
  return rounding.getProblem().empty() ? transforms.getProblem()
                                       : rounding.getProblem();
}

llvm::Error qopt::checkMethods(const MethodRegistry &methods) {
  std::string problem = findProblem(methods);
  if (problem.empty())
    return llvm::Error::success();
  return makeError(ExitCode::BadUse,
                   problem + "\nnote: load one of the methods, or rename what "
                             "they share");
}
