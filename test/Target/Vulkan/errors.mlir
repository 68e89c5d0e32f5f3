// RUN: split-file %s %t
// RUN: not qopt-compile %t/large.mlir --target=vulkan --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not qopt-compile %t/dims.mlir --target=vulkan --start-from=fuse -o %t/m.so 2>&1 | FileCheck %s --check-prefix=DIMS
// RUN: not qopt-compile %t/other.mlir --target=vulkan --start-from=kernels -o %t/m.so 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not ls %t/m.so

// What a program may say and Vulkan does not run ends a compile with the op, and
// no file is left.

//--- large.mlir
// LARGE: 'qkernel.map' op has a constant of 160000000 bytes, but Vulkan binds less than 134217728
func.func @main(%x: tensor<1xf32>) -> tensor<40000000xf32> {
  %w = qopt.constant(dense<1.5> : tensor<40000000xf32>) : tensor<40000000xf32>
  %0 = qopt.add %x, %w : (tensor<1xf32>, tensor<40000000xf32>) -> tensor<40000000xf32>
  return %0 : tensor<40000000xf32>
}

//--- dims.mlir
// DIMS: 'qkernel.contract' op has no Vulkan kernel for results of other dims than its root's
module attributes {qopt.phase = "fuse"} {
  func.func @main(%x: tensor<4x8xf32>, %w: tensor<8x1xf32>, %y: tensor<4x5xf32>) -> (tensor<4x1xf32>, tensor<4x5xf32>) {
    %0:2 = qkernel.contract(%x, %w, %y) : (tensor<4x8xf32>, tensor<8x1xf32>, tensor<4x5xf32>) -> (tensor<4x1xf32>, tensor<4x5xf32>) (%a: tensor<4x8xf32>, %b: tensor<8x1xf32>, %c: tensor<4x5xf32>) {
      %1 = qopt.matmul %a, %b : (tensor<4x8xf32>, tensor<8x1xf32>) -> tensor<4x1xf32>
      %2 = qopt.add %1, %c : (tensor<4x1xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
      qkernel.yield %1, %2 : tensor<4x1xf32>, tensor<4x5xf32>
    }
    return %0#0, %0#1 : tensor<4x1xf32>, tensor<4x5xf32>
  }
}

//--- other.mlir
// OTHER: has no variant for vulkan
module attributes {qopt.phase = "kernels"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
  qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
  }
}
