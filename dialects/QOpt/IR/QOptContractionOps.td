//===- QOptContractionOps.td - Sums over products -----------*- tablegen -*-===//
//
// Operands are floats, or codes with their scales and zeros beside them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTCONTRACTIONOPS_TD
#define DIALECTS_QOPT_IR_QOPTCONTRACTIONOPS_TD

include "dialects/QOpt/IR/QOptAttrs.td"
include "dialects/QOpt/IR/QOptInterfaces.td"

/// A sum of products, whose operands can be codes.
class QOpt_CodesContractionOp<string mnemonic> : QOpt_Op<mnemonic, [
    Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<QOpt_ContractionOpInterface, ["rebuild"]>,
    DeclareOpInterfaceMethods<QOpt_KernelRootOpInterface,
                              ["getKernelFamily", "getPrologueOperand"]>,
    DeclareOpInterfaceMethods<QOpt_ScaledOpInterface>]>;

defvar codesText = [{
    Element types decide which sum it is:
    - f32 operands without scales: a chain.
    - integer codes without scales: `sum (lhs - lhs_zero) * (rhs - rhs_zero)` in
      i32, exact; a zero is a tensor with one element.
    - otherwise, grouped: `lhs` and `rhs` say the formats; k runs in groups of
      the block. In a group `t` is the chain of the decoded values, each times
      its multiplier (a power of two that makes it an integer where the format
      has one), so that integer sums are exact. Groups are added in ascending
      order: with E8M0 scales only, `y = y + scale2(t, e)` where e is the sum of
      the exponents less the multipliers'; else `y = fma(t * 2^-multipliers, s, y)`,
      s the f32 product of the group's scales (lhs times rhs, innermost first).
}];

def QOpt_MatMulOp : QOpt_CodesContractionOp<"matmul"> {
  let summary = "matrix product over the last two axes";
  let description = !strconcat([{
    ```
    result[..., m, n] = sum over k of lhs[..., m, k] * rhs[..., k, n]
    ```
    Leading axes broadcast. A rank of 1 is a row (lhs) or a column (rhs) whose
    axis is dropped from the result.

    Constraints:
    - (C1) `lhs` and `rhs` have rank 1 or more.
    - (C2) the dims that are summed over are equal.
    - (C3) a side with scales has a format.
    - (C4) a side with a format of blocks has scales.
    - (C5) zeros of an integer sum have one element.
  }], codesText, [{

    Example:

    ```mlir
    %1 = qopt.matmul %n, %w scales(%s) zeros(%z)
      {rhs_format = #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>}
      : (tensor<?x64xf32>, tensor<64x8xui4>, tensor<2x8xf16>, tensor<2x8xui4>) -> tensor<?x8xf32>
    ```
  }]);
  let arguments = (ins
    QOpt_Tensor:$lhs, Variadic<QOpt_Tensor>:$lhs_scales,
    Variadic<QOpt_Tensor>:$lhs_zeros,
    QOpt_Tensor:$rhs, Variadic<QOpt_Tensor>:$rhs_scales,
    Variadic<QOpt_Tensor>:$rhs_zeros,
    OptionalAttr<QOpt_FormatAttr>:$lhs_format,
    OptionalAttr<QOpt_FormatAttr>:$rhs_format);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat = [{
    $lhs (`scales` `(` $lhs_scales^ `)`)? (`zeros` `(` $lhs_zeros^ `)`)? `,`
    $rhs (`scales` `(` $rhs_scales^ `)`)? (`zeros` `(` $rhs_zeros^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QOpt_ConvOp : QOpt_CodesContractionOp<"conv"> {
  let summary = "convolution, NCHW by OIHW";
  let description = !strconcat([{
    ```
    k runs over (kh, kw, ci) in this order, ci fastest;
    result[n, co, oh, ow] = (sum over k of x[...] * w[...]) [+ bias[co]]
    ```
    Positions outside x take part as 0 (codes: as the zero point); a scale of x
    that has a value for each position is 1 there, one that has one value for a
    plane counts there as well. One or two spatial axes. `group` divides both
    channel axes. Blocks of a format run along ci at each kernel position.

    Constraints:
    - (C1) `x` and `w` have one rank, 3 or 4.
    - (C2) there is a stride and a dilation for each spatial axis, and two pads.
    - (C3) strides and dilations are from 1 to 2^30, pads from 0 to 2^30.
    - (C4) `group` is positive and divides the output channels.
    - (C5) `x` has the channels of `w` times `group`.
    - (C6) a side with scales has a format.
    - (C7) `bias` has rank 1 and one value for each output channel.
    - (C8) a side with a format of blocks has scales.
    - (C9) zeros of an integer sum have one element.
  }], codesText, [{

    Example:

    ```mlir
    %1 = qopt.conv %x zeros(%z), %w
      {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
      : (tensor<?x32x8x8xi8>, tensor<1x1x1x1xi8>, tensor<64x32x3x3xi8>) -> tensor<?x64x8x8xi32>
    ```
  }]);
  let arguments = (ins
    QOpt_Tensor:$x, Variadic<QOpt_Tensor>:$x_scales,
    Variadic<QOpt_Tensor>:$x_zeros,
    QOpt_Tensor:$w, Variadic<QOpt_Tensor>:$w_scales,
    Variadic<QOpt_Tensor>:$w_zeros,
    Optional<QOpt_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    DenseI64ArrayAttr:$dilations, DefaultValuedAttr<I64Attr, "1">:$group,
    OptionalAttr<QOpt_FormatAttr>:$x_format,
    OptionalAttr<QOpt_FormatAttr>:$w_format);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat = [{
    $x (`scales` `(` $x_scales^ `)`)? (`zeros` `(` $x_zeros^ `)`)? `,`
    $w (`scales` `(` $w_scales^ `)`)? (`zeros` `(` $w_zeros^ `)`)?
    (`bias` $bias^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QOpt_GemmOp : QOpt_Op<"gemm", [
    Pure, DeclareOpInterfaceMethods<QOpt_ContractionOpInterface,
                                    ["takesCodes"]>]> {
  let summary = "alpha * A * B + beta * C, as ONNX Gemm";
  let description = [{
    ```
    result[m, n] = alpha * (chain over k of A[m, k] * B[k, n]) + beta * C[m, n]
    ```
    A factor of 1 is no operation. `prepare` rewrites it to `qopt.matmul`.

    Constraints:
    - (C1) `a` and `b` have rank 2.
    - (C2) the dims that are summed over are equal.

    Example:

    ```mlir
    %1 = qopt.gemm %a, %b, %c {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = false, trans_b = true}
      : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$a, QOpt_Tensor:$b, Optional<QOpt_Tensor>:$c,
    F32Attr:$alpha, F32Attr:$beta, BoolAttr:$trans_a, BoolAttr:$trans_b);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_AttentionOp : QOpt_Op<"attention", [
    Pure, DeclareOpInterfaceMethods<QOpt_KernelRootOpInterface,
                                    ["getKernelFamily"]>]> {
  let summary = "scaled dot-product attention in f32";
  let description = [{
    For each row, over blocks of 64 keys in ascending order, with
    m = -inf, l = 0, o[d] = 0:
    ```
    s[j]  = (chain over d of query[d] * key[j, d]) * scale [+ mask[j]]
    m'    = max(m, max_j s[j]);  c = m' == -inf ? 0 : m'
    p[j]  = expF32(s[j] - c);    a = expF32(m - c)
    l     = fma(a, l, row sum of p)
    o[d]  = chain over j of p[j] * value[j, d], starting from a * o[d]
    m     = m'
    result[d] = l == 0 ? empty : o[d] / l
    ```
    l is 0 where the mask leaves a row nothing to look at. There empty is NaN, as
    of the softmax of such a row; with `masked_rows_are_zero`, and where there are
    no keys, it is 0.

    query `[..., S, D]`, key `[..., T, D]`, value `[..., T, E]`, mask broadcasts
    to `[..., S, T]`.

    Constraints:
    - (C1) query, key and value have one rank, 2 or more.
    - (C2) query and key have heads of one size.
    - (C3) there are as many values as keys.
    - (C4) the leading dims of query, key and value are equal.
    - (C5) the mask broadcasts to the scores.

    Example:

    ```mlir
    %1 = qopt.attention %q, %k, %v, %mask {scale = 0.125 : f32}
      : (tensor<?x12x128x64xf32>, tensor<?x12x128x64xf32>, tensor<?x12x128x64xf32>, tensor<?x1x1x128xf32>) -> tensor<?x12x128x64xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$query, QOpt_Tensor:$key, QOpt_Tensor:$value,
    Optional<QOpt_Tensor>:$mask, F32Attr:$scale,
    UnitAttr:$masked_rows_are_zero);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
