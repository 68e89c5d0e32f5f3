// RUN: qopt-opt %s --qkernel-assign --verify-diagnostics --split-input-file | FileCheck %s

// The first kernel that runs an op gives it its name; a bare op gets the kernel
// op of its family.
// CHECK-LABEL: qkernel.variant @v4
// CHECK: qkernel.contract(%{{.*}}) {kernel = "x86-64.contract.f32"}
// CHECK-NEXT: qopt.matmul
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
    %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}

// -----

// The same op on another machine has another kernel.
// CHECK-LABEL: qkernel.variant @v3
// CHECK: kernel = "x86-64.contract.i8i8.avx2"}
qkernel.variant @v3 #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<?x64xi8>, %w: tensor<64x8xi8>) -> tensor<?x8xi32> {
    %0 = qopt.matmul %x, %w : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32>
    return %0 : tensor<?x8xi32>
  }
}
// CHECK-LABEL: qkernel.variant @v4
// CHECK: kernel = "x86-64.contract.i8i8.vnni"}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x64xi8>, %w: tensor<64x8xi8>) -> tensor<?x8xi32> {
    %0 = qopt.matmul %x, %w : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32>
    return %0 : tensor<?x8xi32>
  }
}
// CHECK-LABEL: qkernel.variant @amx
// CHECK: kernel = "x86-64.contract.i8i8.amx"}
qkernel.variant @amx #qkernel.target<"x86-64", "amx"> {
  func.func @main(%x: tensor<?x64xi8>, %w: tensor<64x8xi8>) -> tensor<?x8xi32> {
    %0 = qopt.matmul %x, %w : (tensor<?x64xi8>, tensor<64x8xi8>) -> tensor<?x8xi32>
    return %0 : tensor<?x8xi32>
  }
}

// -----

// Ops of the two dialects that share a name are told apart.
// CHECK-LABEL: qkernel.variant @v4
// CHECK: qkernel.attention(%{{.*}}) {kernel = "x86-64.attention"}
// CHECK-NEXT: qopt.attention
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%q: tensor<4x8xf32>, %k: tensor<6x8xf32>, %v: tensor<6x8xf32>) -> tensor<4x8xf32> {
    %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
    return %0 : tensor<4x8xf32>
  }
}

// -----

// Codes of keys and values stay in the kernel that reads them, or the kernel is
// taken apart: where one scale is for all rows, where they are queries, too, and
// on other machines.
// CHECK-LABEL: qkernel.variant @codes
// CHECK: qkernel.attention(%{{.*}}) {kernel = "x86-64.attention"}
// CHECK-NEXT: qopt.dequantize
// CHECK-NEXT: qopt.attention
// CHECK: qkernel.map(%{{.*}}) {kernel = "x86-64.map"}
// CHECK-NEXT: qopt.dequantize
// CHECK: qkernel.attention(%{{.*}}) {kernel = "x86-64.attention"}
// CHECK: qkernel.map(%{{.*}}) {kernel = "x86-64.map"}
// CHECK-NEXT: qopt.cast
// CHECK: qkernel.attention(%{{.*}}) {kernel = "x86-64.attention"}
// CHECK-LABEL: qkernel.variant @vulkan
// CHECK: qkernel.map
// CHECK-NEXT: qopt.dequantize
// CHECK: qkernel.attention(%{{.*}}) {kernel = "vulkan.attention"}
qkernel.variant @codes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%q: tensor<4x8xf32>, %k: tensor<6x8xi8>, %s: tensor<6x1xf32>, %t: tensor<1x1xf32>, %h: tensor<6x8xf16>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<6x8xf32>) {
    %0 = qkernel.attention(%q, %k, %s) : (tensor<4x8xf32>, tensor<6x8xi8>, tensor<6x1xf32>) -> tensor<4x8xf32> (%a: tensor<4x8xf32>, %b: tensor<6x8xi8>, %c: tensor<6x1xf32>) {
      %d = qopt.dequantize %b scales(%c) {format = #qopt.format<i8>} : (tensor<6x8xi8>, tensor<6x1xf32>) -> tensor<6x8xf32>
      %r = qopt.attention %a, %d, %d {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
      qkernel.yield %r : tensor<4x8xf32>
    }
    %1 = qkernel.attention(%q, %k, %t) : (tensor<4x8xf32>, tensor<6x8xi8>, tensor<1x1xf32>) -> tensor<4x8xf32> (%a: tensor<4x8xf32>, %b: tensor<6x8xi8>, %c: tensor<1x1xf32>) {
      %d = qopt.dequantize %b scales(%c) {format = #qopt.format<i8>} : (tensor<6x8xi8>, tensor<1x1xf32>) -> tensor<6x8xf32>
      %r = qopt.attention %a, %d, %d {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
      qkernel.yield %r : tensor<4x8xf32>
    }
    %2 = qkernel.attention(%h) : (tensor<6x8xf16>) -> tensor<6x8xf32> (%a: tensor<6x8xf16>) {
      %c = qopt.cast %a : (tensor<6x8xf16>) -> tensor<6x8xf32>
      %r = qopt.attention %c, %c, %c {scale = 1.0 : f32} : (tensor<6x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<6x8xf32>
      qkernel.yield %r : tensor<6x8xf32>
    }
    return %0, %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<6x8xf32>
  }
}
qkernel.variant @vulkan #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%q: tensor<4x8xf32>, %k: tensor<6x8xi8>, %s: tensor<6x1xf32>) -> tensor<4x8xf32> {
    %0 = qkernel.attention(%q, %k, %s) : (tensor<4x8xf32>, tensor<6x8xi8>, tensor<6x1xf32>) -> tensor<4x8xf32> (%a: tensor<4x8xf32>, %b: tensor<6x8xi8>, %c: tensor<6x1xf32>) {
      %d = qopt.dequantize %b scales(%c) {format = #qopt.format<i8>} : (tensor<6x8xi8>, tensor<6x1xf32>) -> tensor<6x8xf32>
      %r = qopt.attention %a, %d, %d {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
      qkernel.yield %r : tensor<4x8xf32>
    }
    return %0 : tensor<4x8xf32>
  }
}

// -----

// The reason says why it is not a preferred one.
// CHECK-LABEL: qkernel.variant @amx
// CHECK: {kernel = "x86-64.contract.i8i8.vnni", reason = "k is too short for tiles"}
qkernel.variant @amx #qkernel.target<"x86-64", "amx"> {
  func.func @main(%x: tensor<?x32xi8>, %w: tensor<32x8xi8>) -> tensor<?x8xi32> {
    %0 = qopt.matmul %x, %w : (tensor<?x32xi8>, tensor<32x8xi8>) -> tensor<?x8xi32>
    return %0 : tensor<?x8xi32>
  }
}
// CHECK-LABEL: qkernel.variant @v4
// CHECK: {kernel = "x86-64.contract.grouped", reason = "blocks of 20 are no multiples of 16"}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%a: tensor<5x64xi8>, %t: tensor<5x1xf32>, %v: tensor<64x16xi4>, %u: tensor<4x16xf32>) -> tensor<5x16xf32> {
    %0 = qopt.matmul %a scales(%t), %v scales(%u) {lhs_format = #qopt.format<i8, axis = 0>, rhs_format = #qopt.format<i4, axis = 0, block = 20>} : (tensor<5x64xi8>, tensor<5x1xf32>, tensor<64x16xi4>, tensor<4x16xf32>) -> tensor<5x16xf32>
    return %0 : tensor<5x16xf32>
  }
}

// -----

// A kernel that none runs whole is taken apart: what has a kernel gets one, and
// the single op that has none is generic.
// CHECK-LABEL: qkernel.variant @v4
// CHECK: qkernel.contract(%{{.*}}) {kernel = "generic", reason = "the weight is not constant"}
// CHECK-NEXT: qopt.conv
// CHECK: qkernel.map(%{{.*}}) {kernel = "x86-64.map"}
// CHECK-NEXT: qopt.relu
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<1x2x8x8xf32>, %w: tensor<3x2x3x3xf32>) -> tensor<1x3x6x6xf32> {
    %0 = qkernel.contract(%x, %w) : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x6x6xf32> (%a: tensor<1x2x8x8xf32>, %b: tensor<3x2x3x3xf32>) {
      %1 = qopt.conv %a, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x2x8x8xf32>, tensor<3x2x3x3xf32>) -> tensor<1x3x6x6xf32>
      %2 = qopt.relu %1 : (tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>
      qkernel.yield %2 : tensor<1x3x6x6xf32>
    }
    return %0 : tensor<1x3x6x6xf32>
  }
}

// -----

// An op that moves data keeps its form; the names have a prefix there.
// CHECK-LABEL: qkernel.variant @v4
// CHECK: qopt.transpose %{{.*}} {perm = array<i64: 1, 0>, qopt.kernel = "x86-64.transpose"}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
    %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    return %0 : tensor<3x2xf32>
  }
}

// -----

// expected-error @+1 {{'qkernel.variant' op target 'abacus' is not known here}}
qkernel.variant @beads #qkernel.target<"abacus", "wood"> {
}

// -----

// expected-error @+1 {{'qkernel.variant' op x86-64 has no machine "i386"}}
qkernel.variant @old #qkernel.target<"x86-64", "i386"> {
}

// -----

// Types that an op of a body has no formula for are a reason too, and keep no
// other op from its kernel.
// CHECK-LABEL: qkernel.variant @v4
// CHECK: qkernel.map(%{{.*}}, %{{.*}}) {kernel = "generic", reason = "elements are of type i1"}
// CHECK-NEXT: qopt.less
// CHECK: qkernel.map(%{{.*}}) {kernel = "x86-64.map"}
// CHECK-NEXT: qopt.cast
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?xi1>, %y: tensor<?xi1>) -> tensor<?xf32> {
    %2 = qkernel.map(%x, %y) : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xf32> (%a: tensor<?xi1>, %b: tensor<?xi1>) {
      %0 = qopt.less %a, %b : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
      %1 = qopt.cast %0 : (tensor<?xi1>) -> tensor<?xf32>
      qkernel.yield %1 : tensor<?xf32>
    }
    return %2 : tensor<?xf32>
  }
}

// -----

// What has a formula of loops and nothing faster is generic too, on every target.
// CHECK-LABEL: qkernel.variant @loops
// CHECK: qopt.cum_sum {{.*}}qopt.kernel = "generic", qopt.reason = "no kernel for cum_sum
qkernel.variant @loops #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = qopt.cum_sum %x {axis = 1 : i64, exclusive = false, reverse = false} : (tensor<?x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}
