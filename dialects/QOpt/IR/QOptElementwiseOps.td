//===- QOptElementwiseOps.td - Element-wise ops -------------*- tablegen -*-===//
//
// Operands broadcast as numpy does. The formulas are the templates of
// dialects/QOpt/Numerics; the text here says what they compute.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTELEMENTWISEOPS_TD
#define DIALECTS_QOPT_IR_QOPTELEMENTWISEOPS_TD

include "dialects/QOpt/IR/QOptEnums.td"

def QOpt_ElementwiseTrait : NativeOpTrait<"ElementwiseTrait"> {
  let cppNamespace = "::qopt";
}

/// `example` is what follows the op's name in its example.
class QOpt_ElementwiseOp<string mnemonic, string text, string formula,
                         string example>
    : QOpt_Op<mnemonic, [Pure, QOpt_ElementwiseTrait]> {
  let summary = text;
  let description = "```\n" # formula # "\n```\n\nExample:\n\n```mlir\n"
    # "%1 = qopt." # mnemonic # " " # example # "\n```\n";
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

class QOpt_UnaryOp<string mnemonic, string text, string formula,
                   string attributes = "", string from = "f32",
                   string to = from>
    : QOpt_ElementwiseOp<mnemonic, text, formula, "%x " # attributes
        # ": (tensor<?x8x" # from # ">) -> tensor<?x8x" # to # ">"> {
  let arguments = (ins QOpt_Tensor:$x);
  let results = (outs QOpt_Tensor:$result);
}

class QOpt_BinaryOp<string mnemonic, string text, string formula,
                    string from = "f32", string to = from>
    : QOpt_ElementwiseOp<mnemonic, text, formula, "%lhs, %rhs : (tensor<?x8x"
        # from # ">, tensor<8x" # from # ">) -> tensor<?x8x" # to # ">"> {
  let arguments = (ins QOpt_Tensor:$lhs, QOpt_Tensor:$rhs);
  let results = (outs QOpt_Tensor:$result);
}

class QOpt_CompareOp<string mnemonic, string text, string formula>
    : QOpt_BinaryOp<mnemonic, text, formula, "f32", "i1"> {
  let results = (outs QOpt_BoolTensor:$result);
}

def QOpt_AddOp : QOpt_BinaryOp<"add", "sum", "lhs + rhs; integers wrap">;
def QOpt_SubOp : QOpt_BinaryOp<"sub", "difference", "lhs - rhs; integers wrap">;
def QOpt_MulOp : QOpt_BinaryOp<"mul", "product", "lhs * rhs; integers wrap">;
def QOpt_DivOp : QOpt_BinaryOp<"div", "quotient",
  "lhs / rhs; integers truncate, x / 0 = 0">;
def QOpt_PowOp : QOpt_BinaryOp<"pow", "power",
  "powF32(lhs, rhs) of Numerics, f64: powF64; rhs = 2 is lhs * lhs, rhs = 0.5 "
  "is sqrt(lhs)\nof integers the product, which wraps; rhs < 0 is 1 / "
  "lhs^-rhs\nwithout its fraction, 0 where lhs is 0">;
def QOpt_MinOp : QOpt_BinaryOp<"min", "smaller value",
  "isNaN(lhs) ? lhs : lhs < rhs ? lhs : rhs: NaN wins, of two zeros rhs">;
def QOpt_MaxOp : QOpt_BinaryOp<"max", "larger value",
  "isNaN(lhs) ? lhs : lhs > rhs ? lhs : rhs: NaN wins, of two zeros rhs">;
def QOpt_ModOp : QOpt_BinaryOp<"mod", "remainder of a division",
  "lhs - floor(lhs / rhs) * rhs, which has the sign of rhs; of integers "
  "x mod 0 = 0\n"
  "truncates: lhs - trunc(lhs / rhs) * rhs, which has the sign of lhs\n"
  "of floats the second one is exact, and rhs is added to it, rounded, where "
  "the\nfirst one differs; NaN where rhs is 0 or lhs infinite", "i64"> {
  let arguments = (ins QOpt_Tensor:$lhs, QOpt_Tensor:$rhs,
                       DefaultValuedAttr<BoolAttr, "false">:$truncates);
}
def QOpt_AndOp : QOpt_BinaryOp<"and", "bitwise and", "lhs & rhs", "i1">;
def QOpt_OrOp : QOpt_BinaryOp<"or", "bitwise or", "lhs | rhs", "i1">;
def QOpt_XorOp : QOpt_BinaryOp<"xor", "bitwise exclusive or", "lhs ^ rhs", "i1">;

def QOpt_EqualOp : QOpt_CompareOp<"equal", "equality", "lhs == rhs">;
def QOpt_LessOp : QOpt_CompareOp<"less", "order", "lhs < rhs">;
def QOpt_LessOrEqualOp : QOpt_CompareOp<"less_or_equal", "order", "lhs <= rhs">;
def QOpt_GreaterOp : QOpt_CompareOp<"greater", "order", "lhs > rhs">;
def QOpt_GreaterOrEqualOp
    : QOpt_CompareOp<"greater_or_equal", "order", "lhs >= rhs">;

def QOpt_ReluOp : QOpt_UnaryOp<"relu", "rectifier", "max(x, 0)">;
def QOpt_SigmoidOp : QOpt_UnaryOp<"sigmoid", "logistic function",
  "sigmoidF32(x) of Numerics; f64: sigmoidF64(x)">;
def QOpt_TanhOp : QOpt_UnaryOp<"tanh", "hyperbolic tangent",
  "tanhF32(x) of Numerics; f64: tanhF64(x)">;
def QOpt_ErfOp : QOpt_UnaryOp<"erf", "error function", "erfF32(x) of Numerics">;
def QOpt_ExpOp : QOpt_UnaryOp<"exp", "exponential",
  "expF32(x) of Numerics; f64: expF64(x)">;
def QOpt_LogOp : QOpt_UnaryOp<"log", "natural logarithm",
  "logF32(x) of Numerics; f64: logF64(x)">;
def QOpt_SqrtOp : QOpt_UnaryOp<"sqrt", "square root",
  "sqrt(x), correctly rounded">;
def QOpt_ReciprocalOp : QOpt_UnaryOp<"reciprocal", "reciprocal", "1 / x">;
def QOpt_NegOp : QOpt_UnaryOp<"neg", "negation", "-x; integers wrap">;
def QOpt_AbsOp : QOpt_UnaryOp<"abs", "magnitude", "|x|; integers wrap">;
def QOpt_FloorOp : QOpt_UnaryOp<"floor", "round down", "floor(x)">;
def QOpt_CeilOp : QOpt_UnaryOp<"ceil", "round up", "ceil(x)">;
def QOpt_RoundOp : QOpt_UnaryOp<"round", "round to nearest, ties to even",
  "rne(x)">;
def QOpt_SinOp : QOpt_UnaryOp<"sin", "sine", "sinF32(x) of Numerics">;
def QOpt_CosOp : QOpt_UnaryOp<"cos", "cosine", "cosF32(x) of Numerics">;
def QOpt_SoftplusOp : QOpt_UnaryOp<"softplus", "log(1 + exp(x))",
  "softplusF32(x) of Numerics; f64: softplusF64(x)">;
def QOpt_SiluOp : QOpt_UnaryOp<"silu", "x times its logistic function",
  "x * sigmoidF32(x); f64: x * sigmoidF64(x)">;
def QOpt_HardSwishOp : QOpt_UnaryOp<"hard_swish", "x times its hard sigmoid",
  "x * min(max(fma(x, 1/6, 0.5), 0), 1), 1/6 rounded to f32">;
def QOpt_NotOp : QOpt_UnaryOp<"not", "logical negation", "!x", "", "i1">;
def QOpt_CastOp : QOpt_UnaryOp<"cast", "conversion to the result's element type",
  "float to float: rne, overflow is inf; float to integer: truncates, out of "
  "range is the nearest bound (below 8 bits: the low bits), NaN is 0; to i1: "
  "x != 0; integer to narrower: low bits; integer to float: rne\nsaturate "
  "says what is out of the range of 8-bit floats: the largest, else infinity "
  "or NaN\nof f8E8M0FNU, whose codes are rounded up: the nearest end, 2^-127 or "
  "2^127,\nelse NaN, as 0, what is below 0 and all up to 2^-128 are then",
  "", "f32", "i64"> {
  let arguments = (ins QOpt_Tensor:$x,
                       DefaultValuedAttr<BoolAttr, "true">:$saturate);
}

def QOpt_GeluOp : QOpt_UnaryOp<"gelu", "Gaussian error linear unit",
  "erf:  (x * 0.5) * (1 + erfF32(x * f32(sqrt(0.5))))\n"
  "tanh: (x * 0.5) * (1 + tanhF32(f32(sqrt(2/pi)) * fma(x * x * x, 0.044715, x)))",
  "{form = #qopt.form<tanh>} "> {
  let arguments = (ins QOpt_Tensor:$x, DefaultValuedAttr<QOpt_GeluFormAttr, "::qopt::GeluForm::Erf">:$form);
}
def QOpt_LeakyReluOp : QOpt_UnaryOp<"leaky_relu", "rectifier with a slope",
  "x < 0 ? alpha * x : x", "{alpha = 0.01 : f32} "> {
  let arguments = (ins QOpt_Tensor:$x, F32Attr:$alpha);
}
def QOpt_EluOp : QOpt_UnaryOp<"elu", "exponential linear unit",
  "x < 0 ? alpha * (expF32(x) - 1) : x", "{alpha = 1.0 : f32} "> {
  let arguments = (ins QOpt_Tensor:$x, F32Attr:$alpha);
}
def QOpt_HardSigmoidOp : QOpt_UnaryOp<"hard_sigmoid", "clipped line",
  "min(max(fma(x, alpha, beta), 0), 1)",
  "{alpha = 0.2 : f32, beta = 0.5 : f32} "> {
  let arguments = (ins QOpt_Tensor:$x, F32Attr:$alpha, F32Attr:$beta);
}
def QOpt_ClipOp : QOpt_ElementwiseOp<"clip", "limit to a range",
  "min(max(x, low), high); an absent bound does nothing",
  "%x {low = 0.0 : f32, high = 6.0 : f32} : (tensor<?x8xf32>) -> tensor<?x8xf32>"> {
  let arguments = (ins QOpt_Tensor:$x, OptionalAttr<F32Attr>:$low,
                       OptionalAttr<F32Attr>:$high);
  let results = (outs QOpt_Tensor:$result);
}
def QOpt_FmaOp : QOpt_ElementwiseOp<"fma", "product and sum in one rounding",
  "x * y + z", "%x, %y, %z : (tensor<?x8xf32>, tensor<8xf32>, tensor<1xf32>) "
  "-> tensor<?x8xf32>"> {
  let arguments = (ins QOpt_Tensor:$x, QOpt_Tensor:$y, QOpt_Tensor:$z);
  let results = (outs QOpt_Tensor:$result);
}
def QOpt_WhereOp : QOpt_ElementwiseOp<"where", "choice by element",
  "condition ? x : y", "%condition, %x, %y : (tensor<?x8xi1>, tensor<?x8xf32>, "
  "tensor<8xf32>) -> tensor<?x8xf32>"> {
  let arguments = (ins QOpt_BoolTensor:$condition, QOpt_Tensor:$x, QOpt_Tensor:$y);
  let results = (outs QOpt_Tensor:$result);
}

#endif
