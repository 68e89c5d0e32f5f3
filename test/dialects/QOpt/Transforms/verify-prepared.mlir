// RUN: qopt-opt %s --verify-prepared --verify-diagnostics --split-input-file | FileCheck %s

// A prepared program passes unchanged.
// CHECK-LABEL: func @prepared
// CHECK: qopt.relu
func.func @prepared(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Later phases know no gemm.
func.func @gemm(%a: tensor<2x4xf32>, %b: tensor<4x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+2 {{'qopt.gemm' op is left after prepare}}
  // expected-note @+1 {{run --qopt-decompose-gemm}}
  %0 = qopt.gemm %a, %b {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = false} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Observers are there while a calibration runs.
func.func @observe(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{'qopt.observe' op stands outside of a calibration}}
  qopt.observe %x {id = 0 : i64} : tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

// Declared dims contradict the operands.
func.func @qopt_c10(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{'qopt.transpose' op has a result of type 'tensor<2x2xf32>', but its operands give 'tensor<3x2xf32>'}}
  %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

// Tensors by themselves.
func.func @qopt_c1(%x: tensor<4xcomplex<f32>>) -> tensor<4xcomplex<f32>> {
  // expected-error @+1 {{'qopt.relu' op expects a tensor of numbers, but found 'tensor<4xcomplex<f32>>'}}
  %0 = qopt.relu %x : (tensor<4xcomplex<f32>>) -> tensor<4xcomplex<f32>>
  return %0 : tensor<4xcomplex<f32>>
}

// -----

func.func @qopt_c2(%x: tensor<4294967296x4294967296xf32>) -> tensor<4294967296x4294967296xf32> {
  // expected-error @+1 {{'qopt.relu' op expects a tensor of less than 2^48 bytes, but found 'tensor<4294967296x4294967296xf32>'}}
  %0 = qopt.relu %x : (tensor<4294967296x4294967296xf32>) -> tensor<4294967296x4294967296xf32>
  return %0 : tensor<4294967296x4294967296xf32>
}

// -----

// Attributes that name axes.
func.func @squeeze_c1(%x: tensor<4x1xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.squeeze' op expects ascending axes from 0 and below 2, but found [2]}}
  %0 = qopt.squeeze %x {axes = array<i64: 2>} : (tensor<4x1xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @squeeze_c2(%x: tensor<4x1xf32>) -> tensor<1xf32> {
  // expected-error @+1 {{'qopt.squeeze' op expects a dim of 1 on axis 0, but found 'tensor<4x1xf32>'}}
  %0 = qopt.squeeze %x {axes = array<i64: 0>} : (tensor<4x1xf32>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

func.func @unsqueeze_c1(%x: tensor<4xf32>) -> tensor<4x1xf32> {
  // expected-error @+1 {{'qopt.unsqueeze' op expects ascending axes from 0 and below 2, but found [-1]}}
  %0 = qopt.unsqueeze %x {axes = array<i64: -1>} : (tensor<4xf32>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}

// -----

func.func @shape_c1(%x: tensor<4xf32>) -> tensor<2xi64> {
  // expected-error @+1 {{'qopt.shape' op expects axes from 0 to 1, but found 0 to 2}}
  %0 = qopt.shape %x {start = 0 : i64, end = 2 : i64} : (tensor<4xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

func.func @pad_c1(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{'qopt.pad' op expects 2 pads, but found [1]}}
  %0 = qopt.pad %x {pads = array<i64: 1>} : (tensor<4xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @pad_c2(%x: tensor<4xf32>) -> tensor<3xf32> {
  // expected-error @+1 {{'qopt.pad' op expects pads from 0 to 2^30, but found -1}}
  %0 = qopt.pad %x {pads = array<i64: -1, 0>} : (tensor<4xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @pad_c3(%x: tensor<4xf32>, %v: tensor<2xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{'qopt.pad' op expects one value, but found 'tensor<2xf32>'}}
  %0 = qopt.pad %x, %v {pads = array<i64: 1, 0>} : (tensor<4xf32>, tensor<2xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @split_c2(%x: tensor<4xf32>) -> (tensor<2xf32>, tensor<3xf32>) {
  // expected-error @+1 {{'qopt.split' op expects 2 sizes that sum to dim 0 of 'tensor<4xf32>', but found [2, 3]}}
  %0, %1 = qopt.split %x {axis = 0 : i64, sizes = array<i64: 2, 3>} : (tensor<4xf32>) -> (tensor<2xf32>, tensor<3xf32>)
  return %0, %1 : tensor<2xf32>, tensor<3xf32>
}

// -----

func.func @constant_of_shape_c1(%s: tensor<1xi64>) -> tensor<?xf32> {
  // expected-error @+1 {{'qopt.constant_of_shape' op expects one value of the result's element type, but found 'tensor<1xi64>'}}
  %0 = qopt.constant_of_shape %s {value = dense<1> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @range_c1(%s: tensor<2xi64>, %d: tensor<i64>) -> tensor<?xi64> {
  // expected-error @+1 {{'qopt.range' op expects one integer, but found 'tensor<2xi64>'}}
  %0 = qopt.range %s, %d, %d : (tensor<2xi64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

func.func @reshape_c1(%x: tensor<4xf32>, %s: tensor<1x1xi64>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.reshape' op expects a list of a known number of dims, but found 'tensor<1x1xi64>'}}
  %0 = qopt.reshape %x, %s : (tensor<4xf32>, tensor<1x1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @reshape_c1_open(%x: tensor<4xf32>, %s: tensor<?xi64>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.reshape' op expects a list of a known number of dims, but found 'tensor<?xi64>'}}
  %0 = qopt.reshape %x, %s : (tensor<4xf32>, tensor<?xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @bit_cast_c1(%x: tensor<4x2xf32>) -> tensor<4x2xi64> {
  // expected-error @+1 {{'qopt.bit_cast' op expects element types of as many bits, but found 'tensor<4x2xf32>' and 'tensor<4x2xi64>'}}
  %0 = qopt.bit_cast %x : (tensor<4x2xf32>) -> tensor<4x2xi64>
  return %0 : tensor<4x2xi64>
}

// -----

func.func @flatten_c1(%x: tensor<4x2xf32>) -> tensor<8x1xf32> {
  // expected-error @+1 {{'qopt.flatten' op expects an axis from 0 and below 3, but found 3}}
  %0 = qopt.flatten %x {axis = 3 : i64} : (tensor<4x2xf32>) -> tensor<8x1xf32>
  return %0 : tensor<8x1xf32>
}

// -----

func.func @softmax_c1(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @+1 {{'qopt.softmax' op expects an axis from -2 and below 2, but found 2}}
  %0 = qopt.softmax %x {axis = 2 : i64} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @layer_norm_c2(%x: tensor<4x8xf32>, %s: tensor<4xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{'qopt.layer_norm' op expects a scale and bias that broadcast to the axes from 1 of 'tensor<4x8xf32>', but found 'tensor<4xf32>'}}
  %0 = qopt.layer_norm %x, %s {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @batch_norm_c2(%x: tensor<1x4x8xf32>, %s: tensor<8xf32>) -> tensor<1x4x8xf32> {
  // expected-error @+1 {{'qopt.batch_norm' op expects one value for each of 4 channels, but found 'tensor<8xf32>'}}
  %0 = qopt.batch_norm %x, %s, %s, %s, %s {epsilon = 1.0e-5 : f32} : (tensor<1x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}

// -----

func.func @global_average_pool_c1(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{'qopt.global_average_pool' op expects a channel axis, but found 'tensor<8xf32>'}}
  %0 = qopt.global_average_pool %x : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

func.func @attention_c5(%q: tensor<2x3x8xf32>, %m: tensor<3x4xf32>) -> tensor<2x3x8xf32> {
  // expected-error @+1 {{'qopt.attention' op expects a mask that broadcasts to [2, 3, 3], but found 'tensor<3x4xf32>'}}
  %0 = qopt.attention %q, %q, %q, %m {scale = 1.0 : f32} : (tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<3x4xf32>) -> tensor<2x3x8xf32>
  return %0 : tensor<2x3x8xf32>
}

// -----

func.func @attention_c4(%q: tensor<2x3x8xf32>, %k: tensor<1x3x8xf32>) -> tensor<2x3x8xf32> {
  // expected-error @+1 {{'qopt.attention' op expects the leading dims of 'tensor<2x3x8xf32>', but found 'tensor<1x3x8xf32>'}}
  %0 = qopt.attention %q, %k, %k {scale = 1.0 : f32} : (tensor<2x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) -> tensor<2x3x8xf32>
  return %0 : tensor<2x3x8xf32>
}

// -----

func.func @conv_c7(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xf32>, %b: tensor<4xf32>) -> tensor<1x3x8xf32> {
  // expected-error @+1 {{'qopt.conv' op expects a bias of 3 channels, but found 'tensor<4xf32>'}}
  %0 = qopt.conv %x, %w bias %b {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf32>, tensor<4xf32>) -> tensor<1x3x8xf32>
  return %0 : tensor<1x3x8xf32>
}

// -----

func.func @qopt_c3(%x: tensor<4x64xf32>, %s: tensor<4x2xf8E8M0FNU>) -> tensor<4x64xi8> {
  // expected-error @+1 {{'qopt.quantize' op expects a format with an axis below 2, but found #qopt.format<mxint8, axis = 2>}}
  %0 = qopt.quantize %x scales(%s) {format = #qopt.format<mxint8, axis = 2>} : (tensor<4x64xf32>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xi8>
  return %0 : tensor<4x64xi8>
}

// -----

// Element types.
func.func @qopt_c4(%x: tensor<4xf32>, %y: tensor<4xi32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.add' op expects elements of 'f32', but found 'tensor<4xi32>'}}
  %0 = qopt.add %x, %y : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @qopt_c5(%x: tensor<2x3xf32>) -> tensor<3x2xi8> {
  // expected-error @+1 {{'qopt.transpose' op expects elements of 'f32', but found 'tensor<3x2xi8>'}}
  %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xi8>
  return %0 : tensor<3x2xi8>
}

// -----

// Nothing makes doubles of codes.
func.func @doubles_of_codes(%q: tensor<4x2xi8>, %s: tensor<1x1xf32>) -> tensor<4x2xf64> {
  // expected-error @+1 {{'qopt.dequantize' op expects elements of f16, bf16 or f32, but found 'tensor<4x2xf64>'}}
  %0 = qopt.dequantize %q scales(%s) : (tensor<4x2xi8>, tensor<1x1xf32>) -> tensor<4x2xf64>
  return %0 : tensor<4x2xf64>
}

// -----

func.func @qopt_c6(%x: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-error @+1 {{'qopt.softmax' op expects elements of f16, bf16, f32 or f64, but found 'tensor<4x2xi32>'}}
  %0 = qopt.softmax %x {axis = 1 : i64} : (tensor<4x2xi32>) -> tensor<4x2xi32>
  return %0 : tensor<4x2xi32>
}

// -----

func.func @qopt_c8(%a: tensor<4x2xi8>, %b: tensor<2x3xi8>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'qopt.matmul' op expects elements of 'i32', but found 'tensor<4x3xf32>'}}
  %0 = qopt.matmul %a, %b : (tensor<4x2xi8>, tensor<2x3xi8>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @lookup_c2(%x: tensor<4xi16>, %t: tensor<256xi8>) -> tensor<4xi8> {
  // expected-error @+1 {{'qopt.lookup' op expects codes of 8 bits, but found 'tensor<4xi16>'}}
  %0 = qopt.lookup %x, %t : (tensor<4xi16>, tensor<256xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----

func.func @qopt_c7(%x: tensor<4xi8>, %s: tensor<1xi32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.dequantize' op expects scales of floats, but found 'tensor<1xi32>'}}
  %0 = qopt.dequantize %x scales(%s) : (tensor<4xi8>, tensor<1xi32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Dims of several operands.
func.func @qopt_c9(%x: tensor<4x64xi8>, %s: tensor<3x1xf32>) -> tensor<4x64xf32> {
  // expected-error @+1 {{'qopt.dequantize' op expects scales and zeros that fit 'tensor<4x64xi8>', but found 'tensor<3x1xf32>'}}
  %0 = qopt.dequantize %x scales(%s) : (tensor<4x64xi8>, tensor<3x1xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// -----

func.func @qopt_c11(%x: tensor<4xf32>, %y: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.add' op expects operands that broadcast to 'tensor<4xf32>', but found 'tensor<3xf32>'}}
  %0 = qopt.add %x, %y : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @qopt_c11_batches(%x: tensor<4x2x3xf32>, %y: tensor<2x3x5xf32>) -> tensor<4x2x5xf32> {
  // expected-error @+1 {{'qopt.matmul' op expects operands that broadcast to 'tensor<4x2x5xf32>', but found 'tensor<2x3x5xf32>'}}
  %0 = qopt.matmul %x, %y : (tensor<4x2x3xf32>, tensor<2x3x5xf32>) -> tensor<4x2x5xf32>
  return %0 : tensor<4x2x5xf32>
}

// -----

func.func @split_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'qopt.split' op expects an axis from 0 and below 1, but found 1}}
  %0 = qopt.split %x {axis = 1 : i64, sizes = array<i64: 4>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @constant_of_shape_c2(%s: tensor<1x1xi64>) {
  // expected-error @+1 {{'qopt.constant_of_shape' op expects a list of a known number of dims, but found 'tensor<1x1xi64>'}}
  %0 = qopt.constant_of_shape %s {value = dense<0.0> : tensor<1xf32>} : (tensor<1x1xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @expand_c1(%x: tensor<4xf32>, %s: tensor<1x1xi64>) {
  // expected-error @+1 {{'qopt.expand' op expects a list of a known number of dims, but found 'tensor<1x1xi64>'}}
  %0 = qopt.expand %x, %s : (tensor<4xf32>, tensor<1x1xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @layer_norm_c1(%x: tensor<4x8xf32>, %s: tensor<8xf32>) {
  // expected-error @+1 {{'qopt.layer_norm' op expects an axis from -2 and below 2, but found 2}}
  %0 = qopt.layer_norm %x, %s {axis = 2 : i64, epsilon = 1.0e-5 : f32} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @batch_norm_c1(%x: tensor<4xf32>, %s: tensor<4xf32>) {
  // expected-error @+1 {{'qopt.batch_norm' op expects a channel axis, but found 'tensor<4xf32>'}}
  %0 = qopt.batch_norm %x, %s, %s, %s, %s {epsilon = 1.0e-5 : f32} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @quantize_dynamic_c3(%x: tensor<f32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op expects an axis or more}}
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<f32>) -> (tensor<i8>, tensor<f32>)
  return
}

// -----

func.func @requantize_c3_accumulator(%x: tensor<4xf32>, %m: tensor<1xf32>, %z: tensor<1xi8>) {
  // expected-error @+1 {{'qopt.requantize' op expects integers of 32 bits or fewer, but found 'tensor<4xf32>'}}
  %0 = qopt.requantize %x, %m, %z {min = -128 : i64, max = 127 : i64} : (tensor<4xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @shift_c3(%x: tensor<4xf32>, %k: tensor<1xi8>) {
  // expected-error @+1 {{'qopt.shift' op expects integers of 32 bits or fewer, but found 'tensor<4xf32>'}}
  %0 = qopt.shift %x, %k {min = -128 : i64, max = 127 : i64} : (tensor<4xf32>, tensor<1xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @divide_round_c4(%x: tensor<4xf32>, %z: tensor<1xi8>) {
  // expected-error @+1 {{'qopt.divide_round' op expects integers of 32 bits or fewer, but found 'tensor<4xf32>'}}
  %0 = qopt.divide_round %x, %z {divisor = 9 : i64, min = -128 : i64, max = 127 : i64} : (tensor<4xf32>, tensor<1xi8>) -> tensor<4xi8>
  return
}

// -----

// No kernel is for sequences.
func.func @sequence(%x: tensor<?xf32>) -> tensor<i64> {
  // expected-error @+2 {{'qopt.split_to_sequence' op works on a sequence or optional that a run alone knows}}
  // expected-note @+1 {{qopt-run --reference runs it; kernels are for tensors: make the sizes of parts constants of the model}}
  %s = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = true} : (tensor<?xf32>) -> !qopt.sequence<tensor<1xf32>>
  %n = qopt.sequence_length %s : (!qopt.sequence<tensor<1xf32>>) -> tensor<i64>
  return %n : tensor<i64>
}
