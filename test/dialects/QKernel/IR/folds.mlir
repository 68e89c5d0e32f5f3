// RUN: qopt-opt %s --canonicalize --split-input-file | FileCheck %s

// There and back again is nothing.
// CHECK-LABEL: func @back
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @back(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qkernel.repack %x : tensor<2x3xf32> to tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
  %1 = qkernel.repack %0 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>> to tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// So is the way to the layout that is there, and a way goes straight.
// CHECK-LABEL: func @straight
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: %[[Y:.*]] = qkernel.repack %[[X]] : tensor<2x3x4xf32> to tensor<2x3x4xf32, #qkernel.layout<order = [2, 1, 0]>>
// CHECK-NEXT: return %[[X]], %[[Y]]
func.func @straight(%x: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32, #qkernel.layout<order = [2, 1, 0]>>) {
  %0 = qkernel.repack %x : tensor<2x3x4xf32> to tensor<2x3x4xf32>
  %1 = qkernel.repack %x : tensor<2x3x4xf32> to tensor<2x3x4xf32, #qkernel.layout<order = [0, 2, 1]>>
  %2 = qkernel.repack %1 : tensor<2x3x4xf32, #qkernel.layout<order = [0, 2, 1]>> to tensor<2x3x4xf32, #qkernel.layout<order = [2, 1, 0]>>
  return %0, %2 : tensor<2x3x4xf32>, tensor<2x3x4xf32, #qkernel.layout<order = [2, 1, 0]>>
}

// -----

// A check is never moved or forgotten, even where nobody reads what is behind.
// CHECK-LABEL: func @check
// CHECK: qkernel.require
func.func @check(%holds: i1) {
  qkernel.require %holds code 1 "no"
  return
}
