//===- ValuePolicy.h - What a formula may ask of its values -----*- C++ -*-===//
//
// Every formula of this folder is a template over a policy `B`. ScalarPolicy
// computes it, MLIRPolicy writes it as operations: one source, equal bits.
// The order of a formula's operations is part of its meaning.
//
// A policy has the types F (a float32 value), I (a 32-bit integer, signed or
// just bits) and M (a truth value), which may be one type, and the members
//
//   f(c), i(c)          constants
//   add sub mul div fma neg abs sqrt
//                       IEEE 754 binary32, one rounding; fma(a, b, c) = a*b + c
//   floor ceil roundEven   to an integral value; roundEven takes ties to even
//   min(a, b)           isNaN(a) ? a : (a < b ? a : b): NaN in, NaN out, and of
//   max(a, b)           isNaN(a) ? a : (a > b ? a : b)  two zeros the second
//   oeq olt ole ogt oge false when an operand is NaN
//   une uno             true when an operand is NaN
//   select(m, a, b)     of F or of I
//   andM orM xorM notM
//   bitsOf(F), floatOf(I)  the same bits
//   toInt(F)            of an integral value that fits; else undefined
//   toFloat(I)          signed, to nearest even
//   addI subI mulI      modulo 2^32
//   mulHighU(a, b)      upper half of the unsigned 64-bit product
//   andI orI xorI shl shrS shrU   distances from 0 to 31
//   minS maxS eqI neI ltS leS gtS geS   signed
//   divS remS           signed, to zero; y = 0 and lowest / -1 are undefined
//
// and, for element-wise ops on 64-bit integers, a type L with
//
//   l(c)                constant
//   extendToL(I), lowHalf(L)  sign-extended to L; the low 32 bits
//   toLong(F), toFloat(L)     as toInt and toFloat
//   addI subI mulI andI orI xorI and all signed operations, modulo 2^64
//   shl shrU            distances from 0 to 63
//   ltU divU remU       unsigned; y = 0 is undefined
//
// and, for float64, a type D with what F has: constants d(c), arithmetic,
// comparisons, rounding, min and max in IEEE 754 binary64, and
//
//   bitsOf(D), doubleOf(L)    the same bits
//   toDouble(F, I or L), toFloat(D)   to nearest even
//   toLong(D)                 of an integral value that fits; else undefined
//
// Only the sign and payload of a NaN may differ between machines.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_VALUEPOLICY_H
#define DIALECTS_QOPT_NUMERICS_VALUEPOLICY_H

#include <initializer_list>
#include <limits>

namespace qopt::numerics {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float quietNaN = std::numeric_limits<float>::quiet_NaN();

/// c[0] + c[1] * x + c[2] * x^2 ..., by Horner's rule in fma.
template <class B>
typename B::F polynomial(B &b, typename B::F x,
                         std::initializer_list<float> coefficients) {
  const float *c = coefficients.end() - 1;
  typename B::F sum = b.f(*c);
  while (c != coefficients.begin())
    sum = b.fma(sum, x, b.f(*--c));
  return sum;
}

/// `x` clamped to [low, high] where NaN stays NaN.
template <class B>
typename B::F clampKeepNaN(B &b, typename B::F x, float low, float high) {
  x = b.select(b.olt(x, b.f(low)), b.f(low), x);
  return b.select(b.ogt(x, b.f(high)), b.f(high), x);
}

/// |magnitude| with the sign bit of `sign`.
template <class B>
typename B::F copySign(B &b, typename B::F magnitude, typename B::F sign) {
  return b.floatOf(
      b.orI(b.andI(b.bitsOf(magnitude), b.i(0x7FFFFFFF)),
            b.andI(b.bitsOf(sign), b.i(std::numeric_limits<int>::min()))));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_VALUEPOLICY_H
