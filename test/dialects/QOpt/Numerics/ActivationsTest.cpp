//===- ActivationsTest.cpp - Activation functions and the scalar policy ---===//

#include "dialects/QOpt/Numerics/Activations.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "gtest/gtest.h"

using namespace qopt::numerics;

static ScalarPolicy b;

template <class Function, class Oracle>
static void expectClose(Function function, Oracle oracle, double bound) {
  for (double x = -12; x <= 12; x += 0.00137)
    EXPECT_NEAR(function(float(x)), oracle(double(float(x))),
                bound * std::max(1.0, std::fabs(x)))
        << x;
}

TEST(ScalarPolicy, MinMaxPropagateNaN) {
  EXPECT_EQ(b.min(1.0f, 2.0f), 1);
  EXPECT_EQ(b.max(1.0f, 2.0f), 2);
  for (float other : {1.0f, -infinity, infinity}) {
    EXPECT_TRUE(std::isnan(b.min(quietNaN, other)));
    EXPECT_TRUE(std::isnan(b.min(other, quietNaN)));
    EXPECT_TRUE(std::isnan(b.max(quietNaN, other)));
    EXPECT_TRUE(std::isnan(b.max(other, quietNaN)));
  }
  // Of two zeros the second.
  EXPECT_TRUE(std::signbit(b.min(0.0f, -0.0f)));
  EXPECT_FALSE(std::signbit(b.min(-0.0f, 0.0f)));
  EXPECT_TRUE(std::signbit(b.max(0.0f, -0.0f)));
}

TEST(ScalarPolicy, RoundingKeepsSignAndSpecials) {
  for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 4099) {
    float x = b.floatOf(int32_t(uint32_t(bits)));
    if (std::isnan(x)) {
      EXPECT_TRUE(std::isnan(b.roundEven(x)));
      EXPECT_TRUE(std::isnan(b.floor(x)));
      continue;
    }
    ASSERT_EQ(b.bitsOf(b.roundEven(x)), b.bitsOf(std::nearbyintf(x))) << x;
    ASSERT_EQ(b.bitsOf(b.floor(x)), b.bitsOf(std::floor(x))) << x;
    ASSERT_EQ(b.bitsOf(b.ceil(x)), b.bitsOf(std::ceil(x))) << x;
  }
  EXPECT_EQ(b.roundEven(2.5f), 2);
  EXPECT_EQ(b.roundEven(-3.5f), -4);
  EXPECT_EQ(b.roundEven(0x1.FFFFFEp-2f), 0);
}

TEST(ScalarPolicy, IntegersWrap) {
  EXPECT_EQ(b.addI(std::numeric_limits<int>::max(), 1),
            std::numeric_limits<int>::min());
  EXPECT_EQ(b.mulI(0x10001, 0x10001), 0x20001);
  EXPECT_EQ(b.mulHighU(-1, -1), -2);
  EXPECT_EQ(b.shrU(-1, 31), 1);
  EXPECT_EQ(b.shrS(-5, 1), -3);
}

TEST(Activations, Gelu) {
  expectClose(
      [](float x) { return geluErfF32(b, x); },
      [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); },
      3e-7);
  expectClose([](float x) { return geluTanhF32(b, x); },
              [](double x) {
                return 0.5 * x *
                       (1 + std::tanh(std::sqrt(2 / M_PI) *
                                      (x + 0.044715 * x * x * x)));
              },
              3e-7);
}

TEST(Activations, SwishFamily) {
  expectClose([](float x) { return siluF32(b, x); },
              [](double x) { return x / (1 + std::exp(-x)); }, 3e-7);
  expectClose([](float x) { return swishF32(b, x, 1.702f); },
              [](double x) { return x / (1 + std::exp(-double(1.702f) * x)); },
              1e-6);
  expectClose(
      [](float x) { return hardSwishF32(b, x); },
      [](double x) { return x * std::fmin(1, std::fmax(0, x / 6 + 0.5)); },
      3e-7);
  EXPECT_EQ(hardSigmoidF32(b, 100, 0.2f, 0.5f), 1);
  EXPECT_EQ(hardSigmoidF32(b, -100, 0.2f, 0.5f), 0);
  EXPECT_EQ(hardSigmoidF32(b, 0, 0.2f, 0.5f), 0.5f);
}

TEST(Activations, Rectifiers) {
  EXPECT_EQ(reluF32(b, -1), 0);
  EXPECT_EQ(reluF32(b, 3), 3);
  EXPECT_TRUE(std::isnan(reluF32(b, quietNaN)));
  EXPECT_EQ(leakyReluF32(b, -2, 0.25f), -0.5f);
  EXPECT_EQ(leakyReluF32(b, 2, 0.25f), 2);
  EXPECT_EQ(clipF32(b, 7, -1, 6), 6);
  EXPECT_EQ(clipF32(b, -7, -1, 6), -1);
  EXPECT_TRUE(std::isnan(clipF32(b, quietNaN, -1, 6)));
  expectClose([](float x) { return eluF32(b, x, 0.5f); },
              [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; }, 2e-7);
  EXPECT_EQ(eluF32(b, -infinity, 2), -2);
}
