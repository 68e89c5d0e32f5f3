// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-bufferize{host-kernels=vulkan.host}))' --split-input-file --verify-diagnostics | FileCheck %s

// What kernels of a device make lies there; a list of the host does not.
// CHECK-LABEL: qkernel.variant @device
// CHECK: %[[L:.*]] = memref.alloc() : memref<2xi64>
// CHECK: %[[X:.*]] = memref.alloc(%{{.*}}) : memref<?x4xf32, "device">
// CHECK-NEXT: memref.copy %arg0, %[[X]] : memref<?x4xf32> to memref<?x4xf32, "device">
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}) : memref<?x4xf32, "device">
// CHECK-NEXT: qkernel.launch @k1.neg(%[[X]]) to(%[[A]] : memref<?x4xf32, "device">)
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

// Dims that the device computes are read where they are asked for, once.
// CHECK-LABEL: qkernel.variant @dims
// CHECK: qkernel.launch @k0.abs(%{{.*}}) to(%[[S:.*]] : memref<2xi64, "device">)
// CHECK-NEXT: %[[C:.*]] = memref.alloc() : memref<2xi64>
// CHECK-NEXT: memref.copy %[[S]], %[[C]] : memref<2xi64, "device"> to memref<2xi64>
// CHECK: memref.load %[[C]]
// CHECK: qkernel.view %arg0({{.*}}) : memref<8xf32> to memref<?x?xf32>
// CHECK-NOT: memref.copy
// CHECK: memref.dealloc %[[S]] : memref<2xi64, "device">
// CHECK-NEXT: memref.dealloc %[[C]] : memref<2xi64>
qkernel.variant @dims #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %s: tensor<2xi64>) {
    %0 = qopt.abs %s {qopt.kernel = "vulkan.map"} : (tensor<2xi64>) -> tensor<2xi64>
    %1 = qopt.reshape %x, %0 {qopt.kernel = "vulkan.host.reshape"} : (tensor<8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    %2 = qopt.reshape %1, %0 {qopt.kernel = "vulkan.host.reshape"} : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    qkernel.free %0 : tensor<2xi64>
    return
  }
}

// -----

// A list that the host knows is no copy for who reads its elements.
// CHECK-LABEL: qkernel.variant @list
// CHECK: %[[L:.*]] = qkernel.list %{{.*}}(%{{.*}}, %{{.*}}) : memref<2xi64>
// CHECK: qkernel.launch @{{.*}}(%{{.*}}, %[[L]]) {{.*}} : (memref<?x4xf32, "device">, memref<2xi64>) -> ()
qkernel.variant @list #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>) {
    %s = qopt.shape %x {start = 0 : i64, end = 2 : i64, qopt.kernel = "vulkan.host.shape"} : (tensor<?x4xf32>) -> tensor<2xi64>
    %0 = qopt.expand %x, %s {qopt.kernel = "vulkan.expand"} : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x4xf32>
    return
  }
}

// -----

// What two kernels of the device read is brought there once; what the host reads
// is brought back.
// CHECK-LABEL: qkernel.variant @kernels
// CHECK: %[[X:.*]] = memref.alloc() : memref<4xi8, "device">
// CHECK-NEXT: memref.copy %arg0, %[[X]] : memref<4xi8> to memref<4xi8, "device">
// CHECK: qkernel.launch @k0.not(%[[X]]) to(%[[N:.*]] : memref<4xi8, "device">)
// CHECK-NOT: memref.copy
// CHECK: qkernel.launch @k1.and(%[[X]], %[[N]]) to(%[[A:.*]] : memref<4xi8, "device">)
// CHECK: %[[H:.*]] = memref.alloc() : memref<4xi8>
// CHECK-NEXT: memref.copy %[[A]], %[[H]] : memref<4xi8, "device"> to memref<4xi8>
// CHECK: %[[R:.*]] = memref.alloc(%{{.*}}) : memref<1x?xi64>
// CHECK-NEXT: qkernel.launch @k2.non_zero(%[[H]], %{{.*}}) to(%[[R]] : memref<1x?xi64>)
qkernel.variant @kernels #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xi1>, %n: tensor<i64>) {
    %0 = qopt.not %x {qopt.kernel = "vulkan.map"} : (tensor<4xi1>) -> tensor<4xi1>
    %1 = qopt.and %x, %0 {qopt.kernel = "vulkan.map"} : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    %2 = qopt.non_zero %1, %n {qopt.kernel = "vulkan.host.serial"} : (tensor<4xi1>, tensor<i64>) -> tensor<1x?xi64>
    return
  }
}

// -----

// A branch yields memory of the device, where its conditions are read on the
// host. What a branch brings is its own.
// CHECK-LABEL: qkernel.variant @branch
// CHECK: memref.load %arg1
// CHECK: scf.if %{{.*}} -> (memref<4xf32, "device">)
// CHECK: %[[X:.*]] = memref.alloc() : memref<4xf32, "device">
// CHECK-NEXT: memref.copy %arg0, %[[X]]
// CHECK: qkernel.launch @k0.neg(%[[X]]) to(%[[N:.*]] : memref<4xf32, "device">)
// CHECK-NEXT: memref.dealloc %[[X]]
// CHECK-NEXT: scf.yield %[[N]]
// CHECK: } else {
// CHECK-NEXT: %[[Y:.*]] = memref.alloc() : memref<4xf32, "device">
// CHECK-NEXT: memref.copy %arg0, %[[Y]] : memref<4xf32> to memref<4xf32, "device">
// CHECK-NEXT: scf.yield %[[Y]]
qkernel.variant @branch #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>, %c: tensor<i1>) {
    %0 = tensor.extract %c[] : tensor<i1>
    %1 = scf.if %0 -> (tensor<4xf32>) {
      %2 = qopt.neg %x {qopt.kernel = "vulkan.map"} : (tensor<4xf32>) -> tensor<4xf32>
      scf.yield %2 : tensor<4xf32>
    } else {
      %3 = qkernel.copy %x : tensor<4xf32>
      scf.yield %3 : tensor<4xf32>
    }
    qkernel.free %1 : tensor<4xf32>
    return
  }
}

// -----

// A loop reads what was brought before it. It carries tensors on the device, and
// on the host what conditions are made of: a list that the device makes is
// brought back.
// CHECK-LABEL: qkernel.variant @loop
// CHECK: memref.copy %arg0, %[[I:.*]] : memref<4xf32> to memref<4xf32, "device">
// CHECK: memref.copy %arg1, %[[J:.*]] : memref<i64> to memref<i64>
// CHECK: %[[X:.*]] = memref.alloc() : memref<4xf32, "device">
// CHECK-NEXT: memref.copy %arg0, %[[X]] : memref<4xf32> to memref<4xf32, "device">
// CHECK: scf.while (%{{.*}} = %[[I]], %{{.*}} = %[[J]]) : (memref<4xf32, "device">, memref<i64>) -> (memref<4xf32, "device">, memref<i64>)
// CHECK: memref.load
// CHECK: scf.condition
// CHECK: qkernel.launch @{{.*}}(%{{.*}}, %[[X]]) to(%[[A:.*]] : memref<4xf32, "device">)
// CHECK: memref.copy %{{.*}}, %[[M:.*]] : memref<i64> to memref<i64, "device">
// CHECK: qkernel.launch @{{.*}} to(%[[N:.*]] : memref<i64, "device">)
// CHECK: %[[H:.*]] = memref.alloc() : memref<i64>
// CHECK-NEXT: memref.copy %[[N]], %[[H]] : memref<i64, "device"> to memref<i64>
// CHECK-NEXT: memref.dealloc %[[N]]
// CHECK: scf.yield %[[A]], %[[H]]
qkernel.variant @loop #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>, %n: tensor<i64>) {
    %zero = arith.constant 0 : i64
    %a = qkernel.copy %x : tensor<4xf32>
    %b = qkernel.copy %n : tensor<i64>
    %0:2 = scf.while (%y = %a, %i = %b) : (tensor<4xf32>, tensor<i64>) -> (tensor<4xf32>, tensor<i64>) {
      %left = tensor.extract %i[] : tensor<i64>
      %goes = arith.cmpi ne, %left, %zero : i64
      scf.condition(%goes) %y, %i : tensor<4xf32>, tensor<i64>
    } do {
    ^bb0(%y: tensor<4xf32>, %i: tensor<i64>):
      %1 = qopt.add %y, %x {qopt.kernel = "vulkan.map"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      qkernel.free %y : tensor<4xf32>
      %2 = qopt.neg %i {qopt.kernel = "vulkan.map"} : (tensor<i64>) -> tensor<i64>
      qkernel.free %i : tensor<i64>
      scf.yield %1, %2 : tensor<4xf32>, tensor<i64>
    }
    qkernel.free %0#0 : tensor<4xf32>
    qkernel.free %0#1 : tensor<i64>
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
