//===- Passes.td - Passes from kernels to functions ---------*- tablegen -*-===//
//
// The examples are cases of the passes' tests.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_PASSES_TD
#define DIALECTS_QKERNEL_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MergeKernelFunctionsPass
    : Pass<"qkernel-merge-kernel-functions", "::mlir::ModuleOp"> {
  let summary = "keep one of several equal kernel functions";
  let description = [{
    ```mlir
    llvm.func @main(%x: !llvm.ptr, %y: !llvm.ptr) {
      llvm.call @k0.map(%x) : (!llvm.ptr) -> ()
      llvm.call @k1.map(%y) : (!llvm.ptr) -> ()
      llvm.return
    }
    llvm.func internal @k0.map(%p: !llvm.ptr) { ... }
    llvm.func internal @k1.map(%p: !llvm.ptr) { ... }
    // becomes
    llvm.func @main(%x: !llvm.ptr, %y: !llvm.ptr) {
      llvm.call @k0.map(%x) : (!llvm.ptr) -> ()
      llvm.call @k0.map(%y) : (!llvm.ptr) -> ()
      llvm.return
    }
    llvm.func internal @k0.map(%p: !llvm.ptr) { ... }
    ```

    The layers of a model that repeat are converted and compiled once. Two
    functions are equal when types, attributes and bodies are; names and locations
    do not count.

    Leaves functions alone that are seen from outside of the module.

    Runs when every kernel has its function, before they are converted to LLVM.

    Numerics: exact.
  }];
  let statistics = [Statistic<"numMerged", "num-merged", "functions that another one stands for">];
}

#endif
