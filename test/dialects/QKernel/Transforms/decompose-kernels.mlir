// RUN: qopt-opt %s --qkernel-decompose --verify-each --split-input-file | FileCheck %s

// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>
// CHECK-NEXT: %[[R:.*]] = qopt.relu %[[X]]
// CHECK-NEXT: return %[[R]]
func.func @example(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %1 = qkernel.map(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> (%a0: tensor<?x8xf32>) {
    %0 = qopt.relu %a0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
    qkernel.yield %0 : tensor<?x8xf32>
  }
  return %1 : tensor<?x8xf32>
}

// -----

// A packed weight gives way to what was packed, in a variant too.
// CHECK: qkernel.variant @v4
// CHECK: %[[W:.*]] = qopt.constant
// CHECK-NOT: qkernel.pack
// CHECK: qopt.matmul %{{.*}}, %[[W]]
// CHECK-NOT: qkernel.contract
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<2x4xf32>) -> tensor<2x16xf32> {
    %w = qopt.constant(dense<1.0> : tensor<4x16xf32>) : tensor<4x16xf32>
    %p = qkernel.pack %w {layout = #qkernel.packing<kind = "f32", n = 16, k = 1>} : (tensor<4x16xf32>) -> tensor<256xi8>
    %0 = qkernel.contract(%x, %p) {kernel = "generic", reason = "test"} : (tensor<2x4xf32>, tensor<256xi8>) -> tensor<2x16xf32> (%a0: tensor<2x4xf32>, %a1: tensor<4x16xf32>) {
      %1 = qopt.matmul %a0, %a1 : (tensor<2x4xf32>, tensor<4x16xf32>) -> tensor<2x16xf32>
      qkernel.yield %1 : tensor<2x16xf32>
    }
    return %0 : tensor<2x16xf32>
  }
}

// -----

// Values have no layout: what was repacked is what it was.
// CHECK-LABEL: func @layouts
// CHECK-SAME: (%[[X:.*]]: tensor<?x3x8xf32>)
// CHECK-NEXT: %[[R:.*]] = qopt.relu %[[X]] : (tensor<?x3x8xf32>) -> tensor<?x3x8xf32>
// CHECK-NEXT: return %[[R]] : tensor<?x3x8xf32>
func.func @layouts(%x: tensor<?x3x8xf32>) -> tensor<?x3x8xf32, #qkernel.layout<order = [0, 2, 1]>> {
  %0 = qkernel.repack %x : tensor<?x3x8xf32> to tensor<?x3x8xf32, #qkernel.layout<order = [0, 2, 1]>>
  %2 = qkernel.map(%0) : (tensor<?x3x8xf32, #qkernel.layout<order = [0, 2, 1]>>) -> tensor<?x3x8xf32, #qkernel.layout<order = [0, 2, 1]>> (%a: tensor<?x3x8xf32>) {
    %1 = qopt.relu %a : (tensor<?x3x8xf32>) -> tensor<?x3x8xf32>
    qkernel.yield %1 : tensor<?x3x8xf32>
  }
  return %2 : tensor<?x3x8xf32, #qkernel.layout<order = [0, 2, 1]>>
}
