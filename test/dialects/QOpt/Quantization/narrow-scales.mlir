// RUN: qopt-opt %s --qopt-narrow-scales --verify-each --split-input-file | FileCheck %s

// 0.25 is the byte 125.
// CHECK-LABEL: func @example
// CHECK: %[[S:.*]] = qopt.constant(#qopt.weight<"hex:7d">) : tensor<1xf8E8M0FNU>
// CHECK: qopt.dequantize %{{.*}} scales(%[[S]]) {format = #qopt.format<i8, scale = f8E8M0FNU>}
func.func @example(%q: tensor<4xi8>) -> tensor<4xf32> {
  %s = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %y = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// 0.3 and -2 are no powers of two that a byte holds; one of them is enough.
// CHECK-LABEL: func @reasons
// CHECK-NOT: f8E8M0FNU
// CHECK: return
func.func @reasons(%q: tensor<2xi8>, %v: tensor<1xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %s = qopt.constant(dense<[0.25, 0.3]> : tensor<2xf32>) : tensor<2xf32>
  %n = qopt.constant(dense<-2.0> : tensor<1xf32>) : tensor<1xf32>
  %t = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s, %t) {format = #qopt.format<i8>} : (tensor<2xi8>, tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %1 = qopt.dequantize %q scales(%n) {format = #qopt.format<i8>} : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  %2 = qopt.dequantize %q scales(%v) {format = #qopt.format<i8>} : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  return %0, %1, %2 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// A scale more than the format states is narrowed with it, and one behind a scale
// that is narrow already.
// CHECK-LABEL: func @two_levels
// CHECK: qopt.dequantize {{.*}} {format = #qopt.format<i8, scale = f8E8M0FNU>} : (tensor<4xi8>, tensor<1xf8E8M0FNU>, tensor<4xf8E8M0FNU>)
// CHECK: qopt.dequantize {{.*}} {format = #qopt.format<"mxfp8-e4m3", axis = 0>} : (tensor<4xf8E4M3FN>, tensor<1xf8E8M0FNU>, tensor<1xf8E8M0FNU>)
func.func @two_levels(%q: tensor<4xi8>, %c: tensor<4xf8E4M3FN>, %e: tensor<1xf8E8M0FNU>) -> (tensor<4xf32>, tensor<4xf32>) {
  %s = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %t = qopt.constant(dense<[0.5, 1.0, 2.0, 4.0]> : tensor<4xf32>) : tensor<4xf32>
  %0 = qopt.dequantize %q scales(%s, %t) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = qopt.dequantize %c scales(%e, %s) {format = #qopt.format<"mxfp8-e4m3", axis = 0>} : (tensor<4xf8E4M3FN>, tensor<1xf8E8M0FNU>, tensor<1xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The type of a format's second scale is fixed: nvfp4 has no other.
// CHECK-LABEL: func @fixed_second_scale
// CHECK: qopt.dequantize {{.*}} {format = #qopt.format<nvfp4, axis = 0, scale = f32>} : (tensor<16xf4E2M1FN>, tensor<1xf32>, tensor<1xf32>)
// CHECK: qopt.dequantize {{.*}} {format = #qopt.format<nvfp4, axis = 0, scale = f8E8M0FNU>} : (tensor<16xf4E2M1FN>, tensor<1xf8E8M0FNU>, tensor<1xf32>)
// CHECK: qopt.dequantize {{.*}} {format = #qopt.format<nvfp4, axis = 0>} : (tensor<16xf4E2M1FN>, tensor<1xf8E4M3FN>, tensor<1xf32>)
func.func @fixed_second_scale(%q: tensor<16xf4E2M1FN>, %e: tensor<1xf8E8M0FNU>, %f: tensor<1xf8E4M3FN>) -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) {
  %s = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s, %s) {format = #qopt.format<nvfp4, axis = 0, scale = f32>} : (tensor<16xf4E2M1FN>, tensor<1xf32>, tensor<1xf32>) -> tensor<16xf32>
  %1 = qopt.dequantize %q scales(%e, %s) {format = #qopt.format<nvfp4, axis = 0, scale = f8E8M0FNU>} : (tensor<16xf4E2M1FN>, tensor<1xf8E8M0FNU>, tensor<1xf32>) -> tensor<16xf32>
  %2 = qopt.dequantize %q scales(%f, %s) {format = #qopt.format<nvfp4, axis = 0>} : (tensor<16xf4E2M1FN>, tensor<1xf8E4M3FN>, tensor<1xf32>) -> tensor<16xf32>
  return %0, %1, %2 : tensor<16xf32>, tensor<16xf32>, tensor<16xf32>
}
