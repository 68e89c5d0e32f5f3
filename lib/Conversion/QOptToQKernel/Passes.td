//===- Passes.td - From qopt to qkernel and back ------------*- tablegen -*-===//
//
// The phase `fuse`, its inverse, and the check of the phase `kernels`.
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

    Roots are matmul, conv, attention, softmax, layer_norm, reduce,
    global_average_pool and quantize_dynamic. A root takes in the element-wise
    and (re)quantizing ops that follow as long as they keep its shape and no value
    but the last is used elsewhere, and producers of that shape that only they
    use. The remaining ones are joined by the same rule into `qkernel.map`.

    A quantize_dynamic of rows joins the matmul whose lhs it makes, if nothing
    else reads the codes, together with the layer_norm and element-wise ops in
    front of it that serve nothing else. Failing that it joins the layer_norm,
    softmax or map that makes its rows, which may leave the kernel too. One whose
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

def DecomposeKernelsPass : Pass<"qkernel-decompose"> {
  let summary = "put the body of every kernel back in its place";
  let description = [{
    ```mlir
    %1 = qkernel.map(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> (%a0: tensor<?x8xf32>) {
      %0 = qopt.relu %a0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
      qkernel.yield %0 : tensor<?x8xf32>
    }
    // becomes
    %1 = qopt.relu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```

    Undoes `convert-qopt-to-qkernel` up to the order of independent ops; packed
    operands give way to what was packed. Leaves everything else alone.

    Numerics: exact; the same ops on the same values.
  }];
}

def AssignKernelsPass
    : Pass<"qkernel-assign", "::qopt::kernel::VariantOp"> {
  let summary = "choose the kernel that runs each op of a variant";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
        %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
        return %0 : tensor<?x8xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
        %0 = qkernel.contract(%x, %w) {kernel = "x86-64.contract.f32"} : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
          (%a0: tensor<?x4xf32>, %a1: tensor<4x8xf32>) {
          %0 = qopt.matmul %a0, %a1 : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
          qkernel.yield %0 : tensor<?x8xf32>
        }
        return %0 : tensor<?x8xf32>
      }
    }
    ```

    The kernels are those of the variant's target, which its dialect extension
    makes known. Of those that match an op the first is taken; `reason` keeps
    why those before it do not.

    A kernel op that none matches is taken apart: a quantizer and what stands in
    front of it become kernels of their own, and where that does not help every
    op does. Bare ops are put into the kernel op of their family. A single op
    that no kernel matches is named `generic`, with the reasons.

    Runs after `convert-qopt-to-qkernel`; first in `kernels`.

    Numerics: exact; the same ops on the same values.
  }];
  let dependentDialects = ["::qopt::kernel::QKernelDialect"];
  let statistics = [
    Statistic<"numGeneric", "num-generic", "ops that no kernel runs">];
}

def VerifyKernelsPass : Pass<"verify-kernels"> {
  let summary = "check the form that the phase kernels leaves";
  let description = [{
    Fails on an op of a `qkernel.variant` without the name of what runs it, on a
    generic one without a reason, and on a memref whose elements are narrower
    than a byte.

    Last in `kernels`.

    Numerics: exact; changes nothing.
  }];
}

#endif
