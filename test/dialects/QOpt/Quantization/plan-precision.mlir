// RUN: qopt-opt %s --qopt-plan-precision="activations=static" --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-plan-precision="weight-format=ui4 group=32 weight-scale=f16 weight-zero=ui4" --split-input-file | FileCheck %s --check-prefix=W4
// RUN: qopt-opt %s --qopt-plan-precision="activations=dynamic activation-format=mxfp4 weight-format=mxfp4" --split-input-file | FileCheck %s --check-prefix=MX
// RUN: qopt-opt %s --qopt-plan-precision="activations=static overrides={{nodes=\"/first.*\",plan=#qopt.request<params=\"float\">},{nodes=\"Secon\",plan=#qopt.request<params=\"float\">},{nodes=\"Second\",plan=#qopt.request<params=\"dynamic\",act=<i8>,weight=<i4,block=2,scale=f16>>}}" --split-input-file | FileCheck %s --check-prefix=OVER
// RUN: qopt-opt %s --qopt-plan-precision="weight-format= overrides={{ops=\"Relu|Gemm\",plan=#qopt.request<params=\"weight-only\",weight=<i8>>}}" --split-input-file | FileCheck %s --check-prefix=OPS

// A product with a weight gets formats: one scale an output channel, blocks and
// groups along the products.
// CHECK-LABEL: func @example
// CHECK: qopt.matmul {{.*}}qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>
// W4-LABEL: func @example
// W4: qopt.matmul {{.*}}qopt.request = #qopt.request<params = "weight-only", weight = <ui4, axis = 0, block = 32, scale = f16, zero = ui4>>
// MX-LABEL: func @example
// MX: qopt.matmul {{.*}}qopt.request = #qopt.request<params = dynamic, act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>
func.func @example(%x: tensor<?x64xf32>) -> tensor<?x8xf32> {
  %w = qopt.constant(dense<1.0> : tensor<64x8xf32>) : tensor<64x8xf32>
  %y = qopt.matmul %x, %w : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Weights of convolutions have their channels first; those of a depthwise one
// have nothing to group.
// CHECK-LABEL: func @convolutions
// CHECK: qopt.conv {{.*}} weight = <i8, axis = 0>>
// CHECK: qopt.conv {{.*}} weight = <i8, axis = 0>>
// W4-LABEL: func @convolutions
// W4: qopt.conv {{.*}} weight = <ui4, axis = 1, block = 32, scale = f16, zero = ui4>>
// W4: qopt.conv {{.*}}#qopt.request<params = float, why = "depthwise: no products to group">
// MX-LABEL: func @convolutions
// MX: qopt.conv {{.*}} act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 1>>
// MX: qopt.conv {{.*}} act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>
func.func @convolutions(%x: tensor<?x4x5x5xf32>) -> tensor<?x4x5x5xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x4x1x1xf32>) : tensor<4x4x1x1xf32>
  %d = qopt.constant(dense<1.0> : tensor<4x1x1x1xf32>) : tensor<4x1x1x1xf32>
  %0 = qopt.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x5x5xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x5x5xf32>
  %1 = qopt.conv %0, %d {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 4 : i64} : (tensor<?x4x5x5xf32>, tensor<4x1x1x1xf32>) -> tensor<?x4x5x5xf32>
  return %1 : tensor<?x4x5x5xf32>
}

// -----

// Rows that are known are a constant: no table is left to quantize.
// CHECK-LABEL: func @known_rows
// CHECK-NOT: qopt.request
// CHECK: return
func.func @known_rows() -> tensor<3x64xf32> {
  %table = qopt.constant(dense<1.0> : tensor<64x64xf32>) : tensor<64x64xf32>
  %i = qopt.constant(dense<[4, 5, 6]> : tensor<3xi64>) : tensor<3xi64>
  %0 = qopt.gather %table, %i {axis = 0 : i64} : (tensor<64x64xf32>, tensor<3xi64>) -> tensor<3x64xf32>
  return %0 : tensor<3x64xf32>
}

// -----

// Products of two activations, attention and small tables stay float; a large
// table has a scale a row.
// CHECK-LABEL: func @reasons
// CHECK: qopt.matmul {{.*}} why = "product of two activations: float by preset"
// CHECK: qopt.attention {{.*}} why = "attention: float by preset"
// CHECK: qopt.gather {{.*}} why = "small table"
// CHECK: qopt.gather {{.*}}#qopt.request<params = "weight-only", weight = <i8, axis = 0>>
func.func @reasons(%x: tensor<?x4x4xf32>, %i: tensor<?xi64>) -> (tensor<?x4x4xf32>, tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x64xf32>) {
  %small = qopt.constant(dense<1.0> : tensor<8x4xf32>) : tensor<8x4xf32>
  %large = qopt.constant(dense<1.0> : tensor<64x64xf32>) : tensor<64x64xf32>
  %0 = qopt.matmul %x, %x : (tensor<?x4x4xf32>, tensor<?x4x4xf32>) -> tensor<?x4x4xf32>
  %1 = qopt.attention %x, %x, %x {scale = 0.5 : f32} : (tensor<?x4x4xf32>, tensor<?x4x4xf32>, tensor<?x4x4xf32>) -> tensor<?x4x4xf32>
  %2 = qopt.gather %small, %i {axis = 0 : i64} : (tensor<8x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  %3 = qopt.gather %large, %i {axis = 0 : i64} : (tensor<64x64xf32>, tensor<?xi64>) -> tensor<?x64xf32>
  return %0, %1, %2, %3 : tensor<?x4x4xf32>, tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x64xf32>
}

// -----

// Overrides go by the node's whole name and bring formats of their own. What was
// planned before stays.
// OVER-LABEL: func @overrides
// OVER: qopt.matmul {{.*}}#qopt.request<params = float, why = "override">
// OVER: qopt.matmul {{.*}}#qopt.request<params = dynamic, act = <i8>, weight = <i4, axis = 0, block = 2, scale = f16>>
// OVER: qopt.matmul {{.*}}#qopt.request<params = float, why = "mine">
func.func @overrides(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<4x4xf32>) : tensor<4x4xf32>
  %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc(fused<#qopt.node<0>>["/first/MatMul"])
  %1 = qopt.matmul %0, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc(fused<#qopt.node<1>>["Second"])
  %2 = qopt.matmul %1, %w {qopt.request = #qopt.request<params = float, why = "mine">} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// Without a format of weights only overrides plan, and they may ask for the
// operator of the node that computes the products.
// OPS-LABEL: func @operators
// OPS: qopt.matmul %{{.*}}, %{{[a-z0-9]+}} :
// OPS: qopt.matmul {{.*}}#qopt.request<params = "weight-only", weight = <i8, axis = 1>>
module attributes {qopt.nodes = [#qopt.node_info<0, "a", "MatMul">, #qopt.node_info<1, "b", "Relu">, #qopt.node_info<2, "c", "Gemm">]} {
  func.func @operators(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %w = qopt.constant(dense<1.0> : tensor<4x4xf32>) : tensor<4x4xf32>
    %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc(fused<#qopt.node<0>>["a"])
    %1 = qopt.matmul %0, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc(fused[fused<#qopt.node<1>>["b"], fused<#qopt.node<2>>["c"]])
    return %1 : tensor<?x4xf32>
  }
}

// -----

// What the model came with in codes stands: no request where both operands are
// dequantized, tables too. A float beside codes is planned as the preset says.
// CHECK-LABEL: func @own_codes
// CHECK: qopt.matmul %[[#]], %[[#]] :
// CHECK: qopt.matmul {{.*}}#qopt.request<params = static, act = <ui8>, weight = <i8, axis = 1>, why = "activation from the file">
// CHECK: qopt.matmul {{.*}}#qopt.request<params = static, act = <i8>, weight = <i8>, why = "weight from the file">
// CHECK: qopt.gather %[[#]], %arg1 {axis = 0 : i64} :
// W4-LABEL: func @own_codes
// W4: qopt.matmul %[[#]], %[[#]] :
// W4: qopt.matmul {{.*}}#qopt.request<params = "weight-only", weight = <ui4
// W4: qopt.matmul %[[#]], %[[#]] :
// MX-LABEL: func @own_codes
// MX: qopt.matmul %[[#]], %[[#]] :
// MX: qopt.matmul {{.*}} act = <mxfp4, axis = 1>, weight = <mxfp4, axis = 0>>
// MX: qopt.matmul %[[#]], %[[#]] :
// OVER-LABEL: func @own_codes
// OVER: qopt.matmul {{.*}}#qopt.request<params = float, why = "override">
func.func @own_codes(%x: tensor<?x64xui8>, %i: tensor<?xi64>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<64x64xf32>) : tensor<64x64xf32>
  %c = qopt.constant(dense<3> : tensor<64x64xi8>) : tensor<64x64xi8>
  %s = qopt.constant(dense<2.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %a = qopt.dequantize %x scales(%s) {format = #qopt.format<ui8>} : (tensor<?x64xui8>, tensor<1x1xf32>) -> tensor<?x64xf32>
  %b = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<64x64xi8>, tensor<1x1xf32>) -> tensor<64x64xf32>
  %0 = qopt.matmul %a, %b : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32> loc(fused<#qopt.node<0>>["/first/MatMul"])
  %1 = qopt.matmul %a, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %2 = qopt.add %0, %1 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %3 = qopt.matmul %2, %b : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %4 = qopt.gather %b, %i {axis = 0 : i64} : (tensor<64x64xf32>, tensor<?xi64>) -> tensor<?x64xf32>
  return %3, %4 : tensor<?x64xf32>, tensor<?x64xf32>
}
