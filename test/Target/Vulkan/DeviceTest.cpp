//===- DeviceTest.cpp - Vulkan kernels against Reference ------------------===//
//
// Sums of integers and of MX groups and everything in front of a code: equal
// bits. The rest: within a bound.
//
//===----------------------------------------------------------------------===//

#include "DeviceHarness.h"

using namespace qopt::test;

static constexpr double kBound = 1e-5;

TEST_F(DeviceTest, Maps) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x5xf32>, %y: tensor<?x1xf32>) -> tensor<?x5xf32> {
      %0 = qopt.add %x, %y : (tensor<?x5xf32>, tensor<?x1xf32>) -> tensor<?x5xf32>
      %1 = qopt.gelu %0 : (tensor<?x5xf32>) -> tensor<?x5xf32>
      return %1 : tensor<?x5xf32>
    })",
                      kBound, {7, 7});
}

TEST_F(DeviceTest, DividesInFrontOfACode) {
  expectNearReference(R"(
    func.func @main(%x: tensor<64x33xf32>, %s: tensor<1x33xf16>) -> tensor<64x33xi8> {
      %0 = qopt.quantize %x scales(%s) {format = #qopt.format<i8, axis = 1>, divide}
        : (tensor<64x33xf32>, tensor<1x33xf16>) -> tensor<64x33xi8>
      return %0 : tensor<64x33xi8>
    })");
}

TEST_F(DeviceTest, MultipliesReals) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x3x40xf32>, %w: tensor<40x17xf32> {test.constant},
                    %b: tensor<17xf32> {test.constant}) -> tensor<?x3x17xf32> {
      %0 = qopt.matmul %x, %w : (tensor<?x3x40xf32>, tensor<40x17xf32>) -> tensor<?x3x17xf32>
      %1 = qopt.add %0, %b : (tensor<?x3x17xf32>, tensor<17xf32>) -> tensor<?x3x17xf32>
      return %1 : tensor<?x3x17xf32>
    })",
                      kBound, {4});
}

TEST_F(DeviceTest, MultipliesIntegers) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x70xi8>, %zx: tensor<1x1xi8> {test.constant},
                    %w: tensor<70x18xi8> {test.constant},
                    %m: tensor<1x18xf16> {test.constant}, %z: tensor<1x1xi8> {test.constant})
        -> tensor<?x18xi8> {
      %0 = qopt.matmul %x zeros(%zx), %w : (tensor<?x70xi8>, tensor<1x1xi8>, tensor<70x18xi8>) -> tensor<?x18xi32>
      %f = qopt.cast %m : (tensor<1x18xf16>) -> tensor<1x18xf32>
      %1 = qopt.requantize %0, %f, %z {min = -128 : i64, max = 127 : i64}
        : (tensor<?x18xi32>, tensor<1x18xf32>, tensor<1x1xi8>) -> tensor<?x18xi8>
      return %1 : tensor<?x18xi8>
    })",
                      0, {9});
}

TEST_F(DeviceTest, ShiftsAndLooksUp) {
  expectNearReference(R"(
    func.func @main(%x: tensor<9x33xi32>, %k: tensor<1x33xi2>, %t: tensor<256xi8> {test.constant})
        -> tensor<9x33xi8> {
      %n = qopt.cast %k : (tensor<1x33xi2>) -> tensor<1x33xi8>
      %0 = qopt.shift %x, %n {min = -128 : i64, max = 127 : i64} : (tensor<9x33xi32>, tensor<1x33xi8>) -> tensor<9x33xi8>
      %1 = qopt.lookup %0, %t : (tensor<9x33xi8>, tensor<256xi8>) -> tensor<9x33xi8>
      return %1 : tensor<9x33xi8>
    })");
}

TEST_F(DeviceTest, ConvolvesIntegersAndPools) {
  expectNearReference(R"(
    func.func @main(%x: tensor<2x6x9x8xi8>, %zx: tensor<1x1x1x1xi8> {test.constant},
                    %w: tensor<4x3x3x3xi8> {test.constant}) -> tensor<2x4x5x4xi8> {
      %0 = qopt.conv %x zeros(%zx), %w {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>,
        dilations = array<i64: 1, 1>, group = 2 : i64}
        : (tensor<2x6x9x8xi8>, tensor<1x1x1x1xi8>, tensor<4x3x3x3xi8>) -> tensor<2x4x9x8xi32>
      %1 = qopt.cast %0 : (tensor<2x4x9x8xi32>) -> tensor<2x4x9x8xi8>
      %2 = qopt.max_pool %1 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 1, 0>,
        dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<2x4x9x8xi8>) -> tensor<2x4x5x4xi8>
      return %2 : tensor<2x4x5x4xi8>
    })");
}

TEST_F(DeviceTest, ConvolvesReals) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x6x9x8xf32>, %w: tensor<6x1x3x3xf32> {test.constant},
                    %b: tensor<6xf32> {test.constant}) -> tensor<?x6xf32> {
      %0 = qopt.conv %x, %w bias %b {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 1>,
        dilations = array<i64: 1, 1>, group = 6 : i64}
        : (tensor<?x6x9x8xf32>, tensor<6x1x3x3xf32>, tensor<6xf32>) -> tensor<?x6x5x8xf32>
      %1 = qopt.relu %0 : (tensor<?x6x5x8xf32>) -> tensor<?x6x5x8xf32>
      %2 = qopt.global_average_pool %1 : (tensor<?x6x5x8xf32>) -> tensor<?x6x1x1xf32>
      %3 = qopt.flatten %2 {axis = 1 : i64} : (tensor<?x6x1x1xf32>) -> tensor<?x6xf32>
      %4 = qopt.softmax %3 {axis = 1 : i64} : (tensor<?x6xf32>) -> tensor<?x6xf32>
      return %4 : tensor<?x6xf32>
    })",
                      kBound, {3});
}

static std::string mxProgram(const std::string &format,
                             const std::string &element) {
  std::string x = "tensor<?x80x" + element + ">",
              w = "tensor<80x12x" + element + ">";
  return R"(
    func.func @main(%x: tensor<?x80xf32>, %w: )" +
         w +
         R"( {test.constant}, %s: tensor<3x12xf8E8M0FNU> {test.constant}) -> tensor<?x12xf32> {
      %q, %sx = qopt.quantize_dynamic %x {format = #qopt.format<)" +
         format + R"(, axis = 1>} : (tensor<?x80xf32>) -> ()" + x +
         R"(, tensor<?x3xf8E8M0FNU>)
      %0 = qopt.matmul %q scales(%sx), %w scales(%s) {lhs_format = #qopt.format<)" +
         format + ", axis = 1>, rhs_format = #qopt.format<" + format +
         ", axis = 0>} : (" + x + ", tensor<?x3xf8E8M0FNU>, " + w +
         R"(, tensor<3x12xf8E8M0FNU>) -> tensor<?x12xf32>
      return %0 : tensor<?x12xf32>
    })";
}

TEST_F(DeviceTest, MultipliesMxInt8) {
  expectNearReference(mxProgram("mxint8", "i8"), 0, {5});
}
TEST_F(DeviceTest, MultipliesMxFp4) {
  expectNearReference(mxProgram("mxfp4", "f4E2M1FN"), 0, {5});
}
TEST_F(DeviceTest, MultipliesMxFp8) {
  expectNearReference(mxProgram("\"mxfp8-e4m3\"", "f8E4M3FN"), 0, {5});
}

TEST_F(DeviceTest, QuantizesRowsDynamically) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x3x50xf32>) -> (tensor<?x3x50xi8>, tensor<?x3x1xf32>) {
      %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>}
        : (tensor<?x3x50xf32>) -> (tensor<?x3x50xi8>, tensor<?x3x1xf32>)
      return %q, %s : tensor<?x3x50xi8>, tensor<?x3x1xf32>
    })",
                      0, {6});
}

/// One invocation may not take more steps than a driver allows: lavapipe ends
/// all loops of one after 65,535.
TEST_F(DeviceTest, QuantizesLargeSamplesDynamically) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x2x200x101xf32>) -> (tensor<?x2x200x101xi8>, tensor<?x1x1x1xf32>) {
      %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = #qopt.per<sample>}
        : (tensor<?x2x200x101xf32>) -> (tensor<?x2x200x101xi8>, tensor<?x1x1x1xf32>)
      return %q, %s : tensor<?x2x200x101xi8>, tensor<?x1x1x1xf32>
    })",
                      0, {3});
}

TEST_F(DeviceTest, MultipliesWeightOnlyGroups) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x64xf32>, %w: tensor<64x9xui4> {test.constant},
                    %s: tensor<2x9xf16> {test.constant}, %z: tensor<2x9xui4> {test.constant}) -> tensor<?x9xf32> {
      %0 = qopt.matmul %x, %w scales(%s) zeros(%z)
        {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>}
        : (tensor<?x64xf32>, tensor<64x9xui4>, tensor<2x9xf16>, tensor<2x9xui4>) -> tensor<?x9xf32>
      return %0 : tensor<?x9xf32>
    })",
                      kBound, {5});
}

TEST_F(DeviceTest, NormalizesAndAttends) {
  expectNearReference(R"(
    func.func @main(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x24xf32>,
                    %m: tensor<?xf32>, %g: tensor<24xf32>, %b: tensor<24xf32>) -> tensor<2x?x24xf32> {
      %0 = qopt.attention %q, %k, %v, %m {scale = 0.25 : f32}
        : (tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x24xf32>, tensor<?xf32>) -> tensor<2x?x24xf32>
      %1 = qopt.layer_norm %0, %g, %b {axis = -1 : i64, epsilon = 1.0e-5 : f32}
        : (tensor<2x?x24xf32>, tensor<24xf32>, tensor<24xf32>) -> tensor<2x?x24xf32>
      return %1 : tensor<2x?x24xf32>
    })",
                      1e-4, {10, 130, 130, 130});
}

TEST_F(DeviceTest, MovesElements) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x3x4xf32>, %i: tensor<2xi64> {test.codes = array<i32: 0, 1, 2, 3>},
                    %c: tensor<?x3x4xi8>)
        -> (tensor<?x2x6xf32>, tensor<3x?x4xi8>, tensor<?x3x5xf32>, tensor<4xi64>) {
      %0 = qopt.transpose %x {perm = array<i64: 0, 2, 1>} : (tensor<?x3x4xf32>) -> tensor<?x4x3xf32>
      %1 = qopt.gather %0, %i {axis = 1 : i64} : (tensor<?x4x3xf32>, tensor<2xi64>) -> tensor<?x2x3xf32>
      %2 = qopt.concat %1, %1 {axis = 2 : i64} : (tensor<?x2x3xf32>, tensor<?x2x3xf32>) -> tensor<?x2x6xf32>
      %3 = qopt.transpose %c {perm = array<i64: 1, 0, 2>} : (tensor<?x3x4xi8>) -> tensor<3x?x4xi8>
      %4 = qopt.pad %x {pads = array<i64: 0, 0, 1, 0, 0, 0>} : (tensor<?x3x4xf32>) -> tensor<?x3x5xf32>
      %5 = qopt.add %i, %i : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
      %6 = qopt.concat %5, %i {axis = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<4xi64>
      return %2, %3, %4, %6 : tensor<?x2x6xf32>, tensor<3x?x4xi8>, tensor<?x3x5xf32>, tensor<4xi64>
    })",
                      0, {5, 5});
}

TEST_F(DeviceTest, QuantizesNvfp4) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x70xf32>, %y: tensor<?x20x3x5xf32>)
        -> (tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>,
            tensor<?x20x3x5xf4E2M1FN>, tensor<?x2x3x5xf8E4M3FN>, tensor<?x1x1x1xf32>) {
      %0:3 = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 1>}
        : (tensor<?x70xf32>) -> (tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>)
      %1:3 = qopt.quantize_dynamic %y {format = #qopt.format<nvfp4, axis = 1>, per = #qopt.per<sample>}
        : (tensor<?x20x3x5xf32>) -> (tensor<?x20x3x5xf4E2M1FN>, tensor<?x2x3x5xf8E4M3FN>, tensor<?x1x1x1xf32>)
      return %0#0, %0#1, %0#2, %1#0, %1#1, %1#2
        : tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>,
          tensor<?x20x3x5xf4E2M1FN>, tensor<?x2x3x5xf8E4M3FN>, tensor<?x1x1x1xf32>
    })",
                      0, {40, 3});
}

TEST_F(DeviceTest, LooksAtNothing) {
  expectNearReference(R"(
    func.func @main(%q: tensor<3x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>)
        -> (tensor<3x8xf32>, tensor<3x8xf32>) {
      %m = qopt.constant(dense<[[0.0], [0xFF800000], [1.0]]> : tensor<3x1xf32>) : tensor<3x1xf32>
      %0 = qopt.attention %q, %k, %v, %m {scale = 1.0 : f32}
        : (tensor<3x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<3x1xf32>) -> tensor<3x8xf32>
      %1 = qopt.attention %q, %k, %v, %m {scale = 1.0 : f32, masked_rows_are_zero}
        : (tensor<3x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<3x1xf32>) -> tensor<3x8xf32>
      return %0, %1 : tensor<3x8xf32>, tensor<3x8xf32>
    })",
                      1e-6, {70, 70});
}

TEST_F(DeviceTest, NamesWhatItCannotDo) {
  EXPECT_NE(failureOf(R"(
    func.func @main(%x: tensor<4xi64>) -> tensor<1xi64> {
      %0 = qopt.reduce %x {kind = #qopt.kind<l2>, axes = array<i64: 0>, keepdims = true} : (tensor<4xi64>) -> tensor<1xi64>
      return %0 : tensor<1xi64>
    })")
                .find("has no kernel: elements are of type i64"),
            std::string::npos);
}

// Which limit is met first depends on the device.
TEST_F(DeviceTest, RefusesTensorsThatAreTooLarge) {
  std::string failure = failureOfRun(R"(
    func.func @main(%x: tensor<1x1xi8>) -> tensor<65536x32768xi8> {
      %s = qopt.constant(dense<[65536, 32768]> : tensor<2xi64>) : tensor<2xi64>
      %0 = qopt.expand %x, %s : (tensor<1x1xi8>, tensor<2xi64>) -> tensor<65536x32768xi8>
      return %0 : tensor<65536x32768xi8>
    })");
  if (failure != "3: a tensor is too large for Vulkan")
    EXPECT_NE(failure.find("3: the Vulkan device binds at most"),
              std::string::npos)
        << failure;
}

static constexpr char kNegation[] = R"(
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = qopt.neg %x : (tensor<4xf32>) -> tensor<4xf32>
      return %0 : tensor<4xf32>
    })";

TEST_F(DeviceTest, RunsOnTheDeviceThatIsNamed) {
  setenv("QOPT_VULKAN_DEVICE", "0", 1);
  expectNearReference(kNegation);
  setenv("QOPT_VULKAN_DEVICE", "7", 1);
  EXPECT_EQ(failureOfRun(kNegation),
            "2: QOPT_VULKAN_DEVICE=7 names no device; there are 1");
  setenv("QOPT_VULKAN_DEVICE", "gpu", 1);
  EXPECT_EQ(failureOfRun(kNegation),
            "2: QOPT_VULKAN_DEVICE=gpu names no device; there are 1");
  unsetenv("QOPT_VULKAN_DEVICE");
}

TEST_F(DeviceTest, SaysThatThereIsNoDriver) {
  const char *named = getenv("VK_ICD_FILENAMES");
  std::string driver = named ? named : "";
  setenv("VK_ICD_FILENAMES", "/nowhere.json", 1);
  std::string failure = failureOfRun(kNegation);
  if (named)
    setenv("VK_ICD_FILENAMES", driver.c_str(), 1);
  else
    unsetenv("VK_ICD_FILENAMES");
  EXPECT_EQ(failure, "3: Vulkan cannot be started: there is no driver");
}

TEST_F(DeviceTest, ConvolvesMxBlocksOfChannels) {
  expectNearReference(R"(
    func.func @main(%x: tensor<2x40x5x5xf32>, %w: tensor<4x40x3x3xf8E4M3FN> {test.constant},
                    %s: tensor<4x2x3x3xf8E8M0FNU> {test.constant}) -> tensor<2x4x5x5xf32> {
      %q, %sx = qopt.quantize_dynamic %x {format = #qopt.format<"mxfp8-e4m3", axis = 1>}
        : (tensor<2x40x5x5xf32>) -> (tensor<2x40x5x5xf8E4M3FN>, tensor<2x2x5x5xf8E8M0FNU>)
      %0 = qopt.conv %q scales(%sx), %w scales(%s) {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>,
        dilations = array<i64: 1, 1>, x_format = #qopt.format<"mxfp8-e4m3", axis = 1>,
        w_format = #qopt.format<"mxfp8-e4m3", axis = 1>}
        : (tensor<2x40x5x5xf8E4M3FN>, tensor<2x2x5x5xf8E8M0FNU>, tensor<4x40x3x3xf8E4M3FN>, tensor<4x2x3x3xf8E8M0FNU>)
        -> tensor<2x4x5x5xf32>
      return %0 : tensor<2x4x5x5xf32>
    })");
}

TEST_F(DeviceTest, ReducesAndAverages) {
  expectNearReference(R"(
    func.func @main(%x: tensor<2x3x7x6xf32>) -> (tensor<2x7xf32>, tensor<2x3x3x3xf32>) {
      %0 = qopt.reduce %x {kind = #qopt.kind<l2>, axes = array<i64: 1, 3>, keepdims = false} : (tensor<2x3x7x6xf32>) -> tensor<2x7xf32>
      %1 = qopt.average_pool %x {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
        ceil_mode = false, count_include_pad = true} : (tensor<2x3x7x6xf32>) -> tensor<2x3x3x3xf32>
      return %0, %1 : tensor<2x7xf32>, tensor<2x3x3x3xf32>
    })",
                      kBound);
}

TEST_F(DeviceTest, ComputesShapesOnTheHost) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x4x6xf32>) -> tensor<?x3x8xf32> {
      %s = qopt.shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?x4x6xf32>) -> tensor<1xi64>
      %c = qopt.constant(dense<[3, 8]> : tensor<2xi64>) : tensor<2xi64>
      %d = qopt.concat %s, %c {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
      %r = qopt.reshape %x, %d : (tensor<?x4x6xf32>, tensor<3xi64>) -> tensor<?x3x8xf32>
      %0 = qopt.neg %r : (tensor<?x3x8xf32>) -> tensor<?x3x8xf32>
      return %0 : tensor<?x3x8xf32>
    })",
                      0, {5});
}

/// The host reads the number of elements, and the device gathers by what the
/// host found.
TEST_F(DeviceTest, MakesDimsOfWhatItComputed) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x40xf32>, %n: tensor<2xi64> {test.codes = array<i32: -20, 20>})
        -> (tensor<2x?xi64>, tensor<?x40xf32>, tensor<?x?xf32>) {
      %zero = qopt.constant(dense<0.0> : tensor<1xf32>) : tensor<1xf32>
      %m = qopt.greater %x, %zero : (tensor<?x40xf32>, tensor<1xf32>) -> tensor<?x40xi1>
      %w = qopt.cast %m : (tensor<?x40xi1>) -> tensor<?x40xi64>
      %c = qopt.reduce %w {kind = #qopt.kind<sum>, axes = array<i64: 0, 1>, keepdims = false} : (tensor<?x40xi64>) -> tensor<i64>
      %0 = qopt.non_zero %m, %c : (tensor<?x40xi1>, tensor<i64>) -> tensor<2x?xi64>
      %first = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
      %rows = qopt.gather %0, %first {axis = 0 : i64} : (tensor<2x?xi64>, tensor<i64>) -> tensor<?xi64>
      %1 = qopt.gather %x, %rows {axis = 0 : i64} : (tensor<?x40xf32>, tensor<?xi64>) -> tensor<?x40xf32>
      %t = qopt.abs %n : (tensor<2xi64>) -> tensor<2xi64>
      %2 = qopt.reshape %x, %t : (tensor<?x40xf32>, tensor<2xi64>) -> tensor<?x?xf32>
      %3 = qopt.neg %2 : (tensor<?x?xf32>) -> tensor<?x?xf32>
      return %0, %1, %3 : tensor<2x?xi64>, tensor<?x40xf32>, tensor<?x?xf32>
    })",
                      0, {10, 10});
}

/// What is asked of numbers of the host is asked there.
TEST_F(DeviceTest, MakesRanges) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?xi64>) -> tensor<?xi64> {
      %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
      %two = qopt.constant(dense<2> : tensor<i64>) : tensor<i64>
      %n = qopt.shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?xi64>) -> tensor<1xi64>
      %m = qopt.squeeze %n {axes = array<i64: 0>} : (tensor<1xi64>) -> tensor<i64>
      %0 = qopt.range %zero, %m, %two : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
      return %0 : tensor<?xi64>
    })",
                      0, {9});
}

/// A tensor grows, a list is carried beside, and a branch takes both.
TEST_F(DeviceTest, LoopsAndBranches) {
  expectNearReference(R"(
    func.func @main(%x: tensor<?x4xf32>, %trips: tensor<i64> {test.codes = array<i32: 5>},
                    %taken: tensor<i1>) -> (tensor<?x4xf32>, tensor<i64>, tensor<?x4xf32>) {
      %c0 = arith.constant 0 : i64
      %c2 = arith.constant 2 : i64
      %w = qopt.constant(dense<[[0.5, -1.0, 0.25, 2.0]]> : tensor<1x4xf32>) : tensor<1x4xf32>
      %zero = tensor.from_elements %c0 : tensor<i64>
      %two = qopt.add %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
      %end = tensor.extract %trips[] : tensor<i64>
      %0:2 = scf.for %i = %c0 to %end step %c2
          iter_args(%joined = %x, %sum = %zero) -> (tensor<?x4xf32>, tensor<i64>) : i64 {
        %at = tensor.from_elements %i : tensor<i64>
        %next = qopt.add %sum, %at : (tensor<i64>, tensor<i64>) -> tensor<i64>
        %m = qopt.mul %joined, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x4xf32>
        %more = qopt.concat %m, %two {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
        scf.yield %more, %next : tensor<?x4xf32>, tensor<i64>
      }
      %condition = tensor.extract %taken[] : tensor<i1>
      %1 = scf.if %condition -> (tensor<?x4xf32>) {
        %m = qopt.mul %0#0, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x4xf32>
        scf.yield %m : tensor<?x4xf32>
      } else {
        scf.yield %two : tensor<?x4xf32>
      }
      return %0#0, %0#1, %1 : tensor<?x4xf32>, tensor<i64>, tensor<?x4xf32>
    })",
                      0, {3});
}

/// The device decides how long a loop runs. Two tensors change places.
TEST_F(DeviceTest, LoopsWhileTheDeviceSaysSo) {
  expectNearReference(R"(
    func.func @main(%a: tensor<?xf32>, %b: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
      %limit = qopt.constant(dense<1000.0> : tensor<1xf32>) : tensor<1xf32>
      %shape = qopt.constant(dense<[-1]> : tensor<1xi64>) : tensor<1xi64>
      %true = arith.constant true
      %0:4 = scf.while (%goes = %true, %p = %a, %q = %b, %kept = %a)
          : (i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) -> (i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
        scf.condition(%goes) %goes, %p, %q, %kept : i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
      } do {
      ^bb0(%goes: i1, %p: tensor<?xf32>, %q: tensor<?xf32>, %kept: tensor<?xf32>):
        %s = qopt.add %p, %p : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
        %m = qopt.reduce %s {axes = array<i64: 0>, kind = #qopt.kind<max>, keepdims = true} : (tensor<?xf32>) -> tensor<1xf32>
        %less = qopt.less %m, %limit : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
        %index = arith.constant 0 : index
        %goesOn = tensor.extract %less[%index] : tensor<1xi1>
        %r = scf.if %goesOn -> (tensor<?xf32>) {
          %view = qopt.reshape %s, %shape : (tensor<?xf32>, tensor<1xi64>) -> tensor<?xf32>
          scf.yield %view : tensor<?xf32>
        } else {
          %n = qopt.neg %s : (tensor<?xf32>) -> tensor<?xf32>
          scf.yield %n : tensor<?xf32>
        }
        scf.yield %goesOn, %q, %r, %kept : i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
      }
      return %0#1, %0#2, %0#3 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
    })",
                      0, {9, 9});
}

/// More shaders than one submit takes.
TEST_F(DeviceTest, LoopsForLong) {
  expectNearReference(R"(
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %end = arith.constant 10001 : index
      %0 = scf.for %i = %c0 to %end step %c1 iter_args(%y = %x) -> (tensor<4xf32>) {
        %1 = qopt.neg %y : (tensor<4xf32>) -> tensor<4xf32>
        scf.yield %1 : tensor<4xf32>
      }
      return %0 : tensor<4xf32>
    })");
}

/// What the device found wrong is told before what the host made of it.
TEST_F(DeviceTest, TellsWhatIsWrongWhereTheHostWaits) {
  EXPECT_EQ(failureOfRun(R"(
    func.func @main(%x: tensor<200xi64>, %i: tensor<1xi64> {test.codes = array<i32: 200>}) -> tensor<?xi64> {
      %0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<200xi64>, tensor<1xi64>) -> tensor<1xi64>
      %1 = qopt.expand %x, %0 : (tensor<200xi64>, tensor<1xi64>) -> tensor<?xi64>
      return %1 : tensor<?xi64>
    })"),
            "1: an index is out of range of axis 0, which is from -200 to 199");
}

/// Also where only the branch that is not taken waited before.
TEST_F(DeviceTest, TellsWhatIsWrongInEachBranch) {
  EXPECT_EQ(failureOfRun(R"(
    func.func @main(%x: tensor<200xi64>, %i: tensor<1xi64> {test.codes = array<i32: 200>},
                    %taken: tensor<i1> {test.codes = array<i32: 0>}) -> tensor<?xi64> {
      %0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<200xi64>, tensor<1xi64>) -> tensor<1xi64>
      %condition = tensor.extract %taken[] : tensor<i1>
      %1 = scf.if %condition -> (tensor<?xi64>) {
        %2 = qopt.expand %x, %0 : (tensor<200xi64>, tensor<1xi64>) -> tensor<?xi64>
        scf.yield %2 : tensor<?xi64>
      } else {
        %n = qopt.neg %0 : (tensor<1xi64>) -> tensor<1xi64>
        %2 = qopt.expand %x, %n : (tensor<200xi64>, tensor<1xi64>) -> tensor<?xi64>
        scf.yield %2 : tensor<?xi64>
      }
      return %1 : tensor<?xi64>
    })"),
            "1: an index is out of range of axis 0, which is from -200 to 199");
}

/// The dims of an iteration are not made of what the one before found wrong.
TEST_F(DeviceTest, TellsWhatIsWrongBeforeTheNextIteration) {
  EXPECT_EQ(failureOfRun(R"(
    func.func @main(%x: tensor<200xi64>) -> (tensor<?xi64>, tensor<1xi64>) {
      %c200 = arith.constant 200 : i64
      %c1 = arith.constant 1 : i64
      %c202 = arith.constant 202 : i64
      %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
      %shape = qopt.constant(dense<[-1]> : tensor<1xi64>) : tensor<1xi64>
      %y = qopt.reshape %x, %shape : (tensor<200xi64>, tensor<1xi64>) -> tensor<?xi64>
      %0:2 = scf.for %n = %c200 to %c202 step %c1
          iter_args(%kept = %y, %d = %one) -> (tensor<?xi64>, tensor<1xi64>) : i64 {
        %1 = qopt.expand %x, %d : (tensor<200xi64>, tensor<1xi64>) -> tensor<?xi64>
        %at = tensor.from_elements %n : tensor<1xi64>
        %2 = qopt.gather %x, %at {axis = 0 : i64} : (tensor<200xi64>, tensor<1xi64>) -> tensor<1xi64>
        %3 = qopt.neg %2 : (tensor<1xi64>) -> tensor<1xi64>
        scf.yield %1, %3 : tensor<?xi64>, tensor<1xi64>
      }
      return %0#0, %0#1 : tensor<?xi64>, tensor<1xi64>
    })"),
            "1: an index is out of range of axis 0, which is from -200 to 199");
}

/// Also where a loop is left by then.
TEST_F(DeviceTest, TellsWhatWentWrongInALoop) {
  EXPECT_EQ(failureOfRun(R"(
    func.func @main(%x: tensor<200xi64>) -> tensor<200xi64> {
      %c0 = arith.constant 0 : i64
      %c1 = arith.constant 1 : i64
      %c201 = arith.constant 201 : i64
      %0 = scf.for %n = %c0 to %c201 step %c1 iter_args(%y = %x) -> (tensor<200xi64>) : i64 {
        %at = tensor.from_elements %n : tensor<1xi64>
        %1 = qopt.gather %x, %at {axis = 0 : i64} : (tensor<200xi64>, tensor<1xi64>) -> tensor<1xi64>
        %2 = qopt.add %y, %1 : (tensor<200xi64>, tensor<1xi64>) -> tensor<200xi64>
        scf.yield %2 : tensor<200xi64>
      }
      return %0 : tensor<200xi64>
    })"),
            "1: an index is out of range of axis 0, which is from -200 to 199");
}

/// A run that ends before the device begins leaves no constants behind that
/// were never brought there.
TEST_F(DeviceTest, RunsAfterAFailure) {
  expectRunAfterFailure(R"(
    func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
      %w = qopt.constant(dense<3.0> : tensor<1xf32>) : tensor<1xf32>
      %0 = qopt.mul %x, %w : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
      %1 = qopt.sub %0, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
      return %1 : tensor<?xf32>
    })",
                        {3, 2}, {3, 3});
}
