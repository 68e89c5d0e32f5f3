//===- ElementaryTest.cpp - Accuracy of the elementary functions ----------===//
//
// Every 509th float, so all exponents, both signs, subnormal numbers and NaN
// payloads, against double arithmetic. Bounds are in ulps of the result; a
// subnormal result is judged in units of 2^-149.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Numerics/Activations.h"
#include "dialects/QOpt/Numerics/Power.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "dialects/QOpt/Numerics/Trigonometry.h"
#include "gtest/gtest.h"
#include <random>

using namespace qopt::numerics;

static ScalarPolicy b;

static double errorInUlps(float value, double expected) {
  if (std::isnan(expected) || std::isnan(value))
    return std::isnan(expected) && std::isnan(value) ? 0 : HUGE_VAL;
  if (value == float(expected))
    return 0;
  double magnitude = std::fabs(expected);
  double largest = std::numeric_limits<float>::max();
  int exponent = std::max(std::ilogb(std::min(magnitude, largest)) - 23, -149);
  // The value that overflowed to infinity counts as 2^128.
  double got = std::isinf(value) ? std::copysign(0x1p128, value) : value;
  return std::fabs(got - expected) / std::ldexp(1.0, exponent);
}

template <class Function, class Oracle>
static void expectWithin(double ulps, Function function, Oracle oracle) {
  double worst = 0;
  float argument = 0;
  for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 509) {
    float x = b.floatOf(int32_t(uint32_t(bits)));
    double error = errorInUlps(function(x), oracle(double(x)));
    if (error > worst) {
      worst = error;
      argument = x;
    }
  }
  EXPECT_LE(worst, ulps) << "at " << argument << ": " << function(argument)
                         << ", expected " << oracle(argument);
}

TEST(Elementary, Exp) {
  expectWithin(
      1.1, [](float x) { return expF32(b, x); },
      [](double x) { return std::exp(x); });
}

TEST(Elementary, ExpNormalEqualsExp) {
  for (float x = -87; x <= 88; x += 0.00173f)
    ASSERT_EQ(b.bitsOf(expNormalF32(b, x)), b.bitsOf(expF32(b, x))) << x;
}

TEST(Elementary, ExpRoundsSubnormalResults) {
  // The middle between 0 and 2^-149 is at -150 ln 2 = -103.97...
  EXPECT_EQ(expF32(b, -103.9f), 0x1p-149f);
  EXPECT_EQ(expF32(b, -104), 0);
  EXPECT_EQ(expF32(b, -103.2789f), 0x1p-149f);
  EXPECT_EQ(expF32(b, std::nextafterf(-104, -infinity)), 0);
  EXPECT_EQ(expF32(b, -std::numeric_limits<float>::max()), 0);
  EXPECT_EQ(expF32(b, -infinity), 0);
  EXPECT_EQ(expF32(b, infinity), infinity);
  EXPECT_EQ(expF32(b, 88.8f), infinity);
  EXPECT_EQ(expF32(b, 0), 1);
}

TEST(Elementary, Log) {
  expectWithin(
      1.0, [](float x) { return logF32(b, x); },
      [](double x) { return std::log(x); });
  EXPECT_EQ(logF32(b, 1), 0);
  EXPECT_EQ(logF32(b, -0.0f), -infinity);
  EXPECT_TRUE(std::isnan(logF32(b, -infinity)));
}

TEST(Elementary, Tanh) {
  expectWithin(
      1.5, [](float x) { return tanhF32(b, x); },
      [](double x) { return std::tanh(x); });
  EXPECT_TRUE(std::signbit(tanhF32(b, -0.0f)));
  EXPECT_EQ(tanhF32(b, -infinity), -1);
}

TEST(Elementary, Erf) {
  expectWithin(
      1.1, [](float x) { return erfF32(b, x); },
      [](double x) { return std::erf(x); });
  EXPECT_TRUE(std::signbit(erfF32(b, -0.0f)));
  EXPECT_EQ(erfF32(b, 4), 1);
}

TEST(Elementary, Sigmoid) {
  expectWithin(
      2.5, [](float x) { return sigmoidF32(b, x); },
      [](double x) {
        return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
      });
  EXPECT_EQ(sigmoidF32(b, 0), 0.5f);
}

TEST(Elementary, Softplus) {
  expectWithin(
      2.0, [](float x) { return softplusF32(b, x); },
      [](double x) {
        return std::isnan(x)
                   ? x
                   : std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
      });
}

TEST(Elementary, Sin) {
  expectWithin(
      2.5, [](float x) { return sinF32(b, x); },
      [](double x) { return std::sin(x); });
  EXPECT_TRUE(std::signbit(sinF32(b, -0.0f)));
}

TEST(Elementary, Cos) {
  expectWithin(
      2.5, [](float x) { return cosF32(b, x); },
      [](double x) { return std::cos(x); });
}

// Floats next to multiples of pi/2 cancel the most bits.
TEST(Elementary, SinNextToItsZeros) {
  const double halfPi = 1.57079632679489661923;
  for (double n = 1; n < 1e9; n *= 1.7) {
    float x = float(std::floor(n) * halfPi);
    for (float near :
         {std::nextafterf(x, 0), x, std::nextafterf(x, infinity)}) {
      EXPECT_LE(errorInUlps(sinF32(b, near), std::sin(double(near))), 2.5)
          << near;
      EXPECT_LE(errorInUlps(cosF32(b, near), std::cos(double(near))), 2.5)
          << near;
    }
  }
  // Of all floats the one nearest to a multiple of pi/2.
  float hard = 0x1.F37C8Ap+95f;
  EXPECT_LE(errorInUlps(sinF32(b, hard), std::sin(double(hard))), 2.5);
  EXPECT_LE(errorInUlps(cosF32(b, hard), std::cos(double(hard))), 2.5);
}

TEST(Power, GeneralExponents) {
  for (float y : {0.3f, 5.0f, -7.0f, 1.5f, 100.0f})
    expectWithin(
        4.0, [y](float x) { return powF32(b, x, y); },
        [y](double x) { return std::pow(x, double(y)); });
  expectWithin(
      4.0, [](float y) { return powF32(b, 10, y); },
      [](double y) { return std::pow(10.0, y); });
}

TEST(Power, RandomPairs) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> exponent(-300, 300), base(0, 3);
  double worst = 0;
  for (int i = 0; i < 1000000; ++i) {
    float x = base(random), y = exponent(random);
    worst = std::max(
        worst, errorInUlps(powF32(b, x, y), std::pow(double(x), double(y))));
  }
  EXPECT_LE(worst, 5.0);
}

TEST(Power, FrequentExponentsHaveTheirOwnFormula) {
  for (float x : {0.1f, 1.7f, 3.0f, 1e-30f, 1e20f}) {
    EXPECT_EQ(powF32(b, x, 1), x);
    EXPECT_EQ(powF32(b, -x, 2), x * x);
    EXPECT_EQ(powF32(b, -x, 3), -(x * x) * x);
    EXPECT_EQ(powF32(b, x, -1), 1 / x);
    EXPECT_EQ(powF32(b, x, 0.5f), std::sqrt(x));
    EXPECT_EQ(powF32(b, x, -0.5f), 1 / std::sqrt(x));
  }
}

// The special values of IEEE 754, for every pair of the list.
TEST(Power, SpecialValues) {
  const float values[] = {0.0f,      -0.0f,   1,        -1,        0.5f,
                          -0.5f,     2,       -2,       3,         -3,
                          4,         1e30f,   -1e30f,   0x1p-149f, -0x1p-149f,
                          1.5f,      -1.5f,   16777215, 16777216,  infinity,
                          -infinity, quietNaN};
  for (float x : values)
    for (float y : values) {
      double expected = std::pow(double(x), double(y));
      float value = powF32(b, x, y);
      EXPECT_LE(errorInUlps(value, expected), 1.5) << x << " ^ " << y;
      if (!std::isnan(expected)) {
        EXPECT_EQ(std::signbit(value), std::signbit(expected))
            << x << " ^ " << y;
      }
    }
}

TEST(Power, ReciprocalAndRsqrt) {
  EXPECT_EQ(reciprocalF32(b, -0.0f), -infinity);
  EXPECT_EQ(reciprocalF32(b, 3), 1.0f / 3.0f);
  EXPECT_EQ(rsqrtF32(b, 0.25f), 2);
  EXPECT_EQ(rsqrtF32(b, 0), infinity);
  EXPECT_TRUE(std::isnan(rsqrtF32(b, -1)));
}
