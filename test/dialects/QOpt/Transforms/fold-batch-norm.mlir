// RUN: qopt-opt %s --qopt-fold-batch-norm --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-fold-batch-norm --mlir-print-debuginfo --split-input-file | FileCheck %s --check-prefix=LOC

// The weight is scaled and a bias made, as expressions; the norm is gone and its
// node is one of the convolution's.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:.*]]: tensor<?x3x8x8xf32>
// CHECK-DAG: %[[W:.*]] = qopt.constant(#qopt.weight<{{.*}}>) : tensor<4x3x1x1xf32>
// CHECK-DAG: %[[P:.*]] = qopt.constant(dense<2.0{{.*}}> : tensor<4xf32>)
// CHECK: %[[E:.*]] = qopt.constant(dense<9.99999974E-6> : tensor<f32>)
// CHECK: %[[S:.*]] = qopt.add %[[P]], %[[E]]
// CHECK: %[[Q:.*]] = qopt.sqrt %[[S]]
// CHECK: %[[M:.*]] = qopt.div %[[P]], %[[Q]]
// CHECK: %[[M1:.*]] = qopt.unsqueeze %[[M]] {axes = array<i64: 1, 2, 3>} : (tensor<4xf32>) -> tensor<4x1x1x1xf32>
// CHECK: %[[WF:.*]] = qopt.mul %[[W]], %[[M1]] :
// CHECK: %[[MM:.*]] = qopt.mul %[[P]], %[[M]]
// CHECK: %[[BF:.*]] = qopt.sub %[[P]], %[[MM]]
// CHECK: %[[C:.*]] = qopt.conv %[[X]], %[[WF]] bias %[[BF]]
// CHECK-NOT: qopt.batch_norm
// CHECK: return %[[C]]
// LOC-LABEL: func @example
// LOC: qopt.conv {{.*}} loc(#[[BOTH:.*]])
// LOC-DAG: #[[BOTH]] = loc(fused[#[[CONV:.*]], #[[NORM:.*]]])
func.func @example(%x: tensor<?x3x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %w = qopt.constant(#qopt.weight<"hex:0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f">) : tensor<4x3x1x1xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32> loc(fused<#qopt.node<1>>["conv"])
  %n = qopt.batch_norm %c, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32> loc(fused<#qopt.node<2>>["norm"])
  return %n : tensor<?x4x8x8xf32>
}

// -----

// A bias moves with the mean; a depthwise weight is scaled alike.
// CHECK-LABEL: func @depthwise_with_bias
// CHECK: %[[B:.*]] = qopt.constant(dense<5.0
// CHECK: %[[M:.*]] = qopt.div
// CHECK: %[[D:.*]] = qopt.sub %[[B]], %[[MEAN:.*]] :
// CHECK: %[[S:.*]] = qopt.mul %[[D]], %[[M]]
// CHECK: %[[BF:.*]] = qopt.add %[[S]], %{{.*}}
// CHECK: qopt.conv %{{.*}}, %{{.*}} bias %[[BF]] {{.*}}group = 4
func.func @depthwise_with_bias(%x: tensor<1x4x8xf32>) -> tensor<1x4x6xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x1x3xf32>) : tensor<4x1x3xf32>
  %b = qopt.constant(dense<5.0> : tensor<4xf32>) : tensor<4xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %c = qopt.conv %x, %w bias %b {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, group = 4 : i64} : (tensor<1x4x8xf32>, tensor<4x1x3xf32>, tensor<4xf32>) -> tensor<1x4x6xf32>
  %n = qopt.batch_norm %c, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<1x4x6xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x6xf32>
  return %n : tensor<1x4x6xf32>
}

// -----

// The channels of a matrix product are the columns of its weight.
// CHECK-LABEL: func @matmul
// CHECK: %[[W:.*]] = qopt.constant(dense<1.0
// CHECK: %[[M:.*]] = qopt.div
// CHECK: %[[WF:.*]] = qopt.mul %[[W]], %[[M]] : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
// CHECK: %[[BF:.*]] = qopt.add
// CHECK: %[[P:.*]] = qopt.matmul %{{.*}}, %[[WF]]
// CHECK: qopt.add %[[P]], %[[BF]]
// CHECK-NOT: qopt.batch_norm
func.func @matmul(%x: tensor<?x3xf32>) -> tensor<?x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<3x4xf32>) : tensor<3x4xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %m = qopt.matmul %x, %w : (tensor<?x3xf32>, tensor<3x4xf32>) -> tensor<?x4xf32>
  %a = qopt.add %m, %p : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %n = qopt.batch_norm %a, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %n : tensor<?x4xf32>
}

// -----

// The convolution has another user.
// CHECK-LABEL: func @other_user
// CHECK: qopt.batch_norm
func.func @other_user(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<4x4x1x1xf32>) : tensor<4x4x1x1xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %n = qopt.batch_norm %c, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %c, %n : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// -----

// A parameter comes from outside.
// CHECK-LABEL: func @parameter_not_constant
// CHECK: qopt.batch_norm
func.func @parameter_not_constant(%x: tensor<1x4x8x8xf32>, %s: tensor<4xf32>) -> tensor<1x4x8x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x4x1x1xf32>) : tensor<4x4x1x1xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %n = qopt.batch_norm %c, %s, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %n : tensor<1x4x8x8xf32>
}

// -----

// The weight is a dequantized one: its numbers are fixed.
// CHECK-LABEL: func @weight_of_codes
// CHECK: qopt.batch_norm
func.func @weight_of_codes(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %q = qopt.constant(dense<1> : tensor<4x4x1x1xi8>) : tensor<4x4x1x1xi8>
  %s = qopt.constant(dense<0.5> : tensor<4x1x1x1xf32>) : tensor<4x1x1x1xf32>
  %w = qopt.dequantize %q scales(%s) : (tensor<4x4x1x1xi8>, tensor<4x1x1x1xf32>) -> tensor<4x4x1x1xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %n = qopt.batch_norm %c, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %n : tensor<1x4x8x8xf32>
}

// -----

// The sum between product and norm adds an activation.
// CHECK-LABEL: func @sum_of_activations
// CHECK: qopt.batch_norm
func.func @sum_of_activations(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x4xf32>) : tensor<4x4xf32>
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %m = qopt.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %a = qopt.add %m, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %n = qopt.batch_norm %a, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %n : tensor<2x4xf32>
}

// -----

// Alone, a norm stays.
// CHECK-LABEL: func @alone
// CHECK: qopt.batch_norm
func.func @alone(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %p = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %n = qopt.batch_norm %x, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %n : tensor<2x4xf32>
}

// -----

// The epsilon is of f32.
// CHECK-LABEL: func @doubles
// CHECK: qopt.conv
// CHECK: qopt.batch_norm
func.func @doubles(%x: tensor<1x4x8xf64>) -> tensor<1x4x6xf64> {
  %w = qopt.constant(dense<1.0> : tensor<4x4x3xf64>) : tensor<4x4x3xf64>
  %p = qopt.constant(dense<2.0> : tensor<4xf64>) : tensor<4xf64>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf64>, tensor<4x4x3xf64>) -> tensor<1x4x6xf64>
  %n = qopt.batch_norm %c, %p, %p, %p, %p {epsilon = 1.0e-5 : f32} : (tensor<1x4x6xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) -> tensor<1x4x6xf64>
  return %n : tensor<1x4x6xf64>
}
