//===- QOptEnums.td - Choices of ops, by name ---------------*- tablegen
//-*-===//
//
// Each word stands here once: C++ has the enumerators, the text of the IR and
// of recipes the names.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTENUMS_TD
#define DIALECTS_QOPT_IR_QOPTENUMS_TD

include "dialects/QOpt/IR/QOptBase.td"

class QOpt_Enum<string name, string text, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, text, cases> {
  let cppNamespace = "::qopt";
  let genSpecializedAttr = 0;
}

class QOpt_EnumAttr<QOpt_Enum enum, string attrMnemonic>
    : EnumAttr<QOpt_Dialect, enum, attrMnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def QOpt_ScaleRule
    : QOpt_Enum<"ScaleRule",
                "how the shared exponent of a block follows from its largest "
                "magnitude",
                [
                    // ilogb(amax) - emax: OCP MX. The largest elements may
                    // saturate.
                    I32EnumAttrCase<"Floor", 0, "floor">,
                    // The least exponent at which nothing saturates.
                    I32EnumAttrCase<"Ceil", 1, "ceil">,
                    // As floor, of amax rounded to the element's mantissa.
                    I32EnumAttrCase<"Even", 2, "even">]>;
def QOpt_ScaleRuleAttr : QOpt_EnumAttr<QOpt_ScaleRule, "rule">;

def QOpt_Per : QOpt_Enum<"Per", "what one scale made from data is of",
                         [
                             // All indices but that of the last axis.
                             I32EnumAttrCase<"Row", 0, "row">,
                             // An index of the first axis.
                             I32EnumAttrCase<"Sample", 1, "sample">]>;
def QOpt_PerAttr : QOpt_EnumAttr<QOpt_Per, "per">;

def QOpt_ReduceKind
    : QOpt_Enum<
          "ReduceKind", "formula of a reduction",
          [I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Mean", 1, "mean">,
           I32EnumAttrCase<"Max", 2, "max">, I32EnumAttrCase<"Min", 3, "min">,
           I32EnumAttrCase<"Prod", 4, "prod">, I32EnumAttrCase<"L2", 5, "l2">]>;
def QOpt_ReduceKindAttr : QOpt_EnumAttr<QOpt_ReduceKind, "kind">;

def QOpt_GeluForm : QOpt_Enum<"GeluForm", "formula of GELU",
                              [I32EnumAttrCase<"Erf", 0, "erf">,
                               I32EnumAttrCase<"Tanh", 1, "tanh">]>;
def QOpt_GeluFormAttr : QOpt_EnumAttr<QOpt_GeluForm, "form">;

def QOpt_ScatterKind
    : QOpt_Enum<"ScatterKind", "what an update makes of an element",
                [
                    I32EnumAttrCase<"Set", 0, "set">,
                    I32EnumAttrCase<"Add", 1, "add">,
                    I32EnumAttrCase<"Mul", 2, "mul">,
                    I32EnumAttrCase<"Max", 3, "max">,
                    I32EnumAttrCase<"Min", 4, "min">]>;
def QOpt_ScatterKindAttr : QOpt_EnumAttr<QOpt_ScatterKind, "scatter">;

def QOpt_DepthOrder
    : QOpt_Enum<"DepthOrder", "which axes channels are made of, outer first",
                [
                    I32EnumAttrCase<"DepthColumnRow", 0, "depth_column_row">,
                    I32EnumAttrCase<"ColumnRowDepth", 1, "column_row_depth">]>;
def QOpt_DepthOrderAttr : QOpt_EnumAttr<QOpt_DepthOrder, "order">;

def QOpt_Sampling
    : QOpt_Enum<"Sampling", "what is taken between elements",
                [
                    I32EnumAttrCase<"Nearest", 0, "nearest">,
                    I32EnumAttrCase<"Linear", 1, "linear">,
                    I32EnumAttrCase<"Cubic", 2, "cubic">]>;
def QOpt_SamplingAttr : QOpt_EnumAttr<QOpt_Sampling, "sampling">;

def QOpt_Outside
    : QOpt_Enum<"Outside", "what stands outside of an image",
                [
                    I32EnumAttrCase<"Zeros", 0, "zeros">,
                    I32EnumAttrCase<"Border", 1, "border">,
                    I32EnumAttrCase<"Reflection", 2, "reflection">]>;
def QOpt_OutsideAttr : QOpt_EnumAttr<QOpt_Outside, "outside">;

def QOpt_Params
    : QOpt_Enum<"Params",
                "where the scales of the activations of an op come from",
                [
                    // Nothing of the op is in codes.
                    I32EnumAttrCase<"Float", 0, "float">,
                    I32EnumAttrCase<"WeightOnly", 1, "weight-only">,
                    // From the data, in each run.
                    I32EnumAttrCase<"Dynamic", 2, "dynamic">,
                    // From samples, when the model is compiled.
                    I32EnumAttrCase<"Static", 3, "static">]>;

#endif // DIALECTS_QOPT_IR_QOPTENUMS_TD
