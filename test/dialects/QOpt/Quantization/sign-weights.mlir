// RUN: qopt-opt %s --qopt-sign-weights --verify-each --split-input-file | FileCheck %s

// Code and zero point less 128; a zero that is absent is one of 0.
// CHECK-LABEL: func @example
// CHECK: %[[W:.*]] = qopt.constant(dense<{{\[}}[-128, -1], [0, 127]]> : tensor<2x2xi8>)
// CHECK: %[[Z:.*]] = qopt.constant(dense<-28> : tensor<1x1xi8>)
// CHECK: %[[D:.*]] = qopt.dequantize %[[W]] scales(%{{.*}}) zeros(%[[Z]]) {format = #qopt.format<i8>}
// CHECK: qopt.matmul %{{.*}}, %[[D]]
// CHECK: %[[LOW:.*]] = qopt.constant(dense<-128> : tensor<1x1xi8>)
// CHECK: %[[E:.*]] = qopt.dequantize %[[W]] scales(%{{.*}}) zeros(%[[LOW]]) {format = #qopt.format<i8>}
// CHECK: qopt.matmul %{{.*}}, %[[E]]
func.func @example(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<[[0, 127], [128, 255]]> : tensor<2x2xui8>) : tensor<2x2xui8>
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %z = qopt.constant(dense<100> : tensor<1x1xui8>) : tensor<1x1xui8>
  %d = qopt.dequantize %w scales(%s) zeros(%z) {format = #qopt.format<ui8>} : (tensor<2x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x2xf32>
  %y = qopt.matmul %x, %d : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %e = qopt.dequantize %w scales(%s) {format = #qopt.format<ui8>} : (tensor<2x2xui8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %u = qopt.matmul %x, %e : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y, %u : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Equal zeros are one, and those of 0 are none: the middle of unsigned codes.
// CHECK-LABEL: func @symmetric
// CHECK-DAG: %[[Z:.*]] = qopt.constant(dense<3> : tensor<1x1xi8>)
// CHECK-DAG: %[[D:.*]] = qopt.dequantize %{{.*}} scales(%{{[0-9a-z]*}}) {format = #qopt.format<i8, axis = 1>}
// CHECK-DAG: %[[E:.*]] = qopt.dequantize %{{.*}} scales(%{{.*}}) zeros(%[[Z]]) {format = #qopt.format<i8, axis = 1>}
// CHECK-DAG: qopt.matmul %{{.*}}, %[[D]]
// CHECK-DAG: qopt.matmul %{{.*}}, %[[E]]
func.func @symmetric(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<[[0, 127], [128, 255]]> : tensor<2x2xui8>) : tensor<2x2xui8>
  %v = qopt.constant(dense<[[0, 1], [2, 3]]> : tensor<2x2xi8>) : tensor<2x2xi8>
  %s = qopt.constant(dense<[[0.5, 0.25]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %zw = qopt.constant(dense<128> : tensor<1x2xui8>) : tensor<1x2xui8>
  %zv = qopt.constant(dense<3> : tensor<1x2xi8>) : tensor<1x2xi8>
  %d = qopt.dequantize %w scales(%s) zeros(%zw) {format = #qopt.format<ui8, axis = 1>} : (tensor<2x2xui8>, tensor<1x2xf32>, tensor<1x2xui8>) -> tensor<2x2xf32>
  %y = qopt.matmul %x, %d : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %e = qopt.dequantize %v scales(%s) zeros(%zv) {format = #qopt.format<i8, axis = 1>} : (tensor<2x2xi8>, tensor<1x2xf32>, tensor<1x2xi8>) -> tensor<2x2xf32>
  %u = qopt.matmul %x, %e : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y, %u : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Codes that are computed, those in blocks, those that no contraction reads,
// and those with a zero that is computed stay.
// CHECK-LABEL: func @reasons
// CHECK-NOT: xi8>
// CHECK: return
func.func @reasons(%x: tensor<2x2xf32>, %c: tensor<2x2xui8>, %z: tensor<1x1xui8>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = qopt.constant(dense<[[0, 127], [128, 255]]> : tensor<2x2xui8>) : tensor<2x2xui8>
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %z0 = qopt.constant(dense<7> : tensor<1x1xui8>) : tensor<1x1xui8>
  %d = qopt.dequantize %c scales(%s) {format = #qopt.format<ui8>} : (tensor<2x2xui8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %y = qopt.matmul %x, %d : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %e = qopt.dequantize %w scales(%s) zeros(%z) {format = #qopt.format<ui8>} : (tensor<2x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x2xf32>
  %u = qopt.matmul %x, %e : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %f = qopt.dequantize %w scales(%s) zeros(%z0) {format = #qopt.format<ui8, axis = 0, block = 2>} : (tensor<2x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x2xf32>
  %v = qopt.matmul %x, %f : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %g = qopt.dequantize %w scales(%s) zeros(%z0) {format = #qopt.format<ui8>} : (tensor<2x2xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x2xf32>
  return %y, %u, %v, %g : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}
