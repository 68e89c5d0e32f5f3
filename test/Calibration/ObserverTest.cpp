//===- ObserverTest.cpp - Statistics of a stream of tensors ---------------===//
//
// What an observer says of a few numbers that are easy to add up.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Observer.h"
#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

static HostTensor tensor(std::vector<int64_t> dims, std::vector<float> values) {
  return llvm::cantFail(HostTensor::copy(
      ElementType::F32, dims,
      {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
}

static void add(TensorObserver &observer, const HostTensor &values) {
  EXPECT_FALSE(static_cast<bool>(observer.add(values)));
}

TEST(ObserverTest, mergesSamples) {
  TensorObserver observer(/*channelAxis=*/1, {});
  add(observer, tensor({2, 2}, {1, -4, 2, 0}));
  add(observer, tensor({1, 2}, {3, 1}));
  std::optional<Statistics> stats = observer.finish();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->min, -4);
  EXPECT_EQ(stats->max, 3);
  EXPECT_EQ(stats->samples, 2);
  EXPECT_FLOAT_EQ(stats->meanSquare, 31.0f / 6);
  // Rows peak at 4, 2 and 3.
  EXPECT_FLOAT_EQ(stats->rowPeakSquare, 29.0f / 3);
  EXPECT_EQ(stats->channelMin, (std::vector<float>{1, -4}));
  EXPECT_EQ(stats->channelMax, (std::vector<float>{3, 1}));
  EXPECT_FLOAT_EQ(stats->channelMeanSquare[1], 17.0f / 3);
  EXPECT_EQ(stats->channelPeak(1), 4);
}

TEST(ObserverTest, takesASampleOfAConvolutionAsARow) {
  TensorObserver observer(/*channelAxis=*/1, {});
  add(observer, tensor({2, 2, 1, 2}, {1, 2, 3, 4, 0, 0, 0, -1}));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_FLOAT_EQ(stats->rowPeakSquare, 17.0f / 2);
  EXPECT_EQ(stats->channelMax, (std::vector<float>{2, 4}));
}

TEST(ObserverTest, hasNoChannelsWhereTheirNumberVaries) {
  TensorObserver observer(/*channelAxis=*/1, {});
  for (int64_t size : {2, 3, 3})
    add(observer, tensor({1, size}, std::vector<float>(size, 1.5f)));
  std::optional<Statistics> stats = observer.finish();
  EXPECT_TRUE(stats->channelMin.empty());
  EXPECT_TRUE(stats->channelMax.empty());
  EXPECT_EQ(stats->max, 1.5f);
  EXPECT_EQ(stats->samples, 3);
}

TEST(ObserverTest, knowsNothingWithoutElements) {
  TensorObserver observer(/*channelAxis=*/1, {});
  add(observer, tensor({0, 4}, {}));
  EXPECT_FALSE(observer.finish());
}

TEST(ObserverTest, cutsAsTheRuleSays) {
  std::vector<float> values(10000, 0.5f);
  for (size_t i = 0; i < values.size(); i += 2)
    values[i] = -0.5f;
  values[0] = 100;
  TensorObserver percentile(0, {RangeRule::Percentile, 0.999});
  add(percentile, tensor({10000}, values));
  EXPECT_LT(percentile.finish()->max, 1);
  TensorObserver extremes(0, {});
  add(extremes, tensor({10000}, values));
  EXPECT_EQ(extremes.finish()->max, 100);
}

TEST(ObserverTest, refusesWhatIsNotFinite) {
  TensorObserver observer(0, {});
  llvm::Error error = observer.add(tensor({2}, {1, INFINITY}));
  ExitCode code;
  EXPECT_EQ(takeMessage(std::move(error), code),
            "the tensor holds NaN or infinity");
  EXPECT_EQ(code, ExitCode::BadData);
}
