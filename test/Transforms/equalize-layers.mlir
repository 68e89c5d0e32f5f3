// RUN: qopt-opt %s --qopt-transform-layers="transforms=equalize=true" --verify-each --split-input-file | FileCheck %s

// Peaks 8 and 2 meet at 4: s = 2. The bias is divided too.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor
// CHECK-DAG: %[[R:.*]] = qopt.constant(dense<5.000000e-01> : tensor<1x1x1x1xf32>)
// CHECK-DAG: %[[RB:.*]] = qopt.constant(dense<5.000000e-01> : tensor<1xf32>)
// CHECK-DAG: %[[W1:.*]] = qopt.mul %{{.*}}, %[[R]]
// CHECK-DAG: %[[B1:.*]] = qopt.mul %{{.*}}, %[[RB]]
// CHECK: qopt.conv %[[X]], %[[W1]] bias %[[B1]]
// CHECK: qopt.relu
// CHECK-NOT: qopt.stats
// CHECK: %[[S:.*]] = qopt.constant(dense<2.000000e+00> : tensor<1x1x1x1xf32>)
// CHECK: %[[W2:.*]] = qopt.mul %{{.*}}, %[[S]]
// CHECK: qopt.conv %{{.*}}, %[[W2]]
func.func @example(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x2x2xf32> {
  %w1 = qopt.constant(dense<8.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %b1 = qopt.constant(dense<3.0> : tensor<1xf32>) : tensor<1xf32>
  %w2 = qopt.constant(dense<-2.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<?x1x2x2xf32>
  %1 = qopt.relu %0 {qopt.stats = {min = 0.0 : f32, max = 1.0 : f32}} : (tensor<?x1x2x2xf32>) -> tensor<?x1x2x2xf32>
  %2 = qopt.conv %1, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x2x2xf32>
  return %2 : tensor<?x1x2x2xf32>
}

// -----

// Other users of the middle value, another function, groups of channels, and a
// weight that depends on an input leave a pair alone.
// CHECK-LABEL: func @reasons
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @reasons(%x: tensor<1x4x2x2xf32>, %v: tensor<4x4x1x1xf32>) -> (tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>) {
  %w = qopt.constant(dense<8.0> : tensor<4x4x1x1xf32>) : tensor<4x4x1x1xf32>
  %g = qopt.constant(dense<2.0> : tensor<4x2x1x1xf32>) : tensor<4x2x1x1xf32>
  %a = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x2x2xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x2x2xf32>
  %0 = qopt.conv %a, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x2x2xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x2x2xf32>
  %t = qopt.tanh %0 : (tensor<1x4x2x2xf32>) -> tensor<1x4x2x2xf32>
  %1 = qopt.conv %t, %g {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x4x2x2xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x2x2xf32>
  %2 = qopt.conv %1, %g {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x4x2x2xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x2x2xf32>
  %3 = qopt.conv %2, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x2x2xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x2x2xf32>
  return %a, %t, %3, %3, %3 : tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>
}

// -----

// A bias is part of what a channel shows: 1e-6 meets 2, and 8 from the bias
// alone is divided by 2 as in the first case.
// CHECK-LABEL: func @bias
// CHECK-DAG: qopt.constant(dense<5.000000e-01> : tensor<1x1x1x1xf32>)
// CHECK-DAG: qopt.constant(dense<2.000000e+00> : tensor<1x1x1x1xf32>)
func.func @bias(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x2x2xf32> {
  %w1 = qopt.constant(dense<1.0e-6> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %b1 = qopt.constant(dense<8.0> : tensor<1xf32>) : tensor<1xf32>
  %w2 = qopt.constant(dense<-2.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<?x1x2x2xf32>
  %1 = qopt.conv %0, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x2x2xf32>
  return %1 : tensor<?x1x2x2xf32>
}

// -----

// Statistics decide where there are any: even channels are left alone, though
// the weights in front of them are not, and a channel that is 100 times another
// is divided by more.
// CHECK-LABEL: func @even
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @even(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w1 = qopt.constant(dense<[[[[1.0e-6]], [[1.0e-6]]], [[[4.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %w2 = qopt.constant(dense<[[[[1.0]], [[-1.0]]], [[[-1.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %0 = qopt.conv %x, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -1.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 0.3, 0.3>}} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %1 = qopt.conv %0, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %1 : tensor<1x2x2x2xf32>
}
// CHECK-LABEL: func @uneven
// CHECK: qopt.mul
// CHECK: qopt.conv {{.*}}qopt.factors = {gain_db = {{[0-9.e+]+}} : f64, largest = {{[^,]*}}, rule = "{{0.[5-9]|log}}", smallest = {{[^,]*}}, transform = "equalize"}
func.func @uneven(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w1 = qopt.constant(dense<[[[[4.0]], [[1.0]]], [[[4.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %w2 = qopt.constant(dense<[[[[1.0]], [[-100.0]]], [[[-1.0]], [[100.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %0 = qopt.conv %x, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.stats = {min = -100.0 : f32, max = 100.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -100.0, -1.0>, channel_max = array<f32: 100.0, 1.0>, channel_mean_square = array<f32: 3000.0, 0.3>}} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %1 = qopt.conv %0, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %1 : tensor<1x2x2x2xf32>
}

// -----

// Codes that the model came with stand, in front and behind.
// CHECK-LABEL: func @own_codes
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @own_codes(%x: tensor<?x1x2x2xf32>) -> tensor<?x1x2x2xf32> {
  %w = qopt.constant(dense<8.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %c = qopt.constant(dense<1> : tensor<1x1x1x1xi8>) : tensor<1x1x1x1xi8>
  %s = qopt.constant(dense<2.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %v = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<1x1x1x1xi8>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x2x2xf32>
  %1 = qopt.conv %0, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x2x2xf32>
  %2 = qopt.conv %1, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x2x2xf32>
  return %2 : tensor<?x1x2x2xf32>
}
