// RUN: qopt-opt %s > %t.before
// RUN: qopt-opt %s --convert-qopt-to-qkernel --qkernel-decompose > %t.after
// RUN: diff %t.before %t.after
// RUN: qopt-opt %s --convert-qopt-to-qkernel | FileCheck %s

// Fusing and taking apart again gives the program back, op for op.
// CHECK: qkernel.rows
// CHECK: qkernel.contract
// CHECK: qkernel.contract
// CHECK: qkernel.map
func.func @main(%x: tensor<?x8xf32> {qopt.dims = ["n", ""]}, %y: tensor<?x8xf32> {qopt.dims = ["n", ""]}, %g: tensor<8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) -> (tensor<?x8xf32>, tensor<8x?xf32>) {
  %0 = qopt.layer_norm %x, %g, %b {axis = 1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = qopt.matmul %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.add %1, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %3 = qopt.gelu %2 {form = #qopt.form<tanh>} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = qopt.matmul %3, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %5 = qopt.add %4, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %6 = qopt.add %5, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %7 = qopt.transpose %6 {perm = array<i64: 1, 0>} : (tensor<?x8xf32>) -> tensor<8x?xf32>
  %8 = qopt.neg %7 : (tensor<8x?xf32>) -> tensor<8x?xf32>
  %9 = qopt.abs %8 : (tensor<8x?xf32>) -> tensor<8x?xf32>
  return %6, %9 : tensor<?x8xf32>, tensor<8x?xf32>
}

// With quantizers behind and in front of roots.
// CHECK: qkernel.rows
// CHECK-NEXT: qopt.layer_norm
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.matmul
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.quantize_dynamic
func.func @quantizers(%x: tensor<?x8xf32>, %g: tensor<8xf32>, %w: tensor<8x8xi8>, %s: tensor<1x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xi8>) {
  %0 = qopt.layer_norm %x, %g {axis = 1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1, %2 = qopt.quantize_dynamic %0 {format = #qopt.format<i8>} : (tensor<?x8xf32>) -> (tensor<?x8xi8>, tensor<?x1xf32>)
  %3 = qopt.matmul %1, %w : (tensor<?x8xi8>, tensor<8x8xi8>) -> tensor<?x8xi32>
  %4 = qopt.mul %2, %s : (tensor<?x1xf32>, tensor<1x8xf32>) -> tensor<?x8xf32>
  %5 = qopt.dequantize %3 scales(%4) : (tensor<?x8xi32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = qopt.add %5, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %7, %8 = qopt.quantize_dynamic %6 {format = #qopt.format<i8>} : (tensor<?x8xf32>) -> (tensor<?x8xi8>, tensor<?x1xf32>)
  %9 = qopt.matmul %7, %w : (tensor<?x8xi8>, tensor<8x8xi8>) -> tensor<?x8xi32>
  %10 = qopt.mul %8, %s : (tensor<?x1xf32>, tensor<1x8xf32>) -> tensor<?x8xf32>
  %11 = qopt.dequantize %9 scales(%10) : (tensor<?x8xi32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %11, %1 : tensor<?x8xf32>, tensor<?x8xi8>
}
