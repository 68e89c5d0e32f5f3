//===- HistogramTest.cpp - Ranges from counts -----------------------------===//
//
// Samples are the quantiles of known densities, so that nothing is random.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Histogram.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace qopt;

/// Midpoint quantiles of a normal distribution, by bisection of erfc.
static std::vector<float> gaussian(int count) {
  std::vector<float> values;
  double low = -8;
  for (int i = 0; i < count; ++i) {
    double share = (i + 0.5) / count, high = 8;
    double from = low;
    while (high - from > 1e-7) {
      double middle = (from + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? from : high) =
          middle;
    }
    low = from;
    values.push_back(static_cast<float>(from));
  }
  return values;
}

static std::vector<float> laplacian(int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    double share = (i + 0.5) / count;
    values.push_back(static_cast<float>(
        share < 0.5 ? std::log(2 * share) : -std::log(2 - 2 * share)));
  }
  return values;
}

static void expectClip(const std::vector<float> &values, int levels,
                       double clip, double tolerance) {
  Histogram histogram;
  histogram.add(values);
  auto [low, high] =
      histogram.leastErrorRange(values.front(), values.back(), levels);
  EXPECT_NEAR(high, clip, tolerance * clip) << levels;
  EXPECT_NEAR(low, -clip, tolerance * clip) << levels;
}

TEST(HistogramTest, findsTheOptimalClipOfAGaussian) {
  std::vector<float> values = gaussian(400000);
  expectClip(values, 15, 2.47, 0.03);
  expectClip(values, 63, 3.27, 0.03);
  expectClip(values, 255, 3.92, 0.03);
}

TEST(HistogramTest, findsTheOptimalClipOfALaplacian) {
  std::vector<float> values = laplacian(2000000);
  expectClip(values, 15, 4.82, 0.04);
  expectClip(values, 63, 7.36, 0.04);
  expectClip(values, 255, 9.88, 0.04);
}

TEST(HistogramTest, keepsAShareOfTheValues) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i)
    values.push_back(static_cast<float>(i) / 10000);
  Histogram histogram;
  histogram.add(values);
  auto [low, high] = histogram.percentileRange(0.9);
  EXPECT_NEAR(low, 0.05, 0.002);
  EXPECT_NEAR(high, 0.95, 0.002);
  std::tie(low, high) = histogram.percentileRange(1.0);
  EXPECT_LE(low, 0.0f);
  EXPECT_GE(high, 0.9999f);
}

TEST(HistogramTest, growsWithoutLosingCounts) {
  Histogram grown, wide;
  std::vector<float> small(1000, 0.25f), large{-100.0f, 90.0f};
  grown.add(small);
  grown.add(large);
  wide.add(large);
  wide.add(small);
  for (double share : {0.5, 0.999, 1.0})
    EXPECT_EQ(grown.percentileRange(share), wide.percentileRange(share));
}
