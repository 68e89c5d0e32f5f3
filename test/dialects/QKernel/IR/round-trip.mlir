// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// A variant holds the program for one tier; a packed operand keeps its logical
// type inside the kernel.
// CHECK: qkernel.variant @v4 <"x86-64", "x86-64-v4">
// CHECK: %[[P:.*]] = qkernel.pack %{{.*}}, %{{.*}} {layout = #qkernel.layout<kind = "codes", n = 16, k = 32>}
// CHECK: qkernel.contract(%{{.*}}, %[[P]]) {kernel = "x86-64.contract.f32", reason = "by request"} : (tensor<?x4xf32>, tensor<64xi8>) -> tensor<?x16xf32> (%[[A:.*]]: tensor<?x4xf32>, %[[B:.*]]: tensor<4x16xf32>) {
// CHECK: qopt.matmul %[[A]], %[[B]]
// CHECK: qkernel.yield %{{.*}} : tensor<?x16xf32>
qkernel.variant @v4 <"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x16xf32>, %s: tensor<1x16xf32>) -> tensor<?x16xf32> {
    %p = qkernel.pack %w, %s {layout = #qkernel.layout<kind = "codes", n = 16, k = 32>} : (tensor<4x16xf32>, tensor<1x16xf32>) -> tensor<64xi8>
    %0 = qkernel.contract(%x, %p) {kernel = "x86-64.contract.f32", reason = "by request"} : (tensor<?x4xf32>, tensor<64xi8>) -> tensor<?x16xf32> (%a: tensor<?x4xf32>, %b: tensor<4x16xf32>) {
      %1 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x16xf32>) -> tensor<?x16xf32>
      qkernel.yield %1 : tensor<?x16xf32>
    }
    return %0 : tensor<?x16xf32>
  }
}

// Several results.
// CHECK: %{{.*}}:2 = qkernel.rows(%{{.*}}) : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
func.func @rows(%x: tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) {
  %0:2 = qkernel.rows(%x) : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) (%a: tensor<?x4xf32>) {
    %q, %s = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
    qkernel.yield %q, %s : tensor<?x4xi8>, tensor<?x1xf32>
  }
  return %0#0, %0#1 : tensor<?x4xi8>, tensor<?x1xf32>
}
