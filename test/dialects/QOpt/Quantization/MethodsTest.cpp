//===- MethodsTest.cpp - What methods declare and are told ----------------===//

#include "dialects/QOpt/Quantization/MethodRegistry.h"
#include "gtest/gtest.h"

using namespace qopt;

namespace {
/// The options of the rounding methods that qopt comes with.
class MethodOptionsTest : public testing::Test {
protected:
  MethodOptionsTest() {
    registerRoundingMethods(methods);
    options = methods.getRoundingOptions();
  }

  /// What `read` says of one text.
  std::string findProblem(std::string text) {
    return llvm::toString(options.read({std::move(text)}));
  }

  MethodRegistry methods;
  MethodOptions options;
};
} // namespace

TEST_F(MethodOptionsTest, AreWhatTheyAreWithoutBeingNamed) {
  EXPECT_EQ(options.get<std::string>("method"), "nearest");
  EXPECT_EQ(options.get<double>("damping"), 0.01);
  EXPECT_FALSE(methods.getRoundingMethod(options).getNeeds(options).any());
}

TEST_F(MethodOptionsTest, ComeBackFromTheirText) {
  options.set("method", std::string("gptq"));
  options.set("damping", 0.012345678901234567);
  MethodOptions other = methods.getRoundingOptions();
  ASSERT_FALSE(bool(other.read(options.write())));
  EXPECT_EQ(other.get<std::string>("method"), "gptq");
  EXPECT_EQ(other.get<double>("damping"), 0.012345678901234567);
  EXPECT_TRUE(methods.getRoundingMethod(other).getNeeds(other).moments);
}

TEST_F(MethodOptionsTest, TakeWhatIsDeclared) {
  EXPECT_EQ(findProblem("dumping=1"), "unknown option 'dumping'");
  EXPECT_EQ(findProblem("damping=0"),
            "damping expects a number above 0 and not above 1, but found '0'");
  EXPECT_EQ(findProblem("method=gtpq"),
            "method expects nearest, gptq, but found 'gtpq'");
}

TEST_F(MethodOptionsTest, TheirMeaningNamesTheMethod) {
  for (const MethodOptions::Entry &entry : options.entries)
    if (entry.declaration->name == "damping")
      EXPECT_EQ(entry.declaration->meaning.rfind("gptq: ", 0), 0u);
}
