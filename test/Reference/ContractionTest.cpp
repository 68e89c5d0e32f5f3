//===- ContractionTest.cpp - Sums of products against exact ones ----------===//
//
// Integer and block sums are compared with exact rational arithmetic in
// double, float chains with a chain written out here.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "dialects/QOpt/IR/Formats.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;
using namespace qopt::test;

TEST(MatMul, FloatIsOneChainOfFma) {
  Program program(
      "(%a: tensor<5x37xf32>, %b: tensor<37x21xf32>) -> tensor<5x21xf32> {"
      "%0 = qopt.matmul %a, %b : (tensor<5x37xf32>, tensor<37x21xf32>) -> "
      "tensor<5x21xf32>"
      " return %0 : tensor<5x21xf32> }");
  std::vector<float> a = randomReals(5 * 37, 1), b = randomReals(37 * 21, 2);
  std::vector<float> c =
      valuesOf<float>(program.get({f32({5, 37}, a), f32({37, 21}, b)}));
  for (int m = 0; m < 5; ++m)
    for (int n = 0; n < 21; ++n) {
      float sum = 0;
      for (int k = 0; k < 37; ++k)
        sum = std::fma(a[m * 37 + k], b[k * 21 + n], sum);
      EXPECT_EQ(c[m * 21 + n], sum);
    }
}

TEST(MatMul, LeadingAxesBroadcastAndVectorsDropTheirAxis) {
  Program program(
      "(%a: tensor<2x1x1x2xf32>, %b: tensor<3x2x1xf32>, %v: tensor<2xf32>)"
      " -> (tensor<2x3x1x1xf32>, tensor<3x1xf32>) {"
      "%0 = qopt.matmul %a, %b : (tensor<2x1x1x2xf32>, tensor<3x2x1xf32>) -> "
      "tensor<2x3x1x1xf32>"
      "%1 = qopt.matmul %v, %b : (tensor<2xf32>, tensor<3x2x1xf32>) -> "
      "tensor<3x1xf32>"
      " return %0, %1 : tensor<2x3x1x1xf32>, tensor<3x1xf32> }");
  auto outputs =
      program.run({f32({2, 1, 1, 2}, {1, 2, 3, 4}),
                   f32({3, 2, 1}, {1, 10, 2, 20, 3, 30}), f32({2}, {5, 7})});
  EXPECT_EQ(valuesOf<float>(outputs[0]),
            (std::vector<float>{21, 42, 63, 43, 86, 129}));
  EXPECT_EQ(valuesOf<float>(outputs[1]), (std::vector<float>{75, 150, 225}));
}

TEST(MatMul, IntegerCodesAreExactWithZeros) {
  Program program(
      "(%a: tensor<3x70xui8>, %za: tensor<ui8>, %b: tensor<70x18xi8>, %zb: "
      "tensor<1x1xi8>) -> tensor<3x18xi32> {"
      "%0 = qopt.matmul %a zeros(%za), %b zeros(%zb) : (tensor<3x70xui8>, "
      "tensor<ui8>, tensor<70x18xi8>, tensor<1x1xi8>) -> tensor<3x18xi32>"
      " return %0 : tensor<3x18xi32> }");
  auto a = randomIntegers(3 * 70, 0, 255, 3),
       b = randomIntegers(70 * 18, -128, 127, 4);
  auto narrow = [](const std::vector<int32_t> &x) {
    return std::vector<uint8_t>(x.begin(), x.end());
  };
  auto c = valuesOf<int32_t>(
      program.get({bytes(ElementType::U8, {3, 70}, narrow(a)),
                   bytes(ElementType::U8, {}, {131}),
                   bytes(ElementType::I8, {70, 18}, narrow(b)),
                   bytes(ElementType::I8, {1, 1}, narrow({-5}))}));
  for (int m = 0; m < 3; ++m)
    for (int n = 0; n < 18; ++n) {
      int32_t sum = 0;
      for (int k = 0; k < 70; ++k)
        sum += (a[m * 70 + k] - 131) * (b[k * 18 + n] + 5);
      EXPECT_EQ(c[m * 18 + n], sum);
    }
}

namespace {
/// Random codes of an MX format along an axis, with their values.
struct MxTensor {
  std::vector<uint8_t> codes, scales;
  const BlockFormat &format;

  MxTensor(llvm::StringRef name, int numCodes, int numScales, unsigned seed)
      : format(*lookupFormat(name)) {
    for (int32_t code : randomIntegers(numCodes, 0, 255, seed)) {
      uint8_t bits = code & format.elementInfo().codeMask();
      bool isFinite = std::isfinite(decode(bits, format.element));
      codes.push_back(isFinite ? bits : 0);
    }
    for (int32_t scale : randomIntegers(numScales, 120, 134, seed + 1))
      scales.push_back(scale);
  }
  double real(int code) const { return unitDecode(codes[code], format); }
  double scale(int i) const { return std::ldexp(1.0, scales[i] - 127); }
};
} // namespace

/// Groups of 32 along K = 70 (the last one short), added one after the other
/// in f32; the sum of a group and its product with the scales are exact.
static void checkMxMatMul(const std::string &format, const std::string &type,
                          ElementType elementType) {
  SCOPED_TRACE(format);
  Program program("(%a: tensor<?x70x" + type +
                  ">, %sa: tensor<?x3xf8E8M0FNU>, %b: tensor<70x17x" + type +
                  ">, %sb: tensor<3x17xf8E8M0FNU>) -> tensor<?x17xf32> {"
                  "%0 = qopt.matmul %a scales(%sa), %b scales(%sb) {lhs_format "
                  "= #qopt.format<\"" +
                  format + "\", axis = 1>, rhs_format = #qopt.format<\"" +
                  format + "\", axis = 0>} : (tensor<?x70x" + type +
                  ">, tensor<?x3xf8E8M0FNU>, tensor<70x17x" + type +
                  ">, tensor<3x17xf8E8M0FNU>) -> tensor<?x17xf32>"
                  " return %0 : tensor<?x17xf32> }");
  MxTensor a(format, 2 * 70, 2 * 3, 6), b(format, 70 * 17, 3 * 17, 7);
  auto c = valuesOf<float>(
      program.get({bytes(elementType, {2, 70}, a.codes),
                   bytes(ElementType::F8E8M0FNU, {2, 3}, a.scales),
                   bytes(elementType, {70, 17}, b.codes),
                   bytes(ElementType::F8E8M0FNU, {3, 17}, b.scales)}));
  for (int m = 0; m < 2; ++m)
    for (int n = 0; n < 17; ++n) {
      float y = 0;
      for (int g = 0; g < 3; ++g) {
        double exact = 0;
        for (int k = g * 32; k < std::min(g * 32 + 32, 70); ++k)
          exact += a.real(m * 70 + k) * b.real(k * 17 + n);
        y += float(exact * a.scale(m * 3 + g) * b.scale(g * 17 + n));
      }
      EXPECT_EQ(c[m * 17 + n], y);
    }
}

TEST(MatMul, BlocksWithSharedExponentsAreExactInside) {
  checkMxMatMul("mxfp4", "f4E2M1FN", ElementType::F4E2M1FN);
  checkMxMatMul("mxfp6-e2m3", "f6E2M3FN", ElementType::F6E2M3FN);
  checkMxMatMul("mxfp6-e3m2", "f6E3M2FN", ElementType::F6E3M2FN);
  checkMxMatMul("mxint8", "i8", ElementType::I8);
}

TEST(MatMul, ScaleThatIsNaNGivesNaN) {
  Program program("(%a: tensor<1x2xf4E2M1FN>, %sa: tensor<1x1xf8E8M0FNU>, %b: "
                  "tensor<2x1xf32>) -> tensor<1x1xf32> {"
                  "%0 = qopt.matmul %a scales(%sa), %b {lhs_format = "
                  "#qopt.format<mxfp4, axis = 1>}"
                  " : (tensor<1x2xf4E2M1FN>, tensor<1x1xf8E8M0FNU>, "
                  "tensor<2x1xf32>) -> tensor<1x1xf32>"
                  " return %0 : tensor<1x1xf32> }");
  auto run = [&](uint8_t scale) {
    return valuesOf<float>(
        program.get({bytes(ElementType::F4E2M1FN, {1, 2}, {2, 4}),
                     bytes(ElementType::F8E8M0FNU, {1, 1}, {scale}),
                     f32({2, 1}, {3, 0.25f})}))[0];
  };
  EXPECT_EQ(run(128), 7.0f); // (1 * 3 + 2 * 0.25) * 2
  EXPECT_TRUE(std::isnan(run(255)));
}

TEST(MatMul, GroupsWithFloatScalesAndZeros) {
  // Activations stay f32; weights are 4-bit codes in groups of 4, K = 6.
  Program program(
      "(%a: tensor<1x6xf32>, %b: tensor<6x2xui4>, %s: tensor<2x2xf16>, %z: "
      "tensor<2x2xui4>) -> tensor<1x2xf32> {"
      "%0 = qopt.matmul %a, %b scales(%s) zeros(%z) {rhs_format = "
      "#qopt.format<ui4, axis = 0, block = 4, scale = f16, zero = ui4>}"
      " : (tensor<1x6xf32>, tensor<6x2xui4>, tensor<2x2xf16>, tensor<2x2xui4>) "
      "-> tensor<1x2xf32>"
      " return %0 : tensor<1x2xf32> }");
  std::vector<float> a = randomReals(6, 8);
  std::vector<uint8_t> codes{0, 15, 3, 7, 8, 1, 12, 9, 4, 4, 2, 11},
      zeros{8, 7, 3, 0};
  std::vector<uint16_t> scales{0x3555, 0x3C00, 0x2E66, 0x4200}; // f16
  auto c = valuesOf<float>(
      program.get({f32({1, 6}, a), bytes(ElementType::U4, {6, 2}, codes),
                   makeTensor(ElementType::F16, {2, 2}, scales),
                   bytes(ElementType::U4, {2, 2}, zeros)}));
  for (int n = 0; n < 2; ++n) {
    float y = 0;
    for (int g = 0; g < 2; ++g) {
      float t = 0;
      for (int k = g * 4; k < std::min(g * 4 + 4, 6); ++k)
        t = std::fma(a[k], float(codes[k * 2 + n] - zeros[g * 2 + n]), t);
      y = std::fma(t, decode(scales[g * 2 + n], ElementFormat::F16), y);
    }
    EXPECT_EQ(c[n], y);
  }
}

TEST(MatMul, Nvfp4HasTwoScales) {
  Program program("(%a: tensor<1x16xf4E2M1FN>, %sa: tensor<1x1xf8E4M3FN>, %ta: "
                  "tensor<1x1xf32>, %b: tensor<16x1xf32>) -> tensor<1x1xf32> {"
                  "%0 = qopt.matmul %a scales(%sa, %ta), %b {lhs_format = "
                  "#qopt.format<nvfp4, axis = 1>}"
                  " : (tensor<1x16xf4E2M1FN>, tensor<1x1xf8E4M3FN>, "
                  "tensor<1x1xf32>, tensor<16x1xf32>) -> tensor<1x1xf32>"
                  " return %0 : tensor<1x1xf32> }");
  std::vector<uint8_t> codes(16, 1); // 0.5
  codes[3] = 15;                     // -6
  auto c = valuesOf<float>(program.get(
      {bytes(ElementType::F4E2M1FN, {1, 16}, codes),
       bytes(ElementType::F8E4M3FN, {1, 1}, {0x40}), // 2
       f32({1, 1}, {0.25f}), f32({16, 1}, std::vector<float>(16, 3))}));
  EXPECT_EQ(c[0], (15 * 0.5f - 6) * 3 * 2 * 0.25f);
}

TEST(MatMul, NoElements) {
  Program program(
      "(%a: tensor<?x?xf32>, %b: tensor<?x2xf32>) -> tensor<?x2xf32> {"
      "%0 = qopt.matmul %a, %b : (tensor<?x?xf32>, tensor<?x2xf32>) -> "
      "tensor<?x2xf32>"
      " return %0 : tensor<?x2xf32> }");
  EXPECT_EQ(valuesOf<float>(program.get({f32({1, 0}, {}), f32({0, 2}, {})})),
            (std::vector<float>{0, 0}));
  HostTensor none =
      program.get({f32({0, 3}, {}), f32({3, 2}, std::vector<float>(6))});
  EXPECT_EQ(none.getDims(), (llvm::ArrayRef<int64_t>{0, 2}));
  EXPECT_EQ(program.fail({f32({1, 3}, {1, 2, 3}), f32({2, 2}, {1, 2, 3, 4})}),
            "'qopt.matmul' op cannot multiply 1x3 by 2x2");
}

TEST(Gemm, TransposesAndScales) {
  Program program(
      "(%a: tensor<2x2xf32>, %b: tensor<3x2xf32>, %c: tensor<3xf32>) -> "
      "tensor<2x3xf32> {"
      "%0 = qopt.gemm %a, %b, %c {alpha = 2.0 : f32, beta = 0.5 : f32, trans_a "
      "= true, trans_b = true}"
      " : (tensor<2x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>"
      " return %0 : tensor<2x3xf32> }");
  auto c = program.get({f32({2, 2}, {1, 2, 3, 4}),
                        f32({3, 2}, {1, 0, 0, 1, 1, 1}), f32({3}, {2, 4, 6})});
  EXPECT_EQ(valuesOf<float>(c), (std::vector<float>{3, 8, 11, 5, 10, 15}));
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

namespace {
/// A convolution stated again: one output at a time, from the definition.
struct NaiveConv {
  int n, c, h, w, co, kh, kw, stride, pad, dilation, group;

  int oh() const {
    return (h + 2 * pad - (kh - 1) * dilation - 1) / stride + 1;
  }
  int ow() const {
    return (w + 2 * pad - (kw - 1) * dilation - 1) / stride + 1;
  }

  template <class T, class Step>
  std::vector<T> compute(const std::vector<T> &x, const std::vector<T> &weights,
                         Step step) const {
    std::vector<T> result;
    int cg = c / group;
    for (int in = 0; in < n; ++in)
      for (int o = 0; o < co; ++o)
        for (int y = 0; y < oh(); ++y)
          for (int z = 0; z < ow(); ++z) {
            T sum = 0;
            for (int i = 0; i < kh; ++i)
              for (int j = 0; j < kw; ++j)
                for (int ci = 0; ci < cg; ++ci) {
                  int row = y * stride - pad + i * dilation;
                  int column = z * stride - pad + j * dilation;
                  int channel = o / (co / group) * cg + ci;
                  bool isInside =
                      row >= 0 && row < h && column >= 0 && column < w;
                  T value = isInside
                                ? x[((in * c + channel) * h + row) * w + column]
                                : T(0);
                  sum = step(value, weights[((o * cg + ci) * kh + i) * kw + j],
                             sum);
                }
            result.push_back(sum);
          }
    return result;
  }
};
} // namespace

TEST(Conv, GroupsDilationPadsAndBias) {
  NaiveConv naive{2, 6, 9, 8, 4, 3, 2, 2, 1, 2, 2};
  std::string y = "tensor<2x4x" + std::to_string(naive.oh()) + "x" +
                  std::to_string(naive.ow()) + "xf32>";
  Program program(
      "(%x: tensor<2x6x9x8xf32>, %w: tensor<4x3x3x2xf32>, %b: tensor<4xf32>) "
      "-> " +
      y +
      " {"
      "%0 = qopt.conv %x, %w bias %b {strides = array<i64: 2, 2>, pads = "
      "array<i64: 1, 1, 1, 1>,"
      " dilations = array<i64: 2, 2>, group = 2 : i64}"
      " : (tensor<2x6x9x8xf32>, tensor<4x3x3x2xf32>, tensor<4xf32>) -> " +
      y + " return %0 : " + y + " }");
  std::vector<float> x = randomReals(2 * 6 * 9 * 8, 9),
                     w = randomReals(4 * 3 * 3 * 2, 10);
  std::vector<float> bias{0.5f, -1, 2, 3};
  auto expected = naive.compute(
      x, w, [](float a, float b, float c) { return std::fma(a, b, c); });
  for (size_t i = 0; i < expected.size(); ++i)
    expected[i] += bias[i / (naive.oh() * naive.ow()) % 4];
  EXPECT_EQ(valuesOf<float>(program.get(
                {f32({2, 6, 9, 8}, x), f32({4, 3, 3, 2}, w), f32({4}, bias)})),
            expected);
}

TEST(Conv, DepthwiseCodesPadWithTheZeroPoint) {
  NaiveConv naive{1, 5, 30, 30, 5, 3, 3, 1, 1, 1, 5};
  Program program(
      "(%x: tensor<?x5x30x30xi8>, %z: tensor<i8>, %w: tensor<5x1x3x3xi8>, %b: "
      "tensor<5xi32>) -> tensor<?x5x30x30xi32> {"
      "%0 = qopt.conv %x zeros(%z), %w bias %b {strides = array<i64: 1, 1>, "
      "pads = array<i64: 1, 1, 1, 1>,"
      " dilations = array<i64: 1, 1>, group = 5 : i64}"
      " : (tensor<?x5x30x30xi8>, tensor<i8>, tensor<5x1x3x3xi8>, "
      "tensor<5xi32>) -> tensor<?x5x30x30xi32>"
      " return %0 : tensor<?x5x30x30xi32> }");
  auto x = randomIntegers(5 * 900, -128, 127, 11),
       w = randomIntegers(45, -127, 127, 12);
  std::vector<uint8_t> codes(x.begin(), x.end()), weights(w.begin(), w.end());
  for (int32_t &value : x)
    value -= -17;
  auto expected = naive.compute(
      x, w, [](int32_t a, int32_t b, int32_t c) { return a * b + c; });
  std::vector<int32_t> bias{1, -2, 300, 4, 5};
  for (size_t i = 0; i < expected.size(); ++i)
    expected[i] += bias[i / 900];
  EXPECT_EQ(
      valuesOf<int32_t>(program.get(
          {bytes(ElementType::I8, {1, 5, 30, 30}, codes),
           bytes(ElementType::I8, {}, {uint8_t(-17)}),
           bytes(ElementType::I8, {5, 1, 3, 3}, weights), i32({5}, bias)})),
      expected);
}

TEST(Conv, OneSpatialAxis) {
  Program program(
      "(%x: tensor<1x1x?xf32>, %w: tensor<1x1x2xf32>) -> tensor<1x1x?xf32> {"
      "%0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 1, "
      "0>, dilations = array<i64: 1>}"
      " : (tensor<1x1x?xf32>, tensor<1x1x2xf32>) -> tensor<1x1x?xf32>"
      " return %0 : tensor<1x1x?xf32> }");
  EXPECT_EQ(valuesOf<float>(program.get(
                {f32({1, 1, 3}, {1, 2, 3}), f32({1, 1, 2}, {10, 1})})),
            (std::vector<float>{1, 12, 23}));
  EXPECT_EQ(program.get({f32({1, 1, 0}, {}), f32({1, 1, 2}, {10, 1})})
                .getNumElements(),
            0);
}

TEST(Conv, SampleHasItsScaleWhereTheFirstTapIsOutside) {
  Program program(
      "(%x: tensor<2x1x1x2xi8>, %sx: tensor<2x1x1x1xf32>, %w: "
      "tensor<1x1x1x2xi8>, %sw: tensor<1x1x1x1xf32>) -> tensor<2x1x1x2xf32> {"
      "%0 = qopt.conv %x scales(%sx), %w scales(%sw) {strides = array<i64: 1, "
      "1>, pads = array<i64: 0, 1, 0, 0>, dilations = array<i64: 1, 1>, "
      "x_format = #qopt.format<i8, axis = 0>, "
      "w_format = #qopt.format<i8, axis = 0>}"
      " : (tensor<2x1x1x2xi8>, tensor<2x1x1x1xf32>, tensor<1x1x1x2xi8>, "
      "tensor<1x1x1x1xf32>) -> tensor<2x1x1x2xf32>"
      " return %0 : tensor<2x1x1x2xf32> }");
  EXPECT_EQ(valuesOf<float>(
                program.get({bytes(ElementType::I8, {2, 1, 1, 2}, {1, 2, 3, 4}),
                             f32({2, 1, 1, 1}, {0.5f, 0.25f}),
                             bytes(ElementType::I8, {1, 1, 1, 2}, {10, 1}),
                             f32({1, 1, 1, 1}, {2})})),
            (std::vector<float>{1, 12, 1.5f, 17}));
}

TEST(Conv, BlocksRunAlongChannelsAtEachPosition) {
  // 40 channels: a block of 32 and one of 8, at each of two positions.
  Program program(
      "(%x: tensor<1x40x1x2xf4E2M1FN>, %sx: tensor<1x2x1x2xf8E8M0FNU>, %w: "
      "tensor<1x40x1x2xf4E2M1FN>, %sw: tensor<1x2x1x2xf8E8M0FNU>) -> "
      "tensor<1x1x1x3xf32> {"
      "%0 = qopt.conv %x scales(%sx), %w scales(%sw) {strides = array<i64: 1, "
      "1>, pads = array<i64: 0, 1, 0, 1>,"
      " dilations = array<i64: 1, 1>, x_format = #qopt.format<mxfp4, axis = "
      "1>, w_format = #qopt.format<mxfp4, axis = 1>}"
      " : (tensor<1x40x1x2xf4E2M1FN>, tensor<1x2x1x2xf8E8M0FNU>, "
      "tensor<1x40x1x2xf4E2M1FN>, tensor<1x2x1x2xf8E8M0FNU>) -> "
      "tensor<1x1x1x3xf32>"
      " return %0 : tensor<1x1x1x3xf32> }");
  MxTensor x("mxfp4", 80, 4, 13), w("mxfp4", 80, 4, 14);
  auto y = valuesOf<float>(
      program.get({bytes(ElementType::F4E2M1FN, {1, 40, 1, 2}, x.codes),
                   bytes(ElementType::F8E8M0FNU, {1, 2, 1, 2}, x.scales),
                   bytes(ElementType::F4E2M1FN, {1, 40, 1, 2}, w.codes),
                   bytes(ElementType::F8E8M0FNU, {1, 2, 1, 2}, w.scales)}));
  for (int output = 0; output < 3; ++output) {
    float expected = 0;
    for (int tap = 0; tap < 2; ++tap) {
      int column = output - 1 + tap;
      if (column < 0 || column > 1)
        continue;
      for (int block = 0; block < 2; ++block) {
        double exact = 0;
        for (int c = block * 32; c < std::min(block * 32 + 32, 40); ++c)
          exact += x.real(c * 2 + column) * w.real(c * 2 + tap);
        expected += float(exact * x.scale(block * 2 + column) *
                          w.scale(block * 2 + tap));
      }
    }
    EXPECT_EQ(y[output], expected);
  }
}

TEST(Conv, PaddingHasNoScaleOfAPosition) {
  // The first position has no number as its scale; the last output is beside
  // padding only.
  Program program(
      "(%x: tensor<1x32x1x3xf4E2M1FN>, %sx: tensor<1x1x1x3xf8E8M0FNU>, %w: "
      "tensor<1x32x1x2xf4E2M1FN>, %sw: tensor<1x1x1x2xf8E8M0FNU>) -> "
      "tensor<1x1x1x4xf32> {"
      "%0 = qopt.conv %x scales(%sx), %w scales(%sw) {strides = array<i64: 1, "
      "1>, pads = array<i64: 0, 0, 0, 2>,"
      " dilations = array<i64: 1, 1>, x_format = #qopt.format<mxfp4, axis = "
      "1>, w_format = #qopt.format<mxfp4, axis = 1>}"
      " : (tensor<1x32x1x3xf4E2M1FN>, tensor<1x1x1x3xf8E8M0FNU>, "
      "tensor<1x32x1x2xf4E2M1FN>, tensor<1x1x1x2xf8E8M0FNU>) -> "
      "tensor<1x1x1x4xf32>"
      " return %0 : tensor<1x1x1x4xf32> }");
  // The code 2 is 1.
  auto y = valuesOf<float>(program.get(
      {bytes(ElementType::F4E2M1FN, {1, 32, 1, 3}, std::vector<uint8_t>(96, 2)),
       bytes(ElementType::F8E8M0FNU, {1, 1, 1, 3}, {255, 127, 128}),
       bytes(ElementType::F4E2M1FN, {1, 32, 1, 2}, std::vector<uint8_t>(64, 2)),
       bytes(ElementType::F8E8M0FNU, {1, 1, 1, 2}, {127, 127})}));
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(std::vector<float>(y.begin() + 1, y.end()),
            (std::vector<float>{96, 64, 0}));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

TEST(Attention, IsSoftmaxOfScores) {
  // 150 keys: three blocks, the last one short.
  const int S = 5, T = 150, D = 16, E = 9;
  auto program = [](const std::string &rule) {
    return Program(
        "(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: "
        "tensor<2x?x9xf32>, "
        "%m: tensor<?x?xf32>) -> tensor<2x?x9xf32> {"
        "%0 = qopt.attention %q, %k, %v, %m {scale = 0.25 : f32" +
        rule +
        "} : (tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x9xf32>, "
        "tensor<?x?xf32>) -> tensor<2x?x9xf32>"
        " return %0 : tensor<2x?x9xf32> }");
  };
  auto q = randomReals(2 * S * D, 15), k = randomReals(2 * T * D, 16);
  auto v = randomReals(2 * T * E, 17), mask = randomReals(S * T, 18);
  for (int j = 0; j < T; ++j) {
    if (j > 70)
      mask[j] = -INFINITY;   // row 0 sees only the first blocks
    mask[T + j] = -INFINITY; // row 1 sees nothing
  }
  std::vector<HostTensor> inputs{f32({2, S, D}, q), f32({2, T, D}, k),
                                 f32({2, T, E}, v), f32({S, T}, mask)};
  auto y = valuesOf<float>(program("").get(inputs));
  auto zeroed = valuesOf<float>(program(", masked_rows_are_zero").get(inputs));
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < S; ++i) {
      std::vector<double> p(T);
      double sum = 0;
      for (int j = 0; j < T; ++j) {
        double score = 0;
        for (int d = 0; d < D; ++d)
          score += double(q[(h * S + i) * D + d]) * k[(h * T + j) * D + d];
        p[j] = std::exp(score * 0.25 + mask[i * T + j]);
        sum += p[j];
      }
      for (int e = 0; e < E; ++e) {
        double expected = 0;
        for (int j = 0; j < T; ++j)
          expected += p[j] * v[(h * T + j) * E + e];
        float found = y[(h * S + i) * E + e];
        if (sum == 0)
          EXPECT_TRUE(std::isnan(found));
        else
          EXPECT_NEAR(found, expected / sum, 1e-6);
        EXPECT_EQ(zeroed[(h * S + i) * E + e], sum == 0 ? 0 : found);
      }
    }
}
