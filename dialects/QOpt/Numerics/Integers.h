//===- Integers.h - From reals and accumulators to integer codes *- C++ -*-===//
//
// All clamp to [low, high] with the zero point added after the rounding. Bounds
// less the zero point are below 2^24, so they are exact as floats, and clamping
// by them keeps NaN, infinity and huge values away from the conversion. As they
// are integers it does not matter that it is done before the rounding; then
// rounding and conversion are one instruction.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_INTEGERS_H
#define DIALECTS_QOPT_NUMERICS_INTEGERS_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"
#include <cstdint>

namespace qopt::numerics {

/// clamp(rne(x) + zero, low, high); NaN gives `low`.
template <class B>
typename B::I roundToCode(B &b, typename B::F x, typename B::I zero,
                          int32_t low, int32_t high) {
  typename B::F lowest = b.toFloat(b.subI(b.i(low), zero));
  typename B::F highest = b.toFloat(b.subI(b.i(high), zero));
  x = b.select(b.ogt(x, lowest), x, lowest);
  x = b.select(b.olt(x, highest), x, highest);
  return b.addI(b.toInt(b.roundEven(x)), zero);
}

/// clamp(rne(x * inverseScale) + zero, low, high).
template <class B>
typename B::I quantizeToInt(B &b, typename B::F x, typename B::F inverseScale,
                            typename B::I zero, int32_t low, int32_t high) {
  return roundToCode(b, b.mul(x, inverseScale), zero, low, high);
}

/// clamp(rne(x / scale) + zero, low, high).
template <class B>
typename B::I quantizeDivide(B &b, typename B::F x, typename B::F scale,
                             typename B::I zero, int32_t low, int32_t high) {
  return roundToCode(b, b.div(x, scale), zero, low, high);
}

/// clamp(rne(f32(accumulator) * multiplier) + zero, low, high).
template <class B>
typename B::I requantize(B &b, typename B::I accumulator,
                         typename B::F multiplier, typename B::I zero,
                         int32_t low, int32_t high) {
  return roundToCode(b, b.mul(b.toFloat(accumulator), multiplier), zero, low,
                     high);
}

/// f32(code - zero) * scale.
template <class B>
typename B::F dequantizeInt(B &b, typename B::I code, typename B::I zero,
                            typename B::F scale) {
  return b.mul(b.toFloat(b.subI(code, zero)), scale);
}

/// x / 2^n rounded to nearest even, in integers. n >= 32 gives 0; n < 0 shifts
/// to the left and saturates.
template <class B>
typename B::I rshiftRne(B &b, typename B::I x, typename B::I n) {
  using I = typename B::I;
  I zero = b.i(0), one = b.i(1), most = b.i(31);
  // Right: at n = 0 the rest and the half are both 0, so the tie is masked out.
  I right = b.minS(b.maxS(n, zero), most);
  I quotient = b.shrS(x, right);
  I half = b.shrU(b.shl(one, right), one);
  I rest = b.andI(x, b.subI(b.shl(one, right), one));
  auto isUp = b.orM(b.gtS(rest, half),
                    b.andM(b.andM(b.eqI(rest, half), b.neI(half, zero)),
                           b.neI(b.andI(quotient, one), zero)));
  I rounded = b.addI(quotient, b.select(isUp, one, zero));
  rounded = b.select(b.gtS(n, most), zero, rounded);

  I left = b.minS(b.maxS(b.subI(zero, n), zero), most);
  I largest = b.i(std::numeric_limits<int32_t>::max());
  I limit = b.shrS(largest, left);
  I shifted = b.shl(x, left);
  shifted = b.select(b.gtS(x, limit), largest, shifted);
  shifted = b.select(b.ltS(x, b.subI(b.i(-1), limit)),
                     b.i(std::numeric_limits<int32_t>::min()), shifted);
  return b.select(b.ltS(n, zero), shifted, rounded);
}

/// `rshiftRne` for n from 1 to 31: (x + t) / 2^n rounded down, where t is half
/// of 2^n less 1, and half where the quotient is odd.
template <class B>
typename B::I rshiftRneRight(B &b, typename B::I x, typename B::I n) {
  using I = typename B::I;
  I one = b.i(1), below = b.subI(n, one);
  I t = b.addI(b.andI(b.shrS(x, n), one), b.subI(b.shl(one, below), one));
  // Half of the sum, which itself could overflow.
  I mean =
      b.addI(b.addI(b.shrS(x, one), b.shrS(t, one)), b.andI(b.andI(x, t), one));
  return b.shrS(mean, below);
}

/// clamp(rshiftRne(accumulator, n) + zero, low, high). `isRight` says that n is
/// from 1 to 31.
template <class B>
typename B::I shiftToCode(B &b, typename B::I accumulator, typename B::I n,
                          typename B::I zero, int32_t low, int32_t high,
                          bool isRight = false) {
  typename B::I shifted = isRight ? rshiftRneRight(b, accumulator, n)
                                  : rshiftRne(b, accumulator, n);
  // Clamped before the sum, which then cannot overflow.
  shifted = b.maxS(shifted, b.subI(b.i(low), zero));
  shifted = b.minS(shifted, b.subI(b.i(high), zero));
  return b.addI(shifted, zero);
}

/// clamp(rne(x / divisor) + zero, low, high) for a positive divisor.
template <class B>
typename B::I divideToCode(B &b, typename B::I x, int32_t divisor,
                           typename B::I zero, int32_t low, int32_t high) {
  using I = typename B::I;
  I none = b.i(0), one = b.i(1), d = b.i(divisor);
  auto isNegative = b.ltS(x, none);
  // By magnitude: the rest has the sign of x.
  I quotient = b.divS(x, d), rest = b.remS(x, d);
  rest = b.select(isNegative, b.subI(none, rest), rest);
  I other = b.subI(d, rest);
  auto isUp =
      b.orM(b.gtS(rest, other),
            b.andM(b.eqI(rest, other), b.neI(b.andI(quotient, one), none)));
  I step = b.select(isNegative, b.i(-1), one);
  quotient = b.addI(quotient, b.select(isUp, step, none));
  quotient = b.maxS(quotient, b.subI(b.i(low), zero));
  quotient = b.minS(quotient, b.subI(b.i(high), zero));
  return b.addI(quotient, zero);
}

/// The scale of symmetric codes for a largest magnitude, and its inverse:
/// amax / largest and largest / amax. amax = 0 gives 1 for both; below 2^-100
/// amax counts as 2^-100, so that both are normal numbers.
template <class B> struct DynamicScale {
  typename B::F scale, inverse;
};

template <class B>
DynamicScale<B> symmetricScale(B &b, typename B::F amax, int32_t largest) {
  typename B::F top = b.f(float(largest));
  typename B::F bounded = b.max(amax, b.f(0x1p-100f));
  bounded = b.select(b.oeq(amax, b.f(0)), top, bounded);
  return {b.div(bounded, top), b.div(top, bounded)};
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_INTEGERS_H
