//===- CheckAccuracy.cpp - The quantized program beside the float one -----===//
//
// For the accuracy gate, and for the user to see what became of the outputs.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "MeasureAccuracy.h"
#include "Problems.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

/// True where both programs are to run on samples: for the gate, and for the
/// user to see what became of the outputs of a model that is quantized here.
bool Compilation::measuresAccuracy() const {
  if (calibrationData.files.empty())
    return false;
  return options.accuracyGate ||
         (!report.recipe.isFloat() && !isDone(Phase::Import));
}

/// Runs the float and the quantized program on the samples that nothing was
/// fitted to, or on those that there are.
llvm::Error Compilation::checkAccuracy() {
  PassManager pm(&context, ModuleOp::getOperationName());
  buildPreparePipeline(pm, Recipe());
  buildQuantizePipeline(pm, Recipe());
  if (failed(pm.run(*floatModule)))
    return makeError(ExitCode::Unsupported,
                     options.model + ": the float program cannot be prepared");
  const Recipe &recipe = report.recipe;
  bool isFitting = recipe.usesCalibration() || recipe.getRoundingNeeds().any();
  CalibrationData samples = calibrationData;
  if (CalibrationData heldBack = calibrationData.heldBack();
      isFitting && !heldBack.files.empty()) {
    samples = std::move(heldBack);
    isFitting = false;
  }
  auto exactRunner = createRunner(), quantizedRunner = createRunner();
  Problems problems(context, options.model, report.contract);
  auto measured =
      measureAccuracy({*floatModule, *exactRunner},
                      {*quantizedModule, *quantizedRunner}, samples);
  if (!measured)
    return problems.orReported(measured.takeError());
  report.accuracy = {std::move(*measured),
                     static_cast<int64_t>(samples.files.size()), isFitting};
  if (std::string poor = report.accuracy.findPoorOutputs(); !poor.empty())
    report.warnings.push_back(std::move(poor));
  if (!options.accuracyGate)
    return llvm::Error::success();
  if (report.accuracy.outputs.empty())
    return makeError(ExitCode::Unsupported,
                     "the accuracy gate expects an output of f32");
  if (llvm::Error error =
          options.accuracyGate->check(report.accuracy.outputs)) {
    ExitCode code;
    std::string message = takeMessage(std::move(error), code);
    return refuse(code, llvm::sys::path::filename(options.model).str() + ": " +
                            message);
  }
  return llvm::Error::success();
}
