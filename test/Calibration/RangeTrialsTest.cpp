//===- RangeTrialsTest.cpp - Ranges tried on samples ----------------------===//
//
// Cutting is right where the tail is one value of many in a row, and wrong
// where a row is made of it: both are tried on the same two ranges.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/RangeTrials.h"
#include "gtest/gtest.h"

using namespace qopt;

static constexpr RealRange kAll{-100, 100}, kCut{-1, 1};

/// Values of +-0.7 that no range's codes meet, `loud` of them `peak`.
static std::vector<float> makeRow(size_t size, size_t loud, float peak) {
  std::vector<float> row(size);
  for (size_t i = 0; i < size; ++i)
    row[i] = i < loud ? peak : i % 2 ? 0.7f : -0.7f;
  return row;
}

static RealRange choose(llvm::ArrayRef<std::vector<float>> samples,
                        ElementOrder order, llvm::ArrayRef<float> powers = {}) {
  RangeTrials trials({kAll, kCut}, powers);
  for (const std::vector<float> &sample : samples)
    trials.add(sample, order);
  return trials.choose();
}

TEST(RangeTrialsTest, CutsWhereNothingIsThere) {
  std::vector<float> row = makeRow(64, 0, 0);
  EXPECT_EQ(choose({row, row}, {1, 64, 64}).high, kCut.high);
}

TEST(RangeTrialsTest, KeepsTheFewValuesThatARowIsMadeOf) {
  std::vector<float> row = makeRow(64, 1, 100);
  EXPECT_EQ(choose({row, row}, {1, 64, 64}).high, kAll.high);
}

// One loud row of 1000 has nearly all of the squares and one part in a
// thousand of the error.
TEST(RangeTrialsTest, MeasuresEachRowByItself) {
  std::vector<float> rows = makeRow(64 * 1000, 64, 2);
  EXPECT_EQ(choose({rows, rows}, {1, 64, 64}).high, kCut.high);
  // As one row, what is lost there is 64 squares of 1.
  EXPECT_EQ(choose({rows, rows}, {1, 64, 64 * 1000}).high, kCut.high);
  rows = makeRow(64 * 1000, 64, 100);
  EXPECT_EQ(choose({rows, rows}, {1, 64, 64 * 1000}).high, kAll.high);
}

TEST(RangeTrialsTest, AsksWhatReadersMakeOfAChannel) {
  std::vector<float> row = makeRow(64, 1, 100);
  std::vector<float> powers(64, 1);
  powers[0] = 0;
  EXPECT_EQ(choose({row, row}, {1, 64, 64}, powers).high, kCut.high);
  powers[0] = 1;
  EXPECT_EQ(choose({row, row}, {1, 64, 64}, powers).high, kAll.high);
}

TEST(RangeTrialsTest, TrustsNoSingleSample) {
  std::vector<float> row = makeRow(64, 0, 0);
  EXPECT_EQ(choose({}, {1, 64, 64}).high, kAll.high);
  EXPECT_EQ(choose({row}, {1, 64, 64}).high, kAll.high);
}

// Two samples say cut, and one that it loses more than both win by it.
TEST(RangeTrialsTest, CutsOnlyWhatMostSamplesAgreeOn) {
  std::vector<float> quiet = makeRow(64, 0, 0), loud = makeRow(64, 1, 20);
  std::vector<std::vector<float>> samples(7, quiet);
  EXPECT_EQ(choose(samples, {1, 64, 64}).high, kCut.high);
  samples.push_back(loud);
  EXPECT_EQ(choose(samples, {1, 64, 64}).high, kAll.high);
}

TEST(RangeTrialsTest, CountsNoZeroAndNothingThatIsNotFinite) {
  std::vector<float> row = makeRow(64, 0, 0);
  row[5] = INFINITY;
  row[6] = NAN;
  std::vector<float> zeros(64, 0);
  EXPECT_EQ(choose({row, row, zeros}, {1, 64, 64}).high, kCut.high);
  EXPECT_EQ(choose({zeros, zeros}, {1, 64, 64}).high, kAll.high);
}

TEST(RangeTrialsTest, TellsWhatLiesBeyond) {
  RangeTrials trials({kAll, kCut}, {});
  std::vector<float> row = makeRow(4000, 1, 3);
  trials.add(row, {1, 4000, 4000});
  EXPECT_EQ(trials.meanSquareBeyond(), 0);
  trials.add(row, {1, 4000, 4000});
  ASSERT_EQ(trials.choose().high, kCut.high);
  EXPECT_DOUBLE_EQ(trials.meanSquareBeyond(), 2.0 * 2 / 4000);
}

TEST(RangeTrialsTest, FindsChannelsAndRows) {
  ElementOrder conv = ElementOrder::of({2, 3, 4, 5}, 1);
  EXPECT_EQ(conv.inner, 20);
  EXPECT_EQ(conv.channels, 3);
  EXPECT_EQ(conv.rowSize, 60);
  ElementOrder product = ElementOrder::of({2, 3, 4}, 2);
  EXPECT_EQ(product.inner, 1);
  EXPECT_EQ(product.channels, 4);
  EXPECT_EQ(product.rowSize, 4);
  EXPECT_EQ(ElementOrder::of({}, 0).rowSize, 1);
}
