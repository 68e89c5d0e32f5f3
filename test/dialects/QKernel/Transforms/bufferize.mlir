// RUN: qopt-opt %s --pass-pipeline='builtin.module(qkernel.variant(qkernel-bufferize))' --split-input-file --verify-diagnostics | FileCheck %s

// Tensors are memory, and what launches make is allocated in front of them. One
// size is checked once; the last launch writes the memory of the caller.
// CHECK-LABEL: qkernel.variant @launches
// CHECK: func.func @main(%[[X:.*]]: memref<?x4xf32> {qopt.name = "x"}) {
// CHECK: %[[D:.*]] = memref.dim %[[X]], %
// CHECK: qkernel.check_size(%[[D]]) : memref<?x4xf32>
// CHECK-NEXT: %[[A:.*]] = memref.alloc(%[[D]]) : memref<?x4xf32>
// CHECK-NEXT: qkernel.launch @k0.relu(%[[X]]) to(%[[A]] : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
// CHECK-NOT: qkernel.check_size
// CHECK: %[[B:.*]] = qkernel.output_memory 0(%[[D]]) : memref<?x4xf32>
// CHECK-NEXT: qkernel.launch @k0.relu(%[[A]]) to(%[[B]] : memref<?x4xf32>)
// CHECK-NEXT: memref.dealloc %[[A]] : memref<?x4xf32>
// CHECK-NEXT: return
// CHECK: func.func private @k0.relu(%{{.*}}: tensor<?x4xf32>) -> tensor<?x4xf32>
qkernel.variant @launches #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32> {qopt.name = "x"}) -> (tensor<?x4xf32> {qopt.name = "y"}) {
    %0 = qkernel.launch @k0.relu(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %1 = qkernel.launch @k0.relu(%0) {qkernel.outputs = array<i32: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    qkernel.free %0 : tensor<?x4xf32>
    return %1 : tensor<?x4xf32>
  }
  func.func private @k0.relu(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qopt.relu %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Constants stay tensors, also packed ones; codes have a byte each. A bare op is
// put into a function, beside those that are there.
// CHECK-LABEL: qkernel.variant @constants
// CHECK: %[[W:.*]] = qopt.constant(dense<1> : tensor<4xi4>)
// CHECK: %[[A:.*]] = memref.alloc() : memref<4xi8>
// CHECK-NEXT: qkernel.launch @k1.concat(%{{.*}}, %[[W]]) to(%[[A]] : memref<4xi8>) : (memref<0xi8>, tensor<4xi4>) -> ()
// CHECK: %[[V:.*]] = qkernel.view %[[W]]() : tensor<4xi4> to memref<4xi8>
// CHECK: %[[O:.*]] = qkernel.output_memory 0() : memref<4xi8>
// CHECK-NEXT: memref.copy %[[V]], %[[O]]
// CHECK: func.func private @k1.concat(%{{.*}}: tensor<0xi4>, %{{.*}}: tensor<4xi4>)
qkernel.variant @constants #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<0xi4>) -> tensor<4xi4> {
    %w = qopt.constant(dense<1> : tensor<4xi4>) : tensor<4xi4>
    %0 = qopt.concat %x, %w {axis = 0 : i64} : (tensor<0xi4>, tensor<4xi4>) -> tensor<4xi4>
    qkernel.free %0 : tensor<4xi4>
    qkernel.output %w at 0 : tensor<4xi4>
    return %w : tensor<4xi4>
  }
  func.func private @k0.other(%arg0: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qopt.neg %arg0 : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

// Dims of one name must be equal, and are one value afterwards. What must hold
// of operands ends the run; dims are computed by the formulas of types.
// CHECK-LABEL: qkernel.variant @dims
// CHECK: %[[N:.*]] = memref.dim %[[X:.*]], %{{.*}} : memref<?x3x?x8xf32>
// CHECK: %[[H:.*]] = memref.dim %[[X]], %{{.*}} : memref<?x3x?x8xf32>
// CHECK: %[[M:.*]] = memref.dim %{{.*}} : memref<?x?xf32>
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[M]], %[[N]] : index
// CHECK-NEXT: qkernel.require %[[SAME]] code 1 "inputs \22x\22 and \221\22 differ in \22n\22"
// CHECK: %[[SPAN:.*]] = arith.addi %[[H]], %{{.*}} : index
// CHECK: %[[P:.*]] = arith.divui %{{.*}} : index
// CHECK: memref.alloc(%[[N]], %[[P]]) : memref<?x3x?x4xf32>
// CHECK: memref.alloc(%[[N]], %{{.*}}) : memref<?x?xf32>
qkernel.variant @dims #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x3x?x8xf32> {qopt.name = "x", qopt.dims = ["n", "", "", ""]},
                  %y: tensor<?x?xf32> {qopt.dims = ["n", ""]}) {
    %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<?x3x?x8xf32>) -> tensor<?x3x?x4xf32>
    %1 = qopt.neg %y : (tensor<?x?xf32>) -> tensor<?x?xf32>
    return
  }
}

// -----

// Shape arithmetic is followed, so the dims of the result are those of the
// argument. What takes a list that was asked for sees its elements.
// CHECK-LABEL: qkernel.variant @lists
// CHECK: %[[D:.*]] = memref.dim %[[X:.*]], %{{.*}} : memref<?x4xf32>
// CHECK: %[[L:.*]] = memref.alloc() : memref<2xi64>
// CHECK-NEXT: qkernel.launch @k0.shape(%[[X]]) to(%[[L]] : memref<2xi64>)
// CHECK-NOT: memref.load
// CHECK: %[[S:.*]] = qkernel.list %[[L]](%[[D]], %{{.*}}) : memref<2xi64>
// CHECK: %[[A:.*]] = memref.alloc(%[[D]]) : memref<?x4xf32>
// CHECK-NEXT: qkernel.launch @k1.expand(%{{.*}}, %[[S]]) to(%[[A]]
qkernel.variant @lists #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %y: tensor<1xf32>) {
    %s = qopt.shape %x {start = 0 : i64, end = 2 : i64} : (tensor<?x4xf32>) -> tensor<2xi64>
    %0 = qopt.expand %y, %s : (tensor<1xf32>, tensor<2xi64>) -> tensor<?x4xf32>
    return
  }
}

// -----

// What is added to a state lies where the state does, with slots behind it; who
// reads it is given just that.
// CHECK-LABEL: qkernel.variant @states
// CHECK: func.func @main(%[[P:.*]]: memref<2x?x4xf32> {{.*}}, %[[X:.*]]: memref<2x1x4xf32>
// CHECK: %[[D:.*]] = arith.addi
// CHECK: %[[M:.*]] = qkernel.append_memory 0(%[[D]]) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
// CHECK-NEXT: qkernel.launch @k0.concat(%[[P]], %[[X]]) to(%[[M]] : memref<2x?x4xf32, strided<[?, 4, 1]>>)
// CHECK: qkernel.launch @k1.attention(%[[X]], %[[M]])
qkernel.variant @states #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x1x4xf32>) -> (tensor<2x?x4xf32>, tensor<2x1x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qkernel.append, qkernel.outputs = array<i32: 0>} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    %1 = qkernel.attention(%x, %0) {qkernel.outputs = array<i32: 1>} : (tensor<2x1x4xf32>, tensor<2x?x4xf32>) -> tensor<2x1x4xf32> (%q: tensor<2x1x4xf32>, %k: tensor<2x?x4xf32>) {
      %2 = qopt.attention %q, %k, %k {scale = 1.0 : f32} : (tensor<2x1x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x1x4xf32>
      qkernel.yield %2 : tensor<2x1x4xf32>
    }
    return %0, %1 : tensor<2x?x4xf32>, tensor<2x1x4xf32>
  }
}

// -----

// Elements that nothing tells of are loaded, once. A view whose number of
// elements may differ is checked, and shares the memory of its operand.
// CHECK-LABEL: qkernel.variant @views
// CHECK: %[[D:.*]] = memref.dim %[[X:.*]], %{{.*}} : memref<?x4xf32>
// CHECK: %[[L:.*]] = memref.load %[[S:.*]][%{{.*}}] : memref<1xi32>
// CHECK-NEXT: %[[N:.*]] = arith.index_cast %[[L]] : i32 to index
// CHECK: qkernel.check_size(%[[D]]) : memref<?x4xf32>
// CHECK: qkernel.require %{{.*}} code 1 "a reshape changes the number of elements"
// CHECK: %[[V:.*]] = qkernel.view %[[X]](%{{.*}}) : memref<?x4xf32> to memref<?xf32>
// CHECK-NOT: memref.load
// CHECK: qkernel.require
// CHECK: qkernel.view %[[X]](%{{.*}}) : memref<?x4xf32> to memref<?x1xf32>
// CHECK-NOT: qkernel.require
// CHECK: qkernel.view %[[X]](%[[D]]) : memref<?x4xf32> to memref<?x1x4xf32>
qkernel.variant @views #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?x4xf32>, %s: tensor<1xi32>) {
    %m = qkernel.map(%s) : (tensor<1xi32>) -> tensor<1xi64> (%a: tensor<1xi32>) {
      %3 = qopt.cast %a : (tensor<1xi32>) -> tensor<1xi64>
      qkernel.yield %3 : tensor<1xi64>
    }
    %0 = qopt.reshape %x, %m : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<?xf32>
    %o = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
    %t = qopt.concat %m, %o {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
    %1 = qopt.reshape %x, %t : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x1xf32>
    %2 = qopt.unsqueeze %x {axes = array<i64: 1>} : (tensor<?x4xf32>) -> tensor<?x1x4xf32>
    qkernel.output %0 at 0 : tensor<?xf32>
    qkernel.output %1 at 1 : tensor<?x1xf32>
    qkernel.output %2 at 2 : tensor<?x1x4xf32>
    return
  }
}

// -----

// Regions carry memory, whose dims are asked of it; what was found out in one
// branch is not known in the other. Memory that a branch hands on has its copy.
// CHECK-LABEL: qkernel.variant @branches
// CHECK: %[[X:.*]]: memref<?xf32>, %[[T:.*]]: memref<i8>
// CHECK: %[[B:.*]] = memref.load %[[T]][] : memref<i8>
// CHECK: %[[C:.*]] = arith.cmpi ne, %[[B]], %{{.*}} : i8
// CHECK: %[[R:.*]] = scf.if %[[C]] -> (memref<?xf32>) {
// CHECK: qkernel.check_size
// CHECK: %[[Y:.*]] = memref.alloc
// CHECK: memref.copy %[[X]], %[[Y]]
// CHECK: scf.yield %[[Y]] : memref<?xf32>
// CHECK: } else {
// CHECK: qkernel.check_size
// CHECK: qkernel.launch @k0.neg
// CHECK: scf.yield %{{.*}} : memref<?xf32>
// CHECK: %[[D:.*]] = memref.dim %[[R]], %{{.*}} : memref<?xf32>
// CHECK: memref.alloc(%[[D]])
// CHECK: memref.dealloc %[[R]]
qkernel.variant @branches #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<?xf32>, %t: tensor<i1>) {
    %c = tensor.extract %t[] : tensor<i1>
    %0 = scf.if %c -> (tensor<?xf32>) {
      %1 = qkernel.copy %x : tensor<?xf32>
      scf.yield %1 : tensor<?xf32>
    } else {
      %1 = qopt.neg %x : (tensor<?xf32>) -> tensor<?xf32>
      scf.yield %1 : tensor<?xf32>
    }
    %2 = qopt.neg %0 : (tensor<?xf32>) -> tensor<?xf32>
    qkernel.free %0 : tensor<?xf32>
    return
  }
}

// -----

// Loops check their step; lists of scalars are stored one by one, and known.
// CHECK-LABEL: qkernel.variant @loops
// CHECK: %[[STEP:.*]] = arith.constant 1 : i64
// CHECK-NOT: "the step of a loop
// CHECK: scf.for %{{.*}} iter_args(%[[A:.*]] = %{{.*}}) -> (memref<4xf32>) : i64 {
// CHECK: scf.yield
// CHECK: "the step of a loop is not above 0"
// CHECK: scf.for %{{.*}} : i64 {
// CHECK-NEXT: qkernel.observe %{{.*}} {id = 2 : i64}
// CHECK: scf.while {{.*}} : (i64) -> i64
// CHECK: scf.condition
// CHECK: %[[L:.*]] = memref.alloc() : memref<1xi64>
// CHECK: memref.store %{{.*}}, %[[L]][%{{.*}}] : memref<1xi64>
// CHECK: qkernel.observe %[[L]] {id = 3 : i64} : memref<1xi64>
qkernel.variant @loops #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>, %n: tensor<i64>) {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %l = tensor.extract %n[] : tensor<i64>
    %i = qkernel.copy %x : tensor<4xf32>
    %0 = scf.for %k = %c0 to %l step %c1 iter_args(%a = %i) -> (tensor<4xf32>) : i64 {
      %1 = qopt.neg %a : (tensor<4xf32>) -> tensor<4xf32>
      qkernel.free %a : tensor<4xf32>
      scf.yield %1 : tensor<4xf32>
    }
    scf.for %k = %c0 to %l step %l : i64 {
      qopt.observe %x {id = 2 : i64} : tensor<4xf32>
    }
    %2 = scf.while (%k = %c0) : (i64) -> i64 {
      %3 = arith.cmpi slt, %k, %l : i64
      scf.condition(%3) %k : i64
    } do {
    ^bb0(%k: i64):
      %3 = arith.addi %k, %c1 : i64
      scf.yield %3 : i64
    }
    %e = tensor.from_elements %2 : tensor<1xi64>
    qopt.observe %e {id = 3 : i64} : tensor<1xi64>
    return
  }
}

// -----

qkernel.variant @steps #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) {
    // expected-error @+1 {{'qopt.slice' op has no kernel: steps are not constant}}
    %0 = qopt.slice %x, %i, %i, %i {axes = array<i64: 0>, qopt.kernel = "generic", qopt.reason = "steps are not constant"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return
  }
}

// -----

qkernel.variant @unknown #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) {
    // expected-error @+1 {{'qopt.slice' op has no kernel: its dims are not known}}
    %0 = qopt.slice %x, %i, %i, %i {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
    return
  }
}

// -----

qkernel.variant @other #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xf32>) {
    // expected-error @+1 {{'tensor.empty' op is no op of a program}}
    %0 = tensor.empty() : tensor<4xf32>
    return
  }
}

// -----

qkernel.variant @tensors #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<4xi64>) {
    // expected-error @+1 {{'arith.addi' op is no op of a program}}
    %0 = arith.addi %x, %x : tensor<4xi64>
    return
  }
}

// -----

qkernel.variant @blocks #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error @+1 {{expects a function of one block on ranked tensors}}
  func.func @main() {
    cf.br ^bb1
  ^bb1:
    return
  }
}

// -----

qkernel.variant @pointers #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error @+1 {{expects a function of one block on ranked tensors}}
  func.func @main(%p: !llvm.ptr) {
    return
  }
}

// -----

// Of how many numbers a list is must be known.
qkernel.variant @any_number #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: tensor<8xf32>, %s: tensor<?xi64>) {
    // expected-error @+1 {{'qopt.reshape' op has dims that follow from nothing known}}
    %0 = qopt.reshape %x, %s {qopt.kernel = "x86-64.reshape"} : (tensor<8xf32>, tensor<?xi64>) -> tensor<?x?xf32>
    qkernel.output %0 at 0 : tensor<?x?xf32>
    return
  }
}
