//===- ContractTest.cpp - Products of f32 and of 8-bit codes --------------===//
//
// Shapes around the sizes of tiles and vectors, and everything that broadcasts.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

TEST(Contract, MatMulShapes) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<1x1xf32>, %b: tensor<1x1xf32> {test.constant},
                %c: tensor<7x33xf32>, %d: tensor<33x50xf32> {test.constant},
                %e: tensor<2x3x5x20xf32>, %f: tensor<20x48xf32> {test.constant},
                %g: tensor<?x19xf32>, %h: tensor<19x130xf32> {test.constant})
    -> (tensor<1x1xf32>, tensor<7x50xf32>, tensor<2x3x5x48xf32>, tensor<?x130xf32>) {
  %0 = qopt.matmul %a, %b : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qopt.matmul %c, %d : (tensor<7x33xf32>, tensor<33x50xf32>) -> tensor<7x50xf32>
  %2 = qopt.matmul %e, %f : (tensor<2x3x5x20xf32>, tensor<20x48xf32>) -> tensor<2x3x5x48xf32>
  %3 = qopt.matmul %g, %h : (tensor<?x19xf32>, tensor<19x130xf32>) -> tensor<?x130xf32>
  return %0, %1, %2, %3 : tensor<1x1xf32>, tensor<7x50xf32>, tensor<2x3x5x48xf32>, tensor<?x130xf32>
})mlir",
                         {101});
}

TEST(Contract, MatMulOfActivations) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x3x5x20xf32>, %b: tensor<2x3x20x37xf32>, %c: tensor<1x3x20x37xf32>,
                %d: tensor<?x?x9xf32>, %e: tensor<?x9x17xf32>, %f: tensor<20xf32>, %g: tensor<5x20xf32> {test.constant})
    -> (tensor<2x3x5x37xf32>, tensor<2x3x5x37xf32>, tensor<?x?x17xf32>, tensor<2x3x5xf32>, tensor<2x3x37xf32>, tensor<2x3x5x37xf32>) {
  %0 = qopt.matmul %a, %b : (tensor<2x3x5x20xf32>, tensor<2x3x20x37xf32>) -> tensor<2x3x5x37xf32>
  %1 = qopt.matmul %a, %c : (tensor<2x3x5x20xf32>, tensor<1x3x20x37xf32>) -> tensor<2x3x5x37xf32>
  %2 = qopt.matmul %d, %e : (tensor<?x?x9xf32>, tensor<?x9x17xf32>) -> tensor<?x?x17xf32>
  %3 = qopt.matmul %a, %f : (tensor<2x3x5x20xf32>, tensor<20xf32>) -> tensor<2x3x5xf32>
  %4 = qopt.matmul %f, %b : (tensor<20xf32>, tensor<2x3x20x37xf32>) -> tensor<2x3x37xf32>
  %5 = qopt.matmul %g, %b : (tensor<5x20xf32>, tensor<2x3x20x37xf32>) -> tensor<2x3x5x37xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x3x5x37xf32>, tensor<2x3x5x37xf32>, tensor<?x?x17xf32>, tensor<2x3x5xf32>, tensor<2x3x37xf32>, tensor<2x3x5x37xf32>
})mlir",
                         {4, 11, 4});
}

TEST(Contract, MatMulOfCodes) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<9x37xi8>, %b: tensor<37x53xi8> {test.constant}, %za: tensor<1x1xi8>, %zb: tensor<1x1xi8>,
                %c: tensor<2x13x64xui8>, %d: tensor<64x48xi8> {test.constant}, %zc: tensor<1xui8> {test.constant},
                %e: tensor<64x48xui8> {test.constant}, %ze: tensor<1xui8> {test.constant},
                %f: tensor<2x64x30xui8>, %g: tensor<?x64xi8>)
    -> (tensor<9x53xi32>, tensor<9x53xi32>, tensor<2x13x48xi32>, tensor<2x13x48xi32>, tensor<2x13x30xi32>, tensor<?x48xi32>) {
  %0 = qopt.matmul %a, %b : (tensor<9x37xi8>, tensor<37x53xi8>) -> tensor<9x53xi32>
  %1 = qopt.matmul %a zeros(%za), %b zeros(%zb) : (tensor<9x37xi8>, tensor<1x1xi8>, tensor<37x53xi8>, tensor<1x1xi8>) -> tensor<9x53xi32>
  %2 = qopt.matmul %c zeros(%zc), %d : (tensor<2x13x64xui8>, tensor<1xui8>, tensor<64x48xi8>) -> tensor<2x13x48xi32>
  %3 = qopt.matmul %c zeros(%zc), %e zeros(%ze) : (tensor<2x13x64xui8>, tensor<1xui8>, tensor<64x48xui8>, tensor<1xui8>) -> tensor<2x13x48xi32>
  %4 = qopt.matmul %c zeros(%zc), %f zeros(%ze) : (tensor<2x13x64xui8>, tensor<1xui8>, tensor<2x64x30xui8>, tensor<1xui8>) -> tensor<2x13x30xi32>
  %5 = qopt.matmul %g, %d : (tensor<?x64xi8>, tensor<64x48xi8>) -> tensor<?x48xi32>
  return %0, %1, %2, %3, %4, %5 : tensor<9x53xi32>, tensor<9x53xi32>, tensor<2x13x48xi32>, tensor<2x13x48xi32>, tensor<2x13x30xi32>, tensor<?x48xi32>
})mlir",
                         {1});
}

TEST(Contract, Conv) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xf32>, %wa: tensor<13x5x3x3xf32> {test.constant}, %ba: tensor<13xf32> {test.constant},
                %b: tensor<1x6x7x7xf32>, %wb: tensor<40x6x1x1xf32> {test.constant},
                %c: tensor<1x3x33x35xf32>, %wc: tensor<8x3x5x3xf32> {test.constant},
                %d: tensor<2x8x6x18xf32>, %wd: tensor<12x2x3x3xf32> {test.constant},
                %e: tensor<2x4x50xf32>, %we: tensor<5x4x3xf32> {test.constant},
                %f: tensor<?x3x?x?xf32>, %wf: tensor<4x3x4x4xf32> {test.constant})
    -> (tensor<2x13x9x21xf32>, tensor<1x40x7x7xf32>, tensor<1x8x16x18xf32>, tensor<2x12x6x18xf32>, tensor<2x5x50xf32>, tensor<?x4x?x?xf32>) {
  %0 = qopt.conv %a, %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x5x9x21xf32>, tensor<13x5x3x3xf32>, tensor<13xf32>) -> tensor<2x13x9x21xf32>
  %1 = qopt.conv %b, %wb {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x6x7x7xf32>, tensor<40x6x1x1xf32>) -> tensor<1x40x7x7xf32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 2, 2>, pads = array<i64: 2, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x3x33x35xf32>, tensor<8x3x5x3xf32>) -> tensor<1x8x16x18xf32>
  %3 = qopt.conv %d, %wd {strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, group = 4 : i64} : (tensor<2x8x6x18xf32>, tensor<12x2x3x3xf32>) -> tensor<2x12x6x18xf32>
  %4 = qopt.conv %e, %we {strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>} : (tensor<2x4x50xf32>, tensor<5x4x3xf32>) -> tensor<2x5x50xf32>
  %5 = qopt.conv %f, %wf {strides = array<i64: 3, 4>, pads = array<i64: 1, 0, 0, 2>, dilations = array<i64: 1, 1>} : (tensor<?x3x?x?xf32>, tensor<4x3x4x4xf32>) -> tensor<?x4x?x?xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x13x9x21xf32>, tensor<1x40x7x7xf32>, tensor<1x8x16x18xf32>, tensor<2x12x6x18xf32>, tensor<2x5x50xf32>, tensor<?x4x?x?xf32>
})mlir",
                         {2, 13, 41});
}

/// Rows that are no whole vectors: lanes run on into the next rows.
TEST(Contract, ConvOfNarrowImages) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x7x7xf32>, %wa: tensor<13x5x3x3xf32> {test.constant}, %b: tensor<1x3x9x21xf32>, %wb: tensor<8x3x5x3xf32> {test.constant},
                %c: tensor<3x4x3x3xf32>, %wc: tensor<5x4x3x3xf32> {test.constant}, %d: tensor<1x5x7x7xi8>, %wd: tensor<13x5x3x3xi8> {test.constant}, %zd: tensor<1xi8>,
                %e: tensor<1x3x20x9xf32>, %we: tensor<2x3x3x9xf32> {test.constant})
    -> (tensor<2x13x7x7xf32>, tensor<1x8x5x11xf32>, tensor<3x5x1x1xf32>, tensor<1x13x7x7xi32>, tensor<1x2x18x1xf32>) {
  %0 = qopt.conv %a, %wa {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x5x7x7xf32>, tensor<13x5x3x3xf32>) -> tensor<2x13x7x7xf32>
  %1 = qopt.conv %b, %wb {strides = array<i64: 2, 2>, pads = array<i64: 2, 1, 2, 1>, dilations = array<i64: 1, 1>} : (tensor<1x3x9x21xf32>, tensor<8x3x5x3xf32>) -> tensor<1x8x5x11xf32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<3x4x3x3xf32>, tensor<5x4x3x3xf32>) -> tensor<3x5x1x1xf32>
  %3 = qopt.conv %d zeros(%zd), %wd zeros(%zd) {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x5x7x7xi8>, tensor<1xi8>, tensor<13x5x3x3xi8>, tensor<1xi8>) -> tensor<1x13x7x7xi32>
  %4 = qopt.conv %e, %we {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x20x9xf32>, tensor<2x3x3x9xf32>) -> tensor<1x2x18x1xf32>
  return %0, %1, %2, %3, %4 : tensor<2x13x7x7xf32>, tensor<1x8x5x11xf32>, tensor<3x5x1x1xf32>, tensor<1x13x7x7xi32>, tensor<1x2x18x1xf32>
})mlir");
}

/// Strides beyond those whose phases are written one by one, as filter banks
/// have.
TEST(Contract, ConvOfLongStrides) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<1x1x1x301xf32>, %wa: tensor<6x1x1x50xf32> {test.constant}, %b: tensor<2x3x9x?xf32>, %wb: tensor<8x3x5x11xf32> {test.constant},
                %c: tensor<2x4x90xi8>, %wc: tensor<5x4x23xi8> {test.constant})
    -> (tensor<1x6x1x41xf32>, tensor<2x8x3x?xf32>, tensor<2x5x13xi32>) {
  %0 = qopt.conv %a, %wa {strides = array<i64: 1, 7>, pads = array<i64: 0, 10, 0, 20>, dilations = array<i64: 1, 1>} : (tensor<1x1x1x301xf32>, tensor<6x1x1x50xf32>) -> tensor<1x6x1x41xf32>
  %1 = qopt.conv %b, %wb {strides = array<i64: 2, 6>, pads = array<i64: 0, 20, 0, 1>, dilations = array<i64: 1, 2>} : (tensor<2x3x9x?xf32>, tensor<8x3x5x11xf32>) -> tensor<2x8x3x?xf32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 6>, pads = array<i64: 3, 4>, dilations = array<i64: 1>} : (tensor<2x4x90xi8>, tensor<5x4x23xi8>) -> tensor<2x5x13xi32>
  return %0, %1, %2 : tensor<1x6x1x41xf32>, tensor<2x8x3x?xf32>, tensor<2x5x13xi32>
})mlir",
                         {37});
}

TEST(Contract, ConvOfCodes) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x5x9x21xi8>, %za: tensor<1x1x1x1xi8> {test.constant}, %wa: tensor<13x5x3x3xi8> {test.constant}, %ba: tensor<13xi32> {test.constant},
                %b: tensor<1x8x7x7xui8>, %zb: tensor<1xui8>, %wb: tensor<40x8x1x1xui8> {test.constant}, %zwb: tensor<1xui8> {test.constant},
                %c: tensor<1x3x33x35xi8>, %wc: tensor<8x3x3x3xi8> {test.constant},
                %d: tensor<1x8x6x18xui8>, %wd: tensor<12x2x3x3xui8> {test.constant})
    -> (tensor<2x13x9x21xi32>, tensor<1x40x7x7xi32>, tensor<1x8x17x18xi32>, tensor<1x12x6x18xi32>) {
  %0 = qopt.conv %a zeros(%za), %wa bias %ba {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x5x9x21xi8>, tensor<1x1x1x1xi8>, tensor<13x5x3x3xi8>, tensor<13xi32>) -> tensor<2x13x9x21xi32>
  %1 = qopt.conv %b zeros(%zb), %wb zeros(%zwb) {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x7x7xui8>, tensor<1xui8>, tensor<40x8x1x1xui8>, tensor<1xui8>) -> tensor<1x40x7x7xi32>
  %2 = qopt.conv %c, %wc {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x3x33x35xi8>, tensor<8x3x3x3xi8>) -> tensor<1x8x17x18xi32>
  %3 = qopt.conv %d zeros(%zb), %wd zeros(%zwb) {strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, group = 4 : i64} : (tensor<1x8x6x18xui8>, tensor<1xui8>, tensor<12x2x3x3xui8>, tensor<1xui8>) -> tensor<1x12x6x18xi32>
  return %0, %1, %2, %3 : tensor<2x13x9x21xi32>, tensor<1x40x7x7xi32>, tensor<1x8x17x18xi32>, tensor<1x12x6x18xi32>
})mlir");
}

TEST(Contract, Epilogue) {
  expectEqualToReference(R"mlir(
func.func @main(%a: tensor<2x9x37xf32>, %w: tensor<37x50xf32> {test.constant}, %b: tensor<50xf32> {test.constant}, %r: tensor<2x9x50xf32>,
                %s: tensor<1x1x1xf32> {test.constant}, %x: tensor<1x6x9x21xi8>, %k: tensor<10x6x3x3xi8> {test.constant},
                %m: tensor<1x10x1x1xf32> {test.constant}, %z: tensor<1x1x1x1xi8> {test.constant})
    -> (tensor<2x9x50xi8>, tensor<1x10x9x21xi8>) {
  %0 = qkernel.contract(%a, %w, %b, %r, %s) : (tensor<2x9x37xf32>, tensor<37x50xf32>, tensor<50xf32>, tensor<2x9x50xf32>, tensor<1x1x1xf32>) -> tensor<2x9x50xi8>
      (%pa: tensor<2x9x37xf32>, %pw: tensor<37x50xf32>, %pb: tensor<50xf32>, %pr: tensor<2x9x50xf32>, %ps: tensor<1x1x1xf32>) {
    %1 = qopt.matmul %pa, %pw : (tensor<2x9x37xf32>, tensor<37x50xf32>) -> tensor<2x9x50xf32>
    %2 = qopt.add %1, %pb : (tensor<2x9x50xf32>, tensor<50xf32>) -> tensor<2x9x50xf32>
    %3 = qopt.relu %2 : (tensor<2x9x50xf32>) -> tensor<2x9x50xf32>
    %4 = qopt.add %3, %pr : (tensor<2x9x50xf32>, tensor<2x9x50xf32>) -> tensor<2x9x50xf32>
    %5 = qopt.quantize %4 scales(%ps) {format = #qopt.format<i8>} : (tensor<2x9x50xf32>, tensor<1x1x1xf32>) -> tensor<2x9x50xi8>
    qkernel.yield %5 : tensor<2x9x50xi8>
  }
  %6 = qkernel.contract(%x, %k, %m, %z) : (tensor<1x6x9x21xi8>, tensor<10x6x3x3xi8>, tensor<1x10x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x10x9x21xi8>
      (%px: tensor<1x6x9x21xi8>, %pk: tensor<10x6x3x3xi8>, %pm: tensor<1x10x1x1xf32>, %pz: tensor<1x1x1x1xi8>) {
    %7 = qopt.conv %px, %pk {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x6x9x21xi8>, tensor<10x6x3x3xi8>) -> tensor<1x10x9x21xi32>
    %8 = qopt.requantize %7, %pm, %pz {min = -128 : i64, max = 127 : i64} : (tensor<1x10x9x21xi32>, tensor<1x10x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x10x9x21xi8>
    qkernel.yield %8 : tensor<1x10x9x21xi8>
  }
  return %0, %6 : tensor<2x9x50xi8>, tensor<1x10x9x21xi8>
})mlir");
}
