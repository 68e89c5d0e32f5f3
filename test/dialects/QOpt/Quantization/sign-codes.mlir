// RUN: qopt-opt %s --qopt-sign-codes --verify-each --split-input-file | FileCheck %s

// Code and zero point less 128, from the quantizer to each dequantizer; a zero
// that is absent is one of 0.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4x1xf32>
// CHECK-DAG: %[[ZQ:.*]] = qopt.constant(dense<2> : tensor<1x1x1xi8>)
// CHECK-DAG: %[[Q:.*]] = qopt.quantize %[[X]] scales(%{{.*}}) zeros(%[[ZQ]]) {divide, format = #qopt.format<i8>} : {{.*}} -> tensor<?x4x1xi8>
// CHECK-DAG: %[[S:.*]] = qopt.squeeze %[[Q]] {{.*}} -> tensor<?x4xi8>
// CHECK-DAG: %[[ZD:.*]] = qopt.constant(dense<2> : tensor<1x1xi8>)
// CHECK-DAG: %[[D:.*]] = qopt.dequantize %[[S]] scales(%{{.*}}) zeros(%[[ZD]]) {format = #qopt.format<i8>}
// CHECK-DAG: %[[LOW:.*]] = qopt.constant(dense<-128> : tensor<1x1xi8>)
// CHECK-DAG: %[[R:.*]] = qopt.quantize %[[D]] scales(%{{.*}}) zeros(%[[LOW]])
// CHECK-DAG: %[[E:.*]] = qopt.dequantize %[[R]] scales(%{{.*}}) zeros(%{{.*}}) {format = #qopt.format<i8>}
// CHECK: return %[[D]], %[[E]]
func.func @example(%x: tensor<?x4x1xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %s3 = qopt.constant(dense<0.5> : tensor<1x1x1xf32>) : tensor<1x1x1xf32>
  %z3 = qopt.constant(dense<130> : tensor<1x1x1xui8>) : tensor<1x1x1xui8>
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %z = qopt.constant(dense<130> : tensor<1x1xui8>) : tensor<1x1xui8>
  %q = qopt.quantize %x scales(%s3) zeros(%z3) {format = #qopt.format<ui8>, divide} : (tensor<?x4x1xf32>, tensor<1x1x1xf32>, tensor<1x1x1xui8>) -> tensor<?x4x1xui8>
  %m = qopt.squeeze %q {axes = array<i64: 2>} : (tensor<?x4x1xui8>) -> tensor<?x4xui8>
  %d = qopt.dequantize %m scales(%s) zeros(%z) {format = #qopt.format<ui8>} : (tensor<?x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<?x4xf32>
  %r = qopt.quantize %d scales(%s) {format = #qopt.format<ui8>, divide} : (tensor<?x4xf32>, tensor<1x1xf32>) -> tensor<?x4xui8>
  %e = qopt.dequantize %r scales(%s) {format = #qopt.format<ui8>} : (tensor<?x4xui8>, tensor<1x1xf32>) -> tensor<?x4xf32>
  return %d, %e : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// Codes that something else sees stay, and those with a zero that is computed.
// CHECK-LABEL: func @reasons
// CHECK-NOT: xi8>
// CHECK: return
func.func @reasons(%x: tensor<2x4xf32>, %z: tensor<1x1xui8>) -> (tensor<2x4xui8>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<ui8>, divide} : (tensor<2x4xf32>, tensor<1x1xf32>) -> tensor<2x4xui8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<ui8>} : (tensor<2x4xui8>, tensor<1x1xf32>) -> tensor<2x4xf32>
  %r = qopt.quantize %d scales(%s) zeros(%z) {format = #qopt.format<ui8>, divide} : (tensor<2x4xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x4xui8>
  %e = qopt.dequantize %r scales(%s) zeros(%z) {format = #qopt.format<ui8>} : (tensor<2x4xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<2x4xf32>
  return %q, %d, %e : tensor<2x4xui8>, tensor<2x4xf32>, tensor<2x4xf32>
}
