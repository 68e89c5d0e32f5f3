// RUN: qopt-opt %s --qkernel-assign --qkernel-bind-states --split-input-file --verify-diagnostics | FileCheck %s

// A result that is an argument with more behind it is added to in place, also
// where attention reads it; dims are no elements.
// CHECK-LABEL: qkernel.variant @adds
// CHECK: qopt.concat %{{.*}}, %{{.*}} {axis = 1 : i64, qkernel.append, qopt.kernel = "x86-64.concat"}
qkernel.variant @adds #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 1, 1>}, %x: tensor<2x?x4xf32>) -> (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2xi64>) {
    %s = qopt.shape %p {start = 0 : i64, end = 2 : i64} : (tensor<2x?x4xf32>) -> tensor<2xi64>
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %1 = qkernel.attention(%x, %0) : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32> (%a0: tensor<2x?x4xf32>, %a1: tensor<2x?x4xf32>) {
      %r = qopt.attention %a0, %a1, %a1 {scale = 1.0 : f32} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
      qkernel.yield %r : tensor<2x?x4xf32>
    }
    return %1, %0, %s : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2xi64>
  }
}

// -----

// Not where what grows is another axis.
// CHECK-LABEL: qkernel.variant @axes
// CHECK-NOT: qkernel.append
qkernel.variant @axes #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<?x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 0 : i64} : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
    return %0 : tensor<?x?x4xf32>
  }
}

// -----

// Not where the past is read beside that, whatever stood there before.
// CHECK-LABEL: qkernel.variant @reads
// CHECK-NOT: qkernel.append
qkernel.variant @reads #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> (tensor<2x?x4xf32>, tensor<2x?x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qkernel.append} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %1 = qopt.neg %p : (tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    return %0, %1 : tensor<2x?x4xf32>, tensor<2x?x4xf32>
  }
}

// -----

// Not where a kernel reads the result that knows no slots.
// CHECK-LABEL: qkernel.variant @others
// CHECK-NOT: qkernel.append
qkernel.variant @others #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> (tensor<2x?x4xf32>, tensor<2x?x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %1 = qopt.neg %0 : (tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    return %0, %1 : tensor<2x?x4xf32>, tensor<2x?x4xf32>
  }
}

// -----

// Attention knows slots of keys and values only, behind their rows.
// CHECK-LABEL: qkernel.variant @queries
// CHECK-NOT: qkernel.append
qkernel.variant @queries #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %h: tensor<?x3x4xf32> {qopt.state = array<i64: 1, 0>}, %x: tensor<2x?x4xf32>, %y: tensor<?x3x4xf32>) -> (tensor<2x?x4xf32>, tensor<?x3x4xf32>, tensor<2x?x4xf32>, tensor<?x3x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %1 = qopt.concat %h, %y {axis = 0 : i64} : (tensor<?x3x4xf32>, tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
    %2 = qkernel.attention(%0, %x) : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32> (%a0: tensor<2x?x4xf32>, %a1: tensor<2x?x4xf32>) {
      %r = qopt.attention %a0, %a0, %a1 {scale = 1.0 : f32} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
      qkernel.yield %r : tensor<2x?x4xf32>
    }
    %3 = qkernel.attention(%y, %1) : (tensor<?x3x4xf32>, tensor<?x3x4xf32>) -> tensor<?x3x4xf32> (%a0: tensor<?x3x4xf32>, %a1: tensor<?x3x4xf32>) {
      %r = qopt.attention %a0, %a1, %a1 {scale = 1.0 : f32} : (tensor<?x3x4xf32>, tensor<?x3x4xf32>, tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
      qkernel.yield %r : tensor<?x3x4xf32>
    }
    return %0, %1, %2, %3 : tensor<2x?x4xf32>, tensor<?x3x4xf32>, tensor<2x?x4xf32>, tensor<?x3x4xf32>
  }
}

// -----

// Not where it is given out twice, where the past comes last, or where no such
// result is there.
// CHECK-LABEL: qkernel.variant @twice
// CHECK-NOT: qkernel.append
qkernel.variant @twice #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %r: tensor<2x?x4xf32> {qopt.state = array<i64: 2, 1>}, %s: tensor<2x?x4xf32> {qopt.state = array<i64: 7, 1>}, %x: tensor<2x?x4xf32>) -> (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %1 = qopt.concat %x, %r {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    return %0, %0, %1 : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>
  }
}

// -----

// Not where a region reads it.
// CHECK-LABEL: qkernel.variant @regions
// CHECK-NOT: qkernel.append
qkernel.variant @regions #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>, %t: tensor<i1>) -> (tensor<2x?x4xf32>, tensor<2x?x4xf32>) {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    %c = tensor.extract %t[] : tensor<i1>
    %1 = scf.if %c -> (tensor<2x?x4xf32>) {
      scf.yield %0 : tensor<2x?x4xf32>
    } else {
      scf.yield %x : tensor<2x?x4xf32>
    }
    return %0, %1 : tensor<2x?x4xf32>, tensor<2x?x4xf32>
  }
}

// -----

// Variants share the context, so what one cannot do none does.
// CHECK-NOT: qkernel.append
qkernel.variant @v3 #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}
qkernel.variant @vulkan #qkernel.target<"vulkan", "vulkan1.2"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// expected-error @+1 {{'qkernel.variant' op target 'none' is not known here}}
qkernel.variant @none #qkernel.target<"none", "none"> {
  func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}) -> tensor<2x?x4xf32> {
    return %p : tensor<2x?x4xf32>
  }
}
