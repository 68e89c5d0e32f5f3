// RUN: qopt-opt %s --qkernel-emit-kernels --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// The host function checks, finds memory and runs the kernel in parallel; the
// kernel is a function of its own, over vectors of the machine.

// CHECK-LABEL: qkernel.variant @v4
// CHECK-NOT: func.func
// CHECK: llvm.func @"main.x86-64-v4"(%{{.+}}: !llvm.ptr
// CHECK: llvm.call @qopt_rt_parallel(
// CHECK: llvm.func internal @{{.*}}relu{{.*}}(
// CHECK: scf.for
// CHECK: llvm.load %{{.+}} : !llvm.ptr -> vector<16xf32>
// CHECK: arith.select %{{.+}} : vector<16xi1>, vector<16xf32>
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x64xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x64xf32>
    %0 = qkernel.output_memory 0(%d) : memref<?x64xf32>
    qkernel.launch @k0.relu(%x) to(%0 : memref<?x64xf32>) : (memref<?x64xf32>) -> ()
    return
  }
  func.func private @k0.relu(%arg0: tensor<?x64xf32>) -> tensor<?x64xf32> {
    %0 = qkernel.map(%arg0) {kernel = "x86-64.map"} : (tensor<?x64xf32>) -> tensor<?x64xf32> (%a: tensor<?x64xf32>) {
      %1 = qopt.relu %a : (tensor<?x64xf32>) -> tensor<?x64xf32>
      qkernel.yield %1 : tensor<?x64xf32>
    }
    return %0 : tensor<?x64xf32>
  }
}

// -----

// expected-error@below {{'qkernel.variant' op is of the target "none", which is not known here}}
qkernel.variant @none #qkernel.target<"none", "x86-64-v4"> {
  func.func @main() { return }
}

// -----

// expected-error@below {{'qkernel.variant' op x86-64 has no machine "v9"}}
qkernel.variant @v9 #qkernel.target<"x86-64", "v9"> {
  func.func @main() { return }
}

// -----

// expected-error@below {{'qkernel.variant' op expects a function @main}}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
}

// -----

// What someone writes by hand is looked at.
qkernel.variant @tensors #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error@below {{'func.func' op expects one block, whose arguments are memory}}
  func.func @main(%x: tensor<?x4xf32>) { return }
}

// -----

qkernel.variant @declared #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error@below {{'func.func' op expects one block, whose arguments are memory}}
  func.func private @main(%x: memref<?x4xf32>)
}

// -----

qkernel.variant @strange #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>) {
    // expected-error@below {{'foo.bar' op is of no dialect that is known here}}
    "foo.bar"(%x) : (memref<4xf32>) -> ()
    return
  }
}

// -----

qkernel.variant @bare #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>) {
    %0 = qkernel.output_memory 0() : memref<4xf32>
    // expected-error@below {{'qopt.relu' op has no kernel}}
    qkernel.launch @k0(%x) to(%0 : memref<4xf32>) : (memref<4xf32>) -> ()
    return
  }
  func.func private @k0(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qopt.relu %arg0 : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

qkernel.variant @unknown #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>) {
    %0 = qkernel.output_memory 0() : memref<4xf32>
    // expected-error@below {{'qkernel.map' op has the kernel "nope", which is not known here}}
    qkernel.launch @k0(%x) to(%0 : memref<4xf32>) : (memref<4xf32>) -> ()
    return
  }
  func.func private @k0(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qkernel.map(%arg0) {kernel = "nope"} : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
      %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

qkernel.variant @results #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>, %t: memref<4xf32>) {
    %y = qopt.constant(dense<0.0> : tensor<4xf32>) : tensor<4xf32>
    // expected-error@below {{'qkernel.launch' op expects an op that a kernel runs, and memory for its results}}
    %0 = qkernel.launch @k0(%y) : (tensor<4xf32>) -> tensor<4xf32>
    return
  }
  func.func private @k0(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qopt.relu %arg0 {qopt.kernel = "x86-64.map"} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}
