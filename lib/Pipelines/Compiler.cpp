//===- Compiler.cpp - From a model to an artefact -------------------------===//
//
// Runs the phases in order. What a phase reports through MLIR's diagnostics
// becomes one message that names the file and the node.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Compiler.h"
#include "Compilation.h"
#include "Problems.h"
#include "TensorErrors.h"
#include "llvm/Support/FileSystem.h"
#include <chrono>

using namespace mlir;
using namespace qopt;

llvm::Error
Compilation::runPipeline(Phase phase,
                         llvm::function_ref<void(OpPassManager &)> build,
                         ExitCode failure) {
  Problems problems(context, options.model, report.contract, &report.warnings);
  PassManager pm(&context, ModuleOp::getOperationName());
  if (options.measuresErrors)
    pm.addInstrumentation(createErrorRecorder(report));
  build(pm);
  if (failed(pm.run(*module)))
    return problems.take(failure, "phase " + getName(phase) + " failed");
  return llvm::Error::success();
}

/// Checks the form that a phase leaves whose last step is no pass that does.
llvm::Error Compilation::verified(Phase phase, llvm::Error error) {
  if (error)
    return error;
  return runPipeline(phase, [&](OpPassManager &pm) {
    buildVerifyPipeline(pm, phase, *backend);
  });
}

llvm::Error Compilation::prepare() {
  if (llvm::Error error = runPipeline(Phase::Prepare, [&](OpPassManager &pm) {
        buildPreparePipeline(pm, report.recipe);
      }))
    return error;
  report.contract.readPlan(getMain(), report.recipe, getName(Phase::Prepare));
  return llvm::Error::success();
}

llvm::Error Compilation::runPhase(Phase phase) {
  switch (phase) {
  case Phase::Import:
    return checkOverrides();
  case Phase::Prepare:
    return prepare();
  case Phase::Calibrate:
    return verified(phase, calibrateModule());
  case Phase::Transform:
    return verified(phase, transform());
  case Phase::Quantize:
    return quantize();
  case Phase::Fuse:
    return verified(phase, runPipeline(phase, buildFusePipeline));
  case Phase::Kernels:
    return chooseKernels();
  case Phase::Target:
    return lower();
  case Phase::Emit:
    return emit();
  }
  llvm_unreachable("an unknown phase");
}

/// Tells of the phase, and what it cost.
llvm::Error Compilation::runTimed(Phase phase) {
  if (progress)
    progress(getName(phase));
  auto begin = std::chrono::steady_clock::now();
  if (llvm::Error error = runPhase(phase))
    return error;
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  report.costs.push_back({getName(phase).str(), seconds.count()});
  return llvm::Error::success();
}

llvm::Error Compilation::compilePhases() {
  report.contract.start(*module);
  if (measuresAccuracy())
    floatModule = module->clone();
  if (options.startFrom)
    if (llvm::Error error = resume())
      return error;
  for (Phase phase :
       {Phase::Import, Phase::Prepare, Phase::Calibrate, Phase::Transform,
        Phase::Quantize, Phase::Fuse, Phase::Kernels, Phase::Target}) {
    if (isDone(phase))
      continue;
    // What comes later is for machines.
    if (phase > Phase::Quantize && options.emit == EmitKind::QdqOnnx &&
        !options.stopAfter)
      break;
    if (llvm::Error error = runTimed(phase))
      return error;
    if (options.stopAfter == phase)
      return writeProgram(*module, phase);
  }
  return runTimed(Phase::Emit);
}

/// A refused program is reported as any other. What an earlier run left would
/// stand beside a report that is not its own.
llvm::Error Compilation::reportRefusal(llvm::Error error) {
  if (report.refusal.empty() || options.reportFolder.empty())
    return error;
  if (llvm::sys::fs::is_regular_file(options.output))
    llvm::sys::fs::remove(options.output);
  return llvm::joinErrors(std::move(error), report.write(options.reportFolder));
}

/// An error for a program that breaks what its user asked to keep.
llvm::Error Compilation::refuse(ExitCode code, std::string text) {
  report.refusal = text;
  return makeError(code, text);
}

/// A recipe is known when the program is: phase files have theirs.
static llvm::Error checkStates(EmitKind emit, const Recipe &recipe) {
  if (emit != EmitKind::QdqOnnx || recipe.cache.format.empty())
    return llvm::Error::success();
  return makeError(ExitCode::BadUse,
                   "--emit=qdq-onnx writes a model whose states are floats, "
                   "but kv-cache.format is " +
                       recipe.cache.format + "\nnote: leave one of them out");
}

llvm::Expected<Report> Compilation::run() {
  report.model = options.model;
  report.recipe = options.recipe;
  // A message names the node; the whole op may be pages of statistics.
  context.printOpOnDiagnostic(false);
  if (llvm::Error error = checkOptions())
    return std::move(error);
  if (options.emit == EmitKind::QdqOnnx) {
    report.target = "onnx";
  } else {
    report.target = backend->getName().str();
    for (const TargetConfig &config : configs)
      report.tiers.push_back(config.cpu);
  }
  if (llvm::Error error = load())
    return std::move(error);
  if (llvm::Error error = checkStates(options.emit, report.recipe))
    return std::move(error);
  if (llvm::Error error = checkCalibration())
    return std::move(error);
  // Where nothing can be written is told before the work is done.
  if (!options.reportFolder.empty())
    if (llvm::Error error = Report::makeFolder(options.reportFolder))
      return std::move(error);
  if (llvm::Error error = compilePhases())
    return reportRefusal(std::move(error));
  uint64_t size = 0;
  if (!llvm::sys::fs::file_size(options.output, size))
    report.artefactBytes = size;
  if (options.reportFolder.empty())
    return report;
  if (llvm::Error error = report.write(options.reportFolder)) {
    llvm::sys::fs::remove(options.output);
    return std::move(error);
  }
  return report;
}

llvm::Expected<Report> qopt::compile(const CompileOptions &options,
                                     const TargetRegistry &targets,
                                     MLIRContext &context,
                                     ProgressCallback progress) {
  return Compilation(options, targets, context, progress).run();
}
