//===- Presets.h - Pass sequences of the presets, for tests -----*- C++ -*-===//
//
// What the phase quantize does for a preset, from a calibrated float program to
// codes.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_TRANSFORMS_PRESETS_H
#define TEST_TRANSFORMS_PRESETS_H

#include "FloatPrograms.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "qopt/Transforms/Passes.h"

namespace qopt::test {

struct Preset {
  std::string name;
  PlanPrecisionPassOptions plan;
  InsertQuantizationPassOptions insert;
  /// Codes to codes through everything that has an integer form.
  bool isCodePath = false;
  /// Decibels that each program's result must keep.
  double leastSignalToNoise = 0;
};

std::vector<Preset> allPresets();
const Preset &findPreset(llvm::StringRef name);

/// Plans, calibrates and quantizes.
void applyPreset(FloatProgram &program, const Preset &preset);

} // namespace qopt::test

#endif
