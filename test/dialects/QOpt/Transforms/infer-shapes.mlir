// RUN: qopt-opt %s --qopt-infer-shapes --verify-each --split-input-file | FileCheck %s

// Dims follow from the operands, through the function's type.
// CHECK-LABEL: func @example
// CHECK-SAME: -> tensor<3x2xf32>
// CHECK: qopt.transpose %arg0 {{.*}} -> tensor<3x2xf32>
func.func @example(%x: tensor<2x3xf32>) -> tensor<?x?xf32> {
  %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// A dim of a result that is known needs no name any more.
// CHECK-LABEL: func @names
// CHECK-SAME: -> (tensor<3x?xf32> {qopt.dims = ["", "n"], qopt.name = "y"})
func.func @names(%x: tensor<?x3xf32> {qopt.dims = ["n", ""]}) -> (tensor<?x?xf32> {qopt.dims = ["m", "n"], qopt.name = "y"}) {
  %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<?x3xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// One walk reaches what depends on what was refined.
// CHECK-LABEL: func @chain
// CHECK: qopt.conv {{.*}} -> tensor<?x4x4x4xf32>
// CHECK: qopt.relu {{.*}} -> tensor<?x4x4x4xf32>
// CHECK: qopt.flatten {{.*}} -> tensor<?x64xf32>
func.func @chain(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<?x?xf32> {
  %0 = qopt.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<?x?x?x?xf32>
  %1 = qopt.relu %0 : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %2 = qopt.flatten %1 {axis = 1 : i64} : (tensor<?x?x?x?xf32>) -> tensor<?x?xf32>
  return %2 : tensor<?x?xf32>
}

// -----

// A dim that depends on the run stays.
// CHECK-LABEL: func @depends_on_run
// CHECK: qopt.reshape {{.*}} -> tensor<?x?xf32>
func.func @depends_on_run(%x: tensor<2x3xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  %0 = qopt.reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// What a branch yields has the type that the branch fixes.
// CHECK-LABEL: func @branch
// CHECK: qopt.transpose {{.*}} -> tensor<?x?xf32>
func.func @branch(%c: i1, %x: tensor<2x3xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = scf.if %c -> (tensor<?x?xf32>) {
    %1 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<?x?xf32>
    scf.yield %1 : tensor<?x?xf32>
  } else {
    scf.yield %y : tensor<?x?xf32>
  }
  return %0 : tensor<?x?xf32>
}

// -----

// A dim that a reshape keeps leaves the rest known, where it is not known itself.
// CHECK-LABEL: func @kept_dims
// CHECK: qopt.reshape {{.*}} -> tensor<?x40xf32>
// CHECK: qopt.reshape {{.*}} -> tensor<4x?x10xf32>
// CHECK: qopt.reshape {{.*}} -> tensor<?x?xf32>
func.func @kept_dims(%x: tensor<?x5x8xf32>, %y: tensor<?x5x?xf32>) -> (tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) {
  %rows = qopt.constant(dense<[0, -1]> : tensor<2xi64>) : tensor<2xi64>
  %middle = qopt.constant(dense<[4, -1, 10]> : tensor<3xi64>) : tensor<3xi64>
  %0 = qopt.reshape %x, %rows : (tensor<?x5x8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %1 = qopt.reshape %x, %middle : (tensor<?x5x8xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  %2 = qopt.reshape %y, %rows : (tensor<?x5x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0, %1, %2 : tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>
}
