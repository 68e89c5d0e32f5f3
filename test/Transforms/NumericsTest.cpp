//===- NumericsTest.cpp - What passes claim of results --------------------===//
//
// One case for each pass that rewrites floats, on programs with a dynamic
// batch.
//
//===----------------------------------------------------------------------===//

#include "NumericsHarness.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Transforms/Passes.h"
#include "test/Transforms/Presets.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static std::string gemms() {
  return "func.func @main(%x: tensor<?x24xf32>) -> tensor<?x10xf32> {\n" +
         constantText("%w1", {40, 24}, 1, 0.3f) +
         constantText("%c1", {40}, 2, 1) +
         constantText("%w2", {40, 10}, 3, 0.3f) +
         constantText("%c2", {1, 10}, 4, 1) +
         R"(
  %0 = qopt.gemm %x, %w1, %c1 {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = true}
    : (tensor<?x24xf32>, tensor<40x24xf32>, tensor<40xf32>) -> tensor<?x40xf32>
  %1 = qopt.gemm %0, %w2, %c2 {alpha = 0.3 : f32, beta = 0.7 : f32, trans_a = false, trans_b = false}
    : (tensor<?x40xf32>, tensor<40x10xf32>, tensor<1x10xf32>) -> tensor<?x10xf32>
  return %1 : tensor<?x10xf32>
})";
}

/// Two convolutions, each with a batch norm.
static std::string norms() {
  auto norm = [](const std::string &suffix, int64_t channels, unsigned seed) {
    std::string text;
    for (StringRef name : {"%g", "%b", "%m"})
      text += constantText((name + suffix).str(), {channels}, seed++, 0.5f);
    // A square is a variance.
    text += constantText("%d" + suffix, {channels}, seed, 1);
    return text + "%v" + suffix + " = qopt.mul %d" + suffix + ", %d" + suffix +
           " : (tensor<" + std::to_string(channels) + "xf32>, tensor<" +
           std::to_string(channels) + "xf32>) -> tensor<" +
           std::to_string(channels) + "xf32>\n";
  };
  return "func.func @main(%x: tensor<?x6x?x8xf32>) -> tensor<?x12x?x8xf32> "
         "{\n" +
         constantText("%w1", {12, 6, 3, 3}, 61, 0.2f) + norm("1", 12, 62) +
         constantText("%w2", {12, 1, 1, 1}, 71, 0.9f) +
         constantText("%c2", {12}, 72, 0.3f) + norm("2", 12, 73) + R"(
  %0 = qopt.conv %x, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x6x?x8xf32>, tensor<12x6x3x3xf32>) -> tensor<?x12x?x8xf32>
  %1 = qopt.batch_norm %0, %g1, %b1, %m1, %v1 {epsilon = 1.0e-3 : f32} : (tensor<?x12x?x8xf32>, tensor<12xf32>, tensor<12xf32>, tensor<12xf32>, tensor<12xf32>) -> tensor<?x12x?x8xf32>
  %2 = qopt.relu %1 : (tensor<?x12x?x8xf32>) -> tensor<?x12x?x8xf32>
  %3 = qopt.conv %2, %w2 bias %c2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 12 : i64}
    : (tensor<?x12x?x8xf32>, tensor<12x1x1x1xf32>, tensor<12xf32>) -> tensor<?x12x?x8xf32>
  %4 = qopt.batch_norm %3, %g2, %b2, %m2, %v2 {epsilon = 1.0e-3 : f32} : (tensor<?x12x?x8xf32>, tensor<12xf32>, tensor<12xf32>, tensor<12xf32>, tensor<12xf32>) -> tensor<?x12x?x8xf32>
  return %4 : tensor<?x12x?x8xf32>
})";
}

/// A norm whose rows three products and a sum read, directly and behind GELU
/// and another norm.
static std::string normedProducts() {
  auto matmul = [](StringRef result, StringRef x, StringRef w) {
    return (result + " = qopt.matmul " + x + ", " + w +
            " : (tensor<?x48xf32>, tensor<48x48xf32>) -> tensor<?x48xf32>\n")
        .str();
  };
  auto binary = [](StringRef result, StringRef op, StringRef x, StringRef y) {
    return (result + " = qopt." + op + " " + x + ", " + y +
            " : (tensor<?x48xf32>, tensor<?x48xf32>) -> tensor<?x48xf32>\n")
        .str();
  };
  auto norm = [](StringRef result, StringRef x) {
    return (result + " = qopt.layer_norm " + x +
            ", %g, %b {axis = -1 : i64, epsilon = 1.0e-5 : f32} : "
            "(tensor<?x48xf32>, tensor<48xf32>, tensor<48xf32>) -> "
            "tensor<?x48xf32>\n")
        .str();
  };
  return "func.func @main(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {\n" +
         constantText("%g", {48}, 131, 1) +
         constantText("%b", {48}, 132, 0.2f) +
         constantText("%u", {48, 48}, 133, 0.2f) +
         constantText("%v", {48, 48}, 134, 0.2f) +
         constantText("%w", {48, 48}, 135, 0.2f) + norm("%0", "%x") +
         matmul("%1", "%0", "%u") + matmul("%2", "%0", "%v") +
         binary("%3", "mul", "%1", "%2") + binary("%4", "add", "%3", "%0") +
         norm("%5", "%4") + matmul("%6", "%5", "%w") +
         "%7 = qopt.gelu %6 : (tensor<?x48xf32>) -> tensor<?x48xf32>\n" +
         matmul("%8", "%7", "%u") + binary("%9", "add", "%8", "%4") +
         "return %9 : tensor<?x48xf32>\n}";
}

/// A convolution followed by a factor and a sum for each channel.
static std::string affines() {
  return "func.func @main(%x: tensor<?x6x5x5xf32>) -> tensor<?x8x5x5xf32> {\n" +
         constantText("%w", {8, 6, 1, 1}, 81, 0.5f) +
         constantText("%f", {1, 8, 1, 1}, 82, 1) +
         constantText("%s", {8, 1, 1}, 83, 1) + R"(
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<?x6x5x5xf32>, tensor<8x6x1x1xf32>) -> tensor<?x8x5x5xf32>
  %1 = qopt.mul %0, %f : (tensor<?x8x5x5xf32>, tensor<1x8x1x1xf32>) -> tensor<?x8x5x5xf32>
  %2 = qopt.add %1, %s : (tensor<?x8x5x5xf32>, tensor<8x1x1xf32>) -> tensor<?x8x5x5xf32>
  return %2 : tensor<?x8x5x5xf32>
})";
}

/// GELU and SiLU in pieces.
static std::string pieces() {
  return R"(
func.func @main(%x: tensor<?x50xf32>) -> tensor<?x50xf32> {
  %sqrt2 = qopt.constant(dense<1.41421354> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.div %x, %sqrt2 : (tensor<?x50xf32>, tensor<f32>) -> tensor<?x50xf32>
  %1 = qopt.erf %0 : (tensor<?x50xf32>) -> tensor<?x50xf32>
  %2 = qopt.add %1, %one : (tensor<?x50xf32>, tensor<f32>) -> tensor<?x50xf32>
  %3 = qopt.mul %x, %2 : (tensor<?x50xf32>, tensor<?x50xf32>) -> tensor<?x50xf32>
  %4 = qopt.mul %3, %half : (tensor<?x50xf32>, tensor<f32>) -> tensor<?x50xf32>
  %5 = qopt.sigmoid %4 : (tensor<?x50xf32>) -> tensor<?x50xf32>
  %6 = qopt.mul %4, %5 : (tensor<?x50xf32>, tensor<?x50xf32>) -> tensor<?x50xf32>
  return %6 : tensor<?x50xf32>
})";
}

/// Channels of very different size in front of a product.
static std::string spread() {
  std::string factors = "%f = qopt.constant(dense<[";
  for (int i = 0; i < 64; ++i)
    factors += (i ? ", " : "") + std::string(i % 7 == 3 ? "40.0" : "0.5");
  factors += "]> : tensor<64xf32>) : tensor<64xf32>\n";
  return "func.func @main(%x: tensor<?x64xf32>) -> tensor<?x48xf32> {\n" +
         factors + constantText("%w1", {64, 32}, 91, 0.2f) +
         constantText("%w2", {64, 16}, 92, 0.2f) + R"(
  %0 = qopt.mul %x, %f : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %1 = qopt.matmul %0, %w1 : (tensor<?x64xf32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %2 = qopt.matmul %0, %w2 : (tensor<?x64xf32>, tensor<64x16xf32>) -> tensor<?x16xf32>
  %3 = qopt.concat %1, %2 {axis = 1 : i64} : (tensor<?x32xf32>, tensor<?x16xf32>) -> tensor<?x48xf32>
  return %3 : tensor<?x48xf32>
})";
}

/// Three convolutions in a row, the middle one depthwise.
static std::string layers() {
  return "func.func @main(%x: tensor<?x4x6x6xf32>) -> tensor<?x8x6x6xf32> {\n" +
         constantText("%w1", {12, 4, 3, 3}, 101, 3) +
         constantText("%b1", {12}, 102, 0.5f) +
         constantText("%w2", {12, 1, 3, 3}, 103, 0.05f) +
         constantText("%b2", {12}, 104, 0.5f) +
         constantText("%w3", {8, 12, 1, 1}, 105, 0.4f) + R"(
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x4x6x6xf32>, tensor<12x4x3x3xf32>, tensor<12xf32>) -> tensor<?x12x6x6xf32>
  %1 = qopt.relu %0 : (tensor<?x12x6x6xf32>) -> tensor<?x12x6x6xf32>
  %2 = qopt.conv %1, %w2 bias %b2 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 12 : i64}
    : (tensor<?x12x6x6xf32>, tensor<12x1x3x3xf32>, tensor<12xf32>) -> tensor<?x12x6x6xf32>
  %3 = qopt.conv %2, %w3 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<?x12x6x6xf32>, tensor<8x12x1x1xf32>) -> tensor<?x8x6x6xf32>
  return %3 : tensor<?x8x6x6xf32>
})";
}

template <class Create>
static std::function<void(OpPassManager &)> only(Create create) {
  return [create](OpPassManager &pm) { pm.addPass(create()); };
}

static void planAndCalibrate(FloatProgram &program,
                             const PlanPrecisionPassOptions &options) {
  program.run(
      [&](OpPassManager &pm) { pm.addPass(createPlanPrecisionPass(options)); });
  program.calibrate();
}

/// Static int8.
static void planCodes(FloatProgram &program) {
  PlanPrecisionPassOptions options;
  options.activations = "static";
  planAndCalibrate(program, options);
}

/// Four bits for weights alone.
static void planWeights(FloatProgram &program) {
  PlanPrecisionPassOptions options;
  options.activations = "none";
  options.weightFormat = "i4";
  planAndCalibrate(program, options);
}

TEST(NumericsTest, readsClaims) {
  EXPECT_EQ(readClaim("qopt-decompose-gemm"), Claim::Exact);
  EXPECT_EQ(readClaim("qopt-fold-batch-norm"), Claim::Bounded);
  EXPECT_EQ(readClaim("qopt-insert-quantization"), Claim::Lossy);
  EXPECT_EQ(readClaim("smooth"), Claim::Bounded);
  EXPECT_EQ(readClaim("smooth", /*isPow2=*/true), Claim::Exact);
}

TEST(NumericsTest, decomposeGemm) {
  NumericsCase c{"qopt-decompose-gemm"};
  c.passes = only([] { return createDecomposeGemmPass(); });
  checkNumerics(c, gemms(), {3, 24});
}

TEST(NumericsTest, evaluateWeights) {
  NumericsCase c{"qopt-evaluate-weights"};
  c.passes = only([] { return createEvaluateWeightsPass(); });
  checkNumerics(c, norms(), {2, 6, 5, 8});
}

TEST(NumericsTest, foldBatchNorm) {
  NumericsCase c{"qopt-fold-batch-norm"};
  c.passes = only([] { return createFoldBatchNormPass(); });
  checkNumerics(c, norms(), {2, 6, 5, 8});
}

TEST(NumericsTest, foldChannelAffine) {
  NumericsCase c{"qopt-fold-channel-affine"};
  c.passes = only([] { return createFoldChannelAffinePass(); });
  checkNumerics(c, affines(), {2, 6, 5, 5});
}

TEST(NumericsTest, recognizePatterns) {
  NumericsCase c{"qopt-recognize-patterns"};
  c.passes = only([] { return createRecognizePatternsPass(); });
  checkNumerics(c, pieces(), {3, 50});
}

/// The pass with one transformation.
static std::function<void(OpPassManager &)>
transform(const std::string &transformation, bool isPow2) {
  return only([=] {
    TransformLayersPassOptions options;
    options.transforms.push_back(transformation);
    options.isPow2 = isPow2;
    return createTransformLayersPass(options);
  });
}

TEST(NumericsTest, smoothActivations) {
  for (StringRef alpha : {"search", "log", "0.5", "0.8"})
    for (bool isPow2 : {false, true}) {
      SCOPED_TRACE(alpha.str());
      NumericsCase c{"smooth", isPow2};
      c.prepare = planCodes;
      c.passes = transform("smooth=" + alpha.str(), isPow2);
      checkNumerics(c, spread(), {4, 64});
      checkNumerics(c, normedProducts(), {5, 48});
    }
}

TEST(NumericsTest, scaleWeights) {
  for (bool isPow2 : {false, true}) {
    NumericsCase c{"awq", isPow2};
    c.prepare = planWeights;
    c.passes = transform("awq=true", isPow2);
    checkNumerics(c, spread(), {4, 64});
  }
}

TEST(NumericsTest, rotateActivations) {
  EXPECT_EQ(readClaim("rotate", /*isPow2=*/true), Claim::Bounded);
  for (StringRef block : {"16", "32", "64"}) {
    SCOPED_TRACE(block.str());
    NumericsCase c{"rotate"};
    c.prepare = planCodes;
    c.passes = transform("rotate=" + block.str(), /*isPow2=*/false);
    checkNumerics(c, spread(), {4, 64});
    if (block == "16")
      checkNumerics(c, normedProducts(), {5, 48});
  }
}

TEST(NumericsTest, equalizeLayers) {
  for (bool isPow2 : {false, true}) {
    NumericsCase c{"equalize", isPow2};
    c.passes = transform("equalize=true", isPow2);
    checkNumerics(c, layers(), {2, 4, 6, 6});
    // Behind folded norms weights are expressions.
    c.prepare = [](FloatProgram &program) {
      program.run(
          [](OpPassManager &pm) { pm.addPass(createFoldBatchNormPass()); });
    };
    checkNumerics(c, norms(), {2, 6, 5, 8});
  }
}

TEST(NumericsTest, stretchChannels) {
  for (bool isPow2 : {false, true}) {
    NumericsCase c{"stretch", isPow2};
    c.prepare = planCodes;
    c.passes = transform("stretch=true", isPow2);
    checkNumerics(c, layers(), {2, 4, 6, 6});
    checkNumerics(c, norms(), {2, 6, 5, 8});
  }
}

/// Fusing and taking apart again, of every preset's quantized form.
TEST(NumericsTest, fuse) {
  for (const Preset &preset : allPresets())
    for (auto [text, dims] :
         {std::pair(residualBlock(), SmallVector<int64_t>{1, 16, 9, 9}),
          std::pair(pooledNetwork(), SmallVector<int64_t>{2, 8, 12, 12}),
          std::pair(normedProducts(), SmallVector<int64_t>{5, 48})}) {
      SCOPED_TRACE(preset.name);
      NumericsCase c{"convert-qopt-to-qkernel"};
      c.prepare = [&](FloatProgram &program) { applyPreset(program, preset); };
      c.passes = only([] { return createConvertQOptToQKernelPass(); });
      c.lower = only([] { return kernel::createDecomposeKernelsPass(); });
      checkNumerics(c, text, dims);
    }
}

/// Scales that are powers of two as f32, then by type.
TEST(NumericsTest, narrowScales) {
  NumericsCase c{"qopt-narrow-scales"};
  c.passes = only([] { return createNarrowScalesPass(); });
  checkNumerics(c, R"(
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %s = qopt.constant(dense<0.03125> : tensor<1x1xf32>) : tensor<1x1xf32>
  %t = qopt.constant(dense<[[0.25, 2.0, 0.5, 1.0]]> : tensor<1x4xf32>) : tensor<1x4xf32>
  %z = qopt.constant(dense<5> : tensor<1x1xi8>) : tensor<1x1xi8>
  %q = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x4xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x4xi8>
  %y = qopt.dequantize %q scales(%s, %t) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x4xi8>, tensor<1x1xf32>, tensor<1x4xf32>, tensor<1x1xi8>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
})",
                {8, 4});
}
