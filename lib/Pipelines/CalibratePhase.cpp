//===- CalibratePhase.cpp - Statistics of activations from samples --------===//
//
// Runs wherever one is missing: in `calibrate`, behind transforms that dropped
// some, and in `quantize` for what weights are rounded by.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "CompiledRunner.h"
#include "Problems.h"
#include "qopt/Support/Notes.h"

using namespace mlir;
using namespace qopt;

/// What helps with any fault of a sample.
static constexpr llvm::StringLiteral kSamplesNote =
    "a sample is one .npz, as numpy.savez writes it, with an array for each "
    "input of the model, of its name, type and dims; qopt-run MODEL.onnx "
    "--reference --describe prints these";

/// What else can be done where a method needs samples: an effort may have
/// chosen it.
static std::string adviseWithout(const Recipe &recipe,
                                 const llvm::Twine &change) {
  return "note: give --calib DIR, or " +
         (recipe.effort == "best" ? "take --effort default" : change.str());
}

/// What needs samples, and why; the note says what else can be done.
static std::string describeNeed(const Recipe &recipe) {
  if (recipe.getPrecision(nullptr).isStatic())
    return describeRecipe(recipe) +
           " has static activations and needs samples\n"
           "note: give --calib DIR, or take a dynamic preset";
  for (const OverrideRecipe &rule : recipe.overrides)
    if (recipe.getPrecision(&rule).isStatic())
      return "override '" + rule.pattern() +
             "' asks for static activations and needs samples\n"
             "note: give --calib DIR, or write precision: dynamic";
  for (const auto &transformation : recipe.methods->getTransformations())
    if (llvm::StringRef name = transformation->getName();
        transformation->needsStatistics() &&
        transformation->isOn(recipe.transforms.options))
      return ("transforms." + name + " of " + describeRecipe(recipe) +
              " reads statistics of activations and needs samples\n" +
              adviseWithout(recipe, "leave " + name + " out"))
          .str();
  if (!recipe.getRoundingNeeds().any())
    return "policy.min-output-sqnr of " + describeRecipe(recipe) +
           " is measured on samples and needs some\n"
           "note: give --calib DIR, or leave min-output-sqnr out";
  return "rounding.method of " + describeRecipe(recipe) +
         " rounds weights by activations and needs samples\n" +
         adviseWithout(recipe, "write method: nearest");
}

llvm::Error Compilation::checkCalibration() {
  bool isQuantized = options.startFrom && *options.startFrom >= Phase::Quantize;
  const Recipe &recipe = report.recipe;
  bool needsStatistics =
      (recipe.needsCalibration() || recipe.getRoundingNeeds().any() ||
       recipe.asksForOutputSqnr()) &&
      !isQuantized;
  if (options.calibration.empty() && !needsStatistics)
    return options.accuracyGate
               ? makeError(ExitCode::BadUse, "the accuracy gate needs samples\n"
                                             "note: give --calib DIR")
               : llvm::Error::success();
  if (options.calibration.empty())
    return makeError(ExitCode::BadUse, describeNeed(recipe));
  auto data = CalibrationData::find(options.calibration);
  if (!data)
    return withNote(data.takeError(), ExitCode::BadUse, kSamplesNote);
  calibrationData = std::move(*data);
  if (!options.shapes.empty())
    if (llvm::Error error = openForSamples())
      return error;
  return withNote(checkSamples(getMain(), calibrationData, report.warnings),
                  ExitCode::BadData, kSamplesNote);
}

/// Code for a CPU that is here. All give the same numbers.
std::unique_ptr<ProgramRunner> Compilation::createRunner() const {
  auto [cpu, machine] = targets.findCpuFor(*backend);
  if (options.calibrateWithReference || !machine)
    return createReferenceRunner();
  return createCompiledRunner(*cpu, machine->name);
}

/// Runs the program on the samples.
llvm::Error Compilation::runOnSamples(
    llvm::function_ref<llvm::Error(ProgramRunner &)> run) {
  Problems problems(context, options.model, report.contract);
  return withNote(problems.orReported(run(*createRunner())), ExitCode::BadData,
                  kSamplesNote);
}

llvm::Error Compilation::calibrateModule() {
  if (calibrationData.files.empty() || !report.recipe.usesCalibration())
    return llvm::Error::success();
  RangeOptions range;
  range.percentile = report.recipe.calibration.percentile;
  if (report.recipe.calibration.range == "percentile")
    range.rule = RangeRule::Percentile;
  else if (report.recipe.calibration.range == "squared-error")
    range.rule = RangeRule::SquaredError;
  else if (report.recipe.calibration.range == "search")
    range.rule = RangeRule::Search;
  range.isPow2 =
      report.recipe.isCodePath() && report.recipe.rounding.activation == "ceil";
  return runOnSamples([&](ProgramRunner &runner) {
    return calibrate(*module, calibrationData, range, runner,
                     options.calibrationCache);
  });
}

llvm::Error Compilation::collectForRounding(llvm::ArrayRef<ProductGroup> groups,
                                            SampleCut *cut) {
  if (groups.empty())
    return llvm::Error::success();
  return runOnSamples([&](ProgramRunner &runner) {
    return collectActivations(*module, groups, calibrationData.fitted(),
                              report.recipe.getRoundingNeeds(), runner, cut);
  });
}
