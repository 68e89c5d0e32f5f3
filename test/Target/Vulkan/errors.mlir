// RUN: split-file %s %t
// RUN: not qopt-compile %t/branch.mlir --target=vulkan --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=BRANCH
// RUN: not qopt-compile %t/shape.mlir --target=vulkan --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not qopt-compile %t/large.mlir --target=vulkan --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not qopt-compile %t/dims.mlir --target=vulkan --start-from=fuse -o %t/m.so 2>&1 | FileCheck %s --check-prefix=DIMS
// RUN: not qopt-compile %t/other.mlir --target=vulkan --start-from=kernels -o %t/m.so 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not ls %t/m.so

// What a program may say and Vulkan does not run ends a compile with the op, and
// no file is left.

//--- branch.mlir
// BRANCH: 'scf.if' op is a branch or a loop, which no device runs
func.func @main(%x: tensor<4xf32>, %t: tensor<i1>) -> tensor<4xf32> {
  %c = tensor.extract %t[] : tensor<i1>
  %0 = scf.if %c -> (tensor<4xf32>) {
    scf.yield %x : tensor<4xf32>
  } else {
    %y = qopt.neg %x : (tensor<4xf32>) -> tensor<4xf32>
    scf.yield %y : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

//--- shape.mlir
// SHAPE: 'qopt.reshape' op has dims that only the device computes
func.func @main(%x: tensor<8xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  %t = qopt.abs %s : (tensor<2xi64>) -> tensor<2xi64>
  %0 = qopt.reshape %x, %t : (tensor<8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

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
