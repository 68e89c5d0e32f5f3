// RUN: qopt-opt %s --qopt-fit-biases --verify-each --split-input-file | FileCheck %s

// A step of the sum is 2^-2 * 2^-40, so a bias of 1 is 2^42 of them. With the least
// larger step it is 2^30; the codes 127 and -64 of 2^-40 are less than half of one.
// The channel whose bias fits keeps its codes.
// CHECK-LABEL: func @conv
// CHECK-DAG: %[[C:.*]] = qopt.constant(dense<{{.*100.*50.*}}[0]{{.*}}[0]{{.*}}> : tensor<2x2x1x1xi8>)
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<{{.*5.000000e-01.*3.72529074E-9.*}}> : tensor<2x1x1x1xf32>)
// CHECK: %[[W:.*]] = qopt.dequantize %[[C]] scales(%[[S]]) {format = #qopt.format<i8, axis = 0>}
// CHECK: qopt.conv %{{.*}}, %[[W]] bias
func.func @conv(%q: tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xi8> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %zx = qopt.constant(dense<0> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %c = qopt.constant(dense<[[[[100]], [[50]]], [[[127]], [[-64]]]]> : tensor<2x2x1x1xi8>) : tensor<2x2x1x1xi8>
  %sw = qopt.constant(dense<[[[[0.5]]], [[[0x2B800000]]]]> : tensor<2x1x1x1xf32>) : tensor<2x1x1x1xf32>
  %b = qopt.constant(dense<[3.0, 1.0]> : tensor<2xf32>) : tensor<2xf32>
  %x = qopt.dequantize %q scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<1x2x4x4xi8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x4x4xf32>
  %w = qopt.dequantize %c scales(%sw) {format = #qopt.format<i8, axis = 0>} : (tensor<2x2x1x1xi8>, tensor<2x1x1x1xf32>) -> tensor<2x2x1x1xf32>
  %y = qopt.conv %x, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %r = qopt.relu %y : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %p = qopt.quantize %r scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<1x2x4x4xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xi8>) -> tensor<1x2x4x4xi8>
  return %p : tensor<1x2x4x4xi8>
}

// -----

// Steps that are powers of two stay that: 2^42 steps of 2^-42 become 2^29 of 2^-29,
// because 2^30 leaves the sum no room. Byte 100 of a weight's step is 2^-27.
// CHECK-LABEL: func @powers_of_two
// CHECK-DAG: %[[C:.*]] = qopt.constant(dense<{{.*}}[100, 0], [50, 0]{{.*}}> : tensor<2x2xi8>)
// CHECK-DAG: %[[S:.*]] = qopt.constant(#qopt.weight<"hex:7e64">) : tensor<1x2xf8E8M0FNU>
// CHECK: qopt.dequantize %[[C]] scales(%[[S]]) {format = #qopt.format<i8, axis = 1>}
func.func @powers_of_two(%q: tensor<?x2xi8>) -> tensor<?x2xi8> {
  %sx = qopt.constant(#qopt.weight<"hex:7d">) : tensor<1x1xf8E8M0FNU>
  %zx = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %c = qopt.constant(dense<[[100, 127], [50, -64]]> : tensor<2x2xi8>) : tensor<2x2xi8>
  %sw = qopt.constant(#qopt.weight<"hex:7e57">) : tensor<1x2xf8E8M0FNU>
  %b = qopt.constant(dense<[3.0, 1.0]> : tensor<2xf32>) : tensor<2xf32>
  %x = qopt.dequantize %q scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x2xi8>, tensor<1x1xf8E8M0FNU>, tensor<1x1xi8>) -> tensor<?x2xf32>
  %w = qopt.dequantize %c scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<2x2xi8>, tensor<1x2xf8E8M0FNU>) -> tensor<2x2xf32>
  %m = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = qopt.add %m, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %p = qopt.quantize %y scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf8E8M0FNU>, tensor<1x1xi8>) -> tensor<?x2xi8>
  return %p : tensor<?x2xi8>
}

// -----

// Codes that the model came with stay: nobody asked for others.
// CHECK-LABEL: func @codes_of_the_model
// CHECK: qopt.constant(dense<{{.*}}[100, 127], [50, -64]{{.*}}> : tensor<2x2xi8>)
func.func @codes_of_the_model(%q: tensor<?x2xi8>) -> tensor<?x2xi8> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %zx = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %c = qopt.constant(dense<[[100, 127], [50, -64]]> : tensor<2x2xi8>) : tensor<2x2xi8>
  %sw = qopt.constant(dense<[[0.5, 0x2B800000]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %b = qopt.constant(dense<[3.0, 1.0]> : tensor<2xf32>) : tensor<2xf32>
  %x = qopt.dequantize %q scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xf32>
  %w = qopt.dequantize %c scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<2x2xi8>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %m = qopt.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = qopt.add %m, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %p = qopt.quantize %y scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x2xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xi8>
  return %p : tensor<?x2xi8>
}

// -----

// A sum that floats read has its bias in float.
// CHECK-LABEL: func @stays_float
// CHECK: qopt.constant(dense<{{.*}}[100, 127], [50, -64]{{.*}}> : tensor<2x2xi8>)
func.func @stays_float(%q: tensor<?x2xi8>) -> tensor<?x2xf32> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %zx = qopt.constant(dense<0> : tensor<1x1xi8>) : tensor<1x1xi8>
  %c = qopt.constant(dense<[[100, 127], [50, -64]]> : tensor<2x2xi8>) : tensor<2x2xi8>
  %sw = qopt.constant(dense<[[0.5, 0x2B800000]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %b = qopt.constant(dense<[3.0, 1.0]> : tensor<2xf32>) : tensor<2xf32>
  %x = qopt.dequantize %q scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x2xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x2xf32>
  %w = qopt.dequantize %c scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<2x2xi8>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %m = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = qopt.add %m, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
