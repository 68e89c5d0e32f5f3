// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qkernel-materialize-lifetimes))' --split-input-file --verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qkernel-materialize-lifetimes{in-place=false}))' --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=COPIED

// Memory ends after the last use. What makes an output writes it in place; an
// argument is copied. Where outputs are not written in place, all are.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>)
// CHECK: %[[A:.*]] = qopt.relu %[[X]] : (
// CHECK-NEXT: %[[B:.*]] = qopt.neg %[[A]] {qkernel.outputs = array<i32: 0>}
// CHECK-NEXT: qkernel.free %[[A]] : tensor<?x4xf32>
// CHECK-NEXT: qkernel.output %[[X]] at 1 : tensor<?x4xf32>
// CHECK-NEXT: return %[[B]], %[[X]]
// COPIED-LABEL: func.func @main(
// COPIED-NOT: qkernel.outputs
// COPIED: qkernel.output %{{.*}} at 0
// COPIED-NEXT: qkernel.output %{{.*}} at 1
func.func @main(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = qopt.neg %0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1, %x : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// The uses of a view are uses of what it looks at. A view, a constant and what
// is returned twice are copied.
// CHECK-LABEL: func.func @views(
// CHECK: %[[C:.*]] = qopt.constant
// CHECK: %[[A:.*]] = qopt.relu
// CHECK-NEXT: %[[V:.*]] = qopt.flatten %[[A]]
// CHECK-NEXT: %[[B:.*]] = qopt.neg %[[V]] : (
// CHECK-NOT: qkernel.free
// CHECK-NOT: qkernel.outputs
// CHECK: qkernel.output %[[V]] at 0
// CHECK-NEXT: qkernel.output %[[B]] at 1
// CHECK-NEXT: qkernel.output %[[B]] at 2
// CHECK-NEXT: qkernel.output %[[C]] at 3
// CHECK-NEXT: return
func.func @views(%x: tensor<2x4xf32>) -> (tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<2xf32>) {
  %c = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<2xf32>
  %0 = qopt.relu %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = qopt.flatten %0 {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<1x8xf32>
  %2 = qopt.neg %1 : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return %1, %2, %2, %c : tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>, tensor<2xf32>
}

// -----

// A tensor that is not used ends where it begins; several end in the order in
// which they were made.
// CHECK-LABEL: func.func @order(
// CHECK: %[[A:.*]] = qopt.relu
// CHECK-NEXT: %[[B:.*]] = qopt.neg %[[A]]
// CHECK-NEXT: %[[U:.*]] = qopt.relu %[[B]]
// CHECK-NEXT: qkernel.free %[[U]]
// CHECK-NEXT: %[[D:.*]] = qopt.add %[[A]], %[[B]] {qkernel.outputs
// CHECK-NEXT: qkernel.free %[[A]]
// CHECK-NEXT: qkernel.free %[[B]]
// CHECK-NEXT: return %[[D]]
func.func @order(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = qopt.neg %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = qopt.relu %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = qopt.add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// A use in a branch is a use by the branch. What a branch made is handed on;
// what came from outside is copied, and what is left ends in the branch.
// CHECK-LABEL: func.func @branch(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xf32>
// CHECK: %[[A:.*]] = qopt.relu %[[X]]
// CHECK-NEXT: %[[R:.*]] = scf.if
// CHECK-NEXT: %[[N:.*]] = qopt.neg %[[A]]
// CHECK-NEXT: %[[M:.*]] = qopt.relu %[[N]]
// CHECK-NEXT: qkernel.free %[[N]]
// CHECK-NEXT: scf.yield %[[M]]
// CHECK-NEXT: } else {
// CHECK-NEXT: %[[COPY:.*]] = qkernel.copy %[[X]] : tensor<?xf32>
// CHECK-NEXT: scf.yield %[[COPY]]
// CHECK-NEXT: }
// CHECK-NEXT: qkernel.free %[[A]]
// CHECK-NEXT: qkernel.output %[[R]] at 0
func.func @branch(%x: tensor<?xf32>, %c: i1) -> tensor<?xf32> {
  %0 = qopt.relu %x : (tensor<?xf32>) -> tensor<?xf32>
  %1 = scf.if %c -> tensor<?xf32> {
    %2 = qopt.neg %0 : (tensor<?xf32>) -> tensor<?xf32>
    %3 = qopt.relu %2 : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %3 : tensor<?xf32>
  } else {
    scf.yield %x : tensor<?xf32>
  }
  return %1 : tensor<?xf32>
}

// -----

// A loop owns what it carries: what it starts from is copied, and what an
// iteration was given ends with it. One tensor that is yielded twice is two.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xf32>
// CHECK: %[[I:.*]] = qkernel.copy %[[X]]
// CHECK-NEXT: %[[J:.*]] = qkernel.copy %[[X]]
// CHECK-NEXT: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[S:.*]] = %[[I]], %[[T:.*]] = %[[J]])
// CHECK-NEXT: %[[N:.*]] = qopt.neg %[[S]]
// CHECK-NEXT: qkernel.free %[[S]]
// CHECK-NEXT: %[[COPY:.*]] = qkernel.copy %[[N]]
// CHECK-NEXT: qkernel.free %[[T]]
// CHECK-NEXT: scf.yield %[[N]], %[[COPY]]
// CHECK: qkernel.free %[[R]]#1
// CHECK-NEXT: qkernel.output %[[R]]#0 at 0
func.func @loop(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %0:2 = scf.for %i = %zero to %n step %one iter_args(%s = %x, %t = %x) -> (tensor<?xf32>, tensor<?xf32>) {
    %1 = qopt.neg %s : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %1, %1 : tensor<?xf32>, tensor<?xf32>
  }
  return %0#0 : tensor<?xf32>
}

// -----

// The two regions of a while own what they are given as well.
// CHECK-LABEL: func.func @while(
// CHECK: %[[I:.*]] = qkernel.copy
// CHECK-NEXT: scf.while (%[[S:.*]] = %[[I]])
// CHECK-NOT: qkernel
// CHECK: scf.condition(%{{.*}}) %[[S]]
// CHECK: ^bb0(%[[T:.*]]: tensor<?xf32>):
// CHECK-NEXT: %[[N:.*]] = qopt.neg %[[T]]
// CHECK-NEXT: qkernel.free %[[T]]
// CHECK-NEXT: scf.yield %[[N]]
func.func @while(%x: tensor<?xf32>, %c: i1) -> tensor<?xf32> {
  %0 = scf.while (%s = %x) : (tensor<?xf32>) -> tensor<?xf32> {
    scf.condition(%c) %s : tensor<?xf32>
  } do {
  ^bb0(%t: tensor<?xf32>):
    %1 = qopt.neg %t : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %1 : tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

// The body of a kernel has no memory.
// CHECK-LABEL: func.func @kernel(
// CHECK: qkernel.map(%{{.*}}) {qkernel.outputs = array<i32: 0>}
// CHECK-NOT: qkernel.free
func.func @kernel(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = qkernel.map(%x) : (tensor<?xf32>) -> tensor<?xf32> (%a: tensor<?xf32>) {
    %1 = qopt.neg %a : (tensor<?xf32>) -> tensor<?xf32>
    %2 = qopt.relu %1 : (tensor<?xf32>) -> tensor<?xf32>
    qkernel.yield %2 : tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

// expected-error @+1 {{expects a function of one block}}
func.func @blocks(%x: tensor<?xf32>) -> tensor<?xf32> {
  cf.br ^next
^next:
  return %x : tensor<?xf32>
}
