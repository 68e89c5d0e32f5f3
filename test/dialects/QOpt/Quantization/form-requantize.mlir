// RUN: qopt-opt %s --qopt-form-requantize --verify-each --split-input-file | FileCheck %s

// The multiplier is made in f64; the bias is at the accumulator's scale; the
// ReLU is the lowest code.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: tensor<?x2xi32>
// CHECK-DAG: %[[B:.*]] = qopt.constant(dense<{{\[}}[8, -32]]> : tensor<1x2xi32>)
// CHECK-DAG: %[[M:.*]] = qopt.constant(dense<{{\[}}[6.250000e-02, 3.125000e-02]]> : tensor<1x2xf32>)
// CHECK-DAG: %[[Z:.*]] = qopt.constant(dense<-100> : tensor<1x1xi8>)
// CHECK-DAG: %[[S:.*]] = qopt.add %[[ACC]], %[[B]]
// CHECK: %[[Q:.*]] = qopt.requantize %[[S]], %[[M]], %[[Z]] {max = 127 : i64, min = -100 : i64}
// CHECK: return %[[Q]]
func.func @example(%acc: tensor<?x2xi32>) -> tensor<?x2xi8> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %sw = qopt.constant(dense<[[0.5, 0.25]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %sy = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %zy = qopt.constant(dense<-100> : tensor<1x1xi8>) : tensor<1x1xi8>
  %bias = qopt.constant(dense<[1.0, -2.0]> : tensor<2xf32>) : tensor<2xf32>
  %d = qopt.dequantize %acc scales(%sx, %sw) : (tensor<?x2xi32>, tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %b = qopt.add %d, %bias : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %r = qopt.relu %b : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %q = qopt.quantize %r scales(%sy) zeros(%zy) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  return %q : tensor<?x2xi8>
}

// -----

// Bytes 122 and 120 to 123: a shift by 123 - (122 + 120 - 127) = 8. A clip is a
// range of codes.
// CHECK-LABEL: func @shift
// CHECK: %[[K:.*]] = qopt.constant(dense<8> : tensor<1x1xi8>)
// CHECK: qopt.shift %{{.*}}, %[[K]], %{{.*}} {max = 16 : i64, min = -16 : i64}
func.func @shift(%acc: tensor<?x2xi32>) -> tensor<?x2xi8> {
  %sx = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1xf8E8M0FNU>
  %sw = qopt.constant(#qopt.weight<"hex:78">) : tensor<1x1xf8E8M0FNU>
  %sy = qopt.constant(#qopt.weight<"hex:7b">) : tensor<1x1xf8E8M0FNU>
  %zy = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %d = qopt.dequantize %acc scales(%sx, %sw) : (tensor<?x2xi32>, tensor<1x1xf8E8M0FNU>, tensor<1x1xf8E8M0FNU>) -> tensor<?x2xf32>
  %r = qopt.clip %d {low = -1.0 : f32, high = 1.0 : f32} : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %q = qopt.quantize %r scales(%sy) zeros(%zy) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf8E8M0FNU>, tensor<1x1xi8>) -> tensor<?x2xi8>
  return %q : tensor<?x2xi8>
}

// -----

// A quantizer without a zero has one of 0, as symmetric files have.
// CHECK-LABEL: func @symmetric
// CHECK-DAG: %[[M:.*]] = qopt.constant(dense<6.250000e-02> : tensor<1x1xf32>)
// CHECK-DAG: %[[Z:.*]] = qopt.constant(dense<0> : tensor<1x1xi8>)
// CHECK: qopt.requantize %{{.*}}, %[[M]], %[[Z]] {max = 127 : i64, min = -128 : i64}
func.func @symmetric(%acc: tensor<?x2xi32>) -> tensor<?x2xi8> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %sy = qopt.constant(dense<4.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %d = qopt.dequantize %acc scales(%sx) : (tensor<?x2xi32>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %q = qopt.quantize %d scales(%sy) {format = #qopt.format<i8>, divide} : (tensor<?x2xf32>, tensor<1x1xf32>) -> tensor<?x2xi8>
  return %q : tensor<?x2xi8>
}

// -----

// Other users, other ops, scales that are no constants and a huge bias leave
// the chain alone.
// CHECK-LABEL: func @reasons
// CHECK-NOT: qopt.requantize
// CHECK: return
func.func @reasons(%acc: tensor<?x2xi32>, %s: tensor<1x1xf32>) -> (tensor<?x2xf32>, tensor<?x2xi8>, tensor<?x2xi8>, tensor<?x2xi8>, tensor<?x2xi8>) {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %z = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %huge = qopt.constant(dense<1.0e9> : tensor<2xf32>) : tensor<2xf32>
  %d0 = qopt.dequantize %acc scales(%sx) : (tensor<?x2xi32>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %q0 = qopt.quantize %d0 scales(%sx) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  %d1 = qopt.dequantize %acc scales(%sx) : (tensor<?x2xi32>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %t1 = qopt.tanh %d1 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %q1 = qopt.quantize %t1 scales(%sx) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  %d2 = qopt.dequantize %acc scales(%s) : (tensor<?x2xi32>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %q2 = qopt.quantize %d2 scales(%sx) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  %d3 = qopt.dequantize %acc scales(%sx) : (tensor<?x2xi32>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %b3 = qopt.add %d3, %huge : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %q3 = qopt.quantize %b3 scales(%sx) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  return %d0, %q0, %q1, %q2, %q3 : tensor<?x2xf32>, tensor<?x2xi8>, tensor<?x2xi8>, tensor<?x2xi8>, tensor<?x2xi8>
}

// -----

// A constant that has more dims than the sum, or longer ones, makes several
// values of one: codes of the sum alone do not exist.
// CHECK-LABEL: func @broadcasting_bias
// CHECK-NOT: qopt.requantize
// CHECK: return
func.func @broadcasting_bias(%acc: tensor<4x2xi32>, %column: tensor<4x1xi32>) -> (tensor<1x4x2xi8>, tensor<4x2xi8>) {
  %s = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %z = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %s3 = qopt.constant(dense<0.25> : tensor<1x1x1xf32>) : tensor<1x1x1xf32>
  %z3 = qopt.constant(dense<0> : tensor<1x1x1xi8>) : tensor<1x1x1xi8>
  %deep = qopt.constant(dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>) : tensor<1x1x2xf32>
  %long = qopt.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
  %d0 = qopt.dequantize %acc scales(%s) : (tensor<4x2xi32>, tensor<1x1xf32>) -> tensor<4x2xf32>
  %b0 = qopt.add %d0, %deep : (tensor<4x2xf32>, tensor<1x1x2xf32>) -> tensor<1x4x2xf32>
  %q0 = qopt.quantize %b0 scales(%s3) zeros(%z3) {format = #qopt.format<i8>} : (tensor<1x4x2xf32>, tensor<1x1x1xf32>, tensor<1x1x1xi8>) -> tensor<1x4x2xi8>
  %d1 = qopt.dequantize %column scales(%s) : (tensor<4x1xi32>, tensor<1x1xf32>) -> tensor<4x1xf32>
  %b1 = qopt.add %d1, %long : (tensor<4x1xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %q1 = qopt.quantize %b1 scales(%s) zeros(%z) {format = #qopt.format<i8>} : (tensor<4x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<4x2xi8>
  return %q0, %q1 : tensor<1x4x2xi8>, tensor<4x2xi8>
}
