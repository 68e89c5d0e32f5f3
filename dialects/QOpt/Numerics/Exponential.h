//===- Exponential.h - exp and what is made of it ---------------*- C++ -*-===//
//
// exp(x) = 2^n * exp(r), n = rne(x / ln 2), |r| <= ln 2 / 2. The sum with
// 1.5 * 2^23 leaves n in the low bits of a float, so that no NaN is ever
// converted to an integer. Subnormal results are rounded once, never flushed.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_EXPONENTIAL_H
#define DIALECTS_QOPT_NUMERICS_EXPONENTIAL_H

#include "dialects/QOpt/Numerics/Scaling.h"

namespace qopt::numerics {

/// ln 2 in two float32 terms: their sum is right to 2^-54.
inline constexpr float ln2High = 0x1.62E43p-1f;
inline constexpr float ln2Low = -0x1.05C61p-29f;

/// x = n * period + r for |n| < 2^22.
template <class B> struct Reduced {
  typename B::F r;
  typename B::F n;
  typename B::I integer;
};

/// n = rne(x * inverse) as a float and as an integer; `r` is left as x.
template <class B>
Reduced<B> nearestMultiple(B &b, typename B::F x, float inverse) {
  constexpr float shifter = 0x1.8p23f;
  typename B::F shifted = b.fma(x, b.f(inverse), b.f(shifter));
  return {x, b.sub(shifted, b.f(shifter)),
          b.subI(b.bitsOf(shifted), b.bitsOf(b.f(shifter)))};
}

/// x = n * ln 2 + r.
template <class B> Reduced<B> reduceByLn2(B &b, typename B::F x) {
  Reduced<B> reduced = nearestMultiple(b, x, 0x1.715476p+0f);
  reduced.r = b.fma(reduced.n, b.f(-ln2High), x);
  reduced.r = b.fma(reduced.n, b.f(-ln2Low), reduced.r);
  return reduced;
}

/// exp(r) = 1 + (r + r^2 * q(r)), |r| <= 0.3466. q: degree 4, minimax of
/// (exp(r) - 1 - r) / r^2, relative error of exp(r) below 2^-28.2.
template <class B> typename B::F expOfReduced(B &b, typename B::F r) {
  typename B::F q = polynomial(b, r,
                               {0x1.FFFFFCp-2f, 0x1.555492p-3f, 0x1.5558AEp-5f,
                                0x1.12398p-7f, 0x1.6A4F28p-10f});
  return b.add(b.f(1), b.fma(b.mul(r, r), q, r));
}

/// exp(x), within 1.1 ulp, also where the result is subnormal. Below -104 it is
/// 0 and not computed: a product that underflows costs a processor more than
/// all the others, and masks of attention make many of them.
template <class B> typename B::F expF32(B &b, typename B::F x) {
  auto isZero = b.olt(x, b.f(-104));
  // Beyond 89 the result is infinity.
  x = b.select(b.ogt(x, b.f(89)), b.f(89), b.select(isZero, b.f(0), x));
  Reduced<B> reduced = reduceByLn2(b, x);
  return b.select(isZero, b.f(0),
                  scaleInRange(b, expOfReduced(b, reduced.r), reduced.integer));
}

/// exp(x) for -87 <= x <= 88, where the result is normal: the same bits as
/// expF32 in fewer operations.
template <class B> typename B::F expNormalF32(B &b, typename B::F x) {
  Reduced<B> reduced = reduceByLn2(b, x);
  return b.mul(expOfReduced(b, reduced.r), powerOfTwo(b, reduced.integer));
}

/// 1 / (1 + exp(-x)), as (x < 0 ? e : 1) / (1 + e) with e = exp(-|x|): small
/// results keep their precision.
template <class B> typename B::F sigmoidF32(B &b, typename B::F x) {
  typename B::F e = expF32(b, b.neg(b.abs(x)));
  return b.div(b.select(b.olt(x, b.f(0)), e, b.f(1)), b.add(b.f(1), e));
}

/// tanh(x): below 0.625 x + x^3 * p(x^2), above 1 - 2 / (exp(2|x|) + 1). p:
/// degree 4, minimax of (tanh(x) - x) / x^3, relative error below 2^-27.6.
template <class B> typename B::F tanhF32(B &b, typename B::F x) {
  typename B::F a = b.abs(x), z = b.mul(a, a);
  typename B::F p =
      polynomial(b, z,
                 {-0x1.555532p-2f, 0x1.1106FCp-3f, -0x1.B83738p-5f,
                  0x1.5207B8p-6f, -0x1.75619Ap-8f});
  typename B::F small = b.fma(b.mul(a, z), p, a);
  typename B::F e = expF32(b, b.add(a, a));
  typename B::F large = b.sub(b.f(1), b.div(b.f(2), b.add(e, b.f(1))));
  return copySign(b, b.select(b.olt(a, b.f(0.625f)), small, large), x);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_EXPONENTIAL_H
