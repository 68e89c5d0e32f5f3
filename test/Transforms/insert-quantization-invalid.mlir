// RUN: qopt-opt %s --qopt-insert-quantization --verify-diagnostics --split-input-file
// RUN: not qopt-opt %s --qopt-insert-quantization="pow2-rounding=up" --split-input-file 2>&1 | FileCheck %s --check-prefix=ROUND
// RUN: not qopt-opt %s --qopt-insert-quantization="scale-rule=down" --split-input-file 2>&1 | FileCheck %s --check-prefix=RULE
// RUN: not qopt-opt %s --qopt-insert-quantization="pow2-scales=m3" --split-input-file 2>&1 | FileCheck %s --check-prefix=SCALES
// RUN: not qopt-opt %s --qopt-insert-quantization="activation-rounding=best" --split-input-file 2>&1 | FileCheck %s --check-prefix=ACT

// ROUND: error: pow2-rounding 'up' expects nearest, ceil, floor or best
// RULE: error: scale-rule 'down' expects floor, ceil or even
// SCALES: error: pow2-scales 'm3' expects m1 or m2
// ACT: error: activation-rounding 'best' expects nearest or ceil

func.func @no_statistics(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  // expected-error @+1 {{expects statistics of its activation}}
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

func.func @static_floats(%x: tensor<?x2xf32> {qopt.stats = {min = 0.0 : f32, max = 1.0 : f32}}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  // expected-error @+1 {{expects integer codes for static activations, but found #qopt.format<mxfp4, axis = 1>}}
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <mxfp4, axis = 1>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

func.func @computed_table(%x: tensor<4x2xf32>, %i: tensor<?xi64>) -> tensor<?x2xf32> {
  // expected-error @+1 {{expects a weight that can be evaluated}}
  %y = qopt.gather %x, %i {axis = 0 : i64, qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 0>>} : (tensor<4x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

func.func @no_weight(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // expected-error @+1 {{is requested in codes but has no weight}}
  %y = qopt.matmul %x, %x {qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @not_finite(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = qopt.constant(dense<0x7FC00000> : tensor<1x1xf32>) : tensor<1x1xf32>
  // expected-error @+1 {{a weight is not finite}}
  %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
