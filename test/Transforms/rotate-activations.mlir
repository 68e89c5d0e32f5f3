// RUN: qopt-opt %s --qopt-transform-layers="transforms=rotate=64" --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-transform-layers="transforms=rotate=64 keep-codes" --split-input-file | FileCheck %s --check-prefix=KEEP
// RUN: not qopt-opt %s --qopt-transform-layers="transforms=rotate=48" --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD

// BAD: error: transforms: rotate expects off, 16, 32, 64, 128, 256, but found '48'

// The activation is rotated once for all weights that are to have codes, and each
// is rotated back. What has none sees what it saw.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x128xf32>
// CHECK: %[[XS:.*]] = qopt.mul %[[X]], %{{.*}} : (tensor<?x128xf32>, tensor<128xf32>) -> tensor<?x128xf32>
// CHECK: %[[XQ:.*]] = qopt.hadamard %[[XS]] {block = 64 : i64} : (tensor<?x128xf32>) -> tensor<?x128xf32>
// CHECK: %[[WB:.*]] = qopt.reshape %{{.*}} -> tensor<2x64x8xf32>
// CHECK: %[[WR:.*]] = qopt.matmul %{{.*}}, %[[WB]] : (tensor<64x64xf32>, tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
// CHECK: %[[WQ:.*]] = qopt.reshape %[[WR]], %{{.*}} -> tensor<128x8xf32>
// CHECK: qopt.matmul %[[XQ]], %[[WQ]]
// CHECK: qopt.matmul %[[XQ]], %{{.*}} -> tensor<?x4xf32>
// CHECK: qopt.matmul %[[X]], %{{.*}} -> tensor<?x8xf32>
func.func @example(%x: tensor<?x128xf32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x8xf32>) {
  %w = qopt.constant(dense<0.5> : tensor<128x8xf32>) : tensor<128x8xf32>
  %v = qopt.constant(dense<0.25> : tensor<128x4xf32>) : tensor<128x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x128xf32>, tensor<128x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.matmul %x, %v {qopt.request = #qopt.request<params = "weight-only", weight = <i8, axis = 1>>} : (tensor<?x128xf32>, tensor<128x4xf32>) -> tensor<?x4xf32>
  %2 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = float, why = "preset">} : (tensor<?x128xf32>, tensor<128x8xf32>) -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x8xf32>
}

// -----

// Channels that are no multiple of the block, codes of the model and
// convolutions stay.
// CHECK-LABEL: func @others
// CHECK-NOT: qopt.hadamard
// CHECK: return
func.func @others(%x: tensor<2x96xf32>, %i: tensor<1x64x2x2xf32>) -> (tensor<2x2xf32>, tensor<1x2x2x2xf32>) {
  %w = qopt.constant(dense<1.0> : tensor<96x2xf32>) : tensor<96x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x96xf32>, tensor<96x2xf32>) -> tensor<2x2xf32>
  %k = qopt.constant(dense<1.0> : tensor<2x64x1x1xf32>) : tensor<2x64x1x1xf32>
  %1 = qopt.conv %i, %k {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = dynamic, act = <i8>, weight = <i8, axis = 0>>}
    : (tensor<1x64x2x2xf32>, tensor<2x64x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<1x2x2x2xf32>
}

// -----

// Nothing that floats compute may come between ops on codes.
// CHECK-LABEL: func @codes
// CHECK: qopt.hadamard
// KEEP-LABEL: func @codes
// KEEP-NOT: qopt.hadamard
// KEEP: return
func.func @codes(%x: tensor<2x8xf32>) -> tensor<2x2xf32> {
  %v = qopt.constant(dense<1.0> : tensor<8x64xf32>) : tensor<8x64xf32>
  %w = qopt.constant(dense<1.0> : tensor<64x2xf32>) : tensor<64x2xf32>
  %0 = qopt.matmul %x, %v {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x8xf32>, tensor<8x64xf32>) -> tensor<2x64xf32>
  %1 = qopt.matmul %0, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<2x64xf32>, tensor<64x2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}
