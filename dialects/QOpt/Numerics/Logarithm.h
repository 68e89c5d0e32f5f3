//===- Logarithm.h - log and log1p ------------------------------*- C++ -*-===//
//
// log(x) = k * ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)). k comes from
// the exponent bits; subnormal arguments are scaled up first.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_LOGARITHM_H
#define DIALECTS_QOPT_NUMERICS_LOGARITHM_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"
#include <cstdint>

namespace qopt::numerics {

/// ln 2 as a term of 15 bits, whose product with an exponent is exact, and the
/// rest.
inline constexpr float ln2Short = 0x1.62E4p-1f;
inline constexpr float ln2Rest = 0x1.7F7D1Cp-20f;

/// x = 2^exponent * (1 + f) for positive finite x; f is exact.
template <class B> struct SplitNumber {
  typename B::F exponent;
  typename B::F f;
};

template <class B> SplitNumber<B> splitAtOne(B &b, typename B::F x) {
  auto isSubnormal = b.olt(x, b.f(0x1p-126f));
  x = b.select(isSubnormal, b.mul(x, b.f(0x1p23f)), x);
  typename B::I bits = b.bitsOf(x);
  constexpr int32_t sqrtHalf = 0x3F3504F3;
  typename B::I k = b.shrS(b.subI(bits, b.i(sqrtHalf)), b.i(23));
  typename B::F significand = b.floatOf(b.subI(bits, b.shl(k, b.i(23))));
  k = b.addI(k, b.select(isSubnormal, b.i(-23), b.i(0)));
  return {b.toFloat(k), b.sub(significand, b.f(1))};
}

/// log(x); log(+-0) = -infinity, NaN below 0. log(1 + f) = f + f^2 * q(f), q:
/// degree 9, minimax of (log(1 + f) - f) / f^2, relative error below 2^-30.2.
template <class B> typename B::F logF32(B &b, typename B::F x) {
  SplitNumber<B> split = splitAtOne(b, x);
  typename B::F f = split.f, k = split.exponent;
  typename B::F q =
      polynomial(b, f,
                 {-0x1p-1f, 0x1.555548p-2f, -0x1.000006p-2f, 0x1.99A476p-3f,
                  -0x1.555C46p-3f, 0x1.233BA8p-3f, -0x1.FC2886p-4f,
                  0x1.E6BF3Ap-4f, -0x1.DE02BEp-4f, 0x1.14761p-4f});
  typename B::F low = b.fma(b.mul(f, f), q, b.mul(k, b.f(ln2Rest)));
  typename B::F log = b.fma(k, b.f(ln2Short), b.add(f, low));
  log = b.select(b.olt(x, b.f(infinity)), log, x);
  log = b.select(b.olt(x, b.f(0)), b.f(quietNaN), log);
  return b.select(b.oeq(x, b.f(0)), b.f(-infinity), log);
}

/// log(1 + x) for 0 <= x <= 1. What the sum 1 + x loses is added to first
/// order.
template <class B> typename B::F log1pOfUnitF32(B &b, typename B::F x) {
  typename B::F sum = b.add(b.f(1), x);
  typename B::F lost = b.sub(x, b.sub(sum, b.f(1)));
  return b.add(logF32(b, sum), b.div(lost, sum));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_LOGARITHM_H
