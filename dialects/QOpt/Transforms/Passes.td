//===- Passes.td - Passes that see only qopt ----------------*- tablegen -*-===//
//
// In the order in which a compile meets them: prepare, then the end of quantize.
// The examples are cases of the passes' tests.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_PASSES_TD
#define DIALECTS_QOPT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// prepare
//===----------------------------------------------------------------------===//

def InferShapesPass : Pass<"qopt-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "give results the dims that their operands tell";
  let description = [{
    ```mlir
    %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<?x?xf32>
    // becomes
    %0 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    ```

    Leaves dims alone that depend on a run, and results that an op of another
    dialect uses, as a loop or a branch fixes the types of what it yields. What
    the function returns changes the function's type, and takes the names from
    the dims that are known.

    Runs first in `prepare`, and after a pass that changes shapes.

    Numerics: exact.
  }];
  let statistics = [Statistic<"numRefined", "num-refined", "ops with better types">];
}

def FoldSequencesPass : Pass<"qopt-fold-sequences", "::mlir::func::FuncOp"> {
  let summary = "replace sequences and optionals by the tensors in them";
  let description = [{
    ```mlir
    %s = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = false} : (tensor<2x8xf32>) -> !qopt.sequence<tensor<8xf32>>
    %0 = qopt.sequence_at %s, %one : (!qopt.sequence<tensor<8xf32>>, tensor<i64>) -> tensor<8xf32>
    // becomes
    %a:2 = qopt.split %x {axis = 0 : i64, sizes = array<i64: 1, 1>} : (tensor<2x8xf32>) -> (tensor<1x8xf32>, tensor<1x8xf32>)
    %0 = qopt.squeeze %a#1 {axes = array<i64: 0>} : (tensor<1x8xf32>) -> tensor<8xf32>
    ```

    Result types are refined as by `qopt-infer-shapes`. Where a sequence has a
    known length, and its tensors static dims that agree, a position may be
    computed: the tensors are stacked and one is gathered. A loop that carries a
    sequence is written out where constants say how often it runs.

    Any other sequence becomes two tensors, which branches and loops carry: the
    elements of its tensors one after the other, and a row of dims for each. A
    position that no sequence has is an index out of range of the rows then.

    ```mlir
    %1 = qopt.sequence_insert %s, %x : (!qopt.sequence<tensor<?x4xf32>>, tensor<2x4xf32>) -> !qopt.sequence<tensor<?x4xf32>>
    // becomes, where %elements and %dims are those of %s
    %d = qopt.shape %x {end = 2 : i64, start = 0 : i64} : (tensor<2x4xf32>) -> tensor<2xi64>
    %all = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
    %e = qopt.reshape %x, %all {allow_zero = true} : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<?xf32>
    %row = qopt.constant(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi64>
    %r = qopt.reshape %d, %row {allow_zero = true} : (tensor<2xi64>, tensor<2xi64>) -> tensor<1x2xi64>
    %1 = qopt.concat %elements, %e {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %2 = qopt.concat %dims, %r {axis = 0 : i64} : (tensor<?x2xi64>, tensor<1x2xi64>) -> tensor<?x2xi64>
    ```

    Refuses what is left, and names it: parts along an axis of unknown size or of
    computed sizes, optionals of which nothing is known, and positions that no run
    takes.

    Runs first in `prepare`: no later pass and no kernel knows sequences.

    Numerics: exact; tensors are moved only.
  }];
  let statistics = [Statistic<"numFolded", "num-folded", "ops folded">];
}

def DecomposeGemmPass : Pass<"qopt-decompose-gemm", "::mlir::func::FuncOp"> {
  let summary = "rewrite gemm as matmul, mul and add";
  let description = [{
    ```mlir
    %0 = qopt.gemm %x, %w, %c {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = true}
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    // becomes
    %t = qopt.transpose %w {perm = array<i64: 1, 0>} : (tensor<8x4xf32>) -> tensor<4x8xf32>
    %m = qopt.matmul %x, %t : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %0 = qopt.add %m, %c : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```

    A factor of 1 makes no `mul`. Always happens: every gemm is rewritten.

    Runs before the passes that look for a matmul: batch norms, the plan.

    Numerics: exact; the ops are those of the gemm's formula.
  }];
  let statistics = [Statistic<"numDecomposed", "num-decomposed", "gemms rewritten">];
}

def FoldBatchNormPass : Pass<"qopt-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "fold batch norms into convolutions and products before them";
  let description = [{
    With m = scale / sqrt(variance + epsilon), as ops on the constants:

    ```mlir
    %c = qopt.conv %x, %w {...} : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32>
    %n = qopt.batch_norm %c, %scale, %bias, %mean, %variance {epsilon = 1.0e-5 : f32}
    // becomes
    %m1 = qopt.unsqueeze %m {axes = array<i64: 1, 2, 3>} : (tensor<4xf32>) -> tensor<4x1x1x1xf32>
    %wf = qopt.mul %w, %m1 : (tensor<4x3x1x1xf32>, tensor<4x1x1x1xf32>) -> tensor<4x3x1x1xf32>
    %bf = qopt.sub %bias, %mm : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>   // %mm = mean * m
    %n = qopt.conv %x, %wf bias %bf {...}
    ```

    A product `x W [+ c]` of rank 2 is folded likewise, by columns. The norm stays
    when what is before it has other users, when a parameter or the weight is not
    constant, when the weight is made of codes, and when a sum between product
    and norm adds anything but one constant for each column.

    Runs after `qopt-decompose-gemm` and before the plan.

    Numerics: bounded; the weight is rounded twice more, one rounding of the
    result moves.
  }];
}

def FoldChannelAffinePass
    : Pass<"qopt-fold-channel-affine", "::mlir::func::FuncOp"> {
  let summary = "fold factors and sums of channels into convolutions";
  let description = [{
    ```mlir
    %c = qopt.conv %x, %w {...} : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32>
    %0 = qopt.add %c, %b : (tensor<?x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<?x4x8x8xf32>
    // becomes
    %b1 = qopt.reshape %b, %n : (tensor<1x4x1x1xf32>, tensor<1xi64>) -> tensor<4xf32>
    %0 = qopt.conv %x, %w bias %b1 {...}
    ```

    and a `mul` by one constant, or by one for each channel, becomes
    `qopt.mul` of the weight and of the bias. Nothing happens when the
    convolution has other users, when the other operand is not constant or is
    not one number for each channel, or when the weight is made of codes.

    Runs after `qopt-fold-batch-norm`.

    Numerics: bounded; a sum after a convolution without bias is exact, another
    moves one rounding, and a factor rounds the weight once more.
  }];
}

def RecognizePatternsPass
    : Pass<"qopt-recognize-patterns", "::mlir::func::FuncOp"> {
  let summary = "put ops together that exporters take apart";
  let description = [{
    ```mlir
    %0 = qopt.sigmoid %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    %1 = qopt.mul %x, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    // becomes
    %1 = qopt.silu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```

    Likewise, with products and sums in any order and association:

    ```
    0.5 * x * (1 + erf(x / sqrt(2)))                                 gelu, form erf
    0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))        gelu, form tanh
    x * hard_sigmoid(x), x * clip(x + 3, 0, 6) / 6                   hard_swish
    clip(a * x + b, 0, 1), clip(x + 3, 0, 6) / 6                     hard_sigmoid
    (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * g [+ b]        layer_norm
    softmax(s * Q K^T [+ mask]) V                                    attention
    ```

    Attention whose keys and values were repeated for groups of heads reads them
    where they are: the heads of a group are rows of one.

    Leaves a pattern alone when a value inside of it has other users; when a
    constant is another (but for rounding, 1e-5 of it); when a constant's rank
    would change the shape; a layer norm whose scale is not one constant row;
    attention whose keys are not transposed, or whose leading dims, or mask, may
    broadcast beyond the scores. Repeated keys stay where the mask differs among
    heads.

    Runs after `qopt-fold-constants` (which drops factors of 1 and finds which
    dims are equal) and before the plan.

    Numerics: bounded; the op rounds as its own formula says.
  }];
}

def VerifyPreparedPass : Pass<"verify-prepared"> {
  let summary = "check the form that prepare leaves";
  let description = [{
    Fails on a `qopt.gemm`, on a `qopt.observe`, on an op whose types, axes,
    formats or windows break a constraint of its description, and on a result
    whose declared dims contradict those that its operands give.

    Last in `prepare`.

    Numerics: exact; changes nothing.
  }];
}

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

def VerifyQuantizedPass : Pass<"verify-quantized"> {
  let summary = "check the form that quantize leaves";
  let description = [{
    Fails on a float contraction that decodes a weight each time, on a weight
    expression that was not evaluated, on `qopt.gemm` and on `qopt.observe`.

    Last in `quantize`.

    Numerics: exact; changes nothing.
  }];
}

#endif
