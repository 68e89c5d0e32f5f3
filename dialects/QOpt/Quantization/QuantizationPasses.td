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

def SignWeightsPass : Pass<"qopt-sign-weights", "::mlir::func::FuncOp"> {
  let summary = "make unsigned codes of weights signed";
  let description = [{
    ```mlir
    %d = qopt.dequantize %w scales(%s) zeros(%z) {format = #qopt.format<ui8>}
    %y = qopt.matmul %x, %d
    // becomes, with %w1 = %w - 128 and %z1 = %z - 128
    %d = qopt.dequantize %w1 scales(%s) zeros(%z1) {format = #qopt.format<i8>}
    %y = qopt.matmul %x, %d
    ```

    Zeros that are all equal become one, and those that are all 0 are left out.

    Leaves codes alone that are computed or in blocks, that no contraction reads,
    and those with a zero that is computed.

    Runs in `quantize`, before `qopt-form-quantized-ops`.

    Numerics: exact; the dequantized values are the same bits.
  }];
  let dependentDialects = ["::qopt::QOptDialect"];
  let statistics = [Statistic<"numSigned", "num-signed", "weights">];
}

def PlanPrecisionPass : Pass<"qopt-plan-precision", "::mlir::func::FuncOp"> {
  let summary = "write on each contraction what is to become of its operands";
  let description = [{
    ```mlir
    %y = qopt.matmul %x, %w : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
    // becomes, with activations=static activation-format=i8 weight-format=i8
    %y = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : ...
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

def ChooseDynamicPass : Pass<"qopt-choose-dynamic", "::mlir::func::FuncOp"> {
  let summary = "make static activations dynamic where static costs too much";
  let description = [{
    ```mlir
    qopt.request = #qopt.request<params = static, act = <i8>, ...>
    // becomes, where a dynamic scale is better by more than max-cost decibels
    qopt.request = #qopt.request<params = dynamic, act = <i8>, ..., why = "static costs 9.1 dB">
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
    range is so wide that 8 bits predict less than `min-sqnr` decibels, what a sum
    or a mean takes over of its operands' rounding included. So does a concat of
    which a part would have less at the scale of all, unless products
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

def RoundStatesPass : Pass<"qopt-round-states", "::mlir::func::FuncOp"> {
  let summary = "round what is added to states";
  let description = [{
    ```mlir
    func.func @main(%past: tensor<1x2x?x16xf32> {qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
      %0 = qopt.concat %past, %x {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
      return %0 : tensor<1x2x?x16xf32>
    }
    // becomes
    func.func @main(%past: tensor<1x2x?x16xf32> {qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
      %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>, per = #qopt.per<row>, rule = #qopt.rule<floor>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
      %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>) -> tensor<1x2x?x16xf32>
      %0 = qopt.concat %past, %d {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
      return %0 : tensor<1x2x?x16xf32>
    }
    ```

    `qopt.state` of an argument is the result that it is in the next run, and the
    axis along which that grows. Only what is new is rounded, with a scale for each
    row along the last axis: of keys and values, of each head of a token. What is
    there is never rounded again. With f16 there are two casts in place of that.

    Leaves a state alone whose elements are not f32, that does not grow, or along
    the last axis, that is made otherwise than by adding behind it, or whose past
    another op reads.

    Runs inside `quantize`, when the states are marked.

    Numerics: bounded; what is added to a state by half of its row's step, which
    is a 127th of the row's largest magnitude, or by the rounding of f16.
  }];
  let options = [
    Option<"format", "format", "std::string", "\"i8\"", "i8 or f16">];
  let statistics = [Statistic<"numRounded", "num-rounded", "states">];
  let dependentDialects = ["::qopt::QOptDialect"];
}

def ConvertStatesPass : Pass<"qopt-convert-states", "::mlir::func::FuncOp"> {
  let summary = "keep states as what is added to them";
  let description = [{
    ```mlir
    func.func @main(%past: tensor<1x2x?x16xf32> {qopt.name = "past", qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xf32> {qopt.name = "present"}) {
      %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
      %d = qopt.dequantize %c scales(%s) {format = #qopt.format<i8>} : (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>) -> tensor<1x2x?x16xf32>
      %0 = qopt.concat %past, %d {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
      return %0 : tensor<1x2x?x16xf32>
    }
    // becomes
    func.func @main(%past: tensor<1x2x?x16xi8> {qopt.name = "past", qopt.state = array<i64: 0, 2>}, %x: tensor<1x2x?x16xf32>, %ps: tensor<1x2x?x1xf32> {qopt.name = "past.scale", qopt.state = array<i64: 1, 2>}) -> (tensor<1x2x?x16xi8> {qopt.name = "present"}, tensor<1x2x?x1xf32> {qopt.name = "present.scale"}) {
      %c, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<1x2x?x16xf32>) -> (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>)
      %0 = qopt.concat %past, %c {axis = 2 : i64} : (tensor<1x2x?x16xi8>, tensor<1x2x?x16xi8>) -> tensor<1x2x?x16xi8>
      %1 = qopt.concat %ps, %s {axis = 2 : i64} : (tensor<1x2x?x1xf32>, tensor<1x2x?x1xf32>) -> tensor<1x2x?x1xf32>
      return %0, %1 : tensor<1x2x?x16xi8>, tensor<1x2x?x1xf32>
    }
    ```

    Who reads the state gets `qopt.dequantize` of both. What is cast from f16 is
    kept as f16, and cast behind that. Leaves a state alone to which something else
    is added.

    Runs at the end of `quantize`, behind all that looks at samples: their names
    and types are those of the model.

    Numerics: exact, for states that the program made itself.
  }];
  let statistics = [Statistic<"numConverted", "num-converted", "states">];
  let dependentDialects = ["::qopt::QOptDialect"];
}

#endif
