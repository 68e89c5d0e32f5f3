//===- PhasesTest.cpp - Names of phases -----------------------------------===//
//
// Users type these names, and phase files carry them.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Phases.h"
#include "gtest/gtest.h"

using namespace qopt;

TEST(Phases, AreFoundByTheirNamesInOrder) {
  static constexpr llvm::StringLiteral names[] = {
      "import", "prepare", "calibrate", "transform", "quantize",
      "fuse",   "kernels", "target",    "emit"};
  int number = 0;
  for (llvm::StringRef name : names) {
    std::optional<Phase> phase = findPhase(name);
    ASSERT_TRUE(phase) << name.str();
    EXPECT_EQ(static_cast<int>(*phase), number++);
    EXPECT_EQ(getName(*phase), name);
  }
}

TEST(Phases, OtherNamesAreNone) {
  for (llvm::StringRef name : {"", "Import", "lower", "fuse "})
    EXPECT_FALSE(findPhase(name)) << name.str();
}
