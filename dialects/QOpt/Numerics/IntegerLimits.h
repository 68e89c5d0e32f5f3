//===- IntegerLimits.h - The ends of an integer type ------------*- C++ -*-===//
//
// What the largest and the smallest of no integers are, as bits.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_INTEGERLIMITS_H
#define DIALECTS_QOPT_NUMERICS_INTEGERLIMITS_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

namespace qopt::numerics {

/// Booleans are 0 and 1.
inline bool hasSign(mlir::Type integer) {
  return !integer.isUnsignedInteger() && !integer.isInteger(1);
}

inline int64_t leastInteger(mlir::Type integer) {
  return hasSign(integer) ? llvm::minIntN(integer.getIntOrFloatBitWidth()) : 0;
}

inline int64_t greatestInteger(mlir::Type integer) {
  unsigned bits = integer.getIntOrFloatBitWidth();
  return hasSign(integer) ? llvm::maxIntN(bits) : llvm::maxUIntN(bits);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_INTEGERLIMITS_H
