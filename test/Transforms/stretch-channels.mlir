// RUN: qopt-opt %s --qopt-transform-layers="transforms=stretch=true" --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-transform-layers="transforms=stretch=true pow2 keep-codes" --verify-each --split-input-file | FileCheck %s --check-prefix=CODES

// Ranges of 8 and 2: the second channel is stretched four times, and its weight
// takes the factor back. Powers of two are these already.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor
// CHECK-DAG: %[[W:.*]] = qopt.constant(dense<5.000000e-01>
// CHECK-DAG: %[[F:.*]] = qopt.constant(dense<{{.*}}1.000000e+00{{.*}}4.000000e+00{{.*}}> : tensor<1x2x1x1xf32>)
// CHECK-DAG: %[[R:.*]] = qopt.constant(dense<{{.*}}1.000000e+00{{.*}}2.500000e-01{{.*}}> : tensor<2x1x1x1xf32>)
// CHECK-DAG: %[[XS:.*]] = qopt.mul %[[X]], %[[F]]
// CHECK-DAG: %[[WS:.*]] = qopt.mul %[[W]], %[[R]]
// CHECK: qopt.conv %[[XS]], %[[WS]]
// CODES-LABEL: func @example
// CODES: 4.000000e+00
// CODES: qopt.mul
func.func @example(%x: tensor<?x2x4x4xf32> {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}}) -> tensor<?x2x4x4xf32> {
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %y = qopt.conv %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// A convolution in front takes the factors into its weight and bias, through
// ReLU; what it makes has new statistics.
// CHECK-LABEL: func @into_convolution
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor
// CHECK-DAG: %[[F:.*]] = qopt.constant(dense<{{.*}}4.000000e+00{{.*}}> : tensor<2x1x1x1xf32>)
// CHECK-DAG: %[[FB:.*]] = qopt.constant(dense<[1.000000e+00, 4.000000e+00]> : tensor<2xf32>)
// CHECK-DAG: %[[WS:.*]] = qopt.mul %{{.*}}, %[[F]]
// CHECK-DAG: %[[BS:.*]] = qopt.mul %{{.*}}, %[[FB]]
// CHECK: %[[C:.*]] = qopt.conv %[[X]], %[[WS]] bias %[[BS]]
// CHECK-NOT: qopt.stats
// CHECK: %[[Y:.*]] = qopt.relu %[[C]]
// CHECK-NOT: qopt.stats
// CHECK: qopt.conv %[[Y]],
// CODES-LABEL: func @into_convolution
// CODES-COUNT-3: qopt.mul
// CODES-NOT: qopt.mul
// CODES: return
func.func @into_convolution(%x: tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32> {
  %v = qopt.constant(dense<2.0> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %b = qopt.constant(dense<3.0> : tensor<2xf32>) : tensor<2xf32>
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %c = qopt.conv %x, %v bias %b {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  %r = qopt.relu %c {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}} : (tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32>
  %y = qopt.conv %r, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// So do the constants of an affine function. Where codes are to be made from
// codes, a factor for each channel goes in front of the convolution.
// CHECK-LABEL: func @into_affine
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor
// CHECK-DAG: %[[H:.*]] = qopt.hard_swish %[[X]]
// CHECK-DAG: %[[A:.*]] = qopt.mul %{{.*}}, %{{.*}} : (tensor<1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
// CHECK-DAG: %[[B:.*]] = qopt.mul %{{.*}}, %{{.*}} : (tensor<1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
// CHECK-DAG: %[[P:.*]] = qopt.mul %[[H]], %[[A]]
// CHECK-DAG: %[[S:.*]] = qopt.add %[[P]], %[[B]]
// CHECK: qopt.conv %[[S]],
// CODES-LABEL: func @into_affine
// CODES: %[[S:.*]] = qopt.add
// CODES: qopt.mul %[[S]],
func.func @into_affine(%x: tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32> {
  %a = qopt.constant(dense<2.0> : tensor<1xf32>) : tensor<1xf32>
  %b = qopt.constant(dense<3.0> : tensor<1xf32>) : tensor<1xf32>
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %h = qopt.hard_swish %x : (tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32>
  %p = qopt.mul %h, %a : (tensor<?x2x4x4xf32>, tensor<1xf32>) -> tensor<?x2x4x4xf32>
  %s = qopt.add %p, %b {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}} : (tensor<?x2x4x4xf32>, tensor<1xf32>) -> tensor<?x2x4x4xf32>
  %y = qopt.conv %s, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// The second channel was always 0, the third is stretched no further than is
// known to be right.
// CHECK-LABEL: func @near_zero
// CHECK: qopt.constant(dense<{{.*}}1.000000e+00{{.*}}1.000000e+00{{.*}}1.024000e+03{{.*}}> : tensor<1x3x1x1xf32>)
func.func @near_zero(%x: tensor<?x3x4x4xf32> {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: -1.0, 0.0, 0.0>, channel_max = array<f32: 1.0, 0.0, 1.0e-9>}}) -> tensor<?x3x4x4xf32> {
  %w = qopt.constant(dense<0.5> : tensor<3x1x3x3xf32>) : tensor<3x1x3x3xf32>
  %y = qopt.conv %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<?x3x4x4xf32>, tensor<3x1x3x3xf32>) -> tensor<?x3x4x4xf32>
  return %y : tensor<?x3x4x4xf32>
}

// -----

// Channels that are added up, ranges of the data's own, ranges that are alike, an
// activation that no sample reached.
// CHECK-LABEL: func @reasons
// CHECK-NOT: qopt.mul
// CHECK: return
func.func @reasons(%x: tensor<?x2x4x4xf32> {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}}, %z: tensor<?x2x4x4xf32> {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 7.0>}}, %u: tensor<?x2x4x4xf32>) -> (tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>) {
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %v = qopt.constant(dense<2.0> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %0 = qopt.conv %x, %v {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x4x4xf32>
  %1 = qopt.conv %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  %2 = qopt.conv %z, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  %3 = qopt.conv %u, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  return %0, %1, %2, %3 : tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>
}

// -----

// With keep-codes no floats come between codes: max pools move codes.
// CHECK-LABEL: func @between_codes
// CHECK: qopt.max_pool
// CHECK-COUNT-2: qopt.mul
// CODES-LABEL: func @between_codes
// CODES-NOT: qopt.mul
// CODES: return
func.func @between_codes(%x: tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32> {
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %p = qopt.max_pool %x {ceil_mode = false, qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}, kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32>
  %y = qopt.conv %p, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// Codes that the model came with stand: the weight of a convolution in front takes
// no factors, and one of a depthwise convolution is not stretched for.
// CHECK-LABEL: func @own_codes
// CHECK: %[[C:.*]] = qopt.conv %arg0, %[[V:[a-z0-9]+]] {
// CHECK: %[[XS:.*]] = qopt.mul %[[C]]
// CHECK: qopt.conv %[[XS]]
// CHECK-NOT: qopt.mul
// CHECK: qopt.conv
// CHECK-NEXT: return
func.func @own_codes(%x: tensor<?x2x4x4xf32>) -> (tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>) {
  %s = qopt.constant(dense<2.0> : tensor<1x1x1x1xf32>) : tensor<1x1x1x1xf32>
  %c = qopt.constant(dense<3> : tensor<2x2x1x1xi8>) : tensor<2x2x1x1xi8>
  %d = qopt.constant(dense<3> : tensor<2x1x1x1xi8>) : tensor<2x1x1x1xi8>
  %w = qopt.constant(dense<0.5> : tensor<2x1x3x3xf32>) : tensor<2x1x3x3xf32>
  %v = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<2x2x1x1xi8>, tensor<1x1x1x1xf32>) -> tensor<2x2x1x1xf32>
  %u = qopt.dequantize %d scales(%s) {format = #qopt.format<i8>} : (tensor<2x1x1x1xi8>, tensor<1x1x1x1xf32>) -> tensor<2x1x1x1xf32>
  %0 = qopt.conv %x, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}} : (tensor<?x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x4x4xf32>
  %1 = qopt.conv %0, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x3x3xf32>) -> tensor<?x2x4x4xf32>
  %2 = qopt.relu %1 {qopt.stats = {samples = 1 : i64, channel_axis = 1 : i64, channel_min = array<f32: 0.0, 0.0>, channel_max = array<f32: 8.0, 2.0>}} : (tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32>
  %3 = qopt.conv %2, %u {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8>>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64} : (tensor<?x2x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x4x4xf32>
  return %1, %3 : tensor<?x2x4x4xf32>, tensor<?x2x4x4xf32>
}
