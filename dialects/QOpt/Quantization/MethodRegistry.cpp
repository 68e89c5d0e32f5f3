//===- MethodRegistry.cpp - Every method that a recipe may name -----------===//

#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include "llvm/ADT/STLExtras.h"

using namespace qopt;

/// Adds options of `method` to those that a section of the recipe has.
static void addOptions(std::deque<MethodOption> &section,
                       llvm::StringRef method,
                       llvm::ArrayRef<MethodOption> options) {
  for (const MethodOption &option : options) {
    section.push_back(option);
    // The key that turns a transformation on says what that is.
    if (option.name != method)
      section.back().meaning = (method + ": " + option.meaning).str();
  }
}

void MethodRegistry::add(std::unique_ptr<RoundingMethod> method) {
  llvm::StringRef name = method->getName();
  if (roundingOptions.empty())
    roundingOptions.push_back({"method",
                               name.str(),
                               {},
                               "how weights are rounded",
                               "gptq",
                               "w4a16-g32"});
  MethodOption &choice = roundingOptions.front();
  choice.values.words.push_back(name);
  choice.meaning += ("; " + name + " " + method->getMeaning()).str();
  addOptions(roundingOptions, name, method->getOptions());
  if (method->getNeeds(getRoundingOptions()).any())
    choice.meaning += ", by samples";
  roundingMethods.push_back(std::move(method));
}

const RoundingMethod *
MethodRegistry::findRoundingMethod(llvm::StringRef name) const {
  for (const std::unique_ptr<RoundingMethod> &method : roundingMethods)
    if (method->getName() == name)
      return method.get();
  return nullptr;
}

void MethodRegistry::add(std::unique_ptr<Transformation> transformation) {
  addOptions(transformOptions, transformation->getName(),
             transformation->getOptions());
  transformations.push_back(std::move(transformation));
}

static MethodOptions initialOptions(const std::deque<MethodOption> &section) {
  llvm::SmallVector<const MethodOption *> declarations;
  for (const MethodOption &option : section)
    declarations.push_back(&option);
  return MethodOptions(declarations);
}

MethodOptions MethodRegistry::getRoundingOptions() const {
  return initialOptions(roundingOptions);
}

MethodOptions MethodRegistry::getTransformOptions() const {
  return initialOptions(transformOptions);
}
