//===- QOptMovementOps.td - Data movement and shapes --------*- tablegen -*-===//
//
// Nothing here changes a value; every op carries codes as well as reals.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTMOVEMENTOPS_TD
#define DIALECTS_QOPT_IR_QOPTMOVEMENTOPS_TD

include "dialects/QOpt/IR/QOptBase.td"

class QOpt_MovementOp<string mnemonic, string text, string formula>
    : QOpt_Op<mnemonic, [Pure]> {
  let summary = text;
  let description = formula;
  let results = (outs QOpt_Tensor:$result);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

def QOpt_ReshapeOp : QOpt_MovementOp<"reshape", "same elements, other dims", [{
    `shape` as ONNX Reshape: -1 is what remains, 0 copies the input's dim unless
    `allow_zero`.

    Constraints:
    - (C1) `shape` has rank 1 and a known length, or rank 0.

    Example:

    ```mlir
    %1 = qopt.reshape %x, %shape {allow_zero = false} : (tensor<2x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$shape,
                       DefaultValuedAttr<BoolAttr, "false">:$allow_zero);
}
def QOpt_TransposeOp : QOpt_MovementOp<"transpose", "permutation of the axes",
    [{
    `result.dim(i) = x.dim(perm[i])`

    Constraints:
    - (C1) `perm` has each axis of `x` once.

    Example:

    ```mlir
    %1 = qopt.transpose %x {perm = array<i64: 1, 0>} : (tensor<?x8xf32>) -> tensor<8x?xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, DenseI64ArrayAttr:$perm);
  let hasVerifier = 1;
}
def QOpt_SliceOp : QOpt_MovementOp<"slice", "strided part of a tensor", [{
    As ONNX Slice: negative starts and ends count from the end, all are clamped;
    absent `steps` are 1.

    Constraints:
    - (C1) `axes` are different axes of `x`, in any order.
    - (C2) `starts`, `ends` and `steps` have rank 1 and one element an axis.
    - (C3) The result has the rank of `x`.

    Example:

    ```mlir
    %1 = qopt.slice %x, %starts, %ends {axes = array<i64: 1>}
      : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x?xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$starts,
    QOpt_IndexTensor:$ends, Optional<QOpt_IndexTensor>:$steps,
    DenseI64ArrayAttr:$axes);
  let hasVerifier = 1;
}
def QOpt_ConcatOp : QOpt_MovementOp<"concat", "tensors one after the other", [{
    Joins along `axis`.

    Constraints:
    - (C1) There is one input or more.
    - (C2) All inputs and the result have one rank.
    - (C3) `axis` is an axis of the inputs, not negative.
    - (C4) On the other axes the dims of all inputs are equal.

    Example:

    ```mlir
    %1 = qopt.concat %x, %y {axis = 1 : i64} : (tensor<?x8xi8>, tensor<?x4xi8>) -> tensor<?x12xi8>
    ```
  }]> {
  let arguments = (ins Variadic<QOpt_Tensor>:$inputs, I64Attr:$axis);
  let hasVerifier = 1;
}
def QOpt_GatherOp : QOpt_MovementOp<"gather", "elements by index", [{
    ```
    result[i..., j..., k...] = x[i..., indices[j...], k...]
    ```
    Negative indices count from the end; out of range is an error of the data.
    A quantized table has its scales and zeros beside it and is dequantized.

    Constraints:
    - (C1) `axis` is an axis of `x`, not negative.
    - (C2) The rank of the result is that of `x` less 1, plus that of `indices`.

    Example:

    ```mlir
    %1 = qopt.gather %table, %indices {axis = 0 : i64} : (tensor<100x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$indices, I64Attr:$axis);
  let hasVerifier = 1;
}
def QOpt_SqueezeOp : QOpt_MovementOp<"squeeze", "without the axes of size 1",
    [{
    Constraints:
    - (C1) `axes` are ascending axes of `x`, not negative.
    - (C2) their dims are 1.

    Example:

    ```mlir
    %1 = qopt.squeeze %x {axes = array<i64: 1>} : (tensor<?x1x8xf32>) -> tensor<?x8xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, DenseI64ArrayAttr:$axes);
}
def QOpt_UnsqueezeOp : QOpt_MovementOp<"unsqueeze", "with new axes of size 1",
    [{
    `axes` count in the result.

    Constraints:
    - (C1) `axes` are ascending axes of the result, not negative.

    Example:

    ```mlir
    %1 = qopt.unsqueeze %x {axes = array<i64: 1>} : (tensor<?x8xf32>) -> tensor<?x1x8xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, DenseI64ArrayAttr:$axes);
}
def QOpt_ExpandOp : QOpt_MovementOp<"expand", "broadcast to a shape",
    [{
    The result's dims are the numpy broadcast of x's and `shape`.

    Constraints:
    - (C1) `shape` has rank 1 and a known length, or rank 0.

    Example:

    ```mlir
    %1 = qopt.expand %x, %shape : (tensor<1x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, QOpt_IndexTensor:$shape);
}
def QOpt_ShapeOp : QOpt_MovementOp<"shape", "dims as a tensor of i64",
    [{
    The dims `start` up to, without, `end`.

    Constraints:
    - (C1) `0 <= start <= end <=` the rank of `x`.

    Example:

    ```mlir
    %1 = qopt.shape %x {start = 0 : i64, end = 2 : i64} : (tensor<?x8xf32>) -> tensor<2xi64>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$start, I64Attr:$end);
}
def QOpt_PadOp : QOpt_MovementOp<"pad", "constant border", [{
    `pads` is `[begin..., end...]`; an absent `value` is 0.

    Constraints:
    - (C1) there are two pads for each axis.
    - (C2) pads are from 0 to 2^30.
    - (C3) `value` has one element.

    Example:

    ```mlir
    %1 = qopt.pad %x {pads = array<i64: 0, 1, 0, 1>} : (tensor<?x8xf32>) -> tensor<?x10xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, Optional<QOpt_Tensor>:$value,
                       DenseI64ArrayAttr:$pads);
}
def QOpt_FlattenOp : QOpt_MovementOp<"flatten", "two axes out of many",
    [{
    The dims before `axis` and those from it on are multiplied.

    Constraints:
    - (C1) `axis` is from 0 to the rank of `x`.

    Example:

    ```mlir
    %1 = qopt.flatten %x {axis = 1 : i64} : (tensor<?x4x8xf32>) -> tensor<?x32xf32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$axis);
}
def QOpt_BitCastOp : QOpt_MovementOp<"bit_cast",
    "elements of another type with the same bits", [{
    Constraints:
    - (C1) both element types have the same number of bits.

    Example:

    ```mlir
    %1 = qopt.bit_cast %x : (tensor<?x8xf32>) -> tensor<?x8xi32>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$x);
}
def QOpt_ConstantOfShapeOp : QOpt_MovementOp<"constant_of_shape",
    "one value everywhere", [{
    Constraints:
    - (C1) `value` has one element, of the result's element type.
    - (C2) `shape` has rank 1, or 0 and one number.

    Example:

    ```mlir
    %1 = qopt.constant_of_shape %shape {value = dense<0.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
    ```
  }]> {
  let arguments = (ins QOpt_IndexTensor:$shape, ElementsAttr:$value);
}
def QOpt_RangeOp : QOpt_MovementOp<"range", "arithmetic sequence",
    [{
    `start + i * delta` for i below `ceil((limit - start) / delta)`.

    Constraints:
    - (C1) `start`, `limit` and `delta` are one integer each.

    Example:

    ```mlir
    %1 = qopt.range %start, %limit, %delta : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
    ```
  }]> {
  let arguments = (ins QOpt_Tensor:$start, QOpt_Tensor:$limit, QOpt_Tensor:$delta);
}
def QOpt_SplitOp : QOpt_Op<"split", [Pure]> {
  let summary = "parts along one axis";
  let description = [{
    Constraints:
    - (C1) `axis` is an axis of `x`, not negative.
    - (C2) `sizes` has one for each part, and they sum to the dim of `axis`.

    Example:

    ```mlir
    %1, %2 = qopt.split %x {axis = 1 : i64, sizes = array<i64: 2, 6>} : (tensor<?x8xf32>) -> (tensor<?x2xf32>, tensor<?x6xf32>)
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, I64Attr:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<QOpt_Tensor>:$parts);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

#endif
