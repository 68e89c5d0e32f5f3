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
/// What a layer was told.
struct Told {
  int64_t products;
  std::vector<double> moments;
  std::vector<float> rows;

  bool areRowsEqual() const {
    llvm::ArrayRef<float> all(rows);
    return all.drop_front(products) == all.drop_back(products);
  }
};

/// Makes every code of a product 0, and keeps what it was told.
class ZeroRounding : public RoundingMethod {
public:
  ZeroRounding(bool isSequential, std::vector<Told> &told)
      : isSequential(isSequential), told(told) {}

  llvm::StringRef getName() const override { return "zero"; }
  llvm::StringRef getMeaning() const override { return "takes 0"; }

  RoundingNeeds getNeeds(const MethodOptions &) const override {
    RoundingNeeds needs;
    needs.moments = true;
    needs.rows = 5;
    needs.isSequential = isSequential;
    return needs;
  }

  llvm::Expected<QuantizedWeight> round(const LayerToRound &layer,
                                        const WeightGrid &grid,
                                        const MethodOptions &) const override {
    auto quantized = grid.quantize(layer.weight);
    if (!quantized || layer.weight.getRank() != 2)
      return quantized;
    told.push_back(
        {layer.weight.getDims()[0], layer.moments.vec(), layer.rows.vec()});
    llvm::fill(quantized->codes.asMutable<uint8_t>(), 0);
    return quantized;
  }

private:
  bool isSequential;
  std::vector<Told> &told;
};

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
    TemporaryFolder folder;
    llvm::cantFail(test::compileDigits(parse(text), Phase::Quantize, folder));
    auto file = llvm::cantFail(MappedFile::open(folder.file("program.mlir")));
    // Behind the line with the recipe.
    std::string result;
    llvm::StringRef program = file.getText();
    // Weights name their file, which lies in another folder each time.
    std::string prefix = "#qopt.weight<\"" + folder.file("");
    auto [before, after] =
        program.substr(program.find("func.func")).split(prefix);
    for (; !after.empty(); std::tie(before, after) = after.split(prefix))
      result += before.str();
    return result + before.str();
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

// The images are random; behind a layer of zeros all rows are its bias, which
// only the program in which that layer is rounded shows.
TEST_F(ExampleMethods, AMethodIsToldOfTheProgramThatItAsksFor) {
  for (bool isSequential : {false, true}) {
    std::vector<Told> told;
    MethodRegistry own;
    registerMethods(own);
    own.add(std::make_unique<ZeroRounding>(isSequential, told));
    Recipe recipe = llvm::cantFail(
        parseRecipe("r.yaml",
                    "version: 1\npreset: w8a8-dynamic\n"
                    "rounding: {method: zero, correct-bias: false}\n",
                    own));
    TemporaryFolder folder;
    llvm::cantFail(
        test::compileDigits(recipe, Phase::Quantize, folder, "digits-mlp"));
    ASSERT_EQ(told.size(), 3u);
    EXPECT_FALSE(told[0].areRowsEqual());
    EXPECT_EQ(told[1].areRowsEqual(), isSequential);
    EXPECT_EQ(told[2].areRowsEqual(), isSequential);
    for (const Told &layer : told) {
      EXPECT_EQ(layer.rows.size(), 5u * layer.products);
      EXPECT_EQ(layer.moments.size(), 1u * layer.products * layer.products);
    }
  }
}

namespace {
/// A method with one option.
class OptionRounding : public RoundingMethod {
public:
  OptionRounding(llvm::StringRef name, llvm::StringLiteral option)
      : name(name), option{option, int64_t(1), number(0, 9), "", "2"} {}

  llvm::StringRef getName() const override { return name; }
  llvm::StringRef getMeaning() const override { return "takes the nearest"; }
  llvm::ArrayRef<MethodOption> getOptions() const override { return option; }
  llvm::Expected<QuantizedWeight> round(const LayerToRound &layer,
                                        const WeightGrid &grid,
                                        const MethodOptions &) const override {
    return grid.quantize(layer.weight);
  }

private:
  llvm::StringRef name;
  MethodOption option;
};
} // namespace

/// What recipes say of a registry that has a method of this name and with this
/// option beside qopt's.
static std::string refuse(llvm::StringRef name, llvm::StringLiteral option) {
  MethodRegistry registry;
  registerMethods(registry);
  registry.add(std::make_unique<OptionRounding>(name, option));
  std::string said = llvm::toString(
      parseRecipe("r.yaml", "version: 1\n", registry).takeError());
  EXPECT_EQ(llvm::toString(getPreset("fp32", registry).takeError()), said);
  return said;
}

static constexpr char kNote[] =
    "\nnote: load one of the methods, or rename what they share";

// Plug-ins do not know of each other.
TEST(Methods, HaveTheirNamesForThemselves) {
  EXPECT_EQ(refuse("gptq", "mine"),
            std::string("two rounding methods are called 'gptq'") + kNote);
  EXPECT_EQ(refuse("mine", "damping"),
            std::string("the key rounding.damping belongs to the rounding "
                        "method 'gptq' and to the rounding method 'mine'") +
                kNote);
  EXPECT_EQ(refuse("mine", "correct-bias"),
            std::string("the key rounding.correct-bias belongs to every recipe "
                        "and to the rounding method 'mine'") +
                kNote);
  EXPECT_EQ(refuse("mine", "method"),
            std::string("the key rounding.method belongs to every recipe and "
                        "to the rounding method 'mine'") +
                kNote);
}
