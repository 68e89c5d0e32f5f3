//===- QOptAttrs.td - Attributes of the qopt dialect --------*- tablegen -*-===//
//
// Formats, weights, the plan of an op and the ONNX node it came from.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTATTRS_TD
#define DIALECTS_QOPT_IR_QOPTATTRS_TD

include "dialects/QOpt/IR/QOptEnums.td"

class QOpt_Attr<string name, string attrMnemonic>
    : AttrDef<QOpt_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def QOpt_FormatAttr : QOpt_Attr<"Format", "format"> {
  let summary = "how codes stand for reals";
  let description = [{
    A row of the format table, with its axis. `axis` is the channel axis (no
    `block`) or the axis along which blocks run; without it the format is per
    tensor. `block`, `scale` and `zero` replace the table's entry.

    ```mlir
    #qopt.format<i8>
    #qopt.format<i8, axis = 0>
    #qopt.format<"mxfp6-e2m3", axis = 2>
    #qopt.format<ui4, axis = 0, block = 32, scale = f16, zero = ui4>
    ```

    Constraints:
    - (C1) the name is that of a row of the table.
    - (C2) `axis` is not negative.
    - (C3) `block` is 1 or more.
  }];
  let parameters = (ins
    StringRefParameter<"row of the format table">:$name,
    DefaultValuedParameter<"int64_t", "-1">:$axis,
    DefaultValuedParameter<"int64_t", "0">:$block,
    OptionalParameter<"::mlir::Type">:$scale,
    OptionalParameter<"::mlir::Type">:$zero);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool hasAxis() const { return getAxis() >= 0; }
    /// True when scales belong to blocks along the axis.
    bool isBlocked() const;
    /// Values along the axis that share a scale; 0 where not blocked.
    int64_t getBlockSize() const;
    /// Builtin type of a code.
    ::mlir::Type getElementType() const;
    /// Builtin types of the scales, innermost first.
    ::llvm::SmallVector<::mlir::Type> getScaleTypes() const;
  }];
}

def QOpt_WeightAttr : QOpt_Attr<"Weight", "weight"> {
  let summary = "bytes of a weight, kept outside the attribute uniquer";
  let description = [{
    Names bytes in the context's weight store, packed as ONNX packs raw data
    (row major, low bits first, one bit stream). The text form is
    `"file@offset+length:sha256"`, or `"hex:..."` for up to 256 bytes that no
    file holds.
  }];
  let parameters = (ins "const ::qopt::WeightBlob *":$blob);
  let hasCustomAssemblyFormat = 1;
}

def QOpt_NodeAttr : QOpt_Attr<"Node", "node"> {
  let summary = "index of an ONNX node in the module's node table";
  let parameters = (ins "int64_t":$id);
  let assemblyFormat = "`<` $id `>`";
}

def QOpt_NodeInfoAttr : QOpt_Attr<"NodeInfo", "node_info"> {
  let summary = "a row of the module's node table, `qopt.nodes`";
  let parameters = (ins
    "int64_t":$id,
    StringRefParameter<"node name">:$name,
    StringRefParameter<"ONNX operator">:$op);
  let assemblyFormat = "`<` $id `,` $name `,` $op `>`";
}

// A word that is no keyword stands in quotes.
def QOpt_ParamsParameter : EnumParameter<QOpt_Params> {
  let printer = "$_printer.printKeywordOrString(::qopt::stringifyParams($_self))";
}

def QOpt_RequestAttr : QOpt_Attr<"Request", "request"> {
  let summary = "the plan of an op: formats, and why it left what was asked";
  let description = [{
    Attached to contractions and Gather as the discardable attribute `qopt.request`, and,
    with its reason, to ops that stay float among ops on codes.

    Constraints, where a program is read from a file, on contractions with a
    constant side and on Gather:
    - (C1) other than float it has a format of the weight, and one of the
      activations unless it is `weight-only`.
    - (C2) the axis of the weight's format is one of the weight; one with blocks
      has one.
    - (C3) the axis of the activations' format is the one that is summed where it
      has blocks, and none where it has not.
    - (C4) `static` activations are integers without blocks.
  }];
  let parameters = (ins
    QOpt_ParamsParameter:$params,
    OptionalParameter<"::qopt::FormatAttr">:$act,
    OptionalParameter<"::qopt::FormatAttr">:$weight,
    OptionalParameter<"::mlir::StringAttr">:$why);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif
