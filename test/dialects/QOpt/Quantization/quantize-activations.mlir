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

// -----

// The operand's rounding is in a mean of four with its fourth part: the codes of
// the first would have more than 33 dB by themselves.
// CHECK-LABEL: func @rounded_twice
// CHECK: qopt.average_pool {{.*}}why = "SQNR 32 dB < 33">{{.*}}mean_square = 1.100000e-02
// CHECK: %[[P:.*]] = qopt.average_pool {{.*}}mean_square = 3.000000e-02
// CHECK: qopt.quantize %[[P]]
func.func @rounded_twice(%x: tensor<1x1x2x2xf32>) -> (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1x1x1xf8E8M0FNU>
  %w = qopt.constant(dense<3> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x2x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x1x2x2xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x2x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8, axis = 0>} : (tensor<1x1x1x1xi8>, tensor<1x1x1x1xf8E8M0FNU>) -> tensor<1x1x1x1xf32>
  %c = qopt.conv %d, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, mean_square = 0.1 : f32}} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %quiet = qopt.average_pool %c {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, ceil_mode = false, count_include_pad = false, qopt.stats = {min = -0.95 : f32, max = 0.95 : f32, mean_square = 0.011 : f32}} : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
  %loud = qopt.average_pool %c {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, ceil_mode = false, count_include_pad = false, qopt.stats = {min = -0.95 : f32, max = 0.95 : f32, mean_square = 0.03 : f32}} : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
  return %quiet, %loud : tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>
}

// -----

// A part of a concat that the others' scale would leave without bits keeps the
// whole concat float, unless only products read it: they see its codes anyway.
// CHECK-LABEL: func @parts
// CHECK: qopt.concat {{.*}} why = "a part has SQNR 1 dB < 33"
// CHECK: qopt.concat {{.*}}qopt.stats = {max = 1.000000e+02 : f32, mean_square = 1.000000e+03 : f32, min = -1.000000e+02 : f32}}
func.func @parts(%x: tensor<1x2xf32>) -> (tensor<1x4xf32>, tensor<1x2xf32>) {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1xf8E8M0FNU>
  %w = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %u = qopt.constant(dense<3> : tensor<4x2xi8>) : tensor<4x2xi8>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<2x2xf32>
  %t = qopt.dequantize %u scales(%s) {format = #qopt.format<i8>} : (tensor<4x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<4x2xf32>
  %a = qopt.matmul %d, %v {qopt.stats = {min = -100.0 : f32, max = 100.0 : f32, mean_square = 2000.0 : f32}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %b = qopt.matmul %d, %v {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, mean_square = 0.1 : f32}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %0 = qopt.concat %a, %b {axis = 1 : i64, qopt.stats = {min = -100.0 : f32, max = 100.0 : f32, mean_square = 1000.0 : f32}} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %1 = qopt.concat %b, %a {axis = 1 : i64, qopt.stats = {min = -100.0 : f32, max = 100.0 : f32, mean_square = 1000.0 : f32}} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %e = qopt.quantize %1 scales(%s) {format = #qopt.format<i8>} : (tensor<1x4xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xi8>
  %f = qopt.dequantize %e scales(%s) {format = #qopt.format<i8>} : (tensor<1x4xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xf32>
  %2 = qopt.matmul %f, %t : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  return %0, %2 : tensor<1x4xf32>, tensor<1x2xf32>
}

// -----

// Minus infinity has no code.
// CHECK-LABEL: func @mask
// CHECK: qopt.add {{.*}} why = "codes have no infinity and no NaN"
func.func @mask(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1xf8E8M0FNU>
  %w = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %m = qopt.constant(dense<[[0.0, 0xFF800000]]> : tensor<1x2xf32>) : tensor<1x2xf32>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<2x2xf32>
  %a = qopt.matmul %d, %v {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %0 = qopt.add %a, %m {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, non_finite = 4 : i64}} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = qopt.tanh %0 {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----

// A value that the model came with codes for gets no others.
// CHECK-LABEL: func @own_codes
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor
// CHECK-COUNT-2: qopt.quantize
// CHECK-NOT: qopt.quantize
// CHECK: qopt.tanh {{.*}} why = "the file has codes for it"
func.func @own_codes(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %s = qopt.constant(#qopt.weight<"hex:7a">) : tensor<1x1xf8E8M0FNU>
  %f = qopt.constant(dense<0.3> : tensor<1x1xf32>) : tensor<1x1xf32>
  %w = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %q = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xf32>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xi8>
  %d = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xf32>
  %v = qopt.dequantize %w scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<2x2xf32>
  %a = qopt.matmul %d, %v {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %r = qopt.quantize %a scales(%f) {format = #qopt.format<i8>, divide} : (tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x2xi8>
  %e = qopt.dequantize %r scales(%f) {format = #qopt.format<i8>} : (tensor<1x2xi8>, tensor<1x1xf32>) -> tensor<1x2xf32>
  %0 = qopt.tanh %e {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32}} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
