// RUN: qopt-opt %s --verify-kernels --verify-diagnostics --split-input-file

// Reasons that no program prints, since what they keep a kernel from is taken
// apart.

qkernel.variant @behind_a_quantizer #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) {
    // expected-error @+1 {{'qkernel.rows' op has the kernel "x86-64.quantize-dynamic", which does not run it: ops stand behind the quantizer}}
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) (%a: tensor<4x8xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>)
      %3 = qopt.neg %2 : (tensor<4x1xf32>) -> tensor<4x1xf32>
      qkernel.yield %1, %3 : tensor<4x8xi8>, tensor<4x1xf32>
    }
    return %0#0, %0#1 : tensor<4x8xi8>, tensor<4x1xf32>
  }
}
