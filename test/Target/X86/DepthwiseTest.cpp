//===- DepthwiseTest.cpp - Convolutions of one channel by one kernel ------===//
//
// Borders, strides and rows that do not fill their last vector.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;
using qopt::test::messageOfRun;
using testing::HasSubstr;

TEST(Depthwise, Floats) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xf32>, %wa: tensor<5x1x3x3xf32> {test.constant}, %ba: tensor<5xf32> {test.constant},
                %b: tensor<1x3x33x35xf32>, %wb: tensor<6x1x5x5xf32> {test.constant},
                %c: tensor<2x4x50xf32>, %wc: tensor<4x1x3xf32> {test.constant},
                %d: tensor<?x3x?x?xf32>, %wd: tensor<3x1x2x3xf32> {test.constant})
    -> (tensor<2x5x9x21xf32>, tensor<1x6x17x18xf32>, tensor<2x4x50xf32>, tensor<?x3x?x?xf32>) {
  %0 = qopt.conv %a, %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 5 : i64} : (tensor<2x5x9x21xf32>, tensor<5x1x3x3xf32>, tensor<5xf32>) -> tensor<2x5x9x21xf32>
  %1 = qopt.conv %b, %wb {strides = array<i64: 2, 2>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<1x3x33x35xf32>, tensor<6x1x5x5xf32>) -> tensor<1x6x17x18xf32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>, group = 4 : i64} : (tensor<2x4x50xf32>, tensor<4x1x3xf32>) -> tensor<2x4x50xf32>
  %3 = qopt.conv %d, %wd {strides = array<i64: 2, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 2, 3>, group = 3 : i64} : (tensor<?x3x?x?xf32>, tensor<3x1x2x3xf32>) -> tensor<?x3x?x?xf32>
  return %0, %1, %2, %3 : tensor<2x5x9x21xf32>, tensor<1x6x17x18xf32>, tensor<2x4x50xf32>, tensor<?x3x?x?xf32>
})mlir",
                         {2, 13, 41});
}

TEST(Depthwise, Codes) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xi8>, %za: tensor<1x1x1x1xi8> {test.constant}, %wa: tensor<5x1x3x3xi8> {test.constant}, %ba: tensor<5xi32> {test.constant},
                %b: tensor<1x3x33x35xui8>, %zb: tensor<1xui8>, %wb: tensor<6x1x5x5xui8> {test.constant}, %zw: tensor<1xui8> {test.constant})
    -> (tensor<2x5x9x21xi32>, tensor<1x6x17x18xi32>) {
  %0 = qopt.conv %a zeros(%za), %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 5 : i64} : (tensor<2x5x9x21xi8>, tensor<1x1x1x1xi8>, tensor<5x1x3x3xi8>, tensor<5xi32>) -> tensor<2x5x9x21xi32>
  %1 = qopt.conv %b zeros(%zb), %wb zeros(%zw) {strides = array<i64: 2, 2>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<1x3x33x35xui8>, tensor<1xui8>, tensor<6x1x5x5xui8>, tensor<1xui8>) -> tensor<1x6x17x18xi32>
  return %0, %1 : tensor<2x5x9x21xi32>, tensor<1x6x17x18xi32>
})mlir");
}

/// How many outputs an input channel has shows when it runs.
TEST(Depthwise, WeightsOfAnOpenNumberOfChannels) {
  const char *text = R"mlir(
func.func @main(%x: tensor<2x3x5x7xf32>, %w: tensor<?x1x3x3xf32>) -> tensor<2x?x5x7xf32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 3 : i64}
    : (tensor<2x3x5x7xf32>, tensor<?x1x3x3xf32>) -> tensor<2x?x5x7xf32>
  return %0 : tensor<2x?x5x7xf32>
})mlir";
  for (int64_t outputs : {3, 6, 9})
    expectEqualToReference(text, {outputs});
  EXPECT_THAT(messageOfRun(text, {7}), HasSubstr("do not fill the groups"));
}
