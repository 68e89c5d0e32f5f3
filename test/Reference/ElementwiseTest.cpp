//===- ElementwiseTest.cpp - Element-wise ops -----------------------------===//
//
// Formulas are tested where they are defined; here: that each op reaches its
// formula, for each kind of element, under broadcasting.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "gtest/gtest.h"
#include <cmath>
#include <functional>

using namespace qopt;
using namespace qopt::test;

static Program unary(const std::string &op, const std::string &from,
                     const std::string &to) {
  std::string a = "tensor<?x" + from + ">", b = "tensor<?x" + to + ">";
  return Program("(%x: " + a + ") -> " + b + " { %0 = qopt." + op +
                 (op.find('{') == std::string::npos ? " %x" : "") + " : (" + a +
                 ") -> " + b + " return %0 : " + b + " }");
}

static Program binary(const std::string &op, const std::string &from,
                      const std::string &to) {
  std::string a = "tensor<?x" + from + ">", b = "tensor<?x" + to + ">";
  return Program("(%x: " + a + ", %y: " + a + ") -> " + b + " { %0 = qopt." +
                 op + " %x, %y : (" + a + ", " + a + ") -> " + b +
                 " return %0 : " + b + " }");
}

TEST(Elementwise, UnaryFloats) {
  std::vector<float> x;
  for (int i = 0; i < 300; ++i) // more than the lanes of one step
    x.push_back(-3 + 0.02f * i);
  auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  std::vector<std::pair<std::string, std::function<double(double)>>> functions{
      {"relu", [](double v) { return std::max(v, 0.0); }},
      {"sigmoid", sigmoid},
      {"tanh", [](double v) { return std::tanh(v); }},
      {"erf", [](double v) { return std::erf(v); }},
      {"exp", [](double v) { return std::exp(v); }},
      {"log", [](double v) { return std::log(v); }},
      {"sqrt", [](double v) { return std::sqrt(v); }},
      {"reciprocal", [](double v) { return 1 / v; }},
      {"neg", [](double v) { return -v; }},
      {"abs", [](double v) { return std::abs(v); }},
      {"floor", [](double v) { return std::floor(v); }},
      {"ceil", [](double v) { return std::ceil(v); }},
      {"round", [](double v) { return std::nearbyint(v); }},
      {"sin", [](double v) { return std::sin(v); }},
      {"cos", [](double v) { return std::cos(v); }},
      {"softplus", [](double v) { return std::log1p(std::exp(v)); }},
      {"silu", [&](double v) { return v * sigmoid(v); }},
      {"hard_swish",
       [](double v) { return v * std::min(std::max(v / 6 + 0.5, 0.0), 1.0); }},
      {"gelu %x {form = #qopt.form<erf>}",
       [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); }},
      {"gelu %x {form = #qopt.form<tanh>}",
       [](double v) {
         return 0.5 * v *
                (1 +
                 std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
       }},
      {"leaky_relu %x {alpha = 0.25 : f32}",
       [](double v) { return v < 0 ? 0.25 * v : v; }},
      {"elu %x {alpha = 2.0 : f32}",
       [](double v) { return v < 0 ? 2 * std::expm1(v) : v; }},
      {"hard_sigmoid %x {alpha = 0.25 : f32, beta = 0.5 : f32}",
       [](double v) { return std::min(std::max(0.25 * v + 0.5, 0.0), 1.0); }},
      {"clip %x {low = -1.0 : f32, high = 0.5 : f32}",
       [](double v) { return std::min(std::max(v, -1.0), 0.5); }},
  };
  for (auto &[op, function] : functions) {
    SCOPED_TRACE(op);
    auto y = valuesOf<float>(unary(op, "f32", "f32").get({f32({300}, x)}));
    for (int i = 0; i < 300; ++i) {
      double expected = function(x[i]);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(y[i]));
      else if (std::isinf(expected))
        EXPECT_EQ(y[i], expected);
      else
        EXPECT_NEAR(y[i], expected, 2e-6 * std::max(1.0, std::abs(expected)))
            << x[i];
    }
  }
}

TEST(Elementwise, BinaryFloats) {
  std::vector<float> x{1, 2, -3, 0.5f}, y{2, 2, 4, -0.25f};
  auto run = [&](const std::string &op) {
    return valuesOf<float>(
        binary(op, "f32", "f32").get({f32({4}, x), f32({4}, y)}));
  };
  EXPECT_EQ(run("add"), (std::vector<float>{3, 4, 1, 0.25f}));
  EXPECT_EQ(run("sub"), (std::vector<float>{-1, 0, -7, 0.75f}));
  EXPECT_EQ(run("mul"), (std::vector<float>{2, 4, -12, -0.125f}));
  EXPECT_EQ(run("div"), (std::vector<float>{0.5f, 1, -0.75f, -2}));
  EXPECT_EQ(run("min"), (std::vector<float>{1, 2, -3, -0.25f}));
  EXPECT_EQ(run("max"), (std::vector<float>{2, 2, 4, 0.5f}));
  auto power = run("pow");
  EXPECT_EQ(power[0], 1);
  EXPECT_EQ(power[1], 4);
  EXPECT_NEAR(power[2], 81, 1e-4);
  EXPECT_NEAR(power[3], std::pow(0.5, -0.25), 1e-6);
}

TEST(Elementwise, ComparisonsAndTruthValues) {
  auto compare = [](const std::string &op) {
    return valuesOf<uint8_t>(
        binary(op, "f32", "i1")
            .get({f32({4}, {1, 2, 3, NAN}), f32({4}, {2, 2, 2, 2})}));
  };
  EXPECT_EQ(compare("equal"), (std::vector<uint8_t>{0, 1, 0, 0}));
  EXPECT_EQ(compare("less"), (std::vector<uint8_t>{1, 0, 0, 0}));
  EXPECT_EQ(compare("less_or_equal"), (std::vector<uint8_t>{1, 1, 0, 0}));
  EXPECT_EQ(compare("greater"), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(compare("greater_or_equal"), (std::vector<uint8_t>{0, 1, 1, 0}));
  auto logic = [](const std::string &op) {
    return valuesOf<uint8_t>(
        binary(op, "i1", "i1")
            .get({bytes(ElementType::BOOL, {4}, {0, 0, 1, 1}),
                  bytes(ElementType::BOOL, {4}, {0, 1, 0, 1})}));
  };
  EXPECT_EQ(logic("and"), (std::vector<uint8_t>{0, 0, 0, 1}));
  EXPECT_EQ(logic("or"), (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(logic("xor"), (std::vector<uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(logic("equal"), (std::vector<uint8_t>{1, 0, 0, 1}));
  EXPECT_EQ(
      valuesOf<uint8_t>(unary("not", "i1", "i1")
                            .get({bytes(ElementType::BOOL, {2}, {0, 1})})),
      (std::vector<uint8_t>{1, 0}));
}

TEST(Elementwise, IntegersWrapAndDivideTowardsZero) {
  const int64_t least = INT64_MIN;
  auto run = [&](const std::string &op) {
    return valuesOf<int64_t>(binary(op, "i64", "i64")
                                 .get({i64({5}, {7, -7, 7, least, 5}),
                                       i64({5}, {2, 2, -2, -1, 0})}));
  };
  EXPECT_EQ(run("div"), (std::vector<int64_t>{3, -3, -3, least, 0}));
  EXPECT_EQ(run("mod"), (std::vector<int64_t>{1, 1, -1, 0, 0}));
  EXPECT_EQ(run("sub"), (std::vector<int64_t>{5, -9, 9, least + 1, 5}));
  EXPECT_EQ(run("min"), (std::vector<int64_t>{2, -7, -2, least, 0}));
  auto narrow = [](const std::string &op) {
    return valuesOf<int8_t>(
        binary(op, "i8", "i8")
            .get({bytes(ElementType::I8, {3}, {100, 0x80, 0x80}),
                  bytes(ElementType::I8, {3}, {100, 1, 0xFF})}));
  };
  EXPECT_EQ(narrow("add"), (std::vector<int8_t>{-56, -127, 127}));
  EXPECT_EQ(narrow("div"), (std::vector<int8_t>{1, -128, -128}));
  EXPECT_EQ(valuesOf<int32_t>(
                binary("mul", "i32", "i32")
                    .get({i32({2}, {65536, 3}), i32({2}, {65536, -4})})),
            (std::vector<int32_t>{0, -12}));
}

TEST(Elementwise, BroadcastsAsNumpy) {
  Program program("(%c: tensor<2x1xi1>, %x: tensor<3xf32>, %y: tensor<f32>) -> "
                  "tensor<2x3xf32> {"
                  "%0 = qopt.where %c, %x, %y : (tensor<2x1xi1>, "
                  "tensor<3xf32>, tensor<f32>) -> tensor<2x3xf32>"
                  " return %0 : tensor<2x3xf32> }");
  EXPECT_EQ(
      valuesOf<float>(program.get({bytes(ElementType::BOOL, {2, 1}, {1, 0}),
                                   f32({3}, {1, 2, 3}), f32({}, {9})})),
      (std::vector<float>{1, 2, 3, 9, 9, 9}));
  EXPECT_EQ(
      binary("add", "f32", "f32").fail({f32({2}, {1, 2}), f32({3}, {1, 2, 3})}),
      "'qopt.add' op dims 2 and 3 do not broadcast");
  EXPECT_EQ(valuesOf<float>(
                binary("add", "f32", "f32").get({f32({0}, {}), f32({1}, {1})})),
            std::vector<float>());
}

TEST(Elementwise, RoundsAProductAndASumOnce) {
  Program program("(%x: tensor<2xf32>, %y: tensor<f32>, %z: tensor<1xf32>) -> "
                  "tensor<2xf32> {"
                  "%0 = qopt.fma %x, %y, %z : (tensor<2xf32>, tensor<f32>, "
                  "tensor<1xf32>) -> tensor<2xf32>"
                  " return %0 : tensor<2xf32> }");
  // (1 + 2^-23)^2 - 1 loses its last bit where the product rounds.
  float above = 1 + 0x1p-23f;
  EXPECT_EQ(valuesOf<float>(program.get(
                {f32({2}, {above, 2}), f32({}, {above}), f32({1}, {-1})})),
            (std::vector<float>{0x1p-22f + 0x1p-46f, 1 + 0x1p-22f}));
}

TEST(Elementwise, HalfFloatsRoundOnce) {
  // 1 + 2^-11 is a tie in f16 and goes to even; bf16 has 8 bits.
  EXPECT_EQ(
      valuesOf<uint16_t>(
          binary("add", "f16", "f16")
              .get({makeTensor<uint16_t>(ElementType::F16, {1}, {0x3C00}),
                    makeTensor<uint16_t>(ElementType::F16, {1}, {0x1000})})),
      (std::vector<uint16_t>{0x3C00}));
  EXPECT_EQ(
      valuesOf<uint16_t>(
          unary("cast", "f32", "bf16").get({f32({2}, {1.00390625f, 3.4e38f})})),
      (std::vector<uint16_t>{0x3F80, 0x7F80}));
}

TEST(Elementwise, Casts) {
  std::vector<float> x{-1.75f, 2.5f, 300, -300, NAN, INFINITY, -0.0f};
  HostTensor reals = f32({7}, x);
  EXPECT_EQ(valuesOf<int8_t>(unary("cast", "f32", "i8").get({reals})),
            (std::vector<int8_t>{-1, 2, 127, -128, 0, 127, 0}));
  EXPECT_EQ(valuesOf<uint8_t>(unary("cast", "f32", "ui8").get({reals})),
            (std::vector<uint8_t>{0, 2, 255, 0, 0, 255, 0}));
  EXPECT_EQ(valuesOf<int32_t>(unary("cast", "f32", "i32").get({reals})),
            (std::vector<int32_t>{-1, 2, 300, -300, 0, INT32_MAX, 0}));
  EXPECT_EQ(valuesOf<int64_t>(unary("cast", "f32", "i64").get({reals})),
            (std::vector<int64_t>{-1, 2, 300, -300, 0, INT64_MAX, 0}));
  EXPECT_EQ(valuesOf<uint8_t>(unary("cast", "f32", "i1").get({reals})),
            (std::vector<uint8_t>{1, 1, 1, 1, 1, 1, 0}));
  EXPECT_EQ(valuesOf<uint8_t>(unary("cast", "f32", "f4E2M1FN")
                                  .get({f32({3}, {-0.75f, 2.5f, 100})})),
            (std::vector<uint8_t>{0xA, 4, 7}));
  EXPECT_EQ(
      valuesOf<uint8_t>(unary("cast", "f32", "f8E8M0FNU")
                            .get({f32({5}, {1, 3, 0x1p-127f, 0x1p-130f, 0})})),
      (std::vector<uint8_t>{127, 129, 0, 0, 0}));
  EXPECT_EQ(valuesOf<float>(
                unary("cast", "f8E4M3FN", "f32")
                    .get({bytes(ElementType::F8E4M3FN, {2}, {0x7E, 0x81})})),
            (std::vector<float>{448, -0x1p-9f}));
  EXPECT_EQ(valuesOf<float>(unary("cast", "i4", "f32")
                                .get({bytes(ElementType::I4, {2}, {0xF, 7})})),
            (std::vector<float>{-1, 7}));
  EXPECT_EQ(
      valuesOf<int8_t>(unary("cast", "i64", "i8").get({i64({2}, {-200, 258})})),
      (std::vector<int8_t>{56, 2}));
  EXPECT_EQ(valuesOf<int64_t>(unary("cast", "ui32", "i64")
                                  .get({makeTensor<uint32_t>(
                                      ElementType::U32, {1}, {4000000000u})})),
            (std::vector<int64_t>{4000000000}));
  EXPECT_EQ(
      valuesOf<float>(unary("cast", "i64", "f32").get({i64({1}, {16777217})})),
      (std::vector<float>{16777216}));
}

TEST(Elementwise, WhatHasNoFormulaIsAnError) {
  EXPECT_EQ(unary("sin", "i32", "i32").fail({i32({1}, {1})}),
            "'qopt.sin' op has no formula for i32 to i32");
}
