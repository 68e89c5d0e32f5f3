// RUN: qopt-opt %s --qopt-recognize-patterns --verify-each --split-input-file | FileCheck %s

// As Paddle exports it: Q scaled, K transposed in its last axes.
// CHECK-LABEL: func @query_scaled
// CHECK-SAME: %[[Q:.*]]: tensor<1x8x4x15xf32>, %[[K:.*]]: tensor<1x8x6x15xf32>, %[[V:.*]]: tensor<1x8x6x15xf32>
// CHECK-NEXT: %[[A:.*]] = qopt.attention %[[Q]], %[[K]], %[[V]] {scale = 2.500000e-01 : f32}
// CHECK-NEXT: return %[[A]]
func.func @query_scaled(%q: tensor<1x8x4x15xf32>, %k: tensor<1x8x6x15xf32>, %v: tensor<1x8x6x15xf32>) -> tensor<1x8x4x15xf32> {
  %s = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.mul %q, %s : (tensor<1x8x4x15xf32>, tensor<1xf32>) -> tensor<1x8x4x15xf32>
  %1 = qopt.transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x8x6x15xf32>) -> tensor<1x8x15x6xf32>
  %2 = qopt.matmul %0, %1 : (tensor<1x8x4x15xf32>, tensor<1x8x15x6xf32>) -> tensor<1x8x4x6xf32>
  %3 = qopt.softmax %2 {axis = 3 : i64} : (tensor<1x8x4x6xf32>) -> tensor<1x8x4x6xf32>
  %4 = qopt.matmul %3, %v : (tensor<1x8x4x6xf32>, tensor<1x8x6x15xf32>) -> tensor<1x8x4x15xf32>
  return %4 : tensor<1x8x4x15xf32>
}

// -----

// As torch exports BERT: one transposition of K, the product divided, a mask. The
// batch is dynamic, and all three come from one input.
// CHECK-LABEL: func @masked
// CHECK-SAME: %[[X:.*]]: tensor<?x16x8x32xf32>, %[[M:.*]]: tensor<1x1x1x16xf32>
// CHECK: %[[Q:.*]] = qopt.transpose %[[X]] {perm = array<i64: 0, 2, 1, 3>}
// CHECK: %[[K:.*]] = qopt.transpose %[[X]] {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x16x8x32xf32>) -> tensor<?x8x16x32xf32>
// CHECK: qopt.attention %{{.*}}, %{{.*}}, %[[Q]], %[[M]] {scale = 1.250000e-01 : f32}
// CHECK-NEXT: return
func.func @masked(%x: tensor<?x16x8x32xf32>, %m: tensor<1x1x1x16xf32>) -> tensor<?x8x16x32xf32> {
  %s = qopt.constant(dense<8.0> : tensor<f32>) : tensor<f32>
  %0 = qopt.transpose %x {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x16x8x32xf32>) -> tensor<?x8x16x32xf32>
  %1 = qopt.transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x16x8x32xf32>) -> tensor<?x8x32x16xf32>
  %2 = qopt.matmul %0, %1 : (tensor<?x8x16x32xf32>, tensor<?x8x32x16xf32>) -> tensor<?x8x16x16xf32>
  %3 = qopt.div %2, %s : (tensor<?x8x16x16xf32>, tensor<f32>) -> tensor<?x8x16x16xf32>
  %4 = qopt.add %3, %m : (tensor<?x8x16x16xf32>, tensor<1x1x1x16xf32>) -> tensor<?x8x16x16xf32>
  %5 = qopt.softmax %4 {axis = 3 : i64} : (tensor<?x8x16x16xf32>) -> tensor<?x8x16x16xf32>
  %6 = qopt.matmul %5, %0 : (tensor<?x8x16x16xf32>, tensor<?x8x16x32xf32>) -> tensor<?x8x16x32xf32>
  return %6 : tensor<?x8x16x32xf32>
}

// -----

// The scale split between Q and K, as scaled_dot_product_attention exports.
// CHECK-LABEL: func @split_scale
// CHECK: qopt.attention %arg0, %arg1, %arg2 {scale = 2.500000e-01 : f32}
// CHECK-NEXT: return
func.func @split_scale(%q: tensor<4x15xf32>, %k: tensor<6x15xf32>, %v: tensor<6x15xf32>) -> tensor<4x15xf32> {
  %s = qopt.constant(dense<0.5> : tensor<f32>) : tensor<f32>
  %0 = qopt.mul %q, %s : (tensor<4x15xf32>, tensor<f32>) -> tensor<4x15xf32>
  %1 = qopt.mul %k, %s : (tensor<6x15xf32>, tensor<f32>) -> tensor<6x15xf32>
  %2 = qopt.transpose %1 {perm = array<i64: 1, 0>} : (tensor<6x15xf32>) -> tensor<15x6xf32>
  %3 = qopt.matmul %0, %2 : (tensor<4x15xf32>, tensor<15x6xf32>) -> tensor<4x6xf32>
  %4 = qopt.softmax %3 {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %5 = qopt.matmul %4, %v : (tensor<4x6xf32>, tensor<6x15xf32>) -> tensor<4x15xf32>
  return %5 : tensor<4x15xf32>
}

// -----

// The probabilities have another user.
// CHECK-LABEL: func @other_user
// CHECK-NOT: qopt.attention
func.func @other_user(%q: tensor<4x15xf32>, %k: tensor<6x15xf32>, %v: tensor<6x15xf32>) -> (tensor<4x15xf32>, tensor<4x6xf32>) {
  %0 = qopt.transpose %k {perm = array<i64: 1, 0>} : (tensor<6x15xf32>) -> tensor<15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<4x15xf32>, tensor<15x6xf32>) -> tensor<4x6xf32>
  %2 = qopt.softmax %1 {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %3 = qopt.matmul %2, %v : (tensor<4x6xf32>, tensor<6x15xf32>) -> tensor<4x15xf32>
  return %3, %2 : tensor<4x15xf32>, tensor<4x6xf32>
}

// -----

// The softmax runs along the queries.
// CHECK-LABEL: func @other_axis
// CHECK-NOT: qopt.attention
func.func @other_axis(%q: tensor<4x15xf32>, %k: tensor<6x15xf32>, %v: tensor<6x15xf32>) -> tensor<4x15xf32> {
  %0 = qopt.transpose %k {perm = array<i64: 1, 0>} : (tensor<6x15xf32>) -> tensor<15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<4x15xf32>, tensor<15x6xf32>) -> tensor<4x6xf32>
  %2 = qopt.softmax %1 {axis = 0 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %3 = qopt.matmul %2, %v : (tensor<4x6xf32>, tensor<6x15xf32>) -> tensor<4x15xf32>
  return %3 : tensor<4x15xf32>
}

// -----

// Nothing transposes the keys.
// CHECK-LABEL: func @keys_as_columns
// CHECK-NOT: qopt.attention
func.func @keys_as_columns(%q: tensor<4x15xf32>, %k: tensor<15x6xf32>, %v: tensor<6x15xf32>) -> tensor<4x15xf32> {
  %1 = qopt.matmul %q, %k : (tensor<4x15xf32>, tensor<15x6xf32>) -> tensor<4x6xf32>
  %2 = qopt.softmax %1 {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %3 = qopt.matmul %2, %v : (tensor<4x6xf32>, tensor<6x15xf32>) -> tensor<4x15xf32>
  return %3 : tensor<4x15xf32>
}

// -----

// Two dynamic batches that nothing says are equal.
// CHECK-LABEL: func @may_broadcast
// CHECK-NOT: qopt.attention
func.func @may_broadcast(%q: tensor<?x4x15xf32>, %k: tensor<?x6x15xf32>, %v: tensor<?x6x15xf32>) -> tensor<?x4x15xf32> {
  %0 = qopt.transpose %k {perm = array<i64: 0, 2, 1>} : (tensor<?x6x15xf32>) -> tensor<?x15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<?x4x15xf32>, tensor<?x15x6xf32>) -> tensor<?x4x6xf32>
  %2 = qopt.softmax %1 {axis = 2 : i64} : (tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  %3 = qopt.matmul %2, %v : (tensor<?x4x6xf32>, tensor<?x6x15xf32>) -> tensor<?x4x15xf32>
  return %3 : tensor<?x4x15xf32>
}

// -----

// The same with a symbol: the run checks that equal symbols are equal.
// CHECK-LABEL: func @symbols
// CHECK: qopt.attention
func.func @symbols(%q: tensor<?x4x15xf32> {qopt.dims = ["n", "", ""]}, %k: tensor<?x6x15xf32> {qopt.dims = ["n", "", ""]}, %v: tensor<?x6x15xf32> {qopt.dims = ["n", "", ""]}) -> tensor<?x4x15xf32> {
  %0 = qopt.transpose %k {perm = array<i64: 0, 2, 1>} : (tensor<?x6x15xf32>) -> tensor<?x15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<?x4x15xf32>, tensor<?x15x6xf32>) -> tensor<?x4x6xf32>
  %2 = qopt.softmax %1 {axis = 2 : i64} : (tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  %3 = qopt.matmul %2, %v : (tensor<?x4x6xf32>, tensor<?x6x15xf32>) -> tensor<?x4x15xf32>
  return %3 : tensor<?x4x15xf32>
}

// -----

// A mask with a batch of its own would make more scores.
// CHECK-LABEL: func @mask_broadcasts
// CHECK-NOT: qopt.attention
func.func @mask_broadcasts(%q: tensor<1x4x15xf32>, %k: tensor<1x6x15xf32>, %v: tensor<1x6x15xf32>, %m: tensor<3x4x6xf32>) -> tensor<3x4x15xf32> {
  %0 = qopt.transpose %k {perm = array<i64: 0, 2, 1>} : (tensor<1x6x15xf32>) -> tensor<1x15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<1x4x15xf32>, tensor<1x15x6xf32>) -> tensor<1x4x6xf32>
  %2 = qopt.add %1, %m : (tensor<1x4x6xf32>, tensor<3x4x6xf32>) -> tensor<3x4x6xf32>
  %3 = qopt.softmax %2 {axis = 2 : i64} : (tensor<3x4x6xf32>) -> tensor<3x4x6xf32>
  %4 = qopt.matmul %3, %v : (tensor<3x4x6xf32>, tensor<1x6x15xf32>) -> tensor<3x4x15xf32>
  return %4 : tensor<3x4x15xf32>
}

// -----

// As BERT has it: positions are a table cut to the length of the sequence, and
// the mask's rows are those of the sequence by symbol.
// CHECK-LABEL: func @positions
// CHECK: qopt.attention {{.*}} : ({{.*}}tensor<?x?x1xf32>) -> tensor<?x?x4xf32>
func.func @positions(%x: tensor<?x?x4xf32> {qopt.dims = ["batch", "sequence", ""]}, %m: tensor<?x?x1xf32> {qopt.dims = ["batch", "sequence", ""]}) -> tensor<?x?x4xf32> {
  %table = qopt.constant(dense<1.0> : tensor<1x512x4xf32>) : tensor<1x512x4xf32>
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %n = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x4xf32>) -> tensor<1xi64>
  %p = qopt.slice %table, %zero, %n {axes = array<i64: 1>} : (tensor<1x512x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x4xf32>
  %q = qopt.add %x, %p : (tensor<?x?x4xf32>, tensor<1x?x4xf32>) -> tensor<?x?x4xf32>
  %0 = qopt.transpose %q {perm = array<i64: 0, 2, 1>} : (tensor<?x?x4xf32>) -> tensor<?x4x?xf32>
  %1 = qopt.matmul %q, %0 : (tensor<?x?x4xf32>, tensor<?x4x?xf32>) -> tensor<?x?x?xf32>
  %2 = qopt.add %1, %m : (tensor<?x?x?xf32>, tensor<?x?x1xf32>) -> tensor<?x?x?xf32>
  %3 = qopt.softmax %2 {axis = 2 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %4 = qopt.matmul %3, %q : (tensor<?x?x?xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %4 : tensor<?x?x4xf32>
}

// -----

// A table that is cut from its second row has another length.
// CHECK-LABEL: func @other_positions
// CHECK-NOT: qopt.attention
func.func @other_positions(%x: tensor<?x?x4xf32> {qopt.dims = ["batch", "sequence", ""]}, %m: tensor<?x?x1xf32> {qopt.dims = ["batch", "sequence", ""]}) -> tensor<?x?x4xf32> {
  %table = qopt.constant(dense<1.0> : tensor<1x512x4xf32>) : tensor<1x512x4xf32>
  %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %n = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x4xf32>) -> tensor<1xi64>
  %p = qopt.slice %table, %one, %n {axes = array<i64: 1>} : (tensor<1x512x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x4xf32>
  %q = qopt.add %x, %p : (tensor<?x?x4xf32>, tensor<1x?x4xf32>) -> tensor<?x?x4xf32>
  %0 = qopt.transpose %q {perm = array<i64: 0, 2, 1>} : (tensor<?x?x4xf32>) -> tensor<?x4x?xf32>
  %1 = qopt.matmul %q, %0 : (tensor<?x?x4xf32>, tensor<?x4x?xf32>) -> tensor<?x?x?xf32>
  %2 = qopt.add %1, %m : (tensor<?x?x?xf32>, tensor<?x?x1xf32>) -> tensor<?x?x?xf32>
  %3 = qopt.softmax %2 {axis = 2 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %4 = qopt.matmul %3, %q : (tensor<?x?x?xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %4 : tensor<?x?x4xf32>
}

// -----

// A decoder's step: keys are those of the past and the new ones, rows of the mask
// the positions behind the past. How long the mask is along the keys, the product
// with the values says.
// CHECK-LABEL: func @past
// CHECK: qopt.attention {{.*}} : ({{.*}}tensor<?x?xf32>) -> tensor<?x?x4xf32>
func.func @past(%x: tensor<?x?x4xf32> {qopt.dims = ["batch", "new", ""]}, %past: tensor<?x?x4xf32> {qopt.dims = ["batch", "past", ""]}) -> tensor<?x?x4xf32> {
  %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %far = qopt.constant(dense<0xFF800000> : tensor<f32>) : tensor<f32>
  %none = qopt.constant(dense<0.0> : tensor<f32>) : tensor<f32>
  %n = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x4xf32>) -> tensor<1xi64>
  %p = qopt.shape %past {start = 1 : i64, end = 2 : i64} : (tensor<?x?x4xf32>) -> tensor<1xi64>
  %t = qopt.add %p, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %row = qopt.range %zero, %t, %one : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xi64>
  %queries = qopt.range %p, %t, %one : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xi64>
  %column = qopt.unsqueeze %queries {axes = array<i64: 1>} : (tensor<?xi64>) -> tensor<?x1xi64>
  %look = qopt.less_or_equal %row, %column : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %m = qopt.where %look, %none, %far : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %k = qopt.concat %past, %x {axis = 1 : i64} : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %0 = qopt.transpose %k {perm = array<i64: 0, 2, 1>} : (tensor<?x?x4xf32>) -> tensor<?x4x?xf32>
  %1 = qopt.matmul %x, %0 : (tensor<?x?x4xf32>, tensor<?x4x?xf32>) -> tensor<?x?x?xf32>
  %2 = qopt.add %1, %m : (tensor<?x?x?xf32>, tensor<?x?xf32>) -> tensor<?x?x?xf32>
  %3 = qopt.softmax %2 {axis = 2 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %4 = qopt.matmul %3, %k : (tensor<?x?x?xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %4 : tensor<?x?x4xf32>
}

// -----

// Zeros where a row may look at nothing.
// CHECK-LABEL: func @zero_rows
// CHECK: qopt.attention {{.*}} {masked_rows_are_zero, scale = 1.000000e+00 : f32}
// CHECK-NEXT: return
func.func @zero_rows(%q: tensor<1x4x15xf32>, %k: tensor<1x6x15xf32>, %v: tensor<1x6x15xf32>, %m: tensor<4x6xf32>) -> tensor<1x4x15xf32> {
  %far = qopt.constant(dense<0xFF800000> : tensor<f32>) : tensor<f32>
  %none = qopt.constant(dense<0.0> : tensor<f32>) : tensor<f32>
  %0 = qopt.transpose %k {perm = array<i64: 0, 2, 1>} : (tensor<1x6x15xf32>) -> tensor<1x15x6xf32>
  %1 = qopt.matmul %q, %0 : (tensor<1x4x15xf32>, tensor<1x15x6xf32>) -> tensor<1x4x6xf32>
  %2 = qopt.add %1, %m : (tensor<1x4x6xf32>, tensor<4x6xf32>) -> tensor<1x4x6xf32>
  %3 = qopt.softmax %2 {axis = 2 : i64} : (tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %most = qopt.reduce %2 {kind = #qopt.kind<max>, axes = array<i64: 2>, keepdims = true} : (tensor<1x4x6xf32>) -> tensor<1x4x1xf32>
  %empty = qopt.equal %most, %far : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xi1>
  %4 = qopt.where %empty, %none, %3 : (tensor<1x4x1xi1>, tensor<f32>, tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %5 = qopt.matmul %4, %v : (tensor<1x4x6xf32>, tensor<1x6x15xf32>) -> tensor<1x4x15xf32>
  return %5 : tensor<1x4x15xf32>
}

// -----

// As torch exports it: the number of heads is what is left of the width, keys are
// repeated for each head, and the mask's rows come by indices.
// CHECK-LABEL: func @heads_are_the_rest
// CHECK: qopt.attention
// CHECK-NEXT: return
func.func @heads_are_the_rest(%x: tensor<?x?x12xf32> {qopt.dims = ["batch", "new", ""]}, %at: tensor<?x1x?x1x2xi64> {qopt.dims = ["batch", "", "new", "", ""]}, %bias: tensor<?x?xf32>) -> tensor<?x?x?x4xf32> {
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %rest = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
  %three = qopt.constant(dense<3> : tensor<1xi64>) : tensor<1xi64>
  %four = qopt.constant(dense<4> : tensor<1xi64>) : tensor<1xi64>
  %b = qopt.shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?x?x12xf32>) -> tensor<1xi64>
  %n = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x12xf32>) -> tensor<1xi64>
  %to = qopt.concat %b, %n, %rest, %four {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %split = qopt.reshape %x, %to {allow_zero = true} : (tensor<?x?x12xf32>, tensor<4xi64>) -> tensor<?x?x?x4xf32>
  %q = qopt.transpose %split {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x4xf32>) -> tensor<?x?x?x4xf32>
  %wide = qopt.concat %b, %three, %n, %four {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %row = qopt.reduce %q {kind = #qopt.kind<max>, axes = array<i64: 1>, keepdims = true} : (tensor<?x?x?x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qopt.expand %row, %wide : (tensor<?x1x?x4xf32>, tensor<4xi64>) -> tensor<?x3x?x4xf32>
  %m = qopt.gather_nd %bias, %at : (tensor<?x?xf32>, tensor<?x1x?x1x2xi64>) -> tensor<?x1x?x1xf32>
  %0 = qopt.transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x3x?x4xf32>) -> tensor<?x3x4x?xf32>
  %1 = qopt.matmul %q, %0 : (tensor<?x?x?x4xf32>, tensor<?x3x4x?xf32>) -> tensor<?x?x?x?xf32>
  %2 = qopt.add %1, %m : (tensor<?x?x?x?xf32>, tensor<?x1x?x1xf32>) -> tensor<?x?x?x?xf32>
  %3 = qopt.softmax %2 {axis = 3 : i64} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %4 = qopt.matmul %3, %k : (tensor<?x?x?x?xf32>, tensor<?x3x?x4xf32>) -> tensor<?x?x?x4xf32>
  return %4 : tensor<?x?x?x4xf32>
}

// -----

// Heads that share keys are rows of one, as a mask of one head has them.
// CHECK-LABEL: func @shared
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4x3x8xf32> {{.*}}, %[[K:.*]]: tensor<?x2x6x8xf32> {{.*}}, %[[V:.*]]: tensor<?x2x6x8xf32> {{.*}}, %[[M:.*]]: tensor<3x6xf32>)
// CHECK-DAG: %[[R:.*]] = qopt.reshape %[[Q]], %{{.*}} {allow_zero = true} : (tensor<?x4x3x8xf32>, tensor<4xi64>) -> tensor<?x2x6x8xf32>
// CHECK-DAG: %[[U:.*]] = qopt.unsqueeze %[[M]] {axes = array<i64: 0>}
// CHECK-DAG: %[[E:.*]] = qopt.expand %[[U]], %{{.*}} -> tensor<2x3x6xf32>
// CHECK-DAG: %[[N:.*]] = qopt.reshape %[[E]], %{{.*}} -> tensor<6x6xf32>
// CHECK: %[[A:.*]] = qopt.attention %[[R]], %[[K]], %[[V]], %[[N]] {scale = 1.000000e+00 : f32}
// CHECK: %[[Y:.*]] = qopt.reshape %[[A]], %{{.*}} {allow_zero = true} : (tensor<?x2x6x8xf32>, tensor<4xi64>) -> tensor<?x4x3x8xf32>
// CHECK: return %[[Y]]
func.func @shared(%q: tensor<?x4x3x8xf32> {qopt.dims = ["b", "", "", ""]}, %k: tensor<?x2x6x8xf32> {qopt.dims = ["b", "", "", ""]}, %v: tensor<?x2x6x8xf32> {qopt.dims = ["b", "", "", ""]}, %m: tensor<3x6xf32>) -> tensor<?x4x3x8xf32> {
  %many = qopt.constant(dense<[1, 1, 2, 1, 1]> : tensor<5xi64>) : tensor<5xi64>
  %flat = qopt.constant(dense<[0, 4, 6, 8]> : tensor<4xi64>) : tensor<4xi64>
  %0 = qopt.unsqueeze %k {axes = array<i64: 2>} : (tensor<?x2x6x8xf32>) -> tensor<?x2x1x6x8xf32>
  %1 = qopt.expand %0, %many : (tensor<?x2x1x6x8xf32>, tensor<5xi64>) -> tensor<?x2x2x6x8xf32>
  %2 = qopt.reshape %1, %flat : (tensor<?x2x2x6x8xf32>, tensor<4xi64>) -> tensor<?x4x6x8xf32>
  %3 = qopt.unsqueeze %v {axes = array<i64: 2>} : (tensor<?x2x6x8xf32>) -> tensor<?x2x1x6x8xf32>
  %4 = qopt.expand %3, %many : (tensor<?x2x1x6x8xf32>, tensor<5xi64>) -> tensor<?x2x2x6x8xf32>
  %5 = qopt.reshape %4, %flat : (tensor<?x2x2x6x8xf32>, tensor<4xi64>) -> tensor<?x4x6x8xf32>
  %6 = qopt.attention %q, %2, %5, %m {scale = 1.0 : f32} : (tensor<?x4x3x8xf32>, tensor<?x4x6x8xf32>, tensor<?x4x6x8xf32>, tensor<3x6xf32>) -> tensor<?x4x3x8xf32>
  return %6 : tensor<?x4x3x8xf32>
}

// -----

// Not where the mask differs among heads, nor where heads alternate.
// CHECK-LABEL: func @apart
// CHECK-SAME: %[[Q:.*]]: tensor<1x4x3x8xf32>, %[[K:.*]]: tensor<1x2x6x8xf32>, %[[M:.*]]: tensor<4x3x6xf32>
// CHECK: qopt.attention %[[Q]], %[[A:.*]], %[[A]], %[[M]]
// CHECK: qopt.attention %[[Q]], %[[B:.*]], %[[B]] {
func.func @apart(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x6x8xf32>, %m: tensor<4x3x6xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) {
  %inner = qopt.constant(dense<[1, 1, 2, 1, 1]> : tensor<5xi64>) : tensor<5xi64>
  %outer = qopt.constant(dense<[1, 2, 1, 1, 1]> : tensor<5xi64>) : tensor<5xi64>
  %flat = qopt.constant(dense<[1, 4, 6, 8]> : tensor<4xi64>) : tensor<4xi64>
  %0 = qopt.unsqueeze %k {axes = array<i64: 2>} : (tensor<1x2x6x8xf32>) -> tensor<1x2x1x6x8xf32>
  %1 = qopt.expand %0, %inner : (tensor<1x2x1x6x8xf32>, tensor<5xi64>) -> tensor<1x2x2x6x8xf32>
  %2 = qopt.reshape %1, %flat : (tensor<1x2x2x6x8xf32>, tensor<4xi64>) -> tensor<1x4x6x8xf32>
  %3 = qopt.attention %q, %2, %2, %m {scale = 1.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>, tensor<4x3x6xf32>) -> tensor<1x4x3x8xf32>
  %4 = qopt.unsqueeze %k {axes = array<i64: 1>} : (tensor<1x2x6x8xf32>) -> tensor<1x1x2x6x8xf32>
  %5 = qopt.expand %4, %outer : (tensor<1x1x2x6x8xf32>, tensor<5xi64>) -> tensor<1x2x2x6x8xf32>
  %6 = qopt.reshape %5, %flat : (tensor<1x2x2x6x8xf32>, tensor<4xi64>) -> tensor<1x4x6x8xf32>
  %7 = qopt.attention %q, %6, %6 {scale = 1.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x3x8xf32>
  return %3, %7 : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>
}
