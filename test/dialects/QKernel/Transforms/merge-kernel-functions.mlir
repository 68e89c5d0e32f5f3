// RUN: qopt-opt %s --pass-pipeline="builtin.module(qkernel.variant(qkernel-merge-kernel-functions))" --split-input-file | FileCheck %s

// Equal functions are merged, calls and addresses follow.

qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  // CHECK-LABEL: llvm.func @main
  // CHECK-SAME: (%[[X:.+]]: !llvm.ptr, %[[Y:.+]]: !llvm.ptr)
  llvm.func @main(%x: !llvm.ptr, %y: !llvm.ptr) -> !llvm.ptr {
    // CHECK: llvm.call @k0.map(%[[X]])
    // CHECK: llvm.call @k0.map(%[[Y]])
    // CHECK: llvm.mlir.addressof @k0.map
    llvm.call @k0.map(%x) : (!llvm.ptr) -> ()
    llvm.call @k1.map(%y) : (!llvm.ptr) -> ()
    %0 = llvm.mlir.addressof @k1.map : !llvm.ptr
    llvm.return %0 : !llvm.ptr
  }
  // CHECK: llvm.func internal @k0.map
  llvm.func internal @k0.map(%p: !llvm.ptr) {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c8 = arith.constant 8 : i64
    scf.for %i = %c0 to %c8 step %c1 : i64 {
      llvm.store %i, %p : i64, !llvm.ptr
    }
    llvm.return
  }
  // CHECK-NOT: llvm.func
  llvm.func internal @k1.map(%p: !llvm.ptr) {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c8 = arith.constant 8 : i64
    scf.for %i = %c0 to %c8 step %c1 : i64 {
      llvm.store %i, %p : i64, !llvm.ptr
    }
    llvm.return
  }
}

// -----

// Functions that differ in a constant, in the values that an op uses, or in an
// attribute stay apart.

qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  // CHECK-LABEL: llvm.func internal @constant7
  // CHECK: llvm.func internal @constant8
  // CHECK: llvm.func internal @difference
  // CHECK: llvm.func internal @reversed
  // CHECK: llvm.func internal @inlined
  llvm.func internal @constant7() -> i64 {
    %0 = llvm.mlir.constant(7 : i64) : i64
    llvm.return %0 : i64
  }
  llvm.func internal @constant8() -> i64 {
    %0 = llvm.mlir.constant(8 : i64) : i64
    llvm.return %0 : i64
  }
  llvm.func internal @difference(%a: i64, %b: i64) -> i64 {
    %0 = llvm.sub %a, %b : i64
    llvm.return %0 : i64
  }
  llvm.func internal @reversed(%a: i64, %b: i64) -> i64 {
    %0 = llvm.sub %b, %a : i64
    llvm.return %0 : i64
  }
  llvm.func internal @inlined(%a: i64, %b: i64) -> i64 attributes {no_inline} {
    %0 = llvm.sub %a, %b : i64
    llvm.return %0 : i64
  }
}

// -----

// What others may call keeps its name.

qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  // CHECK-LABEL: llvm.func @main.v3
  // CHECK: llvm.func @main.v4
  // CHECK: llvm.func @qopt_rt_free
  // CHECK: llvm.func @qopt_rt_alloc
  llvm.func @main.v3() { llvm.return }
  llvm.func @main.v4() { llvm.return }
  llvm.func @qopt_rt_free(!llvm.ptr)
  llvm.func @qopt_rt_alloc(!llvm.ptr)
}
