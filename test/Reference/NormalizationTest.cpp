//===- NormalizationTest.cpp - Norms, softmax, reductions, pools ----------===//
//
// Sums of floats are compared bit for bit with the 16 partial sums written
// out; the rest with double arithmetic.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;
using namespace qopt::test;

static Program reduce(const std::string &kind, const std::string &type) {
  return Program(
      "(%x: tensor<?x?x?x" + type + ">) -> tensor<?x" + type +
      "> {"
      "%0 = qopt.reduce %x {kind = #qopt.kind<" +
      kind + ">, axes = array<i64: 0, 2>, keepdims = false} : (tensor<?x?x?x" +
      type + ">) -> tensor<?x" + type + "> return %0 : tensor<?x" + type +
      "> }");
}

/// The sum of 16 partial sums, stated again.
static float sumByTree(const std::vector<float> &values, bool squares) {
  float s[16] = {};
  for (size_t i = 0; i < values.size(); ++i)
    s[i % 16] = squares ? std::fma(values[i], values[i], s[i % 16])
                        : s[i % 16] + values[i];
  for (int j = 0; j < 8; ++j)
    s[j] += s[j + 8];
  for (int j = 0; j < 4; ++j)
    s[j] += s[j + 4];
  s[0] += s[2];
  s[1] += s[3];
  return s[0] + s[1];
}

TEST(Reduce, FloatsInTheStatedOrder) {
  std::vector<float> x = randomReals(3 * 2 * 15, 20);
  for (int kept = 0; kept < 2; ++kept) {
    std::vector<float> row;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 15; ++j)
        row.push_back(x[(i * 2 + kept) * 15 + j]);
    auto run = [&](const char *kind) {
      return valuesOf<float>(
          reduce(kind, "f32").get({f32({3, 2, 15}, x)}))[kept];
    };
    EXPECT_EQ(run("sum"), sumByTree(row, false));
    EXPECT_EQ(run("mean"), sumByTree(row, false) / 45);
    EXPECT_EQ(run("l2"), std::sqrt(sumByTree(row, true)));
    EXPECT_EQ(run("max"), *std::max_element(row.begin(), row.end()));
    EXPECT_EQ(run("min"), *std::min_element(row.begin(), row.end()));
    float product = 1;
    for (float value : row)
      product *= value;
    EXPECT_EQ(run("prod"), product);
  }
}

TEST(Reduce, NaNWinsAndNothingHasNeutralValues) {
  HostTensor nan = f32({3, 1, 1}, {1, NAN, 2});
  EXPECT_TRUE(std::isnan(valuesOf<float>(reduce("max", "f32").get({nan}))[0]));
  EXPECT_TRUE(std::isnan(valuesOf<float>(reduce("min", "f32").get({nan}))[0]));
  HostTensor nothing = f32({0, 1, 4}, {});
  EXPECT_EQ(valuesOf<float>(reduce("sum", "f32").get({nothing}))[0], 0);
  EXPECT_EQ(valuesOf<float>(reduce("max", "f32").get({nothing}))[0], -INFINITY);
}

TEST(Reduce, OfNoIntegersMaxIsTheLeastAndMinTheGreatest) {
  auto run = [](const char *kind, const char *type, ElementType element) {
    HostTensor nothing = cantFail(HostTensor::allocate(element, {0, 1, 1}));
    return reduce(kind, type).get({nothing});
  };
  auto i64Of = [&](const char *kind) {
    return valuesOf<int64_t>(run(kind, "i64", ElementType::I64))[0];
  };
  EXPECT_EQ(i64Of("max"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(i64Of("min"), std::numeric_limits<int64_t>::max());
  auto byteOf = [&](const char *kind, const char *type, ElementType element) {
    return int(valuesOf<uint8_t>(run(kind, type, element))[0]);
  };
  EXPECT_EQ(byteOf("max", "i8", ElementType::I8), 0x80);
  EXPECT_EQ(byteOf("min", "i8", ElementType::I8), 0x7f);
  EXPECT_EQ(byteOf("max", "ui8", ElementType::U8), 0);
  EXPECT_EQ(byteOf("min", "ui8", ElementType::U8), 255);
  EXPECT_EQ(byteOf("max", "i1", ElementType::BOOL), 0);
  EXPECT_EQ(byteOf("min", "i1", ElementType::BOOL), 1);
}

TEST(Reduce, TakesTheFirstOfTwoZeros) {
  auto isNegative = [&](const char *kind, std::vector<float> x) {
    float y = valuesOf<float>(reduce(kind, "f32").get({f32({3, 1, 1}, x)}))[0];
    EXPECT_EQ(y, 0);
    return std::signbit(y);
  };
  EXPECT_TRUE(isNegative("max", {-1, -0.0f, 0}));
  EXPECT_FALSE(isNegative("max", {0, -1, -0.0f}));
  EXPECT_TRUE(isNegative("min", {-0.0f, 0, 1}));
  EXPECT_FALSE(isNegative("min", {1, 0, -0.0f}));
}

TEST(Reduce, Integers) {
  HostTensor x = i64({2, 1, 2}, {-7, 2, 3, -1});
  auto run = [&](const char *kind) {
    return valuesOf<int64_t>(reduce(kind, "i64").get({x}))[0];
  };
  EXPECT_EQ(run("sum"), -3);
  EXPECT_EQ(run("mean"), 0); // -3 / 4 truncates
  EXPECT_EQ(run("prod"), 42);
  EXPECT_EQ(run("max"), 3);
  EXPECT_EQ(run("min"), -7);
}

TEST(Softmax, AlongAnyAxis) {
  Program softmax("(%x: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {"
                  "%0 = qopt.softmax %x {axis = 1 : i64} : (tensor<2x?x3xf32>) "
                  "-> tensor<2x?x3xf32>"
                  " return %0 : tensor<2x?x3xf32> }");
  std::vector<float> x = randomReals(2 * 40 * 3, 21);
  auto y = valuesOf<float>(softmax.get({f32({2, 40, 3}, x)}));
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 3; ++k) {
      double sum = 0;
      for (int j = 0; j < 40; ++j)
        sum += std::exp(double(x[(i * 40 + j) * 3 + k]));
      for (int j = 0; j < 40; ++j)
        EXPECT_NEAR(y[(i * 40 + j) * 3 + k],
                    std::exp(double(x[(i * 40 + j) * 3 + k])) / sum, 1e-7);
    }
  EXPECT_EQ(softmax.get({f32({2, 0, 3}, {})}).getNumElements(), 0);
}

/// Against the sums of products with the matrix, and bit for bit with a
/// butterfly of four that is written out.
TEST(Hadamard, OfBlocksOfTheLastAxis) {
  Program transform("(%x: tensor<?x24xf32>) -> tensor<?x24xf32> {"
                    "%0 = qopt.hadamard %x {block = 8 : i64} : "
                    "(tensor<?x24xf32>) -> tensor<?x24xf32>"
                    " return %0 : tensor<?x24xf32> }");
  std::vector<float> x = randomReals(5 * 24, 23);
  auto y = valuesOf<float>(transform.get({f32({5, 24}, x)}));
  for (int i = 0; i < 5 * 24; ++i) {
    double sum = 0;
    for (int j = 0; j < 8; ++j)
      sum += x[i / 8 * 8 + j] * (__builtin_parity(i % 8 & j) ? -1.0 : 1.0);
    EXPECT_NEAR(y[i], sum / std::sqrt(8.0), 1e-6);
  }
  Program four("(%x: tensor<4xf32>) -> tensor<4xf32> {"
               "%0 = qopt.hadamard %x {block = 4 : i64} : "
               "(tensor<4xf32>) -> tensor<4xf32> return %0 : tensor<4xf32> }");
  float a = 1e8f, b = 3.0f, c = -1e8f, d = 0.7f;
  EXPECT_EQ(valuesOf<float>(four.get({f32({4}, {a, b, c, d})})),
            (std::vector<float>{
                ((a + b) + (c + d)) * 0.5f, ((a - b) + (c - d)) * 0.5f,
                ((a + b) - (c + d)) * 0.5f, ((a - b) - (c - d)) * 0.5f}));
}

TEST(LayerNorm, OverTheLastAxes) {
  Program norm(
      "(%x: tensor<?x4x5xf32>, %s: tensor<4x5xf32>, %b: tensor<4x5xf32>) -> "
      "tensor<?x4x5xf32> {"
      "%0 = qopt.layer_norm %x, %s, %b {axis = 1 : i64, epsilon = 1.0e-5 : f32}"
      " : (tensor<?x4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>) -> "
      "tensor<?x4x5xf32>"
      " return %0 : tensor<?x4x5xf32> }");
  std::vector<float> x = randomReals(60, 22), s = randomReals(20, 23),
                     b = randomReals(20, 24);
  auto y = valuesOf<float>(
      norm.get({f32({3, 4, 5}, x), f32({4, 5}, s), f32({4, 5}, b)}));
  for (int row = 0; row < 3; ++row) {
    double mean = 0, variance = 0;
    for (int i = 0; i < 20; ++i)
      mean += x[row * 20 + i] / 20.0;
    for (int i = 0; i < 20; ++i)
      variance += (x[row * 20 + i] - mean) * (x[row * 20 + i] - mean) / 20;
    for (int i = 0; i < 20; ++i)
      EXPECT_NEAR(y[row * 20 + i],
                  (x[row * 20 + i] - mean) / std::sqrt(variance + 1e-5) * s[i] +
                      b[i],
                  2e-6);
  }
}

TEST(BatchNorm, PerChannel) {
  Program norm("(%x: tensor<1x2x2xf32>, %s: tensor<2xf32>, %b: tensor<2xf32>, "
               "%m: tensor<2xf32>, %v: tensor<2xf32>) -> tensor<1x2x2xf32> {"
               "%0 = qopt.batch_norm %x, %s, %b, %m, %v {epsilon = 0.5 : f32}"
               " : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, "
               "tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>"
               " return %0 : tensor<1x2x2xf32> }");
  EXPECT_EQ(
      valuesOf<float>(norm.get({f32({1, 2, 2}, {1, 2, 3, 4}), f32({2}, {2, 3}),
                                f32({2}, {10, 20}), f32({2}, {1, 2}),
                                f32({2}, {0.5f, 3.5f})})),
      (std::vector<float>{10, 12, 21.5f, 23}));
}

TEST(Pool, AverageCountsWhatItIsTold) {
  auto pool = [](const char *include) {
    return Program(
        std::string("(%x: tensor<1x1x3x3xf32>) -> tensor<1x1x2x2xf32> {"
                    "%0 = qopt.average_pool %x {kernel = array<i64: 2, 2>, "
                    "strides = array<i64: 2, 2>,"
                    " pads = array<i64: 1, 1, 0, 0>, ceil_mode = false, "
                    "count_include_pad = ") +
        include +
        "} : (tensor<1x1x3x3xf32>) -> tensor<1x1x2x2xf32>"
        " return %0 : tensor<1x1x2x2xf32> }");
  };
  HostTensor x = f32({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(valuesOf<float>(pool("false").get({x})),
            (std::vector<float>{1, 2.5f, 5.5f, 7}));
  EXPECT_EQ(valuesOf<float>(pool("true").get({x})),
            (std::vector<float>{0.25f, 1.25f, 2.75f, 7}));
}

TEST(Pool, CeilModeWindowsMayLeaveTheInput) {
  Program pool("(%x: tensor<1x1x1x4xf32>) -> tensor<1x1x1x2xf32> {"
               "%0 = qopt.average_pool %x {kernel = array<i64: 1, 3>, strides "
               "= array<i64: 1, 2>,"
               " pads = array<i64: 0, 0, 0, 0>, ceil_mode = true, "
               "count_include_pad = true}"
               " : (tensor<1x1x1x4xf32>) -> tensor<1x1x1x2xf32> return %0 : "
               "tensor<1x1x1x2xf32> }");
  EXPECT_EQ(valuesOf<float>(pool.get({f32({1, 1, 1, 4}, {1, 2, 3, 5})})),
            (std::vector<float>{2, 4}));
}

TEST(Pool, MaximumOfRealsAndCodes) {
  auto pool = [](const std::string &type) {
    std::string x = "tensor<1x1x1x5x" + type + ">",
                y = "tensor<1x1x1x3x" + type + ">";
    return Program("(%x: " + x + ") -> " + y +
                   " { %0 = qopt.max_pool %x"
                   " {kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>, "
                   "pads = array<i64: 0, 1, 0, 1>,"
                   " dilations = array<i64: 1, 2>, ceil_mode = false} : (" +
                   x + ") -> " + y + " return %0 : " + y + " }");
  };
  EXPECT_EQ(valuesOf<float>(
                pool("f32").get({f32({1, 1, 1, 5}, {-1, -2, -3, -4, -5})})),
            (std::vector<float>{-2, -2, -4}));
  EXPECT_EQ(valuesOf<int8_t>(pool("i8").get(
                {bytes(ElementType::I8, {1, 1, 1, 5}, {0xFF, 0x80, 3, 4, 5})})),
            (std::vector<int8_t>{-128, 4, 4}));
}

TEST(Pool, GlobalAverageIsARowSum) {
  Program pool("(%x: tensor<1x2x?x?xf32>) -> tensor<1x2x1x1xf32> {"
               "%0 = qopt.global_average_pool %x : (tensor<1x2x?x?xf32>) -> "
               "tensor<1x2x1x1xf32>"
               " return %0 : tensor<1x2x1x1xf32> }");
  std::vector<float> x = randomReals(2 * 49, 25);
  auto y = valuesOf<float>(pool.get({f32({1, 2, 7, 7}, x)}));
  EXPECT_EQ(y[0], sumByTree({x.begin(), x.begin() + 49}, false) / 49);
  EXPECT_EQ(y[1], sumByTree({x.begin() + 49, x.end()}, false) / 49);
}
