//===- ConformanceTest.cpp - Every row of the table against Reference -----===//
//
// The target of examples/target, as a program that loads it would get it.
//
//===----------------------------------------------------------------------===//

#include "../Conformance/ConformancePrograms.h"
#include "qopt/Target/TargetPlugin.h"
#include "gtest/gtest.h"

using namespace qopt;

extern "C" TargetPlugin qoptGetTargetPlugin();

namespace {
class ExampleConformance : public testing::Test {
protected:
  void SetUp() override {
    qoptGetTargetPlugin().registerTargets(registry);
    backend = registry.find("example");
    ASSERT_TRUE(backend);
  }

  TargetRegistry registry;
  const TargetBackend *backend = nullptr;
};
} // namespace

TEST_F(ExampleConformance, EqualsReference) {
  test::expectConformance(*backend);
}

TEST_F(ExampleConformance, RunsEveryRow) {
  test::expectEveryRowIsChosen(*backend);
}
