//===- InputShapesTest.cpp - Dims that a user gives to inputs -------------===//
//
// A model with given shapes is the model that states them; what does not fit
// is the user's fault and names the entry.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ONNX/ModelBuilder.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

using Dims = std::vector<std::optional<int64_t>>;

static std::vector<InputShape> parse(const std::string &text) {
  return llvm::cantFail(parseShapes(text));
}

static std::string problemOf(const std::string &text) {
  auto shapes = parseShapes(text);
  if (shapes)
    return "no problem";
  ExitCode code;
  std::string message = takeMessage(shapes.takeError(), code);
  EXPECT_EQ(code, ExitCode::BadUse);
  return message;
}

//===----------------------------------------------------------------------===//
// The grammar
//===----------------------------------------------------------------------===//

TEST(InputShapes, AreReadAsTrtexecDoes) {
  auto shapes = parse("x:1x3x224x224,mask:?x128,scalar:,a:b:0:7");
  ASSERT_EQ(shapes.size(), 4u);
  EXPECT_EQ(shapes[0].input, "x");
  EXPECT_EQ(shapes[0].dims, (Dims{1, 3, 224, 224}));
  EXPECT_EQ(shapes[1].text, "mask:?x128");
  EXPECT_EQ(shapes[1].dims, (Dims{std::nullopt, 128}));
  EXPECT_EQ(shapes[2].input, "scalar");
  EXPECT_TRUE(shapes[2].dims.empty());
  EXPECT_EQ(shapes[3].input, "a:b:0");
  EXPECT_EQ(shapes[3].dims, (Dims{7}));
  EXPECT_EQ(parse("x:2147483647")[0].dims, (Dims{2147483647}));
}

TEST(InputShapes, ProblemsNameTheEntry) {
  const std::string form = "': expects NAME:DIMS as in x:1x3x224x224";
  EXPECT_EQ(problemOf(""), "--shapes '" + form);
  EXPECT_EQ(problemOf("x"), "--shapes 'x" + form);
  EXPECT_EQ(problemOf(":1x2"), "--shapes ':1x2" + form);
  EXPECT_EQ(problemOf("y:1,x=2x3"), "--shapes 'x=2x3" + form);
  EXPECT_EQ(problemOf("y:1,"), "--shapes '" + form);
  for (std::string dim : {"a", "", "1.5", "+1", "?1", " 2", "-"})
    EXPECT_EQ(problemOf("y:1,x:1x" + dim),
              "--shapes 'x:1x" + dim + "': expects a size or ?, but found '" +
                  dim + "'");
  for (std::string dim : {"0", "-1", "2147483648", "99999999999999999999999"})
    EXPECT_EQ(problemOf("x:1x" + dim),
              "--shapes 'x:1x" + dim +
                  "': expects sizes from 1 to 2147483647, but found " + dim +
                  "\nnote: write ? for a dim that stays open");
  EXPECT_EQ(problemOf("x:1x2,x:1x2"),
            "--shapes 'x:1x2': names an input that 'x:1x2' names before");
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// Two inputs that share `n`; `x` also has a dim without a name.
static Model makeModel() {
  return Model(13)
      .in("x", "f32[n, ?, 4]")
      .in("mask", "f32[n, 1, m]")
      .node("Mul", {"x", "mask"}, {"y"}, {}, "/mul")
      .out("y", "f32[n, k, 4]");
}

static void expectPart(const Imported &imported, const std::string &part) {
  ASSERT_TRUE(imported.isOk) << imported.error.message;
  EXPECT_NE(imported.text.find(part), std::string::npos) << imported.text;
}

TEST(InputShapes, ReachEveryDimOfTheirName) {
  expectPart(makeModel().import(parse("x:2x3x?,mask:?x1x4")),
             "@main(%arg0: tensor<2x3x4xf32> {qopt.dims = [\"\", \"\", \"\"], "
             "qopt.name = \"x\"} ");
  expectPart(makeModel().import(parse("mask:2x?x4")),
             "%arg1: tensor<2x1x4xf32> {qopt.dims = [\"\", \"\", \"\"], "
             "qopt.name = \"mask\"} ");
  expectPart(
      makeModel().import(parse("mask:2x?x?")),
      "@main(%arg0: tensor<2x?x4xf32> {qopt.dims = [\"\", \"\", \"\"], ");
  expectPart(makeModel().import(parse("mask:2x?x?")),
             "%arg1: tensor<2x1x?xf32> {qopt.dims = [\"\", \"\", \"m\"], ");
}

TEST(InputShapes, ReachResults) {
  expectPart(makeModel().import(parse("x:2x3x?")),
             "-> (tensor<2x3x4xf32> {qopt.dims = [\"\", \"\", \"\"], ");
}

TEST(InputShapes, AreThoseOfAModelThatStatesThem) {
  Model stated = Model(13)
                     .in("x", "f32[2, 3, 4]")
                     .in("mask", "f32[2, 1, 4]")
                     .node("Mul", {"x", "mask"}, {"y"}, {}, "/mul")
                     .out("y", "f32[n, k, 4]");
  EXPECT_EQ(makeModel().import(parse("x:2x3x4,mask:2x1x4")).text,
            stated.import().text);
}

TEST(InputShapes, OpenDimsStayOpen) {
  EXPECT_EQ(makeModel().import(parse("x:?x?x?,mask:?x?x?")).text,
            makeModel().import().text);
}

TEST(InputShapes, ScalarsHaveNoDims) {
  Model model =
      Model(13).in("s", "f32[]").node("Relu", {"s"}, {"y"}).out("y", "f32[]");
  expectPart(model.import(parse("s:")), "%arg0: tensor<f32>");
}

struct Misfit {
  const char *shapes;
  const char *message;
  const char *note;
};

TEST(InputShapes, MisfitsNameInputFoundAndExpected) {
  const Misfit misfits[] = {
      {"masks:2x1x4",
       "there is no input \"masks\" for --shapes 'masks:2x1x4'; did you mean "
       "\"mask\"?",
       ""},
      {"x:2x3",
       "input \"x\": expects rank 3, but --shapes 'x:2x3' gives 2 dims",
       "write ? for a dim that stays open"},
      {"x:2x3x5",
       "input \"x\": expects size 4 in dim 2, but --shapes 'x:2x3x5' gives 5",
       "the model itself fixes this dim; give 4 or ?"},
      {"x:2x3x4,mask:5x1x4",
       "input \"mask\": expects size 2 in dim 0, as 'x:2x3x4' gives to \"n\", "
       "but --shapes 'mask:5x1x4' gives 5",
       "dims of one name are equal; give the size once and ? elsewhere"},
      {"x:2147483647x2147483647x4",
       "input \"x\": --shapes gives it more elements than memory can hold", ""},
      {"x:2x3x4,mask:2x1x3",
       "node \"/mul\" (Mul, opset 13): expects shapes that broadcast, but "
       "found tensor<2x3x4xf32> and tensor<2x1x3xf32>",
       "without --shapes the model is imported; give other dims"},
  };
  for (const Misfit &misfit : misfits) {
    Imported imported = makeModel().import(parse(misfit.shapes));
    EXPECT_FALSE(imported.isOk) << misfit.shapes;
    EXPECT_EQ(imported.error.code, ExitCode::BadUse) << misfit.shapes;
    EXPECT_TRUE(llvm::StringRef(imported.error.message)
                    .ends_with("model.onnx: " + std::string(misfit.message)))
        << imported.error.message;
    EXPECT_EQ(imported.error.note, misfit.note);
  }
}

TEST(InputShapes, OneSizeForEachDimOfAName) {
  Model square =
      Model(13).in("x", "f32[n, n]").node("Relu", {"x"}, {"y"}).out("y");
  EXPECT_EQ(square.import(parse("x:2x3")).error.code, ExitCode::BadUse);
  expectPart(square.import(parse("x:?x3")), "%arg0: tensor<3x3xf32>");
}

TEST(InputShapes, AreNotBlamedForTheModel) {
  Model model = makeModel();
  model.node("NoSuchOperator", {"y"}, {"z"}).out("z");
  Imported imported = model.import(parse("x:2x3x4"));
  EXPECT_EQ(imported.error.code, ExitCode::Unsupported);
  EXPECT_TRUE(
      llvm::StringRef(imported.error.note).contains("--list-operators"));
}

TEST(InputShapes, AModelWithoutInputsHasNone) {
  Model model = Model(13)
                    .node("Constant", {}, {"y"}, {attr("value_float", 1.0)})
                    .out("y");
  EXPECT_NE(
      model.import(parse("x:1"))
          .error.message.find(
              "there is no input \"x\" for --shapes 'x:1'; the model has no "
              "inputs"),
      std::string::npos);
}
