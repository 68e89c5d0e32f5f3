// RUN: qopt-opt %s --split-input-file --verify-diagnostics

// Each case breaks one constraint of one op.

// -----

func.func @constant_c1() {
  // expected-error @+1 {{'qopt.constant' op expects a weight of 3 bytes, but found 2}}
  %0 = qopt.constant(#qopt.weight<"hex:0102">) : tensor<5xi4>
  return
}

// -----

func.func @constant_c2() {
  // expected-error @+1 {{'qopt.constant' op expects elements of type 'tensor<3xf32>', but found 'tensor<2xf32>'}}
  %0 = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<3xf32>
  return
}

// -----

func.func @constant_c3() {
  // expected-error @+1 {{'qopt.constant' op expects static dims, but found 'tensor<?xf32>'}}
  %0 = qopt.constant(#qopt.weight<"hex:00000000">) : tensor<?xf32>
  return
}

// -----

func.func @constant_c4() {
  // expected-error @+1 {{'qopt.constant' op expects a weight or an elements attribute}}
  %0 = qopt.constant("text") : tensor<1xf32>
  return
}

// -----

func.func @quantize_c2(%x: tensor<4x8xf32>, %s: tensor<8xf32>) {
  // expected-error @+1 {{'qopt.quantize' op expects scales and zeros of rank 2, but found 'tensor<8xf32>'}}
  %0 = qopt.quantize %x scales(%s) {format = #qopt.format<i8>} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xi8>
  return
}

// -----

func.func @dequantize_c2(%x: tensor<4x8xi8>, %s: tensor<1x8xf32>, %z: tensor<8xi8>) {
  // expected-error @+1 {{'qopt.dequantize' op expects scales and zeros of rank 2, but found 'tensor<8xi8>'}}
  %0 = qopt.dequantize %x scales(%s) zeros(%z) : (tensor<4x8xi8>, tensor<1x8xf32>, tensor<8xi8>) -> tensor<4x8xf32>
  return
}

// -----

func.func @quantize_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'qopt.quantize' op expects one scale or more}}
  %0 = "qopt.quantize"(%x) <{format = #qopt.format<i8>, operandSegmentSizes = array<i32: 1, 0, 0>}> : (tensor<4xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @dequantize_c1(%x: tensor<4xi8>) {
  // expected-error @+1 {{'qopt.dequantize' op expects one scale or more}}
  %0 = "qopt.dequantize"(%x) <{operandSegmentSizes = array<i32: 1, 0, 0>}> : (tensor<4xi8>) -> tensor<4xf32>
  return
}

// -----

func.func @quantize_dynamic_c2(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op expects 1 scales, but found 0}}
  %0 = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<4x8xf32>) -> tensor<4x8xi8>
  return
}

// -----

func.func @unknown_per(%x: tensor<4x8xf32>) {
  // expected-error @+2 {{expected ::qopt::Per to be one of: row, sample}}
  // expected-error @+1 {{failed to parse QOpt_PerAttr parameter 'value'}}
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = #qopt.per<tensor>} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<1x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c1(%x: tensor<4x32x8xf32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op expects blocks inside of a row, but found them along axis 1 of 'tensor<4x32x8xf32>'}}
  %0:3 = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 1>} : (tensor<4x32x8xf32>) -> (tensor<4x32x8xf4E2M1FN>, tensor<4x2x8xf8E4M3FN>, tensor<4x32x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c1_sample(%x: tensor<32x8xf32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op expects blocks inside of a sample, but found them along axis 0 of 'tensor<32x8xf32>'}}
  %0:3 = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 0>, per = #qopt.per<sample>} : (tensor<32x8xf32>) -> (tensor<32x8xf4E2M1FN>, tensor<2x8xf8E4M3FN>, tensor<32x1xf32>)
  return
}

// -----

func.func @requantize_c1(%x: tensor<4x8xi32>, %m: tensor<1x7xf32>, %z: tensor<1x1xi8>) {
  // expected-error @+1 {{'qopt.requantize' op expects an operand that broadcasts to 'tensor<4x8xi8>', but found 'tensor<1x7xf32>'}}
  %0 = qopt.requantize %x, %m, %z {min = -128 : i64, max = 127 : i64} : (tensor<4x8xi32>, tensor<1x7xf32>, tensor<1x1xi8>) -> tensor<4x8xi8>
  return
}

// -----

func.func @requantize_c3(%x: tensor<4x8xi32>, %m: tensor<1x8xf32>, %z: tensor<1x1xi8>) {
  // expected-error @+1 {{'qopt.requantize' op expects integer codes of 32 bits or fewer, but found 'tensor<4x8xf32>'}}
  %0 = qopt.requantize %x, %m, %z {min = -128 : i64, max = 127 : i64} : (tensor<4x8xi32>, tensor<1x8xf32>, tensor<1x1xi8>) -> tensor<4x8xf32>
  return
}

// -----

// A range of 64 bits has no bounds that 64 bits hold.
func.func @requantize_c3_wide(%x: tensor<4x8xi32>, %m: tensor<1x8xf32>, %z: tensor<1x1xui64>) {
  // expected-error @+1 {{'qopt.requantize' op expects integer codes of 32 bits or fewer, but found 'tensor<4x8xui64>'}}
  %0 = qopt.requantize %x, %m, %z {min = 0 : i64, max = 255 : i64} : (tensor<4x8xi32>, tensor<1x8xf32>, tensor<1x1xui64>) -> tensor<4x8xui64>
  return
}

// -----

func.func @requantize_c2(%x: tensor<4x8xi32>, %m: tensor<1x8xf32>, %z: tensor<1x1xui8>) {
  // expected-error @+1 {{'qopt.requantize' op expects a range inside [0, 255], but found [-1, 255]}}
  %0 = qopt.requantize %x, %m, %z {min = -1 : i64, max = 255 : i64} : (tensor<4x8xi32>, tensor<1x8xf32>, tensor<1x1xui8>) -> tensor<4x8xui8>
  return
}

// -----

func.func @shift_c1(%x: tensor<4x8xi32>, %k: tensor<8xi8>) {
  // expected-error @+1 {{'qopt.shift' op expects an operand that broadcasts to 'tensor<4x8xi8>', but found 'tensor<8xi8>'}}
  %0 = qopt.shift %x, %k {min = -128 : i64, max = 127 : i64} : (tensor<4x8xi32>, tensor<8xi8>) -> tensor<4x8xi8>
  return
}

// -----

func.func @shift_c2(%x: tensor<4x8xi32>, %k: tensor<1x8xi8>) {
  // expected-error @+1 {{'qopt.shift' op expects a range inside [-8, 7], but found [5, 4]}}
  %0 = qopt.shift %x, %k {min = 5 : i64, max = 4 : i64} : (tensor<4x8xi32>, tensor<1x8xi8>) -> tensor<4x8xi4>
  return
}

// -----

func.func @divide_round_c1(%x: tensor<4x8xi32>, %z: tensor<8xi8>) {
  // expected-error @+1 {{'qopt.divide_round' op expects an operand that broadcasts to 'tensor<4x8xi8>', but found 'tensor<8xi8>'}}
  %0 = qopt.divide_round %x, %z {divisor = 9 : i64, min = -128 : i64, max = 127 : i64} : (tensor<4x8xi32>, tensor<8xi8>) -> tensor<4x8xi8>
  return
}

// -----

func.func @divide_round_c2(%x: tensor<4x8xi32>, %z: tensor<1x8xi8>) {
  // expected-error @+1 {{'qopt.divide_round' op expects a range inside [-128, 127], but found [-128, 128]}}
  %0 = qopt.divide_round %x, %z {divisor = 9 : i64, min = -128 : i64, max = 128 : i64} : (tensor<4x8xi32>, tensor<1x8xi8>) -> tensor<4x8xi8>
  return
}

// -----

func.func @divide_round_c3(%x: tensor<4x8xi32>, %z: tensor<1x8xi8>) {
  // expected-error @+1 {{'qopt.divide_round' op expects a positive divisor of 32 bits, but found 0}}
  %0 = qopt.divide_round %x, %z {divisor = 0 : i64, min = -128 : i64, max = 127 : i64} : (tensor<4x8xi32>, tensor<1x8xi8>) -> tensor<4x8xi8>
  return
}

// -----

func.func @lookup_c1(%x: tensor<4xi8>, %t: tensor<128xi8>) {
  // expected-error @+1 {{'qopt.lookup' op expects a table of 256 'i8', but found 'tensor<128xi8>'}}
  %0 = qopt.lookup %x, %t : (tensor<4xi8>, tensor<128xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @matmul_c1(%a: tensor<f32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{'qopt.matmul' op expects operands of rank 1 or more}}
  %0 = qopt.matmul %a, %b : (tensor<f32>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----

func.func @matmul_c2(%a: tensor<2x4xf32>, %b: tensor<5x3xf32>) {
  // expected-error @+1 {{'qopt.matmul' op expects equal reduction dims, but found 4 and 5}}
  %0 = qopt.matmul %a, %b : (tensor<2x4xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_c3(%a: tensor<2x4xf32>, %b: tensor<4x3xi4>, %s: tensor<1x3xf32>) {
  // expected-error @+1 {{'qopt.matmul' op expects a format for the scales of rhs}}
  %0 = qopt.matmul %a, %b scales(%s) : (tensor<2x4xf32>, tensor<4x3xi4>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_c5(%a: tensor<2x4xi8>, %b: tensor<4x3xi8>, %z: tensor<1x3xi8>) {
  // expected-error @+1 {{'qopt.matmul' op expects a zero with one element for the codes of rhs, but found 'tensor<1x3xi8>'}}
  %0 = qopt.matmul %a, %b zeros(%z) : (tensor<2x4xi8>, tensor<4x3xi8>, tensor<1x3xi8>) -> tensor<2x3xi32>
  return
}

// -----

func.func @conv_c9(%x: tensor<1x3x8xi8>, %z: tensor<1x3x1xi8>, %w: tensor<4x3x1xi8>) {
  // expected-error @+1 {{'qopt.conv' op expects a zero with one element for the codes of x, but found 'tensor<1x3x1xi8>'}}
  %0 = qopt.conv %x zeros(%z), %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xi8>, tensor<1x3x1xi8>, tensor<4x3x1xi8>) -> tensor<1x4x8xi32>
  return
}

// -----

func.func @matmul_c4(%a: tensor<2x32xf4E2M1FN>, %b: tensor<32x3xf32>) {
  // expected-error @+1 {{'qopt.matmul' op expects scales beside the blocked codes of lhs}}
  %0 = qopt.matmul %a, %b {lhs_format = #qopt.format<mxfp4, axis = 1>} : (tensor<2x32xf4E2M1FN>, tensor<32x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @conv_c1(%x: tensor<4x8xf32>, %w: tensor<3x4xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects x and w of rank 3 or 4, but found 2 and 2}}
  %0 = qopt.conv %x, %w {strides = array<i64>, pads = array<i64>, dilations = array<i64>} : (tensor<4x8xf32>, tensor<3x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @conv_c2(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects 1 strides and dilations and 2 pads}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @conv_c3(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects strides and dilations from 1 to 2^30, but found 0}}
  %0 = qopt.conv %x, %w {strides = array<i64: 0>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @conv_c3_pads(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects pads from 0 to 2^30, but found -1}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: -1, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @conv_c4(%x: tensor<1x4x8xf32>, %w: tensor<3x2x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects a group that divides 3 output channels, but found 2}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, group = 2 : i64} : (tensor<1x4x8xf32>, tensor<3x2x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @conv_c5(%x: tensor<1x4x8xf32>, %w: tensor<3x5x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects 5 input channels, but found 4}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x5x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @gemm_c1(%a: tensor<2x4x1xf32>, %b: tensor<4x3xf32>) {
  // expected-error @+1 {{'qopt.gemm' op expects matrices, but found ranks 3 and 2}}
  %0 = qopt.gemm %a, %b {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = false} : (tensor<2x4x1xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gemm_c2(%a: tensor<2x4xf32>, %b: tensor<4x3xf32>) {
  // expected-error @+1 {{'qopt.gemm' op expects equal reduction dims, but found 2 and 4}}
  %0 = qopt.gemm %a, %b {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = true, trans_b = false} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @attention_c1(%q: tensor<4x8xf32>, %k: tensor<1x6x8xf32>, %v: tensor<6x8xf32>) {
  // expected-error @+1 {{'qopt.attention' op expects query, key and value of one rank, 2 or more}}
  %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<1x6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @attention_c2(%q: tensor<4x8xf32>, %k: tensor<6x9xf32>, %v: tensor<6x8xf32>) {
  // expected-error @+1 {{'qopt.attention' op expects equal head sizes of query and key, but found 8 and 9}}
  %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x9xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<4x8xf32>, %k: tensor<6x8xf32>, %v: tensor<5x8xf32>) {
  // expected-error @+1 {{'qopt.attention' op expects as many values as keys, but found 5 and 6}}
  %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<5x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @transpose_c1(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qopt.transpose' op expects a permutation of 2 axes, but found [0, 0]}}
  %0 = qopt.transpose %x {perm = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @unknown_kind(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{expected ::qopt::ReduceKind to be one of: sum, mean, max, min, prod, l2}}
  // expected-error @+1 {{failed to parse QOpt_ReduceKindAttr parameter 'value'}}
  %0 = qopt.reduce %x {kind = #qopt.kind<median>, axes = array<i64: 1>, keepdims = true} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @hadamard_c1(%x: tensor<2x24xf32>) {
  // expected-error @+1 {{'qopt.hadamard' op expects a block that is a power of two from 2 to 4096, but found 12}}
  %0 = qopt.hadamard %x {block = 12 : i64} : (tensor<2x24xf32>) -> tensor<2x24xf32>
  return
}

// -----

func.func @hadamard_c2(%x: tensor<2x24xf32>) {
  // expected-error @+1 {{'qopt.hadamard' op expects elements of f32 and a last dim that is a multiple of 16, but found 'tensor<2x24xf32>'}}
  %0 = qopt.hadamard %x {block = 16 : i64} : (tensor<2x24xf32>) -> tensor<2x24xf32>
  return
}

// -----

func.func @hadamard_c2_open(%x: tensor<2x?xf32>) {
  // expected-error @+1 {{'qopt.hadamard' op expects elements of f32 and a last dim that is a multiple of 4, but found 'tensor<2x?xf32>'}}
  %0 = qopt.hadamard %x {block = 4 : i64} : (tensor<2x?xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @reduce_c1(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'qopt.reduce' op expects ascending axes below 2, but found [1, 0]}}
  %0 = qopt.reduce %x {kind = #qopt.kind<sum>, axes = array<i64: 1, 0>, keepdims = true} : (tensor<2x3xf32>) -> tensor<1x1xf32>
  return
}

// -----

func.func @slice_c1(%x: tensor<4x8xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>) {
  // expected-error @+1 {{'qopt.slice' op expects different axes below 2, but found [2]}}
  %0 = qopt.slice %x, %s, %e {axes = array<i64: 2>} : (tensor<4x8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<4x?xf32>
  return
}

// -----

func.func @slice_c1_twice(%x: tensor<4x8xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>) {
  // expected-error @+1 {{'qopt.slice' op expects different axes below 2, but found [1, 1]}}
  %0 = qopt.slice %x, %s, %e {axes = array<i64: 1, 1>} : (tensor<4x8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<4x?xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<4x8xf32>, %s: tensor<2xi64>, %e: tensor<1xi64>) {
  // expected-error @+1 {{'qopt.slice' op expects starts, ends and steps for 1 axes, but found 'tensor<2xi64>'}}
  %0 = qopt.slice %x, %s, %e {axes = array<i64: 1>} : (tensor<4x8xf32>, tensor<2xi64>, tensor<1xi64>) -> tensor<4x?xf32>
  return
}

// -----

func.func @slice_c2_open(%x: tensor<4x8xf32>, %s: tensor<?xi64>, %e: tensor<1xi64>) {
  // expected-error @+1 {{'qopt.slice' op expects starts, ends and steps for 1 axes, but found 'tensor<?xi64>'}}
  %0 = qopt.slice %x, %s, %e {axes = array<i64: 1>} : (tensor<4x8xf32>, tensor<?xi64>, tensor<1xi64>) -> tensor<4x?xf32>
  return
}

// -----

func.func @slice_c3(%x: tensor<4x8xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>) {
  // expected-error @+1 {{'qopt.slice' op expects a result of rank 2, but found 'tensor<?xf32>'}}
  %0 = qopt.slice %x, %s, %e {axes = array<i64: 1>} : (tensor<4x8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @concat_c1() {
  // expected-error @+1 {{'qopt.concat' op expects one input or more}}
  %0 = "qopt.concat"() <{axis = 0 : i64}> : () -> tensor<0xf32>
  return
}

// -----

func.func @concat_c2(%x: tensor<4x8xf32>, %y: tensor<8xf32>) {
  // expected-error @+1 {{'qopt.concat' op expects inputs of rank 2, but found 'tensor<8xf32>'}}
  %0 = qopt.concat %x, %y {axis = 0 : i64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @concat_c2_result(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.concat' op expects a result of rank 2, but found 'tensor<8xf32>'}}
  %0 = qopt.concat %x, %y {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @concat_c3(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.concat' op expects an axis from 0 and below 2, but found -1}}
  %0 = qopt.concat %x, %y {axis = -1 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @concat_c4(%x: tensor<4x8xf32>, %y: tensor<4x9xf32>) {
  // expected-error @+1 {{'qopt.concat' op expects equal dims on axis 1, but found 8 and 9}}
  %0 = qopt.concat %x, %y {axis = 0 : i64} : (tensor<4x8xf32>, tensor<4x9xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @gather_c1(%x: tensor<4x8xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'qopt.gather' op expects an axis from 0 and below 2, but found 2}}
  %0 = qopt.gather %x, %i {axis = 2 : i64} : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @gather_c2(%x: tensor<4x8xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'qopt.gather' op expects a result of rank 2, but found 'tensor<3xf32>'}}
  %0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @average_pool_c1(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.average_pool' op expects x and a result of one rank, 3 or more, but found 2 and 2}}
  %0 = qopt.average_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, ceil_mode = false, count_include_pad = false} : (tensor<4x8xf32>) -> tensor<4x7xf32>
  return
}

// -----

func.func @average_pool_c2(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.average_pool' op expects numbers for 1 spatial axes, but found [2, 2]}}
  %0 = qopt.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @average_pool_c2_pads(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.average_pool' op expects 2 pads, but found [0]}}
  %0 = qopt.average_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @average_pool_c3(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.average_pool' op expects sizes, strides and dilations from 1 to 2^30, but found 0}}
  %0 = qopt.average_pool %x {kernel = array<i64: 2>, strides = array<i64: 0>, pads = array<i64: 0, 0>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @average_pool_c3_pads(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.average_pool' op expects pads from 0 to 2^30, but found -1}}
  %0 = qopt.average_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, -1>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @max_pool_c1(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects x and a result of one rank, 3 or more, but found 2 and 2}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, ceil_mode = false} : (tensor<4x8xf32>) -> tensor<4x7xf32>
  return
}

// -----

func.func @max_pool_c2(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects numbers for 1 spatial axes, but found [2, 2]}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @max_pool_c2_pads(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects 2 pads, but found [0]}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0>, dilations = array<i64: 1>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @max_pool_c3(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects sizes, strides and dilations from 1 to 2^30, but found 0}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 0>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @max_pool_c3_pads(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects pads from 0 to 2^30, but found -1}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, -1>, dilations = array<i64: 1>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @max_pool_c3_dilations(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects sizes, strides and dilations from 1 to 2^30, but found 0}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 0>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

// expected-error @+1 {{expects a tensor of known rank or a sequence, but found 'tensor<*xf32>'}}
func.func private @optional_c1(!qopt.optional<tensor<*xf32>>)

// -----

// expected-error @+1 {{unknown format 'i9'}}
func.func private @format_c1() attributes {test.format = #qopt.format<i9>}

// -----

// expected-error @+1 {{expects an axis of 0 or more, but found -2}}
func.func private @format_c2() attributes {test.format = #qopt.format<i8, axis = -2>}

// -----

// expected-error @+1 {{expects a block of 1 or more, but found -1}}
func.func private @format_c3() attributes {test.format = #qopt.format<i8, axis = 0, block = -1>}

// -----

// expected-error @+1 {{expects axis, block, scale or zero, but found group}}
func.func private @format_key() attributes {test.format = #qopt.format<i8, group = 1>}

// -----

// expected-error @+1 {{expects hexadecimal digits after 'hex:'}}
func.func private @weight_digits() attributes {test.weight = #qopt.weight<"hex:0g">}

// -----

// expected-error @+1 {{expects 'file@offset+length:sha256' or 'hex:...'}}
func.func private @weight_text() attributes {test.weight = #qopt.weight<"file">}

// -----

// expected-error @+1 {{cannot read weight from 'no-such-file.bin': No such file or directory}}
func.func private @weight_file() attributes {test.weight = #qopt.weight<"no-such-file.bin@0+4:00">}

// -----

func.func @max_pool_c3_large(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{'qopt.max_pool' op expects sizes, strides and dilations from 1 to 2^30, but found 9223372036854775807}}
  %0 = qopt.max_pool %x {kernel = array<i64: 9223372036854775807>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 3>, ceil_mode = false} : (tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @conv_c3_large(%x: tensor<1x4x8xf32>, %w: tensor<3x4x2xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects strides and dilations from 1 to 2^30, but found 4611686018427387904}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 4611686018427387904>} : (tensor<1x4x8xf32>, tensor<3x4x2xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @quantize_dynamic_c4(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op expects scales and zeros of rank 2, but found 'tensor<4xf32>'}}
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4xf32>)
  return
}

// -----

func.func @conv_c6(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xi4>, %s: tensor<3x1x1xf32>) {
  // expected-error @+1 {{'qopt.conv' op expects a format for the scales of w}}
  %0 = qopt.conv %x, %w scales(%s) {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xi4>, tensor<3x1x1xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @conv_c8(%x: tensor<1x4x8xf32>, %w: tensor<3x4x1xf4E2M1FN>) {
  // expected-error @+1 {{'qopt.conv' op expects scales beside the blocked codes of w}}
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, w_format = #qopt.format<mxfp4, axis = 1>} : (tensor<1x4x8xf32>, tensor<3x4x1xf4E2M1FN>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @text_for_a_rule(%x: tensor<4x64xf32>) {
  // expected-error @+1 {{'qopt.quantize_dynamic' op attribute 'rule' failed to satisfy constraint: how the shared exponent of a block follows from its largest magnitude}}
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>, rule = "even"} : (tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x1xf32>)
  return
}
