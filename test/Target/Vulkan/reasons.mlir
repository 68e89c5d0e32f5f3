// RUN: qopt-opt %s --qkernel-assign --split-input-file | FileCheck %s

// Each reason that a kernel of Vulkan gives for leaving an op to another. The
// report prints them.

// CHECK-LABEL: @computed_steps
// CHECK: qopt.reason = "steps are not constant"
qkernel.variant @computed_steps #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
    %0 = qopt.slice %x, %i, %i, %i {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
}

// -----

// What the device makes is not read before the end of the run.
// CHECK-LABEL: @starts_of_the_device
// CHECK: qopt.slice {{.*}}qopt.reason = "the dims do not determine the starts"
qkernel.variant @starts_of_the_device #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
    %0 = qopt.abs %i : (tensor<1xi64>) -> tensor<1xi64>
    %1 = qopt.slice %x, %0, %0 {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return %1 : tensor<?xf32>
  }
}

// -----

// CHECK-LABEL: @unknown_format
// CHECK: reason = "format f8E4M3FN has no kernel"
qkernel.variant @unknown_format #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>) {
    %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<f8E4M3FN>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
    return %1, %2 : tensor<4x8xf8E4M3FN>, tensor<4x1xf32>
  }
}

// -----

// CHECK-LABEL: @blocks_of_two_sizes
// CHECK: reason = "blocks of 48 meet blocks of 32"
qkernel.variant @blocks_of_two_sizes #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<5x96xi4>, %t: tensor<5x2xf32>, %w: tensor<96x16xi4>, %s: tensor<3x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %x scales(%t), %w scales(%s) {lhs_format = #qopt.format<i4, axis = 1, block = 48>, rhs_format = #qopt.format<i4, axis = 0, block = 32>} : (tensor<5x96xi4>, tensor<5x2xf32>, tensor<96x16xi4>, tensor<3x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// CHECK-LABEL: @blocks_across_groups
// CHECK: reason = "blocks cross groups of channels"
qkernel.variant @blocks_across_groups #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<1x96x3x9xf4E2M1FN>, %t: tensor<1x3x3x9xf8E8M0FNU>) -> tensor<1x6x3x7xf32> {
    %w = qopt.constant(dense<1.0> : tensor<6x48x1x3xf32>) : tensor<6x48x1x3xf32>
    %0 = qopt.conv %x scales(%t), %w {group = 2 : i64, x_format = #qopt.format<mxfp4, axis = 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x96x3x9xf4E2M1FN>, tensor<1x3x3x9xf8E8M0FNU>, tensor<6x48x1x3xf32>) -> tensor<1x6x3x7xf32>
    return %0 : tensor<1x6x3x7xf32>
  }
}
