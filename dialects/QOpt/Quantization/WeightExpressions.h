//===- WeightExpressions.h - Values that only constants decide --*- C++ -*-===//
//
// Transforms write weight expressions instead of weights; these functions ask
// whether a value is one.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_WEIGHTEXPRESSIONS_H
#define DIALECTS_QOPT_QUANTIZATION_WEIGHTEXPRESSIONS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// True when `value` is made of constants alone, by at most 512 ops.
bool isWeightExpression(mlir::Value value);

/// True where `value` is a dequantize of codes of `format`: a plan for that
/// format leaves it as the model has it.
bool isInCodesOf(mlir::Value value, FormatAttr format);

/// The operands of a contraction with a weight.
struct WeightedContraction {
  mlir::OpOperand *activation;
  mlir::OpOperand *weight;
  /// Axis of the output channels, and of the products, in the weight.
  int64_t outputAxis, productAxis;
  /// Axis of the products in the activation.
  int64_t activationAxis;
  bool isConv, isDepthwise;
};

/// The view of a float conv, or of a matmul whose rhs is a weight expression
/// of rank 2; nothing for every other op.
std::optional<WeightedContraction> getWeightedContraction(mlir::Operation *op);

} // namespace qopt

#endif
