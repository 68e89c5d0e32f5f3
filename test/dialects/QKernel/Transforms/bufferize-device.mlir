// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-bufferize{host-kernels=vulkan.host}))' --split-input-file --verify-diagnostics | FileCheck %s

// What kernels of a device make lies there; a list of the host does not.
// CHECK-LABEL: qkernel.variant @device
// CHECK: %[[L:.*]] = memref.alloc() : memref<2xi64>
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}) : memref<?x4xf32, "device">
// CHECK-NEXT: qkernel.launch @k1.neg(%{{.*}}) to(%[[A]] : memref<?x4xf32, "device">)
// CHECK: qkernel.view %[[A]](%{{.*}}) : memref<?x4xf32, "device"> to memref<?x4xf32, "device">
// CHECK: memref.copy %{{.*}} : memref<?x4xf32, "device"> to memref<?x4xf32>
// CHECK: memref.dealloc %[[A]] : memref<?x4xf32, "device">
qkernel.variant @device #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>) {
    %s = qopt.shape %x {start = 0 : i64, end = 2 : i64, qopt.kernel = "vulkan.host.shape"} : (tensor<?x4xf32>) -> tensor<2xi64>
    %0 = qopt.neg %x {qopt.kernel = "vulkan.map"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %1 = qopt.reshape %0, %s {qopt.kernel = "vulkan.reshape"} : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x4xf32>
    qkernel.output %1 at 0 : tensor<?x4xf32>
    qkernel.free %0 : tensor<?x4xf32>
    return
  }
}

// -----

// No dim and no scalar can be made of what only the device computes.

qkernel.variant @dims #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %s: tensor<2xi64>) {
    %0 = qopt.abs %s {qopt.kernel = "vulkan.map"} : (tensor<2xi64>) -> tensor<2xi64>
    // expected-error @+1 {{'qopt.reshape' op has dims that only the device computes}}
    %1 = qopt.reshape %x, %0 {qopt.kernel = "vulkan.reshape"} : (tensor<8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    return
  }
}

// -----

qkernel.variant @element #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%s: tensor<i64>) {
    %0 = qopt.abs %s {qopt.kernel = "vulkan.map"} : (tensor<i64>) -> tensor<i64>
    // expected-error @+1 {{'tensor.extract' op reads an element that only the device computes}}
    %1 = tensor.extract %0[] : tensor<i64>
    return
  }
}

// -----

// Nor does a region carry what lies there.

qkernel.variant @branch #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>, %c: tensor<i1>) {
    %0 = tensor.extract %c[] : tensor<i1>
    // expected-error @+1 {{'scf.if' op is a branch or a loop, which no device runs}}
    scf.if %0 {
    }
    return
  }
}

// -----

qkernel.variant @observe #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>) {
    // expected-error @+1 {{'qopt.observe' op has no kernel on a device}}
    qopt.observe %x {id = 0 : i64} : tensor<4xf32>
    return
  }
}
