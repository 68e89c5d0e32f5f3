//===- RunSample.cpp - Runs of a program on files -------------------------===//
//
// Everything that is read is an error of the file that it was read from.
//
//===----------------------------------------------------------------------===//

#include "RunSample.h"

#include "RunCompare.h"
#include "RunElements.h"
#include "RunInputs.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

/// Elements that are shown of a result.
static constexpr int64_t maxShownElements = 8;

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static llvm::Error inFile(StringRef file, llvm::Error error) {
  ExitCode code;
  std::string text = takeMessage(std::move(error), code);
  return makeError(code, file.empty() ? text : (file + ": " + text).str());
}

/// Puts what `--input` says in place of what the file holds.
static llvm::Error addSingleInputs(std::vector<NamedTensor> &tensors,
                                   const RunProgram &program,
                                   const RunOptions &options) {
  std::vector<NamedTensor> singles;
  for (const std::string &spec : options.inputSpecs) {
    llvm::Expected<NamedTensor> single =
        makeInput(spec, program.getInputs(), options.seed);
    if (!single)
      return single.takeError();
    auto hasName = [&](const NamedTensor &tensor) {
      return tensor.name == single->name;
    };
    if (llvm::any_of(singles, hasName))
      return makeError(ExitCode::BadUse,
                       "--input gives \"" + single->name + "\" more than once");
    llvm::erase_if(tensors, hasName);
    singles.push_back(std::move(*single));
  }
  llvm::append_range(tensors, singles);
  return llvm::Error::success();
}

llvm::Expected<std::vector<HostTensor>>
qopt::readInputs(const RunProgram &program, StringRef file,
                 const RunOptions &options) {
  std::vector<NamedTensor> tensors;
  if (!file.empty()) {
    llvm::Expected<std::vector<NamedTensor>> read = readNpz(file);
    if (!read)
      return read.takeError();
    tensors = std::move(*read);
  }
  if (llvm::Error error = addSingleInputs(tensors, program, options))
    return std::move(error);
  if (tensors.empty() && file.empty() && !program.getInputs().empty())
    return makeError(ExitCode::BadUse,
                     options.model +
                         ": the model has inputs, but none are given"
                         "\nnote: give --inputs IN.npz, or --input "
                         "NAME=2x3xf32 for random values");
  llvm::Expected<std::vector<HostTensor>> ordered =
      orderInputs(program.getInputs(), tensors);
  if (!ordered)
    return inFile(file, ordered.takeError());
  return ordered;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static llvm::Error writeResults(const RunProgram &program,
                                llvm::ArrayRef<HostTensor> results,
                                StringRef path) {
  std::vector<NamedTensor> arrays;
  for (auto [output, result] : llvm::zip_equal(program.getOutputs(), results))
    arrays.push_back({output.name, result});
  return writeNpz(path, arrays);
}

static void printResults(const RunProgram &program,
                         llvm::ArrayRef<HostTensor> results, StringRef sample,
                         bool isJson, llvm::raw_ostream &os) {
  if (isJson) {
    llvm::json::Array outputs;
    for (auto [output, result] : llvm::zip_equal(program.getOutputs(), results))
      outputs.push_back(
          llvm::json::Object{{"name", output.name},
                             {"type", getName(result.getType())},
                             {"dims", llvm::json::Array(result.getDims())}});
    os << llvm::json::Value(llvm::json::Object{{"sample", sample},
                                               {"outputs", std::move(outputs)}})
       << "\n";
    return;
  }
  for (auto [output, result] : llvm::zip_equal(program.getOutputs(), results)) {
    int64_t count = result.getNumElements();
    os << output.name << ": " << formatDims(result.getDims()) << " "
       << getName(result.getType()) << ":";
    for (int64_t i = 0; i < std::min(count, maxShownElements); ++i)
      os << llvm::format(" %.9g", static_cast<double>(readElement(result, i)));
    os << (count > maxShownElements ? " ...\n" : "\n");
  }
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

namespace {
/// The files of one run; those that are not asked for are empty.
struct Sample {
  std::string inputs, outputs, expect;
};

/// One run after the other, with what they share.
class SampleRunner {
public:
  SampleRunner(RunProgram &program, const RunOptions &options,
               llvm::raw_ostream *report)
      : program(program), options(options), report(report) {}

  llvm::Error run(const Sample &sample);
  llvm::Error openReference();

private:
  llvm::Error compare(llvm::ArrayRef<HostTensor> arguments,
                      llvm::ArrayRef<HostTensor> results, const Sample &sample);

  RunProgram &program;
  const RunOptions &options;
  llvm::raw_ostream *report;
  /// Set with `--compare=reference`.
  std::unique_ptr<RunProgram> reference;
};
} // namespace

llvm::Error SampleRunner::openReference() {
  if (options.compare.empty())
    return llvm::Error::success();
  llvm::Expected<std::unique_ptr<RunProgram>> opened =
      openReferenceProgram(options.model);
  if (!opened)
    return opened.takeError();
  reference = std::move(*opened);
  return llvm::Error::success();
}

llvm::Error SampleRunner::compare(llvm::ArrayRef<HostTensor> arguments,
                                  llvm::ArrayRef<HostTensor> results,
                                  const Sample &sample) {
  Tolerance tolerance{options.atol, options.rtol};
  if (!sample.expect.empty())
    return compareWithFile(program.getOutputs(), results, sample.expect,
                           tolerance);
  if (!reference)
    return llvm::Error::success();
  llvm::SmallVector<HostTensor> expected;
  if (llvm::Error error = reference->run(arguments, expected))
    return error;
  StringRef what = sample.inputs.empty() ? StringRef(options.model)
                                         : StringRef(sample.inputs);
  return compareResults(program.getOutputs(), results, expected, what,
                        tolerance);
}

llvm::Error SampleRunner::run(const Sample &sample) {
  llvm::Expected<std::vector<HostTensor>> arguments =
      readInputs(program, sample.inputs, options);
  if (!arguments)
    return arguments.takeError();
  llvm::SmallVector<HostTensor> results;
  if (llvm::Error error = program.run(*arguments, results))
    return inFile(sample.inputs, std::move(error));
  if (!sample.outputs.empty()) {
    if (llvm::Error error = writeResults(program, results, sample.outputs))
      return error;
  }
  if (report && (options.isJson || sample.outputs.empty()))
    printResults(program, results, sample.inputs, options.isJson, *report);
  return compare(*arguments, results, sample);
}

/// `folder`/`name`, or nothing without a folder.
static std::string joinPath(StringRef folder, StringRef name) {
  if (folder.empty())
    return "";
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

static llvm::Expected<std::vector<Sample>> listRuns(const RunOptions &options) {
  if (!llvm::sys::fs::is_directory(options.inputs))
    return std::vector<Sample>{
        {options.inputs, options.outputs, options.expect}};
  llvm::Expected<std::vector<std::string>> files = listSamples(options.inputs);
  if (!files)
    return files.takeError();
  if (!options.outputs.empty())
    if (std::error_code code =
            llvm::sys::fs::create_directories(options.outputs))
      return makeError(ExitCode::NoResource, "cannot make the folder '" +
                                                 options.outputs +
                                                 "': " + code.message());
  std::vector<Sample> samples;
  for (StringRef file : *files) {
    StringRef name = llvm::sys::path::filename(file);
    samples.push_back({file.str(), joinPath(options.outputs, name),
                       joinPath(options.expect, name)});
  }
  return samples;
}

llvm::Error qopt::runSamples(RunProgram &program, const RunOptions &options,
                             llvm::raw_ostream *report) {
  llvm::Expected<std::vector<Sample>> samples = listRuns(options);
  if (!samples)
    return samples.takeError();
  SampleRunner runner(program, options, report);
  if (llvm::Error error = runner.openReference())
    return error;
  std::string differences;
  for (const Sample &sample : *samples) {
    llvm::Error error = runner.run(sample);
    if (!error)
      continue;
    ExitCode code;
    std::string text = takeMessage(std::move(error), code);
    if (code != ExitCode::NotAccurate)
      return makeError(code, text);
    differences += (differences.empty() ? "" : "\n") + text;
  }
  if (differences.empty())
    return llvm::Error::success();
  return makeError(ExitCode::NotAccurate, differences);
}
