//===- SoftFloat.cpp - Conversions that the CPU may lack --------*- C++ -*-===//
//
// LLVM calls these by fixed names when a tier has no instruction. Exact:
// rounded once, to nearest even; NaNs stay NaNs, made quiet.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <stdint.h>
#include <string.h>

/// A binary format with one sign bit; `bits` in all.
template <int bits, int fractionBits> struct Format {
  static constexpr int exponentBits = bits - 1 - fractionBits;
  static constexpr int bias = (1 << (exponentBits - 1)) - 1;
  static constexpr uint64_t infinity = ((uint64_t(1) << exponentBits) - 1)
                                       << fractionBits;
};

/// `value >> count`, rounded to nearest even.
static uint64_t shiftAndRound(uint64_t value, int count) {
  if (count > 63)
    return 0;
  uint64_t result = value >> count;
  uint64_t rest = value & ((uint64_t(1) << count) - 1);
  uint64_t half = uint64_t(1) << (count - 1);
  return result + (rest > half || (rest == half && (result & 1)) ? 1 : 0);
}

/// The bits of `value`, a number in format From, as a number in format To.
template <int fromBits, int fromFraction, int toBits, int toFraction>
static uint16_t narrow(uint64_t value) {
  using From = Format<fromBits, fromFraction>;
  using To = Format<toBits, toFraction>;
  constexpr int dropped = fromFraction - toFraction;
  uint64_t sign = value >> (fromBits - 1) << (toBits - 1);
  uint64_t magnitude = value & ((uint64_t(1) << (fromBits - 1)) - 1);
  if (magnitude > From::infinity) {
    uint64_t payload = magnitude >> dropped & ((1u << toFraction) - 1);
    return sign | To::infinity | 1u << (toFraction - 1) | payload;
  }
  if (magnitude == From::infinity)
    return sign | To::infinity;

  int exponent = static_cast<int>(magnitude >> fromFraction);
  uint64_t fraction = magnitude & ((uint64_t(1) << fromFraction) - 1);
  if (exponent == 0)
    exponent = 1;
  else
    fraction |= uint64_t(1) << fromFraction;
  exponent += To::bias - From::bias;
  // Rounding may carry into the exponent, up to infinity: that is right.
  uint64_t result =
      exponent >= 1 ? shiftAndRound(fraction, dropped) +
                          (static_cast<uint64_t>(exponent - 1) << toFraction)
                    : shiftAndRound(fraction, dropped + 1 - exponent);
  return sign | (result > To::infinity ? To::infinity : result);
}

static uint64_t bitsOf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static uint64_t bitsOf(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

template <typename T> static T fromBits(uint16_t bits) {
  static_assert(sizeof(T) == sizeof(bits), "a 16-bit format");
  T value;
  memcpy(&value, &bits, sizeof(bits));
  return value;
}

extern "C" {
QOPT_RT_HIDDEN __bf16 __truncsfbf2(float value) {
  return fromBits<__bf16>(narrow<32, 23, 16, 7>(bitsOf(value)));
}

QOPT_RT_HIDDEN __bf16 __truncdfbf2(double value) {
  return fromBits<__bf16>(narrow<64, 52, 16, 7>(bitsOf(value)));
}

QOPT_RT_HIDDEN _Float16 __truncdfhf2(double value) {
  return fromBits<_Float16>(narrow<64, 52, 16, 10>(bitsOf(value)));
}
}
