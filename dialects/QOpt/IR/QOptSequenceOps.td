//===- QOptSequenceOps.td - Sequences and optionals ---------*- tablegen -*-===//
//
// What ONNX computes with beside tensors. Reference runs these ops; a compile
// turns them into tensors (qopt-fold-sequences), as no kernel is for them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTSEQUENCEOPS_TD
#define DIALECTS_QOPT_IR_QOPTSEQUENCEOPS_TD

include "dialects/QOpt/IR/QOptBase.td"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class QOpt_Type<string name, string typeMnemonic>
    : TypeDef<QOpt_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def QOpt_SequenceType : QOpt_Type<"Sequence", "sequence"> {
  let summary = "a list of tensors, whose length a run knows";
  let description = [{
    Each tensor has the element type and the known dims of `element`; one without
    a rank says nothing of dims.

    ```mlir
    !qopt.sequence<tensor<?x8xf32>>
    ```
  }];
  let parameters = (ins "::mlir::TensorType":$element);
  let assemblyFormat = "`<` $element `>`";
}

def QOpt_OptionalType : QOpt_Type<"Optional", "optional"> {
  let summary = "a tensor, a sequence, or nothing";
  let description = [{
    ```mlir
    !qopt.optional<tensor<?x8xf32>>
    !qopt.optional<!qopt.sequence<tensor<?x8xf32>>>
    ```

    Constraints:
    - (C1) `element` is a tensor of known rank or a sequence.
  }];
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
  let genVerifyDecl = 1;
}

def QOpt_Sequence : DialectType<QOpt_Dialect,
    CPred<"::llvm::isa<::qopt::SequenceType>($_self)">, "a sequence">;
def QOpt_Optional : DialectType<QOpt_Dialect,
    CPred<"::llvm::isa<::qopt::OptionalType>($_self)">, "an optional">;
def QOpt_Element : AnyTypeOf<[QOpt_Tensor, QOpt_Sequence]>;

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

/// `values` are elements of the sequence `sequence`.
class QOpt_AreElements<string values, string sequence>
    : QOpt_Holds<"tensors have the element type and dims of the sequence's",
                 "areElements(" # values # ", get" # sequence # "())">;

/// Two sequences may have the same elements.
class QOpt_SameElements<string a, string b>
    : QOpt_Holds<"sequences have one element type and dims that can agree",
                 "haveSameElements(get" # a # "(), get" # b # "())">;

/// `position` is one number, if it is there.
def QOpt_IsPosition
    : QOpt_Holds<"the position is one number", "isPosition(getPosition())">;

class QOpt_SequenceOp<string mnemonic, list<Trait> traits>
    : QOpt_Op<mnemonic, !listconcat([Pure], traits)> {
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

def QOpt_SequenceConstructOp : QOpt_SequenceOp<"sequence_construct",
    [QOpt_AreElements<"getInputs()", "Result">]> {
  let summary = "a sequence of given tensors";
  let description = [{
    The operands in their order; without operands it is empty.

    Constraints:
    - each tensor has the element type and the known dims of the
      sequence's `element`.

    Example:

    ```mlir
    %1 = qopt.sequence_construct %x, %y : (tensor<4x8xf32>, tensor<2x8xf32>) -> !qopt.sequence<tensor<?x8xf32>>
    ```
  }];
  let arguments = (ins Variadic<QOpt_Tensor>:$inputs);
  let results = (outs QOpt_Sequence:$result);
}

def QOpt_SequenceAtOp : QOpt_SequenceOp<"sequence_at",
    [QOpt_AreElements<"getResult()", "Sequence">, QOpt_IsPosition]> {
  let summary = "one tensor of a sequence";
  let description = [{
    A negative position counts from the end. One out of [-length, length) is an
    error of the data.

    Constraints:
    - the result has the element type and the known dims of the
      sequence's `element`.
    - `position` has one element.

    Example:

    ```mlir
    %1 = qopt.sequence_at %s, %i : (!qopt.sequence<tensor<?x8xf32>>, tensor<i64>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Sequence:$sequence, QOpt_IndexTensor:$position);
  let results = (outs QOpt_Tensor:$result);
}

def QOpt_SequenceInsertOp : QOpt_SequenceOp<"sequence_insert",
    [QOpt_AreElements<"getTensor()", "Result">,
     QOpt_SameElements<"Sequence", "Result">, QOpt_IsPosition]> {
  let summary = "a sequence with one tensor more";
  let description = [{
    The tensor stands in front of the one at `position`, or behind all without a
    position. A negative position counts from the end. One out of
    [-length, length] is an error of the data.

    Constraints:
    - `tensor` has the element type and the known dims of the result's
      `element`.
    - the two sequences have one element type, and dims that can agree.
    - `position` has one element.

    Example:

    ```mlir
    %1 = qopt.sequence_insert %s, %x : (!qopt.sequence<tensor<?x8xf32>>, tensor<4x8xf32>) -> !qopt.sequence<tensor<?x8xf32>>
    ```
  }];
  let arguments = (ins QOpt_Sequence:$sequence, QOpt_Tensor:$tensor,
                       Optional<QOpt_IndexTensor>:$position);
  let results = (outs QOpt_Sequence:$result);
}

def QOpt_SequenceEraseOp : QOpt_SequenceOp<"sequence_erase",
    [QOpt_SameElements<"Sequence", "Result">, QOpt_IsPosition]> {
  let summary = "a sequence without one of its tensors";
  let description = [{
    Without a position it is the last. A negative position counts from the end.
    One out of [-length, length) is an error of the data.

    Constraints:
    - the two sequences have one element type, and dims that can agree.
    - `position` has one element.

    Example:

    ```mlir
    %1 = qopt.sequence_erase %s, %i : (!qopt.sequence<tensor<?x8xf32>>, tensor<i64>) -> !qopt.sequence<tensor<?x8xf32>>
    ```
  }];
  let arguments = (ins QOpt_Sequence:$sequence,
                       Optional<QOpt_IndexTensor>:$position);
  let results = (outs QOpt_Sequence:$result);
}

def QOpt_SequenceLengthOp : QOpt_SequenceOp<"sequence_length", []> {
  let summary = "number of tensors of a sequence";
  let description = [{
    Example:

    ```mlir
    %1 = qopt.sequence_length %s : (!qopt.sequence<tensor<?x8xf32>>) -> tensor<i64>
    ```
  }];
  let arguments = (ins QOpt_Sequence:$sequence);
  let results = (outs 0DTensorOf<[I64]>:$result);
}

def QOpt_SplitToSequenceOp : QOpt_SequenceOp<"split_to_sequence",
    [QOpt_Holds<"the axis is one of the operand's, not negative",
                "getAxis() < uint64_t(typeOf(getX()).getRank())">,
     QOpt_Holds<"sizes are a list or one number",
                "!getSizes() || typeOf(getSizes()).getRank() <= 1">,
     QOpt_Holds<"an axis is dropped only without sizes",
                "getKeepdims() || !getSizes()">,
     QOpt_Holds<"parts have the element type and dims of the sequence's",
                "arePartsOf(getX(), getAxis(), getKeepdims(), getResult())">]> {
  let summary = "parts along one axis, as a sequence";
  let description = [{
    A list of sizes gives a part for each. One number gives parts of that size,
    the last one may be smaller. Without sizes each part is one position, whose
    axis goes unless `keepdims`. Sizes that are negative or do not sum to the
    dim, and one number below 1, are errors of the data.

    Constraints:
    - `axis` lies in [0, rank of x).
    - `sizes` has rank 0 or 1.
    - without `keepdims` there are no `sizes`.
    - parts of `x` have the element type and the known dims of the
      sequence's `element`.

    Example:

    ```mlir
    %1 = qopt.split_to_sequence %x {axis = 0 : i64, keepdims = true} : (tensor<4x8xf32>) -> !qopt.sequence<tensor<1x8xf32>>
    ```
  }];
  let arguments = (ins QOpt_Tensor:$x, Optional<QOpt_IndexTensor>:$sizes,
                       I64Attr:$axis, BoolAttr:$keepdims);
  let results = (outs QOpt_Sequence:$result);
}

def QOpt_ConcatFromSequenceOp : QOpt_SequenceOp<"concat_from_sequence",
    [QOpt_Holds<"the axis is one of the result's, not negative",
                "getAxis() < uint64_t(typeOf(getResult()).getRank())">,
     QOpt_Holds<"tensors have the element type and dims of the sequence's",
                "arePartsOf(getResult(), getAxis(), !getNewAxis(), "
                "getSequence())">]> {
  let summary = "tensors of a sequence one after the other";
  let description = [{
    Joined along `axis`, or with `new_axis` stacked along an axis that comes
    before it. A sequence without tensors, and dims that differ on the other
    axes, are errors of the data.

    Constraints:
    - `axis` lies in [0, rank of the result).
    - parts of the result along `axis`, without the axis where it is
      new, have the element type and the known dims of the sequence's
      `element`.

    Example:

    ```mlir
    %1 = qopt.concat_from_sequence %s {axis = 0 : i64, new_axis = false} : (!qopt.sequence<tensor<?x8xf32>>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Sequence:$sequence, I64Attr:$axis, BoolAttr:$new_axis);
  let results = (outs QOpt_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

/// `value` is what the optional `optional` may hold.
class QOpt_IsHeldBy<string value, string optional>
    : QOpt_Holds<"the value has the type of the optional's element",
                 "isHeldBy(get" # value # "(), get" # optional # "())">;

def QOpt_OptionalOp : QOpt_SequenceOp<"optional",
    [QOpt_IsHeldBy<"Value", "Result">]> {
  let summary = "an optional that holds a value, or nothing";
  let description = [{
    Constraints:
    - `value` has the type of the optional's `element`.

    Example:

    ```mlir
    %1 = qopt.optional %x : (tensor<4x8xf32>) -> !qopt.optional<tensor<4x8xf32>>
    ```
  }];
  let arguments = (ins Optional<QOpt_Element>:$value);
  let results = (outs QOpt_Optional:$result);
}

def QOpt_OptionalHasElementOp : QOpt_SequenceOp<"optional_has_element", []> {
  let summary = "whether an optional holds a value";
  let description = [{
    Example:

    ```mlir
    %1 = qopt.optional_has_element %o : (!qopt.optional<tensor<4x8xf32>>) -> tensor<i1>
    ```
  }];
  let arguments = (ins QOpt_Optional:$optional);
  let results = (outs 0DTensorOf<[I1]>:$result);
}

def QOpt_OptionalGetElementOp : QOpt_SequenceOp<"optional_get_element",
    [QOpt_IsHeldBy<"Result", "Optional">]> {
  let summary = "the value that an optional holds";
  let description = [{
    An optional that holds nothing is an error of the data.

    Constraints:
    - the result has the type of the optional's `element`.

    Example:

    ```mlir
    %1 = qopt.optional_get_element %o : (!qopt.optional<tensor<4x8xf32>>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QOpt_Optional:$optional);
  let results = (outs QOpt_Element:$result);
}

#endif
