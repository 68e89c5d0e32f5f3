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

/// True for a contraction that can have codes as operands.
bool isContractionOfCodes(mlir::Operation *op);

/// The view of a float contraction whose rhs is a weight expression, of rank 2
/// in a product; nothing for every other op.
std::optional<Contraction> getWeightedContraction(mlir::Operation *op);

} // namespace qopt

#endif
