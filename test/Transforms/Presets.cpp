//===- Presets.cpp - Pass sequences of the presets, for tests -------------===//
//
// Thresholds are some decibels below what normally distributed data gives.
//
//===----------------------------------------------------------------------===//

#include "Presets.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static Preset integers(StringRef name, StringRef activations, double decibels) {
  Preset preset;
  preset.name = name.str();
  preset.plan.activations = activations.str();
  preset.leastSignalToNoise = decibels;
  return preset;
}

static Preset groups(StringRef name, StringRef activations, StringRef format,
                     StringRef scale, StringRef zero, int64_t size,
                     double decibels) {
  Preset preset = integers(name, activations, decibels);
  preset.plan.weightFormat = format.str();
  preset.plan.weightScale = scale.str();
  preset.plan.weightZero = zero.str();
  preset.plan.group = size;
  return preset;
}

static Preset blocks(StringRef format, bool isWeightOnly, double decibels) {
  Preset preset = integers((format + (isWeightOnly ? "-a16" : "")).str(),
                           isWeightOnly ? "none" : "dynamic", decibels);
  preset.plan.weightFormat = format.str();
  if (!isWeightOnly)
    preset.plan.activationFormat = format.str();
  return preset;
}

std::vector<Preset> test::allPresets() {
  std::vector<Preset> presets{
      integers("w8a8", "static", 34),
      integers("w8a8-dynamic", "dynamic", 36),
      groups("w4a16-g32", "none", "ui4", "f16", "ui4", 32, 17.5),
      groups("w4a16-g128", "none", "ui4", "f16", "ui4", 128, 16.5),
      groups("w4a8-g32", "dynamic", "i4", "f16", "", 32, 16),
      groups("w4a16-g32-pow2", "none", "ui4", "f8E8M0FNU", "ui4", 32, 15.5),
      blocks("mxfp4", false, 11),
      blocks("mxfp6-e2m3", false, 23),
      blocks("mxfp6-e3m2", false, 18),
      blocks("mxfp8-e4m3", false, 23),
      blocks("mxfp8-e5m2", false, 18),
      blocks("mxint8", false, 35),
      blocks("nvfp4", false, 13),
      blocks("mxfp4", true, 14),
      blocks("mxfp6-e2m3", true, 26),
      blocks("mxfp6-e3m2", true, 20.5),
      blocks("mxfp8-e4m3", true, 26),
      blocks("mxfp8-e5m2", true, 20.5),
      blocks("mxint8", true, 38),
      blocks("nvfp4", true, 16),
  };
  Preset ratios =
      groups("w4a16-g128-pow2-m2", "none", "ui4", "f8E8M0FNU", "ui4", 16, 16.5);
  ratios.insert.pow2Scales = "m2";
  presets.push_back(ratios);
  Preset pow2 = integers("w8a8-pow2", "static", 28);
  pow2.plan.weightScale = pow2.plan.activationScale = "f8E8M0FNU";
  pow2.isCodePath = true;
  presets.push_back(pow2);
  return presets;
}

const Preset &test::findPreset(StringRef name) {
  static const std::vector<Preset> presets = allPresets();
  for (const Preset &preset : presets)
    if (preset.name == name)
      return preset;
  llvm::report_fatal_error("no such preset");
}

void test::applyPreset(FloatProgram &program, const Preset &preset) {
  program.run([&](OpPassManager &pm) {
    pm.addPass(createPlanPrecisionPass(preset.plan));
  });
  program.calibrate();
  program.run([&](OpPassManager &pm) {
    pm.addPass(createEvaluateWeightsPass());
    if (preset.plan.activations == "static")
      pm.addPass(createChooseDynamicPass());
    pm.addPass(createInsertQuantizationPass(preset.insert));
    if (preset.isCodePath)
      // Functions with a wide range are to be codes as well.
      pm.addPass(createQuantizeActivationsPass({"nearest", /*minSqnr=*/28.0}));
    pm.addPass(createCSEPass());
    pm.addPass(createFormQuantizedOpsPass());
    pm.addPass(createFormRequantizePass());
    if (preset.isCodePath)
      pm.addPass(createPropagateCodesPass());
    pm.addPass(createCSEPass());
    pm.addPass(createEvaluateWeightsPass());
  });
}
