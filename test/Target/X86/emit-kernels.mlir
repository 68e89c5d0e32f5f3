// RUN: qopt-opt %s --qkernel-emit-kernels --split-input-file --verify-diagnostics | FileCheck %s

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

// expected-error@below {{'qkernel.variant' op is of x86-64, which has no machine "v9"}}
qkernel.variant @v9 #qkernel.target<"x86-64", "v9"> {
  func.func @main() { return }
}

// -----

// expected-error@below {{'qkernel.variant' op expects a function @main}}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
}
