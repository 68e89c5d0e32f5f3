//===- ConformanceTest.cpp - Every row of the table against Reference -----===//
//
// On every tier, with several numbers of threads, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "../Conformance/ConformancePrograms.h"
#include "ContractHarness.h"
#include "qopt/Target/X86/X86Backend.h"
#include "gtest/gtest.h"

using namespace qopt::test;

TEST(X86Conformance, EqualsReference) {
  for (const ConformanceProgram &program : conformancePrograms()) {
    SCOPED_TRACE(program.name);
    expectEqualToReference(program.fused, program.dims);
  }
}

TEST(X86Conformance, RunsEveryRow) {
  expectEveryRowIsChosen(qopt::X86Backend());
}
