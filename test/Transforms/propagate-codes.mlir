// RUN: qopt-opt %s --qopt-propagate-codes --verify-each --split-input-file | FileCheck %s

// 2^-4 and 2^-2 meet at 2^-4: the second is shifted left by 2 and its zero with
// it; then one shift to 2^-1.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[QA:[a-z0-9]+]]: tensor<4xi8>, %[[QB:[a-z0-9]+]]: tensor<4xi8>
// CHECK-DAG: %[[ZB:.*]] = qopt.constant(dense<-80> : tensor<1xi32>)
// CHECK-DAG: %[[K2:.*]] = qopt.constant(dense<-2> : tensor<1xi8>)
// CHECK-DAG: %[[IA:.*]] = qopt.shift %[[QA]], %{{[a-z0-9]+}} {{.*}} -> tensor<4xi32>
// CHECK-DAG: %[[IB:.*]] = qopt.shift %[[QB]], %[[K2]], %[[ZB]] {{.*}} -> tensor<4xi32>
// CHECK-DAG: %[[K3:.*]] = qopt.constant(dense<3> : tensor<1xi8>)
// CHECK: %[[S:.*]] = qopt.add %[[IA]], %[[IB]] : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK: %[[Q:.*]] = qopt.shift %[[S]], %[[K3]], %[[K3]] {max = 127 : i64, min = 3 : i64}
// CHECK: return %[[Q]]
func.func @example(%qa: tensor<4xi8>, %qb: tensor<4xi8>) -> tensor<4xi8> {
  %sa = qopt.constant(#qopt.weight<"hex:7b">) : tensor<1xf8E8M0FNU>
  %sb = qopt.constant(#qopt.weight<"hex:7d">) : tensor<1xf8E8M0FNU>
  %sy = qopt.constant(#qopt.weight<"hex:7e">) : tensor<1xf8E8M0FNU>
  %zb = qopt.constant(dense<20> : tensor<1xi8>) : tensor<1xi8>
  %zy = qopt.constant(dense<3> : tensor<1xi8>) : tensor<1xi8>
  %a = qopt.dequantize %qa scales(%sa) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf8E8M0FNU>) -> tensor<4xf32>
  %b = qopt.dequantize %qb scales(%sb) zeros(%zb) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<4xf32>
  %s = qopt.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = qopt.relu %s : (tensor<4xf32>) -> tensor<4xf32>
  %q = qopt.quantize %r scales(%sy) zeros(%zy) {format = #qopt.format<i8>} : (tensor<4xf32>, tensor<1xf8E8M0FNU>, tensor<1xi8>) -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// -----

// Movement and maxima keep codes; a concat shifts what has another scale; a
// border is the code of its value.
// CHECK-LABEL: func @movement
// CHECK-SAME: %[[QA:[a-z0-9]+]]: tensor<1x2xi8>, %[[QB:[a-z0-9]+]]: tensor<1x2xi8>
// CHECK-DAG: %[[V:.*]] = qopt.constant(dense<7> : tensor<i8>)
// CHECK-DAG: %[[SH:.*]] = qopt.shift %[[QB]], %{{[a-z0-9]+}} {max = 127 : i64, min = -128 : i64}
// CHECK: %[[C:.*]] = qopt.concat %[[QA]], %[[SH]] {{.*}} -> tensor<1x4xi8>
// CHECK: %[[T:.*]] = qopt.transpose %[[C]] {{.*}} -> tensor<4x1xi8>
// CHECK: %[[P:.*]] = qopt.pad %[[T]], %[[V]] {{.*}} -> tensor<5x1xi8>
// CHECK: return %[[P]]
func.func @movement(%qa: tensor<1x2xi8>, %qb: tensor<1x2xi8>) -> tensor<5x1xi8> {
  %sa = qopt.constant(#qopt.weight<"hex:7e">) : tensor<1x1xf8E8M0FNU>
  %sb = qopt.constant(#qopt.weight<"hex:7c">) : tensor<1x1xf8E8M0FNU>
  %border = qopt.constant(dense<3.5> : tensor<f32>) : tensor<f32>
  %a = qopt.dequantize %qa scales(%sa) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %b = qopt.dequantize %qb scales(%sb) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %c = qopt.concat %a, %b {axis = 1 : i64} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %cq = qopt.quantize %c scales(%sa) {format = #qopt.format<i8>} : (tensor<1x4xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xi8>
  %cd = qopt.dequantize %cq scales(%sa) {format = #qopt.format<i8>} : (tensor<1x4xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xf32>
  %t = qopt.transpose %cd {perm = array<i64: 1, 0>} : (tensor<1x4xf32>) -> tensor<4x1xf32>
  %tq = qopt.quantize %t scales(%sa) {format = #qopt.format<i8>} : (tensor<4x1xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<4x1xi8>
  %td = qopt.dequantize %tq scales(%sa) {format = #qopt.format<i8>} : (tensor<4x1xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<4x1xf32>
  %p = qopt.pad %td, %border {pads = array<i64: 0, 0, 1, 0>} : (tensor<4x1xf32>, tensor<f32>) -> tensor<5x1xf32>
  %pq = qopt.quantize %p scales(%sa) {format = #qopt.format<i8>} : (tensor<5x1xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<5x1xi8>
  return %pq : tensor<5x1xi8>
}

// -----

// A mean of 9 at a coarser scale is one division by 18; a function is a table.
// CHECK-LABEL: func @means
// CHECK: %[[S:.*]] = qopt.conv {{.*}} group = 2 : i64{{.*}} -> tensor<1x2x1x1xi32>
// CHECK: %[[M:.*]] = qopt.divide_round %[[S]], %{{.*}} {divisor = 18 : i64, max = 127 : i64, min = -128 : i64}
// CHECK: %[[L:.*]] = qopt.lookup %[[M]], %{{.*}} : (tensor<1x2x1x1xi8>, tensor<256xi8>)
// CHECK: return %[[L]]
func.func @means(%q: tensor<1x2x3x3xi8>) -> tensor<1x2x1x1xi8> {
  %sa = qopt.constant(#qopt.weight<"hex:7b">) : tensor<1x1x1x1xf8E8M0FNU>
  %sb = qopt.constant(#qopt.weight<"hex:7c">) : tensor<1x1x1x1xf8E8M0FNU>
  %d = qopt.dequantize %q scales(%sa) {format = #qopt.format<i8>} : (tensor<1x2x3x3xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x2x3x3xf32>
  %m = qopt.global_average_pool %d : (tensor<1x2x3x3xf32>) -> tensor<1x2x1x1xf32>
  %mq = qopt.quantize %m scales(%sb) {format = #qopt.format<i8>} : (tensor<1x2x1x1xf32>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x2x1x1xi8>
  %md = qopt.dequantize %mq scales(%sb) {format = #qopt.format<i8>} : (tensor<1x2x1x1xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x2x1x1xf32>
  %g = qopt.gelu %md : (tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %gq = qopt.quantize %g scales(%sb) {format = #qopt.format<i8>} : (tensor<1x2x1x1xf32>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x2x1x1xi8>
  return %gq : tensor<1x2x1x1xi8>
}

// -----

// Scales that are no powers of two, a float operand, and scales too far apart
// leave a sum alone.
// CHECK-LABEL: func @reasons
// CHECK-NOT: qopt.shift
// CHECK: return
func.func @reasons(%qa: tensor<4xi8>, %x: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xi8>, tensor<4xi8>) {
  %f = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %s = qopt.constant(#qopt.weight<"hex:7d">) : tensor<1xf8E8M0FNU>
  %far = qopt.constant(#qopt.weight<"hex:a0">) : tensor<1xf8E8M0FNU>
  %a = qopt.dequantize %qa scales(%f) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf32>) -> tensor<4xf32>
  %b = qopt.dequantize %qa scales(%s) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf8E8M0FNU>) -> tensor<4xf32>
  %c = qopt.dequantize %qa scales(%far) {format = #qopt.format<i8>} : (tensor<4xi8>, tensor<1xf8E8M0FNU>) -> tensor<4xf32>
  %0 = qopt.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = qopt.add %b, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = qopt.add %b, %c : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %q0 = qopt.quantize %0 scales(%s) {format = #qopt.format<i8>} : (tensor<4xf32>, tensor<1xf8E8M0FNU>) -> tensor<4xi8>
  %q1 = qopt.quantize %1 scales(%s) {format = #qopt.format<i8>} : (tensor<4xf32>, tensor<1xf8E8M0FNU>) -> tensor<4xi8>
  %q2 = qopt.quantize %2 scales(%s) {format = #qopt.format<i8>} : (tensor<4xf32>, tensor<1xf8E8M0FNU>) -> tensor<4xi8>
  return %q0, %q1, %q2 : tensor<4xi8>, tensor<4xi8>, tensor<4xi8>
}
