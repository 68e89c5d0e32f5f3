//===- ElementCodesTest.cpp - Formulas for codes equal the tables ---------===//

#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "gtest/gtest.h"
#include <random>
#include <vector>

using namespace qopt;
using namespace qopt::numerics;

static ScalarPolicy b;

static const ElementFormat floatFormats[] = {
    ElementFormat::F4E2M1FN,   ElementFormat::F6E2M3FN,
    ElementFormat::F6E3M2FN,   ElementFormat::F8E4M3FN,
    ElementFormat::F8E5M2,     ElementFormat::F8E4M3FNUZ,
    ElementFormat::F8E5M2FNUZ, ElementFormat::F16,
    ElementFormat::BF16};

static bool isNaNCode(uint32_t code, ElementFormat format) {
  return std::isnan(decode(code, format));
}

TEST(ElementCodes, EncodeEqualsTheTable) {
  for (ElementFormat format : floatFormats)
    for (bool saturate : {true, false})
      for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 1009) {
        float x = b.floatOf(int32_t(uint32_t(bits)));
        uint32_t expected = encode(x, format, saturate);
        uint32_t code = encodeFloatCode(b, x, format, saturate);
        if (infoOf(format).exponentBits == 8 && std::isnan(x))
          ASSERT_TRUE(isNaNCode(code, format));
        else
          ASSERT_EQ(code, expected) << infoOf(format).name.str() << " " << x;
      }
}

TEST(ElementCodes, EncodeEqualsTheTableAtTies) {
  for (ElementFormat format : floatFormats)
    for (uint32_t code = 0; code < infoOf(format).codeMask() >> 1; ++code) {
      float tie = (decode(code, format) + decode(code + 1, format)) / 2;
      if (!std::isfinite(tie))
        continue;
      for (float x :
           {tie, std::nextafterf(tie, 0), std::nextafterf(tie, infinity), -tie})
        ASSERT_EQ(uint32_t(encodeFloatCode(b, x, format)), encode(x, format))
            << infoOf(format).name.str() << " " << x;
    }
}

TEST(ElementCodes, DecodeEqualsTheTable) {
  for (size_t i = 0; i < elementFormats().size(); ++i) {
    ElementFormat format = ElementFormat(i);
    if (infoOf(format).bits > 16)
      continue;
    for (uint32_t code = 0; code <= infoOf(format).codeMask(); ++code) {
      float expected = decode(code, format);
      float value = decodeCode(b, int32_t(code), format);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(value));
      else
        EXPECT_EQ(b.bitsOf(value), b.bitsOf(expected))
            << infoOf(format).name.str() << " " << code;
    }
  }
}

TEST(ElementCodes, HighBitsOfACodeAreIgnored) {
  EXPECT_EQ(decodeCode(b, 0x7A7, ElementFormat::F4E2M1FN), 6);
  EXPECT_EQ(decodeCode(b, -1, ElementFormat::I4), -1);
  EXPECT_EQ(decodeCode(b, -1, ElementFormat::UI4), 15);
  EXPECT_EQ(decodeCode(b, -32, ElementFormat::F6E3M2FN), 0);
}

TEST(ElementCodes, UnitCodesEqualTheTable) {
  for (const BlockFormat &format : blockFormats())
    for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 100003) {
      float x = b.floatOf(int32_t(uint32_t(bits)));
      int32_t code = encodeUnit(b, x, format);
      ASSERT_EQ(uint32_t(code), unitEncode(x, format))
          << format.name.str() << " " << x;
      if (!isNaNCode(code, format.element)) {
        ASSERT_EQ(decodeUnit(b, code, format), unitDecode(code, format));
      }
    }
}

TEST(ElementCodes, SharedExponentEqualsTheTable) {
  for (const BlockFormat &format : blockFormats()) {
    if (!format.hasSharedExponent())
      continue;
    for (ScaleRule rule : {ScaleRule::Floor, ScaleRule::Ceil, ScaleRule::Even})
      for (uint32_t bits = 1; bits < 0x7F800000; bits += 20011)
        ASSERT_EQ(mxSharedExponentOfBits(b, int32_t(bits), format, rule),
                  mxSharedExponent(b.floatOf(int32_t(bits)), format, rule))
            << format.name.str() << " " << bits;
  }
}

static void expectSameBlock(llvm::ArrayRef<float> values,
                            const BlockFormat &format, ScaleRule rule) {
  std::vector<uint8_t> codes(values.size());
  uint8_t scale = quantizeMxBlock(values, format, rule, codes);
  int32_t amax = 0;
  for (float value : values)
    amax = b.maxS(amax, magnitudeBits(b, value));
  int32_t byte = mxScaleByte(b, amax, format, rule);
  ASSERT_EQ(byte, scale) << format.name.str();
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(mxElementCode(b, values[i], amax, byte, format), codes[i])
        << format.name.str() << " " << values[i];
}

TEST(ElementCodes, BlocksEqualTheTable) {
  std::mt19937 random(17);
  std::normal_distribution<float> normal;
  for (const BlockFormat &format : blockFormats()) {
    if (!format.hasSharedExponent())
      continue;
    for (ScaleRule rule :
         {ScaleRule::Floor, ScaleRule::Ceil, ScaleRule::Even}) {
      for (int exponent = -150; exponent <= 127; ++exponent) {
        std::vector<float> values(32);
        for (float &value : values)
          value = std::ldexp(normal(random), exponent - int(random() % 24));
        expectSameBlock(values, format, rule);
      }
      expectSameBlock({0.0f, -0.0f}, format, rule);
      expectSameBlock({1.0f, quietNaN}, format, rule);
      expectSameBlock({-infinity, 1.0f}, format, rule);
      expectSameBlock({-1.9999f, 1.9999f}, format, rule);
    }
  }
}

TEST(ElementCodes, ScaleByBytes) {
  // 3 * 2^(-5) * 2^(-7) * 2^-2
  EXPECT_EQ(scaleByBytes(b, 3, 122 + 120, 2, -2, false), 3 * 0x1p-14f);
  EXPECT_EQ(scaleByBytes(b, 1, 0, 1, 0, false), 0x1p-127f);
  EXPECT_EQ(scaleByBytes(b, 0x1p-127f, 254, 1, 0, false), 1);
  EXPECT_TRUE(std::isnan(scaleByBytes(b, 1, 255, 1, 0, true)));
}

TEST(ElementCodes, Nvfp4EqualsTheTable) {
  std::mt19937 random(19);
  std::normal_distribution<float> normal;
  for (float encodeScale : {1.0f, 199.11111f, 1e-3f, 0x1p100f})
    for (int exponent = -20; exponent < 12; ++exponent) {
      std::vector<float> values(16);
      std::vector<uint8_t> codes(16);
      int32_t amax = 0;
      for (float &value : values) {
        value = std::ldexp(normal(random), exponent) / encodeScale;
        amax = b.maxS(amax, magnitudeBits(b, value));
      }
      uint8_t scale = quantizeNvfp4Block(values, encodeScale, codes);
      int32_t code = nvfp4ScaleCode(b, amax, encodeScale);
      ASSERT_EQ(code, scale);
      float step = nvfp4Step(b, code, encodeScale);
      for (size_t i = 0; i < 16; ++i)
        ASSERT_EQ(nvfp4ElementCode(b, values[i], step), codes[i]);
    }
  EXPECT_EQ(nvfp4ScaleCode(b, b.bitsOf(infinity), 1), 0x7F);
  EXPECT_EQ(nvfp4ElementCode(b, 1, quietNaN), 0);
  for (float amax : {0.0f, 13.5f, 0x1p-149f, infinity, 3e38f})
    EXPECT_EQ(nvfp4EncodeScaleOfBits(b, b.bitsOf(amax)),
              nvfp4EncodeScale(amax));
}
