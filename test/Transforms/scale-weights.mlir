// RUN: qopt-opt %s --qopt-transform-layers="transforms=awq=true" --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-transform-layers="transforms=awq=true pow2" --split-input-file | FileCheck %s --check-prefix=POW2

// A loud channel meets small weights: they are multiplied, and share their groups
// with the others. Factors lie around 1.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x4xf32>
// CHECK-DAG: %[[R:.*]] = qopt.constant(dense<[4.46683598, 0.22387211, 4.46683598, 4.46683598]> : tensor<4xf32>)
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<{{\[}}[0.22387211], [4.46683598], [0.22387211], [0.22387211]]> : tensor<4x1xf32>)
// CHECK-DAG: %[[XS:.*]] = qopt.mul %[[X]], %[[R]]
// CHECK-DAG: %[[WS:.*]] = qopt.mul %{{.*}}, %[[S]]
// CHECK: qopt.matmul %[[XS]], %[[WS]]
// POW2-LABEL: func @example
// POW2: qopt.constant(dense<[4.000000e+00, 2.500000e-01, 4.000000e+00, 4.000000e+00]> : tensor<4xf32>)
func.func @example(%x: tensor<2x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 1.0, 10000.0, 1.0, 1.0>}}) -> tensor<2x2xf32> {
  %w = qopt.constant(dense<[[2.0, 1.0], [0.01, -0.02], [2.0, -1.0], [-1.0, -1.1]]> : tensor<4x2xf32>) : tensor<4x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 0, block = 4, scale = f16>>} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Even channels, activations without statistics and those that are to have codes
// stay.
// CHECK-LABEL: func @others
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @others(%x: tensor<2x2xf32> {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -1.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 0.3, 0.3>}}, %y: tensor<2x2xf32>, %z: tensor<2x2xf32> {qopt.stats = {min = -9.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -9.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 9.0, 0.3>}}) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = qopt.constant(dense<[[0.03, -0.02], [1.0, 0.9]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qopt.matmul %y, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = qopt.matmul %z, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i4, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1, %2 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// A silent channel keeps its weights; what is no number, and statistics of
// another axis, give no factors.
// CHECK-LABEL: func @silent
// CHECK: qopt.constant(dense<[{{.*}}, 1.000000e+00, {{.*}}]> : tensor<4xf32>)
// CHECK-LABEL: func @undefined
// CHECK-NOT: qopt.mul
// CHECK-LABEL: func @other_axis
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @silent(%x: tensor<2x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, 0.0, -100.0, -9.0>, channel_max = array<f32: 1.0, 0.0, 2.0, 6.0>, channel_mean_square = array<f32: 1.0, 0.0, 10000.0, 1.0>}}) -> tensor<2x2xf32> {
  %w = qopt.constant(dense<[[2.0, 1.0], [2.0, -1.0], [0.01, -0.02], [-1.0, -1.1]]> : tensor<4x2xf32>) : tensor<4x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 0, block = 4, scale = f16>>} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
func.func @undefined(%x: tensor<2x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, 0.0, -100.0, -9.0>, channel_max = array<f32: 1.0, 0.0, 2.0, 6.0>, channel_mean_square = array<f32: 1.0, 0x7FC00000, 10000.0, 1.0>}}) -> tensor<2x2xf32> {
  %w = qopt.constant(dense<[[2.0, 1.0], [2.0, -1.0], [0.01, -0.02], [-1.0, -1.1]]> : tensor<4x2xf32>) : tensor<4x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 0, block = 4, scale = f16>>} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
func.func @other_axis(%x: tensor<2x4x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, 0.0, -100.0, -9.0>, channel_max = array<f32: 1.0, 0.0, 2.0, 6.0>, channel_mean_square = array<f32: 1.0, 1.0, 10000.0, 1.0>}}) -> tensor<2x4x2xf32> {
  %w = qopt.constant(dense<[[2.0, 1.0], [2.0, -1.0], [0.01, -0.02], [-1.0, -1.1]]> : tensor<4x2xf32>) : tensor<4x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 0, block = 4, scale = f16>>} : (tensor<2x4x4xf32>, tensor<4x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}
