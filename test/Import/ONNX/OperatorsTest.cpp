//===- OperatorsTest.cpp - The IR that each operator becomes --------------===//
//
// The cases stand in files by subject; here is how each is judged.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ONNX/OperatorCases.h"

using namespace qopt;
using namespace qopt::test;

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
              {"qopt.nodes = [#qopt.node_info<0, \"Relu#1\", \"Relu\">, "
               "#qopt.node_info<1, \"last \\22one\\22\", \"Add\">]",
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
