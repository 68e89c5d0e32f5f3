//===- ConformanceTest.cpp - Every row of the table against Reference -----===//
//
// Floats within the bound of their program, all else bit for bit.
//
//===----------------------------------------------------------------------===//

#include "../Conformance/ConformancePrograms.h"
#include "DeviceHarness.h"
#include "qopt/Target/Vulkan/VulkanBackend.h"
#include "qopt/Target/X86/X86Machines.h"

using namespace qopt::test;

TEST_F(DeviceTest, ConformsToReference) {
  for (const ConformanceProgram &program : conformancePrograms()) {
    SCOPED_TRACE(program.name);
    expectNearReference(program.text, program.bound, program.dims);
  }
}

TEST(VulkanTable, RunsEveryRow) {
  expectEveryRowIsChosen(qopt::VulkanBackend(qopt::getX86Machines().front()));
}
