// RUN: qopt-opt %s --qopt-evaluate-weights --verify-each --verify-diagnostics --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-evaluate-weights=decodes --verify-diagnostics --split-input-file | FileCheck %s --check-prefix=DECODE
// RUN: qopt-opt %s --qopt-evaluate-weights --mlir-print-debuginfo --verify-diagnostics --split-input-file | FileCheck %s --check-prefix=LOC

// One constant stands for the expression, at its location.
// CHECK-LABEL: func @example
// CHECK-NEXT: %[[P:.*]] = qopt.constant(dense<[4.000000e+00, 8.000000e+00]> : tensor<2xf32>) : tensor<2xf32>
// CHECK-NEXT: qopt.add %arg0, %[[P]]
// LOC-LABEL: func @example
// LOC: qopt.constant({{.*}}) : tensor<2xf32> loc(#[[NODE:.*]])
// LOC: #[[NODE]] = loc(fused<#qopt.node<4>>
func.func @example(%x: tensor<2xf32>) -> tensor<2xf32> {
  %w = qopt.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %s = qopt.constant(dense<4.0> : tensor<f32>) : tensor<f32>
  %p = qopt.mul %w, %s : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32> loc(fused<#qopt.node<4>>["mul"])
  %0 = qopt.add %x, %p : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// Values inside an expression leave nothing behind; one that is read outside too
// becomes a constant of its own.
// CHECK-LABEL: func @shared
// CHECK-NEXT: %[[A:.*]] = qopt.constant(dense<[1.000000e+00, 4.000000e+00]>
// CHECK-NEXT: %[[B:.*]] = qopt.constant(dense<[-2.000000e+00, -5.000000e+00]>
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @shared() -> (tensor<2xf32>, tensor<2xf32>) {
  %w = qopt.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %0 = qopt.mul %w, %w : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qopt.add %0, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %2 = qopt.neg %1 : (tensor<2xf32>) -> tensor<2xf32>
  return %0, %2 : tensor<2xf32>, tensor<2xf32>
}

// -----

// Codes and scales made from a weight.
// CHECK-LABEL: func @codes
// CHECK-NEXT: %[[C:.*]] = qopt.constant({{.*}}) : tensor<2x2xi8>
// CHECK-NEXT: %[[S:.*]] = qopt.constant({{.*}}) : tensor<2x1xf32>
// CHECK-NEXT: return %[[C]], %[[S]]
func.func @codes() -> (tensor<2x2xi8>, tensor<2x1xf32>) {
  %w = qopt.constant(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %q, %s = qopt.quantize_dynamic %w {format = #qopt.format<i8>} : (tensor<2x2xf32>) -> (tensor<2x2xi8>, tensor<2x1xf32>)
  return %q, %s : tensor<2x2xi8>, tensor<2x1xf32>
}

// -----

// A bias of a quantized ONNX model is i32 and becomes the float that it stands for.
// CHECK-LABEL: func @bias
// CHECK-NEXT: %[[B:.*]] = qopt.constant(dense<[5.000000e+01, -2.500000e+01]> : tensor<2xf32>)
// CHECK-NEXT: return %[[B]]
func.func @bias() -> tensor<2xf32> {
  %q = qopt.constant(dense<[100, -50]> : tensor<2xi32>) : tensor<2xi32>
  %s = qopt.constant(dense<0.5> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s) : (tensor<2xi32>, tensor<1xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// A dequantize stays, and what depends on it.
// CHECK-LABEL: func @dequantize
// CHECK: %[[D:.*]] = qopt.dequantize
// CHECK: qopt.neg %[[D]]
func.func @dequantize() -> tensor<2xf32> {
  %q = qopt.constant(dense<1> : tensor<2xi8>) : tensor<2xi8>
  %s = qopt.constant(dense<0.5> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s) : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  %1 = qopt.neg %0 : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// An expression on bad data is an error of the model.
func.func @bad_index() -> tensor<1xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<2xf32>
  %i = qopt.constant(dense<5> : tensor<1xi64>) : tensor<1xi64>
  // expected-error @+1 {{'qopt.gather' op cannot be evaluated:}}
  %0 = qopt.gather %w, %i {axis = 0 : i64} : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

// So is one whose declared dims are wrong.
func.func @wrong_dims() -> tensor<3xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<2xf32>
  // expected-error @+1 {{'qopt.neg' op cannot be evaluated:}}
  %0 = qopt.neg %w : (tensor<2xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// A few lines ask for more than the program's constants explain.
func.func @limit(%x: tensor<1xi8>) -> tensor<8589934592xi8> {
  %s = qopt.constant(dense<8589934592> : tensor<1xi64>) : tensor<1xi64>
  // expected-error @+1 {{'qopt.constant_of_shape' op cannot be evaluated: 'qopt.constant_of_shape' op makes a tensor of 8589934592 from constants, but only 268435584 bytes are left for such tensors}}
  %0 = qopt.constant_of_shape %s {value = dense<1> : tensor<1xi8>} : (tensor<1xi64>) -> tensor<8589934592xi8>
  %1 = qopt.add %0, %x : (tensor<8589934592xi8>, tensor<1xi8>) -> tensor<8589934592xi8>
  return %1 : tensor<8589934592xi8>
}

// -----

// What calibration runs has no codes.
// DECODE-LABEL: func @decoded
// DECODE-NEXT: %[[W:.*]] = qopt.constant(dense<-5.000000e-01> : tensor<2xf32>)
// DECODE-NEXT: return %[[W]]
func.func @decoded() -> tensor<2xf32> {
  %q = qopt.constant(dense<1> : tensor<2xi8>) : tensor<2xi8>
  %s = qopt.constant(dense<0.5> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s) : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  %1 = qopt.neg %0 : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
