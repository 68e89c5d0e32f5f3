//===- MalformedOperatorsTest.cpp - Nodes that must be refused ------------===//

#include "test/Import/ONNX/MalformedCases.h"

using namespace qopt;
using namespace qopt::test;

static Model conv(const char *weights,
                  std::vector<onnx::AttributeProto> attributes) {
  return Model(13)
      .in("x", "f32[1, 4, N, 8]")
      .in("w", weights)
      .node("Conv", {"x", "w"}, {"y"}, attributes)
      .out("y");
}

static const BadModel badOperators[] = {
    // Operators.
    {"MatMulDims", bad,
     "(MatMul, opset 13): expects equal reduction dims, but found 3 and 2",
     [] { return one(13, "MatMul", {"x", "x"}); }},
    {"MatMulBatch", bad,
     "(MatMul, opset 13): expects batch dims that broadcast, but found 2 and 3",
     [] {
       return Model(13)
           .in("a", "f32[2, 4, 4]")
           .in("b", "f32[3, 4, 4]")
           .node("MatMul", {"a", "b"}, {"y"})
           .out("y");
     }},
    {"ReverseSequenceAxes", bad,
     "(ReverseSequence, opset 13): expects batch_axis and time_axis of 0 and "
     "1, but found 0 and 2",
     [] {
       Model model(13);
       model.in("x", "f32[2, 3, 4]");
       model.init("lengths", "i64[2]", {1, 2});
       return model
           .node("ReverseSequence", {"x", "lengths"}, {"y"},
                 {attr("batch_axis", 0), attr("time_axis", 2)})
           .out("y");
     }},
    {"BitCastWidth", bad,
     "(BitCast, opset 26): expects a type of 32 bits, but found 64",
     [] { return one(26, "BitCast", {"x"}, {attr("to", 7)}); }},
    {"BitCastType", bad,
     "(BitCast, opset 26): expects a data type of numbers in \"to\", but found "
     "8",
     [] { return one(26, "BitCast", {"x"}, {attr("to", 8)}); }},
    {"SuppressionRank", bad,
     "(NonMaxSuppression, opset 11): expects boxes and scores of three axes, "
     "but found tensor<2x3xf32>",
     [] { return one(11, "NonMaxSuppression", {"x", "x"}); }},
    {"SuppressionBoxes", bad,
     "(NonMaxSuppression, opset 11): attribute \"center_point_box\" expects 0 "
     "or 1, but found 2",
     [] {
       return one(11, "NonMaxSuppression", {"x", "x"},
                  {attr("center_point_box", 2)});
     }},
    {"UniqueParts", unsupported,
     "(Unique, opset 11): expects parts along the axis of 1 to 64 elements, "
     "but "
     "found tensor<4x65xf32>",
     [] {
       return Model(11)
           .in("x", "f32[4, 65]")
           .node("Unique", {"x"}, {"y"}, {attr("axis", 0)})
           .out("y");
     }},
    {"UniqueAxis", bad,
     "(Unique, opset 11): expects an axis from -1 to 0, but found 5",
     [] {
       return Model(11)
           .in("x", "f32[4]")
           .node("Unique", {"x"}, {"y"}, {attr("axis", 5)})
           .out("y");
     }},
    {"GemmRank", bad,
     "(Gemm, opset 13): expects matrices, but found ranks 2 and 1",
     [] { return oneWithList(13, "Gemm", "f32[3]", {1, 2, 3}); }},
    {"ConvRanks", bad,
     "(Conv, opset 13): expects an input and weights of one rank, but found "
     "ranks 4 and 3",
     [] { return conv("f32[8, 4, 3]", {}); }},
    {"ConvChannels", bad,
     "(Conv, opset 13): expects 3 input channels, but found 4",
     [] { return conv("f32[8, 3, 3, 3]", {}); }},
    {"ConvKernelShape", bad,
     "(Conv, opset 13): attribute \"kernel_shape\" expects [3, 3], as the "
     "weights, but found [5, 5]",
     [] {
       return conv("f32[8, 4, 3, 3]",
                   {attr("kernel_shape", std::vector<int64_t>{5, 5})});
     }},
    {"ConvStrides", bad,
     "(Conv, opset 13): attribute \"strides\" expects 2 numbers from 1 to "
     "2^30, "
     "but found [0, 1]",
     [] {
       return conv("f32[8, 4, 3, 3]",
                   {attr("strides", std::vector<int64_t>{0, 1})});
     }},
    {"ConvPads", bad,
     "(Conv, opset 13): attribute \"pads\" expects 4 numbers from 0 to 2^30, "
     "but "
     "found [1, 1]",
     [] {
       return conv("f32[8, 4, 3, 3]",
                   {attr("pads", std::vector<int64_t>{1, 1})});
     }},
    {"ConvGroup", bad,
     "(Conv, opset 13): attribute \"group\" expects a number from 1 to 2^30, "
     "but "
     "found 0",
     [] { return conv("f32[8, 4, 3, 3]", {attr("group", 0)}); }},
    {"ConvAutoPad", unsupported,
     "(Conv, opset 13): SAME padding with a stride of 2 needs an input of "
     "known "
     "size",
     [] {
       return conv("f32[8, 4, 3, 3]",
                   {attr("auto_pad", "SAME_UPPER"),
                    attr("strides", std::vector<int64_t>{2, 2})});
     }},
    {"ConvFourAxes", unsupported,
     "(Conv, opset 13): windows over 4 spatial axes are not supported, only "
     "over "
     "1 to 3",
     [] {
       return Model(13)
           .in("x", "f32[1, 4, 8, 8, 8, 8]")
           .in("w", "f32[8, 4, 3, 3, 3, 3]")
           .node("Conv", {"x", "w"}, {"y"})
           .out("y");
     }},
    {"PoolPads", bad,
     "(MaxPool, opset 13): expects pads smaller than the window of 2, but "
     "found "
     "2",
     [] {
       return Model(13)
           .in("x", "f32[1, 4, 8]")
           .node("MaxPool", {"x"}, {"y"},
                 {attr("kernel_shape", std::vector<int64_t>{2}),
                  attr("pads", std::vector<int64_t>{2, 0})})
           .out("y");
     }},
    {"PoolWithoutKernel", bad,
     "(MaxPool, opset 13): attribute \"kernel_shape\" expects 1 numbers from 1 "
     "to "
     "2^30, but found []",
     [] {
       return Model(13)
           .in("x", "f32[1, 4, 8]")
           .node("MaxPool", {"x"}, {"y"})
           .out("y");
     }},
    {"BatchNormChannels", bad,
     "expects scale, bias, mean and variance with one element for each of 3 "
     "channels",
     [] {
       return one(13, "BatchNormalization", {"x", "s", "s", "s", "s"})
           .init("s", "f32[2]", {1, 2});
     }},
    {"Permutation", bad,
     "(Transpose, opset 13): attribute \"perm\" expects a permutation of 2 "
     "axes",
     [] {
       return one(13, "Transpose", {"x"},
                  {attr("perm", std::vector<int64_t>{0, 0})});
     }},
    {"ReshapeElements", bad,
     "(Reshape, opset 13): expects a shape for 6 elements, but found one for 8",
     [] { return oneWithList(13, "Reshape", "i64[2]", {2, 4}); }},
    {"ReshapeRest", bad,
     "(Reshape, opset 13): expects a shape for 6 elements, but found one for "
     "multiples of 4",
     [] { return oneWithList(13, "Reshape", "i64[2]", {-1, 4}); }},
    {"ReshapeTwoRests", bad,
     "(Reshape, opset 13): expects one -1 at most in the shape, and none "
     "beside a "
     "0 that is a size",
     [] { return oneWithList(13, "Reshape", "i64[2]", {-1, -1}); }},
    {"ReshapeOverflow", bad,
     "(Reshape, opset 13): shape has more elements than memory can hold",
     [] {
       return oneWithList(13, "Reshape", "i64[3]",
                          {4294967296., 4294967296., 4294967296.});
     }},
    {"ReshapeCopiesNothing", bad,
     "(Reshape, opset 13): shape copies dim 2 of an input of rank 2",
     [] { return oneWithList(13, "Reshape", "i64[3]", {2, 3, 0}); }},
    {"ReshapeUnknownRank", unsupported,
     "(Reshape, opset 13): expects a shape (input 1) of known size, but found "
     "tensor<?xi64>",
     [] { return one(13, "Reshape", {"x", "s"}).in("s", "i64[N]"); }},
    {"ReshapeManyAxes", unsupported,
     "(Reshape, opset 13): a result of 40 axes is not supported, only up to 16",
     [] {
       return oneWithList(13, "Reshape", "i64[40]", std::vector<double>(40, 1));
     }},
    {"ExpandOverflow", bad,
     "(Expand, opset 13): tensor has more elements than memory can hold",
     [] {
       return oneWithList(13, "Expand", "i64[4]",
                          {4294967296., 4294967296., 2, 3});
     }},
    {"SliceLists", bad,
     "(Slice, opset 13): expects as many starts and ends as axes, but found 1, "
     "2 "
     "and 1",
     [] {
       return one(13, "Slice", {"x", "s", "e"})
           .init("s", "i64[1]", {0})
           .init("e", "i64[2]", {1, 1});
     }},
    {"SliceStep", bad,
     "(Slice, opset 13): expects steps that are not 0 and below 2^62, but "
     "found 0",
     [] {
       return one(13, "Slice", {"x", "s", "s", "", "s"})
           .init("s", "i64[1]", {0});
     }},
    {"ConcatDims", bad,
     "(Concat, opset 13): expects equal dims on axis 1, but found 3 and 4",
     [] {
       return Model(13)
           .in("a", "f32[2, 3]")
           .in("b", "f32[2, 4]")
           .node("Concat", {"a", "b"}, {"y"}, {attr("axis", 0)})
           .out("y");
     }},
    {"SplitSum", bad,
     "(Split, opset 13): expects a size for each of 1 outputs, with a sum of 3",
     [] { return oneWithList(13, "Split", "i64[1]", {2}, {attr("axis", 1)}); }},
    {"SplitOverflow", bad,
     "(Split, opset 13): expects a size for each of 1 outputs, with a sum of 3",
     [] {
       return oneWithList(13, "Split", "i64[2]",
                          {9223372036854774784., 9223372036854774784.},
                          {attr("axis", 1)});
     }},
    {"SqueezeDim", bad,
     "(Squeeze, opset 13): expects a dim of 1 on axis 1, but found 3",
     [] { return oneWithList(13, "Squeeze", "i64[1]", {1}); }},
    {"UnsqueezeWithoutAxes", bad,
     "(Unsqueeze, opset 11): expects axes, but found none",
     [] { return one(11, "Unsqueeze", {"x"}); }},
    {"UnsqueezeManyAxes", unsupported,
     "(Unsqueeze, opset 11): a result of 102 axes is not supported, only up to "
     "16",
     [] {
       return one(11, "Unsqueeze", {"x"},
                  {attr("axes", std::vector<int64_t>(100, 0))});
     }},
    {"GatherIndices", bad,
     "(Gather, opset 13): expects indices of int64 or int32, but found "
     "tensor<1xf32>",
     [] { return oneWithList(13, "Gather", "f32[1]", {0}); }},
    {"PadMode", bad,
     "(Pad, opset 13): attribute \"mode\" has no value \"wave\"",
     [] {
       return oneWithList(13, "Pad", "i64[4]", {0, 0, 0, 0},
                          {attr("mode", "wave")});
     }},
    {"PadCount", bad, "(Pad, opset 13): expects 4 pads, but found 2",
     [] { return oneWithList(13, "Pad", "i64[2]", {0, 0}); }},
    {"CastTarget", bad,
     "(Cast, opset 13): expects a data type in \"to\", but found 77",
     [] { return one(13, "Cast", {"x"}, {attr("to", 77)}); }},
    {"ConstantWithoutValue", bad,
     "(Constant, opset 13): expects a value, but found none",
     [] { return one(13, "Constant", {}); }},
    {"ConstantOfShapeValue", bad,
     "(ConstantOfShape, opset 13): expects one element as value, but found 2",
     [] {
       return Model(13)
           .init("s", "i64[1]", {2})
           .node("ConstantOfShape", {"s"}, {"y"},
                 {attr("value", tensor("", "f32[2]", {1, 2}))})
           .out("y");
     }},
    {"RangeStep", bad, "(Range, opset 13): expects a delta that is not 0",
     [] {
       return Model(13)
           .init("s", "i64[]", {0})
           .node("Range", {"s", "s", "s"}, {"y"})
           .out("y");
     }},

    // Quantization.
    {"FloatZeroPoint", unsupported,
     "(DequantizeLinear, opset 21): expects a zero point of 0 for blocks of "
     "float codes, but found another or one that is computed",
     [] {
       return Model(21)
           .in("x", "f8[2, 2]")
           .init("s", "f32[2, 1]", {1, 1})
           .init("z", "f8[2, 1]", {1, 1})
           .node("DequantizeLinear", {"x", "s", "z"}, {"y"},
                 {attr("block_size", 2)})
           .out("y");
     }},
    {"ScaleCount", bad,
     "(QuantizeLinear, opset 13): expects 3 scales for axis 1, but found 2",
     [] { return oneWithList(13, "QuantizeLinear", "f32[2]", {1, 1}); }},
    {"ScaleBlocks", bad,
     "(QuantizeLinear, opset 21): expects 2 scales on axis 1, but found 1",
     [] {
       return oneWithList(21, "QuantizeLinear", "f32[2, 1]", {1, 1},
                          {attr("block_size", 2)});
     }},
    {"ScaleRank", bad,
     "(QuantizeLinear, opset 21): expects a scale of rank 0 or 1 without a "
     "block_size, but found rank 2",
     [] { return oneWithList(21, "QuantizeLinear", "f32[2, 1]", {1, 1}); }},
    {"ZeroPointType", bad,
     "(DequantizeLinear, opset 13): expects a zero point of the type of the "
     "codes",
     [] {
       return Model(13)
           .in("x", "i8[2]")
           .init("s", "f32[]", {1})
           .init("z", "ui8[]", {1})
           .node("DequantizeLinear", {"x", "s", "z"}, {"y"})
           .out("y");
     }},
    {"OutputType", bad,
     "(QuantizeLinear, opset 21): expects output_dtype to be the type of the "
     "zero "
     "point",
     [] {
       return one(21, "QuantizeLinear", {"x", "s", "z"},
                  {attr("output_dtype", int(onnx::TensorProto::UINT8))})
           .init("s", "f32[]", {1})
           .init("z", "i8[]", {0});
     }},
    {"SharedExponentWithoutType", bad,
     "(DequantizeLinear, opset 24): expects output_dtype beside a scale of "
     "float8e8m0",
     [] {
       return Model(24)
           .in("x", "f4[2, 32]")
           .init("s", "e8m0[2, 1]", {127, 127})
           .node("DequantizeLinear", {"x", "s"}, {"y"},
                 {attr("block_size", 32)})
           .out("y");
     }},
};

INSTANTIATE_TEST_SUITE_P(Operators, MalformedModels,
                         testing::ValuesIn(badOperators), getCaseName);
