// RUN: qopt-opt %s --qopt-recognize-patterns --verify-each --split-input-file | FileCheck %s

// As torch and Paddle export it.
// CHECK-LABEL: func @layer_norm
// CHECK-SAME: %[[X:.*]]: tensor<?x5x8xf32>
// CHECK: %[[G:.*]] = qopt.constant(dense<2.0
// CHECK: %[[B:.*]] = qopt.constant(dense<1.0
// CHECK-NEXT: %[[N:.*]] = qopt.layer_norm %[[X]], %[[G]], %[[B]] {axis = 2 : i64, epsilon = 9.99999974E-6 : f32}
// CHECK-NEXT: return %[[N]]
func.func @layer_norm(%x: tensor<?x5x8xf32>) -> tensor<?x5x8xf32> {
  %g = qopt.constant(dense<2.0> : tensor<8xf32>) : tensor<8xf32>
  %b = qopt.constant(dense<1.0> : tensor<8xf32>) : tensor<8xf32>
  %two = qopt.constant(dense<2.0> : tensor<f32>) : tensor<f32>
  %e = qopt.constant(dense<1.0e-5> : tensor<f32>) : tensor<f32>
  %0 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 2>, keepdims = true} : (tensor<?x5x8xf32>) -> tensor<?x5x1xf32>
  %1 = qopt.sub %x, %0 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %2 = qopt.pow %1, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %3 = qopt.reduce %2 {kind = #qopt.kind<mean>, axes = array<i64: 2>, keepdims = true} : (tensor<?x5x8xf32>) -> tensor<?x5x1xf32>
  %4 = qopt.add %3, %e : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %5 = qopt.sqrt %4 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %6 = qopt.div %1, %5 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %7 = qopt.mul %6, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  %8 = qopt.add %7, %b : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %8 : tensor<?x5x8xf32>
}

// -----

// The difference written twice, its square as a product, two axes, no bias.
// CHECK-LABEL: func @twice
// CHECK: qopt.layer_norm %arg0, %{{.*}} {axis = 1 : i64,
// CHECK-NEXT: return
func.func @twice(%x: tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {
  %g = qopt.constant(dense<2.0> : tensor<5x8xf32>) : tensor<5x8xf32>
  %e = qopt.constant(dense<1.0e-5> : tensor<f32>) : tensor<f32>
  %0 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 1, 2>, keepdims = true} : (tensor<2x5x8xf32>) -> tensor<2x1x1xf32>
  %1 = qopt.sub %x, %0 : (tensor<2x5x8xf32>, tensor<2x1x1xf32>) -> tensor<2x5x8xf32>
  %d = qopt.sub %x, %0 : (tensor<2x5x8xf32>, tensor<2x1x1xf32>) -> tensor<2x5x8xf32>
  %2 = qopt.mul %d, %d : (tensor<2x5x8xf32>, tensor<2x5x8xf32>) -> tensor<2x5x8xf32>
  %3 = qopt.reduce %2 {kind = #qopt.kind<mean>, axes = array<i64: 1, 2>, keepdims = true} : (tensor<2x5x8xf32>) -> tensor<2x1x1xf32>
  %4 = qopt.add %e, %3 : (tensor<f32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %5 = qopt.sqrt %4 : (tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %6 = qopt.div %1, %5 : (tensor<2x5x8xf32>, tensor<2x1x1xf32>) -> tensor<2x5x8xf32>
  %7 = qopt.mul %g, %6 : (tensor<5x8xf32>, tensor<2x5x8xf32>) -> tensor<2x5x8xf32>
  return %7 : tensor<2x5x8xf32>
}

// -----

// The normalised value has another user.
// CHECK-LABEL: func @other_user
// CHECK-NOT: qopt.layer_norm
func.func @other_user(%x: tensor<5x8xf32>) -> (tensor<5x8xf32>, tensor<5x8xf32>) {
  %g = qopt.constant(dense<2.0> : tensor<8xf32>) : tensor<8xf32>
  %two = qopt.constant(dense<2.0> : tensor<f32>) : tensor<f32>
  %e = qopt.constant(dense<1.0e-5> : tensor<f32>) : tensor<f32>
  %0 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %1 = qopt.sub %x, %0 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %2 = qopt.pow %1, %two : (tensor<5x8xf32>, tensor<f32>) -> tensor<5x8xf32>
  %3 = qopt.reduce %2 {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %4 = qopt.add %3, %e : (tensor<5x1xf32>, tensor<f32>) -> tensor<5x1xf32>
  %5 = qopt.sqrt %4 : (tensor<5x1xf32>) -> tensor<5x1xf32>
  %6 = qopt.div %1, %5 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %7 = qopt.mul %6, %g : (tensor<5x8xf32>, tensor<8xf32>) -> tensor<5x8xf32>
  return %7, %6 : tensor<5x8xf32>, tensor<5x8xf32>
}

// -----

// The scale is one number, not a row.
// CHECK-LABEL: func @scalar_scale
// CHECK-NOT: qopt.layer_norm
func.func @scalar_scale(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %g = qopt.constant(dense<2.0> : tensor<1xf32>) : tensor<1xf32>
  %two = qopt.constant(dense<2.0> : tensor<f32>) : tensor<f32>
  %e = qopt.constant(dense<1.0e-5> : tensor<f32>) : tensor<f32>
  %0 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %1 = qopt.sub %x, %0 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %2 = qopt.pow %1, %two : (tensor<5x8xf32>, tensor<f32>) -> tensor<5x8xf32>
  %3 = qopt.reduce %2 {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %4 = qopt.add %3, %e : (tensor<5x1xf32>, tensor<f32>) -> tensor<5x1xf32>
  %5 = qopt.sqrt %4 : (tensor<5x1xf32>) -> tensor<5x1xf32>
  %6 = qopt.div %1, %5 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %7 = qopt.mul %6, %g : (tensor<5x8xf32>, tensor<1xf32>) -> tensor<5x8xf32>
  return %7 : tensor<5x8xf32>
}

// -----

// The power is not a square.
// CHECK-LABEL: func @other_power
// CHECK-NOT: qopt.layer_norm
func.func @other_power(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %g = qopt.constant(dense<2.0> : tensor<8xf32>) : tensor<8xf32>
  %four = qopt.constant(dense<4.0> : tensor<f32>) : tensor<f32>
  %e = qopt.constant(dense<1.0e-5> : tensor<f32>) : tensor<f32>
  %0 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %1 = qopt.sub %x, %0 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %2 = qopt.pow %1, %four : (tensor<5x8xf32>, tensor<f32>) -> tensor<5x8xf32>
  %3 = qopt.reduce %2 {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<5x8xf32>) -> tensor<5x1xf32>
  %4 = qopt.add %3, %e : (tensor<5x1xf32>, tensor<f32>) -> tensor<5x1xf32>
  %5 = qopt.sqrt %4 : (tensor<5x1xf32>) -> tensor<5x1xf32>
  %6 = qopt.div %1, %5 : (tensor<5x8xf32>, tensor<5x1xf32>) -> tensor<5x8xf32>
  %7 = qopt.mul %6, %g : (tensor<5x8xf32>, tensor<8xf32>) -> tensor<5x8xf32>
  return %7 : tensor<5x8xf32>
}
