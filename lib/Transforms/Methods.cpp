//===- Methods.cpp - The methods that qopt comes with ---------------------===//

#include "qopt/Transforms/Methods.h"

using namespace qopt;

void qopt::registerMethods(MethodRegistry &registry) {
  registerRoundingMethods(registry);
  registerTransformations(registry);
}

const MethodRegistry &qopt::getMethods() {
  static const std::unique_ptr<MethodRegistry> methods = [] {
    auto registry = std::make_unique<MethodRegistry>();
    registerMethods(*registry);
    return registry;
  }();
  return *methods;
}
