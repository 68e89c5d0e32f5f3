// RUN: qopt-opt %s --verify-kernels --verify-diagnostics --allow-unregistered-dialect --split-input-file | FileCheck %s

// Outside of variants kernels have no names yet; inside they have.
// CHECK-LABEL: func @before
// CHECK: qkernel.variant
func.func @before(%x: tensor<8xf32>) -> tensor<8xf32> {
  %1 = qkernel.map(%x) : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
    %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
    qkernel.yield %0 : tensor<8xf32>
  }
  return %1 : tensor<8xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    %1 = qkernel.map(%x) {kernel = "generic", reason = "no table row"} : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
      %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
      qkernel.yield %0 : tensor<8xf32>
    }
    return %1 : tensor<8xf32>
  }
}

// -----

// The report needs a name.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    // expected-error @+1 {{'qkernel.map' op has no kernel}}
    %1 = qkernel.map(%x) : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
      %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
      qkernel.yield %0 : tensor<8xf32>
    }
    return %1 : tensor<8xf32>
  }
}

// -----

// And a reason where the name is generic.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    // expected-error @+1 {{'qkernel.map' op is generic without a reason}}
    %1 = qkernel.map(%x) {kernel = "generic"} : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
      %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
      qkernel.yield %0 : tensor<8xf32>
    }
    return %1 : tensor<8xf32>
  }
}

// -----

// A kernel writes its op without another look at it.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    // expected-error @+1 {{'qkernel.map' op has the kernel "x86-64.rows", which does not run it}}
    %1 = qkernel.map(%x) {kernel = "x86-64.rows"} : (tensor<8xf32>) -> tensor<8xf32> (%a0: tensor<8xf32>) {
      %0 = qopt.relu %a0 : (tensor<8xf32>) -> tensor<8xf32>
      qkernel.yield %0 : tensor<8xf32>
    }
    return %1 : tensor<8xf32>
  }
}

// -----

qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xi1>, %y: tensor<8xi1>) -> tensor<8xi1> {
    // expected-error @+1 {{'qkernel.map' op has the kernel "x86-64.map", which does not run it: elements are of type i1}}
    %1 = qkernel.map(%x, %y) {kernel = "x86-64.map"} : (tensor<8xi1>, tensor<8xi1>) -> tensor<8xi1> (%a: tensor<8xi1>, %b: tensor<8xi1>) {
      %0 = qopt.less %a, %b : (tensor<8xi1>, tensor<8xi1>) -> tensor<8xi1>
      qkernel.yield %0 : tensor<8xi1>
    }
    return %1 : tensor<8xi1>
  }
}

// -----

// Of another version, or of another machine.
qkernel.variant @v3 #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<?x64xi8>, %w: tensor<64x8xi8>) -> tensor<?x8xi32> {
    // expected-error @+1 {{'qkernel.contract' op has the kernel "x86-64.contract.i8i8.vnni", which is not known here}}
    %1 = qkernel.contract(%x, %w) {kernel = "x86-64.contract.i8i8.vnni"} : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32> (%a: tensor<?x64xi8>, %b: tensor<64x8xi8>) {
      %0 = qopt.matmul %a, %b : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32>
      qkernel.yield %0 : tensor<?x8xi32>
    }
    return %1 : tensor<?x8xi32>
  }
}

// -----

// expected-error @+1 {{'qkernel.variant' op target 'abacus' is not known here}}
qkernel.variant @beads #qkernel.target<"abacus", "wood"> {
}

// -----

// Each would be the code that the machine takes.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
}
// expected-error @+1 {{'qkernel.variant' op is a second one of #qkernel.target<"x86-64", "x86-64-v4">}}
qkernel.variant @other #qkernel.target<"x86-64", "x86-64-v4"> {
}

// -----

// In programs a machine has the name that artefacts know.
// expected-error @+1 {{'qkernel.variant' op x86-64 has no machine "sapphirerapids"}}
qkernel.variant @amx #qkernel.target<"x86-64", "sapphirerapids"> {
}

// -----

// A memref strides whole bytes, whatever its elements are.
func.func @memory() {
  // expected-error @+1 {{uses 'memref<8xi4>', whose elements are narrower than a byte}}
  %0 = "test.allocate"() : () -> memref<8xi4>
  return
}

// -----

// Code is written by the facts: what is not so would be read out of bounds.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x3xf32>) -> tensor<1x3xf32> {
    %i = qopt.constant(dense<9> : tensor<1xi64>) : tensor<1xi64>
    // expected-error @+2 {{'qopt.gather' op expects the facts [#qkernel.integers<operand = 1, min = 9, max = 9, elements = [9]>] of its operands, but found the facts [#qkernel.integers<operand = 1, min = 0, max = 0, elements = [0]>]}}
    // expected-note @+1 {{run qkernel-annotate-facts}}
    %0 = qopt.gather %x, %i {axis = 0 : i64, qkernel.facts = [#qkernel.integers<operand = 1, min = 0, max = 0, elements = [0]>], qopt.kernel = "x86-64.gather"} : (tensor<4x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
    return %0 : tensor<1x3xf32>
  }
}

// -----

// What an input holds is not known.
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4x3xf32>, %i: tensor<1xi64>) -> tensor<1x3xf32> {
    // expected-error @+2 {{'qopt.gather' op expects no facts of its operands, but found the facts}}
    // expected-note @+1 {{run qkernel-annotate-facts}}
    %0 = qopt.gather %x, %i {axis = 0 : i64, qkernel.facts = [#qkernel.integers<operand = 1, min = 0, max = 0, elements = [0]>], qopt.kernel = "x86-64.gather"} : (tensor<4x3xf32>, tensor<1xi64>) -> tensor<1x3xf32>
    return %0 : tensor<1x3xf32>
  }
}

// -----

// No kernel takes a layout yet.
func.func @layout(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{'qkernel.repack' op uses 'tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>', but kernels take row-major tensors only}}
  %0 = qkernel.repack %x : tensor<2x3xf32> to tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>
  %1 = qkernel.repack %0 : tensor<2x3xf32, #qkernel.layout<order = [1, 0]>> to tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
