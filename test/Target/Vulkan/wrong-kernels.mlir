// RUN: qopt-opt %s --verify-kernels --verify-diagnostics --split-input-file

// Reasons that no program prints, since what they keep a kernel from is taken
// apart.

qkernel.variant @beside_a_quantizer #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) {
    // expected-error @+1 {{'qkernel.rows' op has the kernel "vulkan.quantize-dynamic", which does not run it: other ops stand beside the quantizer}}
    %0:2 = qkernel.rows(%x) {kernel = "vulkan.quantize-dynamic"} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) (%a: tensor<4x8xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>)
      %3 = qopt.neg %2 : (tensor<4x1xf32>) -> tensor<4x1xf32>
      qkernel.yield %1, %3 : tensor<4x8xi8>, tensor<4x1xf32>
    }
    return %0#0, %0#1 : tensor<4x8xi8>, tensor<4x1xf32>
  }
}

// -----

qkernel.variant @in_front_of_rows #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    // expected-error @+1 {{'qkernel.rows' op has the kernel "vulkan.rows", which does not run it: ops stand in front of the rows}}
    %0 = qkernel.rows(%x) {kernel = "vulkan.rows"} : (tensor<4x8xf32>) -> tensor<4x8xf32> (%a: tensor<4x8xf32>) {
      %1 = qopt.neg %a : (tensor<4x8xf32>) -> tensor<4x8xf32>
      %2 = qopt.softmax %1 {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
      qkernel.yield %2 : tensor<4x8xf32>
    }
    return %0 : tensor<4x8xf32>
  }
}

// -----

qkernel.variant @transform #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
    // expected-error @+1 {{'qkernel.rows' op has the kernel "vulkan.rows", which does not run it: its formula serves devices as it is}}
    %0 = qkernel.rows(%x) {kernel = "vulkan.rows"} : (tensor<4x32xf32>) -> tensor<4x32xf32> (%a: tensor<4x32xf32>) {
      %1 = qopt.hadamard %a {block = 32 : i64} : (tensor<4x32xf32>) -> tensor<4x32xf32>
      qkernel.yield %1 : tensor<4x32xf32>
    }
    return %0 : tensor<4x32xf32>
  }
}

// -----

qkernel.variant @two_ranks #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x4x4xf32>) -> (tensor<4x4xf32>, tensor<2x4x4xf32>) {
    // expected-error @+1 {{'qkernel.contract' op has the kernel "vulkan.contract.f32", which does not run it: results have two ranks}}
    %0:2 = qkernel.contract(%x, %w, %y) {kernel = "vulkan.contract.f32"} : (tensor<4x8xf32>, tensor<8x4xf32>, tensor<2x4x4xf32>) -> (tensor<4x4xf32>, tensor<2x4x4xf32>) (%a: tensor<4x8xf32>, %b: tensor<8x4xf32>, %c: tensor<2x4x4xf32>) {
      %1 = qopt.matmul %a, %b : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
      %2 = qopt.add %1, %c : (tensor<4x4xf32>, tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
      qkernel.yield %1, %2 : tensor<4x4xf32>, tensor<2x4x4xf32>
    }
    return %0#0, %0#1 : tensor<4x4xf32>, tensor<2x4x4xf32>
  }
}
