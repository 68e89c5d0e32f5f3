//===- Remainder.h - Exact remainders of floats -----------------*- C++ -*-===//
//
// The remainder of a division to zero is always representable, so nothing may
// round on the way to it: of f32 in integers, of f64 by quotients small enough
// that their products are exact.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_REMAINDER_H
#define DIALECTS_QOPT_NUMERICS_REMAINDER_H

#include "dialects/QOpt/Numerics/DoubleFunctions.h"

namespace qopt::numerics {

/// |x| as significand * 2^(exponent - 150), the significand below 2^24.
template <class B> struct IntegerParts {
  typename B::I significand, exponent;
};

template <class B> IntegerParts<B> splitF32(B &b, typename B::F x) {
  using I = typename B::I;
  I bits = b.andI(b.bitsOf(x), b.i(0x7FFFFFFF));
  I field = b.shrU(bits, b.i(23)), fraction = b.andI(bits, b.i(0x7FFFFF));
  auto isSubnormal = b.eqI(field, b.i(0));
  return {b.select(isSubnormal, fraction, b.orI(fraction, b.i(0x800000))),
          b.maxS(field, b.i(1))};
}

/// x - trunc(x / y) * y, exact, with the sign of x; NaN where y is 0 or x is
/// infinite, x where y is.
template <class B>
typename B::F remainderF32(B &b, typename B::F x, typename B::F y) {
  using I = typename B::I;
  using L = typename B::L;
  IntegerParts<B> p = splitF32(b, x), q = splitF32(b, y);
  // Negative where |x| < |y|, which is chosen below.
  I distance = b.subI(p.exponent, q.exponent);
  L divisor = b.extendToL(q.significand);
  divisor = b.select(b.eqI(divisor, b.l(0)), b.l(1), divisor);
  L rest = b.remU(b.extendToL(p.significand), divisor);
  // 2^distance of x, 39 bits at a time: the rest is below 2^24.
  for (int left = 253; left > 0; left -= 39) {
    I step = b.minS(b.maxS(distance, b.i(0)), b.i(39));
    distance = b.subI(distance, step);
    rest = b.remU(b.shl(rest, b.extendToL(step)), divisor);
  }
  // In steps of y: with a leading bit at 23, or the exponent of subnormal
  // numbers.
  I low = b.lowHalf(rest), exponent = q.exponent;
  for (int by : {16, 8, 4, 2, 1}) {
    auto isFar =
        b.andM(b.ltS(low, b.i(1 << (24 - by))), b.gtS(exponent, b.i(by)));
    low = b.select(isFar, b.shl(low, b.i(by)), low);
    exponent = b.select(isFar, b.subI(exponent, b.i(by)), exponent);
  }
  I field = b.select(b.ltS(low, b.i(0x800000)), b.i(0), exponent);
  I sign = b.andI(b.bitsOf(x), b.i(std::numeric_limits<int32_t>::min()));
  I bits = b.orI(b.shl(field, b.i(23)), b.andI(low, b.i(0x7FFFFF)));
  auto inf = b.f(infinity);
  auto result = b.floatOf(b.orI(bits, sign));
  // |x| < |y|: also where y is infinite.
  result = b.select(b.olt(b.abs(x), b.abs(y)), x, result);
  auto isNumber = b.andM(b.olt(b.abs(x), inf), b.ogt(b.abs(y), b.f(0)));
  return b.select(isNumber, result, b.f(quietNaN));
}

/// The exponent of |x|, a normal number, as a D.
template <class B> typename B::D exponentF64(B &b, typename B::D x) {
  typename B::L field = b.andI(b.shrU(b.bitsOf(x), b.l(52)), b.l(0x7FF));
  return b.sub(b.toDouble(field), b.d(1023));
}

template <class B>
typename B::D remainderF64(B &b, typename B::D x, typename B::D y) {
  using D = typename B::D;
  D inf = b.d(infinityF64), zero = b.d(0);
  auto isNumber = b.andM(b.olt(b.abs(x), inf),
                         b.andM(b.ogt(b.abs(y), zero), b.olt(b.abs(y), inf)));
  D rest = b.select(isNumber, b.abs(x), zero);
  D divisor = b.select(isNumber, b.abs(y), b.d(1));
  auto isSmall = b.olt(divisor, b.d(0x1p-1022));
  D exponent = b.sub(
      exponentF64(b, b.select(isSmall, b.mul(divisor, b.d(0x1p54)), divisor)),
      b.select(isSmall, b.d(54), zero));
  // Each step leaves less than divisor * 2^shift, where the quotient by that
  // has 54 bits or fewer, and a whole number of these is exact.
  auto reduceBy = [&](D part) {
    D quotient = b.floor(b.div(rest, part));
    rest = b.fma(b.neg(quotient), part, rest);
    // The quotient was rounded up to a whole number.
    rest = b.select(b.olt(rest, zero), b.add(rest, part), rest);
  };
  for (int left = 2098; left > 50; left -= 50) {
    D shift = b.sub(b.sub(exponentF64(b, rest), exponent), b.d(50));
    shift = b.select(b.ogt(shift, zero), shift, zero);
    shift = b.select(b.olt(shift, b.d(2044)), shift, b.d(2044));
    reduceBy(scaleF64(b, divisor, shift));
  }
  reduceBy(divisor);
  D result = copySignF64(b, rest, x);
  auto isX = b.andM(b.olt(b.abs(x), inf), b.oeq(b.abs(y), inf));
  return b.select(isX, x, b.select(isNumber, result, b.d(quietNaNF64)));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_REMAINDER_H
