//===- BlockFormatsTest.cpp - Blocks with a shared scale ------------------===//
//
// Worked vectors, error statistics on normal numbers, and the corners of the
// shared exponent.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace qopt;

static constexpr float infinity = std::numeric_limits<float>::infinity();
static const float nan_ = std::numeric_limits<float>::quiet_NaN();

static const std::vector<float> worked = {
    0,  .25,   -.375, .5, .75,  -.875, 1,     1.125,  -1.25, 1.5, 1.75,
    2,  -2.25, 2.5,   3,  -3.5, 4,     4.5,   5,      -6,    7,   7.9375,
    -9, 10,    11,    12, -13,  .0625, -.125, .03125, .001f, 13.5};

static const BlockFormat &format(llvm::StringRef name) {
  return *lookupFormat(name);
}

static double squaredError(llvm::ArrayRef<float> values,
                           llvm::ArrayRef<uint8_t> codes,
                           const BlockFormat &format, uint8_t scale) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double error =
        double(values[i]) -
        std::ldexp(double(unitDecode(codes[i], format)), scale - 127);
    sum += error * error;
  }
  return sum;
}

struct Quantized {
  uint8_t scale;
  std::vector<uint8_t> codes;
};

static Quantized quantize(llvm::ArrayRef<float> values,
                          const BlockFormat &format,
                          ScaleRule rule = ScaleRule::Floor) {
  Quantized result{0, std::vector<uint8_t>(values.size(), 0xAA)};
  result.scale = quantizeMxBlock(values, format, rule, result.codes);
  return result;
}

TEST(BlockFormats, Table) {
  EXPECT_EQ(lookupFormat("mxfp5"), nullptr);
  const BlockFormat &mxint8 = format("mxint8");
  EXPECT_EQ(mxint8.block, 32);
  EXPECT_EQ(mxint8.unitLog2, -6);
  EXPECT_EQ(mxint8.integerLog2(), 6);
  EXPECT_EQ(mxint8.emax(), 0);
  EXPECT_EQ(format("mxfp4").integerLog2(), 1);
  EXPECT_EQ(format("mxfp6-e2m3").integerLog2(), 3);
  EXPECT_EQ(format("mxfp6-e3m2").integerLog2(), 4);
  EXPECT_EQ(format("mxfp8-e4m3").integerLog2(), std::nullopt);
  EXPECT_EQ(format("nvfp4").block, 16);
  EXPECT_EQ(format("nvfp4").scales.size(), 2u);
  EXPECT_EQ(format("nvfp4").scales[0], ElementFormat::F8E4M3FN);
  EXPECT_FALSE(format("nvfp4").hasSharedExponent());
  EXPECT_FALSE(format("ui4").hasSharedExponent());
  EXPECT_EQ(format("ui4").zero, ElementFormat::UI4);
  EXPECT_TRUE(format("mxfp4").hasSharedExponent());
}

TEST(BlockFormats, IntegerDecodeIsAMultipleOfTheValue) {
  for (const BlockFormat &each : blockFormats()) {
    if (!each.integerLog2())
      continue;
    for (uint32_t code = 0; code <= each.elementInfo().codeMask(); ++code)
      EXPECT_EQ(integerDecode(code, each),
                std::ldexp(unitDecode(code, each), *each.integerLog2()))
          << each.name.str();
  }
}

TEST(BlockFormats, WorkedMxfp4) {
  Quantized result = quantize(worked, format("mxfp4"));
  EXPECT_EQ(result.scale, 0x80);
  std::vector<uint8_t> codes = {0,  0,  8, 0, 1,  9, 1, 1, 9,  2, 2,
                                2,  10, 2, 3, 12, 4, 4, 4, 13, 6, 6,
                                14, 6,  7, 7, 15, 0, 8, 0, 0,  7};
  EXPECT_EQ(result.codes, codes);
  EXPECT_DOUBLE_EQ(
      squaredError(worked, result.codes, format("mxfp4"), result.scale), [] {
        // .001 is not a double; everything else in the sum is exact.
        double error = double(.001f);
        return 13.0087900625 - 1e-6 + error * error;
      }());
  std::vector<uint8_t> packed(16),
      expected = {0x00, 0x08, 0x91, 0x11, 0x29, 0x22, 0x2A, 0xC3,
                  0x44, 0xD4, 0x66, 0x6E, 0x77, 0x0F, 0x08, 0x70};
  packCodes(result.codes, 4, packed);
  EXPECT_EQ(packed, expected);
  EXPECT_EQ(quantize(worked, format("mxfp4"), ScaleRule::Even).codes, codes);
}

TEST(BlockFormats, WorkedScalesAndErrors) {
  struct {
    const char *name;
    ScaleRule rule;
    uint8_t scale;
    double error;
  } cases[] = {
      {"mxfp8-e4m3", ScaleRule::Floor, 0x7A, 0.25390625055},
      {"mxfp8-e5m2", ScaleRule::Floor, 0x73, 3.58203125055},
      {"mxfp6-e3m2", ScaleRule::Floor, 0x7E, 3.58203225},
      {"mxfp6-e2m3", ScaleRule::Floor, 0x80, 0.3212900625},
      {"mxint8", ScaleRule::Floor, 0x82, 0.0087900625},
      {"mxfp4", ScaleRule::Ceil, 0x81, 17.5087900625},
  };
  for (auto &each : cases) {
    Quantized result = quantize(worked, format(each.name), each.rule);
    EXPECT_EQ(result.scale, each.scale) << each.name;
    EXPECT_NEAR(
        squaredError(worked, result.codes, format(each.name), result.scale),
        each.error, 1e-9)
        << each.name;
  }
}

TEST(BlockFormats, WorkedCodesOfWiderElements) {
  std::vector<uint8_t> e4m3 = {0x00, 0x50, 0xD4, 0x58, 0x5C, 0xDE, 0x60, 0x61,
                               0xE2, 0x64, 0x66, 0x68, 0xE9, 0x6A, 0x6C, 0xEE,
                               0x70, 0x71, 0x72, 0xF4, 0x76, 0x78, 0xF9, 0x7A,
                               0x7B, 0x7C, 0xFD, 0x40, 0xC8, 0x38, 0x10, 0x7E};
  EXPECT_EQ(quantize(worked, format("mxfp8-e4m3")).codes, e4m3);
  std::vector<int> int8 = {0,   2,   -3, 4,  6,    -7, 8,  9,  -10, 12, 14,
                           16,  -18, 20, 24, -28,  32, 36, 40, -48, 56, 64,
                           -72, 80,  88, 96, -104, 0,  -1, 0,  0,   108};
  Quantized result = quantize(worked, format("mxint8"));
  for (size_t i = 0; i < int8.size(); ++i)
    EXPECT_EQ(integerOf(result.codes[i], ElementFormat::I8), int8[i]);
}

TEST(BlockFormats, SharedExponentIsTakenFromBits) {
  float belowEight = std::nextafterf(8, 0);
  EXPECT_EQ(mxSharedExponent(belowEight, format("mxint8"), ScaleRule::Floor),
            2);
  EXPECT_EQ(mxSharedExponent(belowEight, format("mxfp4"), ScaleRule::Floor), 0);
  EXPECT_EQ(mxSharedExponent(belowEight, format("mxfp4"), ScaleRule::Ceil), 1);
  EXPECT_EQ(mxSharedExponent(belowEight, format("mxfp4"), ScaleRule::Even), 1);
  EXPECT_EQ(mxSharedExponent(6, format("mxfp4"), ScaleRule::Ceil), 0);
  EXPECT_EQ(
      mxSharedExponent(std::nextafterf(6, 7), format("mxfp4"), ScaleRule::Ceil),
      1);
  EXPECT_EQ(mxSharedExponent(7, format("mxfp4"), ScaleRule::Even), 1);
  EXPECT_EQ(
      mxSharedExponent(std::nextafterf(7, 0), format("mxfp4"), ScaleRule::Even),
      0);
}

TEST(BlockFormats, SharedExponentOfExtremes) {
  float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(mxSharedExponent(largest, format("mxint8"), ScaleRule::Floor), 127);
  EXPECT_EQ(mxSharedExponent(largest, format("mxint8"), ScaleRule::Ceil), 127);
  EXPECT_EQ(mxSharedExponent(largest, format("mxfp4"), ScaleRule::Floor), 125);
  EXPECT_EQ(mxSharedExponent(0x1p-149f, format("mxint8"), ScaleRule::Floor),
            -127);
  EXPECT_EQ(mxSharedExponent(0x1p-126f, format("mxint8"), ScaleRule::Floor),
            -126);
  // Just below 2^-126 the magnitude does not fit 127/64 * 2^-127.
  float subnormal = std::nextafterf(0x1p-126f, 0);
  EXPECT_EQ(mxSharedExponent(subnormal, format("mxint8"), ScaleRule::Floor),
            -127);
  EXPECT_EQ(mxSharedExponent(subnormal, format("mxint8"), ScaleRule::Ceil),
            -126);
}

// For any magnitude: Ceil is the least exponent at which nothing saturates,
// Floor puts the magnitude into [2^emax, 2^(emax+1)).
TEST(BlockFormats, ScaleRulesKeepTheirPromise) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> mantissa(1, 2);
  std::uniform_int_distribution<int> exponent(-100, 100);
  for (const BlockFormat &each : blockFormats()) {
    if (!each.hasSharedExponent())
      continue;
    double max = std::ldexp(double(each.elementInfo().isInteger()
                                       ? each.elementInfo().symmetricMax
                                       : each.elementInfo().max),
                            each.unitLog2);
    for (int i = 0; i < 1000; ++i) {
      float amax = std::ldexp(mantissa(random), exponent(random));
      int ceil = mxSharedExponent(amax, each, ScaleRule::Ceil);
      EXPECT_LE(amax, std::ldexp(max, ceil));
      EXPECT_GT(amax, std::ldexp(max, ceil - 1));
      int floor = mxSharedExponent(amax, each, ScaleRule::Floor);
      EXPECT_EQ(std::ilogb(amax), floor + each.emax());
    }
  }
}

TEST(BlockFormats, NotFiniteAndZeroBlocks) {
  for (const BlockFormat &each : blockFormats()) {
    if (!each.hasSharedExponent())
      continue;
    std::vector<uint8_t> zeros(3, 0);
    for (float special : {nan_, infinity, -infinity}) {
      Quantized result = quantize({1, special, -2}, each);
      EXPECT_EQ(result.scale, 255);
      EXPECT_EQ(result.codes, zeros);
    }
    Quantized result = quantize({0.0f, -0.0f, 0.0f}, each);
    EXPECT_EQ(result.scale, 0);
    EXPECT_EQ(result.codes, zeros);
  }
}

TEST(BlockFormats, SmallestSubnormalUnderflowsGracefully) {
  // 2^-149 = 2^-127 * 2^-22 is below half of every smallest element.
  Quantized result = quantize({0x1p-149f, -0x1p-149f}, format("mxfp8-e5m2"));
  EXPECT_EQ(result.scale, 0);
  EXPECT_EQ(result.codes, (std::vector<uint8_t>{0x00, 0x80}));
  // 2^-127 is 1 * 2^-127.
  result = quantize({0x1p-127f, 0x1p-128f}, format("mxfp4"));
  EXPECT_EQ(result.scale, 0);
  EXPECT_EQ(result.codes, (std::vector<uint8_t>{2, 1}));
}

TEST(BlockFormats, NeverEmitsTheCodeWithoutANegative) {
  Quantized result = quantize({-1.9999f, 1.9999f, -0.5f}, format("mxint8"));
  EXPECT_EQ(integerOf(result.codes[0], ElementFormat::I8), -127);
  EXPECT_EQ(integerOf(result.codes[1], ElementFormat::I8), 127);
  EXPECT_EQ(integerOf(result.codes[2], ElementFormat::I8), -32);
}

TEST(BlockFormats, ErrorOnNormalNumbers) {
  constexpr size_t numBlocks = 32768;
  std::mt19937_64 random(2024);
  std::normal_distribution<float> normal;
  std::vector<float> values(numBlocks * 32);
  double signal = 0;
  for (float &value : values) {
    value = normal(random);
    signal += double(value) * value;
  }
  struct {
    const char *name;
    double floor, ceil, even;
  } cases[] = {
      {"mxfp4", 18.79, 18.76, 19.03},      {"mxfp6-e2m3", 30.94, 30.96, 30.99},
      {"mxfp6-e3m2", 25.36, 25.54, 25.54}, {"mxfp8-e4m3", 30.65, 31.52, 31.18},
      {"mxfp8-e5m2", 25.36, 25.54, 25.54}, {"mxint8", 41.67, 0, 0}};
  for (auto &each : cases)
    for (auto [rule, expected] : {std::pair(ScaleRule::Floor, each.floor),
                                  std::pair(ScaleRule::Ceil, each.ceil),
                                  std::pair(ScaleRule::Even, each.even)}) {
      if (expected == 0)
        continue;
      double noise = 0;
      std::vector<uint8_t> codes(32);
      for (size_t i = 0; i < values.size(); i += 32) {
        llvm::ArrayRef<float> block = llvm::ArrayRef(values).slice(i, 32);
        uint8_t scale = quantizeMxBlock(block, format(each.name), rule, codes);
        noise += squaredError(block, codes, format(each.name), scale);
      }
      EXPECT_NEAR(10 * std::log10(signal / noise), expected, 0.05) << each.name;
    }

  // NVFP4 with the tensor's own scale.
  float amax = 0;
  for (float value : values)
    amax = std::max(amax, std::fabs(value));
  float encodeScale = nvfp4EncodeScale(amax);
  double noise = 0;
  std::vector<uint8_t> codes(16);
  for (size_t i = 0; i < values.size(); i += 16) {
    llvm::ArrayRef<float> block = llvm::ArrayRef(values).slice(i, 16);
    uint8_t scale = quantizeNvfp4Block(block, encodeScale, codes);
    double step = double(decode(scale, ElementFormat::F8E4M3FN)) / encodeScale;
    for (size_t k = 0; k < 16; ++k) {
      double error =
          block[k] - step * decode(codes[k], ElementFormat::F4E2M1FN);
      noise += error * error;
    }
  }
  EXPECT_NEAR(10 * std::log10(signal / noise), 20.44, 0.05);
}

TEST(Nvfp4, WorkedExample) {
  float encodeScale = nvfp4EncodeScale(13.5f);
  EXPECT_FLOAT_EQ(encodeScale, 199.11111f);
  std::vector<uint8_t> codes(16),
      expected = {0, 1, 9, 2, 2, 11, 3, 4, 12, 4, 5, 5, 14, 6, 6, 15};
  llvm::ArrayRef<float> block = llvm::ArrayRef(worked).take_front(16);
  uint8_t scale = quantizeNvfp4Block(block, encodeScale, codes);
  EXPECT_EQ(scale, 0x6F);
  EXPECT_EQ(codes, expected);
  float step = decode(scale, ElementFormat::F8E4M3FN) / encodeScale;
  EXPECT_FLOAT_EQ(step, 0.60267854f);
  double error = 0;
  for (size_t i = 0; i < 16; ++i)
    error += std::pow(
        block[i] - double(step) * decode(codes[i], ElementFormat::F4E2M1FN), 2);
  EXPECT_NEAR(error, 0.58037724, 1e-6);
}

TEST(Nvfp4, Extremes) {
  EXPECT_EQ(nvfp4EncodeScale(0), 1);
  EXPECT_EQ(nvfp4EncodeScale(infinity), 1);
  EXPECT_EQ(nvfp4EncodeScale(0x1p-149f), 0x1p126f);
  std::vector<uint8_t> codes(4), zeros(4, 0);
  // amax * g / 6 at the tie below the smallest subnormal: scale 0, codes 0.
  EXPECT_EQ(quantizeNvfp4Block({6 * 0x1p-10f, 0, -0.0f, 0}, 1, codes), 0);
  EXPECT_EQ(codes, zeros);
  EXPECT_EQ(quantizeNvfp4Block({1, nan_, 2, 3}, 1, codes), 0x7F);
  EXPECT_EQ(codes, zeros);
  // Beyond the tensor's calibrated range the block scale saturates.
  EXPECT_EQ(quantizeNvfp4Block({1e6f, -1e6f, 448, 0}, 1, codes), 0x7E);
  EXPECT_EQ(codes, (std::vector<uint8_t>{7, 15, 2, 0}));
}
