//===- CodeNoiseTest.cpp - The model of rounding errors -------------------===//
//
// Held against what rounding really costs, over random blocks.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodeNoise.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace qopt;

namespace {
struct CodeNoiseTest : testing::TestWithParam<const char *> {
  CodeNoiseTest() { context.loadDialect<QOptDialect>(); }

  /// Codes of `values` in one scale, as reals again.
  static std::vector<float> roundBlock(llvm::ArrayRef<float> values,
                                       const BlockFormat &format) {
    std::vector<uint8_t> codes(values.size());
    double scale;
    if (format.hasSharedExponent()) {
      scale = decodeE8M0(quantizeMxBlock(values, format, format.rule, codes));
    } else if (format.block > 0) {
      scale = decode(quantizeNvfp4Block(values, 1.0f, codes),
                     ElementFormat::F8E4M3FN);
    } else {
      float peak = 0;
      for (float value : values)
        peak = std::max(peak, std::abs(value));
      scale = peak / format.elementInfo().symmetricMax;
      for (auto [code, value] : llvm::zip_equal(codes, values))
        code = unitEncode(value / scale, format);
    }
    std::vector<float> rounded;
    for (uint8_t code : codes)
      rounded.push_back(unitDecode(code, format) * scale);
    return rounded;
  }

  MLIRContext context;
};

TEST_P(CodeNoiseTest, IsThatOfRounding) {
  const BlockFormat &format = *lookupFormat(GetParam());
  CodeNoise noise(FormatAttr::get(&context, format.name, 0, 0, {}, {}));
  int64_t size = noise.valuesPerScale(64);
  EXPECT_EQ(size, format.block ? format.block : 64);
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  double predicted = 0, measured = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<float> values(size);
    // Blocks of all sizes, one channel louder than the others.
    float spread = std::exp2(2 * normal(random)), peak = 0;
    for (float &value : values)
      value = normal(random) * spread;
    values.front() *= 4;
    for (float value : values)
      peak = std::max(peak, std::abs(value));
    std::vector<float> rounded = roundBlock(values, format);
    for (auto [value, other] : llvm::zip_equal(values, rounded)) {
      double error = (double(value) - other) / spread;
      measured += error * error;
      predicted += noise.of(std::abs(value), peak) / (spread * spread);
    }
  }
  // Neither what floor cuts nor a peak that is met exactly is in the model.
  EXPECT_NEAR(std::log2(predicted / measured), 0, 0.75);
}

INSTANTIATE_TEST_SUITE_P(Formats, CodeNoiseTest,
                         testing::Values("i8", "i4", "mxint8", "mxfp8-e4m3",
                                         "mxfp8-e5m2", "mxfp6-e2m3",
                                         "mxfp6-e3m2", "mxfp4", "nvfp4"));

TEST_F(CodeNoiseTest, OfNothingIsNothing) {
  EXPECT_EQ(CodeNoise().of(0, 0), 0);
  EXPECT_EQ(CodeNoise().valuesPerScale(0), 1);
}

TEST_F(CodeNoiseTest, OfIntegersIsThatOfTheirStep) {
  EXPECT_DOUBLE_EQ(CodeNoise().of(0.25, 127), 1.0 / 12);
  EXPECT_DOUBLE_EQ(CodeNoise().of(100, 127), 1.0 / 12);
}
} // namespace
