// RUN: rm -f %t.onnx
// RUN: not qopt-compile %s --start-from=transform --emit=qdq-onnx -o %t.onnx 2>&1 | FileCheck %s
// RUN: not ls %t.onnx

// Blocks along a dim that is known at run time only have no ONNX form.

// CHECK: 'qopt.quantize_dynamic' op makes blocks of mxfp4 along a dim of unknown size, which has no ONNX form
// CHECK-NEXT: note: fix the dim in the model, or take the preset with '-a16'
func.func @main(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<"mxfp4", axis = 1>} : (tensor<4x?xf32>) -> (tensor<4x?xf4E2M1FN>, tensor<4x?xf8E8M0FNU>)
  %y = qopt.dequantize %q scales(%s) {format = #qopt.format<"mxfp4", axis = 1>} : (tensor<4x?xf4E2M1FN>, tensor<4x?xf8E8M0FNU>) -> tensor<4x?xf32>
  return %y : tensor<4x?xf32>
}
