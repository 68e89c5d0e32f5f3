// RUN: rm -rf %t && mkdir %t
// RUN: qopt-compile %s --start-from=transform --emit=qdq-onnx -o %t/m.onnx --quiet
// RUN: qopt-compile %t/m.onnx --stop-after=import -o %t/m.mlir --quiet
// RUN: FileCheck %s --check-prefix=AGAIN < %t/m.mlir
// RUN: ls %t | FileCheck %s --check-prefix=FILES

// A program that has quantizers is written as it is, and imported as it was but
// for what QuantizeLinear does otherwise: it divides. Codes of activations are
// unsigned in the file, so they and their zero are larger by 128.

// FILES: m.mlir
// FILES-NEXT: m.onnx
// FILES-NOT: {{.}}

// AGAIN: #qopt.node_info<{{[0-9]+}}, "/fc", "MatMul"
// AGAIN: func.func @main(%arg0: tensor<?x64xf32> {qopt.dims = ["batch", ""], qopt.name = "x"}
// AGAIN-SAME: -> (tensor<?x2xf32> {qopt.dims = ["batch", ""], qopt.name = "logits"})
// AGAIN-DAG: %[[Z:.*]] = qopt.constant(dense<125> : tensor<1x1xui8>)
// AGAIN-DAG: %[[S:.*]] = qopt.constant(dense<5.000000e-01> : tensor<1x1xf32>)
// AGAIN: %[[Q:.*]] = qopt.quantize %arg0 scales(%[[S]]) zeros(%[[Z]]) {divide, format = #qopt.format<ui8>
// AGAIN: %[[X:.*]] = qopt.dequantize %[[Q]] scales(%{{.*}}) zeros(%{{.*}}) {format = #qopt.format<ui8>}
// AGAIN: %[[WS:.*]] = qopt.cast %{{.*}} : (tensor<2x2xf16>) -> tensor<2x2xf32>
// AGAIN: %[[W:.*]] = qopt.dequantize %{{.*}} scales(%[[WS]]) zeros(%{{.*}}) {format = #qopt.format<ui4, axis = 0, block = 32, zero = ui4>}
// AGAIN: qopt.matmul %[[X]], %[[W]]
module attributes {qopt.nodes = [#qopt.node_info<0, "/fc", "MatMul">]} {
  func.func @main(%x: tensor<?x64xf32> {qopt.dims = ["batch", ""], qopt.name = "x"})
      -> (tensor<?x2xf32> {qopt.dims = ["batch", ""], qopt.name = "logits"}) {
    %s = qopt.constant(dense<0.5> : tensor<1x1xf32>) : tensor<1x1xf32>
    %z = qopt.constant(dense<-3> : tensor<1x1xi8>) : tensor<1x1xi8>
    %q = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x64xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x64xi8>
    %r = qopt.dequantize %q scales(%s) zeros(%z) {format = #qopt.format<i8>} : (tensor<?x64xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x64xf32>
    %c = qopt.constant(#qopt.weight<"hex:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef">) : tensor<64x2xui4>
    %cs = qopt.constant(dense<1.0> : tensor<2x2xf16>) : tensor<2x2xf16>
    %cz = qopt.constant(#qopt.weight<"hex:8778">) : tensor<2x2xui4>
    %w = qopt.dequantize %c scales(%cs) zeros(%cz) {format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>} : (tensor<64x2xui4>, tensor<2x2xf16>, tensor<2x2xui4>) -> tensor<64x2xf32>
    %y = qopt.matmul %r, %w : (tensor<?x64xf32>, tensor<64x2xf32>) -> tensor<?x2xf32> loc(fused<#qopt.node<0>>["/fc"])
    return %y : tensor<?x2xf32>
  }
}
