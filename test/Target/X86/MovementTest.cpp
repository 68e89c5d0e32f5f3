//===- MovementTest.cpp - Copies and shapes against Reference -------------===//
//
// Dims and indices that only a run knows, empty tensors, narrow elements.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

TEST(X86Movement, Transposes) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x3x?x5xf32>, %c: tensor<7x?xi8>)
        -> (tensor<?x?x3x5xf32>, tensor<3x?x5x?xf32>, tensor<?x7xi8>) {
      %0 = qopt.transpose %x {perm = array<i64: 0, 2, 1, 3>}
        : (tensor<?x3x?x5xf32>) -> tensor<?x?x3x5xf32>
      %1 = qopt.transpose %x {perm = array<i64: 1, 2, 3, 0>}
        : (tensor<?x3x?x5xf32>) -> tensor<3x?x5x?xf32>
      %2 = qopt.transpose %c {perm = array<i64: 1, 0>}
        : (tensor<7x?xi8>) -> tensor<?x7xi8>
      return %0, %1, %2 : tensor<?x?x3x5xf32>, tensor<3x?x5x?xf32>, tensor<?x7xi8>
    })mlir";
  expectEqualToReference(text, {2, 17, 33});
  expectEqualToReference(text, {0, 17, 1});
}

TEST(X86Movement, ReshapesShareMemory) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x12xf32>) -> (tensor<?x3x4xf32>, tensor<1x?xf32>,
                    tensor<?x12xf32>, tensor<?x12xf32>) {
      %s = qopt.constant(dense<[0, 3, -1]> : tensor<3xi64>) : tensor<3xi64>
      %0 = qopt.reshape %x, %s : (tensor<?x12xf32>, tensor<3xi64>) -> tensor<?x3x4xf32>
      %1 = qopt.neg %0 : (tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
      %2 = qopt.flatten %1 {axis = 0 : i64} : (tensor<?x3x4xf32>) -> tensor<1x?xf32>
      %3 = qopt.flatten %1 {axis = 1 : i64} : (tensor<?x3x4xf32>) -> tensor<?x12xf32>
      %4 = qopt.unsqueeze %3 {axes = array<i64: 0>} : (tensor<?x12xf32>) -> tensor<1x?x12xf32>
      %5 = qopt.squeeze %4 {axes = array<i64: 0>} : (tensor<1x?x12xf32>) -> tensor<?x12xf32>
      %6 = qopt.add %5, %3 : (tensor<?x12xf32>, tensor<?x12xf32>) -> tensor<?x12xf32>
      return %0, %2, %6, %x : tensor<?x3x4xf32>, tensor<1x?xf32>, tensor<?x12xf32>, tensor<?x12xf32>
    })mlir",
                         {5});
}

TEST(X86Movement, SlicesInBothDirections) {
  const char *text = R"mlir(
    func.func @main(%x: tensor<?x9x7xf32>, %from: tensor<1xi64>, %to: tensor<1xi64>)
        -> (tensor<?x9x7xf32>, tensor<?x4x7xf32>, tensor<?x9x4xf32>, tensor<?x2x7xf32>) {
      %0 = qopt.slice %x, %from, %to {axes = array<i64: 0>}
        : (tensor<?x9x7xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x9x7xf32>
      %s1 = qopt.constant(dense<[-6]> : tensor<1xi64>) : tensor<1xi64>
      %e1 = qopt.constant(dense<[-2]> : tensor<1xi64>) : tensor<1xi64>
      %1 = qopt.slice %x, %s1, %e1 {axes = array<i64: 1>}
        : (tensor<?x9x7xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x4x7xf32>
      %s2 = qopt.constant(dense<[9223372036854775807]> : tensor<1xi64>) : tensor<1xi64>
      %e2 = qopt.constant(dense<[-9223372036854775808]> : tensor<1xi64>) : tensor<1xi64>
      %d2 = qopt.constant(dense<[-2]> : tensor<1xi64>) : tensor<1xi64>
      %2 = qopt.slice %x, %s2, %e2, %d2 {axes = array<i64: 2>}
        : (tensor<?x9x7xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x9x4xf32>
      %s3 = qopt.constant(dense<[1]> : tensor<1xi64>) : tensor<1xi64>
      %e3 = qopt.constant(dense<[8]> : tensor<1xi64>) : tensor<1xi64>
      %d3 = qopt.constant(dense<[4]> : tensor<1xi64>) : tensor<1xi64>
      %3 = qopt.slice %x, %s3, %e3, %d3 {axes = array<i64: 1>}
        : (tensor<?x9x7xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2x7xf32>
      return %0, %1, %2, %3 : tensor<?x9x7xf32>, tensor<?x4x7xf32>, tensor<?x9x4xf32>, tensor<?x2x7xf32>
    })mlir";
  expectEqualToReference(text, {5});
  expectEqualToReference(text, {0});
}

TEST(X86Movement, JoinsAndSplits) {
  expectEqualToReference(R"mlir(
    func.func @main(%a: tensor<?x2x5xf32>, %b: tensor<?x3x5xf32>, %c: tensor<4xi64>)
        -> (tensor<?x5x5xf32>, tensor<?x5x1xf32>, tensor<?x5x4xf32>, tensor<8xi64>) {
      %0 = qopt.concat %a, %b {axis = 1 : i64}
        : (tensor<?x2x5xf32>, tensor<?x3x5xf32>) -> tensor<?x5x5xf32>
      %1:2 = qopt.split %0 {axis = 2 : i64, sizes = array<i64: 1, 4>}
        : (tensor<?x5x5xf32>) -> (tensor<?x5x1xf32>, tensor<?x5x4xf32>)
      %2 = qopt.concat %c, %c {axis = 0 : i64} : (tensor<4xi64>, tensor<4xi64>) -> tensor<8xi64>
      return %0, %1#0, %1#1, %2 : tensor<?x5x5xf32>, tensor<?x5x1xf32>, tensor<?x5x4xf32>, tensor<8xi64>
    })mlir",
                         {3, 3});
}

TEST(X86Movement, GathersRowsAndElements) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<9x?xf32>, %i: tensor<?x2xi64>, %j: tensor<3xi32> {test.constant})
        -> (tensor<?x2x?xf32>, tensor<9x2xf32>) {
      %c = qopt.clip %i {low = -9.0 : f32, high = 8.0 : f32} : (tensor<?x2xi64>) -> tensor<?x2xi64>
      %0 = qopt.gather %x, %c {axis = 0 : i64} : (tensor<9x?xf32>, tensor<?x2xi64>) -> tensor<?x2x?xf32>
      %k = qopt.constant(dense<[-1, 3]> : tensor<2xi32>) : tensor<2xi32>
      %1 = qopt.gather %x, %k {axis = 1 : i64} : (tensor<9x?xf32>, tensor<2xi32>) -> tensor<9x2xf32>
      return %0, %1 : tensor<?x2x?xf32>, tensor<9x2xf32>
    })mlir",
                         {5, 4});
}

TEST(X86Movement, PadsExpandsAndFills) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?x3x5xf32>, %v: tensor<f32>, %r: tensor<1x3x1xf32>)
        -> (tensor<?x6x5xf32>, tensor<?x3x8xf32>, tensor<?x3x5xf32>, tensor<?x4xi64>) {
      %0 = qopt.pad %x, %v {pads = array<i64: 1, 1, 0, 0, 2, 0>}
        : (tensor<?x3x5xf32>, tensor<f32>) -> tensor<?x6x5xf32>
      %1 = qopt.pad %x {pads = array<i64: 0, 0, 3, 0, 0, 0>}
        : (tensor<?x3x5xf32>) -> tensor<?x3x8xf32>
      %s = qopt.shape %x {start = 0 : i64, end = 3 : i64} : (tensor<?x3x5xf32>) -> tensor<3xi64>
      %2 = qopt.expand %r, %s : (tensor<1x3x1xf32>, tensor<3xi64>) -> tensor<?x3x5xf32>
      %i = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
      %d = qopt.gather %s, %i {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
      %f = qopt.constant(dense<4> : tensor<1xi64>) : tensor<1xi64>
      %t = qopt.concat %d, %f {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
      %3 = qopt.constant_of_shape %t {value = dense<7> : tensor<1xi64>}
        : (tensor<2xi64>) -> tensor<?x4xi64>
      return %0, %1, %2, %3 : tensor<?x6x5xf32>, tensor<?x3x8xf32>, tensor<?x3x5xf32>, tensor<?x4xi64>
    })mlir",
                         {4});
}

TEST(X86Movement, CountsRanges) {
  expectEqualToReference(R"mlir(
    func.func @main(%x: tensor<?xf32>) -> (tensor<?xi64>, tensor<?xi64>) {
      %s = qopt.shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?xf32>) -> tensor<1xi64>
      %n = qopt.squeeze %s {axes = array<i64: 0>} : (tensor<1xi64>) -> tensor<i64>
      %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
      %two = qopt.constant(dense<2> : tensor<i64>) : tensor<i64>
      %back = qopt.constant(dense<-3> : tensor<i64>) : tensor<i64>
      %0 = qopt.range %zero, %n, %two : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
      %1 = qopt.range %n, %zero, %back : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
      return %0, %1 : tensor<?xi64>, tensor<?xi64>
    })mlir",
                         {11});
}
