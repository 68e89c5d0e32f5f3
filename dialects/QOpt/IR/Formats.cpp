//===- Formats.cpp - Element and block formats of quantized data ----------===//
//
// Encoders work on the significand as an integer, so they give the same codes
// whatever the machine does with subnormal numbers.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/ElementTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cassert>
#include <vector>

using namespace qopt;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static constexpr ElementFormatInfo integerInfo(llvm::StringLiteral name,
                                               bool isSigned, uint8_t bits) {
  int32_t half = int32_t(1) << (bits - 1);
  int32_t min = isSigned ? -half : 0;
  int32_t max = isSigned ? half - 1 : 2 * half - 1;
  return {name,
          isSigned ? ElementKind::SignedInteger : ElementKind::UnsignedInteger,
          SpecialValues::None,
          bits,
          /*exponentBits=*/0,
          /*mantissaBits=*/0,
          /*bias=*/0,
          /*emax=*/int16_t(isSigned ? bits - 2 : bits - 1),
          float(max),
          /*integerLog2=*/int8_t(0),
          min,
          max,
          /*symmetricMin=*/isSigned ? -max : 0,
          /*symmetricMax=*/max};
}

static constexpr ElementFormatInfo
floatInfo(llvm::StringLiteral name, uint8_t exponentBits, uint8_t mantissaBits,
          SpecialValues specials, int16_t emax, float max,
          std::optional<int8_t> integerLog2) {
  return {name,
          ElementKind::Float,
          specials,
          uint8_t(1 + exponentBits + mantissaBits),
          exponentBits,
          mantissaBits,
          int16_t((1 << (exponentBits - 1)) -
                  (specials == SpecialValues::NegativeZeroNaN ? 0 : 1)),
          emax,
          max,
          integerLog2,
          0,
          0,
          0,
          0};
}

static constexpr ElementFormatInfo exponentInfo(llvm::StringLiteral name,
                                                uint8_t bits) {
  int16_t bias = (1 << (bits - 1)) - 1;
  return {name,
          ElementKind::Exponent,
          SpecialValues::OnlyNaN,
          bits,
          /*exponentBits=*/bits,
          /*mantissaBits=*/0,
          bias,
          /*emax=*/bias,
          /*max=*/0x1p127f,
          /*integerLog2=*/std::nullopt,
          0,
          0,
          0,
          0};
}

static constexpr ElementFormatInfo kElementTable[] = {
#define QOPT_INTEGER_FORMAT(enumerator, name, isSigned, bits)                  \
  integerInfo(name, isSigned, bits),
#define QOPT_FLOAT_FORMAT(enumerator, name, exponentBits, mantissaBits,        \
                          specials, emax, max, integerLog2, type, semantics)   \
  floatInfo(name, exponentBits, mantissaBits, SpecialValues::specials, emax,   \
            max, integerLog2),
#define QOPT_EXPONENT_FORMAT(enumerator, name, bits, type, semantics)          \
  exponentInfo(name, bits),
#include "dialects/QOpt/IR/ElementFormats.def"
};

static constexpr ElementFormat kF32Scale[] = {ElementFormat::F32};
static constexpr ElementFormat kE8m0Scale[] = {ElementFormat::F8E8M0FNU};
static constexpr ElementFormat kNvfp4Scales[] = {ElementFormat::F8E4M3FN,
                                                 ElementFormat::F32};

static std::vector<BlockFormat> makeBlockTable() {
  using EF = ElementFormat;
  constexpr ScaleRule floor = ScaleRule::Floor;
  std::vector<BlockFormat> table;
  // What ONNX's QuantizeLinear makes: floats are the scales.
  for (const ElementFormatInfo &info : kElementTable) {
    auto element = EF(&info - kElementTable);
    if (info.isInteger())
      table.push_back({info.name, element, 0, 0, kF32Scale, element, floor});
    else if (info.kind == ElementKind::Float && info.bits <= 8)
      table.push_back(
          {info.name, element, 0, 0, kF32Scale, std::nullopt, floor});
  }
  const BlockFormat blocks[] = {
      {"mxfp4", EF::F4E2M1FN, 0, 32, kE8m0Scale, std::nullopt, floor},
      {"mxfp6-e2m3", EF::F6E2M3FN, 0, 32, kE8m0Scale, std::nullopt, floor},
      {"mxfp6-e3m2", EF::F6E3M2FN, 0, 32, kE8m0Scale, std::nullopt, floor},
      {"mxfp8-e4m3", EF::F8E4M3FN, 0, 32, kE8m0Scale, std::nullopt, floor},
      {"mxfp8-e5m2", EF::F8E5M2, 0, 32, kE8m0Scale, std::nullopt, floor},
      {"mxint8", EF::I8, -6, 32, kE8m0Scale, std::nullopt, floor},
      {"nvfp4", EF::F4E2M1FN, 0, 16, kNvfp4Scales, std::nullopt, floor},
  };
  table.insert(table.end(), std::begin(blocks), std::end(blocks));
  return table;
}

static ArrayRef<BlockFormat> blockTable() {
  static const std::vector<BlockFormat> table = makeBlockTable();
  return table;
}

const ElementFormatInfo &qopt::infoOf(ElementFormat format) {
  return kElementTable[size_t(format)];
}

ArrayRef<ElementFormatInfo> qopt::elementFormats() { return kElementTable; }

std::optional<ElementFormat> qopt::lookupElementFormat(StringRef name) {
  for (size_t i = 0; i < std::size(kElementTable); ++i)
    if (kElementTable[i].name == name)
      return ElementFormat(i);
  return std::nullopt;
}

ArrayRef<BlockFormat> qopt::blockFormats() { return blockTable(); }

const BlockFormat *qopt::lookupFormat(StringRef name) {
  for (const BlockFormat &format : blockTable())
    if (format.name == name)
      return &format;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// MLIR types
//===----------------------------------------------------------------------===//

std::optional<ElementFormat> qopt::elementFormatOf(mlir::Type type) {
  if (!type || !type.isIntOrFloat())
    return std::nullopt;
  if (type.isSignedInteger())
    type =
        mlir::IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
  for (size_t i = 0; i < std::size(kElementTable); ++i)
    if (kElementTable[i].bits == type.getIntOrFloatBitWidth() &&
        typeOf(ElementFormat(i), type.getContext()) == type)
      return ElementFormat(i);
  return std::nullopt;
}

mlir::Type qopt::typeOf(ElementFormat format, mlir::MLIRContext *context) {
  return findMLIRType(infoOf(format).name, context);
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

static constexpr uint32_t kF32SignBit = 0x80000000;
static constexpr uint32_t kF32InfinityBits = 0x7F800000;

static uint32_t bitsOf(float value) { return llvm::bit_cast<uint32_t>(value); }
static float floatOf(uint32_t bits) { return llvm::bit_cast<float>(bits); }

namespace {
/// A finite magnitude: significand * 2^(exponent - 23). The significand has
/// its bit 23 set unless the number is subnormal.
struct Magnitude {
  uint32_t significand;
  int exponent;

  explicit Magnitude(float value) {
    uint32_t bits = bitsOf(value) & ~kF32SignBit;
    uint32_t field = bits >> 23;
    significand = (bits & 0x7FFFFF) | (field ? 0x800000 : 0);
    exponent = int(std::max(field, 1u)) - 127;
  }
  /// Sets bit 23 of a nonzero significand.
  Magnitude &normalize() {
    int shift = llvm::countl_zero(significand) - 8;
    significand <<= shift;
    exponent -= shift;
    return *this;
  }
};
} // namespace

/// significand / 2^shift.
static uint32_t shiftRightToEven(uint32_t significand, int shift) {
  if (shift <= 0)
    return significand << -shift;
  // A significand has 24 bits, so from 26 on the quotient is below a half.
  shift = std::min(shift, 26);
  uint32_t quotient = significand >> shift;
  uint32_t rest = significand & ((1u << shift) - 1);
  uint32_t half = 1u << (shift - 1);
  return quotient + (rest > half || (rest == half && (quotient & 1)));
}

static uint32_t infinityCode(const ElementFormatInfo &info) {
  return ((1u << info.exponentBits) - 1) << info.mantissaBits;
}

static uint32_t maxCode(const ElementFormatInfo &info) {
  switch (info.specials) {
  case SpecialValues::None:
  case SpecialValues::NegativeZeroNaN:
    return info.codeMask() >> 1;
  case SpecialValues::OnlyNaN:
    return (info.codeMask() >> 1) - 1;
  case SpecialValues::InfinityAndNaN:
    return infinityCode(info) - 1;
  }
  llvm_unreachable("unknown special values");
}

static uint32_t nanCode(const ElementFormatInfo &info) {
  switch (info.specials) {
  case SpecialValues::None:
    return 0;
  case SpecialValues::OnlyNaN:
    return info.codeMask() >> 1;
  case SpecialValues::InfinityAndNaN:
    return infinityCode(info) | (1u << (info.mantissaBits - 1));
  case SpecialValues::NegativeZeroNaN:
    return 1u << (info.bits - 1);
  }
  llvm_unreachable("unknown special values");
}

/// The code of |value| * 2^exponent, where `value` is not NaN.
static uint32_t encodeMagnitude(float value, int exponent,
                                const ElementFormatInfo &info, bool saturate) {
  uint32_t overflow = info.specials == SpecialValues::InfinityAndNaN
                          ? infinityCode(info)
                          : nanCode(info);
  if (saturate || info.specials == SpecialValues::None)
    overflow = maxCode(info);
  if ((bitsOf(value) & ~kF32SignBit) == kF32InfinityBits)
    return overflow;
  Magnitude magnitude(value);
  if (magnitude.significand == 0)
    return 0;
  magnitude.normalize();
  int valueExponent = magnitude.exponent + exponent;
  if (valueExponent > info.emax)
    return overflow;
  int binade = std::max(valueExponent, info.emin());
  uint32_t significand = shiftRightToEven(
      magnitude.significand, 23 - info.mantissaBits + (binade - valueExponent));
  // A carry out of the significand moves into the exponent field by itself.
  uint32_t code =
      significand + (uint32_t(binade - info.emin()) << info.mantissaBits);
  return code > maxCode(info) ? overflow : code;
}

static uint32_t encodeFloat(float value, int exponent,
                            const ElementFormatInfo &info, bool saturate) {
  uint32_t sign = (bitsOf(value) >> 31) << (info.bits - 1);
  if (value != value)
    return info.specials == SpecialValues::None ? 1u << (info.bits - 1)
                                                : sign | nanCode(info);
  uint32_t code = encodeMagnitude(value, exponent, info, saturate);
  bool isPlainZero =
      code == 0 && info.specials == SpecialValues::NegativeZeroNaN;
  return isPlainZero ? 0 : sign | code;
}

/// rne(value * 2^exponent) clamped to [min, max]; NaN gives `min`.
static int32_t roundToInteger(float value, int exponent, int32_t min,
                              int32_t max) {
  if (value != value)
    return min;
  bool isNegative = bitsOf(value) & kF32SignBit;
  int32_t limit = isNegative ? min : max;
  if ((bitsOf(value) & ~kF32SignBit) == kF32InfinityBits)
    return limit;
  Magnitude magnitude(value);
  int shift = 23 - magnitude.exponent - exponent;
  if (magnitude.significand == 0)
    return std::clamp(0, min, max);
  if (shift < 0)
    return limit;
  int32_t rounded = int32_t(shiftRightToEven(magnitude.significand, shift));
  return std::clamp(isNegative ? -rounded : rounded, min, max);
}

uint32_t qopt::encode(float value, ElementFormat format, bool saturate) {
  const ElementFormatInfo &info = infoOf(format);
  if (format == ElementFormat::F32)
    return bitsOf(value);
  if (info.kind == ElementKind::Exponent)
    return encodeE8M0(value, ScaleRounding::Up, saturate);
  if (info.isInteger())
    return uint32_t(
               roundToInteger(value, 0, info.integerMin, info.integerMax)) &
           info.codeMask();
  return encodeFloat(value, 0, info, saturate && info.bits <= 8);
}

static float decodeFloat(uint32_t code, const ElementFormatInfo &info) {
  uint32_t magnitude = code & (info.codeMask() >> 1);
  uint32_t sign = ((code >> (info.bits - 1)) & 1) << 31;
  if (magnitude == 0 && sign && info.specials == SpecialValues::NegativeZeroNaN)
    return floatOf(sign | 0x7FC00000);
  if (magnitude > maxCode(info)) {
    bool isInfinity = info.specials == SpecialValues::InfinityAndNaN &&
                      magnitude == infinityCode(info);
    return floatOf(sign | (isInfinity ? kF32InfinityBits : 0x7FC00000));
  }
  uint32_t field = magnitude >> info.mantissaBits;
  uint32_t mantissa = magnitude & ((1u << info.mantissaBits) - 1);
  if (field == 0 && info.bias != 127)
    // Exact: a small integer times a normal power of two.
    return floatOf(
        sign |
        bitsOf(float(mantissa) *
               floatOf(uint32_t(info.emin() - info.mantissaBits + 127) << 23)));
  return floatOf(sign | ((field ? field - info.bias + 127 : 0) << 23) |
                 (mantissa << (23 - info.mantissaBits)));
}

float qopt::decode(uint32_t code, ElementFormat format) {
  const ElementFormatInfo &info = infoOf(format);
  if (format == ElementFormat::F32)
    return floatOf(code);
  if (info.kind == ElementKind::Exponent)
    return decodeE8M0(uint8_t(code));
  if (info.isInteger())
    return float(integerOf(code, format));
  return decodeFloat(code, info);
}

int32_t qopt::integerOf(uint32_t code, ElementFormat format) {
  const ElementFormatInfo &info = infoOf(format);
  assert(info.isInteger() && "only integer codes are numbers");
  int32_t value = int32_t(code & info.codeMask());
  return info.kind == ElementKind::SignedInteger && value > info.integerMax
             ? value - (int32_t(1) << info.bits)
             : value;
}

uint8_t qopt::encodeE8M0(float value, ScaleRounding rounding, bool saturate) {
  if (value != value)
    return 255;
  if (value <= 0)
    return saturate ? 0 : 255;
  if (bitsOf(value) == kF32InfinityBits)
    return saturate ? 254 : 255;
  Magnitude magnitude = Magnitude(value).normalize();
  uint32_t fraction = magnitude.significand & 0x7FFFFF;
  bool up = (rounding == ScaleRounding::Up && fraction) ||
            (rounding == ScaleRounding::Nearest && fraction >= 0x400000);
  int byte = magnitude.exponent + 127 + up;
  if (byte < 0 || byte > 254)
    return saturate ? std::clamp(byte, 0, 254) : 255;
  return byte;
}

float qopt::decodeE8M0(uint8_t byte) {
  if (byte == 0)
    return floatOf(0x00400000);
  return floatOf(byte == 255 ? 0x7FC00000 : uint32_t(byte) << 23);
}

std::optional<uint8_t> qopt::exactE8M0(float value) {
  uint8_t byte = encodeE8M0(value, ScaleRounding::Down);
  if (byte == 255 || decodeE8M0(byte) != value)
    return std::nullopt;
  return byte;
}

//===----------------------------------------------------------------------===//
// Packed codes
//===----------------------------------------------------------------------===//

size_t qopt::packedSizeInBytes(size_t numCodes, unsigned bits) {
  // In two parts, so that no count overflows.
  return numCodes / 8 * bits + (numCodes % 8 * bits + 7) / 8;
}

void qopt::packCodes(ArrayRef<uint8_t> codes, unsigned bits,
                     MutableArrayRef<uint8_t> packed) {
  assert(bits <= 8 && packed.size() >= packedSizeInBytes(codes.size(), bits));
  uint32_t mask = (1u << bits) - 1, pending = 0;
  unsigned numPending = 0;
  size_t at = 0;
  for (uint8_t code : codes) {
    pending |= (code & mask) << numPending;
    numPending += bits;
    for (; numPending >= 8; numPending -= 8, pending >>= 8)
      packed[at++] = uint8_t(pending);
  }
  if (numPending)
    packed[at] = uint8_t(pending);
}

void qopt::unpackCodes(ArrayRef<uint8_t> packed, unsigned bits,
                       MutableArrayRef<uint8_t> codes) {
  assert(bits <= 8 && packed.size() >= packedSizeInBytes(codes.size(), bits));
  uint32_t mask = (1u << bits) - 1, pending = 0;
  unsigned numPending = 0;
  size_t at = 0;
  for (uint8_t &code : codes) {
    for (; numPending < bits; numPending += 8)
      pending |= uint32_t(packed[at++]) << numPending;
    code = pending & mask;
    pending >>= bits;
    numPending -= bits;
  }
}

uint8_t qopt::packedCodeAt(ArrayRef<uint8_t> packed, size_t index,
                           unsigned bits) {
  size_t byte = index / 8 * bits + index % 8 * bits / 8;
  unsigned shift = index % 8 * bits % 8;
  uint32_t window = packed[byte];
  if (shift + bits > 8)
    window |= uint32_t(packed[byte + 1]) << 8;
  return (window >> shift) & ((1u << bits) - 1);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

std::optional<int> BlockFormat::integerLog2() const {
  const ElementFormatInfo &info = elementInfo();
  if (!info.integerLog2)
    return std::nullopt;
  return *info.integerLog2 - unitLog2;
}

unsigned BlockFormat::significandBits() const {
  const ElementFormatInfo &info = elementInfo();
  return info.isInteger() ? info.emax : info.mantissaBits;
}

int BlockFormat::emax() const { return elementInfo().emax + unitLog2; }

int32_t qopt::integerDecode(uint32_t code, const BlockFormat &format) {
  const ElementFormatInfo &info = format.elementInfo();
  assert(info.integerLog2 && "format has no integer decode");
  if (info.isInteger())
    return integerOf(code, format.element);
  return int32_t(decode(code, format.element) * float(1 << *info.integerLog2));
}

float qopt::unitDecode(uint32_t code, const BlockFormat &format) {
  return decode(code, format.element) *
         floatOf(uint32_t(format.unitLog2 + 127) << 23);
}

/// The code of value * 2^exponent / unit.
static uint32_t encodeScaled(float value, int exponent,
                             const BlockFormat &format) {
  const ElementFormatInfo &info = format.elementInfo();
  if (!info.isInteger())
    return encodeFloat(value, exponent - format.unitLog2, info,
                       /*saturate=*/true);
  return roundToInteger(value, exponent - format.unitLog2, info.symmetricMin,
                        info.symmetricMax) &
         info.codeMask();
}

uint32_t qopt::unitEncode(float value, const BlockFormat &format) {
  return encodeScaled(value, 0, format);
}

int qopt::mxSharedExponent(float amax, const BlockFormat &format,
                           ScaleRule rule) {
  Magnitude magnitude = Magnitude(amax).normalize();
  uint32_t fraction = magnitude.significand & 0x7FFFFF;
  const ElementFormatInfo &info = format.elementInfo();
  // max is exact in float32, so its fraction is compared as an integer.
  uint32_t maxFraction = bitsOf(info.max) & 0x7FFFFF;
  int carry = 0;
  if (rule == ScaleRule::Ceil)
    carry = fraction > maxFraction;
  else if (rule == ScaleRule::Even)
    carry = (fraction + (1u << (22 - format.significandBits()))) >> 23;
  return std::clamp(magnitude.exponent + carry - format.emax(), -127, 127);
}

/// The largest magnitude, as bits: NaN is above infinity, infinity above all.
static uint32_t maxMagnitudeBits(ArrayRef<float> values) {
  uint32_t max = 0;
  for (float value : values)
    max = std::max(max, bitsOf(value) & ~kF32SignBit);
  return max;
}

uint8_t qopt::quantizeMxBlock(ArrayRef<float> values, const BlockFormat &format,
                              ScaleRule rule, MutableArrayRef<uint8_t> codes) {
  assert(format.hasSharedExponent() && codes.size() == values.size());
  uint32_t amax = maxMagnitudeBits(values);
  if (amax == 0 || amax >= kF32InfinityBits) {
    std::fill(codes.begin(), codes.end(), 0);
    return amax ? 255 : 0;
  }
  int exponent = mxSharedExponent(floatOf(amax), format, rule);
  for (auto [value, code] : llvm::zip_equal(values, codes))
    code = encodeScaled(value, -exponent, format);
  return exponent + 127;
}

float qopt::nvfp4EncodeScale(float amax) {
  uint32_t bits = bitsOf(amax) & ~kF32SignBit;
  if (bits == 0 || bits >= kF32InfinityBits)
    return 1;
  return std::min(infoOf(ElementFormat::F8E4M3FN).max *
                      infoOf(ElementFormat::F4E2M1FN).max / floatOf(bits),
                  0x1p126f);
}

uint8_t qopt::quantizeNvfp4Block(ArrayRef<float> values, float encodeScale,
                                 MutableArrayRef<uint8_t> codes) {
  assert(codes.size() == values.size());
  const ElementFormat element = ElementFormat::F4E2M1FN;
  const ElementFormat scaleFormat = ElementFormat::F8E4M3FN;
  std::fill(codes.begin(), codes.end(), 0);
  uint32_t amax = maxMagnitudeBits(values);
  if (amax >= kF32InfinityBits)
    return nanCode(infoOf(scaleFormat));
  float raw = floatOf(amax) / infoOf(element).max * encodeScale;
  uint8_t scale = encode(raw, scaleFormat);
  float step = decode(scale, scaleFormat) / encodeScale;
  if (step == 0)
    return scale;
  for (auto [value, code] : llvm::zip_equal(values, codes))
    code = encode(value / step, element);
  return scale;
}
