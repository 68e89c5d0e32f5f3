// Programs that every target is held against Reference with. Each is compiled in
// the form that `fuse` gives it; together they must choose every row of a target's
// table. The first line of a program names it. `BOUND` is what its results may
// differ by on a device that guarantees less than IEEE arithmetic, relative to the
// largest of them; without it the bits are equal everywhere. FORMAT and ELEMENT
// stand for each MX format in turn. Dims that are `?` are 5.

// product of f32
// BOUND 2e-5
func.func @main(%x: tensor<?x70xf32>, %w: tensor<70x37xf32> {test.constant}, %b: tensor<37xf32> {test.constant}) -> tensor<?x37xf32> {
  %0 = qopt.matmul %x, %w : (tensor<?x70xf32>, tensor<70x37xf32>) -> tensor<?x37xf32>
  %1 = qopt.add %0, %b : (tensor<?x37xf32>, tensor<37xf32>) -> tensor<?x37xf32>
  %2 = qopt.gelu %1 : (tensor<?x37xf32>) -> tensor<?x37xf32>
  return %2 : tensor<?x37xf32>
}

// -----

// product of two activations
// BOUND 2e-5
func.func @main(%x: tensor<2x?x33xf32>, %y: tensor<2x33x20xf32>) -> tensor<2x?x20xf32> {
  %0 = qopt.matmul %x, %y : (tensor<2x?x33xf32>, tensor<2x33x20xf32>) -> tensor<2x?x20xf32>
  return %0 : tensor<2x?x20xf32>
}

// -----

// product of codes, requantized
func.func @main(%x: tensor<?x70xi8>, %z: tensor<1x1xi8> {test.constant}, %w: tensor<70x37xi8> {test.constant}, %b: tensor<1x37xi32> {test.constant}) -> tensor<?x37xi8> {
  %m = qopt.constant(dense<0.001> : tensor<1x37xf32>) : tensor<1x37xf32>
  %0 = qopt.matmul %x zeros(%z), %w : (tensor<?x70xi8>, tensor<1x1xi8>, tensor<70x37xi8>) -> tensor<?x37xi32>
  %1 = qopt.add %0, %b : (tensor<?x37xi32>, tensor<1x37xi32>) -> tensor<?x37xi32>
  %2 = qopt.requantize %1, %m, %z {min = -128 : i64, max = 127 : i64} : (tensor<?x37xi32>, tensor<1x37xf32>, tensor<1x1xi8>) -> tensor<?x37xi8>
  return %2 : tensor<?x37xi8>
}

// -----

// product of codes, shifted and looked up
func.func @main(%x: tensor<?x64xi8>, %w: tensor<64x48xi8> {test.constant}, %t: tensor<256xi8> {test.constant}) -> tensor<?x48xi8> {
  %k = qopt.constant(dense<9> : tensor<1x48xi8>) : tensor<1x48xi8>
  %0 = qopt.matmul %x, %w : (tensor<?x64xi8>, tensor<64x48xi8>) -> tensor<?x48xi32>
  %1 = qopt.shift %0, %k {min = -128 : i64, max = 127 : i64} : (tensor<?x48xi32>, tensor<1x48xi8>) -> tensor<?x48xi8>
  %2 = qopt.lookup %1, %t : (tensor<?x48xi8>, tensor<256xi8>) -> tensor<?x48xi8>
  return %2 : tensor<?x48xi8>
}

// -----

// product of unsigned codes
func.func @main(%x: tensor<?x70xui8>, %z: tensor<1x1xui8> {test.constant}, %w: tensor<70x37xui8> {test.constant}, %v: tensor<1x1xui8> {test.constant}) -> tensor<?x37xi32> {
  %0 = qopt.matmul %x zeros(%z), %w zeros(%v) : (tensor<?x70xui8>, tensor<1x1xui8>, tensor<70x37xui8>, tensor<1x1xui8>) -> tensor<?x37xi32>
  return %0 : tensor<?x37xi32>
}

// -----

// product of rows quantized on the way
// BOUND 2e-5
func.func @main(%x: tensor<?x70xf32>, %g: tensor<70xf32> {test.constant}, %w: tensor<70x37xi8> {test.constant}, %s: tensor<1x37xf32> {test.constant}) -> tensor<?x37xf32> {
  %n = qopt.layer_norm %x, %g {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x70xf32>, tensor<70xf32>) -> tensor<?x70xf32>
  %q, %sx = qopt.quantize_dynamic %n {format = #qopt.format<i8>} : (tensor<?x70xf32>) -> (tensor<?x70xi8>, tensor<?x1xf32>)
  %0 = qopt.matmul %q, %w : (tensor<?x70xi8>, tensor<70x37xi8>) -> tensor<?x37xi32>
  %t = qopt.mul %sx, %s : (tensor<?x1xf32>, tensor<1x37xf32>) -> tensor<?x37xf32>
  %1 = qopt.dequantize %0 scales(%t) : (tensor<?x37xi32>, tensor<?x37xf32>) -> tensor<?x37xf32>
  return %1 : tensor<?x37xf32>
}

// -----

// product with weights of four bits in groups
// BOUND 2e-5
func.func @main(%x: tensor<?x70xf32>, %w: tensor<70x37xui4> {test.constant}, %s: tensor<3x37xf16> {test.constant}, %z: tensor<3x37xui4> {test.constant}) -> tensor<?x37xf32> {
  %0 = qopt.matmul %x, %w scales(%s) zeros(%z) {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<?x70xf32>, tensor<70x37xui4>, tensor<3x37xf16>, tensor<3x37xui4>) -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

// product of codes with weights of four bits in groups
// BOUND 2e-5
func.func @main(%x: tensor<?x64xi8>, %a: tensor<?x1xf32>, %w: tensor<64x37xi4> {test.constant}, %s: tensor<2x37xf16> {test.constant}) -> tensor<?x37xf32> {
  %0 = qopt.matmul %x scales(%a), %w scales(%s) {lhs_format = #qopt.format<i8>, rhs_format = #qopt.format<i4, axis = 0, block = 32, scale = f16>} : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<64x37xi4>, tensor<2x37xf16>) -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

// product of FORMAT
func.func @main(%x: tensor<?x70xELEMENT>, %a: tensor<?x3xf8E8M0FNU>, %w: tensor<70x37xELEMENT> {test.constant}, %s: tensor<3x37xf8E8M0FNU> {test.constant}) -> tensor<?x37xf32> {
  %0 = qopt.matmul %x scales(%a), %w scales(%s) {lhs_format = #qopt.format<"FORMAT", axis = 1>, rhs_format = #qopt.format<"FORMAT", axis = 0>} : (tensor<?x70xELEMENT>, tensor<?x3xf8E8M0FNU>, tensor<70x37xELEMENT>, tensor<3x37xf8E8M0FNU>) -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

// product of f32 with weights of FORMAT
// BOUND 2e-5
func.func @main(%x: tensor<?x70xf32>, %w: tensor<70x37xELEMENT> {test.constant}, %s: tensor<3x37xf8E8M0FNU> {test.constant}) -> tensor<?x37xf32> {
  %0 = qopt.matmul %x, %w scales(%s) {rhs_format = #qopt.format<"FORMAT", axis = 0>} : (tensor<?x70xf32>, tensor<70x37xELEMENT>, tensor<3x37xf8E8M0FNU>) -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

// convolution of f32
// BOUND 2e-5
func.func @main(%x: tensor<?x6x9x11xf32>, %w: tensor<20x6x3x3xf32> {test.constant}, %b: tensor<20xf32> {test.constant}) -> tensor<?x20x9x11xf32> {
  %0 = qopt.conv %x, %w bias %b {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<?x6x9x11xf32>, tensor<20x6x3x3xf32>, tensor<20xf32>) -> tensor<?x20x9x11xf32>
  %1 = qopt.relu %0 : (tensor<?x20x9x11xf32>) -> tensor<?x20x9x11xf32>
  return %1 : tensor<?x20x9x11xf32>
}

// -----

// convolution of codes
func.func @main(%x: tensor<?x6x9x11xi8>, %w: tensor<20x6x3x3xi8> {test.constant}) -> tensor<?x20x5x6xi32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<?x6x9x11xi8>, tensor<20x6x3x3xi8>) -> tensor<?x20x5x6xi32>
  return %0 : tensor<?x20x5x6xi32>
}

// -----

// convolution of FORMAT
func.func @main(%x: tensor<2x40x5x18xELEMENT>, %a: tensor<2x2x5x18xf8E8M0FNU>, %w: tensor<7x40x3x3xELEMENT> {test.constant}, %s: tensor<7x2x3x3xf8E8M0FNU> {test.constant}) -> tensor<2x7x5x18xf32> {
  %0 = qopt.conv %x scales(%a), %w scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<7x40x3x3xELEMENT>, tensor<7x2x3x3xf8E8M0FNU>) -> tensor<2x7x5x18xf32>
  return %0 : tensor<2x7x5x18xf32>
}

// -----

// depthwise convolution of f32
// BOUND 2e-5
func.func @main(%x: tensor<?x20x9x11xf32>, %w: tensor<20x1x3x3xf32> {test.constant}) -> tensor<?x20x9x11xf32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 20 : i64} : (tensor<?x20x9x11xf32>, tensor<20x1x3x3xf32>) -> tensor<?x20x9x11xf32>
  return %0 : tensor<?x20x9x11xf32>
}

// -----

// depthwise convolution of codes
func.func @main(%x: tensor<?x20x9x11xi8>, %w: tensor<20x1x3x3xi8> {test.constant}) -> tensor<?x20x9x11xi32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 20 : i64} : (tensor<?x20x9x11xi8>, tensor<20x1x3x3xi8>) -> tensor<?x20x9x11xi32>
  return %0 : tensor<?x20x9x11xi32>
}

// -----

// depthwise convolution of FORMAT
// BOUND 2e-5
func.func @main(%x: tensor<2x40x5x18xELEMENT>, %a: tensor<2x2x5x18xf8E8M0FNU>, %w: tensor<40x1x3x3xELEMENT> {test.constant}, %s: tensor<2x1x3x3xf8E8M0FNU> {test.constant}) -> tensor<2x40x5x18xf32> {
  %0 = qopt.conv %x scales(%a), %w scales(%s) {x_format = #qopt.format<"FORMAT", axis = 1>, w_format = #qopt.format<"FORMAT", axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 40 : i64} : (tensor<2x40x5x18xELEMENT>, tensor<2x2x5x18xf8E8M0FNU>, tensor<40x1x3x3xELEMENT>, tensor<2x1x3x3xf8E8M0FNU>) -> tensor<2x40x5x18xf32>
  return %0 : tensor<2x40x5x18xf32>
}

// -----

// attention
// BOUND 2e-5
func.func @main(%q: tensor<2x?x32xf32>, %k: tensor<2x70x32xf32>, %v: tensor<2x70x16xf32>) -> tensor<2x?x16xf32> {
  %0 = qopt.attention %q, %k, %v {scale = 0.17 : f32} : (tensor<2x?x32xf32>, tensor<2x70x32xf32>, tensor<2x70x16xf32>) -> tensor<2x?x16xf32>
  return %0 : tensor<2x?x16xf32>
}

// -----

// rotations of blocks, alone and between what is element-wise, and their codes
// BOUND 2e-5
func.func @main(%x: tensor<?x96xf32>) -> (tensor<?x96xf32>, tensor<?x96xf32>, tensor<?x96xi8>, tensor<?x1xf32>) {
  %0 = qopt.hadamard %x {block = 4 : i64} : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %c = qopt.constant(dense<-0.75> : tensor<96xf32>) : tensor<96xf32>
  %1 = qopt.mul %x, %c : (tensor<?x96xf32>, tensor<96xf32>) -> tensor<?x96xf32>
  %2 = qopt.hadamard %1 {block = 32 : i64} : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %3 = qopt.relu %2 : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %4 = qopt.hadamard %x {block = 16 : i64} : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %q, %s = qopt.quantize_dynamic %4 {format = #qopt.format<i8>} : (tensor<?x96xf32>) -> (tensor<?x96xi8>, tensor<?x1xf32>)
  return %0, %3, %q, %s : tensor<?x96xf32>, tensor<?x96xf32>, tensor<?x96xi8>, tensor<?x1xf32>
}

// -----

// softmax along both axes
// BOUND 2e-5
func.func @main(%x: tensor<?x33xf32>) -> (tensor<?x33xf32>, tensor<?x33xf32>) {
  %0 = qopt.softmax %x {axis = -1 : i64} : (tensor<?x33xf32>) -> tensor<?x33xf32>
  %1 = qopt.softmax %x {axis = 0 : i64} : (tensor<?x33xf32>) -> tensor<?x33xf32>
  return %0, %1 : tensor<?x33xf32>, tensor<?x33xf32>
}

// -----

// norm with what follows
// BOUND 2e-5
func.func @main(%x: tensor<?x33xf32>, %g: tensor<33xf32> {test.constant}, %b: tensor<33xf32> {test.constant}) -> tensor<?x33xf32> {
  %0 = qopt.layer_norm %x, %g, %b {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x33xf32>, tensor<33xf32>, tensor<33xf32>) -> tensor<?x33xf32>
  %1 = qopt.add %0, %x : (tensor<?x33xf32>, tensor<?x33xf32>) -> tensor<?x33xf32>
  return %1 : tensor<?x33xf32>
}

// -----

// sums and means
// BOUND 2e-5
func.func @main(%x: tensor<?x3x7x33xf32>) -> (tensor<?x3x1x1xf32>, tensor<3x7x33xf32>) {
  %0 = qopt.global_average_pool %x : (tensor<?x3x7x33xf32>) -> tensor<?x3x1x1xf32>
  %1 = qopt.reduce %x {kind = #qopt.kind<sum>, axes = array<i64: 0>, keepdims = false} : (tensor<?x3x7x33xf32>) -> tensor<3x7x33xf32>
  return %0, %1 : tensor<?x3x1x1xf32>, tensor<3x7x33xf32>
}

// -----

// rows and samples of int8
func.func @main(%x: tensor<?x33xf32>) -> (tensor<?x33xi8>, tensor<?x1xf32>, tensor<?x33xi8>, tensor<?x1xf32>) {
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<?x33xf32>) -> (tensor<?x33xi8>, tensor<?x1xf32>)
  %2, %3 = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<?x33xf32>) -> (tensor<?x33xi8>, tensor<?x1xf32>)
  return %0, %1, %2, %3 : tensor<?x33xi8>, tensor<?x1xf32>, tensor<?x33xi8>, tensor<?x1xf32>
}

// -----

// blocks of FORMAT along both axes
func.func @main(%x: tensor<40x70xf32>) -> (tensor<40x70xELEMENT>, tensor<40x3xf8E8M0FNU>, tensor<40x70xELEMENT>, tensor<2x70xf8E8M0FNU>) {
  %0, %1 = qopt.quantize_dynamic %x {format = #qopt.format<"FORMAT", axis = 1>} : (tensor<40x70xf32>) -> (tensor<40x70xELEMENT>, tensor<40x3xf8E8M0FNU>)
  %2, %3 = qopt.quantize_dynamic %x {format = #qopt.format<"FORMAT", axis = 0>} : (tensor<40x70xf32>) -> (tensor<40x70xELEMENT>, tensor<2x70xf8E8M0FNU>)
  return %0, %1, %2, %3 : tensor<40x70xELEMENT>, tensor<40x3xf8E8M0FNU>, tensor<40x70xELEMENT>, tensor<2x70xf8E8M0FNU>
}

// -----

// blocks of NVFP4 in rows and samples
func.func @main(%x: tensor<?x70xf32>, %y: tensor<?x20x7xf32>) -> (tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>, tensor<?x20x7xf4E2M1FN>, tensor<?x2x7xf8E4M3FN>, tensor<?x1x1xf32>) {
  %0, %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 1>} : (tensor<?x70xf32>) -> (tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>)
  %3, %4, %5 = qopt.quantize_dynamic %y {format = #qopt.format<nvfp4, axis = 1>, per = #qopt.per<sample>} : (tensor<?x20x7xf32>) -> (tensor<?x20x7xf4E2M1FN>, tensor<?x2x7xf8E4M3FN>, tensor<?x1x1xf32>)
  return %0, %1, %2, %3, %4, %5 : tensor<?x70xf4E2M1FN>, tensor<?x5xf8E4M3FN>, tensor<?x1xf32>, tensor<?x20x7xf4E2M1FN>, tensor<?x2x7xf8E4M3FN>, tensor<?x1x1xf32>
}

// -----

// blocks of a map
func.func @main(%x: tensor<?x70xf32>) -> (tensor<?x70xi8>, tensor<?x3xf8E8M0FNU>) {
  %0 = qopt.relu %x : (tensor<?x70xf32>) -> tensor<?x70xf32>
  %1, %2 = qopt.quantize_dynamic %0 {format = #qopt.format<mxint8, axis = 1>} : (tensor<?x70xf32>) -> (tensor<?x70xi8>, tensor<?x3xf8E8M0FNU>)
  return %1, %2 : tensor<?x70xi8>, tensor<?x3xf8E8M0FNU>
}

// -----

// map
func.func @main(%x: tensor<?x33xf32>, %y: tensor<33xf32>) -> tensor<?x33xf32> {
  %0 = qopt.relu %x : (tensor<?x33xf32>) -> tensor<?x33xf32>
  %1 = qopt.max %0, %y : (tensor<?x33xf32>, tensor<33xf32>) -> tensor<?x33xf32>
  return %1 : tensor<?x33xf32>
}

// -----

// pools
// BOUND 2e-5
func.func @main(%x: tensor<?x3x9x20xf32>) -> (tensor<?x3x5x10xf32>, tensor<?x3x9x20xf32>) {
  %0 = qopt.max_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<?x3x9x20xf32>) -> tensor<?x3x5x10xf32>
  %1 = qopt.average_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, ceil_mode = false, count_include_pad = true} : (tensor<?x3x9x20xf32>) -> tensor<?x3x9x20xf32>
  return %0, %1 : tensor<?x3x5x10xf32>, tensor<?x3x9x20xf32>
}

// -----

// movement
func.func @main(%x: tensor<?x3x5xf32>, %y: tensor<?x4x5xf32>) -> (tensor<5x?x7xf32>, tensor<?x6x5xf32>) {
  %0 = qopt.concat %x, %y {axis = 1 : i64} : (tensor<?x3x5xf32>, tensor<?x4x5xf32>) -> tensor<?x7x5xf32>
  %1 = qopt.transpose %0 {perm = array<i64: 2, 0, 1>} : (tensor<?x7x5xf32>) -> tensor<5x?x7xf32>
  %2 = qopt.pad %x {pads = array<i64: 0, 1, 0, 0, 2, 0>} : (tensor<?x3x5xf32>) -> tensor<?x6x5xf32>
  return %1, %2 : tensor<5x?x7xf32>, tensor<?x6x5xf32>
}

// -----

// views
func.func @main(%x: tensor<?x3x1x8xf32>) -> (tensor<?x24xf32>, tensor<?x3x8xf32>, tensor<?x1x3x1x8xf32>, tensor<?x6x4xf32>, tensor<?x3x1x8xf32>) {
  %s = qopt.constant(dense<[0, 6, 4]> : tensor<3xi64>) : tensor<3xi64>
  %0 = qopt.flatten %x {axis = 1 : i64} : (tensor<?x3x1x8xf32>) -> tensor<?x24xf32>
  %1 = qopt.squeeze %x {axes = array<i64: 2>} : (tensor<?x3x1x8xf32>) -> tensor<?x3x8xf32>
  %2 = qopt.unsqueeze %x {axes = array<i64: 1>} : (tensor<?x3x1x8xf32>) -> tensor<?x1x3x1x8xf32>
  %3 = qopt.reshape %x, %s : (tensor<?x3x1x8xf32>, tensor<3xi64>) -> tensor<?x6x4xf32>
  %relu = qopt.relu %x : (tensor<?x3x1x8xf32>) -> tensor<?x3x1x8xf32>
  return %0, %1, %2, %3, %relu : tensor<?x24xf32>, tensor<?x3x8xf32>, tensor<?x1x3x1x8xf32>, tensor<?x6x4xf32>, tensor<?x3x1x8xf32>
}

// -----

// parts, rows by indices, broadcasts
func.func @main(%x: tensor<?x7x20xf32>) -> (tensor<?x7x5xf32>, tensor<?x3x20xf32>, tensor<?x4x20xf32>, tensor<?x2x20xf32>, tensor<2x?x7x20xf32>) {
  %from = qopt.constant(dense<19> : tensor<1xi64>) : tensor<1xi64>
  %to = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %by = qopt.constant(dense<-4> : tensor<1xi64>) : tensor<1xi64>
  %i = qopt.constant(dense<[-1, 2]> : tensor<2xi64>) : tensor<2xi64>
  %0 = qopt.slice %x, %from, %to, %by {axes = array<i64: 2>} : (tensor<?x7x20xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x7x5xf32>
  %1:2 = qopt.split %x {axis = 1 : i64, sizes = array<i64: 3, 4>} : (tensor<?x7x20xf32>) -> (tensor<?x3x20xf32>, tensor<?x4x20xf32>)
  %2 = qopt.gather %x, %i {axis = 1 : i64} : (tensor<?x7x20xf32>, tensor<2xi64>) -> tensor<?x2x20xf32>
  %s = qopt.shape %x {start = 0 : i64, end = 3 : i64} : (tensor<?x7x20xf32>) -> tensor<3xi64>
  %two = qopt.constant(dense<2> : tensor<1xi64>) : tensor<1xi64>
  %t = qopt.concat %two, %s {axis = 0 : i64} : (tensor<1xi64>, tensor<3xi64>) -> tensor<4xi64>
  %3 = qopt.expand %x, %t : (tensor<?x7x20xf32>, tensor<4xi64>) -> tensor<2x?x7x20xf32>
  return %0, %1#0, %1#1, %2, %3 : tensor<?x7x5xf32>, tensor<?x3x20xf32>, tensor<?x4x20xf32>, tensor<?x2x20xf32>, tensor<2x?x7x20xf32>
}

// -----

// a tensor of one value
func.func @main(%x: tensor<?x9x20xf32>) -> tensor<?x9x20xi64> {
  %s = qopt.shape %x {start = 0 : i64, end = 3 : i64} : (tensor<?x9x20xf32>) -> tensor<3xi64>
  %0 = qopt.constant_of_shape %s {value = dense<7> : tensor<1xi64>} : (tensor<3xi64>) -> tensor<?x9x20xi64>
  return %0 : tensor<?x9x20xi64>
}

// -----

// shape arithmetic
func.func @main(%x: tensor<?x9xf32>) -> (tensor<2xi64>, tensor<1x3xi64>, tensor<1x1x3xi64>, tensor<3x1xi64>, tensor<3xi64>, tensor<2x3xi64>, tensor<?x9xf32>) {
  %s = qopt.shape %x {start = 0 : i64, end = 2 : i64} : (tensor<?x9xf32>) -> tensor<2xi64>
  %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %0 = qopt.add %s, %one : (tensor<2xi64>, tensor<1xi64>) -> tensor<2xi64>
  %i = qopt.constant(dense<[1, 0, 1]> : tensor<3xi64>) : tensor<3xi64>
  %1 = qopt.gather %0, %i {axis = 0 : i64} : (tensor<2xi64>, tensor<3xi64>) -> tensor<3xi64>
  %2 = qopt.unsqueeze %1 {axes = array<i64: 0>} : (tensor<3xi64>) -> tensor<1x3xi64>
  %3 = qopt.unsqueeze %2 {axes = array<i64: 0>} : (tensor<1x3xi64>) -> tensor<1x1x3xi64>
  %4 = qopt.transpose %2 {perm = array<i64: 1, 0>} : (tensor<1x3xi64>) -> tensor<3x1xi64>
  %5 = qopt.squeeze %4 {axes = array<i64: 1>} : (tensor<3x1xi64>) -> tensor<3xi64>
  %6 = qopt.concat %2, %2 {axis = 0 : i64} : (tensor<1x3xi64>, tensor<1x3xi64>) -> tensor<2x3xi64>
  %relu = qopt.relu %x : (tensor<?x9xf32>) -> tensor<?x9xf32>
  return %0, %2, %3, %4, %5, %6, %relu : tensor<2xi64>, tensor<1x3xi64>, tensor<1x1x3xi64>, tensor<3x1xi64>, tensor<3xi64>, tensor<2x3xi64>, tensor<?x9xf32>
}

// -----

// small tensors of constants
func.func @main(%x: tensor<?xf32>) -> (tensor<3xi64>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>, tensor<5xi64>, tensor<2x3xi64>, tensor<4xi64>, tensor<3x1xi64>, tensor<1x3xi64>, tensor<3xui64>, tensor<?xf32>) {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %six = qopt.constant(dense<6> : tensor<i64>) : tensor<i64>
  %two = qopt.constant(dense<2> : tensor<i64>) : tensor<i64>
  %0 = qopt.range %zero, %six, %two : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<3xi64>
  %from = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %to = qopt.constant(dense<3> : tensor<1xi64>) : tensor<1xi64>
  %1 = qopt.slice %0, %from, %to {axes = array<i64: 0>} : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %2:2 = qopt.split %0 {axis = 0 : i64, sizes = array<i64: 1, 2>} : (tensor<3xi64>) -> (tensor<1xi64>, tensor<2xi64>)
  %3 = qopt.pad %0 {pads = array<i64: 1, 1>} : (tensor<3xi64>) -> tensor<5xi64>
  %shape = qopt.constant(dense<[2, 3]> : tensor<2xi64>) : tensor<2xi64>
  %4 = qopt.expand %0, %shape : (tensor<3xi64>, tensor<2xi64>) -> tensor<2x3xi64>
  %four = qopt.constant(dense<4> : tensor<1xi64>) : tensor<1xi64>
  %5 = qopt.constant_of_shape %four {value = dense<7> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<4xi64>
  %column = qopt.constant(dense<[3, 1]> : tensor<2xi64>) : tensor<2xi64>
  %6 = qopt.reshape %0, %column : (tensor<3xi64>, tensor<2xi64>) -> tensor<3x1xi64>
  %7 = qopt.flatten %0 {axis = 0 : i64} : (tensor<3xi64>) -> tensor<1x3xi64>
  %8 = qopt.bit_cast %0 : (tensor<3xi64>) -> tensor<3xui64>
  %relu = qopt.relu %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0, %1, %2#0, %2#1, %3, %4, %5, %6, %7, %8, %relu : tensor<3xi64>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>, tensor<5xi64>, tensor<2x3xi64>, tensor<4xi64>, tensor<3x1xi64>, tensor<1x3xi64>, tensor<3xui64>, tensor<?xf32>
}

// -----

// small floats of constants
func.func @main(%x: tensor<?xf32>) -> (tensor<4xf32>, tensor<4xi8>, tensor<1xf32>, tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<?xf32>) {
  %c = qopt.constant(dense<[1.5, -2.0, 3.25, 0.5]> : tensor<4xf32>) : tensor<4xf32>
  %0 = qopt.softmax %c {axis = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  %q, %s = qopt.quantize_dynamic %c {format = #qopt.format<i8>} : (tensor<4xf32>) -> (tensor<4xi8>, tensor<1xf32>)
  %image = qopt.constant(dense<[[[[1.0, 2.0], [4.0, -8.0]]]]> : tensor<1x1x2x2xf32>) : tensor<1x1x2x2xf32>
  %1 = qopt.max_pool %image {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %2 = qopt.average_pool %image {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, ceil_mode = false, count_include_pad = true} : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
  %relu = qopt.relu %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0, %q, %s, %1, %2, %relu : tensor<4xf32>, tensor<4xi8>, tensor<1xf32>, tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<?xf32>
}

// -----

// rows quantized without a use of their scales
func.func @main(%x: tensor<?x64xf32>, %w: tensor<64x8xi8> {test.constant}) -> tensor<?x8xi32> {
  %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?x1xf32>)
  %0 = qopt.matmul %q, %w : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32>
  return %0 : tensor<?x8xi32>
}

// -----

// a scalar transposed
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = qopt.transpose %x {perm = array<i64>} : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// sums along an axis, and elements at tuples of indices
func.func @main(%x: tensor<?x7xf32>) -> tensor<3xf32> {
  %i = qopt.constant(dense<[[0, 6], [1, -1], [-1, 3]]> : tensor<3x2xi64>) : tensor<3x2xi64>
  %0 = qopt.cum_sum %x {axis = 1 : i64, exclusive = false, reverse = false} : (tensor<?x7xf32>) -> tensor<?x7xf32>
  %1 = qopt.gather_nd %0, %i : (tensor<?x7xf32>, tensor<3x2xi64>) -> tensor<3xf32>
  return %1 : tensor<3xf32>
}

// -----

// the bits of floats as numbers, and products along an axis
func.func @main(%x: tensor<?x7xf32>) -> (tensor<?x7xi32>, tensor<?x7xi32>) {
  %0 = qopt.bit_cast %x : (tensor<?x7xf32>) -> tensor<?x7xi32>
  %1 = qopt.cum_prod %0 {axis = 1 : i64, exclusive = true, reverse = true} : (tensor<?x7xi32>) -> tensor<?x7xi32>
  %2 = qopt.pow %0, %1 : (tensor<?x7xi32>, tensor<?x7xi32>) -> tensor<?x7xi32>
  return %1, %2 : tensor<?x7xi32>, tensor<?x7xi32>
}

// -----

// remainders of floats, with either sign
func.func @main(%x: tensor<?x37xf32>, %y: tensor<37xf32>) -> (tensor<?x37xf32>, tensor<?x37xf32>) {
  %0 = qopt.mod %x, %y : (tensor<?x37xf32>, tensor<37xf32>) -> tensor<?x37xf32>
  %1 = qopt.mod %x, %y {truncates = true} : (tensor<?x37xf32>, tensor<37xf32>) -> tensor<?x37xf32>
  return %0, %1 : tensor<?x37xf32>, tensor<?x37xf32>
}

// -----

// numbers of 64 bits without a sign
func.func @main(%x: tensor<?x17xui64>, %y: tensor<?x17xui64>) -> (tensor<?x17xui64>, tensor<?x17xi1>, tensor<?x17xf32>) {
  %0 = qopt.div %x, %y : (tensor<?x17xui64>, tensor<?x17xui64>) -> tensor<?x17xui64>
  %1 = qopt.max %x, %y : (tensor<?x17xui64>, tensor<?x17xui64>) -> tensor<?x17xui64>
  %2 = qopt.mod %1, %0 : (tensor<?x17xui64>, tensor<?x17xui64>) -> tensor<?x17xui64>
  %3 = qopt.less %x, %2 : (tensor<?x17xui64>, tensor<?x17xui64>) -> tensor<?x17xi1>
  %4 = qopt.cast %1 : (tensor<?x17xui64>) -> tensor<?x17xf32>
  return %2, %3, %4 : tensor<?x17xui64>, tensor<?x17xi1>, tensor<?x17xf32>
}

// -----

// functions, sums and products of doubles
// BOUND 2e-13
func.func @main(%x: tensor<?x37xf64>, %w: tensor<37x5xf64>) -> (tensor<?x5xf64>, tensor<?x37xf16>) {
  %0 = qopt.tanh %x : (tensor<?x37xf64>) -> tensor<?x37xf64>
  %1 = qopt.softmax %0 {axis = 1 : i64} : (tensor<?x37xf64>) -> tensor<?x37xf64>
  %2 = qopt.matmul %1, %w : (tensor<?x37xf64>, tensor<37x5xf64>) -> tensor<?x5xf64>
  %3 = qopt.reduce %2 {kind = #qopt.kind<sum>, axes = array<i64: 1>, keepdims = true} : (tensor<?x5xf64>) -> tensor<?x1xf64>
  %4 = qopt.sub %2, %3 : (tensor<?x5xf64>, tensor<?x1xf64>) -> tensor<?x5xf64>
  %5 = qopt.cast %x : (tensor<?x37xf64>) -> tensor<?x37xf16>
  return %4, %5 : tensor<?x5xf64>, tensor<?x37xf16>
}

// -----

// codes that have no -0, saturated and not
func.func @main(%x: tensor<?x37xf32>) -> (tensor<?x37xf8E4M3FNUZ>, tensor<?x37xf8E5M2FNUZ>, tensor<?x37xf32>) {
  %c = qopt.constant(dense<1.0e+3> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.mul %x, %c : (tensor<?x37xf32>, tensor<1xf32>) -> tensor<?x37xf32>
  %1 = qopt.cast %0 {saturate = false} : (tensor<?x37xf32>) -> tensor<?x37xf8E4M3FNUZ>
  %2 = qopt.cast %0 : (tensor<?x37xf32>) -> tensor<?x37xf8E5M2FNUZ>
  %3 = qopt.cast %2 : (tensor<?x37xf8E5M2FNUZ>) -> tensor<?x37xf32>
  return %1, %2, %3 : tensor<?x37xf8E4M3FNUZ>, tensor<?x37xf8E5M2FNUZ>, tensor<?x37xf32>
}

// -----

// boxes that do not overlap
func.func @main(%b: tensor<2x9x4xf32>, %s: tensor<2x3x9xf32>) -> tensor<2x3x4xi64> {
  %n = qopt.constant(dense<4> : tensor<i64>) : tensor<i64>
  %l = qopt.constant(dense<0.1> : tensor<f32>) : tensor<f32>
  %0, %1 = qopt.non_max_suppression %b, %s, %n, %l, %l {by_center = false} : (tensor<2x9x4xf32>, tensor<2x3x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<2x3x4xi64>, tensor<2x3x9xf32>)
  return %0 : tensor<2x3x4xi64>
}

// -----

// vectors with scales, which no fast kernel takes
func.func @main(%x: tensor<64xf4E2M1FN>, %s: tensor<2xf8E8M0FNU>, %w: tensor<64x5xf4E2M1FN> {test.constant}, %t: tensor<2x5xf8E8M0FNU> {test.constant}) -> tensor<5xf32> {
  %0 = qopt.matmul %x scales(%s), %w scales(%t) {lhs_format = #qopt.format<mxfp4, axis = 0>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<64xf4E2M1FN>, tensor<2xf8E8M0FNU>, tensor<64x5xf4E2M1FN>, tensor<2x5xf8E8M0FNU>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

// blocks of two sizes and zeros along the sum, which no fast kernel takes
// BOUND 2e-5
func.func @main(%x: tensor<2x?x112xi8>, %s: tensor<2x?x3xf32>, %z: tensor<1x1x112xi8>, %w: tensor<112x7xui4> {test.constant}, %t: tensor<4x7xf32> {test.constant}, %y: tensor<4x7xui4> {test.constant}) -> tensor<2x?x7xf32> {
  %0 = qopt.matmul %x scales(%s) zeros(%z), %w scales(%t) zeros(%y) {lhs_format = #qopt.format<i8, axis = 2, block = 48>, rhs_format = #qopt.format<ui4, axis = 0, block = 32, zero = ui4>} : (tensor<2x?x112xi8>, tensor<2x?x3xf32>, tensor<1x1x112xi8>, tensor<112x7xui4>, tensor<4x7xf32>, tensor<4x7xui4>) -> tensor<2x?x7xf32>
  return %0 : tensor<2x?x7xf32>
}

// -----

// product of wide codes, which no fast kernel takes
func.func @main(%x: tensor<3x?x9xi16>, %z: tensor<1xi16>, %w: tensor<9x6xi8>) -> tensor<3x?x6xi32> {
  %0 = qopt.matmul %x zeros(%z), %w : (tensor<3x?x9xi16>, tensor<1xi16>, tensor<9x6xi8>) -> tensor<3x?x6xi32>
  return %0 : tensor<3x?x6xi32>
}

// -----

// convolution of halves with a computed weight, which no fast kernel takes
// BOUND 2e-5
func.func @main(%x: tensor<2x6x?x7xf16>, %w: tensor<4x3x3x2xf16>, %b: tensor<4xf16>) -> tensor<2x4x?x7xf16> {
  %0 = qopt.conv %x, %w bias %b {group = 2 : i64, strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 2>, dilations = array<i64: 1, 2>} : (tensor<2x6x?x7xf16>, tensor<4x3x3x2xf16>, tensor<4xf16>) -> tensor<2x4x?x7xf16>
  return %0 : tensor<2x4x?x7xf16>
}

// -----

// convolution of blocks that cross groups of channels, which no fast kernel takes
func.func @main(%x: tensor<1x96x?x5xf4E2M1FN>, %s: tensor<1x3x?x5xf8E8M0FNU>, %w: tensor<6x48x3x3xf4E2M1FN> {test.constant}, %t: tensor<6x2x3x3xf8E8M0FNU> {test.constant}) -> tensor<1x6x?x5xf32> {
  %0 = qopt.conv %x scales(%s), %w scales(%t) {group = 2 : i64, x_format = #qopt.format<mxfp4, axis = 1>, w_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x96x?x5xf4E2M1FN>, tensor<1x3x?x5xf8E8M0FNU>, tensor<6x48x3x3xf4E2M1FN>, tensor<6x2x3x3xf8E8M0FNU>) -> tensor<1x6x?x5xf32>
  return %0 : tensor<1x6x?x5xf32>
}

// -----

// convolution with scales of planes and of positions, which no fast kernel takes
// BOUND 2e-5
func.func @main(%x: tensor<2x8x?x7xui4>, %s: tensor<2x1x1x1xf32>, %r: tensor<2x2x?x7xf32>, %z: tensor<1x1x1x1xui4>, %w: tensor<6x4x3x3xi8> {test.constant}, %t: tensor<6x1x3x3xf32> {test.constant}) -> tensor<2x6x?x7xf32> {
  %0 = qopt.conv %x scales(%s, %r) zeros(%z), %w scales(%t) {group = 2 : i64, x_format = #qopt.format<ui4, axis = 1, block = 4, zero = ui4>, w_format = #qopt.format<i8, axis = 1, block = 4>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<2x8x?x7xui4>, tensor<2x1x1x1xf32>, tensor<2x2x?x7xf32>, tensor<1x1x1x1xui4>, tensor<6x4x3x3xi8>, tensor<6x1x3x3xf32>) -> tensor<2x6x?x7xf32>
  return %0 : tensor<2x6x?x7xf32>
}

// -----

// depthwise convolution with a computed weight, which no fast kernel takes
// BOUND 2e-5
func.func @main(%x: tensor<2x4x?xf32>, %w: tensor<4x1x3xi4>, %s: tensor<4x1x1xf32>) -> tensor<2x4x?xf32> {
  %0 = qopt.conv %x, %w scales(%s) {group = 4 : i64, w_format = #qopt.format<i4, axis = 0>, strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>} : (tensor<2x4x?xf32>, tensor<4x1x3xi4>, tensor<4x1x1xf32>) -> tensor<2x4x?xf32>
  return %0 : tensor<2x4x?xf32>
}

// -----

// product and sum in one rounding
// BOUND 2e-5
func.func @main(%x: tensor<?x37xf32>, %y: tensor<37xf32>, %z: tensor<1xf32>) -> tensor<?x37xf32> {
  %0 = qopt.fma %x, %y, %z : (tensor<?x37xf32>, tensor<37xf32>, tensor<1xf32>) -> tensor<?x37xf32>
  return %0 : tensor<?x37xf32>
}

// -----

// coordinates of what is true, by one after the other
func.func @main(%x: tensor<?x40xi1>) -> tensor<2x?xi64> {
  %0 = qopt.cast %x : (tensor<?x40xi1>) -> tensor<?x40xi64>
  %n = qopt.reduce %0 {axes = array<i64: 0, 1>, kind = #qopt.kind<sum>, keepdims = false} : (tensor<?x40xi64>) -> tensor<i64>
  %1 = qopt.non_zero %x, %n : (tensor<?x40xi1>, tensor<i64>) -> tensor<2x?xi64>
  return %1 : tensor<2x?xi64>
}
