//===- Precision.h - Precisions in words ------------------------*- C++ -*-===//
//
// The words of the columns asked, planned and realised: `float`, `float x ui4`,
// `i8 x i8 static`, `mxfp4 x mxfp4`.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_PRECISION_H
#define LIB_PIPELINES_PRECISION_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "qopt/Pipelines/Recipe.h"

namespace qopt {

/// True for ops whose products count.
bool isContraction(mlir::Operation *op);

/// What policy planned.
std::string describeRequest(RequestAttr request);

/// What is asked of a contraction with a weight, or of a table that is
/// gathered.
std::string describeAsked(mlir::Operation *op, const NodePrecision &asked);

/// What a contraction or a gathered table is in the program.
std::string describePrecision(mlir::Operation *op);

/// What any other op makes: `float`, `integer`, or the type of its codes; empty
/// for conversions.
std::string describeValues(mlir::Operation *op);

/// Multiply-accumulates of one run; a dim that is unknown counts as 1.
uint64_t countMacs(mlir::Operation *op);

} // namespace qopt

#endif
