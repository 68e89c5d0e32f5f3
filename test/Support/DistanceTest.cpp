//===- DistanceTest.cpp - How far numbers are from others -----------------===//
//
// What cannot be measured must not look measured.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Distance.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

static Distance
measure(std::initializer_list<std::pair<double, double>> foundAndExpected) {
  DistanceSums sums;
  for (auto [found, expected] : foundAndExpected)
    sums.add(found, expected);
  return sums.get();
}

TEST(Distance, IsThatOfTheFormulas) {
  Distance distance = measure({{3, 4}, {5, 3}});
  EXPECT_DOUBLE_EQ(distance.sqnrInDecibels, 10 * std::log10(25.0 / 5));
  EXPECT_DOUBLE_EQ(distance.cosine, 27 / std::sqrt(34.0 * 25));
  EXPECT_EQ(distance.largestError, 2);
  EXPECT_FALSE(distance.isEqual());
  EXPECT_EQ(distance.count, 2);
}

TEST(Distance, EqualNumbersHaveNone) {
  for (Distance distance :
       {measure({}), measure({{0, 0}, {-0.0, 0}}),
        measure({{2, 2}, {INFINITY, INFINITY}, {NAN, NAN}})}) {
    EXPECT_TRUE(distance.isEqual());
    EXPECT_EQ(distance.sqnrInDecibels, INFINITY);
    EXPECT_EQ(distance.cosine, 1);
  }
}

TEST(Distance, AnInfinityOfBothIsLeftOut) {
  Distance distance = measure({{3, 4}, {-INFINITY, -INFINITY}});
  EXPECT_DOUBLE_EQ(distance.sqnrInDecibels, 10 * std::log10(16.0));
  EXPECT_EQ(distance.largestError, 1);
}

TEST(Distance, NaNInOneOfThemKeepsNoBound) {
  for (Distance distance :
       {measure({{NAN, 1}, {2, 2}}), measure({{1, NAN}, {2, 2}}),
        measure({{INFINITY, -INFINITY}}), measure({{1, INFINITY}})}) {
    EXPECT_FALSE(distance.sqnrInDecibels >= 0);
    EXPECT_FALSE(distance.cosine >= 0);
    EXPECT_EQ(distance.largestError, INFINITY);
  }
}
