//===- ExactPolicy.cpp - Formulas with our own division -------------------===//
//
// No step makes or reads a subnormal float, which devices may flush.
//
//===----------------------------------------------------------------------===//

#include "ExactPolicy.h"

using namespace qopt;
using namespace qopt::vulkan;

void ExactPolicy::split(I magnitude, I &significand, I &exponent) {
  I field = shrU(magnitude, i(23)), fraction = andI(magnitude, i(0x7FFFFF));
  M isSubnormal = eqI(field, i(0));
  // A subnormal is normalised by halves of the distance that is left.
  I low = fraction, distance = i(0);
  for (int step : {16, 8, 4, 2, 1}) {
    M isFar = ltS(low, i(1 << (24 - step)));
    low = select(isFar, shl(low, i(step)), low);
    distance = select(isFar, addI(distance, i(step)), distance);
  }
  significand = select(isSubnormal, low, orI(fraction, i(0x800000)));
  exponent = select(isSubnormal, subI(i(1), distance), field);
}

ExactPolicy::F ExactPolicy::div(F x, F y) {
  if (isDouble(x))
    return MLIRPolicy::div(x, y);
  I a = bitsOf(x), b = bitsOf(y), mask = i(0x7FFFFFFF);
  I sign = andI(xorI(a, b), i(std::numeric_limits<int32_t>::min()));
  I am = andI(a, mask), bm = andI(b, mask), inf = i(0x7F800000), none = i(0);
  I p, q, pExponent, qExponent;
  split(am, p, pExponent);
  split(bm, q, qExponent);
  q = select(eqI(q, none), i(1), q); // the result is chosen below
  M isLess = ltS(p, q);
  p = select(isLess, shl(p, i(1)), p);
  I exponent = addI(subI(pExponent, qExponent), select(isLess, i(126), i(127)));
  // 1 + 24 bits of the quotient: its leading bit is at 24.
  I quotient = i(1), rest = subI(p, q);
  for (int part = 0; part < 3; ++part) {
    I next = shl(rest, i(8));
    quotient = orI(shl(quotient, i(8)), divU(next, q));
    rest = remU(next, q);
  }
  // Below the smallest normal exponent more bits are dropped.
  I drop = minS(maxS(subI(i(2), exponent), i(1)), i(26));
  I kept = shrU(quotient, drop);
  I dropped = andI(quotient, subI(shl(i(1), drop), i(1)));
  I half = shl(i(1), subI(drop, i(1)));
  M isTie = andM(eqI(dropped, half), eqI(rest, none));
  M isUp =
      andM(geS(dropped, half), orM(notM(isTie), neI(andI(kept, i(1)), none)));
  kept = addI(kept, select(isUp, i(1), none));
  // A carry out of the significand is the next exponent.
  I normal = addI(shl(subI(exponent, i(1)), i(23)), kept);
  I bits = select(gtS(exponent, none), normal, kept);
  bits = select(geS(exponent, i(255)), inf, minS(bits, inf));
  bits = select(orM(eqI(am, none), eqI(bm, inf)), none, bits);
  bits = select(orM(eqI(bm, none), eqI(am, inf)), inf, bits);
  M isNaN = orM(orM(gtS(am, inf), gtS(bm, inf)),
                orM(andM(eqI(am, none), eqI(bm, none)),
                    andM(eqI(am, inf), eqI(bm, inf))));
  bits = select(isNaN, i(0x7FC00000), orI(bits, sign));
  return floatOf(bits);
}
