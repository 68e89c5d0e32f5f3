// RUN: qopt-opt %s --qopt-recognize-patterns --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-recognize-patterns --mlir-print-debuginfo --split-input-file | FileCheck %s --check-prefix=LOC

// The nodes of all parts stay with the whole.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>
// CHECK-NEXT: %[[R:.*]] = qopt.silu %[[X]] : (tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK-NEXT: return %[[R]]
// LOC-LABEL: func @example
// LOC: qopt.silu {{.*}} loc(#[[BOTH:.*]])
// LOC-DAG: #[[MUL:.*]] = loc(fused<#qopt.node<2>>
// LOC-DAG: #[[SIGMOID:.*]] = loc(fused<#qopt.node<1>>
// LOC-DAG: #[[BOTH]] = loc(fused[#[[MUL]], #[[SIGMOID]]])
func.func @example(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = qopt.sigmoid %x : (tensor<?x8xf32>) -> tensor<?x8xf32> loc(fused<#qopt.node<1>>["sigmoid"])
  %1 = qopt.mul %x, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> loc(fused<#qopt.node<2>>["mul"])
  return %1 : tensor<?x8xf32>
}

// -----

// The sigmoid has another user.
// CHECK-LABEL: func @silu_other_user
// CHECK-NOT: qopt.silu
func.func @silu_other_user(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = qopt.sigmoid %x : (tensor<8xf32>) -> tensor<8xf32>
  %1 = qopt.mul %x, %0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// -----

// The sigmoid is of another value.
// CHECK-LABEL: func @silu_other_argument
// CHECK-NOT: qopt.silu
func.func @silu_other_argument(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %0 = qopt.sigmoid %y : (tensor<8xf32>) -> tensor<8xf32>
  %1 = qopt.mul %x, %0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// As torch exports it: (x * (erf(x / sqrt(2)) + 1)) * 0.5.
// CHECK-LABEL: func @gelu_torch
// CHECK-NEXT: qopt.gelu %arg0 : (tensor<?x8xf32>)
// CHECK-NEXT: return
func.func @gelu_torch(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %root = qopt.constant(dense<1.4142135> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.div %x, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = qopt.erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = qopt.mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = qopt.mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// -----

// (0.5 * x) * (1 + erf(x * sqrt(0.5))).
// CHECK-LABEL: func @gelu_half_first
// CHECK-NEXT: qopt.gelu %arg0 : (tensor<8xf32>)
// CHECK-NEXT: return
func.func @gelu_half_first(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = qopt.constant(dense<0.70710677> : tensor<1xf32>) : tensor<1xf32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.mul %x, %root : (tensor<8xf32>, tensor<1xf32>) -> tensor<8xf32>
  %1 = qopt.erf %0 : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.add %one, %1 : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = qopt.mul %half, %x : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = qopt.mul %2, %3 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

// x * (0.5 * (1 + erf)).
// CHECK-LABEL: func @gelu_half_inside
// CHECK-NEXT: qopt.gelu %arg0 : (tensor<8xf32>)
// CHECK-NEXT: return
func.func @gelu_half_inside(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = qopt.constant(dense<1.4142135> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.div %x, %root : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.erf %0 : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.add %1, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = qopt.mul %2, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = qopt.mul %x, %3 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

// The tanh form, with the cube as a power or as products.
// CHECK-LABEL: func @gelu_tanh
// CHECK-NEXT: %[[A:.*]] = qopt.gelu %arg0 {form = #qopt.form<tanh>}
// CHECK-NEXT: %[[B:.*]] = qopt.gelu %[[A]] {form = #qopt.form<tanh>}
// CHECK-NEXT: return %[[B]]
func.func @gelu_tanh(%x: tensor<8xf32>) -> tensor<8xf32> {
  %three = qopt.constant(dense<3.0> : tensor<f32>) : tensor<f32>
  %c = qopt.constant(dense<0.044715> : tensor<f32>) : tensor<f32>
  %k = qopt.constant(dense<0.797884583> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.pow %x, %three : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.mul %0, %c : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %2 = qopt.add %x, %1 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = qopt.mul %2, %k : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = qopt.tanh %3 : (tensor<8xf32>) -> tensor<8xf32>
  %5 = qopt.add %4, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %6 = qopt.mul %x, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %y = qopt.mul %6, %5 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %10 = qopt.mul %y, %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %11 = qopt.mul %10, %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %12 = qopt.mul %c, %11 : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %13 = qopt.add %12, %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %14 = qopt.mul %k, %13 : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %15 = qopt.tanh %14 : (tensor<8xf32>) -> tensor<8xf32>
  %16 = qopt.add %one, %15 : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %17 = qopt.mul %y, %16 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %18 = qopt.mul %17, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  return %18 : tensor<8xf32>
}

// -----

// Another constant is another function.
// CHECK-LABEL: func @gelu_other_constant
// CHECK-NOT: qopt.gelu
func.func @gelu_other_constant(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = qopt.constant(dense<1.42> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.div %x, %root : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.erf %0 : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.add %1, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = qopt.mul %2, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = qopt.mul %x, %3 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

// The sum inside has another user.
// CHECK-LABEL: func @gelu_other_user
// CHECK-NOT: qopt.gelu
func.func @gelu_other_user(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %root = qopt.constant(dense<1.4142135> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.div %x, %root : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.erf %0 : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.add %1, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = qopt.mul %2, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = qopt.mul %x, %3 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %4, %2 : tensor<8xf32>, tensor<8xf32>
}

// -----

// A constant of a higher rank changes the shape.
// CHECK-LABEL: func @gelu_other_rank
// CHECK-NOT: qopt.gelu
func.func @gelu_other_rank(%x: tensor<8xf32>) -> tensor<1x8xf32> {
  %root = qopt.constant(dense<1.4142135> : tensor<f32>) : tensor<f32>
  %one = qopt.constant(dense<1.0> : tensor<f32>) : tensor<f32>
  %half = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
  %0 = qopt.div %x, %root : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.erf %0 : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.add %1, %one : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = qopt.mul %x, %2 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = qopt.mul %3, %half : (tensor<8xf32>, tensor<1x1xf32>) -> tensor<1x8xf32>
  return %4 : tensor<1x8xf32>
}

// -----

// As PP-OCR writes it: (x * clip(x + 3, 0, 6)) / 6.
// CHECK-LABEL: func @hard_swish_of_clip
// CHECK-NEXT: qopt.hard_swish %arg0 : (tensor<?x8xf32>)
// CHECK-NEXT: return
func.func @hard_swish_of_clip(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %three = qopt.constant(dense<3.0> : tensor<1xf32>) : tensor<1xf32>
  %six = qopt.constant(dense<6.0> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.add %x, %three : (tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  %1 = qopt.clip %0 {low = 0.0 : f32, high = 6.0 : f32} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.mul %x, %1 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = qopt.div %2, %six : (tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// x * (clip(x + 3, 0, 6) / 6), which passes through a hard sigmoid.
// CHECK-LABEL: func @hard_swish_inside
// CHECK-NEXT: qopt.hard_swish %arg0 : (tensor<8xf32>)
// CHECK-NEXT: return
func.func @hard_swish_inside(%x: tensor<8xf32>) -> tensor<8xf32> {
  %three = qopt.constant(dense<3.0> : tensor<f32>) : tensor<f32>
  %sixth = qopt.constant(dense<0.166666672> : tensor<f32>) : tensor<f32>
  %0 = qopt.add %x, %three : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.clip %0 {low = 0.0 : f32, high = 6.0 : f32} : (tensor<8xf32>) -> tensor<8xf32>
  %2 = qopt.mul %1, %sixth : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = qopt.mul %2, %x : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %3 : tensor<8xf32>
}

// -----

// The gate is of another value, as in squeeze and excitation.
// CHECK-LABEL: func @gate
// CHECK-NEXT: qopt.hard_sigmoid
// CHECK-NEXT: qopt.mul
func.func @gate(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %0 = qopt.hard_sigmoid %y {alpha = 0.166666672 : f32, beta = 0.5 : f32} : (tensor<8xf32>) -> tensor<8xf32>
  %1 = qopt.mul %x, %0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// The slope of this hard sigmoid is not that of hard swish.
// CHECK-LABEL: func @other_slope
// CHECK-NOT: qopt.hard_swish
func.func @other_slope(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = qopt.hard_sigmoid %x {alpha = 0.2 : f32, beta = 0.5 : f32} : (tensor<8xf32>) -> tensor<8xf32>
  %1 = qopt.mul %x, %0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// clip(a * x + b, 0, 1).
// CHECK-LABEL: func @hard_sigmoid
// CHECK-NEXT: qopt.hard_sigmoid %arg0 {alpha = 2.000000e-01 : f32, beta = 5.000000e-01 : f32}
// CHECK-NEXT: return
func.func @hard_sigmoid(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = qopt.constant(dense<0.2> : tensor<f32>) : tensor<f32>
  %b = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.mul %x, %a : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.add %0, %b : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %2 = qopt.clip %1 {low = 0.0 : f32, high = 1.0 : f32} : (tensor<8xf32>) -> tensor<8xf32>
  return %2 : tensor<8xf32>
}

// -----

// Another range is no hard sigmoid.
// CHECK-LABEL: func @other_range
// CHECK-NOT: qopt.hard_sigmoid
func.func @other_range(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = qopt.constant(dense<0.2> : tensor<f32>) : tensor<f32>
  %b = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.mul %x, %a : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = qopt.add %0, %b : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %2 = qopt.clip %1 {low = 0.0 : f32, high = 2.0 : f32} : (tensor<8xf32>) -> tensor<8xf32>
  return %2 : tensor<8xf32>
}
