// RUN: qopt-opt %s --qopt-convert-states --verify-each --split-input-file | FileCheck %s

// The codes and the scales that are added are two states; who read the floats
// decodes both, and dims are those of the codes.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[P:.*]]: tensor<1x2x?x16xi8> {qopt.dims = ["", "", "past", ""], qopt.name = "past", qopt.state = array<i64: 0, 2>}, %[[X:[a-z0-9]+]]: tensor<1x2x?x16xf32>, %[[PS:.*]]: tensor<1x2x?x1xf32> {qopt.dims = ["", "", "past", ""], qopt.name = "past.scale", qopt.state = array<i64: 3, 2>})
// CHECK-SAME: -> (tensor<1x2x?x16xi8> {qopt.name = "present"}, tensor<1x2x?x16xf32>, tensor<4xi64>, tensor<1x2x?x1xf32> {qopt.name = "present.scale"})
// CHECK: %[[C:.*]], %[[S:.*]] = qopt.quantize_dynamic %[[X]]
// CHECK: %[[R:.*]] = qopt.concat %[[P]], %[[C]] {axis = 2 : i64}
// CHECK: %[[RS:.*]] = qopt.concat %[[PS]], %[[S]] {axis = 2 : i64}
// CHECK: %[[D:.*]] = qopt.dequantize %[[R]] scales(%[[RS]])
// CHECK: %[[N:.*]] = qopt.neg %[[D]]
// CHECK: %[[L:.*]] = qopt.shape %[[R]]
// CHECK: return %[[R]], %[[N]], %[[L]], %[[RS]]
func.func @main(%past: tensor<1x2x?x16xf32> {qopt.dims = ["", "", "past", ""], qopt.name = "past", qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xf32> {qopt.name = "present"}, tensor<1x2x?x16xf32>, tensor<4xi64>) {
  %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
  %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>) -> tensor<1x2x?x16xf32>
  %0 = qopt.concat %past, %d {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %1 = qopt.neg %0 : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %2 = qopt.shape %0 {start = 0 : i64, end = 4 : i64} : (tensor<1x2x?x16xf32>) -> tensor<4xi64>
  return %0, %1, %2 : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<4xi64>
}

// -----

// Another tensor may have the name already: then both scales have the next one.
// CHECK-LABEL: func.func @taken
// CHECK-SAME: qopt.name = "past.scale.1", qopt.state = array<i64: 3, 2>}) -> ({{.*}} {qopt.name = "present"}, {{.*}} {qopt.name = "present.scale.1"})
func.func @taken(%past: tensor<1x2x?x16xf32> {qopt.dims = ["", "", "past", ""], qopt.name = "past", qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32> {qopt.name = "past.scale"}) -> (tensor<1x2x?x16xf32> {qopt.name = "present"}, tensor<1x2x?x16xf32>, tensor<4xi64>) {
  %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
  %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>) -> tensor<1x2x?x16xf32>
  %0 = qopt.concat %past, %d {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %1 = qopt.neg %0 : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %2 = qopt.shape %0 {start = 0 : i64, end = 4 : i64} : (tensor<1x2x?x16xf32>) -> tensor<4xi64>
  return %0, %1, %2 : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<4xi64>
}

// -----

// What floats are added to stays.
// CHECK-LABEL: func.func @floats
// CHECK-NOT: xi8>
func.func @floats(%past: tensor<?x16xf32> {qopt.state = array<i64: 0, 0>}, %x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %0 = qopt.concat %past, %x {axis = 0 : i64} : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// What is cast from f16 is kept so, with no other state beside it.
// CHECK-LABEL: func.func @halves
// CHECK-SAME: (%[[P:.*]]: tensor<?x16xf16> {qopt.state = array<i64: 0, 0>}, %[[X:.*]]: tensor<?x16xf16>) -> (tensor<?x16xf16>, tensor<?x16xf32>)
// CHECK: %[[R:.*]] = qopt.concat %[[P]], %[[X]] {axis = 0 : i64}
// CHECK: %[[D:.*]] = qopt.cast %[[R]] : (tensor<?x16xf16>) -> tensor<?x16xf32>
// CHECK: return %[[R]], %[[D]]
func.func @halves(%past: tensor<?x16xf32> {qopt.state = array<i64: 0, 0>}, %x: tensor<?x16xf16>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = qopt.cast %x : (tensor<?x16xf16>) -> tensor<?x16xf32>
  %1 = qopt.concat %past, %0 {axis = 0 : i64} : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %1, %1 : tensor<?x16xf32>, tensor<?x16xf32>
}
