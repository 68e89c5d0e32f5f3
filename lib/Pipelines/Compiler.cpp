//===- Compiler.cpp - From a model to an artefact -------------------------===//
//
// Runs the phases in order. What a phase reports through MLIR's diagnostics
// becomes one message that names the file and the node.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Compiler.h"
#include "ArtefactWriter.h"
#include "CompiledRunner.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Emit/CpuTier.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/Pipelines/PhaseFiles.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
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
      : options(options), targets(targets), context(context), progress(progress) {}

  llvm::Expected<Report> run();

private:
  llvm::Error checkOptions();
  llvm::Error load();
  llvm::Error compilePhases();
  llvm::Error runPhase(Phase phase);
  llvm::Error runPipeline(Phase phase,
                          llvm::function_ref<void(OpPassManager &)> build);
  llvm::Error calibrateModule();
  llvm::Error transform();
  llvm::Error chooseKernels();
  llvm::Error emit();
  llvm::Error checkContract();
  llvm::Error checkOverrides();
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
  OwningOpRef<ModuleOp> module;
  Report report;
};
} // namespace

/// `model.onnx: node "/x/MatMul": ` for a location that knows its node.
static std::string describeLocation(StringRef model, Location loc) {
  std::string text = llvm::sys::path::filename(model).str() + ": ";
  if (auto name = loc->findInstanceOf<NameLoc>())
    text += "node \"" + name.getName().str() + "\": ";
  return text;
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
  std::vector<std::string> cpus = options.cpus;
  SmallVector<std::string> known = backend->getCpus();
  if (cpus.empty() || cpus == std::vector<std::string>{"native"}) {
    cpus.clear();
    if (options.target == "x86-64")
      for (const CpuTier *tier : getNativeCpuTiers())
        cpus = {tier->name.str()};
    if (cpus.empty())
      cpus = {known.front()};
  }
  for (const std::string &cpu : cpus) {
    auto capabilities = backend->getCapabilities({cpu});
    if (!capabilities)
      return makeError(ExitCode::BadUse,
                       llvm::toString(capabilities.takeError()) + "; known are " +
                           llvm::join(known, ", "));
    configs.push_back({cpu});
  }
  if (options.recipe.needsCalibration() && options.calibration.empty() &&
      !(options.startFrom && *options.startFrom >= Phase::Quantize))
    return makeError(ExitCode::BadUse,
                     "preset '" + options.recipe.preset +
                         "' has static activations and needs samples; give "
                         "--calib, or take a dynamic preset");
  if (!options.output.empty() &&
      llvm::sys::fs::equivalent(options.output, options.model))
    return makeError(ExitCode::BadUse, "the output '" + options.output +
                                           "' is the input; name another file");
  return llvm::Error::success();
}

llvm::Error Compiler::load() {
  if (options.startFrom) {
    auto read = readPhaseFile(options.model, context);
    if (!read)
      return read.takeError();
    module = std::move(*read);
    if (!getMain())
      return makeError(ExitCode::BadData,
                       options.model + ": expects a function @main");
    return llvm::Error::success();
  }
  ImportError error;
  auto imported = importOnnxModel(options.model, context, error);
  if (failed(imported))
    return makeError(error.code, error.message + (error.note.empty()
                                                      ? ""
                                                      : "\nnote: " + error.note));
  module = std::move(*imported);
  return llvm::Error::success();
}

llvm::Error
Compiler::runPipeline(Phase phase,
                      llvm::function_ref<void(OpPassManager &)> build) {
  std::string problems;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return success();
    llvm::raw_string_ostream os(problems);
    os << (problems.empty() ? "" : "\n")
       << describeLocation(options.model, diagnostic.getLocation()) << diagnostic;
    for (Diagnostic &note : diagnostic.getNotes())
      os << "\nnote: " << note;
    return success();
  });
  PassManager pm(&context, ModuleOp::getOperationName());
  build(pm);
  if (failed(pm.run(*module)))
    return makeError(ExitCode::Unsupported,
                     problems.empty() ? options.model + ": phase " +
                                            getName(phase).str() + " failed"
                                      : problems);
  return llvm::Error::success();
}

llvm::Error Compiler::calibrateModule() {
  if (!options.recipe.needsCalibration())
    return llvm::Error::success();
  auto data = CalibrationData::find(options.calibration);
  if (!data)
    return data.takeError();
  RangeOptions range;
  range.percentile = options.recipe.calibration.percentile;
  if (options.recipe.calibration.range == "percentile")
    range.rule = RangeRule::Percentile;
  else if (options.recipe.calibration.range == "squared-error")
    range.rule = RangeRule::SquaredError;
  bool runsHere = options.target == "x86-64" && !options.calibrateWithReference;
  std::unique_ptr<ProgramRunner> runner =
      runsHere ? createCompiledRunner(*backend, getNativeCpuTiers().back()->name)
               : createReferenceRunner();
  return calibrate(*module, *data, range, *runner);
}

llvm::Error Compiler::transform() {
  if (options.recipe.isFloat())
    return llvm::Error::success();
  if (llvm::Error error = runPipeline(Phase::Transform, [&](OpPassManager &pm) {
        buildTransformPipeline(pm, options.recipe);
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
    copy.walk([&](Operation *op) {
      bool isInBody = op->getParentOp() && kernel::isKernel(op->getParentOp());
      if (isInBody || isa<ConstantOp>(op) ||
          (!kernel::isKernel(op) &&
           op->getDialect()->getNamespace() != "qopt"))
        return;
      KernelChoice choice = backend->selectKernel(op, config);
      op->setAttr("kernel", builder.getStringAttr(
                                choice.name.empty() ? "generic" : choice.name));
      if (!choice.reason.empty())
        op->setAttr("reason", builder.getStringAttr(choice.reason));
    });
  }
  return llvm::Error::success();
}

/// Every override must match a node: a typing error would go unnoticed.
llvm::Error Compiler::checkOverrides() {
  for (const OverrideRecipe &rule : options.recipe.overrides) {
    llvm::Regex regex(rule.nodes);
    StringRef nearest;
    unsigned least = ~0u;
    bool matches = false;
    for (const ContractRow &row : report.contract.getRows()) {
      matches |= regex.match(row.node);
      unsigned distance = StringRef(rule.nodes).edit_distance(row.node);
      if (distance < least) {
        least = distance;
        nearest = row.node;
      }
    }
    if (!matches)
      return makeError(ExitCode::BadUse, "override '" + rule.nodes +
                                             "' matches no node; did you mean '" +
                                             nearest + "'?");
  }
  return llvm::Error::success();
}

llvm::Error Compiler::runPhase(Phase phase) {
  switch (phase) {
  case Phase::Import:
    report.contract.start(*module, options.recipe.preset);
    return checkOverrides();
  case Phase::Prepare:
    return runPipeline(phase, [&](OpPassManager &pm) {
      buildPreparePipeline(pm, options.recipe);
    });
  case Phase::Calibrate:
    return calibrateModule();
  case Phase::Transform:
    return transform();
  case Phase::Quantize: {
    if (llvm::Error error = runPipeline(phase, [&](OpPassManager &pm) {
          buildQuantizePipeline(pm, options.recipe);
        }))
      return error;
    report.contract.readPlan(*module);
    report.contract.readResult(*module, getName(Phase::Quantize));
    return llvm::Error::success();
  }
  case Phase::Fuse:
    return runPipeline(phase, [&](OpPassManager &pm) { buildFusePipeline(pm); });
  case Phase::Kernels:
    if (llvm::Error error = chooseKernels())
      return error;
    report.contract.readKernels(*module);
    return checkContract();
  case Phase::Target:
  case Phase::Emit:
    break;
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
    text += "\n  node \"" + row->node + "\" (" + row->op + "): asked " + row->asked +
            ", planned " + row->planned + ", realised " + row->realised + " by " +
            row->kernel + (row->reason.empty() ? "" : ": " + row->reason);
  text += "\nnote: give these nodes another precision in a recipe's overrides";
  return makeError(ExitCode::Unsupported, text);
}

/// What the artefact says of itself: nothing that differs from run to run.
std::string Compiler::makeManifest() {
  llvm::json::Array cpus;
  for (const TargetConfig &config : configs)
    cpus.push_back(config.cpu);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(llvm::json::Object{
      {"version", kReportVersion},
      {"qopt", getVersion()},
      {"recipe", writeRecipe(options.recipe)},
      {"target", options.target},
      {"cpus", std::move(cpus)},
      {"contract", report.contract.toJson()}});
  return text;
}

llvm::Error Compiler::emit() {
  std::string problems;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems)
        << (problems.empty() ? "" : "\n")
        << describeLocation(options.model, diagnostic.getLocation()) << diagnostic;
    return success();
  });
  auto program = backend->compile(*module, configs);
  if (failed(program))
    return makeError(ExitCode::Unsupported,
                     problems.empty() ? "code generation failed" : problems);
  if (options.emit == EmitKind::Object) {
    const CompiledVariant &variant = program->variants.back();
    return writeFileAtomically(options.output,
                               {variant.bytes.data(), variant.bytes.size()});
  }
  return writeSharedLibrary(getMain(), *program,
                            llvm::sys::path::filename(options.model),
                            makeManifest(), options.output);
}

llvm::Error Compiler::compilePhases() {
  for (Phase phase : {Phase::Import, Phase::Prepare, Phase::Calibrate,
                      Phase::Transform, Phase::Quantize, Phase::Fuse,
                      Phase::Kernels}) {
    if (isDone(phase) && phase != Phase::Import)
      continue;
    if (progress)
      progress(getName(phase));
    auto begin = std::chrono::steady_clock::now();
    if (llvm::Error error = runPhase(phase))
      return error;
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    report.costs.push_back({getName(phase).str(), seconds.count()});
    if (options.stopAfter == phase)
      return writePhaseFile(*module, options.output);
  }
  if (progress)
    progress(getName(Phase::Emit));
  auto begin = std::chrono::steady_clock::now();
  if (llvm::Error error = emit())
    return error;
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  report.costs.push_back({getName(Phase::Emit).str(), seconds.count()});
  return llvm::Error::success();
}

llvm::Expected<Report> Compiler::run() {
  report.model = options.model;
  report.target = options.target;
  report.recipe = options.recipe;
  if (llvm::Error error = checkOptions())
    return std::move(error);
  for (const TargetConfig &config : configs)
    report.tiers.push_back(config.cpu);
  if (llvm::Error error = load())
    return std::move(error);
  if (llvm::Error error = compilePhases())
    return std::move(error);
  uint64_t size = 0;
  if (!options.output.empty() && !llvm::sys::fs::file_size(options.output, size))
    report.artefactBytes = size;
  if (!options.reportFolder.empty())
    if (llvm::Error error = report.write(options.reportFolder))
      return std::move(error);
  return report;
}

llvm::Expected<Report> qopt::compile(const CompileOptions &options,
                                     const TargetRegistry &targets,
                                     MLIRContext &context,
                                     ProgressCallback progress) {
  return Compiler(options, targets, context, progress).run();
}
