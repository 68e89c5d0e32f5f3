// RUN: qopt-opt %s --qopt-choose-dynamic --verify-each --split-input-file | FileCheck %s

// One range for all rows costs 20 dB where a row's peak is a tenth of it.
// CHECK-LABEL: func @example
// CHECK: #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>, why = "static costs 14.0 dB">
func.func @example(%x: tensor<?x2xf32> {qopt.stats = {min = -10.0 : f32, max = 10.0 : f32, row_peak_square = 3.96771 : f32, samples = 8 : i64}}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Rows as large as the range gain nothing.
// CHECK-LABEL: func @cheap
// CHECK: params = static
func.func @cheap(%x: tensor<?x2xf32> {qopt.stats = {min = -10.0 : f32, max = 10.0 : f32, row_peak_square = 90.0 : f32, samples = 8 : i64}}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Without statistics nothing can be static; a power of two is not made from data.
// CHECK-LABEL: func @unseen
// CHECK: #qopt.request<params = dynamic, act = <i8>, {{.*}} why = "ran on no calibration sample">
// CHECK: #qopt.request<params = float, why = "ran on no calibration sample">
func.func @unseen(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8, scale = f8E8M0FNU>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Codes that are made from data are signed: they have no zero.
// CHECK-LABEL: func @unsigned
// CHECK: #qopt.request<params = dynamic, act = <i8>, {{.*}} why = "ran on no calibration sample">
func.func @unsigned(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <ui8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
