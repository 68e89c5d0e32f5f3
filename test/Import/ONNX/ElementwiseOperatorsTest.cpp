//===- ElementwiseOperatorsTest.cpp - Functions of single elements --------===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

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
       {"qopt.gelu %arg0 {form = #qopt.form<tanh>}"},
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

INSTANTIATE_TEST_SUITE_P(Unary, Operators, testing::ValuesIn(makeUnaryCases()),
                         getName);
INSTANTIATE_TEST_SUITE_P(Binary, Operators,
                         testing::ValuesIn(makeBinaryCases()), getName);
INSTANTIATE_TEST_SUITE_P(Activation, Operators,
                         testing::ValuesIn(makeActivationCases()), getName);
