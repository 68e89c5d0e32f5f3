//===- WeightQuantizerTest.cpp - Codes and scales of a weight -------------===//
//
// Against the scalar functions of the format table, one group at a time.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include "dialects/QOpt/IR/Formats.h"
#include "mlir/AsmParser/AsmParser.h"
#include "qopt/Support/CodedError.h"
#include "test/Transforms/FloatPrograms.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
class WeightQuantizerTest : public testing::Test {
protected:
  WeightQuantizerTest() { context.loadDialect<QOptDialect>(); }

  FormatAttr format(StringRef text) {
    return cast<FormatAttr>(
        parseAttribute(("#qopt.format<" + text + ">").str(), &context));
  }
  QuantizedWeight quantize(const HostTensor &weight, StringRef text,
                           WeightQuantizerOptions options = {}) {
    return llvm::cantFail(quantizeWeight(weight, format(text), options));
  }
  MLIRContext context;
};

/// real - decoded, squared and summed; scale(i) and zero(i) of element i.
template <class Scale, class Zero>
double squaredError(const HostTensor &weight, const QuantizedWeight &q,
                    const BlockFormat &row, Scale scale, Zero zero) {
  double sum = 0;
  for (auto [i, real] : llvm::enumerate(weight.as<float>())) {
    uint8_t code = q.codes.getData()[i];
    double value = row.elementInfo().isInteger() && row.unitLog2 == 0
                       ? integerOf(code, row.element) - zero(i)
                       : unitDecode(code, row);
    sum += (real - value * scale(i)) * (real - value * scale(i));
  }
  return sum;
}
} // namespace

TEST_F(WeightQuantizerTest, roundsToTheChannelsLargestWithoutSearch) {
  HostTensor weight = normalTensor({6, 5}, 1);
  WeightQuantizerOptions options;
  options.clipSearch = false;
  QuantizedWeight q = quantize(weight, "i8, axis = 1", options);
  ASSERT_EQ(q.scales.size(), 1u);
  EXPECT_TRUE(q.zeros.empty());
  EXPECT_EQ(q.scales[0].getDims(), ArrayRef<int64_t>({1, 5}));
  for (int64_t n = 0; n < 5; ++n) {
    float peak = 0;
    for (int64_t k = 0; k < 6; ++k)
      peak = std::max(peak, std::abs(weight.as<float>()[k * 5 + n]));
    EXPECT_EQ(q.scales[0].as<float>()[n], peak / 127);
    for (int64_t k = 0; k < 6; ++k) {
      float expected =
          std::nearbyint(weight.as<float>()[k * 5 + n] * (1.0f / (peak / 127)));
      EXPECT_EQ(q.codes.as<int8_t>()[k * 5 + n], expected);
    }
  }
}

TEST_F(WeightQuantizerTest, neverUsesTheLowestSymmetricCode) {
  HostTensor weight = normalTensor({64, 64}, 2);
  QuantizedWeight q = quantize(weight, "i8, axis = 0");
  for (int8_t code : q.codes.as<int8_t>())
    EXPECT_GE(code, -127);
}

TEST_F(WeightQuantizerTest, searchLowersTheErrorOfGroups) {
  HostTensor weight = normalTensor({64, 16}, 3);
  const BlockFormat &row = *lookupFormat("ui4");
  auto errorWith = [&](bool search) {
    WeightQuantizerOptions options;
    options.clipSearch = search;
    QuantizedWeight q = quantize(
        weight, "ui4, axis = 0, block = 32, scale = f16, zero = ui4", options);
    EXPECT_EQ(q.scales[0].getDims(), ArrayRef<int64_t>({2, 16}));
    EXPECT_EQ(q.zeros[0].getDims(), ArrayRef<int64_t>({2, 16}));
    auto group = [](size_t i) { return i / 16 / 32 * 16 + i % 16; };
    return squaredError(
        weight, q, row,
        [&](size_t i) {
          return decode(q.scales[0].as<uint16_t>()[group(i)],
                        ElementFormat::F16);
        },
        [&](size_t i) {
          return integerOf(q.zeros[0].getData()[group(i)], ElementFormat::UI4);
        });
  };
  double searched = errorWith(true), plain = errorWith(false);
  EXPECT_LT(searched, plain);
  EXPECT_GT(searched, 0.5 * plain);
}

TEST_F(WeightQuantizerTest, keepsZeroExact) {
  HostTensor weight = normalTensor({32, 1}, 4);
  weight.asMutable<float>()[7] = 0;
  QuantizedWeight q =
      quantize(weight, "ui4, axis = 0, block = 32, scale = f16, zero = ui4");
  EXPECT_EQ(q.codes.getData()[7], q.zeros[0].getData()[0]);
}

TEST_F(WeightQuantizerTest, acceptsAShortLastBlock) {
  HostTensor weight = normalTensor({40, 3}, 5);
  for (StringRef name : {"mxfp4", "mxint8", "nvfp4"}) {
    QuantizedWeight q = quantize(weight, ("\"" + name + "\", axis = 0").str());
    int64_t blocks = name == "nvfp4" ? 3 : 2;
    EXPECT_EQ(q.scales[0].getDims(), ArrayRef<int64_t>({blocks, 3}))
        << name.str();
  }
}

TEST_F(WeightQuantizerTest, choosesTheBetterOfTwoSharedExponents) {
  HostTensor weight = normalTensor({1, 32 * 64}, 6);
  for (const BlockFormat &row : blockFormats()) {
    if (!row.hasSharedExponent())
      continue;
    QuantizedWeight q =
        quantize(weight, ("\"" + row.name + "\", axis = 1").str());
    for (int64_t block = 0; block < 64; ++block) {
      ArrayRef<float> values = weight.as<float>().slice(block * 32, 32);
      auto errorAt = [&](int exponent) {
        double sum = 0;
        for (float value : values) {
          double back = std::ldexp(
              double(unitDecode(unitEncode(std::ldexp(value, -exponent), row),
                                row)),
              exponent);
          sum += (value - back) * (value - back);
        }
        return sum;
      };
      float peak = 0;
      for (float value : values)
        peak = std::max(peak, std::abs(value));
      int floor = mxSharedExponent(peak, row, ScaleRule::Floor);
      int chosen = q.scales[0].as<uint8_t>()[block] - 127;
      ASSERT_TRUE(chosen == floor || chosen == floor + 1) << row.name.str();
      EXPECT_LE(errorAt(chosen), errorAt(chosen == floor ? floor + 1 : floor));
      for (int i = 0; i < 32; ++i)
        EXPECT_EQ(uint8_t(q.codes.getData()[block * 32 + i]),
                  unitEncode(std::ldexp(values[i], -chosen), row));
    }
  }
}

TEST_F(WeightQuantizerTest, givesZeroBlocksNoScale) {
  HostTensor weight = normalTensor({1, 64}, 7);
  for (int i = 0; i < 32; ++i)
    weight.asMutable<float>()[i] = 0;
  QuantizedWeight q = quantize(weight, "mxfp4, axis = 1");
  EXPECT_EQ(q.scales[0].as<uint8_t>()[0], 0);
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(q.codes.getData()[i], 0);
}

TEST_F(WeightQuantizerTest, searchesTheBlockScalesOfNvfp4) {
  HostTensor weight = normalTensor({1, 16 * 200}, 9);
  WeightQuantizerOptions plain;
  plain.clipSearch = false;
  QuantizedWeight with = quantize(weight, "nvfp4, axis = 1");
  QuantizedWeight without = quantize(weight, "nvfp4, axis = 1", plain);
  float global = with.scales[1].as<float>()[0];
  EXPECT_EQ(global, without.scales[1].as<float>()[0]);
  double before = 0, after = 0;
  for (int64_t block = 0; block < 200; ++block) {
    auto errorOf = [&](const QuantizedWeight &q) {
      double step =
          decode(q.scales[0].as<uint8_t>()[block], ElementFormat::F8E4M3FN);
      double sum = 0;
      for (int64_t i = block * 16; i < block * 16 + 16; ++i) {
        double back =
            decode(uint8_t(q.codes.getData()[i]), ElementFormat::F4E2M1FN) *
            step * global;
        double error = weight.as<float>()[i] - back;
        sum += error * error;
      }
      return sum;
    };
    EXPECT_LE(errorOf(with), errorOf(without) * (1 + 1e-6)) << block;
    before += errorOf(without);
    after += errorOf(with);
  }
  EXPECT_LT(after, 0.9 * before);
}

TEST_F(WeightQuantizerTest, quantizesNvfp4AsTheTableDoesWithoutSearch) {
  HostTensor weight = normalTensor({1, 64}, 8);
  WeightQuantizerOptions options;
  options.clipSearch = false;
  QuantizedWeight q = quantize(weight, "nvfp4, axis = 1", options);
  float peak = 0;
  for (float value : weight.as<float>())
    peak = std::max(peak, std::abs(value));
  float encodeScale = nvfp4EncodeScale(peak);
  ASSERT_EQ(q.scales.size(), 2u);
  EXPECT_EQ(q.scales[1].as<float>()[0], 1.0f / encodeScale);
  for (int64_t block = 0; block < 4; ++block) {
    SmallVector<uint8_t> codes(16);
    uint8_t scale = quantizeNvfp4Block(weight.as<float>().slice(block * 16, 16),
                                       encodeScale, codes);
    EXPECT_EQ(q.scales[0].as<uint8_t>()[block], scale);
    for (int i = 0; i < 16; ++i)
      EXPECT_EQ(uint8_t(q.codes.getData()[block * 16 + i]), codes[i]);
  }
}

TEST_F(WeightQuantizerTest, roundsScalesToPowersOfTwo) {
  auto log2Of = [](float scale, Pow2Rounding rounding) {
    return roundScaleToPow2(scale, rounding) - 127;
  };
  EXPECT_EQ(log2Of(1.0f, Pow2Rounding::Ceil), 0);
  EXPECT_EQ(log2Of(std::nextafter(1.0f, 2.0f), Pow2Rounding::Ceil), 1);
  EXPECT_EQ(log2Of(std::nextafter(2.0f, 1.0f), Pow2Rounding::Floor), 0);
  EXPECT_EQ(log2Of(1.414f, Pow2Rounding::Nearest), 0);
  EXPECT_EQ(log2Of(1.415f, Pow2Rounding::Nearest), 1);
  // The example of M1: ceil of (.011, .0145, .02, .0065, .03, .0009).
  float scales[] = {.011f, .0145f, .02f, .0065f, .03f, .0009f};
  int expected[] = {-6, -6, -5, -7, -5, -10};
  for (auto [scale, log2] : llvm::zip_equal(scales, expected))
    EXPECT_EQ(log2Of(scale, Pow2Rounding::Ceil), log2);
}

TEST_F(WeightQuantizerTest, ratiosLieBetweenFreeAndPow2Scales) {
  HostTensor weight = normalTensor({256, 8}, 9);
  const BlockFormat &row = *lookupFormat("i4");
  auto group = [](size_t i) { return i / 8 / 16 * 8 + i % 8; };
  auto none = [](size_t) { return 0; };
  WeightQuantizerOptions ratios;
  ratios.hasChannelScale = true;
  QuantizedWeight m2 =
      quantize(weight, "i4, axis = 0, block = 16, scale = f8E8M0FNU", ratios);
  ASSERT_EQ(m2.scales.size(), 2u);
  EXPECT_EQ(m2.scales[1].getDims(), ArrayRef<int64_t>({1, 8}));
  for (uint8_t byte : m2.scales[0].as<uint8_t>())
    EXPECT_LE(byte, 127);
  double m2Error = squaredError(
      weight, m2, row,
      [&](size_t i) {
        return double(decodeE8M0(m2.scales[0].as<uint8_t>()[group(i)])) *
               m2.scales[1].as<float>()[i % 8];
      },
      none);
  QuantizedWeight m1 =
      quantize(weight, "i4, axis = 0, block = 16, scale = f8E8M0FNU");
  double m1Error = squaredError(
      weight, m1, row,
      [&](size_t i) {
        return decodeE8M0(m1.scales[0].as<uint8_t>()[group(i)]);
      },
      none);
  QuantizedWeight free = quantize(weight, "i4, axis = 0, block = 16");
  double freeError = squaredError(
      weight, free, row,
      [&](size_t i) { return free.scales[0].as<float>()[group(i)]; }, none);
  EXPECT_LT(freeError, m2Error);
  EXPECT_LT(freeError, m1Error);
  EXPECT_LT(m2Error, 2 * freeError);
  EXPECT_LT(m1Error, 2 * freeError);
}

TEST_F(WeightQuantizerTest, bestPow2IsNoWorseThanTheOthers) {
  HostTensor weight = normalTensor({32, 32}, 10);
  const BlockFormat &row = *lookupFormat("i8");
  auto errorWith = [&](Pow2Rounding rounding) {
    WeightQuantizerOptions options;
    options.pow2Rounding = rounding;
    QuantizedWeight q =
        quantize(weight, "i8, axis = 0, scale = f8E8M0FNU", options);
    return squaredError(
        weight, q, row,
        [&](size_t i) { return decodeE8M0(q.scales[0].as<uint8_t>()[i / 32]); },
        [](size_t) { return 0; });
  };
  double best = errorWith(Pow2Rounding::Best);
  for (Pow2Rounding other :
       {Pow2Rounding::Nearest, Pow2Rounding::Ceil, Pow2Rounding::Floor})
    EXPECT_LE(best, errorWith(other));
}

TEST_F(WeightQuantizerTest, survivesExtremeWeights) {
  HostTensor weight = normalTensor({4, 32}, 11);
  auto w = weight.asMutable<float>();
  for (int i = 0; i < 32; ++i) {
    w[i] = 0;
    w[32 + i] = i ? 0 : 1e-45f;
    w[64 + i] = i % 2 ? 3e38f : -3e38f;
  }
  for (StringRef text : {"i8, axis = 0", "i8, axis = 0, scale = f8E8M0FNU",
                         "ui4, axis = 1, block = 32, scale = f16, zero = ui4",
                         "mxfp4, axis = 1", "nvfp4, axis = 1"}) {
    QuantizedWeight q = quantize(weight, text);
    int zero = q.zeros.empty() ? 0 : q.zeros[0].getData()[0];
    for (int i = 0; i < 32; ++i)
      EXPECT_EQ(q.codes.getData()[i], zero) << text.str();
  }
}

TEST_F(WeightQuantizerTest, refusesWhatIsNotFinite) {
  HostTensor weight = normalTensor({2, 2}, 12);
  weight.asMutable<float>()[3] = NAN;
  auto q = quantizeWeight(weight, format("i8, axis = 0"), {});
  ASSERT_FALSE(static_cast<bool>(q));
  ExitCode code;
  EXPECT_EQ(takeMessage(q.takeError(), code), "a weight is not finite");
  EXPECT_EQ(code, ExitCode::BadData);
}
