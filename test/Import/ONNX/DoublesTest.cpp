//===- DoublesTest.cpp - Operators that take no elements of f64 -----------===//
//
// Their ops have no formula for them: a model is refused while it is read, not
// when it is built or run.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

/// A model of one node from `x` and lists of four f64 to `y`.
static Model withLists(const char *op, size_t numLists, const char *type,
                       std::vector<onnx::AttributeProto> attributes = {}) {
  Model model(22);
  model.in("x", type);
  std::vector<std::string> inputs{"x"};
  for (size_t i = 0; i < numLists; ++i) {
    inputs.push_back("list" + std::to_string(i));
    model.init(inputs.back(), "f64[4]", {1, 2, 3, 4});
  }
  return model.node(op, inputs, {"y"}, attributes).out("y");
}

/// One with a window of two.
static Model window(const char *op,
                    std::vector<onnx::AttributeProto> attributes = {}) {
  attributes.push_back(attr("kernel_shape", Ints{2}));
  return withLists(op, 0, "f64[1, 4, 8]", attributes);
}

static const GoodModel doubles[] = {
    {"AveragePool", {}, [] { return window("AveragePool"); }},
    {"BatchNormalization",
     {},
     [] { return withLists("BatchNormalization", 4, "f64[1, 4, 8]"); }},
    {"Cos", {}, [] { return one(22, "Cos", "f64[4]"); }},
    {"Elu", {}, [] { return one(22, "Elu", "f64[4]"); }},
    {"Erf", {}, [] { return one(22, "Erf", "f64[4]"); }},
    {"Gelu", {}, [] { return one(22, "Gelu", "f64[4]"); }},
    {"GlobalAveragePool",
     {},
     [] { return one(22, "GlobalAveragePool", "f64[1, 4, 8]"); }},
    {"HardSigmoid", {}, [] { return one(22, "HardSigmoid", "f64[4]"); }},
    {"HardSwish", {}, [] { return one(22, "HardSwish", "f64[4]"); }},
    {"InstanceNormalization",
     {},
     [] { return withLists("InstanceNormalization", 2, "f64[1, 4, 8]"); }},
    {"LRN",
     {},
     [] { return one(22, "LRN", "f64[1, 4, 8]", {attr("size", 3)}); }},
    {"LpPool", {}, [] { return window("LpPool"); }},
    {"MaxPool", {}, [] { return window("MaxPool"); }},
    {"Selu", {}, [] { return one(22, "Selu", "f64[4]"); }},
    {"Sin", {}, [] { return one(22, "Sin", "f64[4]"); }},
    {"Tan", {}, [] { return one(22, "Tan", "f64[4]"); }},
};

namespace {
class Doubles : public testing::TestWithParam<GoodModel> {};
} // namespace

TEST_P(Doubles, AreRefused) {
  Imported imported = GetParam().make().import();
  ASSERT_FALSE(imported.isOk) << imported.text;
  EXPECT_EQ(imported.error.code, ExitCode::Unsupported);
  std::string expected = std::string("node \"n\" (") + GetParam().name +
                         ", opset 22): elements of f64 are not supported";
  EXPECT_NE(imported.error.message.find(expected), std::string::npos)
      << imported.error.message;
}

INSTANTIATE_TEST_SUITE_P(Operators, Doubles, testing::ValuesIn(doubles),
                         getName);

/// What has a formula in pieces is taken.
TEST(DoublesInPieces, AreTaken) {
  for (const Model &model :
       {withLists("LayerNormalization", 2, "f64[1, 4]"),
        window("AveragePool", {attr("dilations", Ints{2})}),
        one(22, "GlobalMaxPool", "f64[1, 4, 8]")}) {
    Imported imported = model.import();
    ASSERT_TRUE(imported.isOk) << imported.error.message;
    EXPECT_EQ(imported.text.find("qopt.layer_norm"), std::string::npos);
    EXPECT_EQ(imported.text.find("_pool"), std::string::npos);
  }
}
