//===- QuantizationPasses.td - calibrate, transform, quantize -*- tablegen -*-===//
//
// The passes that choose and fix numbers.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_QUANTIZATIONPASSES_TD
#define DIALECTS_QOPT_QUANTIZATION_QUANTIZATIONPASSES_TD

include "mlir/Pass/PassBase.td"

def SinkDequantizePass : Pass<"qopt-sink-dequantize", "::mlir::func::FuncOp"> {
  let summary = "let movements in front of products move codes";
  let description = [{
    ```mlir
    %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 0>}
    %t = qopt.transpose %d {perm = array<i64: 1, 0>}
    %y = qopt.matmul %x, %t
    // becomes
    %t = qopt.transpose %c {perm = array<i64: 1, 0>}
    %st = qopt.transpose %s {perm = array<i64: 1, 0>}
    %d = qopt.dequantize %t scales(%st) {format = #qopt.format<i8, axis = 1>}
    %y = qopt.matmul %x, %d
    ```

    So for reshape, flatten, squeeze and unsqueeze, where the axes that scales,
    zeros and blocks belong to stay whole.

    Leaves a movement alone that no product reads behind movements, that takes
    such an axis apart, and one of computed codes of less than 8 bits.

    Runs in `prepare`, before `qopt-plan-precision` looks for codes.

    Numerics: exact.
  }];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def SignCodesPass : Pass<"qopt-sign-codes", "::mlir::func::FuncOp"> {
  let summary = "make unsigned codes of activations signed";
  let description = [{
    ```mlir
    %q = qopt.quantize %x scales(%s) zeros(%z) {format = #qopt.format<ui8>}
    %d = qopt.dequantize %q scales(%s) zeros(%z) {format = #qopt.format<ui8>}
    // becomes, with %z1 = %z - 128
    %q = qopt.quantize %x scales(%s) zeros(%z1) {format = #qopt.format<i8>}
    %d = qopt.dequantize %q scales(%s) zeros(%z1) {format = #qopt.format<i8>}
    ```

    Leaves codes alone that something else than movements and dequantizers sees,
    an output for one, and those with a zero that is computed.

    Runs in `prepare`, before `qopt-plan-precision` writes formats.

    Numerics: exact; the dequantized values are the same bits.
  }];
  let dependentDialects = ["::qopt::QOptDialect"];
  let statistics = [Statistic<"numSigned", "num-signed", "tensors of codes">];
}

def PlanPrecisionPass : Pass<"qopt-plan-precision", "::mlir::func::FuncOp"> {
  let summary = "write on each contraction what is to become of its operands";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
    // becomes, with activations=static activation-format=i8 weight-format=i8
    %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "static", act = <i8>, weight = <i8, axis = 1>>} : ...
    ```

    A contraction of two activations, and a Gather of a small table, are
    requested in float with the reason. Ops that carry a request keep it. A Gather
    of known rows gets none: it is a constant. What the model came with in codes
    stands: a contraction of two dequantizes gets no request, and one of a
    dequantize and a float a request for the float, unless an override matches.

    Runs at the end of `prepare`.

    Numerics: exact; nothing is rewritten.
  }];
  let options = [
    Option<"activations", "activations", "std::string", "\"none\"",
           "static, dynamic or none">,
    Option<"activationFormat", "activation-format", "std::string", "\"i8\"",
           "row of the format table">,
    Option<"weightFormat", "weight-format", "std::string", "\"i8\"",
           "row of the format table; empty plans overrides alone">,
    Option<"group", "group", "int64_t", "0",
           "products that share a weight scale; 0 is the table's block, or one "
           "scale an output channel">,
    Option<"weightScale", "weight-scale", "std::string", "\"\"",
           "type of the weights' scales in place of the table's">,
    Option<"weightZero", "weight-zero", "std::string", "\"\"",
           "type of the weights' zero points; empty is symmetric">,
    Option<"activationScale", "activation-scale", "std::string", "\"\"",
           "type of the activations' scales in place of the table's">,
    ListOption<"overrides", "overrides", "std::string",
           "{nodes = REGEX, ops = REGEX, plan = #qopt.request<...>}: for nodes "
           "by whole names and operators; the last that matches wins">,
  ];
}

def SmoothActivationsPass : Pass<"qopt-smooth-activations", "::mlir::func::FuncOp"> {
  let summary = "move the spread of activation channels into the weights";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w
    // becomes
    %xs = qopt.mul %x, %r          // r = f32(1 / s), one value a channel
    %ws = qopt.mul %w, %s
    %y = qopt.matmul %xs, %ws
    ```

    All matmuls with weights that read one activation are a group and share s.
    Where a layer_norm with constant scale and bias makes the activation for this
    group alone, these are multiplied by r instead of %x.
    With alpha `search` the exponents 0.5 to 0.9, the logarithmic rule and s = 1
    compete by the output error that the statistics predict for the group; s = 1
    leaves the group alone. Part of that error is what new values lose by clipping,
    as held-back samples show it, or as few samples let expect: factors that make
    every channel fill the range lose by it. A dead channel has s = 1. With pow2 the predicted step
    of the activation is a power of two, and each candidate is tried with common
    factors of fourths of an octave, which round other channels up.

    Does nothing for convolutions, for activations without statistics, and for
    matmuls that are not requested static. With keep-codes it also does nothing
    where the activation comes from an op that has an integer form, as a factor
    for each channel would put floats between codes. Norms, softmax and attention
    are floats anyway, and functions such as GELU become so.

    Needs statistics; drops those of the new activations.

    Numerics: bounded; with pow2 factors exact unless a value leaves the normal
    range. SmoothQuant (Xiao et al. 2023), logarithmic rule: FPTQ (Li et al. 2023).
  }];
  let options = [
    Option<"alpha", "alpha", "std::string", "\"search\"",
           "search, log, or an exponent between 0 and 1">,
    Option<"isPow2", "pow2", "bool", "false", "round factors to powers of two">,
    Option<"keepsCodes", "keep-codes", "bool", "false",
           "leave activations alone that are made from codes by codes">,
  ];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def EqualizeLayersPass : Pass<"qopt-equalize-layers", "::mlir::func::FuncOp"> {
  let summary = "balance the ranges of weights across two layers";
  let description = [{
    ```mlir
    %a = qopt.conv %x, %w1 bias %b1
    %r = qopt.relu %a
    %y = qopt.conv %r, %w2
    // becomes
    %a = qopt.conv %x, (%w1 / s) bias (%b1 / s)
    %r = qopt.relu %a
    %y = qopt.conv %r, (%w2 * s)
    ```

    Where the middle value has statistics, s is found as `qopt-smooth-activations`
    finds it, and a pair that gains nothing stays. Without, s = sqrt(r1 / r2) of
    the channels' largest weights, where r1 is that of the bias if it is larger. A
    dead channel has s = 1, and one near zero counts as 2^-12 of the largest.

    Leaves a pair alone when the middle value has other users, when something
    else than ReLU stands between, when the second is a grouped convolution that
    is not depthwise, or when a weight depends on an input.

    Runs in `transform`; drops the statistics in between.

    Numerics: bounded; with pow2 factors exact unless a value leaves the normal
    range. Data-free quantization (Nagel et al. 2019).
  }];
  let options = [
    Option<"isPow2", "pow2", "bool", "false", "round factors to powers of two">,
  ];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def StretchChannelsPass : Pass<"qopt-stretch-channels", "::mlir::func::FuncOp"> {
  let summary = "let each channel in front of a depthwise convolution use all codes";
  let description = [{
    ```mlir
    %y = qopt.conv %x, %w {group = 64 : i64}
    // becomes, with f the widest channel's range over each channel's own
    %xs = qopt.mul %x, %f
    %ws = qopt.mul %w, %r          // r = f32(1 / f), one value a channel
    %y = qopt.conv %xs, %ws {group = 64 : i64}
    ```

    Channels of a depthwise convolution are never added, and its weight has a
    scale for each, so the factors cost no bit of the weight. All channels keep one
    zero, so their ranges share a ratio of what lies below zero to what lies
    above: the one that makes the least noise behind the weights.

    A convolution with weights, a product with a constant or a sum with one in
    front of it, also with ReLU in between, takes the factors into its constants
    instead of `qopt.mul`.

    Does nothing for convolutions that are not depthwise or not requested static,
    for activations without statistics, and where all channels have nearly the
    same range. With keep-codes it also does nothing where floats would come
    between codes.

    Needs statistics; drops those of the stretched activations.

    Numerics: bounded; with pow2 factors exact unless a value leaves the normal
    range.
  }];
  let options = [
    Option<"isPow2", "pow2", "bool", "false", "round factors to powers of two">,
    Option<"keepsCodes", "keep-codes", "bool", "false",
           "leave activations alone that are made from codes by codes">,
  ];
  let statistics = [Statistic<"numStretched", "num-stretched", "convolutions">];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def ChooseDynamicPass : Pass<"qopt-choose-dynamic", "::mlir::func::FuncOp"> {
  let summary = "make static activations dynamic where static costs too much";
  let description = [{
    ```mlir
    qopt.request = #qopt.request<params = "static", act = <i8>, ...>
    // becomes, where a dynamic scale is better by more than max-cost decibels
    qopt.request = #qopt.request<params = "dynamic", act = <i8>, ..., why = "static costs 9.1 dB">
    ```

    The cost is the ratio of the squared rounding errors that the statistics
    predict, in decibels and in the mean over rows: a loud row hides no quiet one.
    An op whose activation has no statistics is dynamic too.

    Numerics: exact; nothing is rewritten.
  }];
  let options = [
    Option<"maxCost", "max-cost", "double", "6.0", "decibels">,
  ];
}

def InsertQuantizationPass : Pass<"qopt-insert-quantization", "::mlir::func::FuncOp"> {
  let summary = "put quantize and dequantize where the requests want them";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "static", act = <i8>, weight = <i8, axis = 1>>}
    // becomes
    %q = qopt.quantize %x scales(%sx) zeros(%zx)
    %d = qopt.dequantize %q scales(%sx) zeros(%zx)
    %v = qopt.dequantize %codes scales(%sw)
    %y = qopt.matmul %d, %v
    ```

    Does nothing to ops requested in float.

    The weight of an op with second moments (`qopt.moments`) is rounded by GPTQ:
    its scales are those of rounding to nearest, and its codes are too where GPTQ
    would not lower the error that the moments foretell.

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
    Option<"damping", "damping", "double", "0.01",
           "part of the mean second moment that is added to each, where moments "
           "choose the codes">,
  ];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def QuantizeActivationsPass
    : Pass<"qopt-quantize-activations", "::mlir::func::FuncOp"> {
  let summary = "put quantize and dequantize between ops that have integer forms";
  let description = [{
    ```mlir
    %c = qopt.conv %d, %v
    %s = qopt.add %c, %r
    %y = qopt.max_pool %s
    // becomes
    %c = qopt.conv %d, %v
    %cd = dequantize(quantize(%c))
    %s = qopt.add %cd, %rd
    %sd = dequantize(quantize(%s))
    %y = qopt.max_pool %sd
    %yd = dequantize(quantize(%y))      // with the parameters of %sd
    ```

    Codes are i8 with one scale of f8E8M0FNU and one zero a tensor. A path begins
    at a contraction that was quantized and goes on through sums, functions of
    one tensor, movement, concat, pad and pools. A bias and a clamp stay with
    the contraction before them. Other ops on the way stay float and get a
    request with the reason: products of two tensors, softmax, norms, attention,
    means over a number of positions that varies, ops without statistics, ops
    with a tensor that was infinite or NaN on a sample, and ops with a tensor whose
    range is so wide that 8 bits predict less than `min-sqnr` decibels. So does a
    concat of which a part would have less at the scale of all, unless products
    alone read it. A product that only float ops read leaves with all its bits.

    Needs `qopt-insert-quantization` with scales of f8E8M0FNU before it, and
    `qopt-form-quantized-ops`, `qopt-form-requantize` and `qopt-propagate-codes`
    after it.

    Numerics: lossy; judged by calibration.
  }];
  let options = [
    Option<"activationRounding", "activation-rounding", "std::string",
           "\"nearest\"", "nearest or ceil: exponents of activation scales">,
    Option<"minSqnr", "min-sqnr", "double", "33.0",
           "decibels below which a tensor stays float">,
  ];
  let statistics = [Statistic<"numQuantized", "num-quantized", "tensors with codes">];
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

def FitBiasesPass : Pass<"qopt-fit-biases", "::mlir::func::FuncOp"> {
  let summary = "give channels whose bias is no integer larger steps";
  let description = [{
    ```mlir
    %w = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 0>}
    %y = qopt.conv %x, %w bias %b
    %q = qopt.quantize %y ...
    // becomes, where a bias is 2^30 steps of its channel or more
    %w = qopt.dequantize %c2 scales(%s2) {format = #qopt.format<i8, axis = 0>}
    ```

    The scale of such a channel becomes the least one with which its bias is below
    2^30 steps, a power of two where scales are; its codes are rounded again. So
    the sum is one of integers, here and where the program is exported to.

    Leaves a contraction alone that came with codes of its own, whose sum does not
    become codes, whose bias is not one constant a channel, or whose weight has
    one scale for all channels.

    Runs after `qopt-insert-quantization` and `qopt-quantize-activations`.

    Numerics: bounded; a channel's weights change by at most half of the new step,
    which is below 2^-30 of its bias over the activation's step.
  }];
  let statistics = [Statistic<"numFitted", "num-fitted", "channels">];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def FormRequantizePass : Pass<"qopt-form-requantize", "::mlir::func::FuncOp"> {
  let summary = "turn accumulator, bias, clamp, quantize into requantize";
  let description = [{
    ```mlir
    %d = qopt.dequantize %acc scales(%sx, %sw)
    %b = qopt.add %d, %bias
    %r = qopt.relu %b
    %q = qopt.quantize %r scales(%sy) zeros(%zy)
    // becomes
    %ab = qopt.add %acc, %bias32       // at scale sx * sw
    %q = qopt.requantize %ab, %m, %zy {min = zy, max = 127}
    ```

    With E8M0 scales everywhere it is `qopt.shift`. Leaves the chain alone when
    a middle value has other users, when scales are not constant, when another
    op stands in between, or when the bias does not fit the accumulator or has
    more elements.

    Numerics: lossy; the bias is rounded to the accumulator's scale.
  }];
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

def NarrowScalesPass : Pass<"qopt-narrow-scales", "::mlir::func::FuncOp"> {
  let summary = "give scales that are powers of two the type that says so";
  let description = [{
    ```mlir
    %s = qopt.constant(dense<0.25> : tensor<1xf32>) : tensor<1xf32>
    %y = qopt.dequantize %q scales(%s)
    // becomes
    %s = qopt.constant(...) : tensor<1xf8E8M0FNU>
    %y = qopt.dequantize %q scales(%s)
    ```

    Leaves the scales of an operand alone when one of them is no constant, or
    holds a value that is no power of two from 2^-127 to 2^127, and those of a
    format that states the type of a second scale, as nvfp4 does.

    Stands in no pipeline: it gives programs that were made by hand the form that
    the `-pow2` presets have from the start, and tests compare the two forms. A
    factor is one multiplication on every machine so far, where an exponent is
    decoded, checked for NaN and added; and `qopt-form-requantize` behind it makes
    a shift, which does not round a sum beyond 2^24 to f32 first, as
    `qopt.requantize` does.

    Numerics: exact, unless a scale's reciprocal or the product of two scales
    leaves the normal range.
  }];
  let statistics = [Statistic<"numNarrowed", "num-narrowed", "scales">];
  let dependentDialects = ["::qopt::QOptDialect"];
}

#endif
