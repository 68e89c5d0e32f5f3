// RUN: qopt-opt %s --qopt-insert-quantization --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-insert-quantization=only-next --verify-each --split-input-file | FileCheck %s --check-prefix=NEXT

// A static activation: scale and zero from its range. A weight: one scale an
// output channel, of its own zero-free grid.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x2xf32>
// CHECK-DAG: %[[S:.*]] = qopt.constant(dense<2.000000e+00> : tensor<1x1xf32>)
// CHECK-DAG: %[[Z:.*]] = qopt.constant(dense<-123> : tensor<1x1xi8>)
// CHECK-DAG: %[[Q:.*]] = qopt.quantize %[[X]] scales(%[[S]]) zeros(%[[Z]]) {format = #qopt.format<i8>}
// CHECK-DAG: %[[D:.*]] = qopt.dequantize %[[Q]] scales(%[[S]]) zeros(%[[Z]]) {format = #qopt.format<i8>}
// CHECK-DAG: %[[C:.*]] = qopt.constant(dense<{{\[}}[127, 0], [0, -127]]> : tensor<2x2xi8>)
// CHECK-DAG: %[[SW:.*]] = qopt.constant(dense<{{\[}}[1.000000e+00, 2.000000e+00]]> : tensor<1x2xf32>)
// CHECK-DAG: %[[V:.*]] = qopt.dequantize %[[C]] scales(%[[SW]]) {format = #qopt.format<i8, axis = 1>}
// CHECK: qopt.matmul %[[D]], %[[V]]
func.func @example(%x: tensor<?x2xf32> {qopt.stats = {min = -10.0 : f32, max = 500.0 : f32, samples = 1 : i64}}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<[[127.0, 0.0], [0.0, -254.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Two products share a weight: what both were multiplied with is gone afterwards.
// CHECK-LABEL: func @shared_weight
// CHECK-NOT: qopt.moments
// CHECK: return
func.func @shared_weight(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.moments = unit, qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = qopt.matmul %y, %w {qopt.moments = unit, qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Dynamic scales: a row of a product, a sample of a convolution.
// CHECK-LABEL: func @dynamic
// CHECK: qopt.quantize_dynamic {{.*}} -> (tensor<?x5x2xi8>, tensor<?x5x1xf32>)
func.func @dynamic(%x: tensor<?x5x2xf32>) -> tensor<?x5x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x5x2xf32>, tensor<2x2xf32>) -> tensor<?x5x2xf32>
  return %y : tensor<?x5x2xf32>
}

// -----

// CHECK-LABEL: func @dynamic_sample
// CHECK: qopt.quantize_dynamic {{.*}}per = #qopt.per<sample>{{.*}} -> (tensor<?x3x4x4xi8>, tensor<?x1x1x1xf32>)
func.func @dynamic_sample(%x: tensor<?x3x4x4xf32>) -> tensor<?x2x4x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x3x1x1xf32>) : tensor<2x3x1x1xf32>
  %y = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x3x4x4xf32>, tensor<2x3x1x1xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// The second scale of NVFP4 is one of a row or sample too.
// CHECK-LABEL: func @outer_scales
// CHECK-DAG: qopt.quantize_dynamic {{.*}} -> (tensor<?x5x40xf4E2M1FN>, tensor<?x5x3xf8E4M3FN>, tensor<?x5x1xf32>)
// CHECK-DAG: qopt.quantize_dynamic {{.*}}per = #qopt.per<sample>{{.*}} -> (tensor<?x20x4x4xf4E2M1FN>, tensor<?x2x4x4xf8E4M3FN>, tensor<?x1x1x1xf32>)
func.func @outer_scales(%x: tensor<?x5x40xf32>, %i: tensor<?x20x4x4xf32>) -> (tensor<?x5x2xf32>, tensor<?x2x4x4xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<40x2xf32>) : tensor<40x2xf32>
  %k = qopt.constant(dense<1.0> : tensor<2x20x1x1xf32>) : tensor<2x20x1x1xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <nvfp4, axis = 2>, weight = <nvfp4, axis = 0>>} : (tensor<?x5x40xf32>, tensor<40x2xf32>) -> tensor<?x5x2xf32>
  %z = qopt.conv %i, %k {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = dynamic, act = <nvfp4, axis = 1>, weight = <nvfp4, axis = 1>>} : (tensor<?x20x4x4xf32>, tensor<2x20x1x1xf32>) -> tensor<?x2x4x4xf32>
  return %y, %z : tensor<?x5x2xf32>, tensor<?x2x4x4xf32>
}

// -----

// Blocks have scales of their own, the last block is short; two products that
// read one activation share its codes.
// CHECK-LABEL: func @blocks
// CHECK-COUNT-1: qopt.quantize_dynamic {{.*}} -> (tensor<?x40xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)
// CHECK-NOT: qopt.quantize_dynamic
// CHECK: return
func.func @blocks(%x: tensor<?x40xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<40x4xf32>) : tensor<40x4xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>} : (tensor<?x40xf32>, tensor<40x4xf32>) -> tensor<?x4xf32>
  %z = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>} : (tensor<?x40xf32>, tensor<40x4xf32>) -> tensor<?x4xf32>
  return %y, %z : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// What is requested in float stays, and so does what has no request.
// CHECK-LABEL: func @float
// CHECK-NOT: quantize
// CHECK: return
func.func @float(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = float, why = "override">} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = qopt.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// The scale of 1 rounds 127 and 0.25 to 127 and 0; inputs have means of 2 and 4.
// So the first output loses 4 * 0.25, which the bias takes back, and the second
// nothing.
// CHECK-LABEL: func @bias_of_convolution
// CHECK: %[[B:.*]] = qopt.constant(dense<[1.100000e+01, 1.000000e+01]> : tensor<2xf32>)
// CHECK: qopt.conv {{.*}} bias %[[B]]
func.func @bias_of_convolution(%x: tensor<?x2x4x4xf32> {qopt.stats = {min = 0.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_mean = array<f32: 2.0, 4.0>, channel_mean_square = array<f32: 4.0, 16.0>}}) -> tensor<?x2x4x4xf32> {
  %w = qopt.constant(dense<[[[[127.0]], [[0.25]]], [[[127.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %b = qopt.constant(dense<10.0> : tensor<2xf32>) : tensor<2xf32>
  %y = qopt.conv %x, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// What few samples show by chance is not taken back: the mean of the second
// channel is 4 in samples that vary by 4 (mean square 20), so the loss of 1 has a
// variance of .25 * .25 * 4 / samples, .25 for one and .0625 for four, and the part
// of it that is sure is 1 / (1 + .25) and 1 / (1 + .0625).
// CHECK-LABEL: func @bias_of_few_samples
// CHECK: %[[B1:.*]] = qopt.constant(dense<[1.080000e+01, 1.000000e+01]> : tensor<2xf32>)
// CHECK: qopt.conv {{.*}} bias %[[B1]]
// CHECK: %[[B4:.*]] = qopt.constant(dense<[10.9411764, 1.000000e+01]> : tensor<2xf32>)
// CHECK: qopt.conv {{.*}} bias %[[B4]]
func.func @bias_of_few_samples(%x1: tensor<?x2x4x4xf32> {qopt.stats = {min = 0.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_mean = array<f32: 2.0, 4.0>, channel_mean_square = array<f32: 4.0, 20.0>}}, %x4: tensor<?x2x4x4xf32> {qopt.stats = {min = 0.0 : f32, max = 8.0 : f32, samples = 4 : i64, channel_axis = 1 : i64, channel_mean = array<f32: 2.0, 4.0>, channel_mean_square = array<f32: 4.0, 20.0>}}) -> (tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>) {
  %w = qopt.constant(dense<[[[[127.0]], [[0.25]]], [[[127.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %b = qopt.constant(dense<10.0> : tensor<2xf32>) : tensor<2xf32>
  %y1 = qopt.conv %x1, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  %y4 = qopt.conv %x4, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  return %y1, %y4 : tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>
}

// -----

// A depthwise convolution, which has no bias, gets one: each channel loses by its
// own mean. A constant sum of a product takes its loss; a product without one
// stays as it is.
// CHECK-LABEL: func @bias_of_others
// CHECK: %[[B:.*]] = qopt.constant(dense<[5.000000e-01, 1.000000e+00]> : tensor<2xf32>)
// CHECK: qopt.conv {{.*}} bias %[[B]]
// CHECK: qopt.matmul
// CHECK: %[[A:.*]] = qopt.constant(dense<[1.100000e+01, 1.000000e+01]> : tensor<2xf32>)
// CHECK: qopt.add %{{.*}}, %[[A]]
// CHECK: %[[Y:.*]] = qopt.matmul
// CHECK-NEXT: return %{{.*}}, %{{.*}}, %[[Y]]
func.func @bias_of_others(%x: tensor<?x2x4x4xf32> {qopt.stats = {min = 0.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_mean = array<f32: 2.0, 4.0>, channel_mean_square = array<f32: 4.0, 16.0>}}, %r: tensor<?x2xf32> {qopt.stats = {min = 0.0 : f32, max = 8.0 : f32, samples = 1 : i64, channel_axis = 1 : i64, channel_mean = array<f32: 2.0, 4.0>, channel_mean_square = array<f32: 4.0, 16.0>}}) -> (tensor<?x2x4x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %d = qopt.constant(dense<[[[[127.0, 0.25]]], [[[127.0, 0.25]]]]> : tensor<2x1x1x2xf32>) : tensor<2x1x1x2xf32>
  %w = qopt.constant(dense<[[127.0, 127.0], [0.25, 1.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %b = qopt.constant(dense<10.0> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.conv %x, %d {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64, qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x2x4x4xf32>, tensor<2x1x1x2xf32>) -> tensor<?x2x4x3xf32>
  %1 = qopt.matmul %r, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %2 = qopt.add %1, %b : (tensor<?x2xf32>, tensor<1xf32>) -> tensor<?x2xf32>
  %3 = qopt.matmul %r, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0, %2, %3 : tensor<?x2x4x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Codes that the model came with stand where the request is for their format.
// CHECK-LABEL: func @own_codes
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x2xui8>
// CHECK-DAG: %[[A:.*]] = qopt.dequantize %[[X]]
// CHECK-DAG: %[[C:.*]] = qopt.constant(dense<3> : tensor<2x2xi8>)
// CHECK-DAG: %[[B:.*]] = qopt.dequantize %[[C]]
// CHECK-NOT: qopt.quantize
// CHECK: qopt.matmul %[[A]], %[[B]]
func.func @own_codes(%x: tensor<?x2xui8>) -> tensor<?x2xf32> {
  %c = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %s = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %a = qopt.dequantize %x scales(%s) {format = #qopt.format<ui8>} : (tensor<?x2xui8>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %b = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %y = qopt.matmul %a, %b {qopt.request = #qopt.request<params = static, act = <ui8>, weight = <i8>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Another format makes codes of what the model's codes stand for.
// CHECK-LABEL: func @other_codes
// CHECK: qopt.constant(#qopt.weight<"hex:7777">) : tensor<2x2xi4>
// CHECK: qopt.dequantize {{.*}}#qopt.format<i4, axis = 0, block = 2>
func.func @other_codes(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %c = qopt.constant(dense<3> : tensor<2x2xi8>) : tensor<2x2xi8>
  %s = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %b = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<2x2xi8>, tensor<1x1xf32>) -> tensor<2x2xf32>
  %y = qopt.matmul %x, %b {qopt.request = #qopt.request<params = "weight-only", weight = <i4, axis = 0, block = 2>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// What is marked as next is quantized alone, and is left alone by a later run.
// NEXT-LABEL: func @marked
// NEXT: %[[W:.*]] = qopt.constant(dense<1.0
// NEXT: %[[D:.*]] = qopt.dequantize
// NEXT: qopt.matmul %{{.*}}, %[[D]] {{.*}}qopt.rounded
// NEXT: qopt.matmul %{{.*}}, %[[W]] {qopt.request =
// CHECK-LABEL: func @was_rounded
// CHECK-NOT: qopt.dequantize
// CHECK: qopt.matmul %{{.*}}, %{{.*}} {qopt.request =
// CHECK-NOT: qopt.rounded
func.func @marked(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.round_next, qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

func.func @was_rounded(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.rounded, qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
