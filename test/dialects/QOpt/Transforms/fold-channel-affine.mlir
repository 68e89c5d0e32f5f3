// RUN: qopt-opt %s --qopt-fold-channel-affine --verify-each --split-input-file | FileCheck %s

// A sum after a convolution without bias is its bias.
// CHECK-LABEL: func @example
// CHECK: %[[B:.*]] = qopt.constant(dense<3.0
// CHECK: %[[B1:.*]] = qopt.reshape %[[B]], %{{.*}} : (tensor<1x4x1x1xf32>, tensor<1xi64>) -> tensor<4xf32>
// CHECK: %[[C:.*]] = qopt.conv %{{.*}}, %{{.*}} bias %[[B1]]
// CHECK-NEXT: return %[[C]]
func.func @example(%x: tensor<?x3x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1x1xf32>) : tensor<4x3x1x1xf32>
  %b = qopt.constant(dense<3.0> : tensor<1x4x1x1xf32>) : tensor<1x4x1x1xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32>
  %0 = qopt.add %c, %b : (tensor<?x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// -----

// One factor and one addend for all channels, on either side.
// CHECK-LABEL: func @factor_and_addend
// CHECK-DAG: %[[W:.*]] = qopt.constant(dense<1.0{{.*}}> : tensor<4x3x1x1xf32>)
// CHECK-DAG: %[[B:.*]] = qopt.constant(dense<2.0{{.*}}> : tensor<4xf32>)
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<3.0{{.*}}> : tensor<1xf32>)
// CHECK-DAG: %[[T:.*]] = qopt.constant(dense<4.0{{.*}}> : tensor<1xf32>)
// CHECK: %[[BS:.*]] = qopt.mul %[[B]], %[[S]] : (tensor<4xf32>, tensor<1xf32>)
// CHECK: %[[WS:.*]] = qopt.mul %[[W]], %[[S]] : (tensor<4x3x1x1xf32>, tensor<1xf32>)
// CHECK: %[[BT:.*]] = qopt.add %[[BS]], %[[T]]
// CHECK: %[[C:.*]] = qopt.conv %{{.*}}, %[[WS]] bias %[[BT]]
// CHECK-NEXT: return %[[C]]
func.func @factor_and_addend(%x: tensor<?x3x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1x1xf32>) : tensor<4x3x1x1xf32>
  %b = qopt.constant(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
  %s = qopt.constant(dense<3.0> : tensor<1xf32>) : tensor<1xf32>
  %t = qopt.constant(dense<4.0> : tensor<1xf32>) : tensor<1xf32>
  %c = qopt.conv %x, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  %0 = qopt.mul %s, %c : (tensor<1xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = qopt.add %0, %t : (tensor<?x4x8x8xf32>, tensor<1xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// -----

// One addend for all channels without a bias is expanded to one.
// CHECK-LABEL: func @expanded
// CHECK: %[[E:.*]] = qopt.expand %{{.*}}, %{{.*}} : (tensor<1xf32>, tensor<1xi64>) -> tensor<4xf32>
// CHECK: qopt.conv %{{.*}}, %{{.*}} bias %[[E]]
func.func @expanded(%x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1xf32>) : tensor<4x3x1xf32>
  %t = qopt.constant(dense<4.0> : tensor<1xf32>) : tensor<1xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  %0 = qopt.add %c, %t : (tensor<1x4x8xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}

// -----

// The convolution has another user.
// CHECK-LABEL: func @other_user
// CHECK: qopt.add
func.func @other_user(%x: tensor<1x3x8xf32>) -> (tensor<1x4x8xf32>, tensor<1x4x8xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1xf32>) : tensor<4x3x1xf32>
  %t = qopt.constant(dense<4.0> : tensor<1xf32>) : tensor<1xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  %0 = qopt.add %c, %t : (tensor<1x4x8xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  return %c, %0 : tensor<1x4x8xf32>, tensor<1x4x8xf32>
}

// -----

// The constant has a number for each position.
// CHECK-LABEL: func @per_position
// CHECK: qopt.mul
func.func @per_position(%x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1xf32>) : tensor<4x3x1xf32>
  %t = qopt.constant(dense<4.0> : tensor<8xf32>) : tensor<8xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  %0 = qopt.mul %c, %t : (tensor<1x4x8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}

// -----

// The other operand is an activation.
// CHECK-LABEL: func @activation
// CHECK: qopt.add
func.func @activation(%x: tensor<1x3x8xf32>, %y: tensor<1x4x1xf32>) -> tensor<1x4x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x3x1xf32>) : tensor<4x3x1xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  %0 = qopt.add %c, %y : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}

// -----

// The weight is a dequantized one: its numbers are fixed.
// CHECK-LABEL: func @weight_of_codes
// CHECK: qopt.mul
func.func @weight_of_codes(%x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
  %q = qopt.constant(dense<1> : tensor<4x3x1xi8>) : tensor<4x3x1xi8>
  %s = qopt.constant(dense<0.5> : tensor<4x1x1xf32>) : tensor<4x1x1xf32>
  %w = qopt.dequantize %q scales(%s) : (tensor<4x3x1xi8>, tensor<4x1x1xf32>) -> tensor<4x3x1xf32>
  %c = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  %0 = qopt.mul %c, %s : (tensor<1x4x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}
