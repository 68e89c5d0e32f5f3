//===- QOptLoopOps.td - Ops that are one nest of loops ------*- tablegen -*-===//
//
// Each formula is written once, over a loop policy
// (dialects/QOpt/Numerics/LoopPolicy.h): it is what Reference evaluates and the
// generic kernel of every target. The dims of results and what operands must be
// stand here, so an op of this file needs neither a rule nor a verifier elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTLOOPOPS_TD
#define DIALECTS_QOPT_IR_QOPTLOOPOPS_TD

include "dialects/QOpt/IR/QOptEnums.td"
include "dialects/QOpt/IR/QOptInterfaces.td"

/// `attribute` is an axis of `tensor`, not negative.
class QOpt_IsAxis<string attribute, string tensor>
    : QOpt_Holds<"the axis is one of the operand's, not negative",
                 "get" # attribute # "() < uint64_t(typeOf(get" # tensor #
                 "()).getRank())">;

class QOpt_SameRank<string a, string b>
    : QOpt_Holds<"operands have one rank",
                 "typeOf(get" # a # "()).getRank() == typeOf(get" # b #
                 "()).getRank()">;

/// `tensor` is a list of as many numbers as `of` has axes.
class QOpt_ListOfAxes<string tensor, string of>
    : QOpt_Holds<"there is a number for each axis",
                 "isListOf(get" # tensor # "(), typeOf(get" # of #
                 "()).getRank())">;

/// Only `set` knows elements that are no numbers.
def QOpt_ScatterOfNumbers
    : QOpt_Holds<"elements are floats of 16 bits or more or integers of 8 bits "
                 "or more", "getKind() == ScatterKind::Set || isNumber(getX())">;

/// Elements that can be added and compared.
def QOpt_XOfNumbers
    : QOpt_Holds<"elements are floats of 16 bits or more or integers of 8 bits "
                 "or more", "isNumber(getX())">;

/// `tensor` is one number, whatever its rank.
class QOpt_OneNumber<string tensor>
    : QOpt_Holds<"the operand is one number", "isOneNumber(get" # tensor # "())">;

class QOpt_LoopOp<string mnemonic, list<Trait> traits>
    : QOpt_Op<mnemonic, !listconcat([Pure], traits)> {
  /// What gives the dims of each result, over a dim policy `policy`
  /// (DimPolicy.h). No default: dims that stay are said to.
  code dims = ?;
  let extraClassDeclaration = [{
    template <class P> ResultDims<P> inferDims(P &policy) {
  }] # dims # [{
    }
  }];
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Elements by index. A negative index counts from the end; one that is out of
// range is an error of the data.
//===----------------------------------------------------------------------===//

/// The last axis of `indices` holds positions of `x` behind `batch` axes.
class QOpt_IndexTuples<string batch>
    : QOpt_Holds<"indices end in a known number of positions of x",
                 "isTupleOf(getIndices(), typeOf(getX()).getRank(), " # batch #
                 ")">;

def QOpt_GatherNDOp : QOpt_LoopOp<"gather_nd",
    [AllElementTypesMatch<["x", "result"]>,
     QOpt_IndexTuples<"getBatchDims()">]> {
  let summary = "parts of a tensor by tuples of indices";
  let description = [{
    ```
    result[b..., j..., k...] = x[b..., indices[b..., j..., :]..., k...]
    ```
    b are the first `batch_dims` axes of both operands.

    Example:

    ```mlir
    %1 = qopt.gather_nd %x, %indices : (tensor<4x8xf32>, tensor<3x2xi64>) -> tensor<3xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let dims = [{
    Dims<P> x = policy.dimsOf(getX()), result = policy.dimsOf(getIndices());
    result.pop_back();
    result.append(x.begin() + getBatchDims() +
                      typeOf(getIndices()).getShape().back(),
                  x.end());
    return {result};
  }];
}

def QOpt_ScatterNDOp : QOpt_LoopOp<"scatter_nd",
    [AllElementTypesMatch<["x", "updates", "result"]>, QOpt_IndexTuples<"0">,
     QOpt_Holds<"updates have the rank of what indices pick",
                "typeOf(getUpdates()).getRank() == typeOf(getIndices()).getRank() "
                "- 1 + typeOf(getX()).getRank() - "
                "typeOf(getIndices()).getShape().back()">,
     QOpt_ScatterOfNumbers]> {
  let summary = "a tensor with parts replaced, by tuples of indices";
  let description = [{
    ```
    result = x;  then for j... in row-major order:
    result[indices[j..., :]..., k...] = r(that, updates[j..., k...])
    ```
    r takes the update, or adds, multiplies, takes the greater or the less.
    Each step rounds to the element type.

    Example:

    ```mlir
    %1 = qopt.scatter_nd %x, %indices, %updates {kind = #qopt.scatter<add>}
      : (tensor<4x8xf32>, tensor<3x2xi64>, tensor<3xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$indices,
                       QOpt_Tensor:$updates, QOpt_ScatterKindAttr:$kind);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

def QOpt_GatherElementsOp : QOpt_LoopOp<"gather_elements",
    [AllElementTypesMatch<["x", "result"]>, QOpt_IsAxis<"Axis", "X">,
     QOpt_SameRank<"X", "Indices">]> {
  let summary = "one element along an axis for each index";
  let description = [{
    ```
    result[i..., j, k...] = x[i..., indices[i..., j, k...], k...]
    ```
    On the other axes `indices` has no more elements than `x`.

    Example:

    ```mlir
    %1 = qopt.gather_elements %x, %indices {axis = 1 : i64} : (tensor<4x8xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$indices, I64Attr:$axis);
  let dims = [{ return {policy.dimsOf(getIndices())}; }];
}

def QOpt_ScatterElementsOp : QOpt_LoopOp<"scatter_elements",
    [AllElementTypesMatch<["x", "updates", "result"]>,
     QOpt_IsAxis<"Axis", "X">, QOpt_SameRank<"X", "Indices">,
     QOpt_SameRank<"X", "Updates">, QOpt_ScatterOfNumbers]> {
  let summary = "a tensor with an element along an axis replaced for each index";
  let description = [{
    ```
    result = x;  then for j in ascending order:
    result[i..., indices[i..., j, k...], k...] = r(that, updates[i..., j, k...])
    ```
    r as in `qopt.scatter_nd`. On the other axes `indices` has no more elements
    than `x`; `updates` has its dims.

    Example:

    ```mlir
    %1 = qopt.scatter_elements %x, %indices, %updates {axis = 1 : i64, kind = #qopt.scatter<set>}
      : (tensor<4x8xf32>, tensor<4x2xi64>, tensor<4x2xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$indices,
                       QOpt_Tensor:$updates, I64Attr:$axis,
                       QOpt_ScatterKindAttr:$kind);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

def QOpt_OneHotOp : QOpt_LoopOp<"one_hot",
    [AllElementTypesMatch<["values", "result"]>, QOpt_OneNumber<"Depth">,
     QOpt_Holds<"the axis is one of the result's, not negative",
                "getAxis() <= uint64_t(typeOf(getIndices()).getRank())">,
     QOpt_Holds<"values are two, off and on", "isListOf(getValues(), 2)">]> {
  let summary = "one value where an index says, another elsewhere";
  let description = [{
    ```
    result[i..., d, j...] = values[n == d ? 1 : 0],
    n = indices[i..., j...], and depth more where that is negative
    ```
    An index out of [-depth, depth) gives `values[0]` alone. A negative depth is
    an error of the data.

    Example:

    ```mlir
    %1 = qopt.one_hot %indices, %depth, %values {axis = 1 : i64} : (tensor<4xi64>, tensor<i64>, tensor<2xf32>) -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins QOpt_IndexTensor:$indices, QOpt_IndexTensor:$depth,
                       QOpt_Tensor:$values, I64Attr:$axis);
  let dims = [{
    Dims<P> result = policy.dimsOf(getIndices());
    result.insert(
        result.begin() + getAxis(),
        policy.max(policy.elementsOf(getDepth())[0], policy.constant(0)));
    return {result};
  }];
}

//===----------------------------------------------------------------------===//
// Elements put elsewhere
//===----------------------------------------------------------------------===//

def QOpt_TileOp : QOpt_LoopOp<"tile",
    [AllElementTypesMatch<["x", "result"]>, QOpt_ListOfAxes<"Repeats", "X">]> {
  let summary = "a tensor repeated along its axes";
  let description = [{
    ```
    result[i...] = x[i mod dim...]
    ```
    A negative number of repeats is an error of the data.

    Example:

    ```mlir
    %1 = qopt.tile %x, %repeats : (tensor<4x8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$repeats);
  let dims = [{
    Dims<P> result = policy.dimsOf(getX());
    Dims<P> repeats = policy.elementsOf(getRepeats());
    repeats.resize(result.size(), policy.constant(1));
    for (auto [dim, times] : llvm::zip_equal(result, repeats))
      dim = policy.mul(dim, policy.max(times, policy.constant(0)));
    return {result};
  }];
}

def QOpt_DepthToSpaceOp : QOpt_LoopOp<"depth_to_space",
    [AllElementTypesMatch<["x", "result"]>,
     QOpt_Holds<"x has four axes", "typeOf(getX()).getRank() == 4">,
     QOpt_Holds<"the block is from 1 to 1024",
                "getBlock() >= 1 && getBlock() <= 1024">]> {
  let summary = "channels become blocks of positions";
  let description = [{
    With B the block and C the channels of the result:
    ```
    result[n, c, y, x] = x[n, d, y / B, x / B]
    depth-column-row: d = ((y mod B) * B + x mod B) * C + c
    column-row-depth: d = (c * B + y mod B) * B + x mod B
    ```
    Channels that B * B does not divide are an error of the data.

    Example:

    ```mlir
    %1 = qopt.depth_to_space %x {block = 2 : i64, order = #qopt.order<depth_column_row>}
      : (tensor<1x8x4x4xf32>) -> tensor<1x2x8x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$block, QOpt_DepthOrderAttr:$order);
  let dims = [{
    Dims<P> x = policy.dimsOf(getX());
    auto block = policy.constant(getBlock());
    x[1] = policy.floorDiv(x[1], policy.mul(block, block));
    x[2] = policy.mul(x[2], block);
    x[3] = policy.mul(x[3], block);
    return {x};
  }];
}

def QOpt_SpaceToDepthOp : QOpt_LoopOp<"space_to_depth",
    [AllElementTypesMatch<["x", "result"]>,
     QOpt_Holds<"x has four axes", "typeOf(getX()).getRank() == 4">,
     QOpt_Holds<"the block is from 1 to 1024",
                "getBlock() >= 1 && getBlock() <= 1024">]> {
  let summary = "blocks of positions become channels";
  let description = [{
    With B the block and C the channels of `x`:
    ```
    result[n, (i * B + j) * C + c, y, x] = x[n, c, y * B + i, x * B + j]
    ```
    Positions that B does not divide are an error of the data.

    Example:

    ```mlir
    %1 = qopt.space_to_depth %x {block = 2 : i64} : (tensor<1x2x8x8xf32>) -> tensor<1x8x4x4xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$block);
  let dims = [{
    Dims<P> x = policy.dimsOf(getX());
    auto block = policy.constant(getBlock());
    x[1] = policy.mul(x[1], policy.mul(block, block));
    x[2] = policy.floorDiv(x[2], block);
    x[3] = policy.floorDiv(x[3], block);
    return {x};
  }];
}

def QOpt_ReverseSequenceOp : QOpt_LoopOp<"reverse_sequence",
    [AllElementTypesMatch<["x", "result"]>, QOpt_IsAxis<"BatchAxis", "X">,
     QOpt_IsAxis<"TimeAxis", "X">,
     QOpt_Holds<"the axes are different", "getBatchAxis() != getTimeAxis()">,
     QOpt_Holds<"lengths are a list", "typeOf(getLengths()).getRank() == 1">]> {
  let summary = "sequences of a batch turned around";
  let description = [{
    With b and t the positions on the two axes and n = lengths[b]:
    ```
    result[.. b .. t ..] = x[.. b .. (t < n ? n - 1 - t : t) ..]
    ```
    A length out of [0, dim] is an error of the data.

    Example:

    ```mlir
    %1 = qopt.reverse_sequence %x, %lengths {batch_axis = 0 : i64, time_axis = 1 : i64}
      : (tensor<4x8xf32>, tensor<4xi64>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$lengths,
                       I64Attr:$batch_axis, I64Attr:$time_axis);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

def QOpt_TriluOp : QOpt_LoopOp<"trilu",
    [AllElementTypesMatch<["x", "result"]>,
     QOpt_Holds<"x has two axes or more", "typeOf(getX()).getRank() >= 2">,
     QOpt_Holds<"the operand is one number", "!getK() || isOneNumber(getK())">]> {
  let summary = "triangle of each matrix, zeros elsewhere";
  let description = [{
    ```
    upper: result[.., i, j] = j >= i + k ? x[.., i, j] : 0
    lower: result[.., i, j] = j <= i + k ? x[.., i, j] : 0
    ```
    An absent `k` is 0.

    Example:

    ```mlir
    %1 = qopt.trilu %x {upper = true} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, Optional<QOpt_IndexTensor>:$k,
                       BoolAttr:$upper);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

//===----------------------------------------------------------------------===//
// What an axis holds
//===----------------------------------------------------------------------===//

def QOpt_CumSumOp : QOpt_LoopOp<"cum_sum",
    [AllElementTypesMatch<["x", "result"]>, QOpt_IsAxis<"Axis", "X">,
     QOpt_XOfNumbers]> {
  let summary = "running sum along an axis";
  let description = [{
    ```
    s = 0;  for i in ascending order (descending with `reverse`):
    s += x[.., i, ..];  result[.., i, ..] = s    (`exclusive`: s before the sum)
    ```
    Floats are one chain of f32 sums from +0 (f64: of its own), each result
    rounded once. Integers wrap.

    Example:

    ```mlir
    %1 = qopt.cum_sum %x {axis = 1 : i64, exclusive = false, reverse = false} : (tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$axis, BoolAttr:$exclusive,
                       BoolAttr:$reverse);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

def QOpt_CumProdOp : QOpt_LoopOp<"cum_prod",
    [AllElementTypesMatch<["x", "result"]>, QOpt_IsAxis<"Axis", "X">,
     QOpt_XOfNumbers]> {
  let summary = "running product along an axis";
  let description = [{
    As `qopt.cum_sum`, with s = 1 and s *= x[.., i, ..].

    Example:

    ```mlir
    %1 = qopt.cum_prod %x {axis = 1 : i64, exclusive = false, reverse = false} : (tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$axis, BoolAttr:$exclusive,
                       BoolAttr:$reverse);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

def QOpt_ArgReduceOp : QOpt_LoopOp<"arg_reduce",
    [QOpt_IsAxis<"Axis", "X">,
     QOpt_XOfNumbers,
     QOpt_Holds<"the result has elements of i64",
                "typeOf(getResult()).getElementType().isSignlessInteger(64)">,
     QOpt_Holds<"the kind is max or min",
                "getKind() == ReduceKind::Max || getKind() == ReduceKind::Min">]> {
  let summary = "where the greatest or least element of an axis stands";
  let description = [{
    The first of equal ones, or the last with `select_last`. A NaN is never
    greater or less, so it is taken only where it stands first. An axis without
    elements is an error of the data.

    Example:

    ```mlir
    %1 = qopt.arg_reduce %x {kind = #qopt.kind<max>, axis = 1 : i64, keepdims = true, select_last = false}
      : (tensor<4x8xf32>) -> tensor<4x1xi64>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_ReduceKindAttr:$kind, I64Attr:$axis,
                       BoolAttr:$keepdims, BoolAttr:$select_last);
  let dims = [{
    Dims<P> result = policy.dimsOf(getX());
    if (getKeepdims())
      result[getAxis()] = policy.constant(1);
    else
      result.erase(result.begin() + getAxis());
    return {result};
  }];
}

def QOpt_TopKOp : QOpt_LoopOp<"top_k",
    [AllElementTypesMatch<["x", "values"]>, QOpt_IsAxis<"Axis", "X">,
     QOpt_OneNumber<"K">,
     QOpt_XOfNumbers,
     QOpt_Holds<"indices have elements of i64",
                "typeOf(getIndices()).getElementType().isSignlessInteger(64)">]> {
  let summary = "the greatest or least elements of an axis, in order";
  let description = [{
    Of equal elements those with the lower index come first. NaN is greater than
    every number. A `k` out of [0, dim] is an error of the data.

    Example:

    ```mlir
    %1, %2 = qopt.top_k %x, %k {axis = 1 : i64, largest = true} : (tensor<4x8xf32>, tensor<1xi64>) -> (tensor<4x?xf32>, tensor<4x?xi64>)
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$k, I64Attr:$axis,
                       BoolAttr:$largest);
  let results = (outs QOpt_Tensor:$values, QOpt_Tensor:$indices);
  let dims = [{
    Dims<P> result = policy.dimsOf(getX());
    auto &dim = result[getAxis()];
    dim = policy.min(
        policy.max(policy.elementsOf(getK())[0], policy.constant(0)), dim);
    return {result, result};
  }];
}

def QOpt_NonZeroOp : QOpt_LoopOp<"non_zero",
    [QOpt_SerialTrait, QOpt_OneNumber<"Count">,
     QOpt_Holds<"x has an axis or more", "typeOf(getX()).getRank() >= 1">,
     QOpt_Holds<"x is of booleans",
                "typeOf(getX()).getElementType().isSignlessInteger(1)">,
     QOpt_Holds<"the result has elements of i64",
                "typeOf(getResult()).getElementType().isSignlessInteger(64)">]> {
  let summary = "coordinates of what is true";
  let description = [{
    Column n of the result has the coordinates of the n-th true element of `x`
    in row-major order. `count` is their number; another is an error of the data.

    Example:

    ```mlir
    %1 = qopt.non_zero %x, %count : (tensor<4x8xi1>, tensor<i64>) -> tensor<2x?xi64>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$count);
  let dims = [{
    auto count = policy.elementsOf(getCount())[0];
    return {{policy.constant(typeOf(getX()).getRank()),
             policy.max(count, policy.constant(0))}};
  }];
}

def QOpt_NonMaxSuppressionOp : QOpt_LoopOp<"non_max_suppression",
    [QOpt_OneNumber<"Most">, QOpt_OneNumber<"OverlapLimit">,
     QOpt_OneNumber<"ScoreLimit">,
     QOpt_Holds<"boxes and scores have three axes",
                "typeOf(getBoxes()).getRank() == 3 && "
                "typeOf(getScores()).getRank() == 3">,
     QOpt_Holds<"boxes, scores and limits are of f32",
                "areF32({getBoxes(), getScores(), getOverlapLimit(), "
                "getScoreLimit(), getLeft()})">,
     QOpt_Holds<"the selected have elements of i64",
                "typeOf(getSelected()).getElementType().isSignlessInteger(64)">]> {
  let summary = "the best boxes that do not overlap";
  let description = [{
    For each sample and class, at most `most` times: the box with the greatest
    score above `score_limit`, the first of equal ones, is selected, and dropped
    with all whose overlap with it is above `overlap_limit`. `selected` has the
    numbers of the boxes in that order, and -1 behind them; `left` is what they
    were chosen in: the scores, -infinity of what was dropped.

    The overlap is the area that two boxes share over that of both,
    `i / (a + b - i)`, each operation rounded to f32, and 0 where an area is not
    above 0. A box is y, x of one corner and of the other, in any order; with
    `by_center` x, y of its middle, its width and its height.

    Example:

    ```mlir
    %1, %2 = qopt.non_max_suppression %boxes, %scores, %most, %overlap, %score {by_center = false}
      : (tensor<1x8x4xf32>, tensor<1x2x8xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> (tensor<1x2x?xi64>, tensor<1x2x8xf32>)
    ```
  }];
  let arguments = (ins QOpt_Tensor:$boxes, QOpt_Tensor:$scores,
                       QOpt_IndexTensor:$most, QOpt_Tensor:$overlap_limit,
                       QOpt_Tensor:$score_limit, BoolAttr:$by_center);
  let results = (outs QOpt_Tensor:$selected, QOpt_Tensor:$left);
  let dims = [{
    Dims<P> scores = policy.dimsOf(getScores()), selected = scores;
    selected[2] = policy.min(
        policy.max(policy.elementsOf(getMost())[0], policy.constant(0)),
        scores[2]);
    return {selected, scores};
  }];
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

def QOpt_GridSampleOp : QOpt_LoopOp<"grid_sample",
    [AllElementTypesMatch<["x", "result"]>, QOpt_SameRank<"X", "Grid">,
     QOpt_Holds<"elements are f32, f16 or bf16",
                "isReal(getX()) && isReal(getGrid())">,
     QOpt_Holds<"x has one to three spatial axes",
                "typeOf(getX()).getRank() >= 3 && typeOf(getX()).getRank() <= 5">]> {
  let summary = "an image sampled at positions";
  let description = [{
    `grid[n, y..., :]` are the coordinates of a sample, that of the last axis
    first, from -1 at one end to 1 at the other. On an axis of size n, p is
    ```
    align_corners: (g + 1) * ((n - 1) / 2)     else ((g + 1) * n - 1) / 2
    ```
    in f32, each operation rounded. `nearest` takes the element at
    roundEven(p), `linear` weighs floor(p) and the next one by their distance,
    `cubic` four elements around p with the coefficient -0.75; products are
    summed in ascending order of coordinates by fma from +0, the innermost axis
    first. Outside of the image are zeros, the nearest element (`border`), or
    what a mirror shows (`reflection`), at the outer elements with
    `align_corners`, else half an element outside of them.

    Example:

    ```mlir
    %1 = qopt.grid_sample %x, %grid {sampling = #qopt.sampling<linear>, outside = #qopt.outside<zeros>, align_corners = false}
      : (tensor<1x3x8x8xf32>, tensor<1x4x4x2xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$grid, QOpt_SamplingAttr:$sampling,
                       QOpt_OutsideAttr:$outside, BoolAttr:$align_corners);
  let dims = [{
    Dims<P> result = policy.dimsOf(getX()), grid = policy.dimsOf(getGrid());
    for (size_t i = 2; i < result.size(); ++i)
      result[i] = grid[i - 1];
    return {result};
  }];
}

def QOpt_InstanceNormOp : QOpt_LoopOp<"instance_norm",
    [AllElementTypesMatch<["x", "scale", "bias", "result"]>,
     QOpt_Holds<"elements are f32, f16 or bf16", "isReal(getX())">,
     QOpt_Holds<"x has a channel axis", "typeOf(getX()).getRank() >= 2">,
     QOpt_Holds<"scale and bias are lists",
                "typeOf(getScale()).getRank() == 1 && "
                "typeOf(getBias()).getRank() == 1">]> {
  let summary = "normalisation of each channel of each sample";
  let description = [{
    As `qopt.layer_norm`, where a row is the spatial axes of a channel, and
    `scale` and `bias` have a value for each channel.

    Example:

    ```mlir
    %1 = qopt.instance_norm %x, %scale, %bias {epsilon = 1.0e-5 : f32}
      : (tensor<1x3x8x8xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x8x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$scale, QOpt_Tensor:$bias,
                       F32Attr:$epsilon);
  let dims = [{ return {policy.dimsOf(getX())}; }];
}

#endif
