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
  const Recipe &recipe = report.recipe;
  bool isRounded = !recipe.isFloat() || !recipe.cache.format.empty();
  return options.accuracyGate || (isRounded && !isDone(Phase::Quantize));
}

/// Gets the float program ready, and the samples: those that nothing was fitted
/// to, or those that there are.
llvm::Error Compilation::prepareMeter() {
  // A phase file may have a plan already.
  floatModule->walk([](Operation *op) { op->removeAttr(kRequestAttrName); });
  PassManager pm(&context, ModuleOp::getOperationName());
  buildPreparePipeline(pm, Recipe());
  buildQuantizePipeline(pm, Recipe());
  if (failed(pm.run(*floatModule)))
    return makeError(ExitCode::Unsupported,
                     options.model + ": the float program cannot be prepared");
  const Recipe &recipe = report.recipe;
  bool isFitting = recipe.usesCalibration() || recipe.getRoundingNeeds().any();
  CalibrationData heldBack = calibrationData.heldBack();
  bool areNew = isFitting && !heldBack.files.empty();
  CalibrationData samples = areNew ? std::move(heldBack) : calibrationData;
  report.accuracy.isOnFitted = isFitting && !areNew;
  report.accuracy.samples = samples.files.size();
  auto created =
      AccuracyMeter::create(*floatModule, createRunner(), std::move(samples));
  if (!created)
    return created.takeError();
  meter = std::move(*created);
  return llvm::Error::success();
}

/// Compares the outputs of the program as it is with those of the float one.
llvm::Error Compilation::measureOutputs() {
  Problems problems(context, options.model, report.contract);
  if (!meter)
    if (llvm::Error error = prepareMeter())
      return problems.orReported(std::move(error));
  OwningOpRef<ModuleOp> program = module->clone();
  auto measured = meter->measure(*program, *createRunner());
  if (!measured)
    return problems.orReported(measured.takeError());
  report.accuracy.outputs = std::move(*measured);
  return llvm::Error::success();
}

/// Tells of outputs that are far off, and holds them against the gate.
llvm::Error Compilation::checkAccuracy() {
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
