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
#include "qopt/Support/Notes.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

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

/// Says where the inputs are told.
static llvm::Error noteInputs(llvm::Error error, const RunOptions &options) {
  return withNote(std::move(error), ExitCode::BadData,
                  "qopt-run " + options.model +
                      (options.usesReference ? " --reference" : "") +
                      " --describe prints what the inputs take");
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
      return withNote(read.takeError(), ExitCode::BadData,
                      "numpy.savez(FILE, NAME=array) writes such a file");
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
    return inFile(file, noteInputs(ordered.takeError(), options));
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

/// JSON has no infinity: equal tensors have no SQNR.
static llvm::json::Value finiteOrNull(double value) {
  return std::isfinite(value) ? llvm::json::Value(value)
                              : llvm::json::Value(nullptr);
}

/// Outputs of other shapes are left out: that they differ is told elsewhere.
static void printDistances(llvm::ArrayRef<ModelValue> outputs,
                           llvm::ArrayRef<HostTensor> results,
                           llvm::ArrayRef<HostTensor> expected,
                           StringRef sample, bool isJson,
                           llvm::raw_ostream &os) {
  llvm::json::Array rows;
  for (auto [output, result, wanted] :
       llvm::zip_equal(outputs, results, expected)) {
    if (result.getDims() != wanted.getDims())
      continue;
    Distance distance = measureDistance(result, wanted);
    if (isJson)
      rows.push_back(llvm::json::Object{
          {"output", output.name},
          {"sqnr_db", finiteOrNull(distance.sqnrInDecibels)},
          {"cosine", finiteOrNull(distance.cosine)},
          {"max_error", finiteOrNull(distance.largestError)}});
    else if (distance.isEqual())
      os << output.name << ": equal\n";
    else
      os << output.name
         << llvm::format(": SQNR %.1f dB, cosine %.6f, largest error %.3g\n",
                         distance.sqnrInDecibels, distance.cosine,
                         distance.largestError);
  }
  if (isJson)
    os << llvm::json::Value(llvm::json::Object{{"sample", sample},
                                               {"compare", std::move(rows)}})
       << "\n";
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
  llvm::Error compareWithReference(llvm::ArrayRef<HostTensor> arguments,
                                   llvm::ArrayRef<HostTensor> results,
                                   const Sample &sample);

  /// Set with `--compare`.
  std::unique_ptr<RunProgram> reference;
};
} // namespace

llvm::Error SampleRunner::openReference() {
  if (options.compare.empty())
    return llvm::Error::success();
  llvm::Expected<std::unique_ptr<RunProgram>> opened = openReferenceProgram(
      options.compare == "reference" ? options.model : options.compare);
  if (!opened)
    return opened.takeError();
  reference = std::move(*opened);
  return llvm::Error::success();
}

llvm::Error SampleRunner::compare(llvm::ArrayRef<HostTensor> arguments,
                                  llvm::ArrayRef<HostTensor> results,
                                  const Sample &sample) {
  if (!sample.expect.empty())
    return compareWithFile(program.getOutputs(), results, sample.expect,
                           {options.atol, options.rtol});
  return reference ? compareWithReference(arguments, results, sample)
                   : llvm::Error::success();
}

/// The tensors of the values `have` in the order of `wanted`, by name.
static llvm::Expected<std::vector<HostTensor>>
reorder(llvm::ArrayRef<HostTensor> tensors, llvm::ArrayRef<ModelValue> have,
        llvm::ArrayRef<ModelValue> wanted, StringRef what, StringRef model,
        StringRef other) {
  std::vector<HostTensor> ordered;
  for (const ModelValue &value : wanted) {
    const auto *found = llvm::find_if(have, [&](const ModelValue &candidate) {
      return candidate.name == value.name;
    });
    if (found == have.end())
      return makeError(
          ExitCode::BadUse,
          model + " has no " + what + " \"" + value.name + "\", but " + other +
              " has\nnote: compare with the file that the model was made from");
    ordered.push_back(tensors[found - have.begin()]);
  }
  return ordered;
}

llvm::Error
SampleRunner::compareWithReference(llvm::ArrayRef<HostTensor> arguments,
                                   llvm::ArrayRef<HostTensor> results,
                                   const Sample &sample) {
  StringRef other =
      options.compare == "reference" ? options.model : options.compare;
  llvm::Expected<std::vector<HostTensor>> inputs =
      reorder(arguments, program.getInputs(), reference->getInputs(), "input",
              options.model, other);
  if (!inputs)
    return inputs.takeError();
  llvm::SmallVector<HostTensor> made;
  if (llvm::Error error = reference->run(*inputs, made))
    return withNote(std::move(error), ExitCode::BadData,
                    "compare with the file that the model was made from");
  llvm::Expected<std::vector<HostTensor>> expected =
      reorder(made, reference->getOutputs(), program.getOutputs(), "output",
              other, options.model);
  if (!expected)
    return expected.takeError();
  if (report)
    printDistances(program.getOutputs(), results, *expected, sample.inputs,
                   options.isJson, *report);
  StringRef what = sample.inputs.empty() ? StringRef(options.model)
                                         : StringRef(sample.inputs);
  return compareResults(program.getOutputs(), results, *expected, what,
                        {options.atol, options.rtol});
}

llvm::Error SampleRunner::run(const Sample &sample) {
  llvm::Expected<std::vector<HostTensor>> arguments =
      readInputs(program, sample.inputs, options);
  if (!arguments)
    return arguments.takeError();
  llvm::SmallVector<HostTensor> results;
  if (llvm::Error error = program.run(*arguments, results))
    return inFile(sample.inputs, noteInputs(std::move(error), options));
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
