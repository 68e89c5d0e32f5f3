//===- Power.h - pow, reciprocal, rsqrt -------------------------*- C++ -*-===//
//
// pow(x, y) = exp(y * log|x|), with the logarithm and the product in two
// floats, since an error of the exponent is multiplied by up to 104. Frequent
// exponents have formulas of their own; where the exponent is a constant, the
// selections fold and the general path disappears.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_POWER_H
#define DIALECTS_QOPT_NUMERICS_POWER_H

#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/Logarithm.h"

namespace qopt::numerics {

/// high + low, |low| at most half an ulp of high.
template <class B> struct FloatPair {
  typename B::F high, low;
};

/// log(a) for positive finite a, right to about 2^-31. With s = f / (2 + f):
/// log(1 + f) = 2s + s^3 * p(s^2), p: degree 3, minimax, error below 2^-35.
template <class B> FloatPair<B> logPair(B &b, typename B::F a) {
  using F = typename B::F;
  SplitNumber<B> split = splitAtOne(b, a);
  F f = split.f, k = split.exponent;
  F divisor = b.add(b.f(2), f);
  F divisorLow = b.sub(f, b.sub(divisor, b.f(2)));
  F s = b.div(f, divisor);
  F sLow =
      b.div(b.fma(b.neg(s), divisorLow, b.fma(b.neg(s), divisor, f)), divisor);
  F z = b.mul(s, s);
  F p = polynomial(
      b, z, {0x1.555554p-1f, 0x1.999C26p-2f, 0x1.23D3F8p-2f, 0x1.F1324Ap-3f});
  F leading = b.add(s, s), multiple = b.mul(k, b.f(ln2Short));
  // k = 0 or |multiple| > |leading|, so the rounding of the sum is recovered.
  F sum = b.add(multiple, leading);
  F low = b.sub(leading, b.sub(sum, multiple));
  F small = b.fma(b.mul(s, z), p, b.fma(k, b.f(ln2Rest), b.add(sLow, sLow)));
  low = b.add(low, small);
  F high = b.add(sum, low);
  return {high, b.sub(low, b.sub(high, sum))};
}

/// pow(|x|, y) for every |x| and y but y = 0 and |x| = 1.
template <class B>
typename B::F powOfMagnitude(B &b, typename B::F a, typename B::F y) {
  using F = typename B::F;
  FloatPair<B> log = logPair(b, a);
  F high = b.select(b.olt(a, b.f(infinity)), log.high, a);
  high = b.select(b.oeq(a, b.f(0)), b.f(-infinity), high);
  F product = b.mul(y, high);
  F low = b.fma(y, log.low, b.fma(y, high, b.neg(product)));
  // Where the product is clamped its low part may be NaN, and does not matter.
  low = b.select(b.olt(b.abs(product), b.f(104)), low, b.f(0));
  Reduced<B> reduced = reduceByLn2(b, clampKeepNaN(b, product, -104, 89));
  return scaleInRange(b, expOfReduced(b, b.add(reduced.r, low)),
                      reduced.integer);
}

/// pow(x, y) with the special values of IEEE 754. By formula of their own:
/// y = 1: x, 2: x * x, 3: (x * x) * x, -1: 1 / x, 1/2: sqrt(x) where x is
/// finite and not -0, -1/2: 1 / sqrt(x) likewise.
template <class B>
typename B::F powF32(B &b, typename B::F x, typename B::F y) {
  using F = typename B::F;
  F a = b.abs(x), zero = b.f(0), one = b.f(1);
  F power = powOfMagnitude(b, a, y);

  F halfOfY = b.mul(y, b.f(0.5f));
  auto isInteger = b.oeq(b.floor(y), y);
  auto isOdd = b.andM(isInteger, b.une(b.floor(halfOfY), halfOfY));
  auto isNegative = b.ltS(b.bitsOf(x), b.i(0));
  power = b.select(b.andM(isNegative, isOdd), b.neg(power), power);
  auto isReal =
      b.orM(b.orM(isInteger, b.oge(x, zero)), b.oeq(a, b.f(infinity)));
  power = b.select(b.orM(isReal, b.uno(x, y)), power, b.f(quietNaN));
  // (-1)^(+-infinity) is 1, and so is 1^y for every y.
  auto isOne = b.orM(b.oeq(x, one),
                     b.andM(b.oeq(a, one), b.oeq(b.abs(y), b.f(infinity))));
  power = b.select(isOne, one, power);

  F square = b.mul(x, x), root = b.sqrt(x);
  auto hasRoot = b.andM(b.olt(a, b.f(infinity)), b.ogt(a, zero));
  auto exponentIs = [&](float value) { return b.oeq(y, b.f(value)); };
  power = b.select(b.andM(exponentIs(0.5f), hasRoot), root, power);
  power = b.select(b.andM(exponentIs(-0.5f), hasRoot), b.div(one, root), power);
  power = b.select(exponentIs(-1), b.div(one, x), power);
  power = b.select(exponentIs(1), x, power);
  power = b.select(exponentIs(2), square, power);
  power = b.select(exponentIs(3), b.mul(square, x), power);
  return b.select(exponentIs(0), one, power);
}

template <class B> typename B::F reciprocalF32(B &b, typename B::F x) {
  return b.div(b.f(1), x);
}

/// 1 / sqrt(x), two roundings.
template <class B> typename B::F rsqrtF32(B &b, typename B::F x) {
  return b.div(b.f(1), b.sqrt(x));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_POWER_H
