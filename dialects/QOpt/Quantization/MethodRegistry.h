//===- MethodRegistry.h - Every method that a recipe may name ---*- C++ -*-===//
//
// Recipes take their keys from a registry and keep it, so a method that a
// program adds to its own is known to its recipes alone.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_METHODREGISTRY_H
#define DIALECTS_QOPT_QUANTIZATION_METHODREGISTRY_H

#include "dialects/QOpt/Quantization/RoundingMethod.h"
#include "dialects/QOpt/Quantization/Transformation.h"
#include <deque>
#include <memory>

namespace qopt {

class MethodRegistry {
public:
  /// Adds a method. Recipes refuse a registry in which its name or those of its
  /// options are another's too. The first one is taken where a recipe names
  /// none.
  void add(std::unique_ptr<RoundingMethod> method);
  /// Adds a transformation that runs behind those that were added before.
  void add(std::unique_ptr<Transformation> transformation);

  /// In the order in which they were added.
  llvm::ArrayRef<std::unique_ptr<RoundingMethod>> getRoundingMethods() const {
    return roundingMethods;
  }
  /// Null for an unknown name.
  const RoundingMethod *findRoundingMethod(llvm::StringRef name) const;
  /// The method that `options` name.
  const RoundingMethod &getRoundingMethod(const MethodOptions &options) const {
    return *findRoundingMethod(options.get<std::string>("method"));
  }
  /// `method` and the options of all methods, each as it is where a recipe does
  /// not name it.
  MethodOptions getRoundingOptions() const;

  llvm::ArrayRef<std::unique_ptr<Transformation>> getTransformations() const {
    return transformations;
  }
  /// The options of all transformations, which are off where a recipe does not
  /// name them.
  MethodOptions getTransformOptions() const;

private:
  std::vector<std::unique_ptr<RoundingMethod>> roundingMethods;
  /// `method` is the first; their places do not change.
  std::deque<MethodOption> roundingOptions;
  std::vector<std::unique_ptr<Transformation>> transformations;
  std::deque<MethodOption> transformOptions;
};

/// The rounding methods of CMakeLists.txt; `nearest` is the first.
void registerRoundingMethods(MethodRegistry &registry);

} // namespace qopt

#endif
