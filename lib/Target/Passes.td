//===- Passes.td - From programs to the functions of a target *- tablegen -*-===//
//
// What every target takes alike.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TARGET_PASSES_TD
#define LIB_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitKernelsPass : Pass<"qkernel-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "write the functions of each variant";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: memref<?x4xf32>) { ... qkernel.launch @k0.relu(%x) to(%1) ... }
      func.func private @k0.relu(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> { ... }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      llvm.func @main.x86-64-v4(...) { ... llvm.call @qopt_rt_parallel(..., @k0.relu, ...) ... }
      llvm.func internal @k0.relu(...) { scf.for ... }
    }
    ```

    The kernels that launches name write their bodies in `arith`, `vector`, `scf`
    and the machine's own ops; the program becomes the host function that runs
    them. Constants are packed into the weights of the artefact, which all variants
    share, in the order of the variants.

    Fails where a kernel cannot be written, with an error for each that cannot; on
    a variant of a target or a machine that is not known.

    Runs after `verify-target`; first in `emit`.

    Numerics: each kernel writes the formulas of its ops; the same bits on every
    machine.
  }];
  // Who makes one says which targets there are.
  let constructor = "qopt::createEmitKernelsPass";
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect",
                           "::qopt::kernel::QKernelDialect"];
  let statistics = [
    Statistic<"numFunctions", "num-functions", "functions that were written">,
    Statistic<"numWeightBytes", "num-weight-bytes", "bytes of the weights">];
}

#endif
