//===- RunSample.cpp - Runs of a program on files -------------------------===//
//
// Everything that is read is an error of the file that it was read from.
//
//===----------------------------------------------------------------------===//

#include "RunSample.h"

#include "RunCompare.h"
#include "RunInputs.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Notes.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qopt;
using llvm::StringRef;

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

/// Adds what `--input` says to what the file holds.
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
    if (llvm::any_of(tensors, hasName))
      return makeError(ExitCode::BadUse, "both --input and --inputs give \"" +
                                             single->name +
                                             "\"\nnote: give it once");
    singles.push_back(std::move(*single));
  }
  llvm::append_range(tensors, singles);
  return llvm::Error::success();
}

/// The note is what to type for random values.
static llvm::Error failWithoutInputs(const RunProgram &program,
                                     const RunOptions &options) {
  std::string flags;
  bool hasOpenDims = false;
  for (const ModelValue &input : program.getInputs()) {
    flags += " --input " + formatInput(input);
    hasOpenDims |=
        llvm::any_of(input.dims, [](int64_t dim) { return dim < 0; });
  }
  return makeError(ExitCode::BadUse,
                   options.model +
                       ": the model has inputs, but none are given"
                       "\nnote: give --inputs IN.npz, or random values:" +
                       flags + (hasOpenDims ? ", with a size for each ?" : ""));
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
    return failWithoutInputs(program, options);
  llvm::Expected<std::vector<HostTensor>> ordered =
      orderInputs(program.getInputs(), tensors);
  if (!ordered)
    return inFile(file.empty() ? StringRef(options.model) : file,
                  noteInputs(ordered.takeError(), options));
  return ordered;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static llvm::Error writeResults(const RunProgram &program,
                                llvm::ArrayRef<HostTensor> results,
                                StringRef path) {
  std::vector<NamedTensor> arrays;
  for (auto [output, result] : llvm::zip_equal(program.getOutputs(), results))
    arrays.push_back({output.name, result});
  return writeNpz(path, arrays);
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
               RunReport *report)
      : program(program), options(options), report(report) {}

  llvm::Error openReference();
  /// Runs all samples; a difference does not end them.
  llvm::Error runAll(llvm::ArrayRef<Sample> samples);

private:
  llvm::Error run(const Sample &sample, bool isOneOfMany);
  /// Nothing where nothing is compared.
  llvm::Expected<std::optional<std::vector<HostTensor>>>
  getExpectations(llvm::ArrayRef<HostTensor> arguments, const Sample &sample);
  /// Says where the inputs are told, where they are not as the model has them.
  llvm::Error noteUnlessTaken(llvm::Error error,
                              llvm::ArrayRef<HostTensor> arguments);
  llvm::Expected<std::vector<HostTensor>>
  runReference(llvm::ArrayRef<HostTensor> arguments);

  RunProgram &program;
  const RunOptions &options;
  RunReport *report;
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
  reference->setMaxIterations(options.maxIterations);
  return llvm::Error::success();
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

llvm::Expected<std::vector<HostTensor>>
SampleRunner::runReference(llvm::ArrayRef<HostTensor> arguments) {
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
  return reorder(made, reference->getOutputs(), program.getOutputs(), "output",
                 other, options.model);
}

llvm::Expected<std::optional<std::vector<HostTensor>>>
SampleRunner::getExpectations(llvm::ArrayRef<HostTensor> arguments,
                              const Sample &sample) {
  if (sample.expect.empty() && !reference)
    return std::nullopt;
  llvm::Expected<std::vector<HostTensor>> expected =
      sample.expect.empty()
          ? runReference(arguments)
          : readExpectations(program.getOutputs(), sample.expect);
  if (!expected)
    return expected.takeError();
  return std::move(*expected);
}

llvm::Error
SampleRunner::noteUnlessTaken(llvm::Error error,
                              llvm::ArrayRef<HostTensor> arguments) {
  bool areTaken = llvm::all_of(
      llvm::zip_equal(program.getInputs(), arguments), [](auto pair) {
        auto &[input, argument] = pair;
        return canTake(input, argument.getDims(), argument.getType());
      });
  return areTaken ? std::move(error) : noteInputs(std::move(error), options);
}

llvm::Error SampleRunner::run(const Sample &sample, bool isOneOfMany) {
  llvm::Expected<std::vector<HostTensor>> arguments =
      readInputs(program, sample.inputs, options);
  if (!arguments)
    return arguments.takeError();
  llvm::SmallVector<HostTensor> results;
  if (llvm::Error error = program.run(*arguments, results))
    return inFile(sample.inputs, noteUnlessTaken(std::move(error), *arguments));
  if (!sample.outputs.empty()) {
    if (llvm::Error error = writeResults(program, results, sample.outputs))
      return error;
  }
  auto expected = getExpectations(*arguments, sample);
  if (!expected)
    return expected.takeError();
  StringRef what = !sample.expect.empty()   ? sample.expect
                   : !sample.inputs.empty() ? sample.inputs
                                            : options.model;
  llvm::Error difference =
      *expected ? compareResults(program.getOutputs(), results, **expected,
                                 what, options.tolerance)
                : llvm::Error::success();
  if (report)
    report->addRun({sample.inputs, results, std::move(*expected), !difference},
                   isOneOfMany);
  return difference;
}

llvm::Error SampleRunner::runAll(llvm::ArrayRef<Sample> samples) {
  std::string differences;
  size_t numDifferent = 0;
  for (const Sample &sample : samples) {
    llvm::Error error = run(sample, samples.size() > 1);
    if (!error)
      continue;
    ExitCode code;
    std::string text = takeMessage(std::move(error), code);
    if (code != ExitCode::NotAccurate)
      return makeError(code, text);
    differences += text + "\n";
    ++numDifferent;
  }
  if (options.expect.empty() && options.compare.empty())
    return llvm::Error::success();
  std::string summary =
      (" of " + llvm::Twine(samples.size()) + " samples " +
       (numDifferent == 0 ? "agree" : "do not agree") + " (" +
       describeTolerance(options.tolerance, program.getOutputs()) + ")")
          .str();
  if (numDifferent != 0)
    return makeError(ExitCode::NotAccurate,
                     differences + llvm::Twine(numDifferent) + summary);
  if (report)
    report->addSummary((llvm::Twine(samples.size()) + summary).str());
  return llvm::Error::success();
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
                             RunReport *report) {
  llvm::Expected<std::vector<Sample>> samples = listRuns(options);
  if (!samples)
    return samples.takeError();
  SampleRunner runner(program, options, report);
  if (llvm::Error error = runner.openReference())
    return error;
  return runner.runAll(*samples);
}
