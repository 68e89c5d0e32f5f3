//===- DoubleFunctionsTest.cpp - Functions and remainders of floats -------===//
//
// The oracle is the C library: exact for remainders, and in long double far
// better than what is compared with it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Numerics/DoubleFunctions.h"
#include "dialects/QOpt/Numerics/Remainder.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace qopt::numerics;

static ScalarPolicy b;

/// How many doubles lie between two of one sign.
static int64_t distance(double x, double y) {
  return std::llabs(b.bitsOf(x) - b.bitsOf(y));
}

TEST(DoubleFunctions, AreRightToAFewUlp) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> wide(-745, 709.7), narrow(-20, 20);
  for (int i = 0; i < 20000; ++i) {
    double x = wide(random), y = narrow(random) / (1 << (i % 20));
    double positive = std::exp(x / 2), nearOne = 1 + y / 100;
    ASSERT_LE(distance(expF64(b, x), std::exp(static_cast<long double>(x))), 1);
    for (double z : {positive, nearOne})
      ASSERT_LE(distance(logF64(b, z), std::log(static_cast<long double>(z))),
                3)
          << z;
    ASSERT_LE(distance(tanhF64(b, y), std::tanh(static_cast<long double>(y))),
              4)
        << y;
    ASSERT_LE(distance(softplusF64(b, y),
                       std::log1p(std::exp(static_cast<long double>(y)))),
              6)
        << y;
    double power = std::pow(static_cast<long double>(nearOne * 3), y);
    ASSERT_NEAR(powF64(b, nearOne * 3, y), power, power * 0x1p-43);
  }
}

TEST(DoubleFunctions, SpecialValues) {
  double inf = infinityF64, nan = quietNaNF64;
  EXPECT_EQ(expF64(b, -inf), 0);
  EXPECT_EQ(expF64(b, 800), inf);
  EXPECT_EQ(expF64(b, -745), 0x1p-1074);
  EXPECT_TRUE(std::isnan(expF64(b, nan)));
  EXPECT_EQ(logF64(b, 0), -inf);
  EXPECT_EQ(logF64(b, inf), inf);
  EXPECT_EQ(logF64(b, 1), 0);
  EXPECT_NEAR(logF64(b, 0x1p-1074), -744.4400719213812, 1e-12);
  EXPECT_TRUE(std::isnan(logF64(b, -1)));
  EXPECT_EQ(tanhF64(b, -inf), -1);
  EXPECT_TRUE(std::signbit(tanhF64(b, -0.0)));
  EXPECT_TRUE(std::isnan(tanhF64(b, nan)));
  EXPECT_EQ(sigmoidF64(b, -inf), 0);
  EXPECT_EQ(powF64(b, -2, 3), -8);
  EXPECT_EQ(powF64(b, -0.0, -0.5), inf);
  EXPECT_EQ(powF64(b, nan, 0), 1);
  EXPECT_TRUE(std::isnan(powF64(b, -2, 0.5)));
}

template <class T> static bool isSame(T x, T y) {
  return (std::isnan(x) && std::isnan(y)) || b.bitsOf(x) == b.bitsOf(y);
}

TEST(Remainder, EqualsFmodOfF32) {
  std::mt19937 random(2);
  for (int i = 0; i < 60000; ++i) {
    float x = b.floatOf(int32_t(random())), y = b.floatOf(int32_t(random()));
    if (i % 3 == 0) // of about the same size
      y = b.floatOf((b.bitsOf(x) & 0x7F800000) | (b.bitsOf(y) & 0x807FFFFF));
    if (i % 7 == 0) // a subnormal number
      y = b.floatOf(b.bitsOf(y) & 0x800FFFFF);
    ASSERT_TRUE(isSame(remainderF32(b, x, y), std::fmod(x, y)))
        << x << " " << y;
  }
}

TEST(Remainder, EqualsFmodOfF64) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    double x = b.doubleOf(int64_t(random())), y = b.doubleOf(int64_t(random()));
    if (i % 3 == 0)
      y = x * std::ldexp(1 + double(random() % 1000) / 999,
                         int(random() % 130) - 65);
    if (i % 7 == 0)
      y = b.doubleOf(b.bitsOf(y) & ((int64_t(1) << (1 + i % 51)) - 1));
    ASSERT_TRUE(isSame(remainderF64(b, x, y), std::fmod(x, y)))
        << x << " " << y;
  }
}

TEST(Remainder, SpecialValues) {
  for (float x : {0.0f, -0.0f, 1.0f, infinity, -infinity, quietNaN})
    for (float y : {0.0f, -3.0f, infinity, -infinity, quietNaN}) {
      EXPECT_TRUE(isSame(remainderF32(b, x, y), std::fmod(x, y)));
      EXPECT_TRUE(isSame(remainderF64(b, double(x), double(y)),
                         std::fmod(double(x), double(y))));
    }
}
