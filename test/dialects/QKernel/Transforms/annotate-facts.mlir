// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-annotate-facts))' --split-input-file | FileCheck %s

// A list of integers is told with its elements.
// CHECK-LABEL: qkernel.variant @slice
// CHECK: qopt.slice
// CHECK-SAME: qkernel.facts = [#qkernel.integers<operand = 3, min = -1, max = -1, elements = [-1]>]
qkernel.variant @slice #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %a: tensor<1xi64>, %b: tensor<1xi64>) -> tensor<8xf32> {
    %s = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
    %1 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    return %1 : tensor<8xf32>
  }
}

// -----

// Of other tensors the least and the greatest are: a matrix of indices, and
// amounts of shifts, which the body of a kernel reads.
// CHECK-LABEL: qkernel.variant @others
// CHECK: qopt.gather
// CHECK-SAME: qkernel.facts = [#qkernel.integers<operand = 1, min = -2, max = 3>]
// CHECK: qkernel.map(%{{.*}}, %{{.*}}) {qkernel.facts = [#qkernel.integers<operand = 1, min = 1, max = 31>]}
qkernel.variant @others #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x3xf32>, %y: tensor<2x3xi32>) -> (tensor<2x2x3xf32>, tensor<2x3xi8>) {
    %i = qopt.constant(dense<[[0, 3], [-2, 1]]> : tensor<2x2xi64>) : tensor<2x2xi64>
    %0 = qopt.gather %x, %i {axis = 0 : i64} : (tensor<4x3xf32>, tensor<2x2xi64>) -> tensor<2x2x3xf32>
    %k = qopt.constant(dense<[[4, 31, 1]]> : tensor<1x3xi8>) : tensor<1x3xi8>
    %2 = qkernel.map(%y, %k) : (tensor<2x3xi32>, tensor<1x3xi8>) -> tensor<2x3xi8> (%a0: tensor<2x3xi32>, %a1: tensor<1x3xi8>) {
      %1 = qopt.shift %a0, %a1 {min = -128 : i64, max = 127 : i64} : (tensor<2x3xi32>, tensor<1x3xi8>) -> tensor<2x3xi8>
      qkernel.yield %1 : tensor<2x3xi8>
    }
    return %0, %2 : tensor<2x2x3xf32>, tensor<2x3xi8>
  }
}

// -----

// Zero points of products, of any width; the weight is not asked for.
// CHECK-LABEL: qkernel.variant @zeros
// CHECK: qkernel.contract(%{{.*}}) {qkernel.facts = [#qkernel.integers<operand = 1, min = 200, max = 200>, #qkernel.integers<operand = 3, min = -3, max = -3>]}
qkernel.variant @zeros #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xui8>) -> tensor<?x2xi32> {
    %z = qopt.constant(dense<200> : tensor<1x1xui8>) : tensor<1x1xui8>
    %w = qopt.constant(dense<7> : tensor<4x2xi8>) : tensor<4x2xi8>
    %v = qopt.constant(dense<-3> : tensor<1x1xi8>) : tensor<1x1xi8>
    %1 = qkernel.contract(%x, %z, %w, %v) : (tensor<?x4xui8>, tensor<1x1xui8>, tensor<4x2xi8>, tensor<1x1xi8>) -> tensor<?x2xi32> (%a0: tensor<?x4xui8>, %a1: tensor<1x1xui8>, %a2: tensor<4x2xi8>, %a3: tensor<1x1xi8>) {
      %0 = qopt.matmul %a0 zeros(%a1), %a2 zeros(%a3) : (tensor<?x4xui8>, tensor<1x1xui8>, tensor<4x2xi8>, tensor<1x1xi8>) -> tensor<?x2xi32>
      qkernel.yield %0 : tensor<?x2xi32>
    }
    return %1 : tensor<?x2xi32>
  }
}

// -----

// What comes from shape arithmetic and what a region reads from outside is
// known; what a run reads is not, and what stood there is gone.
// CHECK-LABEL: qkernel.variant @regions
// CHECK: scf.if
// CHECK: qopt.gather
// CHECK-SAME: qkernel.facts = [#qkernel.integers<operand = 1, min = 5, max = 5, elements = [5]>]
// CHECK: else
// CHECK: qopt.gather %{{.*}}, %{{.*}} {axis = 0 : i64} :
qkernel.variant @regions #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<6x3xf32>, %y: tensor<?x5xf32>, %i: tensor<1xi64>, %c: tensor<i1>) -> tensor<1x3xf32> {
    %n = qopt.shape %y {start = 1 : i64, end = 2 : i64} : (tensor<?x5xf32>) -> tensor<1xi64>
    %b = tensor.extract %c[] : tensor<i1>
    %r = scf.if %b -> tensor<1x3xf32> {
      %0 = qopt.gather %x, %n {axis = 0 : i64} : (tensor<6x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
      scf.yield %0 : tensor<1x3xf32>
    } else {
      %0 = qopt.gather %x, %i {axis = 0 : i64, qkernel.facts = [#qkernel.integers<operand = 1, min = 0, max = 0>]} : (tensor<6x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
      scf.yield %0 : tensor<1x3xf32>
    }
    return %r : tensor<1x3xf32>
  }
}
