// RUN: qopt-opt %s --qopt-round-states=format=i4 --verify-diagnostics

// expected-error @+1 {{expects states of i8 or f16, but found i4}}
func.func @main(%past: tensor<?x4xf32> {qopt.state = array<i64: 0, 0>}, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.concat %past, %x {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
