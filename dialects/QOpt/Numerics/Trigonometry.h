//===- Trigonometry.h - sin and cos -----------------------------*- C++ -*-===//
//
// Arguments up to 2^14 lose multiples of pi/2 in three fma steps. Larger ones
// multiply their 24 bits with the 96 bits of 2/pi that matter for them, in
// integers, so the result is right for every float.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_TRIGONOMETRY_H
#define DIALECTS_QOPT_NUMERICS_TRIGONOMETRY_H

#include "dialects/QOpt/Numerics/Exponential.h"
#include <array>
#include <cstdint>

namespace qopt::numerics {

/// a = quadrant * pi/2 + r, |r| <= pi/4; the quadrant modulo 4 is right.
template <class B> struct QuadrantAngle {
  typename B::F r;
  typename B::I quadrant;
};

/// For 0 <= a <= 2^14. pi/2 in three terms: their sum is right to 2^-76.
template <class B> QuadrantAngle<B> reduceSmallAngle(B &b, typename B::F a) {
  Reduced<B> reduced = nearestMultiple(b, a, 0x1.45F306p-1f);
  typename B::F r = b.fma(reduced.n, b.f(-0x1.921FB6p+0f), a);
  r = b.fma(reduced.n, b.f(0x1.777A5Cp-25f), r);
  r = b.fma(reduced.n, b.f(0x1.EE59DAp-50f), r);
  return {r, reduced.integer};
}

/// The 96 bits of 2/pi from bit `position` on, where bit 32 has weight 1/2.
template <class B>
std::array<typename B::I, 3> bitsOfTwoOverPi(B &b, typename B::I position) {
  constexpr uint32_t words[] = {0,          0xA2F9836E, 0x4E441529, 0xFC2757D1,
                                0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB};
  using I = typename B::I;
  I word = b.shrS(position, b.i(5)), distance = b.andI(position, b.i(31));
  std::array<I, 4> chosen = {b.i(0), b.i(0), b.i(0), b.i(0)};
  for (int first = 0; first < 5; ++first) {
    auto isFirst = b.eqI(word, b.i(first));
    for (int i = 0; i < 4; ++i)
      chosen[i] = b.select(isFirst, b.i(int32_t(words[first + i])), chosen[i]);
  }
  // Two shifts to the right, for a distance of 0.
  I back = b.subI(b.i(31), distance);
  auto join = [&](I high, I low) {
    return b.orI(b.shl(high, distance), b.shrU(b.shrU(low, b.i(1)), back));
  };
  return {join(chosen[0], chosen[1]), join(chosen[1], chosen[2]),
          join(chosen[2], chosen[3])};
}

/// For 2^-6 <= a < infinity. high and low are the product modulo 4, as a number
/// of quadrants with 62 bits of fraction.
template <class B> QuadrantAngle<B> reduceLargeAngle(B &b, typename B::F a) {
  using I = typename B::I;
  using F = typename B::F;
  I bits = b.bitsOf(a);
  I significand = b.orI(b.andI(bits, b.i(0x7FFFFF)), b.i(0x800000));
  auto [w0, w1, w2] =
      bitsOfTwoOverPi(b, b.subI(b.shrU(bits, b.i(23)), b.i(120)));
  I carryIn = b.mulHighU(significand, w2);
  I low = b.addI(b.mulI(significand, w1), carryIn);
  I signBit = b.i(std::numeric_limits<int32_t>::min());
  auto isCarry = b.ltS(b.xorI(low, signBit), b.xorI(carryIn, signBit));
  I high = b.addI(b.mulI(significand, w0), b.mulHighU(significand, w1));
  high = b.addI(high, b.select(isCarry, b.i(1), b.i(0)));
  I quadrant = b.shrU(b.addI(high, b.i(0x20000000)), b.i(30));

  // The fraction to the nearest quadrant, as sign and magnitude.
  I fraction = b.orI(b.shl(high, b.i(2)), b.shrU(low, b.i(30)));
  I rest = b.shl(low, b.i(2));
  I sign = b.shrS(fraction, b.i(31));
  fraction = b.xorI(fraction, sign);
  rest = b.xorI(rest, sign);

  // Three exact pieces of at most 24, 31 and 9 bits; then times pi/2 * 2^-32.
  F top = b.toFloat(b.andI(fraction, b.i(~0xFF)));
  F middle = b.toFloat(
      b.orI(b.shl(b.andI(fraction, b.i(0xFF)), b.i(23)), b.shrU(rest, b.i(9))));
  F bottom = b.toFloat(b.andI(rest, b.i(0x1FF)));
  F sum =
      b.add(top, b.fma(bottom, b.f(0x1p-32f), b.mul(middle, b.f(0x1p-23f))));
  F r = b.fma(sum, b.f(0x1.921FB6p-32f), b.mul(sum, b.f(-0x1.777A5Cp-57f)));
  return {b.floatOf(b.xorI(b.bitsOf(r), b.andI(sign, signBit))), quadrant};
}

/// sin of (angle + quadrants * pi/2). On |r| <= pi/4: sin r = r + r^3 * s(r^2),
/// s of degree 3, relative error below 2^-32.4; cos r = 1 - r^2/2 + r^4 *
/// c(r^2), c of degree 2, relative error below 2^-32.9; both minimax.
template <class B>
typename B::F sinOfQuadrant(B &b, QuadrantAngle<B> angle, int quadrants) {
  using F = typename B::F;
  F r = angle.r, z = b.mul(r, r);
  F s = polynomial(
      b, z,
      {-0x1.555556p-3f, 0x1.111174p-7f, -0x1.A0595Cp-13f, 0x1.7C327Cp-19f});
  F c = polynomial(b, z, {0x1.55554Ap-5f, -0x1.6C0C2Ap-10f, 0x1.99E91p-16f});
  F sine = b.fma(b.mul(r, z), s, r);
  F cosine = b.fma(b.mul(z, z), c, b.fma(z, b.f(-0.5f), b.f(1)));
  typename B::I quadrant = b.addI(angle.quadrant, b.i(quadrants));
  F value = b.select(b.eqI(b.andI(quadrant, b.i(1)), b.i(0)), sine, cosine);
  typename B::I flip = b.shl(b.andI(quadrant, b.i(2)), b.i(30));
  return b.floatOf(b.xorI(b.bitsOf(value), flip));
}

/// `a` is not negative; infinity and NaN give NaN.
template <class B> QuadrantAngle<B> reduceAngle(B &b, typename B::F a) {
  QuadrantAngle<B> small = reduceSmallAngle(b, a);
  QuadrantAngle<B> large = reduceLargeAngle(b, a);
  auto isSmall = b.olt(a, b.f(0x1p14f));
  typename B::F r = b.select(isSmall, small.r, large.r);
  r = b.select(b.olt(a, b.f(infinity)), r, b.f(quietNaN));
  return {r, b.select(isSmall, small.quadrant, large.quadrant)};
}

template <class B> typename B::F sinF32(B &b, typename B::F x) {
  typename B::F sine = sinOfQuadrant(b, reduceAngle(b, b.abs(x)), 0);
  typename B::I sign =
      b.andI(b.bitsOf(x), b.i(std::numeric_limits<int32_t>::min()));
  return b.floatOf(b.xorI(b.bitsOf(sine), sign));
}

template <class B> typename B::F cosF32(B &b, typename B::F x) {
  return sinOfQuadrant(b, reduceAngle(b, b.abs(x)), 1);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_TRIGONOMETRY_H
