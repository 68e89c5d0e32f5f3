// RUN: qopt-opt %s --qopt-fold-constants --verify-each --split-input-file | FileCheck %s

// A static dim of a shape is a constant, and so is what is made of constants.
// CHECK-LABEL: func @example
// CHECK-SAME: -> tensor<6x?xf32>
// CHECK-NEXT: %[[T:.*]] = qopt.constant(dense<[6, -1]> : tensor<2xi64>)
// CHECK-NEXT: qopt.reshape %arg0, %[[T]] : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<6x?xf32>
func.func @example(%x: tensor<?x6xf32>) -> tensor<?x?xf32> {
  %minus_one = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
  %s = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x6xf32>) -> tensor<1xi64>
  %t = qopt.concat %s, %minus_one {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %r = qopt.reshape %x, %t : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// The batch is a dim of the reshape's own input, through cast, slice, gather and
// what keeps dims: 0 copies it. The sequence is the one dim left: -1.
// CHECK-LABEL: func @heads
// CHECK: %[[T:.*]] = qopt.constant(dense<[0, -1, 2, 4]> : tensor<4xi64>)
// CHECK: qopt.reshape %{{.*}}, %[[T]] : {{.*}} -> tensor<?x?x2x4xf32>
// CHECK-NOT: qopt.shape
func.func @heads(%x: tensor<?x?x8xf32>, %y: tensor<?xf32>, %w: tensor<8x8xf32>) -> tensor<?x?x?x?xf32> {
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %first = qopt.constant(dense<0> : tensor<i64>) : tensor<i64>
  %rest = qopt.constant(dense<[2, 4]> : tensor<2xi64>) : tensor<2xi64>
  %m = qopt.matmul %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %s = qopt.shape %x {start = 0 : i64, end = 3 : i64} : (tensor<?x?x8xf32>) -> tensor<3xi64>
  %c = qopt.cast %s : (tensor<3xi64>) -> tensor<3xi32>
  %d = qopt.cast %c : (tensor<3xi32>) -> tensor<3xi64>
  %b = qopt.slice %d, %zero, %one {axes = array<i64: 0>} : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %u = qopt.shape %y {start = 0 : i64, end = 1 : i64} : (tensor<?xf32>) -> tensor<1xi64>
  %g = qopt.gather %u, %first {axis = 0 : i64} : (tensor<1xi64>, tensor<i64>) -> tensor<i64>
  %n = qopt.unsqueeze %g {axes = array<i64: 0>} : (tensor<i64>) -> tensor<1xi64>
  %t = qopt.concat %b, %n, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %r = qopt.reshape %m, %t : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %r : tensor<?x?x?x?xf32>
}

// -----

// Two dims that the reshape's input does not have.
// CHECK-LABEL: func @two_unknown
// CHECK: qopt.concat
// CHECK: qopt.reshape
func.func @two_unknown(%x: tensor<?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %s = qopt.shape %y {start = 0 : i64, end = 1 : i64} : (tensor<?x?xf32>) -> tensor<1xi64>
  %t = qopt.shape %y {start = 1 : i64, end = 2 : i64} : (tensor<?x?xf32>) -> tensor<1xi64>
  %u = qopt.concat %s, %t {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %r = qopt.reshape %x, %u : (tensor<?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// Reference evaluates what is small.
// CHECK-LABEL: func @small
// CHECK-NEXT: %[[C:.*]] = qopt.constant(dense<[3.000000e+00, 2.000000e+00]>
// CHECK-NEXT: qopt.add %arg0, %[[C]]
func.func @small(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant(dense<[9, 4]> : tensor<2xi64>) : tensor<2xi64>
  %0 = qopt.cast %c : (tensor<2xi64>) -> tensor<2xf32>
  %1 = qopt.sqrt %0 : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qopt.add %x, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// A result of more than 64 KiB is left.
// CHECK-LABEL: func @large
// CHECK: qopt.expand
func.func @large() -> tensor<16385xf32> {
  %c = qopt.constant(dense<1.0> : tensor<1xf32>) : tensor<1xf32>
  %n = qopt.constant(dense<16385> : tensor<1xi64>) : tensor<1xi64>
  %0 = qopt.expand %c, %n : (tensor<1xf32>, tensor<1xi64>) -> tensor<16385xf32>
  return %0 : tensor<16385xf32>
}

// -----

// So is a dequantize.
// CHECK-LABEL: func @dequantize
// CHECK: qopt.dequantize
func.func @dequantize() -> tensor<2xf32> {
  %q = qopt.constant(dense<1> : tensor<2xi8>) : tensor<2xi8>
  %s = qopt.constant(dense<0.5> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.dequantize %q scales(%s) : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// So is an op on bad data: the run says what is wrong.
// CHECK-LABEL: func @bad_index
// CHECK: qopt.gather
func.func @bad_index() -> tensor<1xf32> {
  %w = qopt.constant(dense<1.0> : tensor<2xf32>) : tensor<2xf32>
  %i = qopt.constant(dense<5> : tensor<1xi64>) : tensor<1xi64>
  %0 = qopt.gather %w, %i {axis = 0 : i64} : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

// What changes nothing goes.
// CHECK-LABEL: func @nothing
// CHECK-NEXT: return %arg0
func.func @nothing(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %one = qopt.constant(dense<1.0> : tensor<1xf32>) : tensor<1xf32>
  %0 = qopt.mul %x, %one : (tensor<2x3xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  %1 = qopt.div %0, %one : (tensor<2x3xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  %2 = qopt.cast %1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = qopt.transpose %2 {perm = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %3 : tensor<2x3xf32>
}

// -----

// Unless it changes the rank.
// CHECK-LABEL: func @rank
// CHECK: qopt.mul
func.func @rank(%x: tensor<3xf32>) -> tensor<1x3xf32> {
  %one = qopt.constant(dense<1.0> : tensor<1x1xf32>) : tensor<1x1xf32>
  %0 = qopt.mul %x, %one : (tensor<3xf32>, tensor<1x1xf32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}
