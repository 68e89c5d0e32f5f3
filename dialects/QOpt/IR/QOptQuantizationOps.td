//===- QOptQuantizationOps.td - Codes, scales, constants ----*- tablegen -*-===//
//
// Between reals and codes, and between codes and codes.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTQUANTIZATIONOPS_TD
#define DIALECTS_QOPT_IR_QOPTQUANTIZATIONOPS_TD

include "dialects/QOpt/IR/QOptAttrs.td"
include "dialects/QOpt/IR/QOptInterfaces.td"

def QOpt_ConstantOp : QOpt_Op<"constant", [Pure, ConstantLike]> {
  let summary = "a constant tensor";
  let description = [{
    `value` is a `#qopt.weight` or, for small tensors, an elements attribute.

    Constraints:
    - (C1) a weight's length is `ceil(elements * bits / 8)` bytes.
    - (C2) an elements attribute has the result's type.
    - (C3) the result's dims are static.
    - (C4) there is no other attribute.

    Example:

    ```mlir
    %1 = qopt.constant(#qopt.weight<"hex:21430f">) : tensor<5xi4>
    %2 = qopt.constant(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi64>
    ```
  }];
  let arguments = (ins AnyAttr:$value);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat = "`(` $value `)` attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def QOpt_QuantizeOp : QOpt_Op<"quantize", [
    Pure, AttrSizedOperandSegments, QOpt_EpilogueTrait,
    DeclareOpInterfaceMethods<QOpt_ScaledOpInterface>]> {
  let summary = "reals to codes with given scales";
  let description = [{
    With s the f32 product of the scales and z the zero (0 where absent):
    ```
    integers: clamp(rne(x * r) + z), r = f32(1 / s); with `divide`, rne(x / s) + z
    floats:   round(x * r) once, saturating; with `divide`, of x / s + z
    E8M0 scales: x * 2^-e exactly as scale2(x, -e)
    ```
    NaN becomes the lowest integer code; infinities saturate.

    Constraints:
    - (C1) there is one scale or more.
    - (C2) scales and zeros have the rank of the codes.

    Example:

    ```mlir
    %1 = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<i8>}
      : (tensor<?x8xf32>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<?x8xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, Variadic<QOpt_Tensor>:$scales,
    Variadic<QOpt_Tensor>:$zeros, QOpt_FormatAttr:$format,
    UnitAttr:$divide, DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat = [{
    $x `scales` `(` $scales `)` (`zeros` `(` $zeros^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QOpt_DequantizeOp : QOpt_Op<"dequantize", [
    Pure, AttrSizedOperandSegments, QOpt_EpilogueTrait,
    DeclareOpInterfaceMethods<QOpt_ScaledOpInterface>]> {
  let summary = "codes, or i32 accumulators, to reals";
  let description = [{
    ```
    result = ((f32(code) - f32(zero)) * unit) * s, s the f32 product of the scales
    E8M0 scales: scale2(f32(code) * unit, e)
    ```

    Constraints:
    - (C1) there is one scale or more.
    - (C2) scales and zeros have the rank of the codes.

    Example:

    ```mlir
    %1 = qopt.dequantize %codes scales(%s) {format = #qopt.format<mxfp4, axis = 0>}
      : (tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) -> tensor<64x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$codes, Variadic<QOpt_Tensor>:$scales,
    Variadic<QOpt_Tensor>:$zeros, OptionalAttr<QOpt_FormatAttr>:$format);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat = [{
    $codes `scales` `(` $scales `)` (`zeros` `(` $zeros^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QOpt_QuantizeDynamicOp : QOpt_Op<"quantize_dynamic", [
    Pure, QOpt_KernelRootOpInterface]> {
  let summary = "reals to codes with scales made from the data";
  let description = [{
    Integers, per row (all but the last axis, or the sample with `per = #qopt.per<sample>`):
    ```
    amax = max|x|, taken as 2^-100 where it is smaller but not 0
    s = amax == 0 ? 1 : amax / qmax;  r = amax == 0 ? 1 : qmax / amax
    code = clamp(rne(x * r)), symmetric grid
    ```
    Block formats: blocks along the format's axis, the last may be short; the
    shared exponent by `rule` (`floor`, `ceil`, `even`); elements
    `round(scale2(x, -e))` saturating; a block with NaN or Inf has scale 0xFF and
    codes 0; a zero block has scale 0x00 and codes 0. NVFP4, with
    amax of a row or sample, as for integers, and amax_b of a block in it:
    ```
    g = amax == 0 ? 1 : min(2688 / amax, 2^126)
    block scale sb = round_e4m3(min((amax_b / 6) * g, 448)),  d = sb / g
    element = d == 0 ? 0 : round(x / d);  outer scale = 1 / g
    ```
    Results are the codes, then the scales, innermost first.

    Constraints:
    - (C1) blocks beside a second scale lie in what that is made from: along the
      last axis for a row, not along the first for a sample.
    - (C2) there are as many scales as the format has.
    - (C3) `x` has rank 1 or more.
    - (C4) scales have the rank of the codes.

    Example:

    ```mlir
    %1, %2 = qopt.quantize_dynamic %x {format = #qopt.format<mxfp4, axis = 1>, rule = #qopt.rule<even>}
      : (tensor<?x64xf32>) -> (tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_FormatAttr:$format,
    DefaultValuedAttr<QOpt_PerAttr, "::qopt::Per::Row">:$per,
    DefaultValuedAttr<QOpt_ScaleRuleAttr, "::qopt::ScaleRule::Floor">:$rule);
  let results = (outs QOpt_Tensor:$codes, Variadic<QOpt_Tensor>:$scales);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_RequantizeOp : QOpt_Op<"requantize", [Pure, QOpt_EpilogueTrait]> {
  let summary = "turn integer accumulators into codes";
  let description = [{
    ```
    result = clamp(rne(f32(accumulator) * multiplier) + zero, min, max)
    ```

    Constraints:
    - (C1) `multiplier` and `zero` have the rank of the result; each size is 1
      or the dim.
    - (C2) `min` and `max` are values of the result's element type, min <= max.
    - (C3) accumulator and result have integers of 32 bits or fewer.

    Example:

    ```mlir
    %1 = qopt.requantize %0, %m, %z {min = -128 : i64, max = 127 : i64}
      : (tensor<4x8xi32>, tensor<1x8xf32>, tensor<1x1xi8>) -> tensor<4x8xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$accumulator, QOpt_Tensor:$multiplier,
    QOpt_Tensor:$zero, I64Attr:$min, I64Attr:$max);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_ShiftOp : QOpt_Op<"shift", [Pure, QOpt_EpilogueTrait]> {
  let summary = "scale integers by a power of two";
  let description = [{
    ```
    result = clamp(rneShift(x, amount) + zero, min, max)
    ```
    rneShift rounds half to even; a negative amount shifts left, saturating to
    i32. An absent zero is 0.

    Constraints:
    - (C1) `amount` and `zero` have the rank of the result; each size is 1 or
      the dim.
    - (C2) `min` and `max` are values of the result's element type, min <= max.
    - (C3) `x` and the result have integers of 32 bits or fewer.

    Example:

    ```mlir
    %1 = qopt.shift %0, %amount {min = -128 : i64, max = 127 : i64} : (tensor<?x8xi32>, tensor<1x8xi8>) -> tensor<?x8xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$amount,
    Optional<QOpt_Tensor>:$zero, I64Attr:$min, I64Attr:$max);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_DivideRoundOp : QOpt_Op<"divide_round", [Pure, QOpt_EpilogueTrait]> {
  let summary = "divide integers by a constant";
  let description = [{
    ```
    result = clamp(rne(x / divisor) + zero, min, max)
    ```
    The quotient is that of integers, rounded half to even. It is the mean of an
    average pool, whose sum is exact, in one rounding.

    Constraints:
    - (C1) `zero` has the rank of the result; each size is 1 or the dim.
    - (C2) `min` and `max` are values of the result's element type, min <= max.
    - (C3) `divisor` is positive and fits i32.
    - (C4) `x` and the result have integers of 32 bits or fewer.

    Example:

    ```mlir
    %1 = qopt.divide_round %0, %z {divisor = 49 : i64, min = -128 : i64, max = 127 : i64}
      : (tensor<1x8x1x1xi32>, tensor<1x1x1x1xi8>) -> tensor<1x8x1x1xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$zero, I64Attr:$divisor,
    I64Attr:$min, I64Attr:$max);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_LookupOp : QOpt_Op<"lookup", [Pure, QOpt_EpilogueTrait]> {
  let summary = "a function of one 8-bit code, as a table";
  let description = [{
    ```
    result = table[code + 128]      (ui8: table[code])
    ```

    Constraints:
    - (C1) `table` has 256 elements of the result's element type.
    - (C2) `x` has codes of 8 bits.

    Example:

    ```mlir
    %1 = qopt.lookup %x, %table : (tensor<?x8xi8>, tensor<256xi8>) -> tensor<?x8xi8>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$table);
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QOpt_ObserveOp : QOpt_Op<"observe", []> {
  let summary = "hand a tensor to the calibration observers";
  let description = [{
    Changes nothing; `id` names the statistic.

    Example:

    ```mlir
    qopt.observe %x {id = 7 : i64} : tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$id);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

#endif
