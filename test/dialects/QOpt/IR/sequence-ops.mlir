// RUN: qopt-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// Every op of sequences and optionals has the same text after it was read. What
// their definitions ask of operands follows, a case for each condition.

// CHECK-LABEL: @all
func.func @all(%x: tensor<4x8xf32>, %y: tensor<2x8xf32>, %i: tensor<i64>, %sizes: tensor<2xi64>) {
  // CHECK: qopt.sequence_construct : () -> !qopt.sequence<tensor<*xf32>>
  %0 = qopt.sequence_construct : () -> !qopt.sequence<tensor<*xf32>>
  // CHECK: qopt.sequence_construct %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<2x8xf32>) -> !qopt.sequence<tensor<?x8xf32>>
  %1 = qopt.sequence_construct %x, %y : (tensor<4x8xf32>, tensor<2x8xf32>) -> !qopt.sequence<tensor<?x8xf32>>
  // CHECK: qopt.sequence_insert %{{.*}}, %{{.*}} :
  %2 = qopt.sequence_insert %0, %x : (!qopt.sequence<tensor<*xf32>>, tensor<4x8xf32>) -> !qopt.sequence<tensor<?x8xf32>>
  // CHECK: qopt.sequence_insert %{{.*}}, %{{.*}}, %{{.*}} :
  %3 = qopt.sequence_insert %1, %x, %i : (!qopt.sequence<tensor<?x8xf32>>, tensor<4x8xf32>, tensor<i64>) -> !qopt.sequence<tensor<?x8xf32>>
  // CHECK: qopt.sequence_erase
  %4 = qopt.sequence_erase %3, %i : (!qopt.sequence<tensor<?x8xf32>>, tensor<i64>) -> !qopt.sequence<tensor<?x8xf32>>
  // CHECK: qopt.sequence_at
  %5 = qopt.sequence_at %4, %i : (!qopt.sequence<tensor<?x8xf32>>, tensor<i64>) -> tensor<?x8xf32>
  // CHECK: qopt.sequence_length
  %6 = qopt.sequence_length %4 : (!qopt.sequence<tensor<?x8xf32>>) -> tensor<i64>
  // CHECK: qopt.split_to_sequence {{.*}} {axis = 0 : i64, keepdims = true}
  %7 = qopt.split_to_sequence %x, %sizes {axis = 0 : i64, keepdims = true} : (tensor<4x8xf32>, tensor<2xi64>) -> !qopt.sequence<tensor<?x8xf32>>
  // CHECK: qopt.split_to_sequence {{.*}} {axis = 0 : i64, keepdims = false}
  %8 = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = false} : (tensor<4x8xf32>) -> !qopt.sequence<tensor<8xf32>>
  // CHECK: qopt.concat_from_sequence {{.*}} {axis = 0 : i64, new_axis = true}
  %9 = qopt.concat_from_sequence %8 {axis = 0 : i64, new_axis = true} : (!qopt.sequence<tensor<8xf32>>) -> tensor<?x8xf32>
  // CHECK: qopt.optional %{{.*}} : (!qopt.sequence<tensor<?x8xf32>>) -> !qopt.optional<!qopt.sequence<tensor<?x8xf32>>>
  %10 = qopt.optional %1 : (!qopt.sequence<tensor<?x8xf32>>) -> !qopt.optional<!qopt.sequence<tensor<?x8xf32>>>
  // CHECK: qopt.optional : () -> !qopt.optional<tensor<4x8xf32>>
  %11 = qopt.optional : () -> !qopt.optional<tensor<4x8xf32>>
  // CHECK: qopt.optional_has_element
  %12 = qopt.optional_has_element %11 : (!qopt.optional<tensor<4x8xf32>>) -> tensor<i1>
  // CHECK: qopt.optional_get_element
  %13 = qopt.optional_get_element %10 : (!qopt.optional<!qopt.sequence<tensor<?x8xf32>>>) -> !qopt.sequence<tensor<?x8xf32>>
  return
}

// -----

func.func @construct(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{failed to verify that tensors have the element type and dims of the sequence's}}
  %0 = qopt.sequence_construct %x : (tensor<4x8xf32>) -> !qopt.sequence<tensor<?x4xf32>>
  return
}

// -----

func.func @at_type(%s: !qopt.sequence<tensor<?xf32>>, %i: tensor<i64>) {
  // expected-error @+1 {{failed to verify that tensors have the element type and dims of the sequence's}}
  %0 = qopt.sequence_at %s, %i : (!qopt.sequence<tensor<?xf32>>, tensor<i64>) -> tensor<?xf16>
  return
}

// -----

func.func @at_position(%s: !qopt.sequence<tensor<?xf32>>, %i: tensor<2xi64>) {
  // expected-error @+1 {{failed to verify that the position is one number}}
  %0 = qopt.sequence_at %s, %i : (!qopt.sequence<tensor<?xf32>>, tensor<2xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @insert(%s: !qopt.sequence<tensor<4xf32>>, %x: tensor<8xf32>) {
  // expected-error @+1 {{failed to verify that sequences have one element type and dims that can agree}}
  %0 = qopt.sequence_insert %s, %x : (!qopt.sequence<tensor<4xf32>>, tensor<8xf32>) -> !qopt.sequence<tensor<8xf32>>
  return
}

// -----

func.func @split_axis(%x: tensor<4xf32>) {
  // expected-error @+1 {{failed to verify that the axis is one of the operand's, not negative}}
  %0 = qopt.split_to_sequence %x {axis = 1 : i64, keepdims = true} : (tensor<4xf32>) -> !qopt.sequence<tensor<?xf32>>
  return
}

// -----

func.func @split_sizes(%x: tensor<4xf32>, %sizes: tensor<1x2xi64>) {
  // expected-error @+1 {{failed to verify that sizes are a list or one number}}
  %0 = qopt.split_to_sequence %x, %sizes {axis = 0 : i64, keepdims = true} : (tensor<4xf32>, tensor<1x2xi64>) -> !qopt.sequence<tensor<?xf32>>
  return
}

// -----

func.func @split_keeps(%x: tensor<4xf32>, %sizes: tensor<2xi64>) {
  // expected-error @+1 {{failed to verify that an axis is dropped only without sizes}}
  %0 = qopt.split_to_sequence %x, %sizes {axis = 0 : i64, keepdims = false} : (tensor<4xf32>, tensor<2xi64>) -> !qopt.sequence<tensor<f32>>
  return
}

// -----

func.func @split_parts(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{failed to verify that parts have the element type and dims of the sequence's}}
  %0 = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = true} : (tensor<4x8xf32>) -> !qopt.sequence<tensor<1x4xf32>>
  return
}

// -----

func.func @concat_axis(%s: !qopt.sequence<tensor<8xf32>>) {
  // expected-error @+1 {{failed to verify that the axis is one of the result's, not negative}}
  %0 = qopt.concat_from_sequence %s {axis = 1 : i64, new_axis = false} : (!qopt.sequence<tensor<8xf32>>) -> tensor<?xf32>
  return
}

// -----

func.func @concat_parts(%s: !qopt.sequence<tensor<8xf32>>) {
  // expected-error @+1 {{failed to verify that tensors have the element type and dims of the sequence's}}
  %0 = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = true} : (!qopt.sequence<tensor<8xf32>>) -> tensor<?xf32>
  return
}

// -----

func.func @optional(%x: tensor<4xf32>) {
  // expected-error @+1 {{failed to verify that the value has the type of the optional's element}}
  %0 = qopt.optional %x : (tensor<4xf32>) -> !qopt.optional<tensor<?xf32>>
  return
}
