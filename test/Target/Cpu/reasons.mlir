// RUN: qopt-opt %s --qkernel-assign --split-input-file | FileCheck %s

// Each reason that a kernel of all CPUs gives for leaving an op to another. The
// report prints them.

// CHECK-LABEL: @computed_steps
// CHECK: qopt.reason = "steps are not constant"
qkernel.variant @computed_steps #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
    %0 = qopt.slice %x, %i, %i, %i {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
}

// -----

// CHECK-LABEL: @codes_of_integers
// CHECK: "no codes of type i8 are made of i32"
qkernel.variant @codes_of_integers #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<4x8xi32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) {
    %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<4x8xi32>) -> (tensor<4x8xi8>, tensor<4x1xf32>)
    return %1, %2 : tensor<4x8xi8>, tensor<4x1xf32>
  }
}

// -----

// CHECK-LABEL: @no_blocks
// CHECK: "format f8E4M3FN has no blocks"
qkernel.variant @no_blocks #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>) {
    %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<f8E4M3FN>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
    return %1, %2 : tensor<4x8xf8E4M3FN>, tensor<4x1xf32>
  }
}

// -----

// CHECK-LABEL: @deep_windows
// CHECK: "windows have 3 axes, more than 2"
qkernel.variant @deep_windows #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<1x2x4x4x4xf32>) -> tensor<1x2x2x2x2xf32> {
    %0 = qopt.average_pool %x {kernel = array<i64: 2, 2, 2>, strides = array<i64: 2, 2, 2>, pads = array<i64: 0, 0, 0, 0, 0, 0>, ceil_mode = false, count_include_pad = false} : (tensor<1x2x4x4x4xf32>) -> tensor<1x2x2x2x2xf32>
    return %0 : tensor<1x2x2x2x2xf32>
  }
}
