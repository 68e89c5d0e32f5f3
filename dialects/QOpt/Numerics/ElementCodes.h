//===- ElementCodes.h - Codes of narrow floats and of MX blocks -*- C++ -*-===//
//
// The functions of Formats.h as formulas, equal to them for every input. No
// step makes or reads a subnormal float32 unless the value itself is one, so
// machines that flush those agree.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_ELEMENTCODES_H
#define DIALECTS_QOPT_NUMERICS_ELEMENTCODES_H

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Numerics/Integers.h"
#include "dialects/QOpt/Numerics/Scaling.h"
#include <cassert>
#include <cstdint>
#include <cstring>

namespace qopt::numerics {

/// Codes above the largest finite one, without their sign, which is a bit of
/// the code where -0 is NaN.
struct SpecialCodes {
  int32_t maxFinite, infinity, nan;
};

inline SpecialCodes specialCodes(const ElementFormatInfo &info) {
  int32_t all = info.codeMask() >> 1;
  int32_t field = ((1 << info.exponentBits) - 1) << info.mantissaBits;
  switch (info.specials) {
  case SpecialValues::None:
    return {all, all, 0};
  case SpecialValues::OnlyNaN:
    return {all - 1, all, all};
  case SpecialValues::InfinityAndNaN:
    return {field - 1, field, field | (1 << (info.mantissaBits - 1))};
  case SpecialValues::NegativeZeroNaN:
    return {all, all + 1, all + 1};
  }
  return {};
}

/// The code of `x`, as encode() gives it, in the low bits of an i32. `format`
/// is a float of at most 8 bits, f16 or bf16.
template <class B>
typename B::I encodeFloatCode(B &b, typename B::F x, ElementFormat format,
                              bool saturate = true) {
  using F = typename B::F;
  using I = typename B::I;
  const ElementFormatInfo &info = infoOf(format);
  assert(info.kind == ElementKind::Float && info.bits <= 16);
  SpecialCodes special = specialCodes(info);
  int mantissaBits = info.mantissaBits;
  I bits = b.bitsOf(x), magnitude = b.andI(bits, b.i(0x7FFFFFFF));
  I sign = b.shl(b.shrU(bits, b.i(31)), b.i(info.bits - 1));
  I code;
  if (info.exponentBits == 8) {
    // The upper half of a float32, rounded; a carry may reach infinity.
    I even = b.andI(b.shrU(magnitude, b.i(16)), b.i(1));
    code = b.shrU(b.addI(b.addI(magnitude, b.i(0x7FFF)), even), b.i(16));
  } else {
    // From 2 * max on everything overflows alike.
    F bounded = b.floatOf(b.minS(magnitude, b.bitsOf(b.f(2 * info.max))));
    // Adding 2^(e + 23 - M) rounds to the step 2^(e - M) of the value's binade
    // and leaves the significand in the low bits.
    I binade = b.maxS(b.andI(b.bitsOf(bounded), b.i(0x7F800000)),
                      b.i((info.emin() + 127) << 23));
    I shifter = b.addI(binade, b.i((23 - mantissaBits) << 23));
    I significand =
        b.subI(b.bitsOf(b.add(bounded, b.floatOf(shifter))), shifter);
    I steps = b.shrU(b.subI(binade, b.i((info.emin() + 127) << 23)),
                     b.i(23 - mantissaBits));
    code = b.addI(significand, steps);
    bool clamps =
        info.specials == SpecialValues::None || (saturate && info.bits <= 8);
    if (clamps)
      code = b.minS(code, b.i(special.maxFinite));
    else
      code = b.minS(code, b.i(special.infinity));
  }
  auto isNaN = b.gtS(magnitude, b.i(0x7F800000));
  if (info.specials == SpecialValues::None)
    return b.select(isNaN, b.i(1 << (info.bits - 1)), b.orI(sign, code));
  if (info.specials == SpecialValues::NegativeZeroNaN)
    sign = b.select(b.eqI(code, b.i(0)), b.i(0), sign);
  return b.orI(sign, b.select(isNaN, b.i(special.nan), code));
}

/// The value of a code in the low bits of an i32; higher bits are ignored.
template <class B>
typename B::F decodeFloatCode(B &b, typename B::I code, ElementFormat format) {
  using F = typename B::F;
  using I = typename B::I;
  const ElementFormatInfo &info = infoOf(format);
  assert(info.kind == ElementKind::Float && info.bits <= 16);
  if (info.exponentBits == 8)
    return b.floatOf(b.shl(code, b.i(16)));
  int mantissaBits = info.mantissaBits;
  I magnitude = b.andI(code, b.i(int32_t(info.codeMask() >> 1)));
  I sign = b.shl(b.shrU(code, b.i(info.bits - 1)), b.i(31));
  I normal = b.addI(b.shl(magnitude, b.i(23 - mantissaBits)),
                    b.i((127 - info.bias) << 23));
  F subnormal = b.mul(b.toFloat(magnitude),
                      powerOfTwo(b, b.i(info.emin() - mantissaBits)));
  I bits = b.select(b.ltS(magnitude, b.i(1 << mantissaBits)),
                    b.bitsOf(subnormal), normal);
  SpecialCodes special = specialCodes(info);
  if (info.specials == SpecialValues::OnlyNaN)
    bits = b.select(b.eqI(magnitude, b.i(special.nan)), b.i(0x7FC00000), bits);
  if (info.specials == SpecialValues::NegativeZeroNaN)
    bits = b.select(b.andM(b.eqI(magnitude, b.i(0)), b.neI(sign, b.i(0))),
                    b.i(0x7FC00000), bits);
  if (info.specials == SpecialValues::InfinityAndNaN) {
    // The largest exponent field becomes float32's; a NaN is made quiet.
    I top = b.orI(b.i(0x7F800000), b.shl(magnitude, b.i(23 - mantissaBits)));
    top =
        b.select(b.gtS(magnitude, b.i(special.infinity)), b.i(0x7FC00000), top);
    bits = b.select(b.gtS(magnitude, b.i(special.maxFinite)), top, bits);
  }
  return b.floatOf(b.orI(bits, sign));
}

/// The number that the low bits of an i32 are in an integer format.
template <class B>
typename B::I integerOfCode(B &b, typename B::I code, ElementFormat format) {
  const ElementFormatInfo &info = infoOf(format);
  typename B::I distance = b.i(32 - info.bits);
  typename B::I shifted = b.shl(code, distance);
  return info.isSigned() ? b.shrS(shifted, distance)
                         : b.shrU(shifted, distance);
}

/// 2^(byte - 127), NaN for 255; `byte` is in [0, 255].
template <class B> typename B::F decodeE8M0Code(B &b, typename B::I byte) {
  typename B::I bits = b.shl(byte, b.i(23));
  bits = b.select(b.eqI(byte, b.i(0)), b.i(0x00400000), bits);
  return b.floatOf(b.select(b.eqI(byte, b.i(255)), b.i(0x7FC00000), bits));
}

/// The value of a code of any element format.
template <class B>
typename B::F decodeCode(B &b, typename B::I code, ElementFormat format) {
  const ElementFormatInfo &info = infoOf(format);
  if (format == ElementFormat::F32)
    return b.floatOf(code);
  if (info.isInteger())
    return b.toFloat(integerOfCode(b, code, format));
  if (info.kind == ElementKind::Exponent)
    return decodeE8M0Code(b, code);
  return decodeFloatCode(b, code, format);
}

/// unit * element of a code.
template <class B>
typename B::F decodeUnit(B &b, typename B::I code, const BlockFormat &format) {
  typename B::F value = decodeCode(b, code, format.element);
  if (format.unitLog2 == 0)
    return value;
  return b.mul(value, powerOfTwo(b, b.i(format.unitLog2)));
}

/// As unitEncode().
template <class B>
typename B::I encodeUnit(B &b, typename B::F x, const BlockFormat &format) {
  const ElementFormatInfo &info = format.elementInfo();
  if (format.unitLog2 != 0)
    x = b.mul(x, powerOfTwo(b, b.i(-format.unitLog2)));
  if (!info.isInteger())
    return encodeFloatCode(b, x, format.element);
  typename B::I code =
      roundToCode(b, x, b.i(0), info.symmetricMin, info.symmetricMax);
  return b.andI(code, b.i(int32_t(info.codeMask())));
}

//===----------------------------------------------------------------------===//
// Blocks with an E8M0 scale
//===----------------------------------------------------------------------===//

/// |x| as bits. The integer maximum of these over a block is the bits of its
/// largest magnitude, and NaN and infinity are above all numbers.
template <class B> typename B::I magnitudeBits(B &b, typename B::F x) {
  return b.andI(b.bitsOf(x), b.i(0x7FFFFFFF));
}

/// As mxSharedExponent(), for the bits of a positive finite magnitude.
template <class B>
typename B::I mxSharedExponentOfBits(B &b, typename B::I amax,
                                     const BlockFormat &format,
                                     ScaleRule rule) {
  using I = typename B::I;
  // Subnormal bits are an integer below 2^23, exact as a float:
  // value = bits * 2^-149.
  auto isSubnormal = b.ltS(amax, b.i(0x00800000));
  I bits = b.select(isSubnormal, b.bitsOf(b.toFloat(amax)), amax);
  int32_t maxBits;
  float max = format.elementInfo().max;
  std::memcpy(&maxBits, &max, sizeof(maxBits));
  if (rule == ScaleRule::Ceil)
    bits = b.addI(bits, b.i(0x7FFFFF - (maxBits & 0x7FFFFF)));
  else if (rule == ScaleRule::Even)
    bits = b.addI(bits, b.i(1 << (22 - format.significandBits())));
  I offset = b.select(isSubnormal, b.i(-127 - 149 - format.emax()),
                      b.i(-127 - format.emax()));
  I exponent = b.addI(b.shrS(bits, b.i(23)), offset);
  return b.minS(b.maxS(exponent, b.i(-127)), b.i(127));
}

/// The scale byte of a block from the bits of its largest magnitude.
template <class B>
typename B::I mxScaleByte(B &b, typename B::I amax, const BlockFormat &format,
                          ScaleRule rule) {
  typename B::I byte =
      b.addI(mxSharedExponentOfBits(b, amax, format, rule), b.i(127));
  byte = b.select(b.eqI(amax, b.i(0)), b.i(0), byte);
  return b.select(b.geS(amax, b.i(0x7F800000)), b.i(255), byte);
}

/// The code of an element of a block with scale byte `byte` and largest
/// magnitude `amax`: 0 where the block is zero or not finite.
template <class B>
typename B::I mxElementCode(B &b, typename B::F x, typename B::I amax,
                            typename B::I byte, const BlockFormat &format) {
  typename B::F scaled = scaleInRange(b, x, b.subI(b.i(127), byte));
  typename B::I code = encodeUnit(b, scaled, format);
  auto isDead = b.orM(b.eqI(amax, b.i(0)), b.geS(amax, b.i(0x7F800000)));
  return b.select(isDead, b.i(0), code);
}

/// x times the E8M0 scales of `bytes`, whose sum is `sumOfBytes` over
/// `numScales` scales, and times 2^log2. A byte of 255 must have set `isNaN`.
template <class B>
typename B::F scaleByBytes(B &b, typename B::F x, typename B::I sumOfBytes,
                           int numScales, int log2, typename B::M isNaN) {
  typename B::F scaled =
      scale2(b, x, b.addI(sumOfBytes, b.i(log2 - 127 * numScales)));
  return b.select(isNaN, b.f(quietNaN), scaled);
}

//===----------------------------------------------------------------------===//
// NVFP4
//===----------------------------------------------------------------------===//

/// As nvfp4EncodeScale(), for the bits of the tensor's largest magnitude.
template <class B>
typename B::F nvfp4EncodeScaleOfBits(B &b, typename B::I amax) {
  float top =
      infoOf(ElementFormat::F8E4M3FN).max * infoOf(ElementFormat::F4E2M1FN).max;
  typename B::F scale = b.div(b.f(top), b.floatOf(amax));
  scale = b.select(b.ogt(scale, b.f(0x1p126f)), b.f(0x1p126f), scale);
  auto isOrdinary = b.andM(b.gtS(amax, b.i(0)), b.ltS(amax, b.i(0x7F800000)));
  return b.select(isOrdinary, scale, b.f(1));
}

/// The E4M3 code of a block's scale from the bits of its largest magnitude.
template <class B>
typename B::I nvfp4ScaleCode(B &b, typename B::I amax,
                             typename B::F encodeScale) {
  typename B::F raw =
      b.mul(b.div(b.floatOf(amax), b.f(infoOf(ElementFormat::F4E2M1FN).max)),
            encodeScale);
  typename B::I code = encodeFloatCode(b, raw, ElementFormat::F8E4M3FN);
  return b.select(b.geS(amax, b.i(0x7F800000)), b.i(0x7F), code);
}

/// What an element of a block is divided by: f32(block scale) / encodeScale.
template <class B>
typename B::F nvfp4Step(B &b, typename B::I scaleCode,
                        typename B::F encodeScale) {
  return b.div(decodeFloatCode(b, scaleCode, ElementFormat::F8E4M3FN),
               encodeScale);
}

/// The code of an element; 0 where the step is 0 or NaN.
template <class B>
typename B::I nvfp4ElementCode(B &b, typename B::F x, typename B::F step) {
  typename B::I code =
      encodeFloatCode(b, b.div(x, step), ElementFormat::F4E2M1FN);
  return b.select(b.ogt(step, b.f(0)), code, b.i(0));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_ELEMENTCODES_H
