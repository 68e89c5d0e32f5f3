// RUN: split-file %s %t
// RUN: not qopt-compile %t/steps.mlir --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=STEPS
// RUN: not qopt-compile %t/zero.mlir --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not qopt-compile %t/float.mlir --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=FLOAT
// RUN: not qopt-compile %t/unsigned.mlir --start-from=import -o %t/m.so 2>&1 | FileCheck %s --check-prefix=UNSIGNED
// RUN: not ls %t/m.so

// What a program may say and no CPU runs ends a compile with the op, and no file
// is left.

//--- steps.mlir
// STEPS: steps.mlir: line 3: 'qopt.slice' op has no kernel: steps are not constant
func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
  %0 = qopt.slice %x, %i, %i, %i {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- zero.mlir
// ZERO: zero.mlir: line {{[0-9]+}}: 'qopt.slice' op has no kernel: a step is 0
func.func @main(%x: tensor<8xf32>, %i: tensor<1xi64>) -> tensor<?xf32> {
  %s = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %0 = qopt.slice %x, %i, %i, %s {axes = array<i64: 0>} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- float.mlir
// FLOAT: 'arith.constant' op has no CPU kernel for 'f32'
func.func @main(%x: tensor<f32>) -> tensor<2xf32> {
  %0 = tensor.extract %x[] : tensor<f32>
  %1 = arith.constant 1.0 : f32
  %2 = tensor.from_elements %0, %1 : tensor<2xf32>
  return %2 : tensor<2xf32>
}

//--- unsigned.mlir
// UNSIGNED: 'scf.for' op compares without sign, which no CPU kernel does
func.func @main(%n: tensor<i64>) -> tensor<i64> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %l = tensor.extract %n[] : tensor<i64>
  %0 = scf.for unsigned %i = %c0 to %l step %c1 iter_args(%a = %n) -> (tensor<i64>) : i64 {
    scf.yield %a : tensor<i64>
  }
  return %0 : tensor<i64>
}
