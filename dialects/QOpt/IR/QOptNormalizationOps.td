//===- QOptNormalizationOps.td - Norms, softmax, pools, sums -*- tablegen -*-===//
//
// Ops that reduce an axis without a product of two tensors.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTNORMALIZATIONOPS_TD
#define DIALECTS_QOPT_IR_QOPTNORMALIZATIONOPS_TD

include "dialects/QOpt/IR/QOptEnums.td"
include "dialects/QOpt/IR/QOptInterfaces.td"

class QOpt_ReducingOp<string mnemonic, list<Trait> traits = []>
    : QOpt_Op<mnemonic, [Pure] # traits> {
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

def QOpt_BatchNormOp : QOpt_ReducingOp<"batch_norm", [QOpt_EpilogueTrait]> {
  let summary = "batch normalisation with fixed statistics, channel axis 1";
  let description = [{
    ```
    m = scale / sqrt(variance + epsilon);  result = fma(x - mean, m, bias)
    ```

    Constraints:
    - (C1) `x` has rank 2 or more.
    - (C2) the others have rank 1 and one value for each channel.

    Example:

    ```mlir
    %1 = qopt.batch_norm %x, %scale, %bias, %mean, %variance {epsilon = 1.0e-5 : f32}
      : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8x4x4xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$scale, QOpt_Tensor:$bias,
    QOpt_Tensor:$mean, QOpt_Tensor:$variance, F32Attr:$epsilon);
}

def QOpt_LayerNormOp : QOpt_ReducingOp<"layer_norm", [
    DeclareOpInterfaceMethods<QOpt_KernelRootOpInterface, ["makesWholeRows"]>]> {
  let summary = "layer normalisation over the axes from `axis` on";
  let description = [{
    With n the number of elements of a row:
    ```
    mean = rowSum(x) / n;  d = x - mean
    variance = (row sum by fma(d, d, s)) / n;  r = 1 / sqrt(variance + epsilon)
    result = fma(d * r, scale, bias)       (no bias: (d * r) * scale)
    ```

    Constraints:
    - (C1) `axis` is an axis of `x`; a negative one counts from the end.
    - (C2) `scale` and `bias` broadcast to the axes from `axis` on.

    Example:

    ```mlir
    %1 = qopt.layer_norm %x, %scale, %bias {axis = -1 : i64, epsilon = 1.0e-5 : f32}
      : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$scale,
    Optional<QOpt_Tensor>:$bias, I64Attr:$axis, F32Attr:$epsilon);
}

def QOpt_SoftmaxOp : QOpt_ReducingOp<"softmax", [
    DeclareOpInterfaceMethods<QOpt_KernelRootOpInterface, ["makesWholeRows"]>]> {
  let summary = "softmax along one axis";
  let description = [{
    ```
    m = max(x);  e = expF32(x - m);  result = e / rowSum(e)
    ```

    Constraints:
    - (C1) `axis` is an axis of `x`; a negative one counts from the end.

    Example:

    ```mlir
    %1 = qopt.softmax %x {axis = -1 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$axis);
}

def QOpt_HadamardOp : QOpt_ReducingOp<"hadamard", [
    AllElementTypesMatch<["x", "result"]>,
    DeclareOpInterfaceMethods<QOpt_KernelRootOpInterface, ["makesWholeRows"]>]> {
  let summary = "orthogonal Walsh-Hadamard transform of blocks of the last axis";
  let description = [{
    For each block v of n = `block` elements along the last axis:
    ```
    for h = 1, 2, 4, ... below n:
      for all i with (i / h) even:  v[i], v[i + h] = v[i] + v[i + h], v[i] - v[i + h]
    result = v * f32(1 / sqrt(n))
    ```
    So y = x * H / sqrt(n) with H of natural order, by n log2(n) sums in f32 in the
    order of the butterfly. The transform is its own inverse, but for rounding.

    Constraints:
    - (C1) `block` is a power of two from 2 to 4096.
    - (C2) `x` has f32 elements, and a static last dim that is a multiple of `block`.

    Example:

    ```mlir
    %1 = qopt.hadamard %x {block = 4 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$block);
  let hasVerifier = 1;
}

def QOpt_ReduceOp : QOpt_ReducingOp<"reduce", [QOpt_KernelRootOpInterface]> {
  let summary = "sum, mean, max, min, product or Euclidean norm over axes";
  let description = [{
    The reduced elements of an output are taken in row-major order.
    ```
    sum: rowSum(x)   mean: rowSum(x) / n   l2: sqrt(row sum by fma(x, x, s))
    max: one chain of m = isNaN(x) ? x : x > m ? x : m from -inf
    min: one chain of m = isNaN(x) ? x : x < m ? x : m from +inf
    prod: one chain of products from 1
    ```
    So NaN wins, and of zeros of both signs the first. Integers: exact, wrapping;
    mean truncates; max and min of none are the least and the greatest integer.

    Constraints:
    - (C1) `axes` are ascending axes of `x`, not negative.

    Example:

    ```mlir
    %1 = qopt.reduce %x {kind = #qopt.kind<mean>, axes = array<i64: 1>, keepdims = true} : (tensor<?x8xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_ReduceKindAttr:$kind, DenseI64ArrayAttr:$axes,
    BoolAttr:$keepdims);
  let hasVerifier = 1;
}

def QOpt_GlobalAveragePoolOp : QOpt_ReducingOp<"global_average_pool", [
    QOpt_KernelRootOpInterface]> {
  let summary = "mean over the spatial axes, kept with size 1";
  let description = [{
    ```
    result = rowSum(x over spatial positions) / n
    ```

    Constraints:
    - (C1) `x` has rank 2 or more.

    Example:

    ```mlir
    %1 = qopt.global_average_pool %x : (tensor<?x8x4x4xf32>) -> tensor<?x8x1x1xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x);
}

def QOpt_AveragePoolOp : QOpt_ReducingOp<"average_pool"> {
  let summary = "mean over windows";
  let description = [{
    ```
    result = (sum in ascending (kh, kw) from +0 of the positions inside) / count
    ```
    count is the number of positions inside x, or of the window (inside x and
    its pads) with `count_include_pad`.

    Constraints:
    - (C1) `x` and the result have one rank, 3 or more.
    - (C2) There is a size and a stride for each spatial axis, and two pads.
    - (C3) Sizes and strides are 1 or more, pads 0 or more.

    Example:

    ```mlir
    %1 = qopt.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      ceil_mode = false, count_include_pad = false} : (tensor<?x8x4x4xf32>) -> tensor<?x8x2x2xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, BoolAttr:$ceil_mode,
    BoolAttr:$count_include_pad);
  let hasVerifier = 1;
}

def QOpt_MaxPoolOp : QOpt_ReducingOp<"max_pool"> {
  let summary = "maximum over windows; pads do not take part";
  let description = [{
    ```
    result = max of the positions inside, as the chain of qopt.reduce
    ```

    Constraints:
    - (C1) `x` and the result have one rank, 3 or more.
    - (C2) There is a size, a stride and a dilation for each spatial axis, and two
      pads.
    - (C3) Sizes, strides and dilations are 1 or more, pads 0 or more.

    Example:

    ```mlir
    %1 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<?x8x4x4xi8>) -> tensor<?x8x2x2xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, BoolAttr:$ceil_mode);
  let hasVerifier = 1;
}

#endif
