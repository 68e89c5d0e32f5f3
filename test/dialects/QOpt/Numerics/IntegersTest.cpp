//===- IntegersTest.cpp - Quantize, requantize, shift ---------------------===//
//
// Oracles are 64-bit integers and doubles, in which each formula is exact.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Numerics/Integers.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "dialects/QOpt/Numerics/Scaling.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace qopt::numerics;

static ScalarPolicy b;

TEST(Integers, QuantizeRoundsThenAddsZero) {
  EXPECT_EQ(quantizeToInt(b, 2.5f, 1, 1, -128, 127), 3);
  EXPECT_EQ(quantizeToInt(b, 3.5f, 1, 1, -128, 127), 5);
  EXPECT_EQ(quantizeToInt(b, -0.5f, 1, 3, -128, 127), 3);
  EXPECT_EQ(quantizeToInt(b, 200, 1, -10, -128, 127), 127);
  EXPECT_EQ(quantizeToInt(b, -200, 1, 10, -128, 127), -128);
  EXPECT_EQ(quantizeToInt(b, 300, 0.5f, 128, 0, 255), 255);
}

TEST(Integers, QuantizeOfSpecialValues) {
  EXPECT_EQ(quantizeToInt(b, quietNaN, 1, 5, -128, 127), -128);
  EXPECT_EQ(quantizeToInt(b, infinity, 1, 5, -128, 127), 127);
  EXPECT_EQ(quantizeToInt(b, -infinity, 1, 5, 0, 255), 0);
  EXPECT_EQ(quantizeToInt(b, 1e30f, 1, 0, -32768, 32767), 32767);
  EXPECT_EQ(quantizeDivide(b, 0, 0, 7, -128, 127), -128);
  EXPECT_EQ(quantizeDivide(b, 1, 0, 7, -128, 127), 127);
}

TEST(Integers, BoundsBeforeTheRoundingAreBoundsBehindIt) {
  for (int low : {-128, -127, 0})
    for (int high : {127, 126, 255})
      for (int zero : {0, 1, -3})
        for (float x = -260; x <= 260; x += 0.25f) {
          float rounded = std::nearbyintf(x) + float(zero);
          EXPECT_EQ(roundToCode(b, x, zero, low, high),
                    int(std::clamp(rounded, float(low), float(high))))
              << x << " " << zero << " in " << low << ", " << high;
        }
}

TEST(Integers, DivisionAndInverseDifferOnTies) {
  int numDifferent = 0;
  for (float scale : {0.03f, 0.07f, 0.1f, 0.3f})
    for (int i = -127; i < 127; ++i) {
      float x = (float(i) + 0.5f) * scale;
      int divided = quantizeDivide(b, x, scale, 0, -128, 127);
      EXPECT_EQ(divided,
                std::clamp(std::nearbyintf(x / scale), -128.0f, 127.0f));
      numDifferent += divided != quantizeToInt(b, x, 1 / scale, 0, -128, 127);
    }
  EXPECT_GT(numDifferent, 0);
}

TEST(Integers, Requantize) {
  EXPECT_EQ(requantize(b, 1234, 0.0025f, 0, -128, 127), 3);
  EXPECT_EQ(requantize(b, 2147483647, 1, 0, -128, 127), 127);
  EXPECT_EQ(requantize(b, -2147483647, 0.5f, 3, -128, 127), -128);
  EXPECT_EQ(dequantizeInt(b, -128, 127, 0.5f), -127.5f);
}

static int64_t oracleShift(int64_t x, int n) {
  if (n < 0) {
    // A shift by 40 is beyond every 32-bit integer but 0.
    int64_t shifted = x * (int64_t(1) << std::min(-n, 31));
    if (-n > 31)
      shifted = x * (int64_t(1) << 32);
    return std::clamp<int64_t>(shifted, INT32_MIN, INT32_MAX);
  }
  if (n > 40)
    return 0;
  int64_t divisor = int64_t(1) << n;
  int64_t quotient = x >> n;
  int64_t rest = 2 * (x - quotient * divisor);
  return quotient + (rest > divisor || (rest == divisor && quotient % 2 != 0));
}

TEST(Integers, ShiftRoundsToNearestEven) {
  EXPECT_EQ(rshiftRne(b, 640, 8), 2);
  // Just above a tie, which a float32 cannot tell from the tie.
  EXPECT_EQ(rshiftRne(b, 16908289, 18), 65);
  std::mt19937 random(9);
  std::vector<int32_t> values = {
      0,          1,          -1, 2, -2, 3, INT32_MAX, INT32_MIN, INT32_MIN + 1,
      0x40000000, -0x40000000};
  for (int i = 0; i < 300; ++i)
    values.push_back(int32_t(random()) >> (random() % 32));
  for (int k = 1; k < 31; ++k)
    for (int32_t offset : {-1, 0, 1}) {
      values.push_back((1 << k) + offset);
      values.push_back(-(1 << k) + offset);
      values.push_back(3 * (1 << (k - 1)) + offset);
    }
  for (int32_t value : values)
    for (int n = -40; n <= 40; ++n) {
      EXPECT_EQ(rshiftRne(b, value, n), oracleShift(value, n))
          << value << " by " << n;
      if (n >= 1 && n <= 31) {
        EXPECT_EQ(rshiftRneRight(b, value, n), oracleShift(value, n))
            << value << " by " << n;
      }
    }
}

TEST(Integers, ShiftToCodeDoesNotOverflow) {
  EXPECT_EQ(shiftToCode(b, 640, 8, 5, -128, 127), 7);
  EXPECT_EQ(shiftToCode(b, INT32_MAX, 0, 100, -128, 127), 127);
  EXPECT_EQ(shiftToCode(b, INT32_MIN, 0, -100, -128, 127), -128);
  EXPECT_EQ(shiftToCode(b, 1, -40, -100, -128, 127), 127);
}

TEST(Integers, DivideToCodeRoundsHalfToEven) {
  constexpr int32_t least = -(1 << 30), most = 1 << 30;
  for (int32_t divisor : {1, 2, 3, 6, 9, 49, 256, 1000, INT32_MAX})
    for (int32_t x = -1300; x <= 1300; ++x)
      EXPECT_EQ(divideToCode(b, x, divisor, 0, least, most),
                std::nearbyint(static_cast<double>(x) / divisor))
          << x << " / " << divisor;
  EXPECT_EQ(divideToCode(b, INT32_MAX, INT32_MAX, 5, -128, 127), 6);
  EXPECT_EQ(divideToCode(b, INT32_MIN, 2, 0, -128, 127), -128);
  EXPECT_EQ(divideToCode(b, INT32_MAX, 1, 100, -128, 127), 127);
}

TEST(Integers, SymmetricScale) {
  auto scale = symmetricScale(b, 12.7f, 127);
  EXPECT_EQ(scale.scale, 12.7f / 127);
  EXPECT_EQ(scale.inverse, 127 / 12.7f);
  scale = symmetricScale(b, 0, 127);
  EXPECT_EQ(scale.scale, 1);
  EXPECT_EQ(scale.inverse, 1);
  scale = symmetricScale(b, 0x1p-149f, 127);
  EXPECT_TRUE(std::isnormal(scale.scale));
  EXPECT_TRUE(std::isnormal(scale.inverse));
}

TEST(Scaling, EqualsLdexpWhereInRange) {
  std::mt19937 random(13);
  for (int i = 0; i < 20000; ++i) {
    float x = b.floatOf(int32_t(random()));
    if (std::isnan(x))
      continue;
    for (int n : {-300, -252, -149, -127, -30, -1, 0, 1, 60, 128, 252, 300}) {
      int clamped = std::clamp(n, -252, 252);
      // Two roundings differ from one only where the first is subnormal.
      float first = std::ldexp(x, clamped >> 1);
      if (std::fabs(first) < 0x1p-126f && first != 0)
        continue;
      ASSERT_EQ(scale2(b, x, n), std::ldexp(x, clamped)) << x << " " << n;
    }
  }
}
