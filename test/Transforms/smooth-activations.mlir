// RUN: qopt-opt %s --qopt-transform-layers="transforms=smooth=0.5" --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-transform-layers="transforms=smooth=search" --split-input-file | FileCheck %s --check-prefix=SEARCH
// RUN: qopt-opt %s --qopt-transform-layers="transforms=smooth=0.5 keep-codes" --split-input-file | FileCheck %s --check-prefix=KEEP
// RUN: not qopt-opt %s --qopt-transform-layers="transforms=smooth=2" --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD

// BAD: error: transforms: smooth expects off, search, log or a number from 0 to 1, but found '2'

// The example of SmoothQuant's paper: factors 1, 4, 1, 3.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x4xf32>
// CHECK-DAG: %[[R:.*]] = qopt.constant(dense<[1.000000e+00, 2.500000e-01, 1.000000e+00, 0.333333343]> : tensor<4xf32>)
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<{{\[}}[1.000000e+00], [4.000000e+00], [1.000000e+00], [3.000000e+00]]> : tensor<4x1xf32>)
// CHECK-DAG: %[[XS:.*]] = qopt.mul %[[X]], %[[R]]
// CHECK-DAG: %[[WS:.*]] = qopt.mul %{{.*}}, %[[S]]
// CHECK: qopt.matmul %[[XS]], %[[WS]]
func.func @example(%x: tensor<2x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}}) -> tensor<2x3xf32> {
  %w = qopt.constant(dense<[[2.0, 1.0, -2.0], [1.0, -1.0, -1.0], [2.0, -1.0, -2.0], [-1.0, -1.0, 1.0]]> : tensor<4x3xf32>) : tensor<4x3xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// With equal channels no factor beats 1.
// SEARCH-LABEL: func @even
// SEARCH-NOT: qopt.mul
// SEARCH: return
func.func @even(%x: tensor<2x2xf32> {qopt.stats = {min = -1.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -1.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 0.3, 0.3>}}) -> tensor<2x2xf32> {
  %w = qopt.constant(dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Activations without statistics, and products whose activations stay float,
// stay.
// CHECK-LABEL: func @others
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @others(%x: tensor<2x2xf32>, %z: tensor<2x2xf32> {qopt.stats = {min = -9.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -9.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 9.0, 0.3>}}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = qopt.constant(dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qopt.matmul %z, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Scales of a row, and of blocks, need factors as those of all data do. Products
// that read one activation as other codes have factors of their own.
// CHECK-LABEL: func @dynamic
// CHECK-COUNT-4: qopt.mul
// SEARCH-LABEL: func @dynamic
// SEARCH-COUNT-4: qopt.mul
func.func @dynamic(%x: tensor<2x2xf32> {qopt.stats = {min = -900.0 : f32, max = 1.0 : f32, row_peak_square = 810000.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -900.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 40000.0, 0.3>}}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = qopt.constant(dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Where codes are to be made from codes, what a ReLU, a sum or a reshape makes is
// left alone; an input, and what GELU makes, is not.
// CHECK-LABEL: func @made_from_codes
// CHECK-COUNT-8: qopt.mul
// KEEP-LABEL: func @made_from_codes
// KEEP-COUNT-4: qopt.mul
// KEEP-NOT: qopt.mul
// KEEP: return
func.func @made_from_codes(%x: tensor<2x4xf32> {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}}) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %w = qopt.constant(dense<[[2.0, 1.0, -2.0, 1.0], [1.0, -1.0, -1.0, 2.0], [2.0, -1.0, -2.0, 1.0], [-1.0, -1.0, 1.0, 2.0]]> : tensor<4x4xf32>) : tensor<4x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %1 = qopt.relu %0 {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %2 = qopt.matmul %1, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %3 = qopt.add %1, %0 {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %4 = qopt.matmul %3, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %5 = qopt.gelu %0 {qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %6 = qopt.matmul %5, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  return %2, %4, %6 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// A norm that only the group reads takes the factors in; its statistics are gone.
// CHECK-LABEL: func @pre_norm
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x4xf32>
// CHECK-DAG: %[[R:.*]] = qopt.constant(dense<[1.000000e+00, 0.353553385, 1.000000e+00, 0.471404552]> : tensor<4xf32>)
// CHECK-DAG: %[[G:.*]] = qopt.mul %{{.*}}, %[[R]] : (tensor<4xf32>, tensor<4xf32>)
// CHECK-DAG: %[[B:.*]] = qopt.mul %{{.*}}, %[[R]] : (tensor<4xf32>, tensor<4xf32>)
// CHECK: %[[N:.*]] = qopt.layer_norm %[[X]], %[[G]], %[[B]] {axis = -1 : i64, epsilon = {{[^,]*}}} :
// CHECK: qopt.matmul %[[N]]
func.func @pre_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %g = qopt.constant(dense<1.0> : tensor<4xf32>) : tensor<4xf32>
  %b = qopt.constant(dense<0.5> : tensor<4xf32>) : tensor<4xf32>
  %w = qopt.constant(dense<[[2.0, 1.0, -2.0, 1.0], [1.0, -1.0, -1.0, 2.0], [2.0, -1.0, -2.0, 1.0], [-1.0, -1.0, 1.0, 2.0]]> : tensor<4x4xf32>) : tensor<4x4xf32>
  %n = qopt.layer_norm %x, %g, %b {axis = -1 : i64, epsilon = 1.0e-5 : f32, qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %y = qopt.matmul %n, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// One that feeds a residual as well does not.
// CHECK-LABEL: func @post_norm
// CHECK: %[[N:.*]] = qopt.layer_norm
// CHECK: %[[S:.*]] = qopt.mul %[[N]], %{{.*}} : (tensor<2x4xf32>, tensor<4xf32>)
// CHECK: %[[Y:.*]] = qopt.matmul %[[S]]
// CHECK: qopt.add %[[Y]], %[[N]]
func.func @post_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %g = qopt.constant(dense<1.0> : tensor<4xf32>) : tensor<4xf32>
  %w = qopt.constant(dense<[[2.0, 1.0, -2.0, 1.0], [1.0, -1.0, -1.0, 2.0], [2.0, -1.0, -2.0, 1.0], [-1.0, -1.0, 1.0, 2.0]]> : tensor<4x4xf32>) : tensor<4x4xf32>
  %n = qopt.layer_norm %x, %g {axis = -1 : i64, epsilon = 1.0e-5 : f32, qopt.stats = {min = -16.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -2.0, -16.0, -1.0, -9.0>, channel_max = array<f32: 1.0, 8.0, 2.0, 6.0>, channel_mean_square = array<f32: 2.5, 160.0, 2.5, 58.5>}} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %y = qopt.matmul %n, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %z = qopt.add %y, %n : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %z : tensor<2x4xf32>
}

// -----

// Four times as much in one channel is worth a factor where new values keep to
// what was seen, and is not where they go beyond by half of a channel's peak.
// SEARCH-LABEL: func @many_rows
// SEARCH: qopt.mul
// SEARCH-LABEL: func @few_rows
// SEARCH-NOT: qopt.mul
// SEARCH: return
func.func @many_rows(%x: tensor<2x4xf32> {qopt.stats = {min = -4.0 : f32, max = 4.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -4.0, -1.0, -1.0, -1.0>, channel_max = array<f32: 4.0, 1.0, 1.0, 1.0>, channel_mean_square = array<f32: 4.8, 0.3, 0.3, 0.3>}}) -> tensor<2x1xf32> {
  %w = qopt.constant(dense<[[0.01], [1.0], [1.0], [1.0]]> : tensor<4x1xf32>) : tensor<4x1xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}
func.func @few_rows(%x: tensor<2x4xf32> {qopt.stats = {min = -4.0 : f32, max = 4.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -4.0, -1.0, -1.0, -1.0>, channel_max = array<f32: 4.0, 1.0, 1.0, 1.0>, channel_mean_square = array<f32: 4.8, 0.3, 0.3, 0.3>, unseen_above = array<f32: 0.2, 0.19, 0.18, 0.17, 0.16, 0.15, 0.14, 0.13>, unseen_below = array<f32: 0.2, 0.19, 0.18, 0.17, 0.16, 0.15, 0.14, 0.13>}}) -> tensor<2x1xf32> {
  %w = qopt.constant(dense<[[0.01], [1.0], [1.0], [1.0]]> : tensor<4x1xf32>) : tensor<4x1xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x4xf32>, tensor<4x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Codes that the model came with stand, on either side.
// CHECK-LABEL: func @own_codes
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @own_codes(%q: tensor<2x2xi8>, %z: tensor<2x2xf32> {qopt.stats = {min = -9.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -9.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 9.0, 0.3>}}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = qopt.constant(dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %c = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %s = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %x = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>, qopt.stats = {min = -9.0 : f32, max = 1.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -9.0, -1.0>, channel_max = array<f32: 1.0, 1.0>, channel_mean_square = array<f32: 9.0, 0.3>}} : (tensor<2x2xi8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %v = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = qopt.matmul %z, %v {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}
