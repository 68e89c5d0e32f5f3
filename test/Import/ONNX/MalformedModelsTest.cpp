//===- MalformedModelsTest.cpp - Models that must be refused --------------===//
//
// How a case is judged, and those of whole models; those of operators stand
// apart.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ONNX/MalformedCases.h"
#include "llvm/ADT/StringRef.h"

using namespace qopt;
using namespace qopt::test;

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
    {"OldOpset", unsupported, "expects an opset from 1 to 28, but found 0",
     [] { return one(0, "Relu", {"x"}); }},
    {"NewOpset", unsupported, "expects an opset from 1 to 28, but found 29",
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
    {"ResizeMode", bad, "attribute \"mode\" has no value \"wave\"",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "f32[4]", {1, 1, 2, 2})
           .node("Resize", {"x", "", "s"}, {"y"}, {attr("mode", "wave")})
           .out("y");
     }},
    {"ResizeRounding", bad, "attribute \"nearest_mode\" has no value \"up\"",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .init("s", "f32[4]", {1, 1, 2, 2})
           .node("Resize", {"x", "", "s"}, {"y"},
                 {attr("coordinate_transformation_mode", "asymmetric"),
                  attr("nearest_mode", "up")})
           .out("y");
     }},
    {"ConvTransposeGroups", bad,
     "expects groups that divide 3 channels, but found 2",
     [] {
       return Model(13)
           .in("x", "f32[1, 3, 4, 4]")
           .in("w", "f32[3, 8, 3, 3]")
           .node("ConvTranspose", {"x", "w"}, {"y"}, {attr("group", 2)})
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
     "(Relu, opset 13): output 1, \"mask\", is not supported",
     [] {
       return Model(13)
           .in("x", "f32[2]")
           .node("Relu", {"x"}, {"y", "mask"})
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
                         getCaseName);

// Who has to change a model is told of every node in the way.
TEST(RefusedNodes, AreNamedTogether) {
  Imported imported = Model(17)
                          .in("x", "f32[2, 3, 4, 4]")
                          .node("ImageDecoder", {"x"}, {"a"}, {}, "p")
                          .node("Relu", {"a"}, {"b"}, {}, "r")
                          .node("Cast", {"x"}, {"c"}, {attr("to", 8)}, "cast")
                          .node("ImageDecoder", {"b"}, {"y"}, {}, "q")
                          .out("y")
                          .import();
  ASSERT_FALSE(imported.isOk);
  EXPECT_EQ(imported.error.code, unsupported);
  EXPECT_TRUE(
      llvm::StringRef(imported.error.message)
          .ends_with(
              "model.onnx: 3 nodes are not supported\n"
              "  node \"p\" (ImageDecoder, opset 17): the operator is not "
              "supported\n"
              "  node \"cast\" (Cast, opset 17): casts to STRING are "
              "not supported\n"
              "  node \"q\" (ImageDecoder, opset 17): the operator is not "
              "supported"))
      << imported.error.message;
  // What to do is said once.
  EXPECT_EQ(llvm::StringRef(imported.error.note).count("--list-operators"), 1u)
      << imported.error.note;
}

// Where the model states what a refused node makes, those behind it are looked
// at as well.
TEST(RefusedNodes, DoNotHideThoseBehindThem) {
  Model model = Model(17)
                    .in("x", "f32[2, 3, 4, 4]")
                    .node("ImageDecoder", {"x"}, {"a"}, {}, "p")
                    .node("Cast", {"a"}, {"y"}, {attr("to", 8)}, "cast")
                    .out("y");
  EXPECT_TRUE(
      llvm::StringRef(model.import().error.message)
          .ends_with("node \"p\" (ImageDecoder, opset 17): the operator is "
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
