// RUN: qopt-opt %s --qkernel-assign --split-input-file | FileCheck %s

// Each reason that a kernel of x86-64 gives for leaving an op to another. The
// report prints them.

// Lanes run along an axis of the result, of which a scalar has none.
// CHECK-LABEL: @no_lanes
// CHECK: kernel = "generic", reason = "the product of two vectors has no lanes"
qkernel.variant @no_lanes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<f32> {
    %0 = qopt.matmul %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    return %0 : tensor<f32>
  }
}

// -----

// CHECK-LABEL: @floats
// CHECK: reason = "operands of type f16 and f16 are neither f32 nor codes of at most 8 bits"
qkernel.variant @floats #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x8xf16>, %y: tensor<8x4xf16>) -> tensor<4x4xf16> {
    %0 = qopt.matmul %x, %y : (tensor<4x8xf16>, tensor<8x4xf16>) -> tensor<4x4xf16>
    return %0 : tensor<4x4xf16>
  }
}

// -----

// CHECK-LABEL: @codes
// CHECK: reason = "operands of type i16 and i8 are neither f32 nor codes of at most 8 bits"
qkernel.variant @codes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x8xi16>, %y: tensor<8x4xi8>) -> tensor<4x4xi32> {
    %0 = qopt.matmul %x, %y : (tensor<4x8xi16>, tensor<8x4xi8>) -> tensor<4x4xi32>
    return %0 : tensor<4x4xi32>
  }
}

// -----

// CHECK-LABEL: @depthwise
// CHECK: reason = "operands of type f16 and f16 are neither f32 nor codes of at most 8 bits"
qkernel.variant @depthwise #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x8x8xf16>) -> tensor<1x4x6x6xf16> {
    %w = qopt.constant(dense<1.0> : tensor<4x1x3x3xf16>) : tensor<4x1x3x3xf16>
    %0 = qopt.conv %x, %w {group = 4 : i64, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf16>, tensor<4x1x3x3xf16>) -> tensor<1x4x6x6xf16>
    return %0 : tensor<1x4x6x6xf16>
  }
}

// -----

// CHECK-LABEL: @attention
// CHECK: reason = "elements are of type f16"
qkernel.variant @attention #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%q: tensor<4x8xf16>, %k: tensor<6x8xf16>, %v: tensor<6x8xf16>) -> tensor<4x8xf16> {
    %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf16>, tensor<6x8xf16>, tensor<6x8xf16>) -> tensor<4x8xf16>
    return %0 : tensor<4x8xf16>
  }
}

// -----

// CHECK-LABEL: @small_blocks
// CHECK: reason = "the block is not one of 16 to 256"
qkernel.variant @small_blocks #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
    %0 = qopt.hadamard %x {block = 8 : i64} : (tensor<4x32xf32>) -> tensor<4x32xf32>
    return %0 : tensor<4x32xf32>
  }
}

// -----

// Groups along k are of matrices.
// CHECK-LABEL: @vector_with_scales
// CHECK: reason = "codes with scales are no matrices"
qkernel.variant @vector_with_scales #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<64xf32>, %w: tensor<64x16xi4>, %s: tensor<2x16xf32>) -> tensor<16xf32> {
    %0 = qopt.matmul %x, %w scales(%s) {rhs_format = #qopt.format<i4, axis = 0, block = 32>} : (tensor<64xf32>, tensor<64x16xi4>, tensor<2x16xf32>) -> tensor<16xf32>
    return %0 : tensor<16xf32>
  }
}

// -----

// CHECK-LABEL: @zeros_along_k
// CHECK: reason = "zeros of lhs differ along k"
qkernel.variant @zeros_along_k #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x64xui4>, %s: tensor<5x2xf32>, %z: tensor<5x2xui4>, %w: tensor<64x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%s) zeros(%z), %w {lhs_format = #qopt.format<ui4, axis = 1, block = 32, zero = ui4>} : (tensor<5x64xui4>, tensor<5x2xf32>, tensor<5x2xui4>, tensor<64x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// CHECK-LABEL: @wide_codes
// CHECK: reason = "operands of type f16 and i4 are neither f32 nor codes of at most 8 bits"
qkernel.variant @wide_codes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x64xf16>, %w: tensor<64x16xi4>, %s: tensor<2x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x, %w scales(%s) {rhs_format = #qopt.format<i4, axis = 0, block = 32>} : (tensor<5x64xf16>, tensor<64x16xi4>, tensor<2x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// CHECK-LABEL: @blocks_of_two_sizes
// CHECK: reason = "blocks of 48 meet blocks of 32"
qkernel.variant @blocks_of_two_sizes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x96xi4>, %t: tensor<5x2xf32>, %w: tensor<96x16xi4>, %s: tensor<3x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%t), %w scales(%s) {lhs_format = #qopt.format<i4, axis = 1, block = 48>, rhs_format = #qopt.format<i4, axis = 0, block = 32>} : (tensor<5x96xi4>, tensor<5x2xf32>, tensor<96x16xi4>, tensor<3x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// Bytes are multiplied, and i8 less an i8 is none.
// CHECK-LABEL: @zeros_of_bytes
// CHECK: kernel = "x86-64.contract.grouped", reason = "codes less their zeros are no bytes"
qkernel.variant @zeros_of_bytes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x64xi8>, %t: tensor<5x1xf32>, %z: tensor<5x1xi8>, %w: tensor<64x16xi4>, %s: tensor<2x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%t) zeros(%z), %w scales(%s) {lhs_format = #qopt.format<i8, axis = 0, zero = i8>, rhs_format = #qopt.format<i4, axis = 0, block = 32>} : (tensor<5x64xi8>, tensor<5x1xf32>, tensor<5x1xi8>, tensor<64x16xi4>, tensor<2x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// An f32 holds integers up to 2^24: 1024 products of 2^14 are the most.
// CHECK-LABEL: @long_sums
// CHECK: kernel = "x86-64.contract.grouped", reason = "sums of groups are not sure to be exact"
qkernel.variant @long_sums #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x1040xi8>, %t: tensor<5x1xf32>, %w: tensor<1040x16xi8>, %s: tensor<1x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%t), %w scales(%s) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i8, axis = 1>} : (tensor<5x1040xi8>, tensor<5x1xf32>, tensor<1040x16xi8>, tensor<1x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}
// -----

// Rows of 16 bytes are multiplied at once, which may not cross the end of a block.
// CHECK-LABEL: @odd_blocks
// CHECK: kernel = "x86-64.contract.grouped", reason = "blocks of 20 are no multiples of 16"
qkernel.variant @odd_blocks #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<5x40xi8>, %t: tensor<5x1xf32>, %w: tensor<40x16xi4>, %s: tensor<2x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%t), %w scales(%s) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 20>} : (tensor<5x40xi8>, tensor<5x1xf32>, tensor<40x16xi4>, tensor<2x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// In convolutions it is words of 4.
// CHECK-LABEL: @odd_blocks_of_channels
// CHECK: kernel = "x86-64.contract.grouped", reason = "blocks of 6 are no multiples of 4"
qkernel.variant @odd_blocks_of_channels #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x12x3x9xi8>, %t: tensor<1x1x1x1xf32>, %s: tensor<6x2x1x3xf32>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<6x12x1x3xi4>) : tensor<6x12x1x3xi4>
    %0 = qopt.conv %x scales(%t), %w scales(%s) {x_format = #qopt.format<i8>, w_format = #qopt.format<i4, axis = 1, block = 6>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x12x3x9xi8>, tensor<1x1x1x1xf32>, tensor<6x12x1x3xi4>, tensor<6x2x1x3xf32>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @zeros_of_a_weight
// CHECK: kernel = "x86-64.contract.grouped", reason = "the weight has zeros"
qkernel.variant @zeros_of_a_weight #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x8x3x9xi8>, %t: tensor<1x1x1x1xf32>, %s: tensor<6x1x1x1xf32>, %z: tensor<6x1x1x1xui4>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<6x8x1x3xui4>) : tensor<6x8x1x3xui4>
    %0 = qopt.conv %x scales(%t), %w scales(%s) zeros(%z) {x_format = #qopt.format<i8>, w_format = #qopt.format<ui4, axis = 0, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x3x9xi8>, tensor<1x1x1x1xf32>, tensor<6x8x1x3xui4>, tensor<6x1x1x1xf32>, tensor<6x1x1x1xui4>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}

// -----

// Borders count as zeros of the input only where the code 0 is one.
// CHECK-LABEL: @zeros_of_an_input
// CHECK: reason = "the input has zeros"
qkernel.variant @zeros_of_an_input #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x8x3x9xui4>, %t: tensor<1x1x1x1xf32>, %z: tensor<1x1x1x1xui4>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1.0> : tensor<6x8x1x3xf32>) : tensor<6x8x1x3xf32>
    %0 = qopt.conv %x scales(%t) zeros(%z), %w {x_format = #qopt.format<ui4, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x3x9xui4>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui4>, tensor<6x8x1x3xf32>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @zeros_of_short_blocks
// CHECK: reason = "blocks with zeros are no multiples of 16"
qkernel.variant @zeros_of_short_blocks #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x16x3x9xf32>, %s: tensor<6x2x1x3xf32>, %z: tensor<6x2x1x3xui4>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<6x16x1x3xui4>) : tensor<6x16x1x3xui4>
    %0 = qopt.conv %x, %w scales(%s) zeros(%z) {w_format = #qopt.format<ui4, axis = 1, block = 8, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x16x3x9xf32>, tensor<6x16x1x3xui4>, tensor<6x2x1x3xf32>, tensor<6x2x1x3xui4>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @blocks_across_groups
// CHECK: reason = "blocks of the input cross groups of channels"
qkernel.variant @blocks_across_groups #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x96x3x9xf4E2M1FN>, %t: tensor<1x3x3x9xf8E8M0FNU>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1.0> : tensor<6x48x1x3xf32>) : tensor<6x48x1x3xf32>
    %0 = qopt.conv %x scales(%t), %w {group = 2 : i64, x_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x96x3x9xf4E2M1FN>, tensor<1x3x3x9xf8E8M0FNU>, tensor<6x48x1x3xf32>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}

// -----

// Convolutions of one channel have reasons of their own.
// CHECK-LABEL: @depthwise_wide_codes
// CHECK: reason = "operands of type f16 and i4 are neither f32 nor codes of at most 8 bits"
qkernel.variant @depthwise_wide_codes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x3x9xf16>, %s: tensor<4x1x1x1xf32>) -> tensor<1x4x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<4x1x1x3xi4>) : tensor<4x1x1x3xi4>
    %0 = qopt.conv %x, %w scales(%s) {group = 4 : i64, w_format = #qopt.format<i4, axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x3x9xf16>, tensor<4x1x1x3xi4>, tensor<4x1x1x1xf32>) -> tensor<1x4x3x7xf32>
    return %0 : tensor<1x4x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @depthwise_computed_weight
// CHECK: reason = "the weight is not constant"
qkernel.variant @depthwise_computed_weight #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x3x9xf32>, %w: tensor<4x1x1x3xi4>, %s: tensor<4x1x1x1xf32>) -> tensor<1x4x3x7xf32> {
    %0 = qopt.conv %x, %w scales(%s) {group = 4 : i64, w_format = #qopt.format<i4, axis = 0>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x3x9xf32>, tensor<4x1x1x3xi4>, tensor<4x1x1x1xf32>) -> tensor<1x4x3x7xf32>
    return %0 : tensor<1x4x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @depthwise_zeros
// CHECK: reason = "the input has zeros"
qkernel.variant @depthwise_zeros #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x3x9xui4>, %t: tensor<1x1x1x1xf32>, %z: tensor<1x1x1x1xui4>) -> tensor<1x4x3x7xf32> {
    %w = qopt.constant(dense<1.0> : tensor<4x1x1x3xf32>) : tensor<4x1x1x3xf32>
    %0 = qopt.conv %x scales(%t) zeros(%z), %w {group = 4 : i64, x_format = #qopt.format<ui4, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x3x9xui4>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui4>, tensor<4x1x1x3xf32>) -> tensor<1x4x3x7xf32>
    return %0 : tensor<1x4x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @depthwise_zeros_of_positions
// CHECK: reason = "zeros differ from position to position"
qkernel.variant @depthwise_zeros_of_positions #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x3x9xf32>, %s: tensor<4x1x1x3xf32>, %z: tensor<4x1x1x3xui4>) -> tensor<1x4x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<4x1x1x3xui4>) : tensor<4x1x1x3xui4>
    %0 = qopt.conv %x, %w scales(%s) zeros(%z) {group = 4 : i64, w_format = #qopt.format<ui4, axis = 1, block = 8, zero = ui4>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x3x9xf32>, tensor<4x1x1x3xui4>, tensor<4x1x1x3xf32>, tensor<4x1x1x3xui4>) -> tensor<1x4x3x7xf32>
    return %0 : tensor<1x4x3x7xf32>
  }
}

// -----

// CHECK-LABEL: @depthwise_blocks
// CHECK: reason = "blocks of 48 meet blocks of 32"
qkernel.variant @depthwise_blocks #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x4x3x9xi4>, %t: tensor<1x1x3x9xf32>, %s: tensor<4x1x1x3xf32>) -> tensor<1x4x3x7xf32> {
    %w = qopt.constant(dense<1> : tensor<4x1x1x3xi4>) : tensor<4x1x1x3xi4>
    %0 = qopt.conv %x scales(%t), %w scales(%s) {group = 4 : i64, x_format = #qopt.format<i4, axis = 1, block = 48>, w_format = #qopt.format<i4, axis = 1, block = 32>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x3x9xi4>, tensor<1x1x3x9xf32>, tensor<4x1x1x3xi4>, tensor<4x1x1x3xf32>) -> tensor<1x4x3x7xf32>
    return %0 : tensor<1x4x3x7xf32>
  }
}
