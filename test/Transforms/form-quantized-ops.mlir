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
// could wrap are sums of floats: at most the codes of the weight take part.
// CHECK-LABEL: func @reasons
// CHECK: qopt.matmul %arg0, %{{.*}} scales(%{{.*}}) {{.*}}(tensor<?x2xf32>, tensor<2x8xi8>, tensor<1x8xf32>) -> tensor<?x8xf32>
// CHECK: qopt.matmul %{{.*}}(tensor<?x2xf32>, tensor<2x8xi8>, tensor<1x8xf32>) -> tensor<?x8xf32>
// CHECK: qopt.matmul %arg2 scales{{.*}} -> tensor<?x8xf32>
// CHECK: return
func.func @reasons(%x: tensor<?x2xf32>, %q: tensor<?x2xi8>, %l: tensor<?x65537xi8>, %s: tensor<1x2xf32>, %t: tensor<1x1xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %sw = qopt.constant(dense<0.5> : tensor<1x8xf32>) : tensor<1x8xf32>
  %codes = qopt.constant(dense<3> : tensor<2x8xi8>) : tensor<2x8xi8>
  %long = qopt.constant(dense<3> : tensor<65537x8xi8>) : tensor<65537x8xi8>
  %v = qopt.dequantize %codes scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<2x8xi8>, tensor<1x8xf32>) -> tensor<2x8xf32>
  %vl = qopt.dequantize %long scales(%sw) {format = #qopt.format<i8, axis = 1>} : (tensor<65537x8xi8>, tensor<1x8xf32>) -> tensor<65537x8xf32>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8, axis = 1>} : (tensor<?x2xi8>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %dl = qopt.dequantize %l scales(%t) {format = #qopt.format<i8>} : (tensor<?x65537xi8>, tensor<1x1xf32>) -> tensor<?x65537xf32>
  %0 = qopt.matmul %x, %v : (tensor<?x2xf32>, tensor<2x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.matmul %d, %v : (tensor<?x2xf32>, tensor<2x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.matmul %dl, %vl : (tensor<?x65537xf32>, tensor<65537x8xf32>) -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// A sum runs along the channels and the positions of a kernel: scales that vary
// along any of them stay in front of it. A weight is decoded then.
// CHECK-LABEL: func @kernel_scales
// CHECK-DAG: %[[W:.*]] = qopt.constant(dense<{{.*}}1.500000e+00, 7.500000e-01{{.*}}> : tensor<3x1x2x2xf32>)
// CHECK: qopt.conv %{{.*}}, %[[W]] {{.*}}xf32>
// CHECK: qopt.conv %{{.*}}, %{{.*}} scales(%{{.*}}) {{.*}} -> tensor<2x3x2x2xf32>
// CHECK: qopt.conv {{.*}} -> tensor<2x3x2x2xi32>
func.func @kernel_scales(%q: tensor<2x1x3x3xi8>, %rows: tensor<1x1x3x1xf32>, %samples: tensor<2x1x1x1xf32>) -> (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) {
  %codes = qopt.constant(dense<3> : tensor<3x1x2x2xi8>) : tensor<3x1x2x2xi8>
  %taps = qopt.constant(dense<[[[[0.5, 0.25]]]]> : tensor<1x1x1x2xf32>) : tensor<1x1x1x2xf32>
  %outputs = qopt.constant(dense<0.5> : tensor<3x1x1x1xf32>) : tensor<3x1x1x1xf32>
  %x = qopt.dequantize %q scales(%samples) {format = #qopt.format<i8>} : (tensor<2x1x3x3xi8>, tensor<2x1x1x1xf32>) -> tensor<2x1x3x3xf32>
  %xr = qopt.dequantize %q scales(%rows) {format = #qopt.format<i8, axis = 2>} : (tensor<2x1x3x3xi8>, tensor<1x1x3x1xf32>) -> tensor<2x1x3x3xf32>
  %w = qopt.dequantize %codes scales(%outputs) {format = #qopt.format<i8, axis = 0>} : (tensor<3x1x2x2xi8>, tensor<3x1x1x1xf32>) -> tensor<3x1x2x2xf32>
  %wt = qopt.dequantize %codes scales(%taps) {format = #qopt.format<i8, axis = 3>} : (tensor<3x1x2x2xi8>, tensor<1x1x1x2xf32>) -> tensor<3x1x2x2xf32>
  %0 = qopt.conv %x, %wt {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x1x3x3xf32>, tensor<3x1x2x2xf32>) -> tensor<2x3x2x2xf32>
  %1 = qopt.conv %xr, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x1x3x3xf32>, tensor<3x1x2x2xf32>) -> tensor<2x3x2x2xf32>
  %2 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x1x3x3xf32>, tensor<3x1x2x2xf32>) -> tensor<2x3x2x2xf32>
  return %0, %1, %2 : tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>
}

// -----

// Unsigned codes lie up to 255 from their zero, on both sides: 16512 products
// fit into an i32, 16513 do not.
// CHECK-LABEL: func @unsigned_sums
// CHECK-DAG: qopt.matmul {{.*}}tensor<16512x1xui8>) -> tensor<?x1xi32>
// CHECK-DAG: qopt.matmul {{.*}}tensor<16513x1xui8>, tensor<1x1xf32>) -> tensor<?x1xf32>
func.func @unsigned_sums(%p: tensor<?x16512xui8>, %q: tensor<?x16513xui8>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %cp = qopt.constant(dense<3> : tensor<16512x1xui8>) : tensor<16512x1xui8>
  %cq = qopt.constant(dense<3> : tensor<16513x1xui8>) : tensor<16513x1xui8>
  %x = qopt.dequantize %p scales(%s) {format = #qopt.format<ui8>} : (tensor<?x16512xui8>, tensor<1x1xf32>) -> tensor<?x16512xf32>
  %y = qopt.dequantize %q scales(%s) {format = #qopt.format<ui8>} : (tensor<?x16513xui8>, tensor<1x1xf32>) -> tensor<?x16513xf32>
  %v = qopt.dequantize %cp scales(%s) {format = #qopt.format<ui8>} : (tensor<16512x1xui8>, tensor<1x1xf32>) -> tensor<16512x1xf32>
  %w = qopt.dequantize %cq scales(%s) {format = #qopt.format<ui8>} : (tensor<16513x1xui8>, tensor<1x1xf32>) -> tensor<16513x1xf32>
  %0 = qopt.matmul %x, %v : (tensor<?x16512xf32>, tensor<16512x1xf32>) -> tensor<?x1xf32>
  %1 = qopt.matmul %y, %w : (tensor<?x16513xf32>, tensor<16513x1xf32>) -> tensor<?x1xf32>
  return %0, %1 : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// Scales of columns go with each row that is gathered.
// CHECK-LABEL: func @columns
// CHECK-DAG: %[[C:.*]] = qopt.gather {{.*}} -> tensor<?x3x2xi8>
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<{{.*}}5.000000e-01, 2.500000e-01{{.*}}> : tensor<1x1x2xf32>)
// CHECK: qopt.dequantize %[[C]] scales(%[[S]])
func.func @columns(%w: tensor<9x2xi8>, %i: tensor<?x3xi64>) -> tensor<?x3x2xf32> {
  %s = qopt.constant(dense<[[0.5, 0.25]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8, axis = 1>} : (tensor<9x2xi8>, tensor<1x2xf32>) -> tensor<9x2xf32>
  %y = qopt.gather %v, %i {axis = 0 : i64} : (tensor<9x2xf32>, tensor<?x3xi64>) -> tensor<?x3x2xf32>
  return %y : tensor<?x3x2xf32>
}

// -----

// The codes of a table of one row are gathered as those of any other.
// CHECK-LABEL: func @one_row
// CHECK: qopt.gather {{.*}} : (tensor<1x2xi8>, tensor<?xi64>) -> tensor<?x2xi8>
func.func @one_row(%w: tensor<1x2xi8>, %i: tensor<?xi64>) -> tensor<?x2xf32> {
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf32>) -> tensor<1x2xf32>
  %y = qopt.gather %v, %i {axis = 0 : i64} : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A row has no scales of its own where a block holds several.
// CHECK-LABEL: func @blocks_of_rows
// CHECK: qopt.gather {{.*}} -> tensor<?x2xf32>
func.func @blocks_of_rows(%w: tensor<8x2xi8>, %s: tensor<2x2xf32>, %i: tensor<?xi64>) -> tensor<?x2xf32> {
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8, axis = 0, block = 4>} : (tensor<8x2xi8>, tensor<2x2xf32>) -> tensor<8x2xf32>
  %y = qopt.gather %v, %i {axis = 0 : i64} : (tensor<8x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Where an override asks for floats, the codes that the model came with are decoded.
// CHECK-LABEL: func @asked_for_float
// CHECK: %[[W:.*]] = qopt.constant({{.*}}) : tensor<64x8xf32>
// CHECK: qopt.matmul %{{[a-z0-9]+}}, %[[W]] {{.*}} -> tensor<?x8xf32>
func.func @asked_for_float(%q: tensor<?x64xi8>) -> tensor<?x8xf32> {
  %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %codes = qopt.constant(dense<3> : tensor<64x8xi8>) : tensor<64x8xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<?x64xi8>, tensor<1x1xf32>) -> tensor<?x64xf32>
  %v = qopt.dequantize %codes scales(%s) {format = #qopt.format<i8>} : (tensor<64x8xi8>, tensor<1x1xf32>) -> tensor<64x8xf32>
  %y = qopt.matmul %d, %v {qopt.request = #qopt.request<params = float, why = "override">} : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
