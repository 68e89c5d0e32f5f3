//===- ElementFormatsTest.cpp - Codes of the element formats --------------===//
//
// Values and roundings are recomputed here in double arithmetic from the
// definition of each format, where all of them are exact.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>

using namespace qopt;

static constexpr float infinity = std::numeric_limits<float>::infinity();
static const float nan_ = std::numeric_limits<float>::quiet_NaN();

static const ElementFormat floatFormats[] = {
    ElementFormat::F4E2M1FN,   ElementFormat::F6E2M3FN,
    ElementFormat::F6E3M2FN,   ElementFormat::F8E4M3FN,
    ElementFormat::F8E5M2,     ElementFormat::F8E4M3FNUZ,
    ElementFormat::F8E5M2FNUZ, ElementFormat::F16,
    ElementFormat::BF16};

static const ElementFormat integerFormats[] = {
    ElementFormat::I2,  ElementFormat::I4,  ElementFormat::I8,
    ElementFormat::I16, ElementFormat::UI2, ElementFormat::UI4,
    ElementFormat::UI8, ElementFormat::UI16};

/// The textbook value of a code:
/// e == 0 ? m/2^M * 2^(1-bias) : (1 + m/2^M) * 2^(e-bias).
static double definedValue(uint32_t code, const ElementFormatInfo &info) {
  int m = code & ((1 << info.mantissaBits) - 1);
  int e = (code >> info.mantissaBits) & ((1 << info.exponentBits) - 1);
  bool isNegative = code >> (info.bits - 1) & 1;
  bool top = e == (1 << info.exponentBits) - 1;
  double fraction = std::ldexp(m, -info.mantissaBits);
  double value = e ? std::ldexp(1 + fraction, e - info.bias)
                   : std::ldexp(fraction, 1 - info.bias);
  if (info.specials == SpecialValues::InfinityAndNaN && top)
    value = m ? std::nan("") : HUGE_VAL;
  if (info.specials == SpecialValues::OnlyNaN && top &&
      m == (1 << info.mantissaBits) - 1)
    value = std::nan("");
  if (info.specials == SpecialValues::NegativeZeroNaN && isNegative &&
      value == 0)
    value = std::nan("");
  return isNegative ? -value : value;
}

TEST(ElementFormats, TableIsConsistent) {
  for (size_t i = 0; i < elementFormats().size(); ++i) {
    const ElementFormatInfo &info = elementFormats()[i];
    EXPECT_EQ(&infoOf(ElementFormat(i)), &info);
    EXPECT_EQ(lookupElementFormat(info.name), ElementFormat(i));
    if (info.kind == ElementKind::Float) {
      EXPECT_EQ(info.bits, 1 + info.exponentBits + info.mantissaBits);
      EXPECT_EQ(std::ilogb(info.max), info.emax);
    }
  }
  EXPECT_EQ(lookupElementFormat("f8E4M3B11FNUZ"), std::nullopt);
  EXPECT_EQ(infoOf(ElementFormat::I8).symmetricMin, -127);
  EXPECT_EQ(infoOf(ElementFormat::I2).integerMin, -2);
  EXPECT_EQ(infoOf(ElementFormat::I2).symmetricMin, -1);
  EXPECT_EQ(infoOf(ElementFormat::UI16).integerMax, 65535);
}

TEST(ElementFormats, TypesMapBothWays) {
  mlir::MLIRContext context;
  mlir::Builder builder(&context);
  for (size_t i = 0; i < elementFormats().size(); ++i) {
    mlir::Type type = typeOf(ElementFormat(i), &context);
    std::string text;
    llvm::raw_string_ostream(text) << type;
    EXPECT_EQ(text, elementFormats()[i].name.str());
    EXPECT_EQ(elementFormatOf(type), ElementFormat(i));
  }
  EXPECT_EQ(elementFormatOf(builder.getIntegerType(8, /*isSigned=*/true)),
            ElementFormat::I8);
  EXPECT_EQ(elementFormatOf(builder.getF64Type()), std::nullopt);
  EXPECT_EQ(elementFormatOf(builder.getI32Type()), std::nullopt);
  EXPECT_EQ(elementFormatOf(builder.getIndexType()), std::nullopt);
}

TEST(ElementFormats, DecodeFollowsTheDefinition) {
  for (ElementFormat format : floatFormats) {
    const ElementFormatInfo &info = infoOf(format);
    double largest = 0;
    for (uint32_t code = 0; code <= info.codeMask(); ++code) {
      double expected = definedValue(code, info);
      float value = decode(code, format);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(value));
        continue;
      }
      EXPECT_EQ(value, expected) << info.name.str() << " " << code;
      EXPECT_EQ(std::signbit(value), std::signbit(expected));
      if (std::isfinite(expected))
        largest = std::max(largest, expected);
    }
    EXPECT_EQ(largest, info.max) << info.name.str();
  }
}

TEST(ElementFormats, EncodeOfDecodeIsTheCode) {
  for (ElementFormat format : floatFormats)
    for (uint32_t code = 0; code <= infoOf(format).codeMask(); ++code) {
      float value = decode(code, format);
      if (!std::isnan(value)) {
        EXPECT_EQ(encode(value, format, /*saturate=*/false), code);
      }
    }
  for (ElementFormat format : integerFormats)
    for (uint32_t code = 0; code <= infoOf(format).codeMask(); ++code)
      EXPECT_EQ(encode(decode(code, format), format), code);
}

/// Nearest of the finite codes by exhaustive comparison in double, ties to the
/// even code.
static uint32_t nearestCode(double value, ElementFormat format) {
  const ElementFormatInfo &info = infoOf(format);
  uint32_t best = 0;
  double bestDistance = HUGE_VAL, magnitude = std::fabs(value);
  for (uint32_t code = 0; code <= info.codeMask() >> 1; ++code) {
    double distance = std::fabs(magnitude - definedValue(code, info));
    if (distance < bestDistance ||
        (distance == bestDistance && code % 2 == 0)) {
      best = code;
      bestDistance = distance;
    }
  }
  // There is no -0 where its bits are NaN.
  if (best == 0 && info.specials == SpecialValues::NegativeZeroNaN)
    return 0;
  return best | (std::signbit(value) ? 1u << (info.bits - 1) : 0);
}

TEST(ElementFormats, RoundsToNearestEvenAtAndBesideEveryTie) {
  for (ElementFormat format : floatFormats) {
    const ElementFormatInfo &info = infoOf(format);
    if (info.bits > 8)
      continue;
    for (uint32_t code = 0; code < (info.codeMask() >> 1); ++code) {
      double next = definedValue(code + 1, info);
      if (!std::isfinite(next))
        break;
      float tie = float((definedValue(code, info) + next) / 2);
      for (float magnitude :
           {tie, std::nextafterf(tie, 0), std::nextafterf(tie, infinity)})
        for (float value : {magnitude, -magnitude})
          EXPECT_EQ(encode(value, format), nearestCode(value, format))
              << info.name.str() << " " << value;
    }
  }
}

TEST(ElementFormats, RandomFloatsRoundToNearest) {
  std::mt19937 random(7);
  for (ElementFormat format : floatFormats) {
    const ElementFormatInfo &info = infoOf(format);
    if (info.bits > 8)
      continue;
    std::uniform_real_distribution<float> uniform(-1.2f * info.max,
                                                  1.2f * info.max);
    for (int i = 0; i < 2000; ++i) {
      float value = uniform(random) * (i % 3 ? 1.0f : 0x1p-5f);
      EXPECT_EQ(encode(value, format), nearestCode(value, format));
    }
  }
}

TEST(ElementFormats, HalfAndBfloatRoundToNearestEven) {
  // Every 16-bit value, its ties with the next, and their neighbours.
  for (ElementFormat format : {ElementFormat::F16, ElementFormat::BF16}) {
    const ElementFormatInfo &info = infoOf(format);
    for (uint32_t code = 0; definedValue(code + 1, info) <= info.max; ++code) {
      double low = definedValue(code, info),
             high = definedValue(code + 1, info);
      float tie = float((low + high) / 2);
      EXPECT_EQ(encode(tie, format), code + code % 2);
      EXPECT_EQ(encode(std::nextafterf(tie, 0), format), code);
      EXPECT_EQ(encode(-std::nextafterf(tie, infinity), format),
                (code + 1) | 0x8000);
    }
  }
  EXPECT_EQ(encode(65519.996f, ElementFormat::F16), 0x7BFFu);
  EXPECT_EQ(encode(65520, ElementFormat::F16), 0x7C00u);
  EXPECT_EQ(encode(-1e30f, ElementFormat::F16), 0xFC00u);
  EXPECT_EQ(encode(3.4e38f, ElementFormat::BF16), 0x7F80u);
  EXPECT_TRUE(std::isnan(
      decode(encode(nan_, ElementFormat::BF16), ElementFormat::BF16)));
}

TEST(ElementFormats, OutOfRange) {
  EXPECT_EQ(encode(1e30f, ElementFormat::F4E2M1FN), 0x7u);
  EXPECT_EQ(encode(-infinity, ElementFormat::F6E3M2FN), 0x3Fu);
  EXPECT_EQ(encode(infinity, ElementFormat::F8E4M3FN), 0x7Eu);
  EXPECT_EQ(encode(infinity, ElementFormat::F8E5M2), 0x7Bu);
  // Whether a value is out of range is decided after rounding.
  EXPECT_EQ(encode(464, ElementFormat::F8E4M3FN, false), 0x7Eu);
  EXPECT_EQ(encode(465, ElementFormat::F8E4M3FN, false), 0x7Fu);
  EXPECT_EQ(encode(480, ElementFormat::F8E4M3FN, false), 0x7Fu);
  EXPECT_EQ(encode(-1e9f, ElementFormat::F8E4M3FN, false), 0xFFu);
  EXPECT_EQ(encode(247, ElementFormat::F8E4M3FNUZ, false), 0x7Fu);
  EXPECT_EQ(encode(248, ElementFormat::F8E4M3FNUZ, false), 0x80u);
  EXPECT_EQ(encode(-infinity, ElementFormat::F8E4M3FNUZ, false), 0x80u);
  EXPECT_EQ(encode(-infinity, ElementFormat::F8E5M2FNUZ, true), 0xFFu);
  EXPECT_EQ(encode(-1e-30f, ElementFormat::F8E5M2FNUZ), 0u);
  EXPECT_EQ(encode(nan_, ElementFormat::F8E5M2FNUZ), 0x80u);
  EXPECT_EQ(encode(61439, ElementFormat::F8E5M2, false), 0x7Bu);
  EXPECT_EQ(encode(61440, ElementFormat::F8E5M2, false), 0x7Cu);
  EXPECT_EQ(encode(-infinity, ElementFormat::F8E5M2, false), 0xFCu);
  EXPECT_EQ(encode(1e9f, ElementFormat::F4E2M1FN, false), 0x7u);
}

TEST(ElementFormats, NotANumber) {
  EXPECT_EQ(encode(nan_, ElementFormat::F4E2M1FN), 0x8u);
  EXPECT_EQ(encode(-nan_, ElementFormat::F6E2M3FN), 0x20u);
  EXPECT_EQ(encode(nan_, ElementFormat::F8E4M3FN), 0x7Fu);
  EXPECT_EQ(encode(nan_, ElementFormat::F8E5M2), 0x7Eu);
  EXPECT_EQ(encode(nan_, ElementFormat::I8), 0x80u);
  EXPECT_EQ(encode(nan_, ElementFormat::UI8), 0u);
}

TEST(ElementFormats, IntegersRoundAndClamp) {
  EXPECT_EQ(encode(2.5f, ElementFormat::I8), 2u);
  EXPECT_EQ(encode(3.5f, ElementFormat::I8), 4u);
  EXPECT_EQ(encode(-0.5f, ElementFormat::I8), 0u);
  EXPECT_EQ(encode(-1.5f, ElementFormat::I4), 0xEu);
  EXPECT_EQ(encode(127.5f, ElementFormat::I8), 127u);
  EXPECT_EQ(encode(-1e30f, ElementFormat::I16), 0x8000u);
  EXPECT_EQ(encode(infinity, ElementFormat::UI4), 15u);
  EXPECT_EQ(encode(-3, ElementFormat::UI2), 0u);
  EXPECT_EQ(encode(0x1p-149f, ElementFormat::I8), 0u);
  EXPECT_EQ(integerOf(0xE, ElementFormat::I4), -2);
  EXPECT_EQ(integerOf(0xE, ElementFormat::UI4), 14);
  EXPECT_EQ(integerOf(0x8000, ElementFormat::I16), -32768);
}

TEST(ElementFormats, TinyValuesKeepTheirSign) {
  EXPECT_EQ(encode(-0x1p-149f, ElementFormat::F8E5M2), 0x80u);
  EXPECT_EQ(encode(-0.0f, ElementFormat::F4E2M1FN), 0x8u);
  // Between -0.5 and -0.25: the nearest is -0.5, the tie at -0.25 is -0.
  EXPECT_EQ(encode(-0.3f, ElementFormat::F4E2M1FN), 0x9u);
  EXPECT_EQ(encode(-0.26f, ElementFormat::F4E2M1FN), 0x9u);
  EXPECT_EQ(encode(-0.25f, ElementFormat::F4E2M1FN), 0x8u);
}

TEST(ElementFormats, ScaleBytes) {
  for (int byte = 0; byte < 255; ++byte) {
    float value = decodeE8M0(byte);
    EXPECT_EQ(value, std::ldexp(1.0, byte - 127));
    for (ScaleRounding rounding :
         {ScaleRounding::Up, ScaleRounding::Down, ScaleRounding::Nearest})
      EXPECT_EQ(encodeE8M0(value, rounding, false), byte);
    EXPECT_EQ(exactE8M0(value), byte);
    EXPECT_EQ(exactE8M0(std::nextafterf(value, infinity)), std::nullopt);
  }
  EXPECT_TRUE(std::isnan(decodeE8M0(255)));
  EXPECT_EQ(exactE8M0(0), std::nullopt);
  EXPECT_EQ(exactE8M0(-2), std::nullopt);
  EXPECT_EQ(exactE8M0(0x1p-128f), std::nullopt);
  EXPECT_EQ(exactE8M0(infinity), std::nullopt);
}

TEST(ElementFormats, ScaleBytesRoundAsAsked) {
  EXPECT_EQ(encodeE8M0(0.3f, ScaleRounding::Up), 126);
  EXPECT_EQ(encodeE8M0(0.3f, ScaleRounding::Down), 125);
  EXPECT_EQ(encodeE8M0(0.3f, ScaleRounding::Nearest), 125);
  EXPECT_EQ(encodeE8M0(6, ScaleRounding::Nearest), 130);
  EXPECT_EQ(encodeE8M0(5.9f, ScaleRounding::Nearest), 129);
  EXPECT_EQ(encodeE8M0(0), 0);
  EXPECT_EQ(encodeE8M0(0, ScaleRounding::Up, false), 255);
  EXPECT_EQ(encodeE8M0(infinity), 254);
  EXPECT_EQ(encodeE8M0(infinity, ScaleRounding::Up, false), 255);
  EXPECT_EQ(encodeE8M0(-1), 0);
  EXPECT_EQ(encodeE8M0(-1, ScaleRounding::Up, false), 255);
  EXPECT_EQ(encodeE8M0(nan_), 255);
  EXPECT_EQ(encodeE8M0(0x1p-149f), 0);
  EXPECT_EQ(encodeE8M0(0x1.8p127f), 254);
  EXPECT_EQ(encodeE8M0(0x1.8p127f, ScaleRounding::Up, false), 255);
  EXPECT_EQ(encodeE8M0(0x1.8p127f, ScaleRounding::Down, false), 254);
}

// A product of E2M1 and a power of two is exact in E4M3 for t in [-8, 6] and in
// E5M2 for t in [-15, 13], and the cast itself is a table.
TEST(ElementFormats, Float4IsASubsetOfFloat8) {
  const uint8_t e4m3[] = {0x00, 0x30, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C};
  const uint8_t e5m2[] = {0x00, 0x38, 0x3C, 0x3E, 0x40, 0x42, 0x44, 0x46};
  for (uint32_t code = 0; code < 8; ++code) {
    float value = decode(code, ElementFormat::F4E2M1FN);
    EXPECT_EQ(encode(value, ElementFormat::F8E4M3FN), e4m3[code]);
    EXPECT_EQ(encode(-value, ElementFormat::F8E5M2), e5m2[code] | 0x80u);
    for (uint32_t k = 0; code && k <= 5; ++k)
      EXPECT_EQ(encode(std::ldexp(value, -int(k)), ElementFormat::F8E4M3FN),
                e4m3[code] - (k << 3));
    for (uint32_t k = 0; code && k <= 13; ++k)
      EXPECT_EQ(encode(std::ldexp(value, -int(k)), ElementFormat::F8E5M2),
                e5m2[code] - (k << 2));
  }
  auto isExact = [](int t, ElementFormat format) {
    for (uint32_t code = 0; code < 8; ++code) {
      float value = std::ldexp(decode(code, ElementFormat::F4E2M1FN), t);
      if (decode(encode(value, format), format) != value)
        return false;
    }
    return true;
  };
  for (int t = -20; t <= 20; ++t) {
    EXPECT_EQ(isExact(t, ElementFormat::F8E4M3FN), t >= -8 && t <= 6) << t;
    EXPECT_EQ(isExact(t, ElementFormat::F8E5M2), t >= -15 && t <= 13) << t;
  }
}

TEST(PackedCodes, RoundTripForEveryWidthAndLength) {
  std::mt19937 random(3);
  for (unsigned bits : {2u, 4u, 6u, 8u})
    for (size_t count = 0; count < 40; ++count) {
      std::vector<uint8_t> codes(count), back(count);
      for (uint8_t &code : codes)
        code = random() & ((1u << bits) - 1);
      size_t size = packedSizeInBytes(count, bits);
      EXPECT_EQ(size, (count * bits + 7) / 8);
      std::vector<uint8_t> packed(size);
      packCodes(codes, bits, packed);
      unpackCodes(packed, bits, back);
      EXPECT_EQ(back, codes);
      for (size_t i = 0; i < count; ++i)
        EXPECT_EQ(packedCodeAt(packed, i, bits), codes[i]);
    }
}

TEST(PackedCodes, LowBitsComeFirst) {
  uint8_t packed[3];
  packCodes({1, 2, 3}, 4, llvm::MutableArrayRef(packed, 2));
  EXPECT_EQ(packed[0], 0x21);
  EXPECT_EQ(packed[1], 0x03);
  packCodes({0, 1, 2, 3}, 2, llvm::MutableArrayRef(packed, 1));
  EXPECT_EQ(packed[0], 0xE4);
  packCodes({0x01, 0x02, 0x03, 0x3F}, 6, packed);
  EXPECT_EQ(packed[0], 0x81);
  EXPECT_EQ(packed[1], 0x30);
  EXPECT_EQ(packed[2], 0xFC);
}
