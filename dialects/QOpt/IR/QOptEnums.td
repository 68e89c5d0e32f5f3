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
