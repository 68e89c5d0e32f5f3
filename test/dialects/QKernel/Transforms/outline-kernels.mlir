// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-outline))' --split-input-file | FileCheck %s

// Two layers that are equal are one function, whatever their weights and nodes.
// Where a result lies stays with the launch.
// CHECK-LABEL: qkernel.variant @layers
// CHECK: func.func @main(%[[X:.*]]: tensor<?x4xf32>)
// CHECK: %[[V:.*]] = qopt.constant(dense<1.0
// CHECK: %[[W:.*]] = qopt.constant(dense<2.0
// CHECK: %[[A:.*]] = qkernel.launch @k0.matmul(%[[X]], %[[V]]) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
// CHECK: %[[B:.*]] = qkernel.launch @k0.matmul(%[[A]], %[[W]]) {qkernel.outputs = array<i32: 0>}
// CHECK: qkernel.free %[[A]]
// CHECK: return %[[B]]
// CHECK: func.func private @k0.matmul(%[[P:.*]]: tensor<?x4xf32>, %[[Q:.*]]: tensor<4x4xf32>) -> tensor<?x4xf32> {
// CHECK-NEXT: %[[R:.*]] = qkernel.contract(%[[P]], %[[Q]]) {kernel = "x86-64.contract.f32"}
// CHECK: return %[[R]]
// CHECK-NOT: func.func
qkernel.variant @layers #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %v = qopt.constant(dense<1.0> : tensor<4x4xf32>) : tensor<4x4xf32>
    %w = qopt.constant(dense<2.0> : tensor<4x4xf32>) : tensor<4x4xf32>
    %0 = qkernel.contract(%x, %v) {kernel = "x86-64.contract.f32"} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<4x4xf32>) {
      %2 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("first")
      qkernel.yield %2 : tensor<?x4xf32>
    } loc("first")
    %1 = qkernel.contract(%0, %w) {kernel = "x86-64.contract.f32", qkernel.outputs = array<i32: 0>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<4x4xf32>) {
      %2 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("second")
      qkernel.yield %2 : tensor<?x4xf32>
    } loc("second")
    qkernel.free %0 : tensor<?x4xf32>
    return %1 : tensor<?x4xf32>
  }
}

// -----

// Bodies, attributes, facts and static dims are part of what a kernel is.
// CHECK-LABEL: qkernel.variant @differ
// CHECK: qkernel.launch @k0.neg(
// CHECK: qkernel.launch @k1.relu(
// CHECK: qkernel.launch @k2.neg(
// CHECK: qkernel.launch @k3.softmax(
// CHECK: qkernel.launch @k4.softmax(
// CHECK: qkernel.launch @k5.gather(
// CHECK: qkernel.launch @k6.gather(
qkernel.variant @differ #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x8xf32>, %i: tensor<3xi64>) {
    %0 = qkernel.map(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.neg %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    %2 = qkernel.map(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    %3 = qkernel.map(%y) : (tensor<?x8xf32>) -> tensor<?x8xf32> (%a: tensor<?x8xf32>) {
      %1 = qopt.neg %a : (tensor<?x8xf32>) -> tensor<?x8xf32>
      qkernel.yield %1 : tensor<?x8xf32>
    }
    %4 = qopt.softmax %x {axis = 1 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %5 = qopt.softmax %x {axis = 0 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %6 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
    %7 = qopt.gather %x, %i {axis = 0 : i64, qkernel.facts = [#qkernel.integers<operand = 1, min = 0, max = 2>]} : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<3x4xf32>
    return
  }
}

// -----

// One tensor that is given twice is two arguments, so which operands are the
// same is no part of a kernel.
// CHECK-LABEL: qkernel.variant @twice
// CHECK: qkernel.launch @k0.add(%[[X:.*]], %[[X]])
// CHECK: qkernel.launch @k0.add(%[[X]], %{{.*}})
qkernel.variant @twice #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) {
    %0 = qopt.add %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %1 = qopt.add %x, %y : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    return
  }
}

// -----

// Kernels in regions are launched there.
// CHECK-LABEL: qkernel.variant @regions
// CHECK: scf.if
// CHECK-NEXT: qkernel.launch @k0.neg
// CHECK: else
// CHECK-NEXT: qkernel.launch @k0.neg
qkernel.variant @regions #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %c: i1) -> tensor<?x4xf32> {
    %0 = scf.if %c -> tensor<?x4xf32> {
      %1 = qopt.neg %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      scf.yield %1 : tensor<?x4xf32>
    } else {
      %1 = qopt.neg %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      %2 = qopt.neg %1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
      scf.yield %2 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Shape arithmetic stays, as do views and kernels with a packed operand.
// CHECK-LABEL: qkernel.variant @stay
// CHECK-NOT: qkernel.launch
qkernel.variant @stay #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) {
    %0 = qopt.shape %x {start = 0 : i64, end = 2 : i64} : (tensor<?x4xf32>) -> tensor<2xi64>
    %1 = qopt.flatten %x {axis = 1 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %2 = qkernel.pack %w {layout = #qkernel.packing<kind = "f32", n = 16, k = 1>} : (tensor<4x8xf32>) -> tensor<256xi8>
    %3 = qkernel.contract(%x, %2) {kernel = "x86-64.contract.f32"} : (tensor<?x4xf32>, tensor<256xi8>) -> tensor<?x8xf32> (%a: tensor<?x4xf32>, %b: tensor<4x8xf32>) {
      %4 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
      qkernel.yield %4 : tensor<?x8xf32>
    }
    return
  }
}
