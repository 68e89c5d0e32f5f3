// RUN: qopt-opt %s --split-input-file --verify-diagnostics

// Each case breaks one constraint that all kernels share.

// -----

func.func @kernel_c1(%x: tensor<4xf32>) -> tensor<4xi8> {
  // expected-error @+1 {{'qkernel.map' op expects a body that yields the result types}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xi8> (%a: tensor<4xf32>) {
    qkernel.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xi8>
}

// -----

func.func @kernel_c2_number(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qkernel.map' op expects 2 block arguments, but found 1}}
  %0 = qkernel.map(%x, %y) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    qkernel.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @kernel_c2_type(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{'qkernel.map' op expects a block argument of type 'tensor<4xf32>', but found 'tensor<5xf32>'}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<5xf32> (%a: tensor<5xf32>) {
    qkernel.yield %a : tensor<5xf32>
  }
  return %0 : tensor<5xf32>
}

// -----

func.func @kernel_c3_other(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @+1 {{'qkernel.map' op cannot hold 'qopt.transpose'}}
  %0 = qkernel.map(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32> (%a: tensor<4x4xf32>) {
    %1 = qopt.transpose %a {perm = array<i64: 1, 0>} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    qkernel.yield %1 : tensor<4x4xf32>
  }
  return %0 : tensor<4x4xf32>
}

// -----

func.func @kernel_c3_root(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qkernel.rows' op expects 1 root ops, but found 0}}
  %0 = qkernel.rows(%x) : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
    qkernel.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @isolated(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-note @+1 {{required by region isolation constraints}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    // expected-error @+1 {{'qopt.relu' op using value defined outside the region}}
    %1 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
    qkernel.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
