// RUN: qopt-opt %s --convert-kernels-to-llvm --split-input-file --verify-diagnostics | FileCheck %s

// Functions stay as they are; what they hold is LLVM's.
// CHECK-LABEL: llvm.func @k0.add(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr, %[[I:.*]]: i64, %[[N:.*]]: i64)
// CHECK: llvm.add %[[I]], %[[N]] : i64
// CHECK: llvm.intr.fmuladd
// CHECK: llvm.br ^bb1
llvm.func @k0.add(%p: !llvm.ptr, %i: i64, %n: i64) {
  %0 = arith.addi %i, %n : i64
  %1 = llvm.load %p : !llvm.ptr -> vector<16xf32>
  %2 = vector.fma %1, %1, %1 : vector<16xf32>
  cf.br ^next
^next:
  llvm.return
}

// -----

llvm.func @k0.exp(%x: f32) {
  // expected-error @+1 {{'llvm.intr.exp' op would need a math library}}
  %0 = math.exp %x : f32
  llvm.return
}

// -----

// Loops must be gone before.
llvm.func @k0.loop(%n: i64) {
  %c = arith.constant 1 : i64
  // expected-error @+1 {{failed to legalize operation 'scf.for'}}
  scf.for %i = %c to %n step %c : i64 {
  }
  llvm.return
}
