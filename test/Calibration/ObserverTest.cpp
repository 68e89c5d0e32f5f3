//===- ObserverTest.cpp - Statistics of a stream of tensors ---------------===//
//
// What an observer says of a few numbers that are easy to add up.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Observer.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

static HostTensor tensor(std::vector<int64_t> dims, std::vector<float> values) {
  return llvm::cantFail(HostTensor::copy(
      ElementType::F32, dims,
      {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
}

TEST(ObserverTest, mergesSamples) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({2, 2}, {1, -4, 2, 0}));
  observer.add(tensor({1, 2}, {3, 1}));
  std::optional<Statistics> stats = observer.finish();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->min, -4);
  EXPECT_EQ(stats->max, 3);
  EXPECT_EQ(stats->samples, 2);
  EXPECT_FLOAT_EQ(stats->meanSquare, 31.0f / 6);
  // Rows peak at 4, 2 and 3.
  EXPECT_FLOAT_EQ(stats->rowPeakSquare, std::cbrt(16.0f * 4 * 9));
  EXPECT_EQ(stats->channelMin, (std::vector<float>{1, -4}));
  EXPECT_EQ(stats->channelMax, (std::vector<float>{3, 1}));
  EXPECT_EQ(stats->channelMean, (std::vector<float>{2, -1}));
  EXPECT_FLOAT_EQ(stats->channelMeanSquare[1], 17.0f / 3);
  EXPECT_EQ(stats->channelPeak(1), 4);
}

TEST(ObserverTest, takesASampleOfAConvolutionAsARow) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({2, 2, 1, 2}, {1, 2, 3, 4, 0, 0, 0, -1}));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_FLOAT_EQ(stats->rowPeakSquare, 4);
  EXPECT_EQ(stats->channelMax, (std::vector<float>{2, 4}));
}

TEST(ObserverTest, hearsQuietRowsBesideALoudOne) {
  TensorObserver observer(/*channelAxis=*/1, {});
  // One row of sixteen is a thousand times the others, as the first token of a
  // language model is.
  std::vector<float> values(32, 1);
  values[0] = 1000;
  observer.add(tensor({16, 2}, values));
  float mean = observer.finish()->rowPeakSquare;
  EXPECT_GT(mean, 1);
  EXPECT_LT(mean, 20);
}

TEST(ObserverTest, countsNoRowOfZerosAndNoneBelowAStep) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({3, 2}, {0, 0, 1, -256, 0, 1e-30f}));
  // 1e-30 counts as 1.27, its mantissa 8 binary places below 256.
  EXPECT_NEAR(observer.finish()->rowPeakSquare, 256 * 1.27, 2);
}

TEST(ObserverTest, countsAnyNumberOfRows) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({100000, 1}, std::vector<float>(100000, 3e-20f)));
  EXPECT_NEAR(std::sqrt(observer.finish()->rowPeakSquare) / 3e-20, 1, 1e-5);
}

TEST(ObserverTest, hasNoChannelsWhereTheirNumberVaries) {
  TensorObserver observer(/*channelAxis=*/1, {});
  for (int64_t size : {2, 3, 3})
    observer.add(tensor({1, size}, std::vector<float>(size, 1.5f)));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_TRUE(stats->channelMin.empty());
  EXPECT_TRUE(stats->channelMax.empty());
  EXPECT_TRUE(stats->channelMean.empty());
  EXPECT_EQ(stats->max, 1.5f);
  EXPECT_EQ(stats->samples, 3);
}

TEST(ObserverTest, knowsNothingWithoutElements) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({0, 4}, {}));
  EXPECT_FALSE(observer.finish());
}

TEST(ObserverTest, cutsAsTheRuleSays) {
  std::vector<float> values(10000, 0.5f);
  for (size_t i = 0; i < values.size(); i += 2)
    values[i] = -0.5f;
  values[0] = 100;
  TensorObserver percentile(0, {RangeRule::Percentile, 0.999});
  percentile.add(tensor({10000}, values));
  EXPECT_LT(percentile.finish()->max, 1);
  TensorObserver extremes(0, {});
  extremes.add(tensor({10000}, values));
  EXPECT_EQ(extremes.finish()->max, 100);
}

TEST(ObserverTest, leavesOutWhatIsNotFinite) {
  for (RangeRule rule : {RangeRule::MinMax, RangeRule::Percentile,
                         RangeRule::SquaredError, RangeRule::Search}) {
    TensorObserver observer(/*channelAxis=*/1, {rule, 1});
    observer.add(tensor({2, 2}, {-INFINITY, 1, 2, -3}));
    observer.add(tensor({2, 2}, {NAN, NAN, NAN, 1}));
    std::optional<Statistics> stats = observer.finish();
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->nonFinite, 4);
    EXPECT_GE(stats->min, -3);
    EXPECT_LT(stats->min, -2);
    EXPECT_LE(stats->max, 2);
    EXPECT_FLOAT_EQ(stats->meanSquare, 15.0f / 4);
    // Rows peak at 1, 3 and 1; one row is none.
    EXPECT_FLOAT_EQ(stats->rowPeakSquare, std::cbrt(9.0f));
    EXPECT_EQ(stats->channelMin, (std::vector<float>{2, -3}));
    EXPECT_EQ(stats->channelMeanSquare[0], 4);
  }
}

TEST(ObserverTest, hasNoRangeWhereNothingIsFinite) {
  TensorObserver observer(/*channelAxis=*/0, {});
  observer.add(tensor({2}, {NAN, INFINITY}));
  std::optional<Statistics> stats = observer.finish();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->samples, 0);
  EXPECT_EQ(stats->nonFinite, 2);
}

TEST(ObserverTest, takesAChannelThatIsNeverFiniteForADeadOne) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({2, 2}, {NAN, 1, INFINITY, 2}));
  EXPECT_EQ(observer.finish()->channelPeak(0), 0);
  EXPECT_EQ(observer.finish()->channelPeak(1), 2);
}

// What was held back shows how far new values go beyond those before.
TEST(ObserverTest, judgesARangeByWhatWasHeldBack) {
  TensorObserver observer(/*channelAxis=*/1, {});
  observer.add(tensor({2, 2}, {-1, -4, 1, 4}));
  observer.addHeldBack(tensor({2, 2}, {1.5f, 6, 0, NAN}));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_EQ(stats->nonFinite, 1);
  // Both channels go beyond themselves by half of their peaks 1 and 4, the
  // first one once in two values.
  EXPECT_FLOAT_EQ(stats->unseenAbove[0], 0.25f * (1 + 16) / (1 + 1 + 16));
  EXPECT_FLOAT_EQ(stats->unseenAbove[3], 0.0625f * (1 + 16) / (1 + 1 + 16));
  EXPECT_EQ(stats->unseenAbove[4], 0);
  EXPECT_EQ(stats->unseenBelow[0], 0);
  EXPECT_FLOAT_EQ(interpolateUnseen(stats->unseenAbove, 0.1875),
                  (0.0625f + 0.140625f) / 2 * (1 + 16) / (1 + 1 + 16));
  // The range gives room for that, above alone, and then nothing is lost.
  EXPECT_EQ(stats->channelMax[1], 4);
  EXPECT_EQ(stats->max, 6);
  EXPECT_EQ(stats->min, -4);
  EXPECT_EQ(stats->unseenSquare, 0);
}

// A rare value is not worth a wider step for all others.
TEST(ObserverTest, widensNoRangeForOneOfMany) {
  TensorObserver observer(/*channelAxis=*/1, {});
  std::vector<float> values(1 << 20, 0.5f);
  values[0] = 1, values[1] = -1;
  observer.add(tensor({1 << 20, 1}, values));
  values[0] = 1.5f;
  observer.addHeldBack(tensor({1 << 20, 1}, values));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_EQ(stats->max, 1);
  EXPECT_FLOAT_EQ(stats->unseenSquare, 0.25f / (1 << 20));
}

// What the next power of two leaves free goes where new values go.
TEST(ObserverTest, fillsAPowerOfTwo) {
  TensorObserver observer(/*channelAxis=*/1, {RangeRule::MinMax, 1, true});
  observer.add(tensor({2, 1}, {-1, 1}));
  observer.addHeldBack(tensor({2, 1}, {-1.75f, 1}));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_NEAR(stats->max - stats->min, 255.0 / 64, 1e-3);
  EXPECT_LE(stats->min, -1.75f);
  EXPECT_LE(stats->max - stats->min, 255.0 / 64);
}

// A rule that cuts has its reasons.
TEST(ObserverTest, leavesARangeThatWasCut) {
  TensorObserver observer(/*channelAxis=*/1, {RangeRule::Percentile, 0.9});
  std::vector<float> values(1000, 0.25f);
  values[0] = 100;
  observer.add(tensor({1000, 1}, values));
  observer.addHeldBack(tensor({1, 1}, {3}));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_LT(stats->max, 1);
  EXPECT_GT(stats->unseenSquare, 4);
}

/// One value of `loud` among 10,000 others, in eight samples.
static std::optional<Statistics>
searchRange(float loud, bool isHeldBackLoud,
            llvm::ArrayRef<float> powers = {}) {
  TensorObserver observer(/*channelAxis=*/1, {RangeRule::Search}, powers);
  for (int sample = 0; sample < 8; ++sample) {
    std::vector<float> values;
    for (int i = 0; i < 100 * 100; ++i)
      values.push_back(std::sin(i + sample * 0.1f));
    bool isHeldBack = sample % 4 == 3;
    if (!isHeldBack || isHeldBackLoud)
      values[0] = loud;
    HostTensor rows = tensor({100, 100}, values);
    isHeldBack ? observer.addHeldBack(rows) : observer.add(rows);
  }
  return observer.finish();
}

TEST(ObserverTest, cutsOnlyWhatHeldBackSamplesCanDoWithout) {
  std::vector<float> powers(100, 1);
  std::optional<Statistics> kept =
      searchRange(40, /*isHeldBackLoud=*/true, powers);
  EXPECT_GE(kept->max, 39);
  std::optional<Statistics> cut =
      searchRange(40, /*isHeldBackLoud=*/false, powers);
  EXPECT_LT(cut->max, 2);
  EXPECT_EQ(cut->channelMax[0], 40);
  // Nobody reads the channel that is loud.
  powers[0] = 0;
  std::optional<Statistics> unread =
      searchRange(40, /*isHeldBackLoud=*/true, powers);
  EXPECT_LT(unread->max, 2);
  // Readers that are not known may look at it.
  EXPECT_GE(searchRange(40, /*isHeldBackLoud=*/false)->max, 40);
  EXPECT_NEAR(unread->unseenSquare, 39 * 39 / 10000.0, 0.01);
}

// What a sample needs that is like no other, those held back cannot tell.
TEST(ObserverTest, triesRangesOnAllSamples) {
  auto searchHigh = [](bool isTriedOnAll) {
    TensorObserver observer(/*channelAxis=*/0, {RangeRule::Search}, {1});
    std::vector<HostTensor> samples;
    for (int sample = 0; sample < 8; ++sample) {
      std::vector<float> values;
      for (int i = 0; i < 1 << 14; ++i)
        values.push_back(std::sin(i + sample * 0.1f));
      if (sample == 2)
        values[7] = 60;
      samples.push_back(tensor({1 << 14}, values));
    }
    for (int sample = 0; sample < 6; ++sample)
      observer.add(samples[sample]);
    observer.addHeldBack(samples[6]);
    observer.addHeldBack(samples[7]);
    for (int sample = 0; sample < 6 && isTriedOnAll; ++sample)
      observer.addTrial(samples[sample]);
    return observer.finish()->max;
  };
  EXPECT_LT(searchHigh(false), 2);
  EXPECT_GE(searchHigh(true), 60);
}

// Without such samples the number of values decides.
TEST(ObserverTest, expectsMoreOfNewValuesWhereFewWereSeen) {
  auto unseenAfter = [](int64_t rows) {
    TensorObserver observer(/*channelAxis=*/1, {});
    for (int64_t row = 0; row < rows; ++row)
      observer.add(tensor({1, 1}, {row % 2 ? 1.0f : -1.0f}));
    return observer.finish()->unseenAbove;
  };
  std::vector<float> few = unseenAfter(4), many = unseenAfter(1024);
  EXPECT_GT(few[0], 100 * many[0]);
  for (size_t i = 1; i < few.size(); ++i)
    EXPECT_LT(few[i], few[i - 1]);
}
