//===- MapTest.cpp - Element-wise kernels against Reference ---------------===//
//
// Sizes around the lanes, broadcasting that only a run decides, every type.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

TEST(X86Map, AddsVectorsOfEverySizeAroundTheLanes) {
  for (int64_t size : {0, 1, 15, 16, 17, 33, 20000})
    expectEqualToReference(R"mlir(
      func.func @main(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
        %0 = qopt.add %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
        return %0 : tensor<?xf32>
      })mlir",
                           {size, size});
}

TEST(X86Map, BroadcastsDimsThatOnlyTheRunKnows) {
  const char *text = R"mlir(
    func.func @main(%a: tensor<?x?x?xf32>, %b: tensor<?x?xf32>)
        -> tensor<?x?x?xf32> {
      %0 = qopt.mul %a, %b : (tensor<?x?x?xf32>, tensor<?x?xf32>)
        -> tensor<?x?x?xf32>
      return %0 : tensor<?x?x?xf32>
    })mlir";
  expectEqualToReference(text, {2, 3, 17, 3, 17});
  expectEqualToReference(text, {2, 3, 17, 3, 1});
  expectEqualToReference(text, {2, 3, 17, 1, 17});
  expectEqualToReference(text, {2, 3, 1, 3, 17});
  expectEqualToReference(text, {2, 1, 33, 5, 1});
  expectEqualToReference(text, {0, 3, 17, 3, 17});
  expectEqualToReference(text, {2, 3, 0, 3, 1});
}

TEST(X86Map, EvaluatesActivations) {
  for (const char *op : {"relu", "sigmoid", "tanh", "erf", "exp", "log", "sqrt",
                         "reciprocal", "neg", "abs", "floor", "ceil", "round",
                         "sin", "cos", "softplus", "silu", "hard_swish"})
    expectEqualToReference(std::string(R"mlir(
      func.func @main(%a: tensor<7x33xf32>) -> tensor<7x33xf32> {
        %0 = qopt.)mlir") + op +
                           R"mlir( %a : (tensor<7x33xf32>)
          -> tensor<7x33xf32>
        return %0 : tensor<7x33xf32>
      })mlir");
}

TEST(X86Map, FusesABodyWithBroadcastOperands) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x17x5xf32>, %bias: tensor<17x1xf32> {test.constant},
                    %s: tensor<f32>) -> tensor<?x17x5xf32> {
      %0 = qkernel.map(%x, %bias, %s) : (tensor<?x17x5xf32>, tensor<17x1xf32>,
          tensor<f32>) -> tensor<?x17x5xf32>
          (%a: tensor<?x17x5xf32>, %b: tensor<17x1xf32>, %c: tensor<f32>) {
        %1 = qopt.add %a, %b : (tensor<?x17x5xf32>, tensor<17x1xf32>)
          -> tensor<?x17x5xf32>
        %2 = qopt.gelu %1 : (tensor<?x17x5xf32>) -> tensor<?x17x5xf32>
        %3 = qopt.mul %2, %c : (tensor<?x17x5xf32>, tensor<f32>)
          -> tensor<?x17x5xf32>
        %4 = qopt.clip %3 {low = -0.5 : f32, high = 1.25 : f32}
          : (tensor<?x17x5xf32>) -> tensor<?x17x5xf32>
        qkernel.yield %4 : tensor<?x17x5xf32>
      }
      return %0 : tensor<?x17x5xf32>
    })mlir",
                         {3});
}

TEST(X86Map, ComputesOnIntegersAndBooleans) {
  expectEqualToReference(R"mlir(
    func.func @main(%a: tensor<?xi64>, %b: tensor<?xi64>, %c: tensor<?xi32>,
                    %m: tensor<?xi1>) -> (tensor<?xi64>, tensor<?xi64>,
                    tensor<?xi64>, tensor<?xi1>, tensor<?xi32>, tensor<?xi1>) {
      %0 = qopt.div %a, %b : (tensor<?xi64>, tensor<?xi64>) -> tensor<?xi64>
      %1 = qopt.mod %a, %b : (tensor<?xi64>, tensor<?xi64>) -> tensor<?xi64>
      %2 = qopt.where %m, %a, %b : (tensor<?xi1>, tensor<?xi64>, tensor<?xi64>)
        -> tensor<?xi64>
      %3 = qopt.less %a, %b : (tensor<?xi64>, tensor<?xi64>) -> tensor<?xi1>
      %4 = qopt.mul %c, %c : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
      %5 = qopt.xor %3, %m : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
      return %0, %1, %2, %3, %4, %5 : tensor<?xi64>, tensor<?xi64>,
        tensor<?xi64>, tensor<?xi1>, tensor<?xi32>, tensor<?xi1>
    })mlir",
                         {37, 37, 37, 37});
}

TEST(X86Map, CastsBetweenTypes) {
  const std::string types[] = {"f32", "f16",      "bf16",    "i8",
                               "ui8", "i32",      "i64",     "i1",
                               "i4",  "f8E4M3FN", "f4E2M1FN"};
  for (const std::string &from : types) {
    std::string text = "func.func @main(%a: tensor<35x" + from + ">) -> (";
    std::string casts, values, results;
    for (const std::string &to : types) {
      std::string number = std::to_string(&to - types);
      std::string result = "tensor<35x" + to + ">";
      casts += "%r" + number + " = qopt.cast %a : (tensor<35x" + from +
               ">) -> " + result + "\n";
      values += (values.empty() ? "%r" : ", %r") + number;
      results += (results.empty() ? "" : ", ") + result;
    }
    SCOPED_TRACE(from);
    expectEqualToReference(text + results + ") {\n" + casts + "return " +
                           values + " : " + results + "\n}");
  }
}

TEST(X86Map, QuantizesAndDequantizes) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x5x33xf32>, %s: tensor<1x5x1xf16> {test.constant},
                    %z: tensor<1x5x1xi8> {test.constant})
        -> (tensor<?x5x33xi8>, tensor<?x5x33xf32>) {
      %0 = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<i8, axis = 1>}
        : (tensor<?x5x33xf32>, tensor<1x5x1xf16>, tensor<1x5x1xi8>)
        -> tensor<?x5x33xi8>
      %1 = qopt.dequantize %0 scales(%s) zeros(%z) {format = #qopt.format<i8, axis = 1>}
        : (tensor<?x5x33xi8>, tensor<1x5x1xf16>, tensor<1x5x1xi8>)
        -> tensor<?x5x33xf32>
      return %0, %1 : tensor<?x5x33xi8>, tensor<?x5x33xf32>
    })mlir",
                         {3});
}

TEST(X86Map, DequantizesBlocksAlongTheLanesAndAcrossThem) {
  expectEqualToReference(R"mlir(
    func.func @main(%c: tensor<3x70xf4E2M1FN>, %s: tensor<3x3xf8E8M0FNU>)
        -> tensor<3x70xf32> {
      %0 = qopt.dequantize %c scales(%s) {format = #qopt.format<mxfp4, axis = 1>}
        : (tensor<3x70xf4E2M1FN>, tensor<3x3xf8E8M0FNU>) -> tensor<3x70xf32>
      return %0 : tensor<3x70xf32>
    })mlir");
  expectEqualToReference(R"mlir(
    func.func @main(%c: tensor<70x19xf6E3M2FN>, %s: tensor<3x19xf8E8M0FNU>)
        -> tensor<70x19xf32> {
      %0 = qopt.dequantize %c scales(%s) {format = #qopt.format<"mxfp6-e3m2", axis = 0>}
        : (tensor<70x19xf6E3M2FN>, tensor<3x19xf8E8M0FNU>) -> tensor<70x19xf32>
      return %0 : tensor<70x19xf32>
    })mlir");
  expectEqualToReference(R"mlir(
    func.func @main(%c: tensor<5x30xui4>, %s: tensor<5x8xf16>, %z: tensor<5x8xui4>)
        -> tensor<5x30xf32> {
      %0 = qopt.dequantize %c scales(%s) zeros(%z)
        {format = #qopt.format<ui4, axis = 1, block = 4, scale = f16, zero = ui4>}
        : (tensor<5x30xui4>, tensor<5x8xf16>, tensor<5x8xui4>) -> tensor<5x30xf32>
      return %0 : tensor<5x30xf32>
    })mlir");
}

TEST(X86Map, RequantizesShiftsAndLooksUp) {
  expectEqualToReference(R"mlir(
    func.func @main(%acc: tensor<?x33xi32>, %m: tensor<1x33xf32> {test.constant},
                    %z: tensor<1x1xi8>, %k: tensor<1x1xi8>,
                    %t: tensor<256xi8> {test.constant})
        -> (tensor<?x33xi8>, tensor<?x33xi8>, tensor<?x33xi8>) {
      %0 = qopt.requantize %acc, %m, %z {min = -128 : i64, max = 127 : i64}
        : (tensor<?x33xi32>, tensor<1x33xf32>, tensor<1x1xi8>) -> tensor<?x33xi8>
      %1 = qopt.shift %acc, %k {min = -100 : i64, max = 127 : i64}
        : (tensor<?x33xi32>, tensor<1x1xi8>) -> tensor<?x33xi8>
      %2 = qopt.lookup %0, %t : (tensor<?x33xi8>, tensor<256xi8>) -> tensor<?x33xi8>
      return %0, %1, %2 : tensor<?x33xi8>, tensor<?x33xi8>, tensor<?x33xi8>
    })mlir",
                         {5});
}

TEST(X86Map, NormalizesBatchesByChannel) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x3x7x5xf32>, %s: tensor<3xf32> {test.constant},
                    %b: tensor<3xf32>, %m: tensor<3xf32>, %v: tensor<3xf16>)
        -> tensor<?x3x7x5xf32> {
      %v32 = qopt.cast %v : (tensor<3xf16>) -> tensor<3xf32>
      %0 = qopt.batch_norm %x, %s, %b, %m, %v32 {epsilon = 1.0e-5 : f32}
        : (tensor<?x3x7x5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>,
           tensor<3xf32>) -> tensor<?x3x7x5xf32>
      return %0 : tensor<?x3x7x5xf32>
    })mlir",
                         {2});
}

TEST(X86Map, LimitsOfTwoZerosAreTheSecond) {
  // All pairs of zeros of both signs, over more than a vector.
  std::string x, y;
  for (int i = 0; i < 10; ++i) {
    x += "00000000000000800000000000000080";
    y += "00000000000000000000008000000080";
  }
  expectEqualToReference(
      "func.func @main() -> (tensor<40xf32>, tensor<40xf32>, "
      "tensor<40xf32>, tensor<40xf32>, tensor<40xf32>, "
      "tensor<40xf32>) {\n%x = qopt.constant(#qopt.weight<\"hex:" +
      x + "\">) : tensor<40xf32>\n" +
      "%y = qopt.constant(#qopt.weight<\"hex:" + y +
      R"mlir(">) : tensor<40xf32>
      %0 = qopt.max %x, %y : (tensor<40xf32>, tensor<40xf32>) -> tensor<40xf32>
      %1 = qopt.min %x, %y : (tensor<40xf32>, tensor<40xf32>) -> tensor<40xf32>
      %2 = qopt.relu %x : (tensor<40xf32>) -> tensor<40xf32>
      %3 = qopt.clip %x {low = 0.0 : f32, high = 6.0 : f32} : (tensor<40xf32>) -> tensor<40xf32>
      %4 = qopt.clip %x {low = -0.0 : f32, high = 6.0 : f32} : (tensor<40xf32>) -> tensor<40xf32>
      %5 = qopt.clip %x {high = -0.0 : f32} : (tensor<40xf32>) -> tensor<40xf32>
      return %0, %1, %2, %3, %4, %5 : tensor<40xf32>, tensor<40xf32>, tensor<40xf32>,
        tensor<40xf32>, tensor<40xf32>, tensor<40xf32>
    })mlir");
}

TEST(X86Map, ReadsScalesOfBlocksAlongAnAxisOfOneElement) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<2x1x3x7xf32>, %s: tensor<2x1x3x7xf32>, %c: tensor<2x1x3x7xi8>)
        -> (tensor<2x1x3x7xi8>, tensor<2x1x3x7xf32>) {
      %0 = qopt.quantize %x scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>}
        : (tensor<2x1x3x7xf32>, tensor<2x1x3x7xf32>) -> tensor<2x1x3x7xi8>
      %1 = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>}
        : (tensor<2x1x3x7xi8>, tensor<2x1x3x7xf32>) -> tensor<2x1x3x7xf32>
      return %0, %1 : tensor<2x1x3x7xi8>, tensor<2x1x3x7xf32>
    })mlir");
}
