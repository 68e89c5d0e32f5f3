// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// A variant holds the program for one tier; a packed operand keeps its logical
// type inside the kernel.
// CHECK: qkernel.variant @v4 <"x86-64", "x86-64-v4">
// CHECK: %[[P:.*]] = qkernel.pack %{{.*}}, %{{.*}} {layout = #qkernel.packing<kind = "codes", n = 16, k = 32>}
// CHECK: qkernel.contract(%{{.*}}, %[[P]]) {kernel = "x86-64.contract.f32", reason = "by request"} : (tensor<?x4xf32>, tensor<64xi8>) -> tensor<?x16xf32> (%[[A:.*]]: tensor<?x4xf32>, %[[B:.*]]: tensor<4x16xf32>) {
// CHECK: qopt.matmul %[[A]], %[[B]]
// CHECK: qkernel.yield %{{.*}} : tensor<?x16xf32>
qkernel.variant @v4 <"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x16xf32>, %s: tensor<1x16xf32>) -> tensor<?x16xf32> {
    %p = qkernel.pack %w, %s {layout = #qkernel.packing<kind = "codes", n = 16, k = 32>} : (tensor<4x16xf32>, tensor<1x16xf32>) -> tensor<64xi8>
    %0 = qkernel.contract(%x, %p) {kernel = "x86-64.contract.f32", reason = "by request"} : (tensor<?x4xf32>, tensor<64xi8>) -> tensor<?x16xf32> (%a: tensor<?x4xf32>, %b: tensor<4x16xf32>) {
      %1 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x16xf32>) -> tensor<?x16xf32>
      qkernel.yield %1 : tensor<?x16xf32>
    }
    return %0 : tensor<?x16xf32>
  }
}

// Several results.
// CHECK: %{{.*}}:2 = qkernel.rows(%{{.*}}) : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
func.func @rows(%x: tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) {
  %0:2 = qkernel.rows(%x) : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) (%a: tensor<?x4xf32>) {
    %q, %s = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
    qkernel.yield %q, %s : tensor<?x4xi8>, tensor<?x1xf32>
  }
  return %0#0, %0#1 : tensor<?x4xi8>, tensor<?x1xf32>
}

// Tensors between kernels may lie in another order; bodies do not say so.
// CHECK: func.func @layouts(%[[X:.*]]: tensor<?x3x8x8xf32>)
// CHECK: %[[L:.*]] = qkernel.repack %[[X]] : tensor<?x3x8x8xf32> to tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>
// CHECK: qkernel.map(%[[L]]) : (tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>) -> tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>> (%{{.*}}: tensor<?x3x8x8xf32>)
func.func @layouts(%x: tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32> {
  %0 = qkernel.repack %x : tensor<?x3x8x8xf32> to tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>
  %2 = qkernel.map(%0) : (tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>) -> tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>> (%a: tensor<?x3x8x8xf32>) {
    %1 = qopt.relu %a : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
    qkernel.yield %1 : tensor<?x3x8x8xf32>
  }
  %3 = qkernel.repack %2 : tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>> to tensor<?x3x8x8xf32>
  return %3 : tensor<?x3x8x8xf32>
}

// What ends a run.
// CHECK: func.func @require(%[[HOLDS:.*]]: i1, %[[STATUS:.*]]: i32)
// CHECK: qkernel.require %[[HOLDS]] code 1 "the dims differ"
// CHECK: qkernel.require %[[HOLDS]] code 4{{$}}
// CHECK: qkernel.require %[[HOLDS]] status %[[STATUS]]
func.func @require(%holds: i1, %s: i32) {
  qkernel.require %holds code 1 "the dims differ"
  qkernel.require %holds code 4
  qkernel.require %holds status %s
  return
}

// Memory of the program, and what a function holds for several places.
// CHECK: func.func @memory(%[[X:.*]]: tensor<?x4xf32>)
// CHECK: %[[C:.*]] = qkernel.copy %[[X]] : tensor<?x4xf32>
// CHECK: %[[L:.*]] = qkernel.launch @relu(%[[C]]) {qkernel.outputs = array<i32: -1>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
// CHECK: qkernel.free %[[C]] : tensor<?x4xf32>
// CHECK: qkernel.output %[[L]] at 0 : tensor<?x4xf32>
func.func @memory(%x: tensor<?x4xf32>) {
  %0 = qkernel.copy %x : tensor<?x4xf32>
  %1 = qkernel.launch @relu(%0) {qkernel.outputs = array<i32: -1>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  qkernel.free %0 : tensor<?x4xf32>
  qkernel.output %1 at 0 : tensor<?x4xf32>
  return
}
func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// Tensors that have memory, and what tells of it.
// CHECK: func.func @bufferized(%[[X:.*]]: memref<?x4xf32>, %[[L:.*]]: memref<2xi64>, %[[W:.*]]: tensor<2xi4>, %[[D:.*]]: index)
// CHECK: qkernel.check_size(%[[D]]) : memref<?x4xf32>
// CHECK: %[[O:.*]] = qkernel.output_memory 1(%[[D]]) : memref<?x4xf32>
// CHECK: qkernel.append_memory 2(%[[D]]) axis 0 : memref<?x4xf32, strided<[4, 1]>>
// CHECK: qkernel.launch @relu(%[[X]]) to(%[[O]] : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
// CHECK: %[[N:.*]] = qkernel.thread_count
// CHECK: %[[T:.*]] = memref.alloc(%[[N]]) : memref<?xi8>
// CHECK: qkernel.launch @relu(%[[X]]) to(%[[O]] : memref<?x4xf32>) step "map" with(%[[T]] : memref<?xi8>) : (memref<?x4xf32>) -> ()
// CHECK: qkernel.view %[[X]](%[[D]]) : memref<?x4xf32> to memref<?x2x2xf32>
// CHECK: qkernel.view %[[W]]() : tensor<2xi4> to memref<2xi8>
// CHECK: qkernel.list %[[L]](%[[D]], %[[D]]) : memref<2xi64>
// CHECK: qkernel.observe %[[X]] {id = 7 : i64} : memref<?x4xf32>
func.func @bufferized(%x: memref<?x4xf32>, %l: memref<2xi64>, %w: tensor<2xi4>, %d: index) {
  qkernel.check_size(%d) : memref<?x4xf32>
  %0 = qkernel.output_memory 1(%d) : memref<?x4xf32>
  %4 = qkernel.append_memory 2(%d) axis 0 : memref<?x4xf32, strided<[4, 1]>>
  qkernel.launch @relu(%x) to(%0 : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
  %n = qkernel.thread_count
  %t = memref.alloc(%n) : memref<?xi8>
  qkernel.launch @relu(%x) to(%0 : memref<?x4xf32>) step "map" with(%t : memref<?xi8>) : (memref<?x4xf32>) -> ()
  %1 = qkernel.view %x(%d) : memref<?x4xf32> to memref<?x2x2xf32>
  %2 = qkernel.view %w() : tensor<2xi4> to memref<2xi8>
  %3 = qkernel.list %l(%d, %d) : memref<2xi64>
  qkernel.observe %x {id = 7 : i64} : memref<?x4xf32>
  return
}
