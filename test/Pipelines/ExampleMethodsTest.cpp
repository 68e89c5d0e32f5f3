//===- ExampleMethodsTest.cpp - Methods that a program brings -------------===//
//
// A file and a line make a method: recipes, their checks and the compilation
// know it then.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "qopt/Support/MappedFile.h"
#include "gtest/gtest.h"

using namespace qopt;

namespace qopt {
void registerRmsScaling(MethodRegistry &registry);
void registerStochasticRounding(MethodRegistry &registry);
} // namespace qopt

namespace {
class ExampleMethods : public testing::Test {
protected:
  ExampleMethods() {
    registerMethods(methods);
    // The lines.
    registerRmsScaling(methods);
    registerStochasticRounding(methods);
  }

  Recipe parse(llvm::StringRef text) {
    return llvm::cantFail(parseRecipe(
        "r.yaml", ("version: 1\npreset: w8a8-dynamic\n" + text).str(),
        methods));
  }

  /// The program of `quantize` for a recipe with these lines.
  std::string quantize(llvm::StringRef text) {
    test::TemporaryFolder folder;
    llvm::cantFail(test::compileDigits(parse(text), Phase::Quantize, folder));
    auto file = llvm::cantFail(MappedFile::open(folder.file("program.mlir")));
    // Behind the line with the recipe.
    llvm::StringRef program = file->getText();
    return program.substr(program.find("func.func")).str();
  }

  MethodRegistry methods;
};
} // namespace

TEST_F(ExampleMethods, ARecipeNamesTheRounding) {
  Recipe recipe =
      parse("rounding: {method: stochastic, seed: 7}\noverrides: []\n");
  EXPECT_EQ(recipe.rounding.options.get<int64_t>("seed"), 7);
  EXPECT_NE(writeRecipe(recipe).find("seed:            7"), std::string::npos)
      << writeRecipe(recipe);
  auto wrong =
      parseRecipe("r.yaml", "version: 1\nrounding: {seed: -1}\n", methods);
  ASSERT_FALSE(bool(wrong));
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "r.yaml: rounding.seed expects a number from 0 to 1e+09, but found "
            "'-1'");
}

TEST_F(ExampleMethods, OtherRecipesDoNotKnowIt) {
  auto recipe =
      parseRecipe("r.yaml", "version: 1\nrounding: {method: stochastic}\n");
  ASSERT_FALSE(bool(recipe));
  EXPECT_EQ(llvm::toString(recipe.takeError()),
            "r.yaml: rounding.method expects nearest, gptq, but found "
            "'stochastic'");
}

TEST_F(ExampleMethods, TheRoundingChoosesTheCodes) {
  std::string nearest = quantize("rounding: {method: nearest}\n");
  std::string one = quantize("rounding: {method: stochastic}\n");
  EXPECT_NE(one, nearest);
  EXPECT_EQ(one, quantize("rounding: {method: stochastic, seed: 1}\n"));
  EXPECT_NE(one, quantize("rounding: {method: stochastic, seed: 2}\n"));
}

TEST_F(ExampleMethods, ARecipeNamesTheTransformation) {
  Recipe recipe = parse("transforms: {rms: '0.5'}\n");
  EXPECT_TRUE(recipe.needsCalibration());
  EXPECT_FALSE(parse("overrides: []\n").needsCalibration());
  EXPECT_EQ(recipe.transforms.options.get<std::string>("rms"), "0.5");
  auto wrong =
      parseRecipe("r.yaml", "version: 1\ntransforms: {rms: 2}\n", methods);
  ASSERT_FALSE(bool(wrong));
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "r.yaml: transforms.rms expects off or a number from 0 to 1, but "
            "found '2'");
}

TEST_F(ExampleMethods, TheTransformationRewritesLayers) {
  std::string off = quantize("transforms: {rms: 'off'}\n");
  std::string on = quantize("transforms: {rms: '0.5'}\n");
  EXPECT_EQ(off, quantize("overrides: []\n"));
  auto countProducts = [](llvm::StringRef program) {
    return program.count("qopt.mul ");
  };
  EXPECT_GT(countProducts(on), countProducts(off));
}
