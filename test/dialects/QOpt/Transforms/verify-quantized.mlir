// RUN: qopt-opt %s --verify-quantized --verify-diagnostics --split-input-file | FileCheck %s

// Codes in a contraction, a dequantized table outside of one.
// CHECK-LABEL: func @quantized
// CHECK: qopt.matmul
func.func @quantized(%x: tensor<2x4xi8>, %i: tensor<2xi64>) -> (tensor<2x3xi32>, tensor<2x3xf32>) {
  %w = qopt.constant(dense<1> : tensor<4x3xi8>) : tensor<4x3xi8>
  %s = qopt.constant(dense<0.5> : tensor<4x1xf32>) : tensor<4x1xf32>
  %0 = qopt.matmul %x, %w : (tensor<2x4xi8>, tensor<4x3xi8>) -> tensor<2x3xi32>
  %t = qopt.dequantize %w scales(%s) : (tensor<4x3xi8>, tensor<4x1xf32>) -> tensor<4x3xf32>
  %1 = qopt.gather %t, %i {axis = 0 : i64} : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %0, %1 : tensor<2x3xi32>, tensor<2x3xf32>
}

// -----

// Two activations may be multiplied as floats, whatever they were.
// CHECK-LABEL: func @two_activations
func.func @two_activations(%x: tensor<2x4xi8>, %w: tensor<4x3xi8>, %s: tensor<1x1xf32>) -> tensor<2x3xf32> {
  %0 = qopt.dequantize %x scales(%s) : (tensor<2x4xi8>, tensor<1x1xf32>) -> tensor<2x4xf32>
  %1 = qopt.dequantize %w scales(%s) : (tensor<4x3xi8>, tensor<1x1xf32>) -> tensor<4x3xf32>
  %2 = qopt.matmul %0, %1 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// -----

// So may those of batches, as attention has them.
// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<2x4x3xi8>, %k: tensor<2x3x4xi8>, %s: tensor<1x1x1xf32>) -> tensor<2x4x4xf32> {
  %0 = qopt.dequantize %q scales(%s) : (tensor<2x4x3xi8>, tensor<1x1x1xf32>) -> tensor<2x4x3xf32>
  %1 = qopt.dequantize %k scales(%s) : (tensor<2x3x4xi8>, tensor<1x1x1xf32>) -> tensor<2x3x4xf32>
  %2 = qopt.matmul %0, %1 : (tensor<2x4x3xf32>, tensor<2x3x4xf32>) -> tensor<2x4x4xf32>
  return %2 : tensor<2x4x4xf32>
}

// -----

// A product reads its weight in codes, or decoded.
func.func @matmul(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = qopt.constant(dense<1> : tensor<4x3xi8>) : tensor<4x3xi8>
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %0 = qopt.dequantize %w scales(%s) : (tensor<4x3xi8>, tensor<1x1xf32>) -> tensor<4x3xf32>
  // expected-error @+1 {{'qopt.matmul' op is a float contraction of a dequantized weight}}
  %1 = qopt.matmul %x, %0 : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// So does a convolution.
func.func @conv(%x: tensor<1x4x8xf32>) -> tensor<1x3x8xf32> {
  %w = qopt.constant(dense<1> : tensor<3x4x1xi8>) : tensor<3x4x1xi8>
  %s = qopt.constant(dense<0.5> : tensor<1x1x1xf32>) : tensor<1x1x1xf32>
  %0 = qopt.dequantize %w scales(%s) : (tensor<3x4x1xi8>, tensor<1x1x1xf32>) -> tensor<3x4x1xf32>
  // expected-error @+1 {{'qopt.conv' op is a float contraction of a dequantized weight}}
  %1 = qopt.conv %x, %0 {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf32>) -> tensor<1x3x8xf32>
  return %1 : tensor<1x3x8xf32>
}

// -----

// Expressions are evaluated before the numbers count as fixed.
func.func @expression(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4xf32>) : tensor<4xf32>
  // expected-error @+2 {{'qopt.mul' op is a weight expression that was not evaluated}}
  // expected-note @+1 {{run --qopt-evaluate-weights}}
  %0 = qopt.mul %w, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = qopt.add %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// Observers are gone.
func.func @observe(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{'qopt.observe' op is left after quantize}}
  qopt.observe %x {id = 0 : i64} : tensor<2xf32>
  return %x : tensor<2xf32>
}
