// RUN: qopt-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// Every op of loops has the same text after it was read. What their
// definitions ask of operands follows, a case for each condition.

// CHECK-LABEL: @all
func.func @all(%x: tensor<2x3x4x4xf32>, %i: tensor<5x2xi64>, %u: tensor<5x4x4xf32>,
               %e: tensor<2x3x1x4xi64>, %v: tensor<2x3x1x4xf32>, %n: tensor<i64>,
               %l: tensor<4xi64>, %two: tensor<2xf32>, %b: tensor<2x3xi1>,
               %g: tensor<2x5x6x2xf32>, %c: tensor<3xf32>, %s: tensor<2xi64>,
               %boxes: tensor<2x9x4xf32>, %scores: tensor<2x3x9xf32>, %limit: tensor<f32>) {
  // CHECK: qopt.gather_nd %{{.*}}, %{{.*}} :
  %0 = qopt.gather_nd %x, %i {batch_dims = 0 : i64} : (tensor<2x3x4x4xf32>, tensor<5x2xi64>) -> tensor<5x4x4xf32>
  // CHECK: qopt.scatter_nd {{.*}} {kind = #qopt.scatter<add>}
  %1 = qopt.scatter_nd %x, %i, %u {kind = #qopt.scatter<add>} : (tensor<2x3x4x4xf32>, tensor<5x2xi64>, tensor<5x4x4xf32>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.gather_elements {{.*}} {axis = 2 : i64}
  %2 = qopt.gather_elements %x, %e {axis = 2 : i64} : (tensor<2x3x4x4xf32>, tensor<2x3x1x4xi64>) -> tensor<2x3x1x4xf32>
  // CHECK: qopt.scatter_elements {{.*}} {axis = 2 : i64, kind = #qopt.scatter<set>}
  %3 = qopt.scatter_elements %x, %e, %v {axis = 2 : i64, kind = #qopt.scatter<set>} : (tensor<2x3x4x4xf32>, tensor<2x3x1x4xi64>, tensor<2x3x1x4xf32>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.one_hot {{.*}} {axis = 1 : i64}
  %4 = qopt.one_hot %l, %n, %two {axis = 1 : i64} : (tensor<4xi64>, tensor<i64>, tensor<2xf32>) -> tensor<4x?xf32>
  // CHECK: qopt.tile
  %5 = qopt.tile %x, %l : (tensor<2x3x4x4xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  // CHECK: qopt.space_to_depth {{.*}} {block = 2 : i64}
  %6 = qopt.space_to_depth %x {block = 2 : i64} : (tensor<2x3x4x4xf32>) -> tensor<2x12x2x2xf32>
  // CHECK: qopt.depth_to_space {{.*}} {block = 2 : i64, order = #qopt.order<column_row_depth>}
  %7 = qopt.depth_to_space %6 {block = 2 : i64, order = #qopt.order<column_row_depth>} : (tensor<2x12x2x2xf32>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.reverse_sequence {{.*}} {batch_axis = 0 : i64, time_axis = 1 : i64}
  %8 = qopt.reverse_sequence %x, %s {batch_axis = 0 : i64, time_axis = 1 : i64} : (tensor<2x3x4x4xf32>, tensor<2xi64>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.trilu {{.*}} {upper = true}
  %9 = qopt.trilu %x, %n {upper = true} : (tensor<2x3x4x4xf32>, tensor<i64>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.cum_sum {{.*}} {axis = 1 : i64, exclusive = false, reverse = true}
  %10 = qopt.cum_sum %x {axis = 1 : i64, exclusive = false, reverse = true} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.arg_reduce {{.*}} {axis = 1 : i64, keepdims = false, kind = #qopt.kind<max>, select_last = false}
  %11 = qopt.arg_reduce %x {axis = 1 : i64, keepdims = false, kind = #qopt.kind<max>, select_last = false} : (tensor<2x3x4x4xf32>) -> tensor<2x4x4xi64>
  // CHECK: qopt.top_k {{.*}} {axis = 3 : i64, largest = true}
  %12:2 = qopt.top_k %x, %n {axis = 3 : i64, largest = true} : (tensor<2x3x4x4xf32>, tensor<i64>) -> (tensor<2x3x4x?xf32>, tensor<2x3x4x?xi64>)
  // CHECK: qopt.non_zero
  %13 = qopt.non_zero %b, %n : (tensor<2x3xi1>, tensor<i64>) -> tensor<2x?xi64>
  // CHECK: qopt.cum_prod {{.*}} {axis = 1 : i64, exclusive = true, reverse = false}
  %16 = qopt.cum_prod %x {axis = 1 : i64, exclusive = true, reverse = false} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  // CHECK: qopt.non_max_suppression {{.*}} {by_center = false}
  %17:2 = qopt.non_max_suppression %boxes, %scores, %n, %limit, %limit {by_center = false} : (tensor<2x9x4xf32>, tensor<2x3x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<2x3x?xi64>, tensor<2x3x9xf32>)
  // CHECK: qopt.grid_sample {{.*}} {align_corners = false, outside = #qopt.outside<border>, sampling = #qopt.sampling<linear>}
  %14 = qopt.grid_sample %x, %g {align_corners = false, outside = #qopt.outside<border>, sampling = #qopt.sampling<linear>} : (tensor<2x3x4x4xf32>, tensor<2x5x6x2xf32>) -> tensor<2x3x5x6xf32>
  // CHECK: qopt.instance_norm {{.*}} {epsilon = 1.000000e-03 : f32}
  %15 = qopt.instance_norm %x, %c, %c {epsilon = 1.0e-3 : f32} : (tensor<2x3x4x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----

func.func @boxes_of_halves(%b: tensor<2x9x4xf16>, %s: tensor<2x3x9xf32>, %n: tensor<i64>, %l: tensor<f32>) {
  // expected-error @+1 {{boxes, scores and limits are of f32}}
  %0:2 = qopt.non_max_suppression %b, %s, %n, %l, %l {by_center = false} : (tensor<2x9x4xf16>, tensor<2x3x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<2x3x?xi64>, tensor<2x3x9xf32>)
  return
}

// -----

func.func @boxes_of_one_sample(%b: tensor<9x4xf32>, %s: tensor<2x3x9xf32>, %n: tensor<i64>, %l: tensor<f32>) {
  // expected-error @+1 {{boxes and scores have three axes}}
  %0:2 = qopt.non_max_suppression %b, %s, %n, %l, %l {by_center = false} : (tensor<9x4xf32>, tensor<2x3x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<2x3x?xi64>, tensor<2x3x9xf32>)
  return
}

// -----

func.func @selected_as_i32(%b: tensor<2x9x4xf32>, %s: tensor<2x3x9xf32>, %n: tensor<i64>, %l: tensor<f32>) {
  // expected-error @+1 {{the selected have elements of i64}}
  %0:2 = qopt.non_max_suppression %b, %s, %n, %l, %l {by_center = false} : (tensor<2x9x4xf32>, tensor<2x3x9xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<2x3x?xi32>, tensor<2x3x9xf32>)
  return
}

// -----

func.func @tuples(%x: tensor<2x3xf32>, %i: tensor<5x3xi64>) {
  // expected-error @+1 {{'qopt.gather_nd' op failed to verify that indices end in a known number of positions of x}}
  %0 = qopt.gather_nd %x, %i : (tensor<2x3xf32>, tensor<5x3xi64>) -> tensor<5xf32>
  return
}

// -----

func.func @open_tuples(%x: tensor<2x3xf32>, %i: tensor<5x?xi64>) {
  // expected-error @+1 {{indices end in a known number of positions of x}}
  %0 = qopt.gather_nd %x, %i : (tensor<2x3xf32>, tensor<5x?xi64>) -> tensor<5xf32>
  return
}

// -----

func.func @batches(%x: tensor<2x3xf32>, %i: tensor<2x2xi64>) {
  // expected-error @+1 {{indices end in a known number of positions of x}}
  %0 = qopt.gather_nd %x, %i {batch_dims = 1 : i64} : (tensor<2x3xf32>, tensor<2x2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @element_types(%x: tensor<2x3xf32>, %i: tensor<5x2xi64>) {
  // expected-error @+1 {{all of {x, result} have same element type}}
  %0 = qopt.gather_nd %x, %i : (tensor<2x3xf32>, tensor<5x2xi64>) -> tensor<5xf16>
  return
}

// -----

func.func @updates(%x: tensor<2x3xf32>, %i: tensor<5x2xi64>, %u: tensor<5x1xf32>) {
  // expected-error @+1 {{updates have the rank of what indices pick}}
  %0 = qopt.scatter_nd %x, %i, %u {kind = #qopt.scatter<set>} : (tensor<2x3xf32>, tensor<5x2xi64>, tensor<5x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sums_of_truth(%x: tensor<3xi1>, %i: tensor<5xi64>, %u: tensor<5xi1>) {
  // expected-error @+1 {{elements are floats of 16 bits or more or integers of 8 bits or more}}
  %0 = qopt.scatter_elements %x, %i, %u {axis = 0 : i64, kind = #qopt.scatter<add>} : (tensor<3xi1>, tensor<5xi64>, tensor<5xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @axis(%x: tensor<2x3xf32>, %i: tensor<2x3xi64>) {
  // expected-error @+1 {{the axis is one of the operand's, not negative}}
  %0 = qopt.gather_elements %x, %i {axis = -1 : i64} : (tensor<2x3xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @ranks(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{operands have one rank}}
  %0 = qopt.gather_elements %x, %i {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @repeats(%x: tensor<2x3xf32>, %r: tensor<?xi64>) {
  // expected-error @+1 {{there is a number for each axis}}
  %0 = qopt.tile %x, %r : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @one_number(%x: tensor<2x3xf32>, %k: tensor<2xi64>) {
  // expected-error @+1 {{the operand is one number}}
  %0:2 = qopt.top_k %x, %k {axis = 1 : i64, largest = true} : (tensor<2x3xf32>, tensor<2xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return
}

// -----

func.func @block(%x: tensor<1x4x2x2xf32>) {
  // expected-error @+1 {{the block is from 1 to 1024}}
  %0 = qopt.depth_to_space %x {block = 0 : i64, order = #qopt.order<depth_column_row>} : (tensor<1x4x2x2xf32>) -> tensor<1x4x2x2xf32>
  return
}

// -----

func.func @same_axes(%x: tensor<2x3xf32>, %l: tensor<2xi64>) {
  // expected-error @+1 {{the axes are different}}
  %0 = qopt.reverse_sequence %x, %l {batch_axis = 0 : i64, time_axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @kind(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{the kind is max or min}}
  %0 = qopt.arg_reduce %x {axis = 1 : i64, keepdims = false, kind = #qopt.kind<sum>, select_last = false} : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @codes(%x: tensor<2x3xf8E4M3FN>) {
  // expected-error @+1 {{elements are floats of 16 bits or more or integers of 8 bits or more}}
  %0 = qopt.cum_sum %x {axis = 1 : i64, exclusive = false, reverse = false} : (tensor<2x3xf8E4M3FN>) -> tensor<2x3xf8E4M3FN>
  return
}

// -----

func.func @images(%x: tensor<2x3xf32>, %g: tensor<2x3xf32>) {
  // expected-error @+1 {{x has one to three spatial axes}}
  %0 = qopt.grid_sample %x, %g {align_corners = false, outside = #qopt.outside<zeros>, sampling = #qopt.sampling<linear>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @channels(%x: tensor<2xf32>, %c: tensor<3xf32>) {
  // expected-error @+1 {{x has a channel axis}}
  %0 = qopt.instance_norm %x, %c, %c {epsilon = 1.0e-3 : f32} : (tensor<2xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2xf32>
  return
}
