//===- EvaluationLimit.h - Memory of compile-time values --------*- C++ -*-===//
//
// A few lines of a file can ask for a constant of any size. What is made from
// constants while a model is compiled may take a multiple of their size, and a
// fixed amount that small models need for masks and tables.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_REFERENCE_EVALUATIONLIMIT_H
#define QOPT_REFERENCE_EVALUATIONLIMIT_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/Support/MathExtras.h"

namespace qopt {

/// Bytes that values made from constants may take, where these take
/// `bytesOfConstants`.
inline uint64_t getEvaluationLimit(uint64_t bytesOfConstants) {
  return llvm::SaturatingMultiplyAdd<uint64_t>(bytesOfConstants, 16, 256 << 20);
}

/// What the elements of a constant take in memory.
inline uint64_t getSizeInBytes(ConstantOp op) {
  auto type = mlir::cast<mlir::RankedTensorType>(op.getResult().getType());
  return type.getNumElements() *
         llvm::divideCeil(getPackedBitWidth(type.getElementType()), 8);
}

} // namespace qopt

#endif // QOPT_REFERENCE_EVALUATIONLIMIT_H
