//===- CompileDriver.cpp - The command qopt-compile -----------------------===//
//
// Flags are copied into a struct before anything is compiled: linking resets
// every option of the process.
//
//===----------------------------------------------------------------------===//

#include "qopt/Driver/CompileDriver.h"

#include "CommandLine.h"
#include "CrashGuard.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllTargets.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Version.h"
#include "qopt/Target/TargetPlugin.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
namespace cl = llvm::cl;

namespace {
/// The options of one call, as LLVM's parser fills them.
struct Flags {
  cl::OptionCategory category{"qopt-compile options"};
  cl::opt<std::string> model{cl::Positional, cl::desc("MODEL.onnx"),
                             cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("output file"),
                              cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> preset{"preset",
                              cl::desc("named precision policy (fp32)"),
                              cl::value_desc("NAME"), cl::cat(category)};
  cl::opt<std::string> effort{
      "effort", cl::value_desc("LEVEL"), cl::cat(category),
      cl::desc("methods that a preset takes: fast, default or best")};
  cl::opt<std::string> recipe{"recipe", cl::desc("recipe file (YAML)"),
                              cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> calib{
      "calib", cl::desc("calibration samples: an .npz or a folder"),
      cl::value_desc("PATH"), cl::cat(category)};
  cl::opt<std::string> calibCache{
      "calib-cache", cl::value_desc("DIR"), cl::cat(category),
      cl::desc("keep statistics here, and take those of the same program and "
               "samples")};
  cl::opt<std::string> target{
      "target", cl::cat(category),
      cl::desc("machine to compile for (the first of CPUs that is here)")};
  cl::list<std::string> loadTargets{"load-target", cl::value_desc("PLUGIN.so"),
                                    cl::cat(category),
                                    cl::desc("add the targets of a library")};
  cl::list<std::string> cpus{"cpu",
                             cl::desc("tiers or devices, best last (native)"),
                             cl::CommaSeparated, cl::cat(category)};
  cl::opt<std::string> emit{"emit", cl::desc(kEmitForms), cl::init("shared"),
                            cl::cat(category)};
  cl::opt<std::string> shapes{
      "shapes", cl::value_desc("NAME:DIMS,..."), cl::cat(category),
      cl::desc("compile for inputs of these dims only, as in x:1x3x224x224; ? "
               "keeps a dim open")};
  cl::list<std::string> states{
      "state", cl::value_desc("OUTPUT=INPUT"), cl::cat(category),
      cl::desc("this output feeds that input of the next run: a run may keep "
               "it (present... and past... are found by their names)")};
  cl::opt<std::string> capacity{
      "capacity", cl::value_desc("N"), cl::cat(category),
      cl::desc("what the length of states may grow to, where a run says "
               "nothing")};
  cl::opt<std::string> report{
      "report", cl::desc("folder for report.json and report.html"),
      cl::value_desc("DIR"), cl::cat(category)};
  cl::opt<std::string> fallback{
      "fail-on-fallback", cl::ValueOptional, cl::value_desc("LEVEL"),
      cl::desc(
          "refuse a realised precision other than planned; LEVEL any: other "
          "than asked; slow: also generic kernels"),
      cl::cat(category)};
  cl::opt<std::string> gate{
      "accuracy-gate", cl::value_desc("EXPR"),
      cl::desc("refuse outputs that are further from the float model's on the "
               "calibration samples: cosine>=0.99, sqnr>=20 or max-error<=0.1"),
      cl::cat(category)};
  cl::opt<std::string> stopAfter{"stop-after", cl::value_desc("PHASE"),
                                 cl::desc("write the program after this phase"),
                                 cl::cat(category)};
  cl::opt<std::string> startFrom{"start-from", cl::value_desc("PHASE"),
                                 cl::desc("the input is a file of this phase"),
                                 cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print the report as JSON"),
                     cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("print nothing but errors"),
                      cl::cat(category)};
  cl::opt<bool> verbose{"verbose", cl::desc("print each phase"),
                        cl::cat(category)};
  cl::opt<bool> reference{"calibrate-with-reference",
                          cl::desc("calibrate without compiled code"),
                          cl::cat(category)};
  cl::opt<bool> listPresets{"list-presets", cl::desc("print all presets"),
                            cl::cat(category)};
  cl::opt<bool> listTargets{"list-targets",
                            cl::desc("print targets and what runs here"),
                            cl::cat(category)};
  cl::opt<std::string> listOperators{
      "list-operators", cl::ValueOptional, cl::value_desc("markdown"),
      cl::desc("print the ONNX operators that are imported"),
      cl::cat(category)};
  cl::opt<bool> dumpRecipe{"dump-recipe", cl::desc("print the recipe in force"),
                           cl::cat(category)};
  cl::opt<bool> listRecipeKeys{
      "list-recipe-keys", cl::cat(category),
      cl::desc("print all keys of a recipe file, with values and examples")};
  cl::extrahelp environment{kEnvironmentHelp};
};

/// What converters and benchmarks of other projects call these.
constexpr FlagAlias kAliases[] = {{"output", "o"},
                                  {"out", "o"},
                                  {"output-file", "o"},
                                  {"input-shape", "shapes"},
                                  {"input-shapes", "shapes"},
                                  {"shape", "shapes"},
                                  {"calibration", "calib"},
                                  {"calibration-data", "calib"},
                                  {"calib-data", "calib"},
                                  {"dataset", "calib"},
                                  {"precision", "preset"},
                                  {"quantize", "preset"},
                                  {"quant", "preset"},
                                  {"dtype", "preset"},
                                  {"int8", "preset"},
                                  {"fp16", "preset"},
                                  {"config", "recipe"},
                                  {"march", "cpu"},
                                  {"mcpu", "cpu"},
                                  {"device", "target"},
                                  {"list-ops", "list-operators"}};

/// What main needs besides the compiler's own options.
struct Command {
  CompileOptions options;
  std::vector<std::string> plugins;
  bool json, quiet, verbose, listPresets, listTargets, dumpRecipe,
      listRecipeKeys;
  /// `text` or `markdown`; empty: not asked for.
  std::string listOperators;
  /// True when something is printed and nothing compiled.
  bool isQuestion() const {
    return listPresets || listTargets || dumpRecipe || listRecipeKeys ||
           !listOperators.empty();
  }
};
} // namespace

/// LLVM's libraries register developers' options, some under names of ours
/// (`stop-after`). They make way before our own are registered.
static void renameOptionsOfLibraries() {
  static constexpr llvm::StringLiteral taken[] = {
      "stop-after", "start-from", "target",  "cpu",    "emit",  "report",
      "json",       "quiet",      "verbose", "recipe", "preset"};
  auto &registered = cl::getRegisteredOptions();
  for (llvm::StringRef name : taken)
    if (auto it = registered.find(name); it != registered.end()) {
      static llvm::BumpPtrAllocator names;
      it->second->setArgStr(llvm::StringRef("llvm-" + name.str()).copy(names));
    }
}

static llvm::Error readFlags(const Flags &flags, Command &command) {
  CompileOptions &options = command.options;
  options.model = flags.model;
  options.output = flags.output;
  options.recipe = llvm::cantFail(getPreset("fp32"));
  // --emit=mlir leaves a phase that was named alone, so it comes behind it.
  for (const cl::opt<std::string> *flag :
       {&flags.preset, &flags.effort, &flags.recipe, &flags.calib,
        &flags.calibCache, &flags.target, &flags.report, &flags.fallback,
        &flags.gate, &flags.stopAfter, &flags.startFrom, &flags.shapes,
        &flags.capacity, &flags.emit})
    if (flag->getNumOccurrences())
      if (llvm::Error error =
              setOption(options, flag->ArgStr, flag->getValue()))
        return error;
  for (const std::string &state : flags.states)
    if (llvm::Error error = setOption(options, "state", state))
      return error;
  options.cpus.assign(flags.cpus.begin(), flags.cpus.end());
  options.calibrateWithReference = flags.reference;
  options.measuresErrors = flags.json || !flags.report.empty();
  command.plugins.assign(flags.loadTargets.begin(), flags.loadTargets.end());
  command.json = flags.json;
  command.quiet = flags.quiet;
  command.verbose = flags.verbose;
  command.listPresets = flags.listPresets;
  command.listTargets = flags.listTargets;
  command.dumpRecipe = flags.dumpRecipe;
  command.listRecipeKeys = flags.listRecipeKeys;
  if (flags.listOperators.getNumOccurrences())
    command.listOperators =
        flags.listOperators.empty() ? "text" : flags.listOperators.getValue();
  if (command.isQuestion())
    return llvm::Error::success();
  if (flags.quiet && flags.verbose)
    return makeError(ExitCode::BadUse,
                     "--quiet and --verbose exclude each other\n"
                     "note: give one of them");
  if (options.model.empty())
    return makeError(ExitCode::BadUse,
                     "no model was named\n"
                     "note: qopt-compile MODEL.onnx -o MODEL.so --preset NAME");
  if (options.output.empty())
    return makeError(ExitCode::BadUse, "no output was named; give -o FILE");
  return llvm::Error::success();
}

static void printTargets(const TargetRegistry &targets, bool isJson) {
  if (isJson) {
    llvm::outs() << llvm::formatv("{0:2}\n",
                                  llvm::json::Value(targets.describe()));
    return;
  }
  for (const auto &backend : targets.backends())
    for (const Machine &machine : backend->getMachines()) {
      Presence presence = backend->findHere(machine);
      llvm::outs() << backend->getName() << " " << machine.name << ": "
                   << (presence ? "runs here" : "compiles, does not run here")
                   << (presence.detail.empty() ? "" : ": ") << presence.detail
                   << "\n";
    }
}

static llvm::Error printOperators(llvm::StringRef form) {
  if (form == "markdown")
    llvm::outs() << documentOperators();
  else if (form != "text")
    return makeError(ExitCode::BadUse,
                     "--list-operators expects markdown or nothing, but found "
                     "'" +
                         form + "'");
  else
    for (const ImportedOperator &row : importedOperators())
      llvm::outs() << llvm::formatv("{0,-22} opset {1}{2}{3}\n", row.name,
                                    row.sinceOpset,
                                    row.limits.empty() ? "" : ": ", row.limits);
  return llvm::Error::success();
}

namespace {
/// Tells of the phases: each on a line of its own where all are asked for, else
/// on one line of a terminal, which is gone at the end.
class Progress {
public:
  explicit Progress(const Command &command)
      : printsAll(command.verbose),
        isOneLine(!command.quiet && !command.verbose &&
                  llvm::errs().is_displayed()) {}
  ~Progress() {
    if (isOneLine)
      llvm::errs() << kClearLine;
  }
  void tell(llvm::StringRef phase) const {
    if (printsAll)
      llvm::errs() << "qopt-compile: " << phase << "\n";
    else if (isOneLine)
      llvm::errs() << kClearLine << "qopt-compile: " << phase << " ...";
  }

private:
  static constexpr llvm::StringLiteral kClearLine = "\r\x1b[K";
  bool printsAll, isOneLine;
};
} // namespace

static llvm::Expected<Report> compileWithProgress(const Command &command,
                                                  const TargetRegistry &targets,
                                                  mlir::MLIRContext &context) {
  Progress progress(command);
  return compile(command.options, targets, context,
                 [&](llvm::StringRef phase) { progress.tell(phase); });
}

static llvm::Error runCommand(const Command &command) {
  TargetRegistry targets;
  registerAllTargets(targets);
  for (const std::string &plugin : command.plugins)
    if (llvm::Error error = loadTargetPlugin(plugin, targets))
      return error;
  if (command.listPresets) {
    for (llvm::StringRef name : getPresetNames())
      llvm::outs() << name << "\n";
    return llvm::Error::success();
  }
  if (command.listTargets) {
    printTargets(targets, command.json);
    return llvm::Error::success();
  }
  if (command.listRecipeKeys) {
    llvm::outs() << writeRecipeReference();
    return llvm::Error::success();
  }
  if (!command.listOperators.empty())
    return printOperators(command.listOperators);
  if (command.dumpRecipe) {
    llvm::outs() << writeRecipe(command.options.recipe);
    return llvm::Error::success();
  }
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  targets.registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto report = compileWithProgress(command, targets, context);
  if (!report)
    return report.takeError();
  if (!command.quiet)
    for (const std::string &warning : report->warnings)
      llvm::errs() << "qopt-compile: warning: " << warning << "\n";
  if (command.json)
    llvm::outs() << llvm::formatv("{0:2}\n", report->toJson());
  else if (!command.quiet)
    llvm::outs() << command.options.output << ": " << report->artefactBytes
                 << " bytes, preset " << report->recipe.preset << "\n"
                 << report->contract.summarize() << report->describeOverrides()
                 << report->accuracy.describe();
  return llvm::Error::success();
}

int qopt::compileMain(int argc, char **argv) {
  Command command;
  llvm::Error error = llvm::Error::success();
  renameOptionsOfLibraries();
  {
    // Never destroyed: linking resets every option of the process, these too.
    Flags &flags = *new Flags;
    cl::HideUnrelatedOptions(flags.category);
    cl::SetVersionPrinter(
        [](llvm::raw_ostream &os) { os << getVersionText() << "\n"; });
    error = llvm::joinErrors(
        std::move(error), checkArguments(argc, argv, flags.category, kAliases));
    std::string problems;
    llvm::raw_string_ostream os(problems);
    if (error) {
      // Told already.
    } else if (!cl::ParseCommandLineOptions(
                   argc, argv, "compiles an ONNX model to low-bit code\n",
                   &os)) {
      // Some problems were printed by the parser itself.
      error = llvm::joinErrors(
          std::move(error),
          makeError(ExitCode::BadUse,
                    problems.empty()
                        ? "the command line is not understood; see --help"
                        : llvm::StringRef(problems).rtrim()));
    } else {
      error = llvm::joinErrors(std::move(error), readFlags(flags, command));
    }
  }
  if (!error)
    error = runGuarded("qopt-compile", command.options.model,
                       [&] { return runCommand(command); });
  if (!error)
    return static_cast<int>(ExitCode::Done);
  ExitCode code;
  std::string message = takeMessage(std::move(error), code);
  printMessage("qopt-compile", message);
  return endProcess(static_cast<int>(code));
}
