// RUN: qopt-opt %s --qopt-round-states --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-round-states=format=f16 --verify-each --split-input-file | FileCheck --check-prefix=HALF %s

// Only what is added is rounded, each row by itself.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[P:.*]]: tensor<1x2x?x16xf32> {{.*}}, %[[X:.*]]: tensor<1x2x?x16xf32>)
// CHECK: %[[C:.*]], %[[S:.*]] = qopt.quantize_dynamic %[[X]] {format = #qopt.format<i8>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
// CHECK: %[[D:.*]] = qopt.dequantize %[[C]] scales(%[[S]]) {format = #qopt.format<i8>}
// CHECK: %[[R:.*]] = qopt.concat %[[P]], %[[D]] {axis = 2 : i64}
// CHECK: return %[[R]]
// HALF-LABEL: func.func @main
// HALF-SAME: (%[[P:.*]]: tensor<1x2x?x16xf32> {{.*}}, %[[X:.*]]: tensor<1x2x?x16xf32>)
// HALF: %[[H:.*]] = qopt.cast %[[X]] : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf16>
// HALF: %[[D:.*]] = qopt.cast %[[H]] : (tensor<1x2x?x16xf16>) -> tensor<1x2x?x16xf32>
// HALF: qopt.concat %[[P]], %[[D]] {axis = 2 : i64}
func.func @main(%past: tensor<1x2x?x16xf32> {qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
  %0 = qopt.concat %past, %x {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  return %0 : tensor<1x2x?x16xf32>
}

// -----

// Not other types, not along the last axis, not in front of the past, not where
// the past is read, and nothing that is no state.
// CHECK-LABEL: func.func @reasons
// CHECK-NOT: qopt.quantize_dynamic
// HALF-LABEL: func.func @reasons
// HALF-NOT: qopt.cast
func.func @reasons(%a: tensor<2x?x4xf16> {qopt.state = array<i64: 0, 1>}, %b: tensor<2x?xf32> {qopt.state = array<i64: 1, 1>}, %c: tensor<?x4xf32> {qopt.state = array<i64: 2, 0>}, %d: tensor<?x4xf32> {qopt.state = array<i64: 3, 0>}, %e: tensor<?x4xf32>, %x: tensor<2x?x4xf16>, %y: tensor<2x?xf32>, %z: tensor<?x4xf32>) -> (tensor<2x?x4xf16>, tensor<2x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %0 = qopt.concat %a, %x {axis = 1 : i64} : (tensor<2x?x4xf16>, tensor<2x?x4xf16>) -> tensor<2x?x4xf16>
  %1 = qopt.concat %b, %y {axis = 1 : i64} : (tensor<2x?xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
  %2 = qopt.concat %z, %c {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = qopt.concat %d, %z {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = qopt.neg %d : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = qopt.concat %e, %z {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x?x4xf16>, tensor<2x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}
