// RUN: qopt-opt %s --qopt-form-quantized-ops --verify-each --split-input-file | FileCheck %s

// Integer codes: an i32 sum, dequantized by both scales.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x64xi8>
// CHECK-DAG: %[[SX:.*]] = qopt.constant(dense<2.500000e-01> : tensor<1x1xf32>)
// CHECK-DAG: %[[ZX:.*]] = qopt.constant(dense<5> : tensor<1x1xi8>)
// CHECK-DAG: %[[W:.*]] = qopt.constant(dense<3> : tensor<64x8xi8>)
// CHECK-DAG: %[[SW:.*]] = qopt.constant(dense<5.000000e-01> : tensor<1x8xf32>)
// CHECK: %[[ACC:.*]] = qopt.matmul %[[Q]] zeros(%[[ZX]]), %[[W]] {{.*}} -> tensor<?x8xi32>
// CHECK: %[[Y:.*]] = qopt.dequantize %[[ACC]] scales(%[[SX]], %[[SW]])
// CHECK: return %[[Y]]
func.func @example(%q: tensor<?x64xi8>) -> tensor<?x8xf32> {
  %sx = qopt.constant(dense<0.25> : tensor<1x1xf32>) : tensor<1x1xf32>
  %zx = qopt.constant(dense<5> : tensor<1x1xi8>) : tensor<1x1xi8>
  %codes = qopt.constant(dense<3> : tensor<64x8xi8>) : tensor<64x8xi8>
  %sw = qopt.constant(dense<0.5> : tensor<1x8xf32>) : tensor<1x8xf32>
  %d = qopt.dequantize %q scales(%sx) zeros(%zx) {format = #qopt.format<i8>} : (tensor<?x64xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x64xf32>
  %v = qopt.dequantize %codes scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<64x8xi8>, tensor<1x8xf32>) -> tensor<64x8xf32>
  %y = qopt.matmul %d, %v : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// The scales of a convolution's outputs move to the result's channels, and the
// bias is added behind.
// CHECK-LABEL: func @convolution
// CHECK: %[[ACC:.*]] = qopt.conv {{.*}} -> tensor<?x2x3x3xi32>
// CHECK: %[[D:.*]] = qopt.dequantize %[[ACC]] scales({{.*}}, {{.*}}) : (tensor<?x2x3x3xi32>, tensor<?x1x1x1xf32>, tensor<1x2x1x1xf32>)
// CHECK: qopt.add %[[D]], {{.*}} : (tensor<?x2x3x3xf32>, tensor<1x2x1x1xf32>)
func.func @convolution(%q: tensor<?x4x3x3xi8>, %s: tensor<?x1x1x1xf32>) -> tensor<?x2x3x3xf32> {
  %codes = qopt.constant(dense<3> : tensor<2x4x1x1xi8>) : tensor<2x4x1x1xi8>
  %sw = qopt.constant(dense<0.5> : tensor<2x1x1x1xf32>) : tensor<2x1x1x1xf32>
  %b = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<2xf32>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<?x4x3x3xi8>, tensor<?x1x1x1xf32>) -> tensor<?x4x3x3xf32>
  %v = qopt.dequantize %codes scales(%sw) {format = #qopt.format<i8, axis = 0>} : (tensor<2x4x1x1xi8>, tensor<2x1x1x1xf32>) -> tensor<2x4x1x1xf32>
  %y = qopt.conv %d, %v bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x3x3xf32>, tensor<2x4x1x1xf32>, tensor<2xf32>) -> tensor<?x2x3x3xf32>
  return %y : tensor<?x2x3x3xf32>
}

// -----

// Blocks and groups become operands. One block that is all of the products is
// still a block: its codes have a unit.
// CHECK-LABEL: func @blocks
// CHECK: qopt.matmul %{{.*}} scales(%{{.*}}), %{{.*}} scales(%{{.*}}) {lhs_format = #qopt.format<mxint8, axis = 1>, rhs_format = #qopt.format<mxint8, axis = 0>}
// CHECK-SAME: -> tensor<?x8xf32>
func.func @blocks(%q: tensor<?x32xi8>, %s: tensor<?x1xf8E8M0FNU>, %w: tensor<32x8xi8>, %sw: tensor<1x8xf8E8M0FNU>) -> tensor<?x8xf32> {
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<mxint8, axis = 1>} : (tensor<?x32xi8>, tensor<?x1xf8E8M0FNU>) -> tensor<?x32xf32>
  %v = qopt.dequantize %w scales(%sw) {format = #qopt.format<mxint8, axis = 0>} : (tensor<32x8xi8>, tensor<1x8xf8E8M0FNU>) -> tensor<32x8xf32>
  %y = qopt.matmul %d, %v : (tensor<?x32xf32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A plan that leaves the activation alone is kept: a table's rows stay reals.
// CHECK-LABEL: func @weight_only
// CHECK: %[[D:.*]] = qopt.dequantize
// CHECK: qopt.matmul %[[D]], %{{.*}} scales(%{{.*}})
func.func @weight_only(%q: tensor<?x32xi8>, %s: tensor<?x1xf32>, %w: tensor<32x8xf4E2M1FN>, %sw: tensor<1x8xf8E8M0FNU>) -> tensor<?x8xf32> {
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<?x32xi8>, tensor<?x1xf32>) -> tensor<?x32xf32>
  %v = qopt.dequantize %w scales(%sw) {format = #qopt.format<mxfp4, axis = 0>} : (tensor<32x8xf4E2M1FN>, tensor<1x8xf8E8M0FNU>) -> tensor<32x8xf32>
  %y = qopt.matmul %d, %v {qopt.request = #qopt.request<params = "weight-only", weight = <mxfp4, axis = 0>>} : (tensor<?x32xf32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A gather of a dequantized table gathers codes and scales.
// CHECK-LABEL: func @table
// CHECK-DAG: %[[C:.*]] = qopt.gather %{{.*}} : (tensor<9x64xf4E2M1FN>, tensor<?x3xi64>) -> tensor<?x3x64xf4E2M1FN>
// CHECK-DAG: %[[S:.*]] = qopt.gather %{{.*}} : (tensor<9x4xf8E4M3FN>, tensor<?x3xi64>) -> tensor<?x3x4xf8E4M3FN>
// CHECK-DAG: %[[T:.*]] = qopt.constant(dense<2.000000e+00> : tensor<1x1x1xf32>)
// CHECK: qopt.dequantize %[[C]] scales(%[[S]], %[[T]]) {format = #qopt.format<nvfp4, axis = 2>}
func.func @table(%w: tensor<9x64xf4E2M1FN>, %s: tensor<9x4xf8E4M3FN>, %i: tensor<?x3xi64>) -> tensor<?x3x64xf32> {
  %t = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %v = qopt.dequantize %w scales(%s, %t) {format = #qopt.format<nvfp4, axis = 1>} : (tensor<9x64xf4E2M1FN>, tensor<9x4xf8E4M3FN>, tensor<1x1xf32>) -> tensor<9x64xf32>
  %y = qopt.gather %v, %i {axis = 0 : i64} : (tensor<9x64xf32>, tensor<?x3xi64>) -> tensor<?x3x64xf32>
  return %y : tensor<?x3x64xf32>
}

// -----

// Codes on one side only, scales that vary along the products, and sums that
// could wrap stay.
// CHECK-LABEL: func @reasons
// CHECK-COUNT-3: qopt.matmul {{.*}}xf32>
// CHECK: return
func.func @reasons(%x: tensor<?x2xf32>, %q: tensor<?x2xi8>, %l: tensor<?x40000xi8>, %s: tensor<1x2xf32>, %t: tensor<1x1xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %sw = qopt.constant(dense<0.5> : tensor<1x8xf32>) : tensor<1x8xf32>
  %codes = qopt.constant(dense<3> : tensor<2x8xi8>) : tensor<2x8xi8>
  %long = qopt.constant(dense<3> : tensor<40000x8xi8>) : tensor<40000x8xi8>
  %v = qopt.dequantize %codes scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<2x8xi8>, tensor<1x8xf32>) -> tensor<2x8xf32>
  %vl = qopt.dequantize %long scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<40000x8xi8>, tensor<1x8xf32>) -> tensor<40000x8xf32>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8, axis = 1>} : (tensor<?x2xi8>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %dl = qopt.dequantize %l scales(%t) {format = #qopt.format<i8>} : (tensor<?x40000xi8>, tensor<1x1xf32>) -> tensor<?x40000xf32>
  %0 = qopt.matmul %x, %v : (tensor<?x2xf32>, tensor<2x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.matmul %d, %v : (tensor<?x2xf32>, tensor<2x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.matmul %dl, %vl : (tensor<?x40000xf32>, tensor<40000x8xf32>) -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}
