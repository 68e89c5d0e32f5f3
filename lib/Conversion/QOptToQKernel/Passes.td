//===- Passes.td - From qopt to qkernel ------------*- tablegen -*-===//
//
// The phase `fuse`.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_QOPTTOQKERNEL_PASSES_TD
#define LIB_CONVERSION_QOPTTOQKERNEL_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQOptToQKernelPass
    : Pass<"convert-qopt-to-qkernel", "::mlir::func::FuncOp"> {
  let summary = "fuse contractions and row ops with what follows into kernels";
  let description = [{
    ```mlir
    %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %1 = qopt.add %0, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    // becomes
    %1 = qkernel.contract(%x, %w, %b) : (tensor<?x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
      (%a0: tensor<?x4xf32>, %a1: tensor<4x8xf32>, %a2: tensor<8xf32>) {
      %0 = qopt.matmul %a0, %a1 : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
      %1 = qopt.add %0, %a2 : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
      qkernel.yield %1 : tensor<?x8xf32>
    }
    ```

    Roots are matmul, conv, attention, softmax, layer_norm, hadamard,
    reduce, global_average_pool and quantize_dynamic. A root takes in the element-wise
    and (re)quantizing ops that follow as long as they keep its shape and no value
    but the last is used elsewhere, and producers of that shape that only they
    use. The remaining ones are joined by the same rule into `qkernel.map`.

    A quantize_dynamic of rows joins the matmul whose lhs it makes, if nothing
    else reads the codes, together with the layer_norm and element-wise ops in
    front of it that serve nothing else. Failing that it joins the layer_norm,
    softmax, hadamard or map that makes its rows, which may leave the kernel too. One whose
    scales belong to more than a row (samples) or to positions of an image
    (convolutions read a value many times and quantize it once) is a kernel of its
    own.

    An op stays outside of a kernel when an operand may broadcast beyond the
    kernel's shape, when scales belong to blocks, when it reads or makes i64 (shape
    arithmetic), and when it stands in another block. Dynamic dims are equal only
    if they are traced to one source.

    Runs after `quantize`; asks no target.

    Numerics: exact; the same ops on the same values.
  }];
  let dependentDialects = ["::qopt::kernel::QKernelDialect"];
  let statistics = [Statistic<"numKernels", "num-kernels", "kernels made">,
                    Statistic<"numFused", "num-fused", "ops in kernels">];
}

#endif
