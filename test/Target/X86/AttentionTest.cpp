//===- AttentionTest.cpp - Softmax of products, times values --------------===//
//
// Numbers of keys around the block of 64, and masks of every broadcast.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

TEST(Attention, Shapes) {
  expectEqualToReference(R"mlir(
func.func @main(%q: tensor<2x3x25x20xf32>, %k: tensor<2x3x70x20xf32>, %v: tensor<2x3x70x37xf32>,
                %r: tensor<7x1xf32>, %l: tensor<128x1xf32>, %w: tensor<128x16xf32>,
                %x: tensor<1x?x?x32xf32>, %y: tensor<1x?x?x32xf32>, %z: tensor<1x?x?x32xf32>)
    -> (tensor<2x3x25x37xf32>, tensor<7x16xf32>, tensor<1x?x?x32xf32>) {
  %0 = qopt.attention %q, %k, %v {scale = 0.22 : f32} : (tensor<2x3x25x20xf32>, tensor<2x3x70x20xf32>, tensor<2x3x70x37xf32>) -> tensor<2x3x25x37xf32>
  %1 = qopt.attention %r, %l, %w {scale = 1.0 : f32} : (tensor<7x1xf32>, tensor<128x1xf32>, tensor<128x16xf32>) -> tensor<7x16xf32>
  %2 = qopt.attention %x, %y, %z {scale = 0.17 : f32} : (tensor<1x?x?x32xf32>, tensor<1x?x?x32xf32>, tensor<1x?x?x32xf32>) -> tensor<1x?x?x32xf32>
  return %0, %1, %2 : tensor<2x3x25x37xf32>, tensor<7x16xf32>, tensor<1x?x?x32xf32>
})mlir",
                         {2, 130, 2, 130, 2, 130});
}

TEST(Attention, Masks) {
  expectEqualToReference(R"mlir(
func.func @main(%q: tensor<2x3x5x20xf32>, %k: tensor<2x3x70x20xf32>, %v: tensor<2x3x70x16xf32>,
                %m: tensor<2x1x5x70xf32>, %n: tensor<70xf32>, %o: tensor<2x3x5x1xf32>, %p: tensor<1x1x?x?xf32>)
    -> (tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>) {
  %0 = qopt.attention %q, %k, %v, %m {scale = 0.22 : f32} : (tensor<2x3x5x20xf32>, tensor<2x3x70x20xf32>, tensor<2x3x70x16xf32>, tensor<2x1x5x70xf32>) -> tensor<2x3x5x16xf32>
  %1 = qopt.attention %q, %k, %v, %n {scale = 0.22 : f32} : (tensor<2x3x5x20xf32>, tensor<2x3x70x20xf32>, tensor<2x3x70x16xf32>, tensor<70xf32>) -> tensor<2x3x5x16xf32>
  %2 = qopt.attention %q, %k, %v, %o {scale = 0.22 : f32} : (tensor<2x3x5x20xf32>, tensor<2x3x70x20xf32>, tensor<2x3x70x16xf32>, tensor<2x3x5x1xf32>) -> tensor<2x3x5x16xf32>
  %3 = qopt.attention %q, %k, %v, %p {scale = 0.22 : f32} : (tensor<2x3x5x20xf32>, tensor<2x3x70x20xf32>, tensor<2x3x70x16xf32>, tensor<1x1x?x?xf32>) -> tensor<2x3x5x16xf32>
  return %0, %1, %2, %3 : tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>, tensor<2x3x5x16xf32>
})mlir",
                         {1, 70});
}

/// A row without any key that counts is no number, or 0 where the op says so;
/// without keys every row is 0.
TEST(Attention, MaskOfMinusInfinity) {
  const char *text = R"mlir(
func.func @main(%q: tensor<3x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %m = qopt.constant(dense<[[0.0], [0xFF800000], [1.0]]> : tensor<3x1xf32>) : tensor<3x1xf32>
  %0 = qopt.attention %q, %k, %v, %m {scale = 1.0 : f32} : (tensor<3x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<3x1xf32>) -> tensor<3x8xf32>
  %1 = qopt.attention %q, %k, %v, %m {scale = 1.0 : f32, masked_rows_are_zero} : (tensor<3x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<3x1xf32>) -> tensor<3x8xf32>
  return %0, %1 : tensor<3x8xf32>, tensor<3x8xf32>
})mlir";
  for (int64_t keys : {0, 1, 70, 128})
    expectEqualToReference(text, {keys, keys});
}
