// RUN: qopt-opt %s --qkernel-lower-checks --verify-diagnostics --split-input-file | FileCheck %s

// A check with a message returns what the runtime says.
// CHECK: llvm.func @qopt_rt_fail(!llvm.ptr, i32, !llvm.ptr) -> i32
// CHECK-LABEL: llvm.func @main(
// CHECK-SAME: %[[CONTEXT:.*]]: !llvm.ptr, %[[HOLDS:.*]]: i1)
// CHECK: cf.cond_br %[[HOLDS]], ^[[NEXT:.*]], ^[[FAIL:.*]]
// CHECK: ^[[NEXT]]:
// CHECK: ^[[FAIL]]:
// CHECK: %[[CODE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK: %[[TEXT:.*]] = llvm.mlir.addressof @text.0
// CHECK: %[[STATUS:.*]] = llvm.call @qopt_rt_fail(%[[CONTEXT]], %[[CODE]], %[[TEXT]])
// CHECK: llvm.return %[[STATUS]]
// CHECK: llvm.mlir.global internal constant @text.0("the dims differ\00")
llvm.func @main(%context: !llvm.ptr, %holds: i1) -> i32 {
  qkernel.require %holds code 1 "the dims differ"
  %0 = llvm.mlir.constant(0 : i32) : i32
  llvm.return %0 : i32
}

// -----

// Equal messages are stored once, and what returns a code stands once, at the
// end. Blocks stand in the order of the checks.
// CHECK-LABEL: llvm.func @main(
// CHECK: cf.cond_br %{{.*}}, ^bb1, ^bb2
// CHECK: ^bb1:
// CHECK: cf.cond_br %{{.*}}, ^bb3, ^bb7
// CHECK: ^bb2:
// CHECK: addressof @text.0
// CHECK: ^bb3:
// CHECK: cf.cond_br %{{.*}}, ^bb4, ^bb7
// CHECK: ^bb4:
// CHECK: cf.cond_br %{{.*}}, ^bb5, ^bb6
// CHECK: ^bb6:
// CHECK: addressof @text.0
// CHECK: ^bb7:
// CHECK: %[[CODE:.*]] = llvm.mlir.constant(4 : i32)
// CHECK-NEXT: llvm.return %[[CODE]]
// CHECK-COUNT-1: llvm.mlir.global
// CHECK-NOT: llvm.mlir.global
llvm.func @main(%context: !llvm.ptr, %a: i1, %b: i1, %c: i1) -> i32 {
  qkernel.require %a code 1 "no"
  qkernel.require %b code 4
  qkernel.require %c code 4
  qkernel.require %a code 1 "no"
  %0 = llvm.mlir.constant(0 : i32) : i32
  llvm.return %0 : i32
}

// -----

// A status is returned as it is.
// CHECK-LABEL: llvm.func @main(
// CHECK-SAME: %{{.*}}: !llvm.ptr, %[[HOLDS:.*]]: i1, %[[STATUS:.*]]: i32)
// CHECK: cf.cond_br %[[HOLDS]], ^bb1, ^[[FAIL:bb2]]
// CHECK: ^[[FAIL]]:
// CHECK-NEXT: llvm.return %[[STATUS]]
llvm.func @main(%context: !llvm.ptr, %holds: i1, %s: i32) -> i32 {
  qkernel.require %holds status %s
  %0 = llvm.mlir.constant(0 : i32) : i32
  llvm.return %0 : i32
}

// -----

// Nothing returns out of the middle of another op.
llvm.func @main(%context: !llvm.ptr, %holds: i1) -> i32 {
  scf.if %holds {
    // expected-error @+1 {{'qkernel.require' op stands in a region of 'scf.if'}}
    qkernel.require %holds code 4
  }
  %0 = llvm.mlir.constant(0 : i32) : i32
  llvm.return %0 : i32
}
