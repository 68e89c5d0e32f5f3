// RUN: qopt-opt %s --qopt-sink-dequantize --verify-each --split-input-file | FileCheck %s

// The codes are transposed, and their scales and zeros with them.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<24x32xi8>
// CHECK-DAG: %[[S:.*]] = qopt.constant({{.*}}) : tensor<1x24xf32>
// CHECK-DAG: %[[T:.*]] = qopt.transpose %[[C]] {perm = array<i64: 1, 0>} : (tensor<24x32xi8>) -> tensor<32x24xi8>
// CHECK: %[[D:.*]] = qopt.dequantize %[[T]] scales(%[[S]]) {format = #qopt.format<i8, axis = 1>}
// CHECK: qopt.matmul %{{.*}}, %[[D]]
func.func @example(%c: tensor<24x32xi8>, %x: tensor<?x32xf32>) -> tensor<?x24xf32> {
  %s = qopt.constant(dense<0.5> : tensor<24x1xf32>) : tensor<24x1xf32>
  %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 0>} : (tensor<24x32xi8>, tensor<24x1xf32>) -> tensor<24x32xf32>
  %t = qopt.transpose %d {perm = array<i64: 1, 0>} : (tensor<24x32xf32>) -> tensor<32x24xf32>
  %y = qopt.matmul %x, %t : (tensor<?x32xf32>, tensor<32x24xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Scales of blocks lie along two axes: they are transposed as the codes are.
// CHECK-LABEL: func @blocks
// CHECK-DAG: qopt.transpose {{.*}} : (tensor<8x8xi8>) -> tensor<8x8xi8>
// CHECK-DAG: %[[S:.*]] = qopt.transpose {{.*}} : (tensor<8x2xf32>) -> tensor<2x8xf32>
// CHECK: qopt.dequantize %{{.*}} scales(%[[S]]) {format = #qopt.format<i8, axis = 0, block = 4>}
func.func @blocks(%c: tensor<8x8xi8>, %s: tensor<8x2xf32>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 1, block = 4>} : (tensor<8x8xi8>, tensor<8x2xf32>) -> tensor<8x8xf32>
  %t = qopt.transpose %d {perm = array<i64: 1, 0>} : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = qopt.matmul %x, %t : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Several movements, on both sides: an activation with one scale has it whatever
// its dims become.
// CHECK-LABEL: func @movements
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x4x1x1xui8>, %[[C:[a-z0-9]+]]: tensor<1x6x2x2xi8>
// CHECK-DAG: %[[SX:.*]] = qopt.constant({{.*}}) : tensor<1x1xf32>
// CHECK-DAG: %[[SW:.*]] = qopt.constant({{.*}}) : tensor<1x6xf32>
// CHECK-DAG: %[[ZW:.*]] = qopt.constant({{.*}}) : tensor<1x6xi8>
// CHECK-DAG: %[[F:.*]] = qopt.flatten %[[Q]] {{.*}} -> tensor<?x4xui8>
// CHECK-DAG: qopt.squeeze %[[C]] {{.*}} -> tensor<6x2x2xi8>
// CHECK-DAG: qopt.reshape {{.*}} -> tensor<6x4xi8>
// CHECK-DAG: %[[T:.*]] = qopt.transpose {{.*}} -> tensor<4x6xi8>
// CHECK-DAG: %[[X:.*]] = qopt.dequantize %[[F]] scales(%[[SX]]) {format = #qopt.format<ui8>}
// CHECK-DAG: %[[W:.*]] = qopt.dequantize %[[T]] scales(%[[SW]]) zeros(%[[ZW]]) {format = #qopt.format<i8, axis = 1>}
// CHECK: qopt.matmul %[[X]], %[[W]]
func.func @movements(%q: tensor<?x4x1x1xui8>, %c: tensor<1x6x2x2xi8>) -> tensor<?x6xf32> {
  %sx = qopt.constant(dense<0.5> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %sw = qopt.constant(dense<0.5> : tensor<1x6x1x1xf32>) : tensor<1x6x1x1xf32>
  %zw = qopt.constant(dense<3> : tensor<1x6x1x1xi8>) : tensor<1x6x1x1xi8>
  %shape = qopt.constant(dense<[6, 4]> : tensor<2xi64>) : tensor<2xi64>
  %x = qopt.dequantize %q scales(%sx) {format = #qopt.format<ui8>} : (tensor<?x4x1x1xui8>, tensor<1x1x1x1xf32>) -> tensor<?x4x1x1xf32>
  %f = qopt.flatten %x {axis = 1 : i64} : (tensor<?x4x1x1xf32>) -> tensor<?x4xf32>
  %d = qopt.dequantize %c scales(%sw) zeros(%zw) {format = #qopt.format<i8, axis = 1>} : (tensor<1x6x2x2xi8>, tensor<1x6x1x1xf32>, tensor<1x6x1x1xi8>) -> tensor<1x6x2x2xf32>
  %a = qopt.squeeze %d {axes = array<i64: 0>} : (tensor<1x6x2x2xf32>) -> tensor<6x2x2xf32>
  %b = qopt.reshape %a, %shape : (tensor<6x2x2xf32>, tensor<2xi64>) -> tensor<6x4xf32>
  %t = qopt.transpose %b {perm = array<i64: 1, 0>} : (tensor<6x4xf32>) -> tensor<4x6xf32>
  %y = qopt.matmul %f, %t : (tensor<?x4xf32>, tensor<4x6xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// -----

// Nothing is moved for another op than a product, where an axis with scales is
// taken apart, and where computed codes share bytes.
// CHECK-LABEL: func @reasons
// CHECK-COUNT-3: qopt.dequantize
// CHECK: qopt.transpose {{.*}}xf32>
// CHECK: qopt.reshape {{.*}}xf32>
// CHECK: qopt.transpose {{.*}}xf32>
// CHECK-NOT: qopt.dequantize
func.func @reasons(%c: tensor<4x6xi8>, %n: tensor<2x6xi4>, %x: tensor<?x2xf32>, %z: tensor<?x6xf32>) -> (tensor<6x4xf32>, tensor<?x12xf32>, tensor<?x2xf32>) {
  %s = qopt.constant(dense<0.5> : tensor<4x1xf32>) : tensor<4x1xf32>
  %one = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %shape = qopt.constant(dense<[2, 12]> : tensor<2xi64>) : tensor<2xi64>
  %a = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 0>} : (tensor<4x6xi8>, tensor<4x1xf32>) -> tensor<4x6xf32>
  %b = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 0>} : (tensor<4x6xi8>, tensor<4x1xf32>) -> tensor<4x6xf32>
  %d = qopt.dequantize %n scales(%one) {format = #qopt.format<i4>} : (tensor<2x6xi4>, tensor<1x1xf32>) -> tensor<2x6xf32>
  %0 = qopt.transpose %a {perm = array<i64: 1, 0>} : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %1 = qopt.reshape %b, %shape : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<2x12xf32>
  %2 = qopt.matmul %x, %1 : (tensor<?x2xf32>, tensor<2x12xf32>) -> tensor<?x12xf32>
  %3 = qopt.transpose %d {perm = array<i64: 1, 0>} : (tensor<2x6xf32>) -> tensor<6x2xf32>
  %4 = qopt.matmul %z, %3 : (tensor<?x6xf32>, tensor<6x2xf32>) -> tensor<?x2xf32>
  return %0, %2, %4 : tensor<6x4xf32>, tensor<?x12xf32>, tensor<?x2xf32>
}
