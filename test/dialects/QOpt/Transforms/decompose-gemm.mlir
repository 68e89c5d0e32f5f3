// RUN: qopt-opt %s --qopt-decompose-gemm --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-decompose-gemm --mlir-print-debuginfo --split-input-file | FileCheck %s --check-prefix=LOC

// A transposed weight becomes an expression; factors of 1 make no op.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<8x4xf32>, %[[C:.*]]: tensor<8xf32>
// CHECK: %[[T:.*]] = qopt.transpose %[[W]] {perm = array<i64: 1, 0>} : (tensor<8x4xf32>) -> tensor<4x8xf32>
// CHECK-NEXT: %[[M:.*]] = qopt.matmul %[[X]], %[[T]] :
// CHECK-NEXT: %[[R:.*]] = qopt.add %[[M]], %[[C]] :
// CHECK-NEXT: return %[[R]]
func.func @example(%x: tensor<?x4xf32>, %w: tensor<8x4xf32>, %c: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = qopt.gemm %x, %w, %c {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = true} : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// Factors scale the product and the addend, each before the sum.
// CHECK-LABEL: func @factors
// CHECK-SAME: %[[A:.*]]: tensor<4x2xf32>, %[[B:.*]]: tensor<4x3xf32>, %[[C:.*]]: tensor<2x3xf32>
// CHECK: %[[AT:.*]] = qopt.transpose %[[A]]
// CHECK: %[[M:.*]] = qopt.matmul %[[AT]], %[[B]]
// CHECK: %[[ALPHA:.*]] = qopt.constant(dense<2.0{{.*}}> : tensor<f32>)
// CHECK: %[[MS:.*]] = qopt.mul %[[M]], %[[ALPHA]] : (tensor<2x3xf32>, tensor<f32>)
// CHECK: %[[BETA:.*]] = qopt.constant(dense<5.0{{.*}}> : tensor<f32>)
// CHECK: %[[CS:.*]] = qopt.mul %[[C]], %[[BETA]]
// CHECK: qopt.add %[[MS]], %[[CS]]
func.func @factors(%a: tensor<4x2xf32>, %b: tensor<4x3xf32>, %c: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.gemm %a, %b, %c {alpha = 2.0 : f32, beta = 0.5 : f32, trans_a = true, trans_b = false} : (tensor<4x2xf32>, tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Without an addend there is no sum; the plan and the node stay with the product.
// LOC-LABEL: func @no_addend
// LOC: qopt.matmul {{.*}} {qopt.request = #qopt.request<params = float>} : {{.*}} loc(#[[NODE:.*]])
// LOC: #[[NODE]] = loc(fused<#qopt.node<7>>
func.func @no_addend(%a: tensor<2x4xf32>, %b: tensor<4x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.gemm %a, %b {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = false, qopt.request = #qopt.request<params = float>} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32> loc(fused<#qopt.node<7>>["/fc/Gemm"])
  return %0 : tensor<2x3xf32>
}
