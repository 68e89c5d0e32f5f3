//===- RunDriver.cpp - The program qopt-run -------------------------------===//
//
// What it prints and how it ends; what it does is in the other files.
//
//===----------------------------------------------------------------------===//

#include "qopt/Driver/RunDriver.h"

#include "CommandLine.h"
#include "CrashGuard.h"
#include "RunBatch.h"
#include "RunBenchmark.h"
#include "RunDescribe.h"
#include "RunReport.h"
#include "RunSample.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/FileSeal.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

static llvm::Error benchmark(RunProgram &program, const RunOptions &options,
                             RunReport &report) {
  llvm::Expected<std::vector<HostTensor>> arguments =
      readInputs(program, options.inputs, options);
  if (!arguments)
    return arguments.takeError();
  llvm::Expected<Timing> timing = measure(program, *arguments, options);
  if (!timing)
    return timing.takeError();
  llvm::Expected<int64_t> threads = program.countThreads();
  if (!threads)
    return threads.takeError();
  report.addTiming(*timing, *threads);
  return llvm::Error::success();
}

/// Results that are wanted beside the time come from a run of their own. What
/// is measured is told even if they are not those that are expected.
static llvm::Error runBeside(RunProgram &program, const RunOptions &options,
                             RunReport &report) {
  std::string differences;
  if (!options.outputs.empty() || !options.expect.empty() ||
      !options.compare.empty())
    if (llvm::Error error = runSamples(program, options, &report)) {
      ExitCode code;
      differences = takeMessage(std::move(error), code);
      if (code != ExitCode::NotAccurate)
        return makeError(code, differences);
    }
  if (llvm::Error error = benchmark(program, options, report))
    return error;
  if (differences.empty())
    return llvm::Error::success();
  return makeError(ExitCode::NotAccurate, differences);
}

/// The file is not loaded: what was changed may be what loading runs.
static llvm::Error verify(const RunOptions &options) {
  if (llvm::Error error = verifySeal(options.model))
    return error;
  if (options.isJson)
    llvm::outs() << llvm::json::Value(llvm::json::Object{
                        {"model", options.model}, {"verified", true}})
                 << "\n";
  else
    llvm::outs() << options.model
                 << ": code and weights are those that were compiled\n";
  return llvm::Error::success();
}

static llvm::Error runModel(const RunOptions &options) {
  if (options.isVerification)
    return verify(options);
  llvm::Expected<std::unique_ptr<RunProgram>> program =
      openProgram(options.model, options.usesReference, options.threads);
  if (!program)
    return program.takeError();
  (*program)->setMaxIterations(options.maxIterations);
  if (options.keepsStates)
    if (llvm::Error error = (*program)->keepStates(options.capacity))
      return error;
  if (options.isDescription) {
    printDescription(**program, options.isJson, llvm::outs());
    return llvm::Error::success();
  }
  RunReport report(**program, options, llvm::outs());
  if (!options.isBenchmark)
    return runSamples(**program, options, &report);
  return runBeside(**program, options, report);
}

static llvm::Error run(int argc, char **argv) {
  llvm::Expected<RunOptions> options = parseRunOptions(argc, argv);
  if (!options)
    return options.takeError();
  if (llvm::Error error = checkRunOptions(*options))
    return error;
  if (!options->batch.empty())
    return runBatch(*options);
  return runGuarded("qopt-run", options->model,
                    [&] { return runModel(*options); });
}

int qopt::runMain(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::Error error = run(argc, argv);
  llvm::outs().flush();
  if (!error && !llvm::outs().has_error())
    return static_cast<int>(ExitCode::Done);
  ExitCode code = ExitCode::NoResource;
  std::string text =
      "cannot write to standard output: " + llvm::outs().error().message();
  llvm::outs().clear_error();
  if (error)
    text = takeMessage(std::move(error), code);
  printMessage("qopt-run", text);
  return endProcess(static_cast<int>(code));
}
