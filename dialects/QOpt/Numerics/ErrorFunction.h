//===- ErrorFunction.h - erf ------------------------------------*- C++ -*-===//
//
// Near 0 an odd polynomial; beyond 1 the logarithm of 1 - erf is a polynomial
// that needs little precision, because exp of it is small beside 1.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_ERRORFUNCTION_H
#define DIALECTS_QOPT_NUMERICS_ERRORFUNCTION_H

#include "dialects/QOpt/Numerics/Exponential.h"

namespace qopt::numerics {

/// erf(x). |x| < 1: x + x * q(x^2), q: degree 6, minimax of erf(x)/x - 1,
/// relative error below 2^-29.3. Else 1 - exp(p(min(|x|, 4))), p: degree 6,
/// minimax of log(erfc(x)) weighted by erfc, relative error below 2^-29.7; from
/// 4 on erf rounds to 1.
template <class B> typename B::F erfF32(B &b, typename B::F x) {
  typename B::F a = b.abs(x);
  typename B::F q = polynomial(b, b.mul(a, a),
                               {0x1.06EBA8p-3f, -0x1.81273Ep-2f, 0x1.CE2CE6p-4f,
                                -0x1.B7F71Ap-6f, 0x1.53F224p-8f,
                                -0x1.A3515Ep-11f, 0x1.4771FCp-14f});
  typename B::F small = b.fma(a, q, a);
  typename B::F p = polynomial(
      b, b.select(b.ogt(a, b.f(4)), b.f(4), a),
      {-0x1.661A16p-12f, -0x1.2088ECp+0f, -0x1.46BAE6p-1f, -0x1.A65372p-4f,
       0x1.65CBDEp-6f, -0x1.825BE2p-9f, 0x1.86DF46p-13f});
  typename B::F large = b.sub(b.f(1), expNormalF32(b, p));
  return copySign(b, b.select(b.olt(a, b.f(1)), small, large), x);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_ERRORFUNCTION_H
