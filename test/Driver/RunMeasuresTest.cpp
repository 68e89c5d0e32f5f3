//===- RunMeasuresTest.cpp - Comparisons and times --------------*- C++ -*-===//
//
// The numbers that qopt-run prints about results and runs.
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/RunBenchmark.h"
#include "lib/Driver/RunCompare.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

static HostTensor makeTensor(llvm::ArrayRef<float> values) {
  HostTensor tensor = llvm::cantFail(HostTensor::allocate(
      ElementType::F32, {2, static_cast<int64_t>(values.size()) / 2}));
  llvm::copy(values, tensor.asMutable<float>().begin());
  return tensor;
}

TEST(RunMeasuresTest, TimesAreNearestRanks) {
  std::vector<double> times;
  for (int i = 100; i >= 1; --i)
    times.push_back(i);
  Timing timing = summarizeTimes(times);
  EXPECT_EQ(timing.medianInMs, 50);
  EXPECT_EQ(timing.p90InMs, 90);
  EXPECT_EQ(timing.p99InMs, 99);
  EXPECT_EQ(timing.minInMs, 1);
  EXPECT_EQ(timing.meanInMs, 50.5);
  EXPECT_EQ(timing.iters, 100);
  EXPECT_EQ(summarizeTimes({7}).p99InMs, 7);
}

TEST(RunMeasuresTest, TheWorstIsFurthestBeyondWhatIsAllowed) {
  // Of 1000, an error of 2 is allowed; of 1, one of 0.002.
  Comparison comparison =
      compareTensors(makeTensor({1002, 1, 1.5, 3}), makeTensor({1000, 1, 1, 3}),
                     {/*absolute=*/0.0, /*relative=*/0.002});
  EXPECT_EQ(comparison.numElements, 4);
  EXPECT_EQ(comparison.numDifferent, 1);
  EXPECT_EQ(comparison.worstIndex, (llvm::SmallVector<int64_t>{1, 0}));
  EXPECT_EQ(comparison.worstFound, 1.5);
  EXPECT_EQ(comparison.worstExpected, 1);
}

TEST(RunMeasuresTest, InfinitiesAndNaNsEqualThemselvesOnly) {
  HostTensor odd = makeTensor({NAN, INFINITY, -INFINITY, 0});
  Tolerance wide{1e30, 1e30};
  EXPECT_EQ(compareTensors(odd, odd, wide).numDifferent, 0);
  EXPECT_EQ(
      compareTensors(odd, makeTensor({0, 0, INFINITY, 0}), wide).numDifferent,
      3);
}
