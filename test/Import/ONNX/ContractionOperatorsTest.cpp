//===- ContractionOperatorsTest.cpp - Products, windows and reductions ----===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

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
        "#qopt.kind<mean>}",
        "-> tensor<?x1xf32>"},
       [] {
         return one(13, "ReduceMean", "f32[N, 3]", {attr("axes", Ints{-1})});
       }},
      {"ReduceSumNew",
       {"kind = #qopt.kind<sum>", "-> tensor<?xf32>"},
       [] {
         return list(13, "ReduceSum", "f32[N, 3]", "i64[1]", {1},
                     {attr("keepdims", 0)});
       }},
      {"ReduceMaxAll",
       {"axes = array<i64: 0, 1>, keepdims = false, kind = #qopt.kind<max>",
        "-> tensor<f32>"},
       [] { return one(18, "ReduceMax", "f32[N, 3]", {attr("keepdims", 0)}); }},
      {"ReduceMin",
       {"kind = #qopt.kind<min>"},
       [] { return one(13, "ReduceMin", "i64[3]"); }},
      {"ReduceProd",
       {"kind = #qopt.kind<prod>"},
       [] { return one(13, "ReduceProd", "f32[3]"); }},
      {"ReduceL2",
       {"kind = #qopt.kind<l2>"},
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
        "#qopt.kind<max>}",
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

INSTANTIATE_TEST_SUITE_P(Contraction, Operators,
                         testing::ValuesIn(makeContractionCases()), getName);
INSTANTIATE_TEST_SUITE_P(Reduction, Operators,
                         testing::ValuesIn(makeReductionCases()), getName);
