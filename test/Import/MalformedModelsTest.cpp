//===- MalformedModelsTest.cpp - Models that must be refused --------------===//
//
// Each case is one fault; the exit code and the text of the message are what is
// promised. No case may crash or take long.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ModelBuilder.h"
#include "llvm/ADT/StringRef.h"
#include "gtest/gtest.h"
#include <functional>

using namespace qopt;
using namespace qopt::test;

namespace {
struct BadModel {
  const char *name;
  ExitCode code;
  /// What the message ends with, after the path.
  const char *message;
  std::function<Model()> make;
};

class MalformedModels : public testing::TestWithParam<BadModel> {};
} // namespace

static constexpr ExitCode bad = ExitCode::BadData;
static constexpr ExitCode unsupported = ExitCode::Unsupported;

/// A model of one node from `x` of [2, 3] to `y`.
static Model one(int64_t opset, const char *op, std::vector<std::string> inputs,
                 std::vector<onnx::AttributeProto> attributes = {}) {
  return Model(opset)
      .in("x", "f32[2, 3]")
      .node(op, inputs, {"y"}, attributes)
      .out("y");
}

static Model oneWithList(int64_t opset, const char *op, const char *type,
                         std::vector<double> values,
                         std::vector<onnx::AttributeProto> attributes = {}) {
  Model model = one(opset, op, {"x", "list"}, attributes);
  model.init("list", type, values);
  return model;
}

static Model conv(const char *weights,
                  std::vector<onnx::AttributeProto> attributes) {
  return Model(13)
      .in("x", "f32[1, 4, N, 8]")
      .in("w", weights)
      .node("Conv", {"x", "w"}, {"y"}, attributes)
      .out("y");
}

/// A model whose initializer `w`, [4] of f32, was changed.
static Model badInitializer(std::function<void(onnx::TensorProto &)> change) {
  Model model = Model(13)
                    .in("x", "f32[2, 4]")
                    .init("w", "f32[4]", {1, 2, 3, 4})
                    .node("Add", {"x", "w"}, {"y"})
                    .out("y");
  change(model.lastInitializer());
  return model;
}

static const BadModel badModels[] = {
    // The model.
    {"OldOpset", unsupported, "expects an opset from 7 to 28, but found 6",
     [] { return one(6, "Relu", {"x"}); }},
    {"NewOpset", unsupported, "expects an opset from 7 to 28, but found 29",
     [] { return one(29, "Relu", {"x"}); }},
    {"NoOpset", bad, "expects an opset of the default domain, but found none",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.proto.clear_opset_import();
       return model;
     }},
    {"TwoOpsets", bad,
     "expects one opset of the default domain, but found 13 and 14",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.proto.add_opset_import()->set_version(14);
       return model;
     }},
    {"NoGraph", bad, "expects a graph, but the model has none",
     [] {
       Model model(13);
       model.proto.clear_graph();
       return model;
     }},
    {"NoOutput", bad, "expects an output, but the graph has none",
     [] { return Model(13).in("x", "f32[2]"); }},
    {"SparseInitializer", unsupported, "sparse initializers are not supported",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.graph().add_sparse_initializer()->add_dims(1);
       return model;
     }},

    // Names.
    {"UnknownName", bad,
     "node \"n\" (Relu, opset 13): uses \"z\", which no input, initializer or "
     "node makes",
     [] { return one(13, "Relu", {"z"}); }},
    {"Cycle", bad,
     "node \"n\" (Add, opset 13): uses \"y\", which a later node or itself "
     "makes",
     [] { return one(13, "Add", {"x", "y"}); }},
    {"Unsorted", bad,
     "node \"first\" (Relu, opset 13): uses \"t\", which a later node or "
     "itself "
     "makes",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Relu", {"t"}, {"y"}, {}, "first")
           .node("Abs", {"x"}, {"t"}, {}, "second")
           .out("y");
     }},
    {"OutputTwice", bad,
     "node \"n\" (Abs, opset 13): output \"y\" has the name of another value",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Relu", {"x"}, {"y"})
           .node("Abs", {"x"}, {"y"})
           .out("y");
     }},
    {"OutputNamedAsInput", bad,
     "node \"n\" (Relu, opset 13): output \"x\" has the name of another value",
     [] {
       return Model(13).in("x", "f32[2]").node("Relu", {"x"}, {"x"}).out("x");
     }},
    {"InputTwice", bad,
     "input \"x\": expects a name of its own, but another input has it",
     [] { return Model(13).in("x", "f32[2]").in("x", "f32[2]").out("x"); }},
    {"InitializerTwice", bad,
     "initializer \"w\": expects a name of its own, but another initializer "
     "has "
     "it",
     [] {
       return one(13, "Relu", {"x"})
           .init("w", "f32[1]", {1})
           .init("w", "f32[1]", {1});
     }},
    {"GraphOutputTwice", bad, "output \"y\": is an output twice",
     [] { return one(13, "Relu", {"x"}).out("y"); }},
    {"GraphOutputUnknown", bad,
     "output \"z\": uses \"z\", which no input, initializer or node makes",
     [] { return one(13, "Relu", {"x"}).out("z"); }},
    {"ControlCharacters", bad,
     "node \"a\\0A\\22b\" (Relu, opset 13): uses \"\\1B[31m\", which no input, "
     "initializer or node makes",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Relu", {"\x1b[31m"}, {"y"}, {}, "a\n\"b")
           .out("y");
     }},
    {"NamelessNode", bad,
     "node \"Relu#1\" (Relu, opset 13): uses \"z\", which no input, "
     "initializer "
     "or node makes",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Abs", {"x"}, {"t"}, {}, "")
           .node("Relu", {"z"}, {"y"}, {}, "")
           .out("y");
     }},

    // Nodes.
    {"UnknownOperator", unsupported,
     "node \"n\" (Frobnicate, opset 13): the operator is not supported",
     [] { return one(13, "Frobnicate", {"x"}); }},
    {"LaterOperator", bad,
     "node \"n\" (Gelu, opset 13): the operator came with opset 20, but the "
     "model has opset 13",
     [] { return one(13, "Gelu", {"x"}); }},
    {"OtherDomain", unsupported,
     "node \"n\" (Relu, opset 13): operators of domain \"com.example\" are not "
     "supported",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.graph().mutable_node(0)->set_domain("com.example");
       return model;
     }},
    {"MissingInput", bad, "(Add, opset 13): expects 2 inputs, but found 1",
     [] { return one(13, "Add", {"x"}); }},
    {"TooManyInputs", bad,
     "(Clip, opset 13): expects 1 inputs or more, at most 3, but found 4",
     [] { return one(13, "Clip", {"x", "", "", "x"}); }},
    {"EmptyInput", bad, "(Add, opset 13): expects input 1, but it is left out",
     [] { return one(13, "Add", {"x", ""}); }},
    {"AttributeType", bad,
     "(Softmax, opset 13): attribute \"axis\" expects type INT, but found "
     "FLOAT",
     [] { return one(13, "Softmax", {"x"}, {attr("axis", 1.0)}); }},
    {"AttributeTwice", bad,
     "(Softmax, opset 13): attribute \"axis\" comes twice",
     [] {
       return one(13, "Softmax", {"x"}, {attr("axis", 1), attr("axis", 1)});
     }},
    {"ResizeMode", unsupported,
     "mode \"linear\" is not supported, only nearest",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "f32[4]", {1, 1, 2, 2})
           .node("Resize", {"x", "", "s"}, {"y"}, {attr("mode", "linear")})
           .out("y");
     }},
    {"ResizeScale", unsupported,
     "only whole scales from 1 to 64 are supported, but found 1.500000",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "f32[4]", {1, 1, 1.5, 2})
           .node("Resize", {"x", "", "s"}, {"y"})
           .out("y");
     }},
    {"ResizeRounding", unsupported,
     "coordinates \"asymmetric\" with rounding \"ceil\" are not supported",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "f32[4]", {1, 1, 2, 2})
           .node("Resize", {"x", "", "s"}, {"y"},
                 {attr("coordinate_transformation_mode", "asymmetric"),
                  attr("nearest_mode", "ceil")})
           .out("y");
     }},
    {"ResizeSizes", unsupported, "only scales are supported, for all axes",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "i64[4]", {1, 3, 8, 8})
           .node("Resize", {"x", "", "", "s"}, {"y"})
           .out("y");
     }},
    {"ConvTransposeOverlap", unsupported,
     "only windows beside each other are supported: strides like the kernel, "
     "one "
     "group, no pads and no dilations",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .in("w", "f32[3, 8, 3, 3]")
           .node("ConvTranspose", {"x", "w"}, {"y"},
                 {attr("strides", std::vector<int64_t>{2, 2})})
           .out("y");
     }},
    {"ConvTransposeChannels", bad, "expects 4 input channels, but found 3",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .in("w", "f32[4, 8, 2, 2]")
           .node("ConvTranspose", {"x", "w"}, {"y"},
                 {attr("strides", std::vector<int64_t>{2, 2})})
           .out("y");
     }},
    {"UnknownAttribute", unsupported,
     "(Relu, opset 13): attribute \"slope\" is not supported in this opset",
     [] { return one(13, "Relu", {"x"}, {attr("slope", 1)}); }},
    {"RoundModeOfCastLike", unsupported,
     "expects round_mode \"up\", but found \"nearest\"",
     [] {
       return Model(25)
           .in("x", "f32[2]")
           .in("like", "e8m0[1]")
           .node("CastLike", {"x", "like"}, {"y"},
                 {attr("round_mode", "nearest")})
           .out("y");
     }},
    {"SecondOutput", unsupported,
     "(Dropout, opset 13): output 1, \"mask\", is not supported",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Dropout", {"x"}, {"y", "mask"})
           .out("y")
           .out("mask");
     }},

    // Types and shapes.
    {"InputWithoutShape", unsupported,
     "input \"x\": expects a shape, but the model states none",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.graph()
           .mutable_input(0)
           ->mutable_type()
           ->mutable_tensor_type()
           ->clear_shape();
       return model;
     }},
    {"InputWithoutType", bad,
     "input \"x\": expects a data type, but found number 0",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.graph().mutable_input(0)->clear_type();
       return model;
     }},
    {"InputSequence", unsupported,
     "input \"x\": only tensors are supported, not sequences, maps, optional "
     "or "
     "sparse values",
     [] {
       Model model = one(13, "Relu", {"x"});
       model.graph().mutable_input(0)->mutable_type()->mutable_sequence_type();
       return model;
     }},
    {"InputOfStrings", unsupported,
     "input \"x\": tensors of type STRING are not supported",
     [] { return Model(13).in("x", "string[2]").out("x"); }},
    {"InputTooLarge", bad,
     "input \"x\": tensor has more elements than memory can hold",
     [] {
       return Model(13)
           .in("x", "f32[4294967296, 4294967296]")
           .node("Relu", {"x"}, {"y"})
           .out("y");
     }},
    {"InputOfManyAxes", unsupported,
     "input \"x\": tensor has 100000 axes, but at most 16 are supported",
     [] {
       Model model = one(13, "Relu", {"x"});
       auto *shape = model.graph()
                         .mutable_input(0)
                         ->mutable_type()
                         ->mutable_tensor_type()
                         ->mutable_shape();
       shape->clear_dim();
       for (int i = 0; i < 100000; ++i)
         shape->add_dim()->set_dim_value(1);
       return model;
     }},
    {"DeclaredType", bad,
     "(Relu, opset 13): output \"y\" is declared as INT64, but the operator "
     "makes another type",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Relu", {"x"}, {"y"})
           .out("y", "i64[2]");
     }},
    {"MixedTypes", bad,
     "(Add, opset 13): expects inputs of one element type, but found f32 and "
     "i64",
     [] { return oneWithList(13, "Add", "i64[3]", {1, 2, 3}); }},
    {"WrongType", bad,
     "(Not, opset 13): expects a tensor of booleans, but found tensor<2x3xf32>",
     [] { return one(13, "Not", {"x"}); }},
    {"NoBroadcast", bad,
     "(Add, opset 13): expects shapes that broadcast, but found "
     "tensor<2x3xf32> "
     "and tensor<4xf32>",
     [] { return oneWithList(13, "Add", "f32[4]", {1, 2, 3, 4}); }},
    {"AxisTooLarge", bad,
     "(Softmax, opset 13): expects an axis from -2 to 1, but found 2",
     [] { return one(13, "Softmax", {"x"}, {attr("axis", 2)}); }},
    {"AxisTooSmall", bad,
     "(Flatten, opset 13): expects an axis from -2 to 2, but found "
     "-9223372036854775808",
     [] {
       return one(13, "Flatten", {"x"},
                  {attr("axis", std::numeric_limits<int64_t>::min())});
     }},
    {"AxisTwice", bad,
     "(ReduceSum, opset 11): expects each axis once, but found "
     "1 twice",
     [] {
       return one(11, "ReduceSum", {"x"},
                  {attr("axes", std::vector<int64_t>{1, -1})});
     }},

    // Tensors.
    {"RawLength", bad,
     "initializer \"w\": tensor expects 16 bytes of raw data, but found 15",
     [] {
       return badInitializer(
           [](auto &tensor) { tensor.mutable_raw_data()->pop_back(); });
     }},
    {"NoData", bad,
     "initializer \"w\": tensor expects 16 bytes of data, but found 0 in the "
     "field of its type",
     [] {
       return badInitializer([](auto &tensor) { tensor.clear_raw_data(); });
     }},
    {"OtherField", bad,
     "initializer \"w\": tensor expects 16 bytes of data, but found 0 in the "
     "field of its type",
     [] {
       return badInitializer([](auto &tensor) {
         tensor.clear_raw_data();
         for (int i = 0; i < 4; ++i)
           tensor.add_int64_data(i);
       });
     }},
    {"TwoFields", bad, "initializer \"w\": tensor has more than one data field",
     [] {
       return badInitializer([](auto &tensor) { tensor.add_float_data(1); });
     }},
    {"UnknownDataType", bad,
     "initializer \"w\": tensor has the unknown data type 99",
     [] {
       return badInitializer([](auto &tensor) { tensor.set_data_type(99); });
     }},
    {"ComplexNumbers", unsupported,
     "initializer \"w\": tensors of type COMPLEX64 are not supported",
     [] {
       return badInitializer([](auto &tensor) {
         tensor.set_data_type(onnx::TensorProto::COMPLEX64);
       });
     }},
    {"NegativeDim", bad,
     "initializer \"w\": tensor expects dims of 0 or more, but found -4",
     [] {
       return badInitializer([](auto &tensor) { tensor.set_dims(0, -4); });
     }},
    {"DimsOverflow", bad,
     "initializer \"w\": tensor has more elements than memory can hold",
     [] {
       return badInitializer([](auto &tensor) {
         tensor.set_dims(0, int64_t(1) << 62);
         tensor.add_dims(8);
       });
     }},
    {"Segment", unsupported,
     "initializer \"w\": tensors in segments are not supported",
     [] {
       return badInitializer(
           [](auto &tensor) { tensor.mutable_segment()->set_begin(0); });
     }},

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
    {"ConvThreeAxes", unsupported,
     "(Conv, opset 13): windows over 3 spatial axes are not supported, only "
     "over "
     "1 and 2",
     [] {
       return Model(13)
           .in("x", "f32[1, 4, 8, 8, 8]")
           .in("w", "f32[8, 4, 3, 3, 3]")
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
    {"SliceDynamicAxes", unsupported,
     "(Slice, opset 13): expects a constant axes (input 3), but it is computed",
     [] {
       return one(13, "Slice", {"x", "s", "s", "a"})
           .in("a", "i64[1]")
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
    {"PadMode", unsupported,
     "(Pad, opset 13): expects mode \"constant\", but found \"reflect\"",
     [] {
       return oneWithList(13, "Pad", "i64[4]", {0, 0, 0, 0},
                          {attr("mode", "reflect")});
     }},
    {"PadCount", bad, "(Pad, opset 13): expects 4 pads, but found 2",
     [] { return oneWithList(13, "Pad", "i64[2]", {0, 0}); }},
    {"NegativePad", unsupported,
     "(Pad, opset 13): expects pads of 0 or more, but found -1",
     [] { return oneWithList(13, "Pad", "i64[4]", {0, -1, 0, 0}); }},
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

    {"ReduceBooleans", unsupported,
     "(ReduceMax, opset 20): reductions of booleans are not supported",
     [] {
       return Model(20)
           .in("x", "i1[2]")
           .node("ReduceMax", {"x"}, {"y"})
           .out("y");
     }},

    // Quantization.
    {"FloatZeroPoint", unsupported,
     "(DequantizeLinear, opset 19): expects a zero point of 0 for float codes, "
     "but "
     "found another or one that is computed",
     [] {
       return Model(19)
           .in("x", "f8[2]")
           .init("s", "f32[]", {1})
           .init("z", "f8[]", {1})
           .node("DequantizeLinear", {"x", "s", "z"}, {"y"})
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

TEST_P(MalformedModels, AreRefused) {
  const BadModel &model = GetParam();
  Imported imported = model.make().import();
  ASSERT_FALSE(imported.isOk) << imported.text;
  EXPECT_EQ(imported.error.code, model.code) << imported.error.message;
  llvm::StringRef message = imported.error.message;
  EXPECT_TRUE(message.contains("/model.onnx: ")) << imported.error.message;
  EXPECT_TRUE(message.ends_with(model.message))
      << "expected: " << model.message
      << "\nfound:    " << imported.error.message;
}

INSTANTIATE_TEST_SUITE_P(Import, MalformedModels, testing::ValuesIn(badModels),
                         [](const auto &info) { return info.param.name; });

// Who has to change a model is told of every node in the way.
TEST(RefusedNodes, AreNamedTogether) {
  Imported imported =
      Model(17)
          .in("x", "f32[2, 3, 4, 4]")
          .init("slope", "f32[1]", {0.5})
          .node("PRelu", {"x", "slope"}, {"a"}, {}, "p")
          .node("Relu", {"a"}, {"b"}, {}, "r")
          .node("Pad", {"x", "pads"}, {"c"}, {attr("mode", "reflect")}, "pad")
          .init("pads", "i64[8]", {0, 0, 1, 1, 0, 0, 1, 1})
          .node("PRelu", {"b", "slope"}, {"y"}, {}, "q")
          .out("y")
          .import();
  ASSERT_FALSE(imported.isOk);
  EXPECT_EQ(imported.error.code, unsupported);
  EXPECT_TRUE(
      llvm::StringRef(imported.error.message)
          .ends_with("model.onnx: 3 nodes are not supported\n"
                     "  node \"p\" (PRelu, opset 17): the operator is not "
                     "supported\n"
                     "  node \"pad\" (Pad, opset 17): expects mode "
                     "\"constant\", but found \"reflect\"\n"
                     "  node \"q\" (PRelu, opset 17): the operator is not "
                     "supported"))
      << imported.error.message;
  // What to do is said once.
  EXPECT_EQ(llvm::StringRef(imported.error.note).count("--list-operators"), 1u)
      << imported.error.note;
}

// Where the model states what a refused node makes, those behind it are looked
// at as well.
TEST(RefusedNodes, DoNotHideThoseBehindThem) {
  Model model =
      Model(17)
          .in("x", "f32[2, 3, 4, 4]")
          .init("slope", "f32[1]", {0.5})
          .node("PRelu", {"x", "slope"}, {"a"}, {}, "p")
          .init("pads", "i64[8]", {0, 0, 1, 1, 0, 0, 1, 1})
          .node("Pad", {"a", "pads"}, {"y"}, {attr("mode", "reflect")}, "pad")
          .out("y");
  EXPECT_TRUE(llvm::StringRef(model.import().error.message)
                  .ends_with("node \"p\" (PRelu, opset 17): the operator is "
                             "not supported"));
  *model.graph().add_value_info() = model.graph().input(0);
  model.graph().mutable_value_info(0)->set_name("a");
  EXPECT_TRUE(llvm::StringRef(model.import().error.message)
                  .contains("2 nodes are not supported"));
}

// A fault of the model itself is told alone.
TEST(RefusedNodes, StandBehindFaults) {
  Imported imported = Model(17)
                          .in("x", "f32[2, 3]")
                          .node("Relu", {"z"}, {"a"}, {}, "r")
                          .node("Frobnicate", {"x"}, {"y"}, {}, "f")
                          .out("y")
                          .import();
  EXPECT_EQ(imported.error.code, bad);
  EXPECT_FALSE(llvm::StringRef(imported.error.message).contains("Frobnicate"));
  EXPECT_TRUE(llvm::StringRef(imported.error.note).contains("onnx.checker"));
}
