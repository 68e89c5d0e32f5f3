// RUN: qopt-opt %s --qopt-fold-sequences --verify-each --split-input-file --verify-diagnostics | FileCheck %s

// A part of a split is a result of qopt.split, without the axis where that goes.
// CHECK-LABEL: func @example
// CHECK-SAME: -> tensor<8xf32>
// CHECK: %[[PARTS:.*]]:2 = qopt.split %arg0 {axis = 0 : i64, sizes = array<i64: 1, 1>}
// CHECK: %[[B:.*]] = qopt.squeeze %[[PARTS]]#1 {axes = array<i64: 0>}
// CHECK: return %[[B]]
func.func @example(%x: tensor<2x8xf32>) -> tensor<?xf32> {
  %one = qopt.constant(dense<1> : tensor<i64>) : tensor<i64>
  %s = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = false} : (tensor<2x8xf32>) -> !qopt.sequence<tensor<8xf32>>
  %0 = qopt.sequence_at %s, %one : (!qopt.sequence<tensor<8xf32>>, tensor<i64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// Sizes may be a list, or one number whose last part is smaller.
// CHECK-LABEL: func @sizes
// CHECK: qopt.split %arg0 {axis = 1 : i64, sizes = array<i64: 3, 2>}
// CHECK: qopt.split %arg0 {axis = 1 : i64, sizes = array<i64: 2, 2, 1>}
func.func @sizes(%x: tensor<?x5xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %list = qopt.constant(dense<[3, 2]> : tensor<2xi64>) : tensor<2xi64>
  %two = qopt.constant(dense<2> : tensor<i64>) : tensor<i64>
  %last = qopt.constant(dense<-1> : tensor<i64>) : tensor<i64>
  %s = qopt.split_to_sequence %x, %list {axis = 1 : i64, keepdims = true} : (tensor<?x5xf32>, tensor<2xi64>) -> !qopt.sequence<tensor<?x?xf32>>
  %0 = qopt.sequence_at %s, %last : (!qopt.sequence<tensor<?x?xf32>>, tensor<i64>) -> tensor<?x?xf32>
  %t = qopt.split_to_sequence %x, %two {axis = 1 : i64, keepdims = true} : (tensor<?x5xf32>, tensor<i64>) -> !qopt.sequence<tensor<?x?xf32>>
  %1 = qopt.sequence_at %t, %last : (!qopt.sequence<tensor<?x?xf32>>, tensor<i64>) -> tensor<?x?xf32>
  return %0, %1 : tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

// A loop that carries a sequence is written out, and one inside of it; the
// counter tells positions.
// CHECK-LABEL: func @loop
// CHECK-SAME: -> tensor<4x8xf32>
// CHECK-NOT: scf.for
// CHECK: qopt.concat %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {axis = 0 : i64}
func.func @loop(%x: tensor<2x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c4 = arith.constant 4 : i64
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %parts = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = true} : (tensor<2x8xf32>) -> !qopt.sequence<tensor<1x8xf32>>
  %e = qopt.sequence_construct : () -> !qopt.sequence<tensor<1x8xf32>>
  %s = scf.for %i = %c0 to %c2 step %c1 iter_args(%a = %e) -> (!qopt.sequence<tensor<1x8xf32>>) : i64 {
    %p = tensor.from_elements %i : tensor<i64>
    %0 = qopt.sequence_at %parts, %p : (!qopt.sequence<tensor<1x8xf32>>, tensor<i64>) -> tensor<1x8xf32>
    %b = scf.for %j = %c0 to %c4 step %c2 iter_args(%c = %a) -> (!qopt.sequence<tensor<1x8xf32>>) : i64 {
      %1 = qopt.sequence_insert %c, %0 : (!qopt.sequence<tensor<1x8xf32>>, tensor<1x8xf32>) -> !qopt.sequence<tensor<1x8xf32>>
      scf.yield %1 : !qopt.sequence<tensor<1x8xf32>>
    }
    scf.yield %b : !qopt.sequence<tensor<1x8xf32>>
  }
  %y = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<1x8xf32>>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// A few lines may not ask for any number of ops: a loop that is not written out
// carries the elements of all tensors, and a row of dims for each.
// CHECK-LABEL: func @long
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[D:.*]] = %{{.*}}) -> (tensor<?xf32>, tensor<?x2xi64>)
// CHECK: %[[X:.*]] = qopt.reshape %arg0
// CHECK: %[[R:.*]] = qopt.reshape %{{.*}} -> tensor<1x2xi64>
// CHECK: %[[B:.*]] = qopt.concat %[[A]], %[[X]] {axis = 0 : i64}
// CHECK: %[[E:.*]] = qopt.concat %[[D]], %[[R]] {axis = 0 : i64}
// CHECK: scf.yield %[[B]], %[[E]]
// CHECK: scf.for {{.*}} -> (tensor<?x8xf32>)
// CHECK: qopt.concat %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>)
func.func @long(%x: tensor<1x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %end = arith.constant 9223372036854775807 : i64
  %e = qopt.sequence_construct : () -> !qopt.sequence<tensor<1x8xf32>>
  %s = scf.for %i = %c0 to %end step %c1 iter_args(%a = %e) -> (!qopt.sequence<tensor<1x8xf32>>) : i64 {
    %1 = qopt.sequence_insert %a, %x : (!qopt.sequence<tensor<1x8xf32>>, tensor<1x8xf32>) -> !qopt.sequence<tensor<1x8xf32>>
    scf.yield %1 : !qopt.sequence<tensor<1x8xf32>>
  }
  %y = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<1x8xf32>>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Inserting and erasing move what stands behind.
// CHECK-LABEL: func @edit
// CHECK-SAME: (%[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<4xf32>)
// CHECK: %[[N:.*]] = qopt.constant(dense<2> : tensor<i64>)
// CHECK: %[[J:.*]] = qopt.concat %[[C]], %[[B]] {axis = 0 : i64}
// CHECK: return %[[J]], %[[N]]
func.func @edit(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>) -> (tensor<?xf32>, tensor<i64>) {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %one = qopt.constant(dense<1> : tensor<i64>) : tensor<i64>
  %s0 = qopt.sequence_construct : () -> !qopt.sequence<tensor<*xf32>>
  %s1 = qopt.sequence_insert %s0, %a : (!qopt.sequence<tensor<*xf32>>, tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %s2 = qopt.sequence_insert %s1, %b : (!qopt.sequence<tensor<4xf32>>, tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %s3 = qopt.sequence_insert %s2, %c, %zero : (!qopt.sequence<tensor<4xf32>>, tensor<4xf32>, tensor<i64>) -> !qopt.sequence<tensor<4xf32>>
  %s4 = qopt.sequence_erase %s3, %one : (!qopt.sequence<tensor<4xf32>>, tensor<i64>) -> !qopt.sequence<tensor<4xf32>>
  %n = qopt.sequence_length %s4 : (!qopt.sequence<tensor<4xf32>>) -> tensor<i64>
  %j = qopt.concat_from_sequence %s4 {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<4xf32>>) -> tensor<?xf32>
  return %j, %n : tensor<?xf32>, tensor<i64>
}

// -----

// Stacking makes the axis, and one of tensors that are alike may be computed.
// CHECK-LABEL: func @stack
// CHECK: %[[A:.*]] = qopt.unsqueeze %arg0 {axes = array<i64: 0>}
// CHECK: %[[B:.*]] = qopt.unsqueeze %arg1 {axes = array<i64: 0>}
// CHECK: %[[S:.*]] = qopt.concat %[[A]], %[[B]] {axis = 0 : i64}
// CHECK: qopt.gather %[[S]], %arg2 {axis = 0 : i64} {{.*}} -> tensor<4xf32>
// CHECK: qopt.unsqueeze %arg0 {axes = array<i64: 1>}
func.func @stack(%a: tensor<4xf32>, %b: tensor<4xf32>, %i: tensor<i64>) -> (tensor<4xf32>, tensor<4x?xf32>) {
  %s = qopt.sequence_construct %a, %b : (tensor<4xf32>, tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %0 = qopt.sequence_at %s, %i : (!qopt.sequence<tensor<4xf32>>, tensor<i64>) -> tensor<4xf32>
  %1 = qopt.concat_from_sequence %s {axis = 1 : i64, new_axis = true} : (!qopt.sequence<tensor<4xf32>>) -> tensor<4x?xf32>
  return %0, %1 : tensor<4xf32>, tensor<4x?xf32>
}

// -----

// Optionals hold tensors and sequences.
// CHECK-LABEL: func @optionals
// CHECK: %[[YES:.*]] = qopt.constant(dense<true>
// CHECK: %[[NO:.*]] = qopt.constant(dense<false>
// CHECK: return %arg0, %[[YES]], %[[NO]]
func.func @optionals(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<i1>, tensor<i1>) {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %s = qopt.sequence_construct %x : (tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %o = qopt.optional %s : (!qopt.sequence<tensor<4xf32>>) -> !qopt.optional<!qopt.sequence<tensor<4xf32>>>
  %g = qopt.optional_get_element %o : (!qopt.optional<!qopt.sequence<tensor<4xf32>>>) -> !qopt.sequence<tensor<4xf32>>
  %0 = qopt.sequence_at %g, %zero : (!qopt.sequence<tensor<4xf32>>, tensor<i64>) -> tensor<4xf32>
  %1 = qopt.optional_has_element %o : (!qopt.optional<!qopt.sequence<tensor<4xf32>>>) -> tensor<i1>
  %n = qopt.optional : () -> !qopt.optional<tensor<4xf32>>
  %2 = qopt.optional_has_element %n : (!qopt.optional<tensor<4xf32>>) -> tensor<i1>
  return %0, %1, %2 : tensor<4xf32>, tensor<i1>, tensor<i1>
}

// -----

// A region takes a sequence of outside.
// CHECK-LABEL: func @region
// CHECK-NOT: qopt.sequence
// CHECK: scf.yield %arg1
func.func @region(%c: i1, %x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %s = qopt.sequence_construct %x : (tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %0 = scf.if %c -> (tensor<4xf32>) {
    %1 = qopt.sequence_at %s, %zero : (!qopt.sequence<tensor<4xf32>>, tensor<i64>) -> tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  } else {
    %1 = qopt.neg %x : (tensor<4xf32>) -> tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// Parts along an axis of unknown size are refused.
func.func @unknown(%x: tensor<?xf32>) -> tensor<i64> {
  // expected-error @+2 {{'qopt.split_to_sequence' op works on a sequence or optional that a run alone knows}}
  // expected-note @+1 {{qopt-run --reference runs it}}
  %s = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = true} : (tensor<?xf32>) -> !qopt.sequence<tensor<1xf32>>
  %n = qopt.sequence_length %s : (!qopt.sequence<tensor<1xf32>>) -> tensor<i64>
  return %n : tensor<i64>
}

// -----

// Computed positions among tensors that differ, or to insert at, are places in
// the elements of all tensors.
// CHECK-LABEL: func @positions
// CHECK-NOT: !qopt.sequence
// CHECK: %[[D:.*]] = qopt.concat {{.*}} -> tensor<?x1xi64>
// CHECK: qopt.reduce %[[D]]
// CHECK: %[[B:.*]] = qopt.gather %{{.*}}, %[[I:.*]] {axis = 0 : i64}
// CHECK: %[[E:.*]] = qopt.gather %{{.*}}, %[[I]] {axis = 0 : i64}
// CHECK: %[[P:.*]] = qopt.slice %{{.*}}, %[[B]], %[[E]] {axes = array<i64: 0>}
// CHECK: qopt.reshape %[[P]]
// CHECK: qopt.where
func.func @positions(%x: tensor<?xf32>, %y: tensor<4xf32>, %i: tensor<i64>) -> (tensor<?xf32>, tensor<i64>) {
  %t = qopt.sequence_construct %x, %y : (tensor<?xf32>, tensor<4xf32>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_at %t, %i : (!qopt.sequence<tensor<?xf32>>, tensor<i64>) -> tensor<?xf32>
  %u = qopt.sequence_insert %t, %y, %i : (!qopt.sequence<tensor<?xf32>>, tensor<4xf32>, tensor<i64>) -> !qopt.sequence<tensor<?xf32>>
  %v = qopt.sequence_erase %u, %i : (!qopt.sequence<tensor<?xf32>>, tensor<i64>) -> !qopt.sequence<tensor<?xf32>>
  %m = qopt.sequence_length %v : (!qopt.sequence<tensor<?xf32>>) -> tensor<i64>
  return %0, %m : tensor<?xf32>, tensor<i64>
}

// -----

// A branch carries both tensors.
// CHECK-LABEL: func @carried
// CHECK: scf.if %{{.*}} -> (tensor<?xf32>, tensor<?x1xi64>)
func.func @carried(%c: i1, %x: tensor<4xf32>) -> tensor<i64> {
  %s = qopt.sequence_construct %x : (tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  %0 = scf.if %c -> (!qopt.sequence<tensor<4xf32>>) {
    scf.yield %s : !qopt.sequence<tensor<4xf32>>
  } else {
    %1 = qopt.sequence_insert %s, %x : (!qopt.sequence<tensor<4xf32>>, tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
    scf.yield %1 : !qopt.sequence<tensor<4xf32>>
  }
  %n = qopt.sequence_length %0 : (!qopt.sequence<tensor<4xf32>>) -> tensor<i64>
  return %n : tensor<i64>
}

// -----

// The types that a branch yields do not change.
// CHECK-LABEL: func @yielded
// CHECK-NOT: !qopt.sequence
// CHECK: %[[P:.*]] = qopt.slice
// CHECK: %[[T:.*]] = qopt.reshape %[[P]], {{.*}} -> tensor<?xf32>
// CHECK: scf.yield %[[T]] : tensor<?xf32>
func.func @yielded(%c: i1, %x: tensor<4xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %s = qopt.sequence_construct %x, %y : (tensor<4xf32>, tensor<?xf32>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_at %s, %zero : (!qopt.sequence<tensor<?xf32>>, tensor<i64>) -> tensor<?xf32>
  %1 = scf.if %c -> (tensor<?xf32>) {
    scf.yield %0 : tensor<?xf32>
  } else {
    scf.yield %y : tensor<?xf32>
  }
  return %1 : tensor<?xf32>
}

// -----

// Positions that no run takes.
func.func @position(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = qopt.constant(dense<2> : tensor<i64>) : tensor<i64>
  %s = qopt.sequence_construct %x : (tensor<4xf32>) -> !qopt.sequence<tensor<4xf32>>
  // expected-error @+2 {{'qopt.sequence_at' op expects a position from -1 and below 1, but found 2}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %0 = qopt.sequence_at %s, %two : (!qopt.sequence<tensor<4xf32>>, tensor<i64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @sums(%x: tensor<5xf32>) -> tensor<i64> {
  %list = qopt.constant(dense<[3, 1]> : tensor<2xi64>) : tensor<2xi64>
  // expected-error @+2 {{'qopt.split_to_sequence' op expects sizes that sum to 5, but found [3, 1]}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %s = qopt.split_to_sequence %x, %list {axis = 0 : i64, keepdims = true} : (tensor<5xf32>, tensor<2xi64>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_length %s : (!qopt.sequence<tensor<?xf32>>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @negative(%x: tensor<?xf32>) -> tensor<i64> {
  %list = qopt.constant(dense<[3, -1]> : tensor<2xi64>) : tensor<2xi64>
  // expected-error @+2 {{'qopt.split_to_sequence' op expects sizes that are not negative, but found -1}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %s = qopt.split_to_sequence %x, %list {axis = 0 : i64, keepdims = true} : (tensor<?xf32>, tensor<2xi64>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_length %s : (!qopt.sequence<tensor<?xf32>>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @part(%x: tensor<?xf32>) -> tensor<i64> {
  %zero = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  // expected-error @+2 {{'qopt.split_to_sequence' op expects parts of 1 or more, but found 0}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %s = qopt.split_to_sequence %x, %zero {axis = 0 : i64, keepdims = true} : (tensor<?xf32>, tensor<i64>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_length %s : (!qopt.sequence<tensor<?xf32>>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @empty() -> tensor<?xf32> {
  %s = qopt.sequence_construct : () -> !qopt.sequence<tensor<?xf32>>
  // expected-error @+2 {{'qopt.concat_from_sequence' op expects a sequence that is not empty}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %0 = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<?xf32>>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @erase() -> tensor<i64> {
  %s = qopt.sequence_construct : () -> !qopt.sequence<tensor<?xf32>>
  // expected-error @+2 {{'qopt.sequence_erase' op expects a sequence that is not empty}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %t = qopt.sequence_erase %s : (!qopt.sequence<tensor<?xf32>>) -> !qopt.sequence<tensor<?xf32>>
  %0 = qopt.sequence_length %t : (!qopt.sequence<tensor<?xf32>>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @nothing() -> tensor<4xf32> {
  %n = qopt.optional : () -> !qopt.optional<tensor<4xf32>>
  // expected-error @+2 {{'qopt.optional_get_element' op expects an optional that holds a value}}
  // expected-note @+1 {{no run of the model can do it: correct the model}}
  %0 = qopt.optional_get_element %n : (!qopt.optional<tensor<4xf32>>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
