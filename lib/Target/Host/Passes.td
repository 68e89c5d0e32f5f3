//===- Passes.td - From functions of kernels to LLVM --------*- tablegen -*-===//
//
// What every program takes that a CPU runs or drives.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TARGET_HOST_PASSES_TD
#define LIB_TARGET_HOST_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertKernelsToLLVMPass
    : Pass<"convert-kernels-to-llvm", "::mlir::ModuleOp"> {
  let summary = "convert the code of kernels to the LLVM dialect";
  let description = [{
    ```mlir
    llvm.func @k0.add(%p: !llvm.ptr, %i: i64, %n: i64) {
      %0 = arith.addi %i, %n : i64
      llvm.return
    }
    // becomes
    llvm.func @k0.add(%p: !llvm.ptr, %i: i64, %n: i64) {
      %0 = llvm.add %i, %n : i64
      llvm.return
    }
    ```

    Converts `arith`, `cf`, `math` and `vector`. Kernels use i64 and pointers
    throughout, so no type is converted and functions stay as they are. Rounding to
    nearest even and the conversion of what it gives become `llvm.lrint`: programs run
    in the default rounding mode.

    Fails on an op of another dialect, and on one that would become a call of a
    math library, which no artefact has.

    Runs after `convert-scf-to-cf` and `qkernel-lower-checks`.

    Numerics: exact.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
