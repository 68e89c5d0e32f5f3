//===- WidenChoiceTest.cpp - Which products get more bits -----------------===//
//
// Noise that was measured, and what is chosen for it.
//
//===----------------------------------------------------------------------===//

#include "lib/Pipelines/WidenChoice.h"
#include "gtest/gtest.h"

using namespace qopt;
using Indices = llvm::SmallVector<size_t>;

static std::vector<NarrowProduct>
productsOf(llvm::ArrayRef<OutputNoise> noises) {
  std::vector<NarrowProduct> products;
  for (const OutputNoise &noise : noises)
    products.push_back({noise});
  return products;
}

TEST(WidenChoice, TakesThoseThatCostMostUntilItIsEnough) {
  auto products = productsOf({{0.1}, {0.4}, {0.02}, {0.2}});
  EXPECT_EQ(widenProducts(products, {0.72}, 0.15), (Indices{1, 3}));
  EXPECT_TRUE(products[1].isWide && products[3].isWide);
  EXPECT_FALSE(products[0].isWide || products[2].isWide);
}

TEST(WidenChoice, LeavesWhatIsGoodEnough) {
  auto products = productsOf({{0.1}, {0.4}});
  EXPECT_EQ(widenProducts(products, {0.5}, 0.5), Indices());
}

TEST(WidenChoice, AsksEachOutput) {
  // The first output needs product 0, the second product 2.
  auto products = productsOf({{0.3, 0}, {0.01, 0.01}, {0, 0.2}});
  EXPECT_EQ(widenProducts(products, {0.31, 0.21}, 0.05), (Indices{0, 2}));
}

TEST(WidenChoice, HelpsTheOthersOfAnOutputThatNothingHelps) {
  auto products = productsOf({{0, 0.3}, {0, 0.01}});
  EXPECT_EQ(widenProducts(products, {16, 0.4}, 0.1), (Indices{0}));
}

TEST(WidenChoice, LeavesOutWhatCannotBeMeasured) {
  auto products = productsOf({{0.5, 0.1}, {0.2, 0.3}});
  double endless = std::numeric_limits<double>::infinity();
  EXPECT_EQ(widenProducts(products, {endless, 0.4}, 0.15), (Indices{1}));
}

TEST(WidenChoice, GoesOnFromWhatIsWide) {
  auto products = productsOf({{0.1}, {0.4}, {0.3}});
  EXPECT_EQ(widenProducts(products, {0.8}, 0.45), (Indices{1}));
  EXPECT_EQ(widenProducts(products, {0.5}, 0.2), (Indices{2}));
}

TEST(WidenChoice, SparesProductsThatDoNotHelp) {
  // What is left is noise of something else.
  auto products = productsOf({{0}, {0.5}});
  EXPECT_EQ(widenProducts(products, {1}, 0.1), (Indices{1}));
  EXPECT_EQ(widenProducts(products, {0.5}, 0.1), Indices());
  std::vector<NarrowProduct> none;
  EXPECT_EQ(widenProducts(none, {1}, 0.1), Indices());
  EXPECT_EQ(widenProducts(products, {}, 0.1), Indices());
}
