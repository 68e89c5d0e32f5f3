// RUN: qopt-opt %s --verify-prepared --verify-diagnostics --split-input-file | FileCheck %s

// A prepared program passes unchanged.
// CHECK-LABEL: func @prepared
// CHECK: qopt.relu
func.func @prepared(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Later phases know no gemm.
func.func @gemm(%a: tensor<2x4xf32>, %b: tensor<4x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+2 {{'qopt.gemm' op is left after prepare}}
  // expected-note @+1 {{run --qopt-decompose-gemm}}
  %0 = qopt.gemm %a, %b {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = false} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Observers are there while a calibration runs.
func.func @observe(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{'qopt.observe' op stands outside of a calibration}}
  qopt.observe %x {id = 0 : i64} : tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

// Declared dims contradict the operands.
func.func @dims(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{'qopt.transpose' op has a result of type 'tensor<2x2xf32>', but its operands give 'tensor<3x2xf32>'}}
  %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
