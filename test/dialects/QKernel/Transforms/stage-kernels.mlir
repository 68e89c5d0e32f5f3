// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-stage))' --split-input-file --verify-diagnostics | FileCheck %s

// A sample is quantized by the largest magnitude of all its pieces: one launch
// finds those, the next one reads them.
// CHECK-LABEL: qkernel.variant @steps
// CHECK: %[[Q:.*]] = qkernel.output_memory 0()
// CHECK-NEXT: %[[S:.*]] = qkernel.output_memory 1()
// CHECK-NEXT: %[[M:.*]] = memref.alloc() : memref<80xi8>
// CHECK-NEXT: qkernel.launch @k0.quantize_dynamic(%{{.*}}) to(%[[Q]], %[[S]] : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%[[M]] : memref<80xi8>) : (memref<2x9000xf32>) -> ()
// CHECK-NEXT: qkernel.launch @k0.quantize_dynamic(%{{.*}}) to(%[[Q]], %[[S]] : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%[[M]] : memref<80xi8>) : (memref<2x9000xf32>) -> ()
// CHECK-NEXT: memref.dealloc %[[M]] : memref<80xi8>
// CHECK-NEXT: return
qkernel.variant @steps #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %0 = qkernel.output_memory 0() : memref<2x9000xi8>
    %1 = qkernel.output_memory 1() : memref<2x1xf32>
    qkernel.launch @k0.quantize_dynamic(%x) to(%0, %1 : memref<2x9000xi8>, memref<2x1xf32>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @k0.quantize_dynamic(%arg0: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%arg0) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// Keys are transposed to 64 at a time, then the rows are walked with memory for
// each thread. The size of either is arithmetic on dims.
// CHECK-LABEL: qkernel.variant @dims
// CHECK: func.func @main(%[[X:.*]]: memref<2x?x8xf32>)
// CHECK: %[[D:.*]] = memref.dim %[[X]], %
// CHECK: %[[N:.*]] = arith.index_cast %[[D]] : index to i64
// CHECK: %[[KB:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: %[[K:.*]] = memref.alloc(%[[KB]]) : memref<?xi8>
// CHECK: qkernel.launch @k0.attention(%[[X]], %[[X]], %[[X]]) to(%{{.*}}) step "transpose_keys" with(%[[K]] : memref<?xi8>)
// CHECK: %[[T:.*]] = qkernel.thread_count
// CHECK: %[[S:.*]] = memref.alloc(%{{.*}}) : memref<?xi8>
// CHECK-NEXT: qkernel.launch @k0.attention(%[[X]], %[[X]], %[[X]]) to(%{{.*}}) step "attention" with(%[[K]], %[[S]] : memref<?xi8>, memref<?xi8>)
// CHECK-DAG: memref.dealloc %[[K]]
// CHECK-DAG: memref.dealloc %[[S]]
// CHECK: return
qkernel.variant @dims #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x?x8xf32>) {
    %c1 = arith.constant 1 : index
    %d = memref.dim %x, %c1 : memref<2x?x8xf32>
    %0 = qkernel.output_memory 0(%d) : memref<2x?x8xf32>
    qkernel.launch @k0.attention(%x, %x, %x) to(%0 : memref<2x?x8xf32>) : (memref<2x?x8xf32>, memref<2x?x8xf32>, memref<2x?x8xf32>) -> ()
    return
  }
  func.func private @k0.attention(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
    %0 = qkernel.attention(%q, %k, %v) {kernel = "x86-64.attention"} : (tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32> (%a: tensor<2x?x8xf32>, %b: tensor<2x?x8xf32>, %c: tensor<2x?x8xf32>) {
      %1 = qopt.attention %a, %b, %c {scale = 0.25 : f32} : (tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
      qkernel.yield %1 : tensor<2x?x8xf32>
    }
    return %0 : tensor<2x?x8xf32>
  }
}

// -----

// Memory ends behind the last step that uses it: padded rows are no longer
// needed when their epilogue runs. What must hold of dims is said once.
// CHECK-LABEL: qkernel.variant @ends
// CHECK: %[[T:.*]] = memref.alloc() : memref<144xi8>
// CHECK: %[[S:.*]] = memref.alloc(%{{.*}}) : memref<?xi8>
// CHECK-NEXT: qkernel.launch @k0.reduce(%{{.*}}) to(%{{.*}}) step "reduce" with(%[[T]], %[[S]] : memref<144xi8>, memref<?xi8>)
// CHECK-NEXT: memref.dealloc %[[S]]
// CHECK: qkernel.launch @k0.reduce(%{{.*}}) to(%{{.*}}) step "reduce_epilogue" with(%[[T]] : memref<144xi8>)
// CHECK-NEXT: memref.dealloc %[[T]]
qkernel.variant @ends #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4x32xf32>) {
    %0 = qkernel.output_memory 0() : memref<4xf32>
    qkernel.launch @k0.reduce(%x) to(%0 : memref<4xf32>) : (memref<4x32xf32>) -> ()
    return
  }
  func.func private @k0.reduce(%arg0: tensor<4x32xf32>) -> tensor<4xf32> {
    %0 = qkernel.rows(%arg0) {kernel = "x86-64.rows"} : (tensor<4x32xf32>) -> tensor<4xf32> (%a: tensor<4x32xf32>) {
      %1 = qopt.reduce %a {axes = array<i64: 1>, keepdims = false, kind = #qopt.kind<sum>} : (tensor<4x32xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

// A kernel without memory of its own is a launch as before, and so is one that
// was staged.
// CHECK-LABEL: qkernel.variant @leaves
// CHECK: func.func @main
// CHECK-NOT: memref.alloc
// CHECK: qkernel.launch @k0.relu(%{{.*}}) to(%[[A:.*]] : memref<4xf32>) : (memref<4xf32>) -> ()
// CHECK-NEXT: qkernel.launch @k0.relu(%{{.*}}) to(%[[A]] : memref<4xf32>) step "map" : (memref<4xf32>) -> ()
// CHECK-NEXT: return
qkernel.variant @leaves #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>) {
    %0 = qkernel.output_memory 0() : memref<4xf32>
    qkernel.launch @k0.relu(%x) to(%0 : memref<4xf32>) : (memref<4xf32>) -> ()
    qkernel.launch @k0.relu(%x) to(%0 : memref<4xf32>) step "map" : (memref<4xf32>) -> ()
    return
  }
  func.func private @k0.relu(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qkernel.map(%arg0) {kernel = "x86-64.map"} : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
      %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

// Where there is no element, nothing is launched.
// CHECK-LABEL: qkernel.variant @empty
// CHECK: qkernel.output_memory
// CHECK-NOT: step
// CHECK: return
qkernel.variant @empty #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x0x8xf32>) {
    %0 = qkernel.output_memory 0() : memref<2x0x8xf32>
    qkernel.launch @k0.attention(%x, %x, %x) to(%0 : memref<2x0x8xf32>) : (memref<2x0x8xf32>, memref<2x0x8xf32>, memref<2x0x8xf32>) -> ()
    return
  }
  func.func private @k0.attention(%q: tensor<2x0x8xf32>, %k: tensor<2x0x8xf32>, %v: tensor<2x0x8xf32>) -> tensor<2x0x8xf32> {
    %0 = qkernel.attention(%q, %k, %v) {kernel = "x86-64.attention"} : (tensor<2x0x8xf32>, tensor<2x0x8xf32>, tensor<2x0x8xf32>) -> tensor<2x0x8xf32> (%a: tensor<2x0x8xf32>, %b: tensor<2x0x8xf32>, %c: tensor<2x0x8xf32>) {
      %1 = qopt.attention %a, %b, %c {scale = 0.25 : f32} : (tensor<2x0x8xf32>, tensor<2x0x8xf32>, tensor<2x0x8xf32>) -> tensor<2x0x8xf32>
      qkernel.yield %1 : tensor<2x0x8xf32>
    }
    return %0 : tensor<2x0x8xf32>
  }
}

// -----

qkernel.variant @unknown #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<4xf32>) {
    %0 = qkernel.output_memory 0() : memref<4xf32>
    // expected-error @below {{'qkernel.launch' op runs an op whose kernel is not known here}}
    qkernel.launch @k0.relu(%x) to(%0 : memref<4xf32>) : (memref<4xf32>) -> ()
    return
  }
  func.func private @k0.relu(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qkernel.map(%arg0) {kernel = "x86-64.relu"} : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
      %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

// expected-error @below {{'qkernel.variant' op x86-64 has no machine "z80"}}
qkernel.variant @machine #qkernel.target<"x86-64", "z80"> {
  func.func @main() {
    return
  }
}
