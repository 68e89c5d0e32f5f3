//===- OperatorsTest.cpp - The IR that each operator becomes --------------===//
//
// A case is one node and the lines of IR that it must become, in order.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ModelBuilder.h"
#include "gtest/gtest.h"
#include <functional>

using namespace qopt;
using namespace qopt::test;

namespace {
struct GoodModel {
  const char *name;
  /// Parts of the module's text, in order.
  std::vector<std::string> lines;
  std::function<Model()> make;
};

class Operators : public testing::TestWithParam<GoodModel> {};
} // namespace

using Ints = std::vector<int64_t>;

/// A model of one node from `x` of `type` to `y`.
static Model one(int64_t opset, const char *op, const char *type,
                 std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset).in("x", type).node(op, {"x"}, {"y"}, attributes).out("y");
}

/// A model of one node from `x` and `list`, a constant.
static Model list(int64_t opset, const char *op, const char *type,
                  const char *listType, std::vector<double> values,
                  std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset)
      .in("x", type)
      .init("list", listType, values)
      .node(op, {"x", "list"}, {"y"}, attributes)
      .out("y");
}

static Model binary(int64_t opset, const char *op, const char *type) {
  return Model(opset)
      .in("x", type)
      .in("z", type)
      .node(op, {"x", "z"}, {"y"})
      .out("y");
}

static std::vector<GoodModel> makeUnaryCases() {
  static const std::pair<const char *, const char *> rows[] = {
      {"Abs", "abs"},
      {"Ceil", "ceil"},
      {"Cos", "cos"},
      {"Erf", "erf"},
      {"Exp", "exp"},
      {"Floor", "floor"},
      {"Log", "log"},
      {"Neg", "neg"},
      {"Reciprocal", "reciprocal"},
      {"Relu", "relu"},
      {"Round", "round"},
      {"Sigmoid", "sigmoid"},
      {"Sin", "sin"},
      {"Softplus", "softplus"},
      {"Sqrt", "sqrt"},
      {"Tanh", "tanh"},
      {"HardSwish", "hard_swish"}};
  std::vector<GoodModel> cases;
  for (auto [op, mnemonic] : rows)
    cases.push_back({op,
                     {std::string("qopt.") + mnemonic +
                      " %arg0 : (tensor<?x3xf32>) -> tensor<?x3xf32>"},
                     [op = op] { return one(14, op, "f32[N, 3]"); }});
  return cases;
}

static std::vector<GoodModel> makeBinaryCases() {
  struct Row {
    const char *op, *mnemonic, *type, *result;
  };
  static const Row rows[] = {
      {"Add", "add", "f32[2]", "f32"},
      {"Sub", "sub", "i32[2]", "i32"},
      {"Mul", "mul", "f32[2]", "f32"},
      {"Div", "div", "i64[2]", "i64"},
      {"Pow", "pow", "f32[2]", "f32"},
      {"Min", "min", "f32[2]", "f32"},
      {"Max", "max", "f32[2]", "f32"},
      {"Mod", "mod", "i64[2]", "i64"},
      {"And", "and", "i1[2]", "i1"},
      {"Or", "or", "i1[2]", "i1"},
      {"Xor", "xor", "i1[2]", "i1"},
      {"Equal", "equal", "i64[2]", "i1"},
      {"Less", "less", "f32[2]", "i1"},
      {"Sum", "add", "f32[2]", "f32"},
      {"LessOrEqual", "less_or_equal", "f32[2]", "i1"},
      {"Greater", "greater", "f32[2]", "i1"},
      {"GreaterOrEqual", "greater_or_equal", "f32[2]", "i1"},
      {"BitwiseAnd", "and", "i32[2]", "i32"},
      {"BitwiseOr", "or", "i32[2]", "i32"},
      {"BitwiseXor", "xor", "i32[2]", "i32"}};
  std::vector<GoodModel> cases;
  for (const Row &row : rows)
    cases.push_back({row.op,
                     {std::string("qopt.") + row.mnemonic + " %arg0, %arg1",
                      std::string("-> tensor<2x") + row.result + ">"},
                     [&row] { return binary(18, row.op, row.type); }});
  return cases;
}

static std::vector<GoodModel> makeActivationCases() {
  return {
      {"LeakyRelu",
       {"qopt.leaky_relu %arg0 {alpha = 0.00999999977 : f32}"},
       [] { return one(13, "LeakyRelu", "f32[2]"); }},
      {"Elu",
       {"qopt.elu %arg0 {alpha = 2.000000e+00 : f32}"},
       [] { return one(13, "Elu", "f32[2]", {attr("alpha", 2.0)}); }},
      {"HardSigmoid",
       {"qopt.hard_sigmoid %arg0 {alpha = 2.000000e-01 : f32, beta = "
        "5.000000e-01 : f32}"},
       [] { return one(13, "HardSigmoid", "f32[2]"); }},
      {"GeluErf",
       {"qopt.gelu %arg0"},
       [] { return one(20, "Gelu", "f32[2]"); }},
      {"GeluTanh",
       {"qopt.gelu %arg0 {form = \"tanh\"}"},
       [] { return one(20, "Gelu", "f32[2]", {attr("approximate", "tanh")}); }},
      {"Swish", {"qopt.silu %arg0"}, [] { return one(24, "Swish", "f32[2]"); }},
      {"SwishAlpha",
       {"qopt.mul %arg0", "qopt.sigmoid", "qopt.mul %arg0"},
       [] { return one(24, "Swish", "f32[2]", {attr("alpha", 1.5)}); }},
      {"SwishAlphaOfHalves",
       {"qopt.cast", "-> tensor<f16>", "qopt.mul %arg0", "-> tensor<2xf16>",
        "qopt.sigmoid", "qopt.mul %arg0"},
       [] { return one(24, "Swish", "f16[2]", {attr("alpha", 1.5)}); }},
      {"Not", {"qopt.not %arg0"}, [] { return one(13, "Not", "i1[2]"); }},
      {"Where",
       {"qopt.where %arg0, %arg1, %arg2", "-> tensor<2x3xf32>"},
       [] {
         return Model(13)
             .in("c", "i1[2, 1]")
             .in("a", "f32[3]")
             .in("b", "f32[]")
             .node("Where", {"c", "a", "b"}, {"y"})
             .out("y");
       }},
      {"PowOfInteger",
       {"qopt.cast", "(tensor<i64>) -> tensor<f32>", "qopt.pow %arg0"},
       [] { return list(13, "Pow", "f32[2]", "i64[]", {2}); }},
      {"MaxOfThree",
       {"%0 = qopt.max %arg0, %arg1", "qopt.max %0, %arg0"},
       [] {
         return Model(13)
             .in("x", "f32[2]")
             .in("z", "f32[2]")
             .node("Max", {"x", "z", "x"}, {"y"})
             .out("y");
       }},
      {"Cast",
       {"qopt.cast %arg0 : (tensor<2xf32>) -> tensor<2xui8>"},
       [] {
         return one(13, "Cast", "f32[2]",
                    {attr("to", int(onnx::TensorProto::UINT8))});
       }},
      {"CastLike",
       {"qopt.cast %arg0 : (tensor<2xf32>) -> tensor<2xi8>"},
       [] { return list(15, "CastLike", "f32[2]", "i8[1]", {0}); }},
      {"ClipByAttributes",
       {"qopt.clip %arg0 {high = 6.000000e+00 : f32, low = 0.000000e+00 : "
        "f32}"},
       [] {
         return one(6 + 1, "Clip", "f32[2]",
                    {attr("min", 0.0), attr("max", 6.0)});
       }},
      {"ClipByConstants",
       {"qopt.clip %arg0 {low = 1.000000e+00 : f32}"},
       [] { return list(11, "Clip", "f32[2]", "f32[]", {1}); }},
      {"ClipOfIntegers",
       {"qopt.max %arg0", "tensor<2xi64>"},
       [] { return list(12, "Clip", "i64[2]", "i64[]", {1}); }},
      {"ClipByValues",
       {"%0 = qopt.max %arg0, %arg1", "qopt.min %0, %arg1"},
       [] {
         return Model(13)
             .in("x", "f32[2]")
             .in("b", "f32[]")
             .node("Clip", {"x", "b", "b"}, {"y"})
             .out("y");
       }},
  };
}

static std::vector<GoodModel> makeContractionCases() {
  auto conv = [](const char *x, const char *w,
                 std::vector<onnx::AttributeProto> attributes) {
    return Model(13)
        .in("x", x)
        .in("w", w)
        .node("Conv", {"x", "w"}, {"y"}, attributes)
        .out("y");
  };
  return {
      {"Conv2D",
       {"qopt.conv %arg0, %arg1 {dilations = array<i64: 1, 1>, pads = "
        "array<i64: "
        "1, 1, 1, 1>, strides = array<i64: 2, 2>}",
        "-> tensor<?x8x4x?xf32>"},
       [conv] {
         return conv(
             "f32[N, 4, 8, W]", "f32[8, 4, 3, 3]",
             {attr("strides", Ints{2, 2}), attr("pads", Ints{1, 1, 1, 1})});
       }},
      {"Conv1DGrouped",
       {"qopt.conv", "group = 4 : i64", "-> tensor<1x4x6xf32>"},
       [conv] {
         return conv("f32[1, 4, 8]", "f32[4, 1, 3]", {attr("group", 4)});
       }},
      {"ConvSameUpper",
       {"pads = array<i64: 0, 0, 1, 1>", "-> tensor<1x8x4x4xf32>"},
       [conv] {
         return conv(
             "f32[1, 4, 8, 8]", "f32[8, 4, 3, 3]",
             {attr("strides", Ints{2, 2}), attr("auto_pad", "SAME_UPPER")});
       }},
      {"ConvSameLowerDynamic",
       {"pads = array<i64: 2, 2, 1, 1>", "-> tensor<1x8x?x?xf32>"},
       [conv] {
         return conv("f32[1, 4, H, W]", "f32[8, 4, 4, 4]",
                     {attr("auto_pad", "SAME_LOWER")});
       }},
      {"ConvBias",
       {"qopt.conv %arg0, %arg1 bias %0"},
       [] {
         return Model(13)
             .in("x", "f32[1, 1, 8]")
             .in("w", "f32[2, 1, 3]")
             .init("b", "f32[2]", {1, 2})
             .node("Conv", {"x", "w", "b"}, {"y"})
             .out("y");
       }},
      {"MatMul",
       {"qopt.matmul %arg0, %arg1 : (tensor<?x4x3xf32>, tensor<3x5xf32>) -> "
        "tensor<?x4x5xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 4, 3]")
             .in("w", "f32[3, 5]")
             .node("MatMul", {"x", "w"}, {"y"})
             .out("y");
       }},
      {"MatMulVectors",
       {"qopt.unsqueeze %arg0 {axes = array<i64: 0>}",
        "(tensor<1x?xf32>, tensor<?xf32>) -> tensor<1xf32>",
        "qopt.squeeze %1 {axes = array<i64: 0>} : (tensor<1xf32>) -> "
        "tensor<f32>"},
       [] {
         return Model(13)
             .in("x", "f32[N]")
             .in("w", "f32[N]")
             .node("MatMul", {"x", "w"}, {"y"})
             .out("y");
       }},
      {"Gemm",
       {"qopt.gemm %arg0, %0 {alpha = 1.000000e+00 : f32, beta = 1.000000e+00 "
        ": "
        "f32, trans_a = false, trans_b = true}",
        "-> tensor<?x2xf32>"},
       [] {
         return list(13, "Gemm", "f32[N, 3]", "f32[2, 3]", {1, 2, 3, 4, 5, 6},
                     {attr("transB", 1)});
       }},
  };
}

static std::vector<GoodModel> makeReductionCases() {
  return {
      {"BatchNormalization",
       {"qopt.batch_norm %arg0, %0, %0, %0, %0 {epsilon = 9.99999974E-6 : "
        "f32}"},
       [] {
         return Model(13)
             .in("x", "f32[N, 2, 4]")
             .init("s", "f32[2]", {1, 2})
             .node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"y"},
                   {attr("momentum", 0.5)})
             .out("y");
       }},
      {"LayerNormalization",
       {"qopt.layer_norm %arg0, %0 {axis = 1 : i64, epsilon = 9.99999974E-6 : "
        "f32}"},
       [] {
         return list(17, "LayerNormalization", "f32[N, 2]", "f32[2]", {1, 2});
       }},
      {"Softmax",
       {"qopt.softmax %arg0 {axis = 1 : i64}"},
       [] { return one(13, "Softmax", "f32[N, 3]"); }},
      {"SoftmaxOldLastAxis",
       {"qopt.softmax %arg0 {axis = 1 : i64} : (tensor<?x3xf32>)"},
       [] { return one(11, "Softmax", "f32[N, 3]"); }},
      {"SoftmaxOldFlattens",
       {"%0 = qopt.flatten %arg0 {axis = 1 : i64}",
        "%1 = qopt.softmax %0 {axis = 1 : i64} : (tensor<?x12xf32>)",
        "%2 = qopt.shape %arg0", "qopt.reshape %1, %2 {allow_zero = true}",
        "-> tensor<?x3x4xf32>"},
       [] { return one(11, "Softmax", "f32[N, 3, 4]"); }},
      {"ReduceMeanOld",
       {"qopt.reduce %arg0 {axes = array<i64: 1>, keepdims = true, kind = "
        "\"mean\"}",
        "-> tensor<?x1xf32>"},
       [] {
         return one(13, "ReduceMean", "f32[N, 3]", {attr("axes", Ints{-1})});
       }},
      {"ReduceSumNew",
       {"kind = \"sum\"", "-> tensor<?xf32>"},
       [] {
         return list(13, "ReduceSum", "f32[N, 3]", "i64[1]", {1},
                     {attr("keepdims", 0)});
       }},
      {"ReduceMaxAll",
       {"axes = array<i64: 0, 1>, keepdims = false, kind = \"max\"",
        "-> tensor<f32>"},
       [] { return one(18, "ReduceMax", "f32[N, 3]", {attr("keepdims", 0)}); }},
      {"ReduceMin",
       {"kind = \"min\""},
       [] { return one(13, "ReduceMin", "i64[3]"); }},
      {"ReduceProd",
       {"kind = \"prod\""},
       [] { return one(13, "ReduceProd", "f32[3]"); }},
      {"ReduceL2",
       {"kind = \"l2\""},
       [] { return one(13, "ReduceL2", "f32[3]"); }},
      {"ReduceNothing",
       {"return %arg0"},
       [] {
         return one(18, "ReduceMean", "f32[3]",
                    {attr("noop_with_empty_axes", 1)});
       }},
      {"GlobalAveragePool",
       {"qopt.global_average_pool %arg0", "-> tensor<?x3x1x1xf32>"},
       [] { return one(13, "GlobalAveragePool", "f32[N, 3, H, W]"); }},
      {"GlobalMaxPool",
       {"qopt.reduce %arg0 {axes = array<i64: 2, 3>, keepdims = true, kind = "
        "\"max\"}",
        "-> tensor<?x3x1x1xf32>"},
       [] { return one(13, "GlobalMaxPool", "f32[N, 3, H, W]"); }},
      {"Resize",
       {"qopt.concat", "qopt.reshape", "-> tensor<?x3x?x12xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3, H, 6]")
             .init("s", "f32[4]", {1, 1, 2, 2})
             .node("Resize", {"x", "", "s"}, {"y"})
             .out("y");
       }},
      {"ConvTranspose",
       {"qopt.conv", "-> tensor<?x32x5x6xf32>", "-> tensor<?x8x10x12xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3, 5, 6]")
             .in("w", "f32[3, 8, 2, 2]")
             .node("ConvTranspose", {"x", "w"}, {"y"},
                   {attr("strides", Ints{2, 2})})
             .out("y");
       }},
      {"ConvTransposeOpenBias",
       {"-> tensor<?x8x10x12xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3, 5, 6]")
             .in("w", "f32[3, 8, 2, 2]")
             .in("b", "f32[C]")
             .node("ConvTranspose", {"x", "w", "b"}, {"y"},
                   {attr("strides", Ints{2, 2})})
             .out("y");
       }},
      {"AveragePool",
       {"qopt.average_pool %arg0 {ceil_mode = true, count_include_pad = false, "
        "kernel = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, strides = "
        "array<i64: 2, 2>}",
        "-> tensor<?x3x3x3xf32>"},
       [] {
         return one(13, "AveragePool", "f32[N, 3, 5, 5]",
                    {attr("kernel_shape", Ints{2, 2}),
                     attr("strides", Ints{2, 2}), attr("ceil_mode", 1)});
       }},
      {"MaxPool",
       {"qopt.max_pool %arg0", "-> tensor<?x3x4xf32>"},
       [] {
         return one(13, "MaxPool", "f32[N, 3, 5]",
                    {attr("kernel_shape", Ints{2})});
       }},
  };
}

static std::vector<GoodModel> makeMovementCases() {
  return {
      {"Transpose",
       {"qopt.transpose %arg0 {perm = array<i64: 1, 0>}", "-> tensor<3x?xf32>"},
       [] { return one(13, "Transpose", "f32[N, 3]"); }},
      {"Reshape",
       {"qopt.reshape %arg0, %0", "-> tensor<?x2x2xf32>"},
       [] { return list(13, "Reshape", "f32[N, 4]", "i64[3]", {0, 2, 2}); }},
      {"ReshapeOfComputedShape",
       {"qopt.shape", "qopt.gather", "qopt.concat", "qopt.reshape",
        "-> tensor<?x6xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 2, 3]")
             .init("zero", "i64[1]", {0})
             .init("six", "i64[1]", {6})
             .node("Shape", {"x"}, {"s"})
             .node("Gather", {"s", "zero"}, {"n"})
             .node("Concat", {"n", "six"}, {"t"}, {attr("axis", 0)})
             .node("Reshape", {"x", "t"}, {"y"})
             .out("y");
       }},
      {"Flatten",
       {"qopt.flatten %arg0 {axis = 1 : i64}", "-> tensor<?x6xf32>"},
       [] { return one(13, "Flatten", "f32[N, 2, 3]"); }},
      {"SqueezeOld",
       {"qopt.squeeze %arg0 {axes = array<i64: 1>}", "-> tensor<?x3xf32>"},
       [] {
         return one(11, "Squeeze", "f32[N, 1, 3]", {attr("axes", Ints{-2})});
       }},
      {"SqueezeAll",
       {"qopt.squeeze %arg0 {axes = array<i64: 0, 2>}", "-> tensor<2xf32>"},
       [] { return one(13, "Squeeze", "f32[1, 2, 1]"); }},
      {"UnsqueezeNew",
       {"qopt.unsqueeze %arg0 {axes = array<i64: 0, 2>}",
        "-> tensor<1x?x1xf32>"},
       [] { return list(13, "Unsqueeze", "f32[N]", "i64[2]", {-1, 0}); }},
      {"Expand",
       {"qopt.expand %arg0, %0", "-> tensor<2x3xf32>"},
       [] { return list(13, "Expand", "f32[3]", "i64[2]", {2, 1}); }},
      {"ShapePart",
       {"qopt.shape %arg0 {end = 2 : i64, start = 1 : i64}",
        "-> tensor<1xi64>"},
       [] {
         return one(15, "Shape", "f32[N, 2, 3]",
                    {attr("start", 1), attr("end", -1)});
       }},
      {"SliceOld",
       {"qopt.slice %arg0, %0, %1 {axes = array<i64: 1>}",
        "-> tensor<?x2xf32>"},
       [] {
         return one(9, "Slice", "f32[N, 3]",
                    {attr("starts", Ints{1}), attr("ends", Ints{9}),
                     attr("axes", Ints{1})});
       }},
      {"SliceNew",
       {"qopt.slice %arg0, %0, %1, %0 {axes = array<i64: 1>}",
        "-> tensor<?x4xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 5]")
             .init("one", "i64[1]", {1})
             .init("end", "i64[1]", {5})
             .node("Slice", {"x", "one", "end", "one", "one"}, {"y"})
             .out("y");
       }},
      {"Concat",
       {"qopt.concat %arg0, %arg0 {axis = 1 : i64}", "-> tensor<?x6xf32>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3]")
             .node("Concat", {"x", "x"}, {"y"}, {attr("axis", -1)})
             .out("y");
       }},
      {"SplitEqual",
       {"qopt.split %arg0 {axis = 1 : i64, sizes = array<i64: 2, 2>}"},
       [] {
         return Model(13)
             .in("x", "f32[N, 4]")
             .node("Split", {"x"}, {"y", "z"}, {attr("axis", 1)})
             .out("y")
             .out("z");
       }},
      {"SplitUneven",
       {"sizes = array<i64: 2, 2, 1>"},
       [] {
         return Model(18)
             .in("x", "f32[5]")
             .node("Split", {"x"}, {"y", "z", "w"}, {attr("num_outputs", 3)})
             .out("y");
       }},
      {"Gather",
       {"qopt.gather %arg0, %0 {axis = 1 : i64}", "-> tensor<?x2xf32>"},
       [] {
         return list(13, "Gather", "f32[N, 5]", "i64[2]", {0, -1},
                     {attr("axis", 1)});
       }},
      {"PadOld",
       {"qopt.pad %arg0, %0 {pads = array<i64: 0, 1, 0, 2>}",
        "-> tensor<?x6xf32>"},
       [] {
         return one(9, "Pad", "f32[N, 3]",
                    {attr("pads", Ints{0, 1, 0, 2}), attr("value", 1.5)});
       }},
      {"PadAxes",
       {"qopt.pad %arg0 {pads = array<i64: 0, 1, 0, 2>}"},
       [] {
         return Model(18)
             .in("x", "f32[N, 3]")
             .init("pads", "i64[2]", {1, 2})
             .init("axes", "i64[1]", {-1})
             .node("Pad", {"x", "pads", "", "axes"}, {"y"})
             .out("y");
       }},
      {"ConstantOfShape",
       {"qopt.constant_of_shape %0 {value = dense<0.000000e+00> : "
        "tensor<1xf32>}",
        "-> tensor<2x3xf32>"},
       [] {
         return Model(13)
             .init("s", "i64[2]", {2, 3})
             .node("ConstantOfShape", {"s"}, {"y"})
             .out("y");
       }},
      {"Range",
       {"qopt.range", "-> tensor<4xi64>"},
       [] {
         return Model(13)
             .init("a", "i64[]", {1})
             .init("b", "i64[]", {8})
             .init("c", "i64[]", {2})
             .node("Range", {"a", "b", "c"}, {"y"})
             .out("y");
       }},
      {"Identity",
       {"return %arg0"},
       [] { return one(13, "Identity", "f32[2]"); }},
      {"Dropout",
       {"return %arg0"},
       [] { return one(13, "Dropout", "f32[2]"); }},
  };
}

static std::vector<GoodModel> makeConstantCases() {
  auto constant = [](std::vector<onnx::AttributeProto> attributes) {
    return Model(13).node("Constant", {}, {"y"}, attributes).out("y");
  };
  return {
      {"ConstantValue",
       {"qopt.constant(dense<[1, 2]> : tensor<2xi64>)"},
       [=] { return constant({attr("value", tensor("", "i64[2]", {1, 2}))}); }},
      {"ConstantInt",
       {"qopt.constant(dense<7> : tensor<i64>)"},
       [=] { return constant({attr("value_int", 7)}); }},
      {"ConstantInts",
       {"qopt.constant(dense<[7, 8]> : tensor<2xi64>)"},
       [=] { return constant({attr("value_ints", Ints{7, 8})}); }},
      {"ConstantFloat",
       {"qopt.constant(dense<1.500000e+00> : tensor<f32>)"},
       [=] { return constant({attr("value_float", 1.5)}); }},
      {"ConstantEmpty",
       {"tensor<0xf32>"},
       [=] { return constant({attr("value", tensor("", "f32[0]", {}))}); }},
      {"ConstantBooleans",
       {"qopt.constant(dense<[true, false, true]> : tensor<3xi1>)"},
       [=] {
         return constant({attr("value", tensor("", "i1[3]", {1, 0, 5}))});
       }},
      {"ConstantLarge",
       {"qopt.constant(#qopt.weight<", "model.onnx@",
        "+2048:", " : tensor<512xf32>"},
       [=] {
         return constant({attr(
             "value", tensor("", "f32[512]", std::vector<double>(512, 1)))});
       }},
      {"ConstantOfCodes",
       {"qopt.constant(#qopt.weight<", "+3:", ") : tensor<5xi4>"},
       [=] {
         return constant(
             {attr("value", tensor("", "i4[5]", {1, 2, 3, 4, 15}))});
       }},
      {"TypedArrays",
       {"(#qopt.weight<\"hex:2143\">) : tensor<4xi4>",
        "(dense<[-1, 2]> : tensor<2xi8>)"},
       [] {
         Model model = Model(21)
                           .init("a", "i4[4]", {})
                           .init("b", "i8[2]", {})
                           .out("a")
                           .out("b");
         onnx::TensorProto &a = *model.graph().mutable_initializer(0);
         a.clear_raw_data();
         a.add_int32_data(0x21);
         a.add_int32_data(0x43);
         onnx::TensorProto &b = *model.graph().mutable_initializer(1);
         b.clear_raw_data();
         b.add_int32_data(-1);
         b.add_int32_data(2);
         return model;
       }},
  };
}

static std::vector<GoodModel> makeQuantizationCases() {
  auto dequantize = [](int64_t opset, const char *x, const char *scale,
                       std::vector<double> values,
                       std::vector<onnx::AttributeProto> attributes = {}) {
    return list(opset, "DequantizeLinear", x, scale, values, attributes);
  };
  return {
      {"QuantizePerTensor",
       {"qopt.quantize %arg0 scales(", "zeros(", "divide",
        "format = #qopt.format<ui8>",
        "(tensor<?x3xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> "
        "tensor<?x3xui8>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3]")
             .init("s", "f32[]", {1})
             .init("z", "ui8[]", {128})
             .node("QuantizeLinear", {"x", "s", "z"}, {"y"})
             .out("y");
       }},
      {"QuantizeZeroOfZeros",
       {"format = #qopt.format<i8>",
        "(tensor<?x3xf32>, tensor<1x1xf32>) -> tensor<?x3xi8>"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3]")
             .init("s", "f32[1]", {1})
             .init("z", "i8[1]", {0})
             .node("QuantizeLinear", {"x", "s", "z"}, {"y"})
             .out("y");
       }},
      {"QuantizeOutputType",
       {"format = #qopt.format<i4>", "-> tensor<?x3xi4>"},
       [] {
         return list(21, "QuantizeLinear", "f32[N, 3]", "f32[]", {1},
                     {attr("output_dtype", int(onnx::TensorProto::INT4))});
       }},
      {"QuantizeDynamicScale",
       {"qopt.reshape %arg1", "-> tensor<1x1xf32>", "qopt.quantize %arg0"},
       [] {
         return Model(13)
             .in("x", "f32[N, 3]")
             .in("s", "f32[]")
             .node("QuantizeLinear", {"x", "s"}, {"y"})
             .out("y");
       }},
      {"DequantizePerAxis",
       {"format = #qopt.format<i8, axis = 0>",
        "(tensor<2x3xi8>, tensor<2x1xf32>) -> tensor<2x3xf32>"},
       [=] {
         return dequantize(13, "i8[2, 3]", "f32[2]", {1, 2}, {attr("axis", 0)});
       }},
      {"DequantizeBlocked",
       {"format = #qopt.format<ui4, axis = 1, block = 2>",
        "(tensor<2x3xui4>, tensor<2x2xf32>) -> tensor<2x3xf32>"},
       [=] {
         return dequantize(21, "ui4[2, 3]", "f32[2, 2]", {1, 2, 3, 4},
                           {attr("block_size", 2)});
       }},
      {"DequantizeComputedRows",
       {"format = #qopt.format<i8>", "(tensor<?x3xi8>, tensor<?x1xf32>)"},
       [] {
         return Model(21)
             .in("x", "i8[N, 3]")
             .in("s", "f32[N, 1]")
             .node("DequantizeLinear", {"x", "s"}, {"y"},
                   {attr("block_size", 3)})
             .out("y");
       }},
      {"DequantizeWeightsByComputedRows",
       {"format = #qopt.format<i8, axis = 1, block = 3>"},
       [] {
         return Model(21)
             .init("x", "i8[2, 3]", {1, 2, 3, 4, 5, 6})
             .in("s", "f32[2, 1]")
             .node("DequantizeLinear", {"x", "s"}, {"y"},
                   {attr("block_size", 3)})
             .out("y");
       }},
      {"DequantizeConstantRows",
       {"format = #qopt.format<i8, axis = 1, block = 3>"},
       [=] {
         return dequantize(21, "i8[2, 3]", "f32[2, 1]", {1, 2},
                           {attr("block_size", 3)});
       }},
      {"DequantizeSharedExponents",
       {"+2:", ") : tensor<2x1xf8E8M0FNU>",
        "format = #qopt.format<mxfp4, axis = 1>", "-> tensor<2x32xf32>"},
       [=] {
         return dequantize(
             24, "f4[2, 32]", "e8m0[2, 1]", {127, 128},
             {attr("block_size", 32),
              attr("output_dtype", int(onnx::TensorProto::FLOAT))});
       }},
      {"DequantizeFloat8",
       {"format = #qopt.format<f8E4M3FN>", "-> tensor<2x3xf32>"},
       [=] { return dequantize(19, "f8[2, 3]", "f32[]", {1}); }},
      {"DequantizeFloat4InFloatBlocks",
       {"format = #qopt.format<f4E2M1FN, axis = 1, block = 16>"},
       [=] {
         return dequantize(23, "f4[2, 32]", "f32[2, 2]", {1, 2, 3, 4},
                           {attr("block_size", 16)});
       }},
      {"QuantizeInt16",
       {"format = #qopt.format<i16>", "-> tensor<2xi16>"},
       [] {
         return list(21, "QuantizeLinear", "f32[2]", "f32[]", {1},
                     {attr("output_dtype", int(onnx::TensorProto::INT16))});
       }},
      {"DequantizeAccumulators",
       {"qopt.dequantize %arg0 scales(%0) : (tensor<2x3xi32>, "
        "tensor<1x1xf32>)"},
       [=] { return dequantize(13, "i32[2, 3]", "f32[]", {1}); }},
      {"DequantizeHalf",
       {"-> tensor<2x3xf16>"},
       [=] { return dequantize(19, "i8[2, 3]", "f16[]", {0x3c00}); }},
  };
}

/// Holds the parts against the text, one after the other.
static void expectParts(const std::string &text,
                        const std::vector<std::string> &parts) {
  size_t position = 0;
  for (const std::string &part : parts) {
    size_t found = text.find(part, position);
    ASSERT_NE(found, std::string::npos) << "no \"" << part << "\" in\n" << text;
    position = found + part.size();
  }
}

TEST_P(Operators, BecomeIR) {
  Imported imported = GetParam().make().import();
  ASSERT_TRUE(imported.isOk) << imported.error.message;
  expectParts(imported.text, GetParam().lines);
}

static std::string getName(const testing::TestParamInfo<GoodModel> &info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Unary, Operators, testing::ValuesIn(makeUnaryCases()),
                         getName);
INSTANTIATE_TEST_SUITE_P(Binary, Operators,
                         testing::ValuesIn(makeBinaryCases()), getName);
INSTANTIATE_TEST_SUITE_P(Activation, Operators,
                         testing::ValuesIn(makeActivationCases()), getName);
INSTANTIATE_TEST_SUITE_P(Contraction, Operators,
                         testing::ValuesIn(makeContractionCases()), getName);
INSTANTIATE_TEST_SUITE_P(Reduction, Operators,
                         testing::ValuesIn(makeReductionCases()), getName);
INSTANTIATE_TEST_SUITE_P(Movement, Operators,
                         testing::ValuesIn(makeMovementCases()), getName);
INSTANTIATE_TEST_SUITE_P(Constant, Operators,
                         testing::ValuesIn(makeConstantCases()), getName);
INSTANTIATE_TEST_SUITE_P(Quantization, Operators,
                         testing::ValuesIn(makeQuantizationCases()), getName);

TEST(ImportedModule, NamesDimsAndNodes) {
  Imported imported =
      Model(13)
          .in("x", "f32[batch, 3, ?, unk__1]")
          .node("Constant", {}, {"c"}, {attr("value_float", 1.0)}, "c0")
          .node("Relu", {"x"}, {"t"}, {}, "")
          .node("Add", {"t", "c"}, {"y"}, {}, "last \"one\"")
          .out("y", "f32[batch, 3, h.1, w]")
          .import();
  ASSERT_TRUE(imported.isOk) << imported.error.message;
  expectParts(imported.text,
              {"qopt.nodes = [#qopt.node_info<0, \"Relu#1\", \"Relu\", \"\">, "
               "#qopt.node_info<1, \"last \\22one\\22\", \"Add\", \"\">]",
               "func.func @main(%arg0: tensor<?x3x?x?xf32> {qopt.dims = "
               "[\"batch\", \"\", \"\", \"\"], qopt.name = \"x\"}",
               "-> (tensor<?x3x?x?xf32> {qopt.dims = [\"batch\", \"\", \"\", "
               "\"w\"], qopt.name = \"y\"})",
               "#qopt.node<0>"});
}

TEST(ImportedModule, DefaultsOfInputsAreConstants) {
  Imported imported = Model(7)
                          .in("x", "f32[2]")
                          .in("w", "f32[2]")
                          .init("w", "f32[2]", {1, 2})
                          .node("Add", {"x", "w"}, {"y"})
                          .out("y")
                          .import();
  ASSERT_TRUE(imported.isOk) << imported.error.message;
  expectParts(imported.text,
              {"(%arg0: tensor<2xf32>", "qopt.constant(dense<[1.0",
               "qopt.add %arg0, %0"});
}

TEST(ImportedModule, TiedWeightIsOneConstant) {
  Imported imported = Model(13)
                          .in("x", "f32[2]")
                          .init("w", "f32[2]", {1, 2})
                          .node("Add", {"x", "w"}, {"t"})
                          .node("Mul", {"t", "w"}, {"y"})
                          .out("y")
                          .import();
  ASSERT_TRUE(imported.isOk) << imported.error.message;
  EXPECT_EQ(imported.text.find("qopt.constant"),
            imported.text.rfind("qopt.constant"));
}

TEST(ImportedOperators, AreSortedAndNamedOnce) {
  std::vector<ImportedOperator> operators = importedOperators();
  ASSERT_GT(operators.size(), 80u);
  for (size_t i = 1; i < operators.size(); ++i)
    EXPECT_LT(operators[i - 1].name.str(), operators[i].name.str());
  for (const ImportedOperator &each : operators) {
    EXPECT_GE(each.sinceOpset, kMinOpset);
    EXPECT_LE(each.sinceOpset, kMaxOpset);
  }
}
