// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-choose-layouts))' --verify-each --split-input-file | FileCheck %s

// Kernels take and give row-major tensors, so that nothing is repacked between
// them.
// CHECK-LABEL: qkernel.variant @between
// CHECK: func.func @main(%[[X:.*]]: tensor<?x3x8x8xf32>)
// CHECK-NOT: repack
// CHECK: %[[R:.*]] = qkernel.map(%[[X]]) : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
// CHECK: %[[S:.*]] = qkernel.map(%[[R]]) : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
// CHECK: return %[[S]]
qkernel.variant @between <"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32> {
    %0 = qkernel.repack %x : tensor<?x3x8x8xf32> to tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>
    %1 = qkernel.map(%0) : (tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>) -> tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>> (%a: tensor<?x3x8x8xf32>) {
      %r = qopt.relu %a : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
      qkernel.yield %r : tensor<?x3x8x8xf32>
    }
    %2 = qkernel.map(%1) : (tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>) -> tensor<?x3x8x8xf32> (%a: tensor<?x3x8x8xf32>) {
      %r = qopt.sigmoid %a : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
      qkernel.yield %r : tensor<?x3x8x8xf32>
    }
    return %2 : tensor<?x3x8x8xf32>
  }
}

// -----

// What a caller gives and gets has the layout that it says.
// CHECK-LABEL: qkernel.variant @edges
// CHECK: func.func @main(%[[X:.*]]: tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>) -> (tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, tensor<2x3xf32>)
// CHECK-NEXT: %[[P:.*]] = qkernel.repack %[[X]] : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>> to tensor<2x3xf32>
// CHECK-NEXT: %[[R:.*]] = qopt.relu %[[P]] : (tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %[[Y:.*]] = qkernel.repack %[[R]] : tensor<2x3xf32> to tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
// CHECK-NEXT: return %[[Y]], %[[R]]
qkernel.variant @edges <"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>) -> (tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, tensor<2x3xf32>) {
    %0 = qkernel.repack %x : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>> to tensor<2x3xf32>
    %1 = qopt.relu %0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = qkernel.repack %1 : tensor<2x3xf32> to tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
    return %2, %1 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, tensor<2x3xf32>
  }
}

// -----

// Branches and loops carry what is row-major.
// CHECK-LABEL: qkernel.variant @regions
// CHECK-NOT: repack
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}) -> (tensor<2x3xf32>)
// CHECK: scf.if {{.*}} -> (tensor<2x3xf32>)
// CHECK-NOT: repack
// CHECK: return
qkernel.variant @regions <"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<2x3xf32>, %p: i1, %n: index) -> tensor<2x3xf32> {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %0 = qkernel.repack %x : tensor<2x3xf32> to tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
    %1 = scf.for %i = %zero to %n step %one iter_args(%a = %0) -> (tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>) {
      %2 = scf.if %p -> (tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>) {
        scf.yield %a : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
      } else {
        scf.yield %0 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
      }
      scf.yield %2 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
    }
    %3 = qkernel.repack %1 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>> to tensor<2x3xf32>
    return %3 : tensor<2x3xf32>
  }
}
