//===- DoubleFunctions.h - Functions of float64 -----------------*- C++ -*-===//
//
// As those of f32, by polynomials in fma: Taylor series on ranges so short that
// their rest is below half an ulp. Results are right to a few ulp, powers to
// 2^-43.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_DOUBLEFUNCTIONS_H
#define DIALECTS_QOPT_NUMERICS_DOUBLEFUNCTIONS_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"
#include <cstdint>

namespace qopt::numerics {

inline constexpr double infinityF64 = std::numeric_limits<double>::infinity();
inline constexpr double quietNaNF64 = std::numeric_limits<double>::quiet_NaN();
/// ln(2) in two parts; products of the first with an exponent are exact.
inline constexpr double ln2HighF64 = 0x1.62E42FEFA0000p-1;
inline constexpr double ln2LowF64 = 0x1.CF79ABC9E3B39p-40;

/// c[0] + c[1] * x + c[2] * x^2 ..., by Horner's rule in fma.
template <class B>
typename B::D polynomialF64(B &b, typename B::D x,
                            std::initializer_list<double> coefficients) {
  const double *c = coefficients.end() - 1;
  typename B::D sum = b.d(*c);
  while (c != coefficients.begin())
    sum = b.fma(sum, x, b.d(*--c));
  return sum;
}

/// 2^n for -1022 <= n <= 1023.
template <class B> typename B::D powerOfTwoF64(B &b, typename B::L n) {
  return b.doubleOf(b.shl(b.addI(n, b.l(1023)), b.l(52)));
}

/// x * 2^n for |n| <= 2044, an integral D, with one rounding where x is normal.
template <class B>
typename B::D scaleF64(B &b, typename B::D x, typename B::D n) {
  typename B::D half = b.floor(b.mul(n, b.d(0.5)));
  return b.mul(b.mul(x, powerOfTwoF64(b, b.toLong(half))),
               powerOfTwoF64(b, b.toLong(b.sub(n, half))));
}

/// exp(r) - 1 for |r| <= 0.35: the series to r^13 / 13!.
template <class B> typename B::D expOneLessOfReduced(B &b, typename B::D r) {
  typename B::D rest =
      polynomialF64(b, r,
                    {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720,
                     1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
                     1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800});
  return b.fma(b.mul(r, r), rest, r);
}

/// exp(high + low) where |low| is far below an ulp of exp(high)'s exponent.
template <class B>
typename B::D expOfSum(B &b, typename B::D high, typename B::D low) {
  using D = typename B::D;
  D x = b.select(b.olt(high, b.d(-760)), b.d(-760), high);
  x = b.select(b.ogt(x, b.d(720)), b.d(720), x);
  // NaN has no integer; what is made of 0 is replaced by it below.
  D known = b.select(b.uno(x, x), b.d(0), x);
  D k = b.roundEven(b.mul(known, b.d(0x1.71547652B82FEp0)));
  D r = b.fma(k, b.d(-ln2HighF64), known);
  r = b.add(b.fma(k, b.d(-ln2LowF64), r), low);
  D result = scaleF64(b, b.add(b.d(1), expOneLessOfReduced(b, r)), k);
  return b.select(b.uno(x, x), x, result);
}

template <class B> typename B::D expF64(B &b, typename B::D x) {
  return expOfSum(b, x, b.d(0));
}

/// log(x): x = 2^k * (1 + f), s = f / (2 + f),
/// log(1 + f) = 2 (s + s^3 / 3 + s^5 / 5 ...).
template <class B> typename B::D logF64(B &b, typename B::D x) {
  using D = typename B::D;
  using L = typename B::L;
  auto isSubnormal = b.olt(x, b.d(0x1p-1022));
  D normal = b.select(isSubnormal, b.mul(x, b.d(0x1p54)), x);
  // The significand from sqrt(1/2) on.
  L bits = b.bitsOf(normal);
  L shifted = b.subI(bits, b.l(int64_t(0x3FE6A09E667F3BCD)));
  // Floored: by a shift that copies no sign, of what is made positive.
  L exponent = b.subI(b.shrU(b.addI(shifted, b.l(int64_t(1) << 62)), b.l(52)),
                      b.l(1024));
  D m = b.doubleOf(b.subI(bits, b.shl(exponent, b.l(52))));
  D k = b.sub(b.toDouble(exponent), b.select(isSubnormal, b.d(54), b.d(0)));
  D f = b.sub(m, b.d(1)), s = b.div(f, b.add(b.d(2), f)), z = b.mul(s, s);
  D p = polynomialF64(b, z,
                      {2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13,
                       2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23});
  D small = b.fma(k, b.d(ln2LowF64), b.mul(b.mul(s, z), p));
  D result = b.add(b.mul(k, b.d(ln2HighF64)), b.add(b.add(s, s), small));
  result = b.select(b.oeq(x, b.d(0)), b.d(-infinityF64), result);
  result = b.select(b.oeq(x, b.d(infinityF64)), x, result);
  return b.select(b.oge(x, b.d(0)), result, b.d(quietNaNF64));
}

template <class B> typename B::D sigmoidF64(B &b, typename B::D x) {
  return b.div(b.d(1), b.add(b.d(1), expF64(b, b.neg(x))));
}

/// |magnitude| with the sign bit of `sign`.
template <class B>
typename B::D copySignF64(B &b, typename B::D magnitude, typename B::D sign) {
  typename B::L top = b.l(std::numeric_limits<int64_t>::min());
  return b.doubleOf(
      b.orI(b.bitsOf(b.abs(magnitude)), b.andI(b.bitsOf(sign), top)));
}

/// e / (e + 2) with e = exp(2 |x|) - 1, and the sign of x.
template <class B> typename B::D tanhF64(B &b, typename B::D x) {
  using D = typename B::D;
  D twice = b.add(b.abs(x), b.abs(x));
  D bounded = b.select(b.ogt(twice, b.d(44)), b.d(44), twice);
  D e = b.select(b.olt(bounded, b.d(0.34)), expOneLessOfReduced(b, bounded),
                 b.sub(expF64(b, bounded), b.d(1)));
  D result = copySignF64(b, b.div(e, b.add(e, b.d(2))), x);
  return b.select(b.uno(x, x), x, result);
}

/// log(1 + exp(x)) = max(x, 0) + log(1 + u), u = exp(-|x|); the rounding of
/// 1 + u is divided away.
template <class B> typename B::D softplusF64(B &b, typename B::D x) {
  using D = typename B::D;
  D u = expF64(b, b.neg(b.abs(x))), sum = b.add(b.d(1), u);
  D exact = b.div(b.mul(u, logF64(b, sum)), b.sub(sum, b.d(1)));
  D log = b.select(b.oeq(sum, b.d(1)), u, exact);
  return b.add(b.max(x, b.d(0)), log);
}

/// pow(x, y) with the special values of powF32: exp(y * log|x|), where the
/// rounding of the product is added. y = 1: x, 2: x * x, 3: (x * x) * x, -1:
/// 1 / x, 1/2: sqrt(x) where x is finite and above 0.
template <class B>
typename B::D powF64(B &b, typename B::D x, typename B::D y) {
  using D = typename B::D;
  D a = b.abs(x), zero = b.d(0), one = b.d(1), inf = b.d(infinityF64);
  D log = logF64(b, a), product = b.mul(y, log);
  D low = b.fma(y, log, b.neg(product));
  low = b.select(b.olt(b.abs(product), b.d(760)), low, zero);
  D power = expOfSum(b, product, low);
  D halfOfY = b.mul(y, b.d(0.5));
  auto isInteger = b.oeq(b.floor(y), y);
  auto isOdd = b.andM(isInteger, b.une(b.floor(halfOfY), halfOfY));
  auto isNegative = b.ltS(b.bitsOf(x), b.l(0));
  power = b.select(b.andM(isNegative, isOdd), b.neg(power), power);
  auto isReal = b.orM(b.orM(isInteger, b.oge(x, zero)), b.oeq(a, inf));
  power = b.select(b.orM(isReal, b.uno(x, y)), power, b.d(quietNaNF64));
  auto isOne =
      b.orM(b.oeq(x, one), b.andM(b.oeq(a, one), b.oeq(b.abs(y), inf)));
  power = b.select(isOne, one, power);
  auto hasRoot = b.andM(b.olt(a, inf), b.ogt(a, zero));
  auto exponentIs = [&](double value) { return b.oeq(y, b.d(value)); };
  D square = b.mul(x, x);
  power = b.select(b.andM(exponentIs(0.5), hasRoot), b.sqrt(x), power);
  power = b.select(exponentIs(-1), b.div(one, x), power);
  power = b.select(exponentIs(1), x, power);
  power = b.select(exponentIs(2), square, power);
  power = b.select(exponentIs(3), b.mul(square, x), power);
  return b.select(exponentIs(0), one, power);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_DOUBLEFUNCTIONS_H
