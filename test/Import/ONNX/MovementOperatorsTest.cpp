//===- MovementOperatorsTest.cpp - Movement, shapes and constants ---------===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

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

INSTANTIATE_TEST_SUITE_P(Movement, Operators,
                         testing::ValuesIn(makeMovementCases()), getName);
INSTANTIATE_TEST_SUITE_P(Constant, Operators,
                         testing::ValuesIn(makeConstantCases()), getName);
