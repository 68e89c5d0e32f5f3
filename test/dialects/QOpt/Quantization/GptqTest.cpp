//===- GptqTest.cpp - Rounding that makes up for its own errors -----------===//
//
// Identities that hold whatever the numbers, and one small case by hand.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/Gptq.h"
#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include "mlir/AsmParser/AsmParser.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt;

static double roundToCode(int64_t, int64_t, double value) {
  return std::clamp(std::nearbyint(value), -4.0, 3.0);
}

namespace {
/// A random weight, and moments of rows whose columns are correlated.
struct RandomProblem {
  RandomProblem(int64_t outputs, int64_t products) {
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    hessian.assign(products * products, 0);
    for (int64_t row = 0; row < 4 * products; ++row) {
      std::vector<double> x(products);
      double common = normal(random);
      for (int64_t k = 0; k < products; ++k)
        x[k] = normal(random) + common * (1 + k % 3);
      for (int64_t i = 0; i < products; ++i)
        for (int64_t j = 0; j < products; ++j)
          hessian[i * products + j] += x[i] * x[j];
    }
    problem = {outputs, products, {}, hessian};
    for (int64_t i = 0; i < outputs * products; ++i)
      problem.weight.push_back(normal(random) * 1.5);
  }

  std::vector<double> nearest() const {
    std::vector<double> result;
    for (double value : problem.weight)
      result.push_back(roundToCode(0, 0, value));
    return result;
  }
  std::vector<double> rounded(const GptqOptions &options) const {
    return llvm::cantFail(gptq(problem, options, roundToCode));
  }

  std::vector<double> hessian;
  GptqProblem problem;
};
} // namespace

TEST(Gptq, LosesLessThanRoundingToNearest) {
  RandomProblem p(64, 48);
  double nearest = proxyLoss(p.problem, p.nearest());
  for (bool orders : {false, true}) {
    GptqOptions options;
    options.ordersByMoment = orders;
    EXPECT_LT(proxyLoss(p.problem, p.rounded(options)), 0.6 * nearest);
  }
}

TEST(Gptq, RoundsToNearestWhenProductsAreIndependent) {
  RandomProblem p(16, 40);
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t j = 0; j < 40; ++j)
      p.hessian[i * 40 + j] = i == j ? 1 + i % 5 : 0;
  EXPECT_EQ(p.rounded({}), p.nearest());
}

TEST(Gptq, BatchesChangeNothing) {
  RandomProblem p(16, 50);
  std::vector<double> one = p.rounded({0.01, true, 1});
  EXPECT_EQ(p.rounded({0.01, true, 8}), one);
  EXPECT_EQ(p.rounded({0.01, true, 128}), one);
}

TEST(Gptq, TheLastProductIsNearestToWhatItBecame) {
  // Two products: H = [[2, 1], [1, 2]] gives w1 += (w0 - q0) * H01 / H11.
  std::vector<double> hessian = {2, 1, 1, 2};
  GptqProblem problem{2, 2, {0.4, 0.3, 1.4, -0.3}, hessian};
  std::vector<double> second;
  GptqOptions options;
  options.damping = 1e-12;
  auto result = llvm::cantFail(
      gptq(problem, options, [&](int64_t n, int64_t k, double value) {
        if (k == 1)
          second.push_back(value);
        return roundToCode(n, k, value);
      }));
  ASSERT_EQ(second.size(), 2u);
  EXPECT_NEAR(second[0], 0.3 + 0.4 * 0.5, 1e-9);
  EXPECT_NEAR(second[1], -0.3 + 0.4 * 0.5, 1e-9);
  EXPECT_EQ(result[0], 0);
  EXPECT_EQ(result[2], 1);
}

TEST(Gptq, ProductsThatNoSampleReached) {
  RandomProblem p(8, 24);
  for (int64_t i = 0; i < 24; ++i)
    p.hessian[7 * 24 + i] = p.hessian[i * 24 + 7] = 0;
  std::vector<double> rounded = p.rounded({}), nearest = p.nearest();
  for (int64_t n = 0; n < 8; ++n)
    EXPECT_EQ(rounded[n * 24 + 7], nearest[n * 24 + 7]);
}

TEST(Gptq, RefusesMomentsOfNothing) {
  std::vector<double> hessian = {1, 2, 2, 1};
  GptqProblem problem{1, 2, {0.5, 0.5}, hessian};
  auto result = gptq(problem, {}, roundToCode);
  ASSERT_FALSE(bool(result));
  EXPECT_NE(llvm::toString(result.takeError()).find("not positive definite"),
            std::string::npos);
}

namespace {
class GptqRounding : public testing::Test {
protected:
  GptqRounding() : random(96, 64) {
    context.loadDialect<QOptDialect>();
    // [K, N] from [N, K].
    std::vector<float> values;
    for (int64_t k = 0; k < 64; ++k)
      for (int64_t n = 0; n < 96; ++n)
        values.push_back(static_cast<float>(random.problem.weight[n * 64 + k]));
    weight = llvm::cantFail(HostTensor::copy(
        ElementType::F32, {64, 96},
        {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
    registerRoundingMethods(methods);
  }

  /// What a method makes of the weight.
  QuantizedWeight round(llvm::StringRef method, FormatAttr format,
                        llvm::ArrayRef<double> moments = {}) {
    MethodOptions options = methods.getRoundingOptions();
    options.set("method", method.str());
    return llvm::cantFail(methods.getRoundingMethod(options).round(
        {nullptr, weight, moments, {}}, WeightGrid(format, {}), options));
  }

  FormatAttr formatOf(llvm::StringRef text) {
    return cast<FormatAttr>(
        parseAttribute(("#qopt.format<" + text + ">").str(), &context));
  }

  MLIRContext context;
  RandomProblem random;
  HostTensor weight;
  MethodRegistry methods;
};
} // namespace

TEST_F(GptqRounding, KeepsParametersAndUsesTheFormatsCodes) {
  for (llvm::StringRef text :
       {"i8, axis = 1", "i4, axis = 0, block = 32, scale = f16",
        "ui4, axis = 0, block = 32, scale = f16, zero = ui4", "mxfp4, axis = 0",
        "mxint8, axis = 0", "\"mxfp8-e4m3\", axis = 0", "nvfp4, axis = 0"}) {
    FormatAttr format = formatOf(text);
    ASSERT_TRUE(format) << text.str();
    QuantizedWeight nearest = round("nearest", format);
    QuantizedWeight rounded = round("gptq", format, random.hessian);
    for (auto [own, other] : llvm::zip_equal(nearest.scales, rounded.scales))
      EXPECT_EQ(own.getBytes(), other.getBytes()) << text.str();
    EXPECT_NE(0, std::memcmp(rounded.codes.getData(), nearest.codes.getData(),
                             64 * 96));
  }
}

TEST_F(GptqRounding, IndependentProductsKeepTheirCodes) {
  std::vector<double> identity(64 * 64, 0.0);
  for (int64_t i = 0; i < 64; ++i)
    identity[i * 65] = 3;
  for (llvm::StringRef text :
       {"i8, axis = 1", "i4, axis = 0, block = 32, scale = f16",
        "ui4, axis = 0, block = 32, scale = f16, zero = ui4", "mxfp4, axis = 0",
        "mxint8, axis = 0"}) {
    FormatAttr format = formatOf(text);
    QuantizedWeight nearest = round("nearest", format);
    QuantizedWeight rounded = round("gptq", format, identity);
    EXPECT_EQ(0, std::memcmp(rounded.codes.getData(), nearest.codes.getData(),
                             64 * 96))
        << text.str();
  }
}

TEST_F(GptqRounding, WithoutMomentsItIsTheNearestCode) {
  FormatAttr format = formatOf("i8, axis = 1");
  EXPECT_EQ(round("gptq", format).codes.getBytes(),
            round("nearest", format).codes.getBytes());
}
