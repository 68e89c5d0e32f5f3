// RUN: qopt-opt %s --qopt-quantize-activations --verify-each --split-input-file | FileCheck %s
// RUN: not qopt-opt %s --qopt-quantize-activations="activation-rounding=best" --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD

// BAD: error: activation-rounding 'best' expects nearest or ceil

// From the product on every tensor has codes; a pool has those of its operand.
// CHECK-LABEL: func @example
// CHECK: %[[C:.*]] = qopt.conv
// CHECK: %[[CQ:.*]] = qopt.quantize %[[C]] scales(%{{.*}}) zeros(%{{.*}}) {format = #qopt.format<i8, scale = f8E8M0FNU>}
// CHECK: %[[CD:.*]] = qopt.dequantize %[[CQ]]
// CHECK: %[[S:.*]] = qopt.add %[[CD]], %[[CD]]
// CHECK: %[[SQ:.*]] = qopt.quantize %[[S]] scales
// CHECK: %[[SD:.*]] = qopt.dequantize %[[SQ]]
// CHECK: %[[P:.*]] = qopt.max_pool %[[SD]]
// CHECK: qopt.quantize %[[P]] scales
// CHECK: %[[PD:.*]] = qopt.dequantize
// CHECK: return %[[PD]]
func.func @example(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32> {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1x1x1xf8E8M0FNU>
  %w = qopt.constant(dense<3> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x2x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x1x2x2xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x2x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8, axis = 0>} : (tensor<1x1x1x1xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x1x1xf32>
  %c = qopt.conv %d, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %a = qopt.add %c, %c {qopt.stats = {min = -2.0 : f32, max = 2.0 : f32}} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %y = qopt.max_pool %a {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
  return %y : tensor<1x1x1x1xf32>
}

// -----

// Ops before the first product, products that leave, ops without statistics or
// without an integer form get no codes.
// CHECK-LABEL: func @reasons
// CHECK: qopt.tanh %{{.*}} : (tensor<1x2xf32>)
// CHECK-COUNT-1: qopt.quantize
// CHECK: qopt.matmul
// CHECK-NOT: qopt.quantize
// CHECK: qopt.exp {{.*}} why = "ran on no calibration sample"
// CHECK: qopt.mul {{.*}} why = "product of two tensors: float by preset"
// CHECK: qopt.softmax {{.*}} why = "no integer form"
func.func @reasons(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1xf8E8M0FNU>
  %w = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %t = qopt.tanh %x {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %q = qopt.quantize %t scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<2x2xf32>
  %c = qopt.matmul %d, %v {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %e = qopt.exp %c : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = qopt.mul %c, %t : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %o = qopt.softmax %c {axis = 1 : i64} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %e, %m, %o : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}
