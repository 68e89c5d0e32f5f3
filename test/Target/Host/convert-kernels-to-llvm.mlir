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

// What is rounded to nearest even is converted by the instruction that rounds so.
// CHECK-LABEL: llvm.func @k0.round(
// CHECK-SAME: %[[X:.*]]: vector<16xf32>, %[[Y:.*]]: f32)
// CHECK: llvm.call_intrinsic "llvm.lrint"(%[[X]]) : (vector<16xf32>) -> vector<16xi32>
// CHECK: llvm.call_intrinsic "llvm.lrint"(%[[Y]]) : (f32) -> i32
// CHECK: llvm.fptosi %[[Y]] : f32 to i32
llvm.func @k0.round(%x: vector<16xf32>, %y: f32) {
  %0 = math.roundeven %x : vector<16xf32>
  %1 = arith.fptosi %0 : vector<16xf32> to vector<16xi32>
  %2 = math.roundeven %y : f32
  %3 = arith.fptosi %2 : f32 to i32
  %4 = arith.fptosi %y : f32 to i32
  llvm.return
}

// -----

// A loop that keeps a tile in registers turns often, whatever stands around it.
// CHECK-LABEL: llvm.func @k0.tile(
// CHECK: llvm.cond_br %{{.*}} weights([65536, 1]), ^bb2, ^bb3
// CHECK-NOT: weights
llvm.func @k0.tile(%n: i64, %p: !llvm.ptr) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  cf.br ^tile(%zero : i64)
^tile(%k: i64):
  %isInside = arith.cmpi slt, %k, %n : i64
  cf.cond_br %isInside, ^step, ^epilogue(%zero : i64)
^step:
  %next = arith.addi %k, %one : i64
  cf.br ^tile(%next : i64) {llvm.loop_annotation = #llvm.loop_annotation<unroll = <disable = true>>}
^epilogue(%i: i64):
  llvm.store %i, %p : i64, !llvm.ptr
  %after = arith.addi %i, %one : i64
  %isLeft = arith.cmpi slt, %after, %n : i64
  cf.cond_br %isLeft, ^epilogue(%after : i64), ^end
^end:
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
