//===- Passes.td - Passes that need Reference ---------------*- tablegen -*-===//
//
// They look at the values of constants, or fix them.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_PASSES_TD
#define LIB_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"qopt-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "evaluate small constants and shapes, drop ops that do nothing";
  let description = [{
    ```mlir
    %s = qopt.shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x6xf32>) -> tensor<1xi64>
    %t = qopt.concat %s, %minus_one {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
    %r = qopt.reshape %x, %t : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    // becomes
    %t = qopt.constant(dense<[6, -1]> : tensor<2xi64>) : tensor<2xi64>
    %r = qopt.reshape %x, %t : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<6x?xf32>
    ```

    Result types are refined as by `qopt-infer-shapes`. A reshape whose target is
    known but for dims of its own input, and at most one other, gets a constant
    target; of a tensor without elements the dim that -1 stands for is then 0.
    `x * 1`, `x / 1`, a cast to the same type and a transposition that
    moves nothing give way to x. Ops without users are removed.

    Evaluates an op only if each operand is a constant and no operand or result is
    larger than 64 KiB: weights are left to `qopt-evaluate-weights`. Never
    evaluates a dequantize, and leaves an op that Reference refuses to the run.

    Runs in `prepare` before patterns are looked for.

    Numerics: exact; results are those of Reference.
  }];
  let statistics = [Statistic<"numFolded", "num-folded", "ops folded">];
}

def TransformLayersPass : Pass<"qopt-transform-layers", "::mlir::func::FuncOp"> {
  let summary = "make layers easier to round, with the same results";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w
    // becomes, with transforms=smooth=search
    %xs = qopt.mul %x, %r          // r = f32(1 / s), one value a channel
    %ws = qopt.mul %w, %s
    %y = qopt.matmul %xs, %ws
    ```

    Runs the transformations that `transforms` turns on, one after the other over
    all groups of layers that read one activation. `docs/recipe.md` says what each
    does, and what it leaves alone.

    Needs statistics where a transformation does; drops those of values that
    change.

    Numerics: bounded; with pow2 factors exact unless a value leaves the normal
    range.
  }];
  let options = [
    ListOption<"transforms", "transforms", "std::string",
           "keys of the recipe's `transforms`, as in smooth=0.8,equalize=true">,
    Option<"isPow2", "pow2", "bool", "false", "round factors to powers of two">,
    Option<"keepsCodes", "keep-codes", "bool", "false",
           "leave activations alone that are made from codes by codes">,
  ];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def InsertQuantizationPass : Pass<"qopt-insert-quantization", "::mlir::func::FuncOp"> {
  let summary = "put quantize and dequantize where the requests want them";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>}
    // becomes
    %q = qopt.quantize %x scales(%sx) zeros(%zx)
    %d = qopt.dequantize %q scales(%sx) zeros(%zx)
    %v = qopt.dequantize %codes scales(%sw)
    %y = qopt.matmul %d, %v
    ```

    Does nothing to ops requested in float.

    Codes of weights are chosen by a rounding method. GPTQ takes the scales of
    rounding to nearest, and its codes too where an op has no second moments
    (`qopt.moments`), or GPTQ would not lower the error that they foretell.

    With statistics of its activation the bias of a convolution, and the constant
    that is added to a product, take back what rounding the weight takes from the
    mean of each output.

    Needs evaluated weights, and statistics for static activations.

    Numerics: lossy; judged by calibration.
  }];
  let options = [
    Option<"clipSearch", "clip-search", "bool", "true",
           "search the range of integer weights for the least squared error">,
    Option<"scaleRule", "scale-rule", "std::string", "\"floor\"",
           "floor, ceil or even: shared exponent of activation blocks">,
    Option<"pow2Rounding", "pow2-rounding", "std::string", "\"best\"",
           "nearest, ceil, floor or best: exponents of constrained weight scales">,
    Option<"pow2Scales", "pow2-scales", "std::string", "\"m1\"",
           "m1: scales of groups are powers of two; m2: a channel's largest one "
           "is free, and the others are powers of two times it">,
    Option<"activationRounding", "activation-rounding", "std::string",
           "\"nearest\"", "nearest or ceil: exponents of activation scales">,
    Option<"correctsBias", "correct-bias", "bool", "true",
           "let biases make up for the mean error of rounded weights">,
    ListOption<"rounding", "rounding", "std::string",
           "keys of `rounding` that choose and tell the method, as in "
           "method=gptq,damping=0.05">,
    Option<"onlyNext", "only-next", "bool", "false",
           "quantize ops marked `qopt.round_next` alone, and mark them "
           "`qopt.rounded`: a later run leaves them as they are">,
  ];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def PropagateCodesPass : Pass<"qopt-propagate-codes", "::mlir::func::FuncOp"> {
  let summary = "compute codes from codes where scales are powers of two";
  let description = [{
    ```mlir
    %a = qopt.dequantize %qa scales(%sa) zeros(%za)
    %b = qopt.dequantize %qb scales(%sb) zeros(%zb)
    %s = qopt.add %a, %b
    %q = qopt.quantize %s scales(%sy) zeros(%zy)
    // becomes, with e the smaller exponent
    %ia = qopt.shift %qa, (e - ea), (-za * 2^(ea - e))     // i32, exact
    %ib = qopt.shift %qb, (e - eb), (-zb * 2^(eb - e))     // i32, exact
    %is = qopt.add %ia, %ib
    %q = qopt.shift %is, (ey - e), %zy
    ```

    Likewise: reshape, transpose and other movement, max pools and borders with
    codes; concat of codes shifted to one scale; means as a convolution with ones
    and `qopt.divide_round`; functions of one tensor as `qopt.lookup` in a table
    that Reference makes; the bias of a product that becomes float.

    Leaves a step alone when a scale is not one constant of f8E8M0FNU for the
    tensor, when an operand is float, when scales are so far apart that a sum
    would not fit i32, or when a constant does not fit.

    Runs after `qopt-form-requantize`.

    Numerics: lossy; sums are exact where the float form rounds. Movement, pools
    of maxima and tables are exact.
  }];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def FormQuantizedOpsPass : Pass<"qopt-form-quantized-ops", "::mlir::func::FuncOp"> {
  let summary = "turn dequantize, op, quantize into ops on codes";
  let description = [{
    ```mlir
    %d = qopt.dequantize %q scales(%sx) zeros(%zx)
    %v = qopt.dequantize %codes scales(%sw)
    %y = qopt.matmul %d, %v
    // becomes
    %acc = qopt.matmul %q zeros(%zx), %codes
    %y = qopt.dequantize %acc scales(%sx, %sw)
    ```

    Where one scale does not stand for a whole sum, where only the weight has
    codes, or where k is so long that an i32 sum could wrap, codes and scales
    become operands of a contraction that sums floats in groups. A weight whose
    scales vary along the products without groups is decoded to floats. A
    dequantized table is gathered as codes.

    Last of `quantize`'s rewrites.

    Numerics: lossy; sums of codes are exact where the float form rounds.
  }];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def EvaluateWeightsPass
    : Pass<"qopt-evaluate-weights", "::mlir::func::FuncOp"> {
  let summary = "evaluate weight expressions, each to one constant";
  let description = [{
    ```mlir
    %w = qopt.constant(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
    %s = qopt.constant(dense<4.0> : tensor<f32>) : tensor<f32>
    %p = qopt.mul %w, %s : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
    %0 = qopt.add %x, %p : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    // becomes
    %p = qopt.constant(dense<[4.0, 8.0]> : tensor<2xf32>) : tensor<2xf32>
    %0 = qopt.add %x, %p : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    ```

    The constant keeps the location of the op it stands for. Leaves a dequantize
    alone, unless it is of i32, and with it what depends on one; with `decodes`
    these are evaluated as well. An op that cannot be evaluated is an error.
    Constants without users are removed.

    Runs at the end of `quantize`, when no pass will write expressions any more,
    and with `decodes` on the copy that calibration runs: a model that comes with
    codes is a float program there.

    Numerics: exact; results are those of Reference.
  }];
  let options = [
    Option<"decodes", "decodes", "bool", "false",
           "evaluate the dequantize of a weight too">,
  ];
  let statistics = [Statistic<"numEvaluated", "num-evaluated", "ops evaluated">];
}

#endif // LIB_TRANSFORMS_PASSES_TD
