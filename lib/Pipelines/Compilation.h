//===- Compilation.h - One compilation and where it stands ------*- C++ -*-===//
//
// What the phases share: the program, what was asked, and the report that they
// write into. Each phase or service is a file; the comments name it.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_COMPILATION_H
#define LIB_PIPELINES_COMPILATION_H

#include "MeasureAccuracy.h"
#include "ObservedOutputs.h"
#include "Sensitivity.h"
#include "qopt/Calibration/LayerActivations.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/CodedError.h"

namespace qopt {

/// What a recipe is called in messages.
std::string describeRecipe(const Recipe &recipe);

class Compilation {
public:
  Compilation(const CompileOptions &options, const TargetRegistry &targets,
              mlir::MLIRContext &context, ProgressCallback progress)
      : options(options), targets(targets), context(context),
        progress(progress) {}

  llvm::Expected<Report> run();

private:
  // Compiler.cpp: the order of all others.
  llvm::Error compilePhases();
  llvm::Error runPhase(Phase phase);
  llvm::Error runTimed(Phase phase);
  llvm::Error prepare();
  llvm::Error runPipeline(Phase phase,
                          llvm::function_ref<void(mlir::OpPassManager &)> build,
                          ExitCode failure = ExitCode::Unsupported);
  llvm::Error verified(Phase phase, llvm::Error error);
  llvm::Error refuse(ExitCode code, std::string text);
  llvm::Error reportRefusal(llvm::Error error);

  // CheckOptions.cpp
  llvm::Error checkOptions();
  llvm::Error checkStop();
  llvm::Error chooseConfigs();
  llvm::Error checkOutputName() const;
  const Machine &findNativeMachine() const;

  // LoadProgram.cpp
  llvm::Error load();
  llvm::Error readPhaseAttributes();
  llvm::Error resume();
  llvm::Error writeProgram(mlir::ModuleOp program, Phase phase);

  // CheckOverrides.cpp
  llvm::Error checkOverrides();

  // CalibratePhase.cpp
  llvm::Error checkCalibration();
  llvm::Error calibrateModule();
  llvm::Error collectForRounding(llvm::ArrayRef<ProductGroup> groups,
                                 SampleCut *cut = nullptr);
  std::unique_ptr<ProgramRunner> createRunner() const;
  llvm::Error
  runOnSamples(llvm::function_ref<llvm::Error(ProgramRunner &)> run);

  // FixShapes.cpp
  llvm::Error openForSamples();
  llvm::Error fixShapes(mlir::ModuleOp program);

  // QuantizePhase.cpp
  llvm::Error transform();
  llvm::Error quantize();
  void readFactors();
  llvm::Error insertQuantizers();
  llvm::Error fixNumbers();
  llvm::Error convertStates();

  // WidenPlan.cpp
  std::vector<mlir::Operation *> findNarrowProducts(mlir::ModuleOp program);
  OutputNoise getOutputNoise() const;
  llvm::Error quantizeAgain(mlir::ModuleOp planned);
  llvm::Error widenPlan(mlir::ModuleOp planned);

  // CheckAccuracy.cpp
  bool measuresAccuracy() const;
  llvm::Error prepareMeter();
  llvm::Error measureOutputs();
  llvm::Error checkAccuracy();

  // KernelsPhase.cpp
  llvm::Error chooseKernels();
  llvm::Error checkContract();

  // TargetPhase.cpp
  llvm::Error findStates(mlir::func::FuncOp program);
  llvm::Error lower();

  // EmitPhase.cpp
  llvm::Error emit();
  llvm::Error writeTier(const CompiledProgram &program);
  std::string makeManifest();

  mlir::func::FuncOp getMain() { return qopt::getMain(*module); }
  bool isDone(Phase phase) const {
    return options.startFrom && phase <= *options.startFrom;
  }

  const CompileOptions &options;
  const TargetRegistry &targets;
  mlir::MLIRContext &context;
  ProgressCallback progress;
  const TargetBackend *backend = nullptr;
  std::vector<TargetConfig> configs;
  CalibrationData calibrationData;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The program that is compared with, kept where accuracy is measured.
  mlir::OwningOpRef<mlir::ModuleOp> floatModule;
  /// The program in the middle of `quantize`, kept where it is exported.
  mlir::OwningOpRef<mlir::ModuleOp> qdqModule;
  /// Compares with it.
  std::optional<AccuracyMeter> meter;
  /// True when the samples have other dims than `shapes` gives.
  bool fixesShapesLate = false;
  Report report;
};

} // namespace qopt

#endif // LIB_PIPELINES_COMPILATION_H
