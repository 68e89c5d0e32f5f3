//===- QuantizationOperatorsTest.cpp - Codes and what they stand for ------===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

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

INSTANTIATE_TEST_SUITE_P(Quantization, Operators,
                         testing::ValuesIn(makeQuantizationCases()), getName);
