//===- Compiler.cpp - From a model to an artefact -------------------------===//
//
// Runs the phases in order. What a phase reports through MLIR's diagnostics
// becomes one message that names the file and the node.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Compiler.h"
#include "ArtefactWriter.h"
#include "CompiledRunner.h"
#include "MeasureAccuracy.h"
#include "Problems.h"
#include "TensorErrors.h"
#include "dialects/QOpt/Quantization/FactorSearch.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "qopt/Calibration/Moments.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Emit/CpuTier.h"
#include "qopt/Export/ONNX/ExportONNX.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/Pipelines/PhaseFiles.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/Notes.h"
#include "qopt/Support/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include <chrono>

using namespace mlir;
using namespace qopt;

namespace {
class Compiler {
public:
  Compiler(const CompileOptions &options, const TargetRegistry &targets,
           MLIRContext &context, ProgressCallback progress)
      : options(options), targets(targets), context(context),
        progress(progress) {}

  llvm::Expected<Report> run();

private:
  llvm::Error checkOptions();
  llvm::Error checkStop();
  llvm::Error chooseConfigs();
  std::string findNativeCpu(ArrayRef<std::string> known) const;
  llvm::Error checkCalibration();
  llvm::Error openForSamples();
  llvm::Error fixShapes(ModuleOp program);
  llvm::Error load();
  llvm::Error readPhaseAttributes();
  llvm::Error resume();
  llvm::Error writeProgram(Phase phase);
  llvm::Error compilePhases();
  llvm::Error runPhase(Phase phase);
  llvm::Error runPipeline(Phase phase,
                          llvm::function_ref<void(OpPassManager &)> build,
                          ExitCode failure = ExitCode::Unsupported);
  llvm::Error calibrateModule();
  void readFactors();
  llvm::Error collectWeightMoments();
  std::unique_ptr<ProgramRunner> createRunner() const;
  llvm::Error
  runOnSamples(llvm::function_ref<llvm::Error(ProgramRunner &)> run);
  llvm::Error transform();
  llvm::Error chooseKernels();
  llvm::Error emit();
  llvm::Error writeTier(const CompiledProgram &program);
  llvm::Error checkContract();
  llvm::Error refuse(ExitCode code, std::string text);
  llvm::Error reportRefusal(llvm::Error error);
  bool measuresAccuracy() const;
  llvm::Error checkAccuracy();
  llvm::Error checkOverrides();
  llvm::Error checkOutputName() const;
  std::string makeManifest();
  func::FuncOp getMain() { return module->lookupSymbol<func::FuncOp>("main"); }
  bool isDone(Phase phase) const {
    return options.startFrom && phase <= *options.startFrom;
  }

  const CompileOptions &options;
  const TargetRegistry &targets;
  MLIRContext &context;
  ProgressCallback progress;
  const TargetBackend *backend = nullptr;
  std::vector<TargetConfig> configs;
  CalibrationData calibrationData;
  OwningOpRef<ModuleOp> module;
  /// The imported program, kept where accuracy is measured.
  OwningOpRef<ModuleOp> floatModule;
  /// The program in the middle of `quantize`, kept where it is exported.
  OwningOpRef<ModuleOp> qdqModule;
  /// The program at the end of it, kept where accuracy is measured.
  OwningOpRef<ModuleOp> quantizedModule;
  /// True when the samples have other dims than `shapes` gives.
  bool fixesShapesLate = false;
  Report report;
};
} // namespace

/// What a phase file says of itself.
static constexpr llvm::StringLiteral kPhaseAttrName = "qopt.phase";
static constexpr llvm::StringLiteral kRecipeAttrName = "qopt.recipe";

static CodeForm getForm(EmitKind emit) {
  switch (emit) {
  case EmitKind::Shared:
  case EmitKind::Object:
    return CodeForm::Object;
  case EmitKind::LLVMIR:
    return CodeForm::LLVMIR;
  case EmitKind::Assembly:
    return CodeForm::Assembly;
  case EmitKind::QdqOnnx:
    break;
  }
  llvm_unreachable("a kind without code");
}

/// What helps with any fault of a sample.
static constexpr llvm::StringLiteral kSamplesNote =
    "a sample is one .npz, as numpy.savez writes it, with an array for each "
    "input of the model, of its name, type and dims; qopt-run MODEL.onnx "
    "--reference --describe prints these";

static std::string describe(EmitKind emit) {
  switch (emit) {
  case EmitKind::Shared:
    return "a shared library";
  case EmitKind::Object:
    return "an object file";
  case EmitKind::LLVMIR:
    return "a file of LLVM IR";
  case EmitKind::Assembly:
    return "a file of assembly";
  case EmitKind::QdqOnnx:
    return "an ONNX model";
  }
  llvm_unreachable("an unknown form");
}

llvm::Error Compiler::checkOptions() {
  backend = targets.find(options.target);
  if (!backend) {
    std::string names;
    for (const auto &known : targets.backends())
      names += (names.empty() ? "" : ", ") + known->getName().str();
    return makeError(ExitCode::BadUse, "unknown target '" + options.target +
                                           "'; the targets are " + names);
  }
  if (llvm::Error error = chooseConfigs())
    return error;
  bool isOnnx = options.emit == EmitKind::QdqOnnx;
  if (isOnnx && !options.cpus.empty())
    return makeError(ExitCode::BadUse,
                     "--emit=qdq-onnx writes a model for any machine, so --cpu "
                     "means nothing\nnote: leave one of them out");
  if (options.emit != EmitKind::Shared && !isOnnx && configs.size() != 1)
    return makeError(ExitCode::BadUse,
                     describe(options.emit) + " holds one tier, but " +
                         llvm::Twine(configs.size()) + " were named");
  if (options.startFrom && options.stopAfter &&
      *options.stopAfter <= *options.startFrom)
    return makeError(ExitCode::BadUse, "nothing is left to do from " +
                                           getName(*options.startFrom) +
                                           " to " +
                                           getName(*options.stopAfter));
  if (llvm::Error error = checkStop())
    return error;
  if (isOnnx && options.startFrom && *options.startFrom >= Phase::Quantize)
    return makeError(ExitCode::BadUse,
                     "--emit=qdq-onnx takes the program before its ops work on "
                     "codes\nnote: start from the model, or from a file of a "
                     "phase before quantize");
  if (options.startFrom && !options.shapes.empty())
    return makeError(ExitCode::BadUse,
                     "--shapes fixes dims when a model is imported, and "
                     "--start-from goes on after that\n"
                     "note: give --shapes where the phase file is made");
  if (options.accuracyGate && options.startFrom &&
      *options.startFrom > Phase::Import)
    return makeError(
        ExitCode::BadUse,
        "the accuracy gate compares with the float model; start from "
        "the model or from a file of phase import");
  for (const std::string &input : {options.model, options.calibration})
    if (!input.empty() && llvm::sys::fs::equivalent(options.output, input))
      return makeError(ExitCode::BadUse,
                       "the output '" + options.output +
                           "' is an input; name another file");
  return checkOutputName();
}

/// What ends early may not be asked for what comes later.
llvm::Error Compiler::checkStop() {
  auto refuse = [&](const llvm::Twine &flag, const llvm::Twine &why,
                    const llvm::Twine &note) {
    return makeError(ExitCode::BadUse,
                     flag + " and --stop-after=" + getName(*options.stopAfter) +
                         " exclude each other: " + why + "\nnote: " + note);
  };
  if (options.emit == EmitKind::QdqOnnx && options.failOnFallback == "slow")
    return makeError(ExitCode::BadUse,
                     "--fail-on-fallback=slow is about kernels, and "
                     "--emit=qdq-onnx makes none\n"
                     "note: give --fail-on-fallback or --fail-on-fallback=any");
  if (!options.stopAfter)
    return llvm::Error::success();
  if (options.namesCode)
    return refuse("--emit", "the program after a phase is MLIR",
                  "leave one of them out");
  if (options.accuracyGate && *options.stopAfter < Phase::Quantize)
    return refuse("--accuracy-gate", "accuracy is measured in quantize",
                  "stop after quantize or later");
  if (!options.failOnFallback.empty() && *options.stopAfter < Phase::Kernels)
    return refuse("--fail-on-fallback", "precisions are checked in kernels",
                  "stop after kernels");
  return llvm::Error::success();
}

/// Every tier once, the least demanding first.
llvm::Error Compiler::chooseConfigs() {
  SmallVector<std::string> known = backend->getCpus();
  std::vector<std::string> cpus = options.cpus;
  if (cpus.empty())
    cpus = {"native"};
  for (std::string &cpu : cpus) {
    if (cpu == "native")
      cpu = findNativeCpu(known);
    auto capabilities = backend->getCapabilities({cpu});
    if (!capabilities)
      return makeError(ExitCode::BadUse,
                       llvm::toString(capabilities.takeError()) +
                           "; known are " + llvm::join(known, ", "));
  }
  for (const std::string &cpu : known)
    if (llvm::is_contained(cpus, cpu))
      configs.push_back({cpu});
  return llvm::Error::success();
}

/// A name that promises another form is a flag that was forgotten.
llvm::Error Compiler::checkOutputName() const {
  StringRef extension = llvm::sys::path::extension(options.output);
  bool isOnnx = options.emit == EmitKind::QdqOnnx && !options.stopAfter;
  if (extension == ".onnx" && !isOnnx)
    return makeError(ExitCode::BadUse,
                     options.output + ": is the name of an ONNX model, but " +
                         describe(options.emit) +
                         " is asked for\nnote: give --emit=qdq-onnx, or a name "
                         "that does not end in .onnx");
  if (extension == ".mlir" && !options.stopAfter)
    return makeError(ExitCode::BadUse,
                     options.output +
                         ": is the name of a program of a phase, "
                         "but " +
                         describe(options.emit) +
                         " is asked for\nnote: give --stop-after=PHASE, or a "
                         "name that does not end in .mlir");
  return llvm::Error::success();
}

/// The best tier of this machine, or the target's baseline.
std::string Compiler::findNativeCpu(ArrayRef<std::string> known) const {
  std::string best = known.front();
  for (const CpuTier *tier : getNativeCpuTiers())
    if (llvm::is_contained(known, tier->name))
      best = tier->name.str();
  return best;
}

static std::string describe(const Recipe &recipe) {
  return recipe.preset.empty() ? "a recipe" : "preset '" + recipe.preset + "'";
}

/// What needs samples, and why; the note says what else can be done.
static std::string describeNeed(const Recipe &recipe) {
  auto isStatic = [&](const OverrideRecipe *rule) {
    NodePrecision asked = recipe.getPrecision(rule);
    return !asked.isFloat() && asked.params == "static";
  };
  if (isStatic(nullptr))
    return describe(recipe) +
           " has static activations and needs samples\n"
           "note: give --calib DIR, or take a dynamic preset";
  for (const OverrideRecipe &rule : recipe.overrides)
    if (isStatic(&rule))
      return "override '" + rule.pattern() +
             "' asks for static activations and needs samples\n"
             "note: give --calib DIR, or write precision: dynamic";
  return "rounding.method of " + describe(recipe) +
         " rounds weights by activations and needs samples\n"
         "note: give --calib DIR, or write method: nearest";
}

llvm::Error Compiler::checkCalibration() {
  bool isQuantized = options.startFrom && *options.startFrom >= Phase::Quantize;
  const Recipe &recipe = report.recipe;
  bool needsStatistics =
      (recipe.needsCalibration() || recipe.needsMoments()) && !isQuantized;
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

/// True when every sample has the dims of the inputs.
static bool fitSamples(func::FuncOp main, const CalibrationData &data) {
  return llvm::all_of(data.files, [&](const std::string &file) {
    auto sample = readSample(file, main);
    bool fits = static_cast<bool>(sample);
    llvm::consumeError(sample.takeError());
    return fits;
  });
}

/// Samples of other dims than --shapes gives calibrate the model as it is,
/// whose inputs get these dims when its numbers are fixed.
llvm::Error Compiler::openForSamples() {
  if (fitSamples(getMain(), calibrationData))
    return llvm::Error::success();
  ImportError error;
  auto open = importOnnxModel(options.model, context, error);
  // Where that does not help, the dims that were asked for are told of.
  if (failed(open) ||
      !fitSamples((*open)->lookupSymbol<func::FuncOp>("main"), calibrationData))
    return llvm::Error::success();
  if (options.stopAfter && *options.stopAfter < Phase::Quantize)
    return makeError(
        ExitCode::BadUse,
        "the samples have other dims than --shapes gives, so that these are "
        "fixed at the end of quantize, behind --stop-after=" +
            getName(*options.stopAfter) +
            "\nnote: stop after quantize or later, or give samples of these "
            "dims");
  module = std::move(*open);
  fixesShapesLate = true;
  return llvm::Error::success();
}

/// Gives the inputs of `program`, whose numbers are fixed, the dims of
/// --shapes.
llvm::Error Compiler::fixShapes(ModuleOp program) {
  if (llvm::Error error = fixInputShapes(
          program.lookupSymbol<func::FuncOp>("main"), options.shapes))
    return error;
  Problems problems(context, options.model, report.contract);
  PassManager pm(&context, ModuleOp::getOperationName());
  buildFollowShapesPipeline(pm);
  if (failed(pm.run(program)))
    return problems.take(ExitCode::Unsupported,
                         "cannot be fixed to the dims of --shapes");
  return llvm::Error::success();
}

/// The phase that the file at `path` says it was made by; "" for other files.
static std::string findPhaseOfFile(StringRef path) {
  if (llvm::sys::path::extension(path) != ".mlir")
    return "";
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return "";
  StringRef text = (*file)->getBuffer();
  std::string key = (kPhaseAttrName + " = \"").str();
  size_t at = text.find(key);
  if (at == StringRef::npos)
    return "";
  StringRef name = text.drop_front(at + key.size()).split('"').first;
  return findPhase(name) ? name.str() : "";
}

/// What a phase file says of itself must fit the flags.
llvm::Error Compiler::readPhaseAttributes() {
  Phase expected = *options.startFrom;
  if (auto made = (*module)->getAttrOfType<StringAttr>(kPhaseAttrName);
      made && made.getValue() != getName(expected))
    return makeError(ExitCode::BadUse,
                     options.model + ": is a file of phase " +
                         made.getValue().str() + ", not of " +
                         getName(expected).str() +
                         "\nnote: give --start-from=" + made.getValue().str());
  auto text = (*module)->getAttrOfType<StringAttr>(kRecipeAttrName);
  if (!text || (options.recipeSource != RecipeSource::Default &&
                expected == Phase::Import))
    return llvm::Error::success();
  auto recipe = parseRecipe(options.model, text.getValue());
  if (!recipe)
    return recipe.takeError();
  // `prepare` writes what is asked for on every node.
  if (options.recipeSource != RecipeSource::Default &&
      writeRecipe(options.recipe) != writeRecipe(*recipe))
    return makeError(ExitCode::BadUse,
                     options.model + ": was made from " + describe(*recipe) +
                         ", but " + describe(options.recipe) +
                         " is asked for\nnote: leave --preset and --recipe "
                         "out, or start from the model or a file of phase "
                         "import");
  report.recipe = *recipe;
  return llvm::Error::success();
}

llvm::Error Compiler::load() {
  if (options.startFrom) {
    if (llvm::sys::path::extension(options.model) == ".onnx")
      return makeError(ExitCode::BadUse,
                       options.model +
                           ": is the name of an ONNX model, but --start-from "
                           "takes a program of a phase\nnote: leave "
                           "--start-from out");
    auto read = readPhaseFile(options.model, context);
    if (!read)
      return read.takeError();
    module = std::move(*read);
    return readPhaseAttributes();
  }
  if (std::string phase = findPhaseOfFile(options.model); !phase.empty())
    return makeError(
        ExitCode::BadUse,
        options.model + ": is a program of phase " + phase +
            ", not an ONNX model\nnote: give --start-from=" + phase);
  ImportError error;
  auto imported =
      importOnnxModel(options.model, context, error, options.shapes);
  if (failed(imported))
    return makeError(error.code,
                     error.message +
                         (error.note.empty() ? "" : "\nnote: " + error.note));
  module = std::move(*imported);
  return llvm::Error::success();
}

llvm::Error
Compiler::runPipeline(Phase phase,
                      llvm::function_ref<void(OpPassManager &)> build,
                      ExitCode failure) {
  Problems problems(context, options.model, report.contract);
  PassManager pm(&context, ModuleOp::getOperationName());
  if (options.measuresErrors)
    pm.addInstrumentation(createErrorRecorder(report));
  build(pm);
  if (failed(pm.run(*module)))
    return problems.take(failure, "phase " + getName(phase) + " failed");
  return llvm::Error::success();
}

llvm::Error Compiler::calibrateModule() {
  if (!report.recipe.needsCalibration())
    return llvm::Error::success();
  RangeOptions range;
  range.percentile = report.recipe.calibration.percentile;
  if (report.recipe.calibration.range == "percentile")
    range.rule = RangeRule::Percentile;
  else if (report.recipe.calibration.range == "squared-error")
    range.rule = RangeRule::SquaredError;
  range.isPow2 =
      report.recipe.isCodePath() && report.recipe.rounding.activation == "ceil";
  return runOnSamples([&](ProgramRunner &runner) {
    return calibrate(*module, calibrationData, range, runner,
                     options.calibrationCache);
  });
}

/// What the compilation of a program reported says more than that it failed.
static llvm::Error orWhatWasReported(llvm::Error error, Problems &problems) {
  if (!error || problems.empty())
    return error;
  ExitCode code;
  std::string text = takeMessage(std::move(error), code);
  return problems.take(code, text);
}

/// Runs the program on the samples.
llvm::Error
Compiler::runOnSamples(llvm::function_ref<llvm::Error(ProgramRunner &)> run) {
  Problems problems(context, options.model, report.contract);
  return withNote(orWhatWasReported(run(*createRunner()), problems),
                  ExitCode::BadData, kSamplesNote);
}

llvm::Error Compiler::collectWeightMoments() {
  if (!report.recipe.needsMoments())
    return llvm::Error::success();
  RowWeight weight = report.recipe.rounding.momentWeight == "none"
                         ? RowWeight::None
                         : RowWeight::InverseSquare;
  return runOnSamples([&](ProgramRunner &runner) {
    return collectMoments(*module, calibrationData.fitted(), weight, runner);
  });
}

/// Takes what transforms say of themselves into the report.
void Compiler::readFactors() {
  getMain().walk([&](Operation *op) {
    auto row =
        dyn_cast_or_null<DictionaryAttr>(op->removeAttr(kFactorsAttrName));
    if (!row)
      return;
    auto text = [&](StringRef name) {
      auto attr = row.getAs<StringAttr>(name);
      return attr ? attr.str() : std::string();
    };
    auto number = [&](StringRef name) {
      auto attr = row.getAs<FloatAttr>(name);
      return attr ? attr.getValueAsDouble() : 0;
    };
    auto name = op->getLoc()->findInstanceOf<NameLoc>();
    report.rescaled.push_back(
        {name ? name.getName().str() : "", text("transform"), text("rule"),
         static_cast<float>(number("smallest")),
         static_cast<float>(number("largest")), number("gain_db")});
  });
}

/// Compiled code where it runs here.
std::unique_ptr<ProgramRunner> Compiler::createRunner() const {
  auto native = getNativeCpuTiers();
  if (options.calibrateWithReference || native.empty() ||
      !llvm::is_contained(backend->getCpus(), native.back()->name))
    return createReferenceRunner();
  return createCompiledRunner(*backend, native.back()->name);
}

llvm::Error Compiler::transform() {
  if (report.recipe.isFloat())
    return llvm::Error::success();
  if (llvm::Error error = runPipeline(Phase::Transform, [&](OpPassManager &pm) {
        buildTransformPipeline(pm, report.recipe);
      }))
    return error;
  // What a transform dropped is collected again.
  return calibrateModule();
}

/// Copies @main into a variant for each machine and writes on every kernel what
/// will run it there.
llvm::Error Compiler::chooseKernels() {
  OpBuilder builder(&context);
  builder.setInsertionPointToEnd(module->getBody());
  func::FuncOp main = getMain();
  for (const TargetConfig &config : configs) {
    auto variant = kernel::VariantOp::create(
        builder, module->getLoc(), config.cpu,
        kernel::TargetAttr::get(&context, backend->getName(), config.cpu));
    Block &block = variant.getBody().emplaceBlock();
    OpBuilder inner = OpBuilder::atBlockBegin(&block);
    auto copy = cast<func::FuncOp>(inner.clone(*main));
    backend->splitKernels(copy, config);
    copy.walk([&](Operation *op) {
      bool isInBody = op->getParentOp() && kernel::isKernel(op->getParentOp());
      if (isInBody || isa<ConstantOp>(op) ||
          (!kernel::isKernel(op) && op->getDialect()->getNamespace() != "qopt"))
        return;
      KernelChoice choice = backend->selectKernel(op, config);
      op->setAttr(
          kernel::getKernelNameAttrName(op),
          builder.getStringAttr(choice.name.empty() ? "generic" : choice.name));
      if (!choice.reason.empty())
        op->setAttr(kernel::getReasonAttrName(op),
                    builder.getStringAttr(choice.reason));
    });
  }
  return llvm::Error::success();
}

/// Why an override matches nothing, and what may have been meant.
static std::string describeMismatch(const OverrideRecipe &rule,
                                    ArrayRef<ContractRow> rows) {
  bool isOperator = rule.nodes.empty();
  StringRef pattern = isOperator ? rule.ops : rule.nodes;
  std::string text = "override '" + rule.pattern() + "' matches no node";
  OverrideRecipe byName = rule;
  byName.ops.clear();
  StringRef part, nearest;
  unsigned least = std::max<size_t>(2, pattern.size() / 3) + 1;
  for (const ContractRow &row : rows) {
    if (!isOperator && byName.matches(row.node, row.op))
      return text + " of operator '" + rule.ops + "': node \"" + row.node +
             "\" is of " + row.op;
    StringRef name = isOperator ? row.op : row.node;
    if (part.empty() && llvm::Regex(pattern).match(name))
      part = name;
    if (unsigned distance = pattern.edit_distance(name); distance < least) {
      least = distance;
      nearest = name;
    }
  }
  if (!part.empty())
    return text + ", only a part of '" + part.str() +
           "'\nnote: a pattern matches whole names; write .* where anything "
           "may "
           "stand";
  return text + (nearest.empty()
                     ? "\nnote: --report DIR, without the override, "
                       "lists the names of all nodes"
                     : "; did you mean '" + nearest.str() + "'?");
}

/// Every override must match a node: a typing error would go unnoticed.
llvm::Error Compiler::checkOverrides() {
  for (const OverrideRecipe &rule : report.recipe.overrides) {
    OverrideMatch match;
    match.pattern = rule.pattern();
    for (const ContractRow &row : report.contract.getRows())
      if (rule.matches(row.node, row.op))
        match.nodes.push_back(row.id);
    if (match.nodes.empty())
      return makeError(ExitCode::BadUse,
                       describeMismatch(rule, report.contract.getRows()));
    report.overrides.push_back(std::move(match));
  }
  return llvm::Error::success();
}

llvm::Error Compiler::runPhase(Phase phase) {
  switch (phase) {
  case Phase::Import:
    return checkOverrides();
  case Phase::Prepare:
    if (llvm::Error error = runPipeline(phase, [&](OpPassManager &pm) {
          buildPreparePipeline(pm, report.recipe);
        }))
      return error;
    report.contract.readPlan(getMain(), report.recipe, getName(phase));
    return llvm::Error::success();
  case Phase::Calibrate:
    return calibrateModule();
  case Phase::Transform:
    return transform();
  case Phase::Quantize: {
    warnOfStatistics(*module, report.warnings);
    readFactors();
    if (llvm::Error error = collectWeightMoments())
      return error;
    if (llvm::Error error = runPipeline(phase, [&](OpPassManager &pm) {
          buildInsertQuantizersPipeline(pm, report.recipe);
        }))
      return error;
    if (options.emit == EmitKind::QdqOnnx)
      qdqModule = module->clone();
    if (llvm::Error error = runPipeline(phase, [&](OpPassManager &pm) {
          buildFormCodesPipeline(pm, report.recipe);
        }))
      return error;
    if (floatModule)
      quantizedModule = module->clone();
    if (fixesShapesLate)
      for (ModuleOp program : {*module, qdqModule.get()})
        if (program)
          if (llvm::Error error = fixShapes(program))
            return error;
    report.contract.readPlan(getMain(), report.recipe, getName(phase));
    report.contract.readResult(getMain(), getName(phase));
    if (floatModule)
      if (llvm::Error error = checkAccuracy())
        return error;
    return qdqModule ? checkContract() : llvm::Error::success();
  }
  case Phase::Fuse:
    return runPipeline(phase,
                       [&](OpPassManager &pm) { buildFusePipeline(pm); });
  case Phase::Kernels:
    if (llvm::Error error = chooseKernels())
      return error;
    if (llvm::Error error = runPipeline(phase, [](OpPassManager &pm) {
          pm.addPass(createVerifyKernelsPass());
        }))
      return error;
    report.contract.readKernels(*module);
    return checkContract();
  case Phase::Target:
  case Phase::Emit:
    break;
  }
  return llvm::Error::success();
}

/// True where both programs are to run on samples: for the gate, and for the
/// user to see what became of the outputs of a model that is quantized here.
bool Compiler::measuresAccuracy() const {
  if (calibrationData.files.empty())
    return false;
  return options.accuracyGate ||
         (!report.recipe.isFloat() && !isDone(Phase::Import));
}

/// Runs the float and the quantized program on the samples that nothing was
/// fitted to, or on those that there are.
llvm::Error Compiler::checkAccuracy() {
  PassManager pm(&context, ModuleOp::getOperationName());
  buildPreparePipeline(pm, Recipe());
  buildQuantizePipeline(pm, Recipe());
  if (failed(pm.run(*floatModule)))
    return makeError(ExitCode::Unsupported,
                     options.model + ": the float program cannot be prepared");
  const Recipe &recipe = report.recipe;
  bool isFitting = recipe.needsCalibration() || recipe.needsMoments();
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
    return orWhatWasReported(measured.takeError(), problems);
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

llvm::Error Compiler::checkContract() {
  if (options.failOnFallback.empty())
    return llvm::Error::success();
  auto breaches = report.contract.findBreaches(options.failOnFallback);
  if (breaches.empty())
    return llvm::Error::success();
  std::string text = llvm::sys::path::filename(options.model).str() + ": " +
                     std::to_string(breaches.size()) +
                     " nodes break the precision contract (" +
                     options.failOnFallback + ")";
  for (const ContractRow *row : breaches)
    text += "\n  node \"" + row->node + "\" (" + row->op + "): asked " +
            row->asked + ", planned " + row->planned + ", realised " +
            row->realised + " by " + row->kernel +
            (row->reason.empty() ? "" : ": " + row->reason);
  text += "\nnote: give these nodes another precision in a recipe's overrides";
  return refuse(ExitCode::Unsupported, text);
}

static constexpr int kManifestVersion = 1;

/// What the artefact says of itself: nothing that differs from run to run.
std::string Compiler::makeManifest() {
  llvm::json::Array cpus;
  for (const TargetConfig &config : configs)
    cpus.push_back(config.cpu);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(
      llvm::json::Object{{"version", kManifestVersion},
                         {"qopt", getVersion()},
                         {"preset", report.recipe.preset},
                         {"recipe", writeRecipe(report.recipe)},
                         {"target", options.target},
                         {"cpus", std::move(cpus)},
                         {"contract", report.contract.toJson()}});
  return text;
}

/// Writes the code of the one tier asked for. A file of phase kernels has tiers
/// of its own.
llvm::Error Compiler::writeTier(const CompiledProgram &program) {
  StringRef cpu = configs.front().cpu;
  auto variant =
      llvm::find_if(program.variants, [&](const CompiledVariant &variant) {
        return variant.cpu == cpu;
      });
  if (variant != program.variants.end())
    return writeFileAtomically(options.output,
                               {variant->bytes.data(), variant->bytes.size()});
  auto cpus =
      llvm::map_range(program.variants, [](const CompiledVariant &variant) {
        return StringRef(variant.cpu);
      });
  return makeError(ExitCode::BadUse, options.model + ": has no kernels for " +
                                         cpu + ", only for " +
                                         llvm::join(cpus, ", "));
}

llvm::Error Compiler::emit() {
  Problems problems(context, options.model, report.contract);
  if (options.emit == EmitKind::QdqOnnx) {
    auto bytes = exportOnnxModel(
        *qdqModule, {{{"qopt.recipe", writeRecipe(report.recipe)}}});
    if (failed(bytes))
      return problems.take(ExitCode::Unsupported, "the export failed");
    return writeFileAtomically(options.output, *bytes);
  }
  for (TargetConfig &config : configs)
    config.form = getForm(options.emit);
  auto program = backend->compile(*module, configs);
  if (failed(program))
    return problems.take(ExitCode::Unsupported, "code generation failed");
  if (options.emit != EmitKind::Shared)
    return writeTier(*program);
  return writeSharedLibrary(getMain(), *program,
                            llvm::sys::path::filename(options.model),
                            makeManifest(), options.output);
}

/// Checks the form of a phase file, and reads from it what the phases that made
/// it would have told the contract.
llvm::Error Compiler::resume() {
  Phase phase = *options.startFrom;
  if (llvm::Error error = runPipeline(
          phase, [&](OpPassManager &pm) { buildVerifyPipeline(pm, phase); },
          ExitCode::BadData))
    return error;
  if (phase < Phase::Prepare)
    return llvm::Error::success();
  OwningOpRef<ModuleOp> copy = module->clone();
  PassManager pm(&context, ModuleOp::getOperationName());
  // Kernels hide the ops that the contract reads.
  pm.addPass(createDecomposeKernelsPass());
  if (failed(pm.run(*copy)))
    return makeError(ExitCode::BadData,
                     options.model + ": its kernels cannot be taken apart");
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  report.contract.readPlan(main, report.recipe, getName(phase));
  if (phase >= Phase::Quantize)
    report.contract.readResult(main, getName(phase));
  if (phase < Phase::Kernels)
    return llvm::Error::success();
  report.contract.readKernels(*module);
  return checkContract();
}

/// The program as a file that says which phase made it from which recipe.
llvm::Error Compiler::writeProgram(Phase phase) {
  Builder builder(&context);
  (*module)->setAttr(kPhaseAttrName, builder.getStringAttr(getName(phase)));
  (*module)->setAttr(kRecipeAttrName,
                     builder.getStringAttr(writeRecipe(report.recipe)));
  return writePhaseFile(*module, options.output);
}

llvm::Error Compiler::compilePhases() {
  report.contract.start(*module);
  if (measuresAccuracy())
    floatModule = module->clone();
  if (options.startFrom)
    if (llvm::Error error = resume())
      return error;
  for (Phase phase :
       {Phase::Import, Phase::Prepare, Phase::Calibrate, Phase::Transform,
        Phase::Quantize, Phase::Fuse, Phase::Kernels}) {
    if (isDone(phase))
      continue;
    // What comes later is for machines.
    if (phase > Phase::Quantize && options.emit == EmitKind::QdqOnnx &&
        !options.stopAfter)
      break;
    if (progress)
      progress(getName(phase));
    auto begin = std::chrono::steady_clock::now();
    if (llvm::Error error = runPhase(phase))
      return error;
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - begin;
    report.costs.push_back({getName(phase).str(), seconds.count()});
    if (options.stopAfter == phase)
      return writeProgram(phase);
  }
  if (progress)
    progress(getName(Phase::Emit));
  auto begin = std::chrono::steady_clock::now();
  if (llvm::Error error = emit())
    return error;
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  report.costs.push_back({getName(Phase::Emit).str(), seconds.count()});
  return llvm::Error::success();
}

/// A refused program is reported as any other. What an earlier run left would
/// stand beside a report that is not its own.
llvm::Error Compiler::reportRefusal(llvm::Error error) {
  if (report.refusal.empty() || options.reportFolder.empty())
    return error;
  if (llvm::sys::fs::is_regular_file(options.output))
    llvm::sys::fs::remove(options.output);
  return llvm::joinErrors(std::move(error), report.write(options.reportFolder));
}

/// An error for a program that breaks what its user asked to keep.
llvm::Error Compiler::refuse(ExitCode code, std::string text) {
  report.refusal = text;
  return makeError(code, text);
}

llvm::Expected<Report> Compiler::run() {
  report.model = options.model;
  report.target = options.target;
  report.recipe = options.recipe;
  // A message names the node; the whole op may be pages of statistics.
  context.printOpOnDiagnostic(false);
  if (llvm::Error error = checkOptions())
    return std::move(error);
  if (options.emit == EmitKind::QdqOnnx)
    report.target = "onnx";
  else
    for (const TargetConfig &config : configs)
      report.tiers.push_back(config.cpu);
  if (llvm::Error error = load())
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
  return Compiler(options, targets, context, progress).run();
}
