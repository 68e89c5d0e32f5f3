// RUN: rm -rf %t && mkdir %t
// RUN: qopt-compile %s --start-from=transform --emit=qdq-onnx -o %t/m.onnx --quiet
// RUN: qopt-compile %t/m.onnx --stop-after=import -o %t/m.mlir --quiet
// RUN: FileCheck %s < %t/m.mlir

// ONNX has no dynamic quantization with a scale for each row: its formula is
// written out, and the dequantizer has one block a row.

// CHECK: %[[ABS:.*]] = qopt.abs %arg0
// CHECK: %[[MAX:.*]] = qopt.reduce %[[ABS]] {axes = array<i64: 2>, keepdims = true, kind = #qopt.kind<max>}
// CHECK: %[[EMPTY:.*]] = qopt.equal %[[MAX]], %[[ZERO:.*]] :
// CHECK: %[[LEAST:.*]] = qopt.constant(dense<7.88860905E-31> : tensor<f32>)
// CHECK: %[[AMAX:.*]] = qopt.max %[[MAX]], %[[LEAST]]
// CHECK: qopt.div %[[AMAX]], %[[GRID:[^ ]*]]
// CHECK: %[[S:.*]] = qopt.where %[[EMPTY]]
// CHECK: qopt.div %[[GRID]], %[[AMAX]]
// CHECK: %[[R:.*]] = qopt.where %[[EMPTY]]
// CHECK: qopt.mul %arg0, %[[R]]
// CHECK: qopt.round
// CHECK: qopt.clip {{.*}} {high = 1.270000e+02 : f32, low = -1.270000e+02 : f32}
// CHECK: %[[Q:.*]] = qopt.cast {{.*}} -> tensor<?x?x32xi8>
// CHECK: qopt.dequantize %[[Q]] scales(%[[S]]) {format = #qopt.format<i8>}
func.func @main(%x: tensor<?x?x32xf32>) -> tensor<?x?x32xf32> {
  %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<?x?x32xf32>) -> (tensor<?x?x32xi8>, tensor<?x?x1xf32>)
  %y = qopt.dequantize %q scales(%s) {format = #qopt.format<i8>} : (tensor<?x?x32xi8>, tensor<?x?x1xf32>) -> tensor<?x?x32xf32>
  return %y : tensor<?x?x32xf32>
}
