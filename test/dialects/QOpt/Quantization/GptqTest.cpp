//===- GptqTest.cpp - Rounding that makes up for its own errors -----------===//
//
// Identities that hold whatever the numbers, and one small case by hand.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/Gptq.h"
#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinOps.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt;

static double roundToCode(int64_t, int64_t, double value) {
  return std::clamp(std::nearbyint(value), -4.0, 3.0);
}

/// All outputs at once.
static llvm::Expected<std::vector<double>>
gptqOf(const GptqProblem &problem, const GptqOptions &options,
       RoundWeight round, const ScaleChoices *choices = nullptr) {
  auto factor = factorMoments(problem.hessian, problem.products, options);
  if (!factor)
    return factor.takeError();
  return gptq(problem, *factor, options, round, choices);
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
    return llvm::cantFail(gptqOf(problem, options, roundToCode));
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
      gptqOf(problem, options, [&](int64_t n, int64_t k, double value) {
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
  std::vector<double> hessian = {1, 4, 4, 1};
  GptqProblem problem{1, 2, {0.5, 0.5}, hessian};
  auto result = gptqOf(problem, {}, roundToCode);
  ASSERT_FALSE(bool(result));
  EXPECT_NE(llvm::toString(result.takeError()).find("not positive definite"),
            std::string::npos);
}

TEST(Gptq, MomentsThatAreNoneGetMoreDamping) {
  std::vector<double> hessian = {1, 1.5, 1.5, 1};
  GptqProblem problem{1, 2, {0.5, 0.25}, hessian};
  auto result = gptqOf(problem, {}, roundToCode);
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  // Damped by 1: the second product takes 1.5 / 2 of the first one's error.
  EXPECT_EQ((*result)[0], 0);
  EXPECT_EQ((*result)[1], 1);
}

TEST(Gptq, EachBlockGetsTheBetterOfItsScales) {
  RandomProblem p(64, 48);
  for (auto [i, value] : llvm::enumerate(p.problem.weight))
    value *= i / 8 % 3 ? 1 : 4;
  std::vector<double> steps(64 * 6, 1);
  auto round = [&](int64_t n, int64_t k, double value) {
    double step = steps[n * 6 + k / 8];
    return step * roundToCode(n, k, value / step);
  };
  auto take = [&](int64_t n, int64_t k, llvm::ArrayRef<double> values,
                  int64_t which) {
    EXPECT_EQ(values.size(), 8u);
    EXPECT_EQ(k % 8, 0);
    steps[n * 6 + k / 8] = which ? 4 : 1;
  };
  auto lossWith = [&](const ScaleChoices *choices) {
    return proxyLoss(p.problem, llvm::cantFail(gptqOf(p.problem, {0.01, false},
                                                      round, choices)));
  };
  double ones = lossWith(nullptr);
  llvm::fill(steps, 4);
  double fours = lossWith(nullptr);
  ScaleChoices choices{8, 2, take};
  EXPECT_LT(lossWith(&choices), 0.5 * std::min(ones, fours));
}

TEST(Gptq, EachRoundOfRefinementLosesLess) {
  RandomProblem p(32, 48);
  for (std::vector<double> start : {p.rounded({}), p.nearest()}) {
    double before = proxyLoss(p.problem, start);
    std::vector<double> none = start, once = start, often = start;
    refine(p.problem, 0, none, roundToCode);
    EXPECT_EQ(none, start);
    refine(p.problem, 1, once, roundToCode);
    EXPECT_LT(proxyLoss(p.problem, once), before);
    refine(p.problem, 100, often, roundToCode);
    EXPECT_LT(proxyLoss(p.problem, often), proxyLoss(p.problem, once));
    // No single weight can be better.
    for (size_t i = 0; i < often.size(); ++i)
      for (double step : {-1, 1}) {
        std::vector<double> other = often;
        other[i] = roundToCode(0, 0, other[i] + step);
        EXPECT_GE(proxyLoss(p.problem, other) * (1 + 1e-12),
                  proxyLoss(p.problem, often));
      }
  }
}

TEST(Gptq, OneScaleIsAsGoodAsNoChoice) {
  RandomProblem p(16, 50);
  int64_t taken = 0;
  auto take = [&](int64_t, int64_t k, llvm::ArrayRef<double> values, int64_t) {
    EXPECT_EQ(values.size(), k < 48 ? 16u : 2u);
    ++taken;
  };
  ScaleChoices choices{16, 1, take};
  EXPECT_EQ(llvm::cantFail(
                gptqOf(p.problem, {0.01, false, 24}, roundToCode, &choices)),
            p.rounded({0.01, false, 24}));
  EXPECT_EQ(taken, 2 * 16 * 4);
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
                        llvm::ArrayRef<double> moments = {},
                        Operation *op = nullptr) {
    MethodOptions options = methods.getRoundingOptions();
    options.set("method", method.str());
    return llvm::cantFail(methods.getRoundingMethod(options).round(
        {op, weight, moments, {}}, WeightGrid(format, {}), options));
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
        "ui4, axis = 0, block = 32, scale = f16, zero = ui4"}) {
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

TEST_F(GptqRounding, ChoosesScalesOfBlocksAgain) {
  for (llvm::StringRef text : {"mxfp4, axis = 0", "\"mxfp6-e2m3\", axis = 0",
                               "\"mxfp8-e4m3\", axis = 0", "nvfp4, axis = 0",
                               "i4, axis = 0, block = 16, scale = f8E8M0FNU"}) {
    FormatAttr format = formatOf(text);
    ASSERT_TRUE(format) << text.str();
    auto lossOf = [&](const QuantizedWeight &quantized) {
      ElementGrids grids(quantized, format);
      std::vector<double> values;
      for (int64_t n = 0; n < 96; ++n)
        for (int64_t k = 0; k < 64; ++k)
          values.push_back(
              grids.valueOf(k, n, quantized.codes.as<uint8_t>()[k * 96 + n]));
      return proxyLoss(random.problem, values);
    };
    QuantizedWeight nearest = round("nearest", format);
    QuantizedWeight rounded = round("gptq", format, random.hessian);
    EXPECT_LT(lossOf(rounded), 0.7 * lossOf(nearest)) << text.str();
    EXPECT_NE(rounded.scales[0].getBytes(), nearest.scales[0].getBytes())
        << text.str();
  }
}

/// Columns [first, end) of a weight [K, N].
static HostTensor takeOutputs(const HostTensor &weight, int64_t first,
                              int64_t end) {
  int64_t products = weight.getDims()[0], outputs = weight.getDims()[1];
  std::vector<float> values;
  for (int64_t k = 0; k < products; ++k)
    llvm::append_range(values, weight.as<float>()
                                   .drop_front(k * outputs + first)
                                   .take_front(end - first));
  return llvm::cantFail(HostTensor::copy(
      ElementType::F32, {products, end - first},
      {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
}

// A large weight is rounded some outputs at a time, which no output sees.
TEST_F(GptqRounding, OutputsHaveNothingToDoWithEachOther) {
  constexpr int64_t kOutputs = 1100, kProducts = 32, kCut = 1050;
  RandomProblem large(kOutputs, kProducts);
  std::vector<float> values(kOutputs * kProducts);
  for (int64_t n = 0; n < kOutputs; ++n)
    for (int64_t k = 0; k < kProducts; ++k)
      values[k * kOutputs + n] =
          static_cast<float>(large.problem.weight[n * kProducts + k]);
  HostTensor all = llvm::cantFail(HostTensor::copy(
      ElementType::F32, {kProducts, kOutputs},
      {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
  for (llvm::StringRef text : {"i8, axis = 1", "mxfp4, axis = 0"}) {
    FormatAttr format = formatOf(text);
    weight = llvm::cantFail(
        HostTensor::copy(ElementType::F32, all.getDims(), all.getBytes()));
    QuantizedWeight together = round("gptq", format, large.hessian);
    weight = takeOutputs(all, kCut, kOutputs);
    QuantizedWeight apart = round("gptq", format, large.hessian);
    for (int64_t k = 0; k < kProducts; ++k)
      EXPECT_EQ(together.codes.as<uint8_t>()
                    .drop_front(k * kOutputs + kCut)
                    .take_front(kOutputs - kCut),
                apart.codes.as<uint8_t>()
                    .drop_front(k * (kOutputs - kCut))
                    .take_front(kOutputs - kCut))
          << text.str();
  }
}

TEST_F(GptqRounding, BlocksOfZerosStayZero) {
  llvm::MutableArrayRef<float> values = weight.asMutable<float>();
  llvm::fill(values.take_front(32 * 96), 0.0f);
  std::vector<double> identity(64 * 64, 0.0);
  for (int64_t i = 0; i < 64; ++i)
    identity[i * 65] = 1;
  for (llvm::StringRef text : {"mxfp4, axis = 0", "nvfp4, axis = 0"}) {
    FormatAttr format = formatOf(text);
    QuantizedWeight rounded = round("gptq", format, identity);
    ElementGrids grids(rounded, format);
    for (int64_t i = 0; i < 32 * 96; ++i)
      EXPECT_EQ(grids.valueOf(i / 96, i % 96, rounded.codes.as<uint8_t>()[i]),
                0);
  }
}

TEST_F(GptqRounding, WhatHasNoScaleHasTheCodeOfZero) {
  llvm::fill(weight.asMutable<float>(), 0.0f);
  FormatAttr format = formatOf("nvfp4, axis = 0");
  QuantizedWeight zeros = round("nearest", format);
  ElementGrids grids(zeros, format);
  // Errors of other products may be left for it.
  for (float value : {0.0f, 1.0f, -1.0f})
    EXPECT_EQ(grids.codeOf(0, 0, value), 0);
}

TEST_F(GptqRounding, MomentsOfNothingLeaveTheNearestCodes) {
  std::vector<double> moments(64 * 64, 1.0);
  moments[1] = moments[64] = 1000;
  OwningOpRef<ModuleOp> op(ModuleOp::create(UnknownLoc::get(&context)));
  std::string warning;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    warning = diagnostic.str();
    return success();
  });
  FormatAttr format = formatOf("mxfp4, axis = 0");
  QuantizedWeight nearest = round("nearest", format);
  QuantizedWeight rounded = round("gptq", format, moments, *op);
  EXPECT_EQ(rounded.codes.getBytes(), nearest.codes.getBytes());
  EXPECT_EQ(rounded.scales[0].getBytes(), nearest.scales[0].getBytes());
  EXPECT_NE(warning.find("is rounded to nearest"), std::string::npos);
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
