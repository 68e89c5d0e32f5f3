//===- Scaling.h - Products with powers of two ------------------*- C++ -*-===//
//
// A factor beyond float32's exponents, or a result that is subnormal, needs two
// products: the first one is exact, so the second is the only rounding.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_SCALING_H
#define DIALECTS_QOPT_NUMERICS_SCALING_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"

namespace qopt::numerics {

/// 2^n for -126 <= n <= 127.
template <class B> typename B::F powerOfTwo(B &b, typename B::I n) {
  return b.floatOf(b.shl(b.addI(n, b.i(127)), b.i(23)));
}

/// (x * 2^floor(n/2)) * 2^(n - floor(n/2)) for -252 <= n <= 252.
template <class B>
typename B::F scaleInRange(B &b, typename B::F x, typename B::I n) {
  typename B::I half = b.shrS(n, b.i(1));
  return b.mul(b.mul(x, powerOfTwo(b, half)), powerOfTwo(b, b.subI(n, half)));
}

/// x * 2^n, with n clamped to [-252, 252].
template <class B>
typename B::F scale2(B &b, typename B::F x, typename B::I n) {
  return scaleInRange(b, x, b.minS(b.maxS(n, b.i(-252)), b.i(252)));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_SCALING_H
