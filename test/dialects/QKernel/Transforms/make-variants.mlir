// RUN: qopt-opt %s --qkernel-make-variants="target=x86-64 machines=x86-64-v3,x86-64-v4" | FileCheck %s
// RUN: qopt-opt %s --qkernel-make-variants="target=x86-64" | FileCheck %s --check-prefix=NONE
// RUN: echo 'func.func @other() { return }' | not qopt-opt --qkernel-make-variants 2>&1 | FileCheck %s --check-prefix=MAIN

// The program stays, and is first.

// CHECK: func.func @main(%[[X:.+]]: tensor<?x4xf32>
// CHECK: return %[[X]]
// CHECK: qkernel.variant @"x86-64-v3" <"x86-64", "x86-64-v3"> {
// CHECK-NEXT: func.func @main(%[[A:.+]]: tensor<?x4xf32> {qopt.name = "x"}) -> tensor<?x4xf32> {
// CHECK-NEXT: return %[[A]]
// CHECK: qkernel.variant @"x86-64-v4" <"x86-64", "x86-64-v4"> {
// CHECK-NEXT: func.func @main
// NONE: func.func @main
// NONE-NOT: qkernel.variant
func.func @main(%x: tensor<?x4xf32> {qopt.name = "x"}) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}

// MAIN: expects a function @main
