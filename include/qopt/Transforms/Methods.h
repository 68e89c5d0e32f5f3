//===- Methods.h - The methods that qopt comes with -------------*- C++ -*-===//

#ifndef QOPT_TRANSFORMS_METHODS_H
#define QOPT_TRANSFORMS_METHODS_H

#include "dialects/QOpt/Quantization/MethodRegistry.h"

namespace qopt {

/// What recipes know where no other registry is given.
const MethodRegistry &getMethods();

/// The transformations of CMakeLists.txt, in their order.
void registerTransformations(MethodRegistry &registry);

/// Adds them to a registry that is to have more.
void registerMethods(MethodRegistry &registry);

} // namespace qopt

#endif // QOPT_TRANSFORMS_METHODS_H
