//===- QuantizationTest.cpp - Codes and scales ----------------------------===//
//
// The worked examples of the design, and tables of bytes for block formats.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "dialects/QOpt/IR/Formats.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;
using namespace qopt::test;

using Bytes = std::vector<uint8_t>;
using Codes = std::vector<int8_t>;
using Reals = std::vector<float>;

TEST(Requantize, RoundsOnceAndClamps) {
  Program program(
      "(%a: tensor<?xi32>, %m: tensor<1xf32>, %z: tensor<1xi8>) -> "
      "tensor<?xi8> {"
      "%0 = qopt.requantize %a, %m, %z {min = -100 : i64, max = 127 : i64}"
      " : (tensor<?xi32>, tensor<1xf32>, tensor<1xi8>) -> tensor<?xi8> return "
      "%0 : tensor<?xi8> }");
  // 1234 * 0.0025 = 3.085; 1000 * 0.0025 = 2.5 goes to even.
  EXPECT_EQ(
      valuesOf<int8_t>(program.get(
          {i32({5}, {1234, 1000, 0, 2000000000, -2000000000}),
           f32({1}, {0.0025f}), bytes(ElementType::I8, {1}, {uint8_t(-10)})})),
      (Codes{-7, -8, -10, 127, -100}));
}

TEST(Shift, RoundsHalfToEvenInIntegers) {
  Program program(
      "(%a: tensor<?xi32>, %k: tensor<1xi8>) -> tensor<?xi32> {"
      "%0 = qopt.shift %a, %k {min = -2147483648 : i64, max = 2147483647 : i64}"
      " : (tensor<?xi32>, tensor<1xi8>) -> tensor<?xi32> return %0 : "
      "tensor<?xi32> }");
  auto run = [&](std::vector<int32_t> x, int k) {
    return valuesOf<int32_t>(
        program.get({i32({int64_t(x.size())}, x),
                     bytes(ElementType::I8, {1}, {uint8_t(k)})}));
  };
  EXPECT_EQ(run({640, 896, -640, 641, 16908289}, 8),
            (std::vector<int32_t>{2, 4, -2, 3, 66048}));
  EXPECT_EQ(run({16908289}, 18), std::vector<int32_t>{65}); // 64 through f32
  EXPECT_EQ(run({3, 1 << 30, -(1 << 30)}, -2),
            (std::vector<int32_t>{12, INT32_MAX, INT32_MIN}));
}

TEST(DivideRound, RoundsHalfToEvenInIntegers) {
  Program program("(%x: tensor<?xi32>, %z: tensor<1xi8>) -> tensor<?xi8> {"
                  "%0 = qopt.divide_round %x, %z {divisor = 4 : i64, min = "
                  "-128 : i64, max = 100 : i64}"
                  " : (tensor<?xi32>, tensor<1xi8>) -> tensor<?xi8> return %0 "
                  ": tensor<?xi8> }");
  EXPECT_EQ(valuesOf<int8_t>(program.get(
                {i32({7}, {6, 10, -6, -10, 7, 2147483647, -2147483647}),
                 bytes(ElementType::I8, {1}, {3})})),
            (Codes{5, 5, 1, 1, 5, 100, -128}));
}

TEST(Quantize, MultipliesByTheInverseUnlessToldToDivide) {
  auto program = [](const char *divide) {
    return Program(
        std::string("(%x: tensor<?xf32>, %s: tensor<1xf32>, %z: tensor<1xi8>) "
                    "-> tensor<?xi8> {"
                    "%0 = qopt.quantize %x scales(%s) zeros(%z) {format = "
                    "#qopt.format<i8>") +
        divide +
        "} : (tensor<?xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<?xi8>"
        " return %0 : tensor<?xi8> }");
  };
  Reals x{0.35f, -1000, 1000, NAN, 0};
  for (int i = 1; i < 60; ++i) // near ties, where the two differ
    x.push_back(0.06f * (i + 0.5f));
  HostTensor scale = f32({1}, {0.06f}), zero = bytes(ElementType::I8, {1}, {2});
  auto expected = [&](bool divide) {
    Codes codes;
    for (float value : x) {
      float scaled = divide ? value / 0.06f : value * (1 / 0.06f);
      double rounded = std::nearbyint(scaled) + 2;
      codes.push_back(std::isnan(value)
                          ? -128
                          : int8_t(std::min(std::max(rounded, -128.0), 127.0)));
    }
    return codes;
  };
  HostTensor reals = f32({int64_t(x.size())}, x);
  ASSERT_NE(expected(false), expected(true));
  EXPECT_EQ(valuesOf<int8_t>(program("").get({reals, scale, zero})),
            expected(false));
  EXPECT_EQ(valuesOf<int8_t>(program(", divide").get({reals, scale, zero})),
            expected(true));
}

TEST(Quantize, PerChannelAndPerBlock) {
  Program channel(
      "(%x: tensor<2x3xf32>, %s: tensor<2x1xf32>) -> tensor<2x3xi8> {"
      "%0 = qopt.quantize %x scales(%s) {format = #qopt.format<i8, axis = 0>}"
      " : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xi8> return %0 : "
      "tensor<2x3xi8> }");
  EXPECT_EQ(valuesOf<int8_t>(channel.get(
                {f32({2, 3}, {1, 2, 3, 1, 2, 3}), f32({2, 1}, {0.5f, 0.25f})})),
            (Codes{2, 4, 6, 4, 8, 12}));
  Program block("(%x: tensor<5xf32>, %s: tensor<3xf8E8M0FNU>) -> tensor<5xi8> {"
                "%0 = qopt.quantize %x scales(%s) {format = #qopt.format<i8, "
                "axis = 0, block = 2>}"
                " : (tensor<5xf32>, tensor<3xf8E8M0FNU>) -> tensor<5xi8> "
                "return %0 : tensor<5xi8> }");
  EXPECT_EQ(valuesOf<int8_t>(block.get(
                {f32({5}, {1, 2, 3, 4, 5}),
                 bytes(ElementType::F8E8M0FNU, {3}, {127, 126, 125})})),
            (Codes{1, 2, 6, 8, 20}));
  EXPECT_EQ(channel.fail(
                {f32({2, 3}, Reals(6)), f32({2, 1}, {1, 1}).reshape({1, 2})}),
            "dim 0 of input 1 is 2, but found 1");
}

TEST(Quantize, FloatCodesSaturateUnlessToldNotTo) {
  auto program = [](const char *saturate) {
    return Program(
        std::string(
            "(%x: tensor<?xf32>, %s: tensor<1xf32>) -> tensor<?xf8E4M3FN> {"
            "%0 = qopt.quantize %x scales(%s) {format = "
            "#qopt.format<\"mxfp8-e4m3\">, divide, saturate = ") +
        saturate +
        "} : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf8E4M3FN>"
        " return %0 : tensor<?xf8E4M3FN> }");
  };
  HostTensor x = f32({3}, {1, 464, 465}), one = f32({1}, {1});
  EXPECT_EQ(valuesOf<uint8_t>(program("true").get({x, one})),
            (Bytes{0x38, 0x7E, 0x7E}));
  EXPECT_EQ(valuesOf<uint8_t>(program("false").get({x, one})),
            (Bytes{0x38, 0x7E, 0x7F}));
}

TEST(Dequantize, CodesAndAccumulators) {
  Program codes("(%q: tensor<?xui4>, %s: tensor<1xf32>, %z: tensor<1xui4>) -> "
                "tensor<?xf32> {"
                "%0 = qopt.dequantize %q scales(%s) zeros(%z) {format = "
                "#qopt.format<ui4>}"
                " : (tensor<?xui4>, tensor<1xf32>, tensor<1xui4>) -> "
                "tensor<?xf32> return %0 : tensor<?xf32> }");
  EXPECT_EQ(valuesOf<float>(codes.get({bytes(ElementType::U4, {2}, {15, 0}),
                                       f32({1}, {0.5f}),
                                       bytes(ElementType::U4, {1}, {8})})),
            (Reals{3.5f, -4}));
  Program accumulators(
      "(%q: tensor<2x2xi32>, %s: tensor<2x1xf32>, %t: tensor<1x2xf32>) -> "
      "tensor<2x2xf32> {"
      "%0 = qopt.dequantize %q scales(%s, %t) : (tensor<2x2xi32>, "
      "tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>"
      " return %0 : tensor<2x2xf32> }");
  EXPECT_EQ(valuesOf<float>(accumulators.get({i32({2, 2}, {1, 2, 3, 16777217}),
                                              f32({2, 1}, {2, 4}),
                                              f32({1, 2}, {1, 0.5f})})),
            (Reals{2, 2, 12, 33554432}));
  Program unit("(%q: tensor<2xi8>, %s: tensor<1xf8E8M0FNU>) -> tensor<2xf32> {"
               "%0 = qopt.dequantize %q scales(%s) {format = "
               "#qopt.format<mxint8, axis = 0>}"
               " : (tensor<2xi8>, tensor<1xf8E8M0FNU>) -> tensor<2xf32> return "
               "%0 : tensor<2xf32> }");
  EXPECT_EQ(
      valuesOf<float>(unit.get({bytes(ElementType::I8, {2}, {64, 0xFF}),
                                bytes(ElementType::F8E8M0FNU, {1}, {129})})),
      (Reals{4, -0.0625f}));
}

TEST(QuantizeDynamic, RowsAndSamples) {
  auto program = [](const char *per, const char *scale) {
    std::string s = scale;
    return Program(
        std::string("(%x: tensor<2x2x2xf32>) -> (tensor<2x2x2xi8>, ") + s +
        ") {"
        "%0:2 = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = "
        "#qopt.per<" +
        per + ">} : (tensor<2x2x2xf32>) -> (tensor<2x2x2xi8>, " + s +
        ")"
        " return %0#0, %0#1 : tensor<2x2x2xi8>, " +
        s + " }");
  };
  HostTensor x = f32({2, 2, 2}, {1, -2, 0, 0, 127, 63.5f, 12.7f, -1});
  auto rows = program("row", "tensor<2x2x1xf32>").run({x});
  EXPECT_EQ(valuesOf<int8_t>(rows[0]),
            (Codes{64, -127, 0, 0, 127, 64, 127, -10}));
  EXPECT_EQ(valuesOf<float>(rows[1]), (Reals{2 / 127.0f, 1, 1, 12.7f / 127}));
  auto samples = program("sample", "tensor<2x1x1xf32>").run({x});
  EXPECT_EQ(valuesOf<int8_t>(samples[0]),
            (Codes{64, -127, 0, 0, 127, 64, 13, -1}));
}

static const Reals block{0,       .25f,    -.375f, .5f,   .75f, -.875f, 1,
                         1.125f,  -1.25f,  1.5f,   1.75f, 2,    -2.25f, 2.5f,
                         3,       -3.5f,   4,      4.5f,  5,    -6,     7,
                         7.9375f, -9,      10,     11,    12,   -13,    .0625f,
                         -.125f,  .03125f, .001f,  13.5f};

TEST(QuantizeDynamic, BlocksWithAShortLastOne) {
  // A block along axis 0 of two columns: the worked block and its half, then a
  // short block of one zero and of one infinity.
  Program program(
      "(%x: tensor<?x2xf32>) -> (tensor<?x2xf4E2M1FN>, tensor<?x2xf8E8M0FNU>) {"
      "%0:2 = qopt.quantize_dynamic %x {format = #qopt.format<mxfp4, axis = 0>}"
      " : (tensor<?x2xf32>) -> (tensor<?x2xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)"
      " return %0#0, %0#1 : tensor<?x2xf4E2M1FN>, tensor<?x2xf8E8M0FNU> }");
  Reals x;
  for (float value : block)
    x.insert(x.end(), {value, value / 2});
  x.insert(x.end(), {-0.0f, INFINITY});
  const Bytes expected{0, 0, 8, 0,  1, 9, 1,  1, 9, 2, 2,  2, 10, 2, 3, 12,
                       4, 4, 4, 13, 6, 6, 14, 6, 7, 7, 15, 0, 8,  0, 0, 7};
  auto outputs = program.run({f32({33, 2}, x)});
  Bytes codes = valuesOf<uint8_t>(outputs[0]);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(codes[i * 2], expected[i]) << i;
    EXPECT_EQ(codes[i * 2 + 1], expected[i]) << i;
  }
  EXPECT_EQ(codes[64], 0);
  EXPECT_EQ(codes[65], 0);
  EXPECT_EQ(valuesOf<uint8_t>(outputs[1]), (Bytes{0x80, 0x7F, 0, 0xFF}));
}

TEST(QuantizeDynamic, Nvfp4OfTheWorkedBlock) {
  Program program(
      "(%x: tensor<1x32xf32>) -> (tensor<1x32xf4E2M1FN>, tensor<1x2xf8E4M3FN>, "
      "tensor<1x1xf32>) {"
      "%0:3 = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 1>}"
      " : (tensor<1x32xf32>) -> (tensor<1x32xf4E2M1FN>, tensor<1x2xf8E4M3FN>, "
      "tensor<1x1xf32>)"
      " return %0#0, %0#1, %0#2 : tensor<1x32xf4E2M1FN>, tensor<1x2xf8E4M3FN>, "
      "tensor<1x1xf32> }");
  auto outputs = program.run({f32({1, 32}, block)});
  const Bytes expected{0, 1, 9, 2, 2, 11, 3, 4, 12, 4, 5, 5, 14, 6, 6, 15};
  Bytes codes = valuesOf<uint8_t>(outputs[0]);
  EXPECT_EQ(Bytes(codes.begin(), codes.begin() + 16), expected);
  EXPECT_EQ(valuesOf<uint8_t>(outputs[1])[0], 0x6F);
  EXPECT_FLOAT_EQ(valuesOf<float>(outputs[2])[0], 13.5f / 2688);
}

TEST(QuantizeDynamic, Nvfp4OfARowDoesNotDependOnOthers) {
  auto program = [](const char *axis, const char *per) {
    std::string a = axis, p = per;
    std::string results =
        "(tensor<2x16x2xf4E2M1FN>, " +
        std::string(a == "2" ? "tensor<2x16x1xf8E4M3FN>, tensor<2x16x1xf32>"
                             : "tensor<2x1x2xf8E4M3FN>, tensor<2x1x1xf32>") +
        ")";
    std::string types = results.substr(1, results.size() - 2);
    return Program("(%x: tensor<2x16x2xf32>) -> " + results +
                   " {%0:3 = qopt.quantize_dynamic %x {format = "
                   "#qopt.format<nvfp4, axis = " +
                   a + ">, per = #qopt.per<" + p +
                   ">} : (tensor<2x16x2xf32>) -> " + results +
                   " return %0#0, %0#1, %0#2 : " + types + " }");
  };
  Reals x(64);
  for (int i = 0; i < 32; ++i)
    x[i] = x[32 + i] = block[i];
  // The second sample, and with it each of its rows, is larger by far.
  for (int i = 32; i < 64; ++i)
    x[i] *= 0x1p21f;
  auto rows = program("2", "row").run({f32({2, 16, 2}, x)});
  Bytes codes = valuesOf<uint8_t>(rows[0]), scales = valuesOf<uint8_t>(rows[1]);
  // The row {4, 4.5} has steps of 0.75, so 4 is 5.33 of them, next to 6.
  EXPECT_EQ(codes[16], 7);
  EXPECT_EQ(scales[8], 0x7E);
  EXPECT_FLOAT_EQ(valuesOf<float>(rows[2])[8], 4.5f / 2688);
  for (auto [axis, per] : {std::pair("2", "row"), std::pair("1", "sample")}) {
    auto found = program(axis, per).run({f32({2, 16, 2}, x)});
    for (int i : {0, 1}) {
      Bytes both = valuesOf<uint8_t>(found[i]);
      size_t half = both.size() / 2;
      EXPECT_EQ(Bytes(both.begin(), both.begin() + half),
                Bytes(both.begin() + half, both.end()))
          << axis;
    }
    Reals outer = valuesOf<float>(found[2]);
    for (size_t i = 0; i < outer.size() / 2; ++i)
      EXPECT_EQ(outer[i] * 0x1p21f, outer[outer.size() / 2 + i]);
  }
}

TEST(Lookup, SignedAndUnsignedCodes) {
  auto program = [](const std::string &type) {
    return Program("(%x: tensor<?x" + type +
                   ">, %t: tensor<256xi8>) -> tensor<?xi8> {"
                   "%0 = qopt.lookup %x, %t : (tensor<?x" +
                   type +
                   ">, tensor<256xi8>) -> tensor<?xi8>"
                   " return %0 : tensor<?xi8> }");
  };
  Bytes table(256);
  for (int i = 0; i < 256; ++i)
    table[i] = i;
  HostTensor t = bytes(ElementType::I8, {256}, table);
  EXPECT_EQ(valuesOf<uint8_t>(program("i8").get(
                {bytes(ElementType::I8, {3}, {0x80, 0, 0x7F}), t})),
            (Bytes{0, 128, 255}));
  EXPECT_EQ(valuesOf<uint8_t>(
                program("ui8").get({bytes(ElementType::U8, {2}, {0, 255}), t})),
            (Bytes{0, 255}));
}
