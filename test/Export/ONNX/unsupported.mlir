// RUN: rm -f %t.onnx
// RUN: not qopt-compile %s --start-from=transform --emit=qdq-onnx -o %t.onnx 2>&1 | FileCheck %s
// RUN: not ls %t.onnx

// What has no ONNX form is refused with its node and name, and no file is left.

// CHECK: unsupported.mlir: "/act": has no ONNX form
// CHECK-NEXT: note: ops on codes come late: export the model, not a file of a phase after 'transform'
func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  %t = qopt.constant(dense<1> : tensor<256xi8>) : tensor<256xi8>
  %y = qopt.lookup %x, %t : (tensor<4xi8>, tensor<256xi8>) -> tensor<4xi8> loc(fused<#qopt.node<0>>["/act"])
  return %y : tensor<4xi8>
}
