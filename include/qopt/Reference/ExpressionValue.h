//===- ExpressionValue.h - The value of a weight expression -----*- C++ -*-===//
//
// Transforms write expressions; what chooses numbers looks at their values.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_REFERENCE_EXPRESSIONVALUE_H
#define QOPT_REFERENCE_EXPRESSIONVALUE_H

#include "mlir/IR/Value.h"
#include "qopt/Support/HostTensor.h"
#include <optional>

namespace qopt {

/// The value of a weight expression, for a search that needs the numbers;
/// nothing when Reference cannot evaluate it.
std::optional<HostTensor> evaluateExpression(mlir::Value value);

} // namespace qopt

#endif // QOPT_REFERENCE_EXPRESSIONVALUE_H
