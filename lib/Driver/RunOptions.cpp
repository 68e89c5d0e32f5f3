//===- RunOptions.cpp - What qopt-run was asked to do ---------------------===//
//
// LLVM's parser keeps pointers to the flags, and linking writes to them: they
// are never destroyed, and are copied before anything else happens.
//
//===----------------------------------------------------------------------===//

#include "RunOptions.h"

#include "CommandLine.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace qopt;
namespace cl = llvm::cl;
using llvm::StringRef;

static const char *const kOverview =
    "runs a model: a compiled one, an ONNX file, or a phase file of "
    "qopt-compile.\n\n"
    "  qopt-run model.so --inputs in.npz --outputs out.npz\n"
    "  qopt-run model.onnx --input x=1x3x224x224xf32 --benchmark\n"
    "  qopt-run model.onnx --reference --inputs in.npz --expect out.npz\n";

static constexpr int32_t kMaxThreads = 4096;
static constexpr int64_t kMaxIters = 1'000'000'000;

namespace {
struct Flags {
  cl::OptionCategory category{"qopt-run options"};
  cl::opt<std::string> model{cl::Positional,
                             cl::desc("MODEL.so|MODEL.onnx|MODEL.mlir"),
                             cl::cat(category)};
  cl::opt<std::string> inputs{
      "inputs", cl::value_desc("IN.npz|DIR"),
      cl::desc("arrays by the names of the inputs; each .npz of a folder is "
               "one run"),
      cl::cat(category)};
  cl::list<std::string> inputSpecs{
      "input", cl::value_desc("NAME=@X.npy|NAME=2x3xf32[=VALUE]"),
      cl::desc("one input: from a file, filled with a value, or random"),
      cl::cat(category)};
  // Numbers are read by ourselves: the parser's words are not ours.
  cl::opt<std::string> seed{"seed", cl::value_desc("N"),
                            cl::desc("seed of random inputs (0)"),
                            cl::cat(category)};
  cl::opt<std::string> outputs{"outputs", cl::value_desc("OUT.npz|DIR"),
                               cl::desc("where the results go"),
                               cl::cat(category)};
  cl::opt<std::string> expect{
      "expect", cl::value_desc("E.npz|DIR"),
      cl::desc("compare the results with these; exit code 5 if they differ"),
      cl::cat(category)};
  cl::opt<std::string> compare{
      "compare", cl::value_desc("reference|MODEL.onnx|PHASE.mlir"),
      cl::desc("compare the results with those of --reference, of the model or "
               "of the file that it was made from"),
      cl::cat(category)};
  cl::opt<std::string> atol{"atol", cl::value_desc("A"),
                            cl::desc("allowed error: |x - e| <= A + R * |e| "
                                     "(floats 1e-5, integers 0)"),
                            cl::cat(category)};
  cl::opt<std::string> rtol{"rtol", cl::value_desc("R"),
                            cl::desc("see --atol (floats 1e-5, integers 0)"),
                            cl::cat(category)};
  cl::opt<std::string> minSqnr{
      "min-sqnr", cl::value_desc("DECIBELS"),
      cl::desc("instead of --atol and --rtol: the SQNR that each output is to "
               "have"),
      cl::cat(category)};
  cl::opt<std::string> threads{"threads", cl::value_desc("N"),
                               cl::desc("threads of a run (one for each CPU)"),
                               cl::cat(category)};
  cl::opt<std::string> maxIterations{
      "max-iterations", cl::value_desc("N"),
      cl::desc("iterations that the loops of a run may take together (any)"),
      cl::cat(category)};
  cl::opt<bool> reference{
      "reference",
      cl::desc("interpret an ONNX or phase file with the reference evaluator"),
      cl::cat(category)};
  cl::opt<bool> keepStates{
      "keep-states", cl::cat(category),
      cl::desc("each sample goes on from the one before: outputs that feed "
               "inputs are kept (see qopt-compile --state)")};
  cl::opt<std::string> capacity{
      "capacity", cl::value_desc("N"), cl::cat(category),
      cl::desc("what the length of kept states may grow to (what the model was "
               "compiled with)")};
  cl::opt<bool> benchmark{"benchmark", cl::desc("measure the time of a run"),
                          cl::cat(category)};
  cl::opt<std::string> warmup{"warmup", cl::value_desc("N"),
                              cl::desc("runs before the measured ones (3)"),
                              cl::cat(category)};
  cl::opt<std::string> iters{"iters", cl::value_desc("N"),
                             cl::desc("measured runs (what --min-time allows)"),
                             cl::cat(category)};
  cl::opt<std::string> minTime{"min-time", cl::value_desc("S"),
                               cl::desc("seconds to measure for (1)"),
                               cl::cat(category)};
  cl::opt<std::string> batch{
      "batch", cl::value_desc("LIST.jsonl"),
      cl::desc("run many cases: {\"id\", \"model\", \"inputs\", \"outputs\"} "
               "a line"),
      cl::cat(category)};
  cl::opt<bool> describe{
      "describe",
      cl::desc("print inputs, outputs, tiers and a summary, run nothing; with "
               "--json all that the model says of itself"),
      cl::cat(category)};
  cl::opt<bool> verify{
      "verify",
      cl::desc("check a compiled model against the digest that ends it, run "
               "nothing"),
      cl::cat(category)};
  cl::opt<bool> json{"json",
                     cl::desc("print JSON: one object a sample, with names, "
                              "types and dims of the results; --outputs writes "
                              "their values"),
                     cl::cat(category)};
  cl::extrahelp environment{kEnvironmentHelp};
};
} // namespace

/// What converters and benchmarks of other projects call these.
static constexpr FlagAlias kAliases[] = {{"input-file", "inputs"},
                                         {"loadinputs", "inputs"},
                                         {"load-inputs", "inputs"},
                                         {"output", "outputs"},
                                         {"out", "outputs"},
                                         {"o", "outputs"},
                                         {"save-outputs", "outputs"},
                                         {"exportoutput", "outputs"},
                                         {"load-outputs", "expect"},
                                         {"iterations", "iters"},
                                         {"n", "iters"},
                                         {"repeat", "iters"},
                                         {"runs", "iters"},
                                         {"duration", "min-time"},
                                         {"num-threads", "threads"},
                                         {"nthreads", "threads"},
                                         {"j", "threads"},
                                         {"validate", "compare"},
                                         {"shapes", "input"},
                                         {"input-shape", "input"},
                                         {"info", "describe"},
                                         {"checksum", "verify"}};

static bool parseNumber(StringRef text, double &number) {
  return !text.getAsDouble(number);
}
template <typename Integer>
static bool parseNumber(StringRef text, Integer &number) {
  return !text.getAsInteger(10, number);
}
template <typename Number>
static bool parseNumber(StringRef text, std::optional<Number> &number) {
  return parseNumber(text, number.emplace());
}

/// Reads the number of a flag, where it is given.
template <typename Number>
static llvm::Error readNumber(const cl::opt<std::string> &flag,
                              Number &number) {
  if (flag.getNumOccurrences() == 0 || parseNumber(flag.getValue(), number))
    return llvm::Error::success();
  return makeError(ExitCode::BadUse, "--" + flag.ArgStr +
                                         " expects a number, but found '" +
                                         flag.getValue() + "'");
}

/// What LLVM's parser printed, without the program's name before each line.
static std::string stripProgramName(StringRef problems, StringRef program) {
  std::string prefix = (llvm::sys::path::filename(program) + ": ").str();
  llvm::SmallVector<StringRef> lines;
  problems.rtrim().split(lines, '\n');
  for (StringRef &line : lines)
    line.consume_front(prefix);
  return llvm::join(lines, "\n");
}

static llvm::Error readNumbers(const Flags &flags, RunOptions &options) {
  if (llvm::Error error = readNumber(flags.seed, options.seed))
    return error;
  if (llvm::Error error = readNumber(flags.atol, options.tolerance.absolute))
    return error;
  if (llvm::Error error = readNumber(flags.rtol, options.tolerance.relative))
    return error;
  if (llvm::Error error =
          readNumber(flags.minSqnr, options.tolerance.minSqnrInDecibels))
    return error;
  if (llvm::Error error = readNumber(flags.threads, options.threads))
    return error;
  if (llvm::Error error =
          readNumber(flags.maxIterations, options.maxIterations))
    return error;
  if (llvm::Error error = readNumber(flags.capacity, options.capacity))
    return error;
  if (llvm::Error error = readNumber(flags.warmup, options.warmup))
    return error;
  if (llvm::Error error = readNumber(flags.iters, options.iters))
    return error;
  return readNumber(flags.minTime, options.minTimeInSeconds);
}

llvm::Expected<RunOptions> qopt::parseRunOptions(int argc, char **argv) {
  // LLVM's own options are not ours: some have the names of our flags.
  cl::ResetCommandLineParser();
  static Flags *flags = new Flags;
  cl::HideUnrelatedOptions(flags->category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << getVersionText() << "\n"; });
  if (llvm::Error error = checkArguments(argc, argv, flags->category, kAliases))
    return std::move(error);
  std::string problems;
  llvm::raw_string_ostream os(problems);
  if (!cl::ParseCommandLineOptions(argc, argv, kOverview, &os))
    return makeError(ExitCode::BadUse, stripProgramName(problems, argv[0]));
  RunOptions options;
  options.model = flags->model;
  options.inputs = flags->inputs;
  options.inputSpecs.assign(flags->inputSpecs.begin(), flags->inputSpecs.end());
  options.outputs = flags->outputs;
  options.expect = flags->expect;
  options.compare = flags->compare;
  options.usesReference = flags->reference;
  options.keepsStates = flags->keepStates;
  options.isBenchmark = flags->benchmark;
  options.batch = flags->batch;
  options.isDescription = flags->describe;
  options.isVerification = flags->verify;
  options.isJson = flags->json;
  if (llvm::Error error = readNumbers(*flags, options))
    return std::move(error);
  return options;
}

//===----------------------------------------------------------------------===//
// What no single flag can tell
//===----------------------------------------------------------------------===//

static llvm::Error badUse(const llvm::Twine &message) {
  return makeError(ExitCode::BadUse, message);
}

static llvm::Error checkNumbers(const RunOptions &options) {
  if (options.threads < 0 || options.threads > kMaxThreads)
    return badUse("--threads expects a number from 0 to " +
                  llvm::Twine(kMaxThreads));
  if (options.maxIterations && *options.maxIterations < 1)
    return badUse("--max-iterations expects a number from 1 on");
  if (options.capacity < 0)
    return badUse("--capacity expects a number from 1 on");
  if (options.warmup && (*options.warmup < 0 || *options.warmup > kMaxIters))
    return badUse("--warmup expects a number from 0 to " +
                  llvm::Twine(kMaxIters));
  if (options.iters && (*options.iters < 1 || *options.iters > kMaxIters))
    return badUse("--iters expects a number from 1 to " +
                  llvm::Twine(kMaxIters));
  // Written so that NaN is refused.
  if (options.minTimeInSeconds && !(*options.minTimeInSeconds >= 0))
    return badUse("--min-time expects a number of seconds from 0 on");
  for (std::optional<double> bound :
       {options.tolerance.absolute, options.tolerance.relative})
    if (bound && !(*bound >= 0))
      return badUse("--atol and --rtol expect numbers from 0 on");
  if (std::optional<double> minimum = options.tolerance.minSqnrInDecibels;
      minimum && std::isnan(*minimum))
    return badUse("--min-sqnr expects a number of decibels");
  return llvm::Error::success();
}

static llvm::Error checkTolerance(const RunOptions &options) {
  const Tolerance &tolerance = options.tolerance;
  bool boundsElements = tolerance.absolute || tolerance.relative;
  if (boundsElements && tolerance.minSqnrInDecibels)
    return badUse("--min-sqnr excludes --atol and --rtol: it bounds the error "
                  "of a whole output\nnote: give one or the others");
  if ((boundsElements || tolerance.minSqnrInDecibels) &&
      options.expect.empty() && options.compare.empty())
    return badUse(
        StringRef(boundsElements ? "--atol and --rtol are" : "--min-sqnr is") +
        " about a comparison, and none is asked for"
        "\nnote: give --expect E.npz or --compare=MODEL.onnx");
  return llvm::Error::success();
}

/// What a run that is not asked for would need, and what changes nothing.
static llvm::Error checkActions(const RunOptions &options) {
  bool isRun = !options.inputs.empty() || !options.inputSpecs.empty() ||
               !options.outputs.empty() || !options.expect.empty() ||
               !options.compare.empty() || options.isBenchmark;
  if (options.isDescription && options.isVerification)
    return badUse("--describe and --verify exclude each other"
                  "\nnote: give one after the other");
  if ((options.isDescription || options.isVerification) && isRun)
    return badUse(StringRef(options.isDescription ? "--describe" : "--verify") +
                  " runs nothing and excludes inputs, outputs, --expect, "
                  "--compare and --benchmark"
                  "\nnote: give them in a call of their own");
  if (!options.isBenchmark &&
      (options.iters || options.warmup || options.minTimeInSeconds))
    return badUse("--iters, --warmup and --min-time are about --benchmark, "
                  "which is not given\nnote: give --benchmark as well");
  if (options.maxIterations &&
      (options.isDescription || options.isVerification))
    return badUse("--max-iterations is about runs, and nothing runs\nnote: "
                  "leave it out");
  if (options.capacity != 0 && !options.keepsStates)
    return badUse("--capacity is about --keep-states, which is not given"
                  "\nnote: give --keep-states as well");
  return checkTolerance(options);
}

static llvm::Error checkBatch(const RunOptions &options) {
  if (!options.model.empty() || !options.inputs.empty() ||
      !options.outputs.empty() || !options.expect.empty() ||
      !options.compare.empty() || !options.inputSpecs.empty() ||
      options.isBenchmark || options.isDescription || options.isVerification)
    return badUse("--batch takes models, inputs and outputs from its list"
                  "\nnote: give only --reference, --threads and "
                  "--max-iterations with it");
  return llvm::Error::success();
}

static llvm::Error checkCompare(const RunOptions &options, ModelKind kind) {
  if (!options.expect.empty())
    return badUse("--compare and --expect exclude each other"
                  "\nnote: give one of them");
  if (options.compare != "reference") {
    if (getModelKind(options.compare) != ModelKind::Compiled)
      return llvm::Error::success();
    return badUse("--compare expects reference, an .onnx or an .mlir file, but "
                  "found '" +
                  options.compare + "'");
  }
  if (options.usesReference)
    return badUse("--compare=reference and --reference exclude each other"
                  "\nnote: the results are those of the reference already");
  if (kind != ModelKind::Onnx)
    return badUse(options.model +
                  ": --compare=reference takes an .onnx model"
                  "\nnote: name the file that this one was made from, as in "
                  "--compare=MODEL.onnx");
  return llvm::Error::success();
}

static llvm::Error checkModelKind(const RunOptions &options) {
  ModelKind kind = getModelKind(options.model);
  if (options.usesReference && kind == ModelKind::Compiled)
    return badUse(options.model +
                  ": --reference cannot run a compiled model"
                  "\nnote: give the .onnx or .mlir file it was made from");
  if (!options.usesReference && kind == ModelKind::Phase)
    return badUse(options.model +
                  ": a phase file is run by the reference evaluator"
                  "\nnote: give --reference, or compile it with qopt-compile");
  if (options.isVerification && kind != ModelKind::Compiled)
    return badUse(options.model + ": --verify checks compiled models"
                                  "\nnote: give the .so that was made of it");
  return options.compare.empty() ? llvm::Error::success()
                                 : checkCompare(options, kind);
}

/// Runs over a folder give a folder; one run gives a file.
static llvm::Error checkFiles(const RunOptions &options) {
  bool takesFolder = llvm::sys::fs::is_directory(options.inputs);
  if (takesFolder && options.isBenchmark)
    return badUse("--benchmark expects one sample, but --inputs is a folder");
  for (auto [flag, path] :
       {std::pair<StringRef, StringRef>("--outputs", options.outputs),
        {"--expect", options.expect}}) {
    if (path.empty())
      continue;
    bool isFile = llvm::sys::fs::exists(path)
                      ? !llvm::sys::fs::is_directory(path)
                      : path.ends_with(".npz");
    if (isFile == takesFolder)
      return badUse(flag + " '" + path + "' expects a " +
                    (takesFolder ? "folder, as --inputs is one"
                                 : "file, as --inputs is no folder"));
  }
  for (StringRef source : {StringRef(options.inputs), StringRef(options.expect),
                           StringRef(options.model)})
    if (!source.empty() && !options.outputs.empty() &&
        llvm::sys::fs::equivalent(source, options.outputs))
      return badUse("--outputs '" + options.outputs +
                    "' would overwrite what is read; name another file");
  return llvm::Error::success();
}

llvm::Error qopt::checkRunOptions(const RunOptions &options) {
  if (llvm::Error error = checkNumbers(options))
    return error;
  if (llvm::Error error = checkActions(options))
    return error;
  if (!options.batch.empty())
    return checkBatch(options);
  if (options.model.empty())
    return badUse("no model was named"
                  "\nnote: qopt-run MODEL.so --inputs IN.npz; see --help");
  if (llvm::Error error = checkModelKind(options))
    return error;
  return checkFiles(options);
}

ModelKind qopt::getModelKind(StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  if (extension.equals_insensitive(".onnx"))
    return ModelKind::Onnx;
  if (extension == ".mlir" || extension == ".mlirbc")
    return ModelKind::Phase;
  return ModelKind::Compiled;
}
