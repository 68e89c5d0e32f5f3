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

// Starts that the device makes are read.
// CHECK-LABEL: @starts_of_the_device
// CHECK: qopt.kernel = "vulkan.slice"
// CHECK-NOT: qopt.reason
// CHECK: return
qkernel.variant @starts_of_the_device #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
    %0 = qopt.abs %i : (tensor<1xi64>) -> tensor<1xi64>
    %1 = qopt.slice %x, %0, %0 {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return %1 : tensor<?xf32>
  }
}

// -----

// What one invocation would do alone is for the host, and what counters of loops
// are made of.
// CHECK-LABEL: @on_the_host
// CHECK: %[[N:.*]] = qkernel.rows(%arg0) {kernel = "vulkan.host.rows"}
// CHECK: qopt.non_zero %{{.*}}, %[[N]] {{.*}}qopt.kernel = "vulkan.host.serial"
// CHECK: scf.for
// CHECK: tensor.from_elements
// CHECK: kernel = "vulkan.host.map"
// CHECK: kernel = "vulkan.map"
qkernel.variant @on_the_host #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4xi64>, %m: tensor<4xi1>) -> (tensor<1x?xi64>, tensor<i64>, tensor<4xi64>) {
    %n = qopt.reduce %x {axes = array<i64: 0>, kind = #qopt.kind<sum>, keepdims = false} : (tensor<4xi64>) -> tensor<i64>
    %0 = qopt.non_zero %m, %n : (tensor<4xi1>, tensor<i64>) -> tensor<1x?xi64>
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c9 = arith.constant 9 : i64
    %1:2 = scf.for %i = %c0 to %c9 step %c1 iter_args(%s = %n, %y = %x) -> (tensor<i64>, tensor<4xi64>) : i64 {
      %at = tensor.from_elements %i : tensor<i64>
      %2 = qopt.add %s, %at : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %3 = qopt.add %y, %x : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
      scf.yield %2, %3 : tensor<i64>, tensor<4xi64>
    }
    return %0, %1#0, %1#1 : tensor<1x?xi64>, tensor<i64>, tensor<4xi64>
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
