// RUN: qopt-opt %s --convert-qopt-to-qkernel | FileCheck %s

// A chain of any length becomes kernels of a length that compiles fast: 64 ops and
// the other 6.
// CHECK-LABEL: func @chain
// CHECK: %[[A:.*]] = qkernel.map(%arg0)
// CHECK-COUNT-64: qopt.relu
// CHECK-NOT: qopt.relu
// CHECK: qkernel.map(%[[A]])
// CHECK-COUNT-6: qopt.relu
// CHECK-NOT: qopt.relu
func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %1 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %2 = qopt.relu %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = qopt.relu %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = qopt.relu %3 : (tensor<4xf32>) -> tensor<4xf32>
  %5 = qopt.relu %4 : (tensor<4xf32>) -> tensor<4xf32>
  %6 = qopt.relu %5 : (tensor<4xf32>) -> tensor<4xf32>
  %7 = qopt.relu %6 : (tensor<4xf32>) -> tensor<4xf32>
  %8 = qopt.relu %7 : (tensor<4xf32>) -> tensor<4xf32>
  %9 = qopt.relu %8 : (tensor<4xf32>) -> tensor<4xf32>
  %10 = qopt.relu %9 : (tensor<4xf32>) -> tensor<4xf32>
  %11 = qopt.relu %10 : (tensor<4xf32>) -> tensor<4xf32>
  %12 = qopt.relu %11 : (tensor<4xf32>) -> tensor<4xf32>
  %13 = qopt.relu %12 : (tensor<4xf32>) -> tensor<4xf32>
  %14 = qopt.relu %13 : (tensor<4xf32>) -> tensor<4xf32>
  %15 = qopt.relu %14 : (tensor<4xf32>) -> tensor<4xf32>
  %16 = qopt.relu %15 : (tensor<4xf32>) -> tensor<4xf32>
  %17 = qopt.relu %16 : (tensor<4xf32>) -> tensor<4xf32>
  %18 = qopt.relu %17 : (tensor<4xf32>) -> tensor<4xf32>
  %19 = qopt.relu %18 : (tensor<4xf32>) -> tensor<4xf32>
  %20 = qopt.relu %19 : (tensor<4xf32>) -> tensor<4xf32>
  %21 = qopt.relu %20 : (tensor<4xf32>) -> tensor<4xf32>
  %22 = qopt.relu %21 : (tensor<4xf32>) -> tensor<4xf32>
  %23 = qopt.relu %22 : (tensor<4xf32>) -> tensor<4xf32>
  %24 = qopt.relu %23 : (tensor<4xf32>) -> tensor<4xf32>
  %25 = qopt.relu %24 : (tensor<4xf32>) -> tensor<4xf32>
  %26 = qopt.relu %25 : (tensor<4xf32>) -> tensor<4xf32>
  %27 = qopt.relu %26 : (tensor<4xf32>) -> tensor<4xf32>
  %28 = qopt.relu %27 : (tensor<4xf32>) -> tensor<4xf32>
  %29 = qopt.relu %28 : (tensor<4xf32>) -> tensor<4xf32>
  %30 = qopt.relu %29 : (tensor<4xf32>) -> tensor<4xf32>
  %31 = qopt.relu %30 : (tensor<4xf32>) -> tensor<4xf32>
  %32 = qopt.relu %31 : (tensor<4xf32>) -> tensor<4xf32>
  %33 = qopt.relu %32 : (tensor<4xf32>) -> tensor<4xf32>
  %34 = qopt.relu %33 : (tensor<4xf32>) -> tensor<4xf32>
  %35 = qopt.relu %34 : (tensor<4xf32>) -> tensor<4xf32>
  %36 = qopt.relu %35 : (tensor<4xf32>) -> tensor<4xf32>
  %37 = qopt.relu %36 : (tensor<4xf32>) -> tensor<4xf32>
  %38 = qopt.relu %37 : (tensor<4xf32>) -> tensor<4xf32>
  %39 = qopt.relu %38 : (tensor<4xf32>) -> tensor<4xf32>
  %40 = qopt.relu %39 : (tensor<4xf32>) -> tensor<4xf32>
  %41 = qopt.relu %40 : (tensor<4xf32>) -> tensor<4xf32>
  %42 = qopt.relu %41 : (tensor<4xf32>) -> tensor<4xf32>
  %43 = qopt.relu %42 : (tensor<4xf32>) -> tensor<4xf32>
  %44 = qopt.relu %43 : (tensor<4xf32>) -> tensor<4xf32>
  %45 = qopt.relu %44 : (tensor<4xf32>) -> tensor<4xf32>
  %46 = qopt.relu %45 : (tensor<4xf32>) -> tensor<4xf32>
  %47 = qopt.relu %46 : (tensor<4xf32>) -> tensor<4xf32>
  %48 = qopt.relu %47 : (tensor<4xf32>) -> tensor<4xf32>
  %49 = qopt.relu %48 : (tensor<4xf32>) -> tensor<4xf32>
  %50 = qopt.relu %49 : (tensor<4xf32>) -> tensor<4xf32>
  %51 = qopt.relu %50 : (tensor<4xf32>) -> tensor<4xf32>
  %52 = qopt.relu %51 : (tensor<4xf32>) -> tensor<4xf32>
  %53 = qopt.relu %52 : (tensor<4xf32>) -> tensor<4xf32>
  %54 = qopt.relu %53 : (tensor<4xf32>) -> tensor<4xf32>
  %55 = qopt.relu %54 : (tensor<4xf32>) -> tensor<4xf32>
  %56 = qopt.relu %55 : (tensor<4xf32>) -> tensor<4xf32>
  %57 = qopt.relu %56 : (tensor<4xf32>) -> tensor<4xf32>
  %58 = qopt.relu %57 : (tensor<4xf32>) -> tensor<4xf32>
  %59 = qopt.relu %58 : (tensor<4xf32>) -> tensor<4xf32>
  %60 = qopt.relu %59 : (tensor<4xf32>) -> tensor<4xf32>
  %61 = qopt.relu %60 : (tensor<4xf32>) -> tensor<4xf32>
  %62 = qopt.relu %61 : (tensor<4xf32>) -> tensor<4xf32>
  %63 = qopt.relu %62 : (tensor<4xf32>) -> tensor<4xf32>
  %64 = qopt.relu %63 : (tensor<4xf32>) -> tensor<4xf32>
  %65 = qopt.relu %64 : (tensor<4xf32>) -> tensor<4xf32>
  %66 = qopt.relu %65 : (tensor<4xf32>) -> tensor<4xf32>
  %67 = qopt.relu %66 : (tensor<4xf32>) -> tensor<4xf32>
  %68 = qopt.relu %67 : (tensor<4xf32>) -> tensor<4xf32>
  %69 = qopt.relu %68 : (tensor<4xf32>) -> tensor<4xf32>
  %70 = qopt.relu %69 : (tensor<4xf32>) -> tensor<4xf32>
  return %70 : tensor<4xf32>
}
