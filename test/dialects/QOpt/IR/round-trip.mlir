// RUN: qopt-opt %s --mlir-print-debuginfo | qopt-opt --mlir-print-debuginfo | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt --mlir-print-debuginfo | FileCheck %s

// The node table is an attribute of the module.
// CHECK: module attributes {qopt.nodes = [#qopt.node_info<9, "/mlp/Erf", "Erf">]}
module attributes {qopt.nodes = [#qopt.node_info<9, "/mlp/Erf", "Erf">]} {

// Every option of a format; names that are no identifiers are quoted.
// CHECK: @formats
// CHECK-SAME: a = #qopt.format<i8>
// CHECK-SAME: b = #qopt.format<i8, axis = 0>
// CHECK-SAME: c = #qopt.format<"mxfp6-e2m3", axis = 2>
// CHECK-SAME: d = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>
func.func private @formats() attributes {a = #qopt.format<i8>, b = #qopt.format<i8, axis = 0>, c = #qopt.format<"mxfp6-e2m3", axis = 2>, d = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>}

// Weights of up to 256 bytes stand in the text.
// CHECK: @weights
// CHECK: qopt.constant(#qopt.weight<"hex:21430f">) : tensor<5xi4>
// CHECK: qopt.constant(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi64>
func.func @weights() {
  %0 = qopt.constant(#qopt.weight<"hex:21430F">) : tensor<5xi4>
  %1 = qopt.constant(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi64>
  return
}

// A plan has its formats and its reason only where there are some.
// CHECK: @requests
// CHECK: qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>
// CHECK: qopt.request = #qopt.request<params = float, why = "preset">
func.func @requests(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 0>>} : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = float, why = "preset">} : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// A location carries the node.
// CHECK: @locations
// CHECK: qopt.erf {{.*}} loc(#[[NODE:.*]])
func.func @locations(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qopt.erf %x : (tensor<4xf32>) -> tensor<4xf32> loc(fused<#qopt.node<9>>["/mlp/Erf"])
  return %0 : tensor<4xf32>
}

// Codes stand beside their scales, zeros and formats.
// CHECK: @codes
// CHECK: qopt.quantize %{{.*}} scales(%{{.*}}) zeros(%{{.*}}) {divide, format = #qopt.format<i8>}
// CHECK: qopt.dequantize %{{.*}} scales(%{{.*}}) zeros(%{{.*}})
// CHECK: qopt.quantize_dynamic %{{.*}} {format = #qopt.format<mxfp4, axis = 1>, rule = #qopt.rule<even>}
// CHECK: qopt.matmul %{{.*}} scales(%{{.*}}), %{{.*}} scales(%{{.*}}) zeros(%{{.*}}) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>}
func.func @codes(%x: tensor<2x64xf32>, %s: tensor<1x1xf32>, %z: tensor<1x1xi8>, %w: tensor<64x8xui4>, %ws: tensor<2x8xf16>, %wz: tensor<2x8xui4>) -> tensor<2x8xf32> {
  %q = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<i8>, divide} : (tensor<2x64xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<2x64xi8>
  %d = qopt.dequantize %q scales(%s) zeros(%z) : (tensor<2x64xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<2x64xf32>
  %c, %cs = qopt.quantize_dynamic %d {format = #qopt.format<mxfp4, axis = 1>, rule = #qopt.rule<even>} : (tensor<2x64xf32>) -> (tensor<2x64xf4E2M1FN>, tensor<2x2xf8E8M0FNU>)
  %m = qopt.matmul %c scales(%cs), %w scales(%ws) zeros(%wz) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<2x64xf4E2M1FN>, tensor<2x2xf8E8M0FNU>, tensor<64x8xui4>, tensor<2x8xf16>, tensor<2x8xui4>) -> tensor<2x8xf32>
  return %m : tensor<2x8xf32>
}
}
// CHECK: #[[NAME:.*]] = loc("/mlp/Erf")
// CHECK: #[[NODE]] = loc(fused<#qopt.node<9>>[#[[NAME]]])
