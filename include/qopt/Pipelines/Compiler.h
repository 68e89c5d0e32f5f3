//===- Compiler.h - From a model to an artefact -----------------*- C++ -*-===//
//
// What qopt-compile, the C API and qopt-run call.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_COMPILER_H
#define QOPT_PIPELINES_COMPILER_H

#include "qopt/Import/ONNX/InputShapes.h"
#include "qopt/Pipelines/AccuracyGate.h"
#include "qopt/Pipelines/Phases.h"
#include "qopt/Pipelines/Report.h"
#include "qopt/Target/TargetRegistry.h"

namespace qopt {

/// What is written at the end.
enum class EmitKind {
  Shared, ///< model.so
  Object, ///< one object file, of one tier
  LLVMIR, ///< the text of its LLVM IR
  Assembly,
  QdqOnnx, ///< the quantized model between quantizers and dequantizers
};

/// Where the recipe of a compilation comes from. A phase file keeps its own
/// where nothing else is said.
enum class RecipeSource { Default, Preset, File, Text };

struct CompileOptions {
  /// An .onnx file, or a phase file with `startFrom`.
  std::string model;
  std::string output;
  Recipe recipe;
  RecipeSource recipeSource = RecipeSource::Default;
  /// An .npz or a folder of them; empty: none.
  std::string calibration;
  /// A folder that keeps statistics from one compilation to the next; empty:
  /// none.
  std::string calibrationCache;
  /// Empty: the first target of CPUs that has a machine here.
  std::string target;
  /// Tiers or devices; empty is the best one of this machine.
  std::vector<std::string> cpus;
  EmitKind emit = EmitKind::Shared;
  /// True when `emit` was set by name.
  bool namesCode = false;
  /// Inputs whose dims are fixed: when the model is imported or, where samples
  /// have other dims, behind `quantize`.
  std::vector<InputShape> shapes;
  /// Outputs that feed inputs of the next run, each `OUTPUT=INPUT`, beside
  /// those that names tell.
  std::vector<std::string> states;
  /// What states may grow to where a run says nothing; 0: it has to.
  int64_t capacity = 0;
  /// Empty: no report is written.
  std::string reportFolder;
  /// planned, any or slow; empty: nothing is refused.
  std::string failOnFallback;
  /// What the quantized program must keep on the calibration samples.
  std::optional<AccuracyGate> accuracyGate;
  std::optional<Phase> stopAfter;
  /// The phase that made `model`; compilation goes on after it.
  std::optional<Phase> startFrom;
  /// Measures the error of each quantized tensor for the report.
  bool measuresErrors = false;
  /// Calibrates with lib/Reference instead of compiled code.
  bool calibrateWithReference = false;
};

/// What the option `emit` takes, as text for people.
inline constexpr llvm::StringLiteral kEmitForms =
    "shared, object, llvm, asm, mlir or qdq-onnx";

/// Sets an option by the name of qopt-compile's flag, without the dashes, to
/// what the flag takes; `recipe-text` takes the text of a recipe. Fails for an
/// unknown name or a value that the option does not take.
llvm::Error setOption(CompileOptions &options, llvm::StringRef name,
                      llvm::StringRef value);

/// Told of each phase when it begins.
using ProgressCallback = llvm::function_ref<void(llvm::StringRef phase)>;

/// Compiles. Errors carry exit codes and name the file, and the node where one
/// is to blame; no output file is left behind by a failure.
llvm::Expected<Report> compile(const CompileOptions &options,
                               const TargetRegistry &targets,
                               mlir::MLIRContext &context,
                               ProgressCallback progress = {});

} // namespace qopt

#endif
