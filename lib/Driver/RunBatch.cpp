//===- RunBatch.cpp - Many small cases in one process ---------------------===//
//
// A case that crashes is reported as an internal error and the next one runs.
//
//===----------------------------------------------------------------------===//

#include "RunBatch.h"

#include "CrashGuard.h"
#include "RunSample.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

namespace {
struct Case {
  llvm::json::Value id = nullptr;
  std::string model, inputs, outputs;
};
} // namespace

static llvm::Error takeText(const llvm::json::Object &object, StringRef key,
                            std::string &text) {
  const llvm::json::Value *member = object.get(key);
  if (!member)
    return llvm::Error::success();
  std::optional<StringRef> value = member->getAsString();
  if (!value)
    return makeError(ExitCode::BadData, "'" + key + "' expects a string");
  text = value->str();
  return llvm::Error::success();
}

/// Of a line; the parser of JSON recurses, and paths are shorter.
static constexpr size_t kMaxBytes = 1 << 16;

static llvm::Error parseCase(StringRef line, Case &parsed) {
  if (line.size() > kMaxBytes)
    return makeError(ExitCode::BadData, "expects at most " +
                                            llvm::Twine(kMaxBytes) +
                                            " bytes in a line, but found " +
                                            llvm::Twine(line.size()));
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(line);
  if (!value)
    return makeError(ExitCode::BadData,
                     "not JSON: " + llvm::toString(value.takeError()));
  llvm::json::Object *object = value->getAsObject();
  if (!object)
    return makeError(ExitCode::BadData, "expects a JSON object");
  if (llvm::json::Value *id = object->get("id"))
    parsed.id = *id;
  if (llvm::Error error = takeText(*object, "model", parsed.model))
    return error;
  if (llvm::Error error = takeText(*object, "inputs", parsed.inputs))
    return error;
  if (llvm::Error error = takeText(*object, "outputs", parsed.outputs))
    return error;
  if (parsed.model.empty())
    return makeError(ExitCode::BadData, "'model' is missing");
  return llvm::Error::success();
}

static llvm::Error runCase(const RunOptions &options, const Case &current) {
  RunOptions own;
  own.model = current.model;
  own.inputs = current.inputs;
  own.outputs = current.outputs;
  own.usesReference = options.usesReference;
  own.threads = options.threads;
  own.maxIterations = options.maxIterations;
  if (llvm::Error error = checkRunOptions(own))
    return error;
  llvm::Expected<std::unique_ptr<RunProgram>> program =
      openProgram(own.model, own.usesReference, own.threads);
  if (!program)
    return program.takeError();
  (*program)->setMaxIterations(own.maxIterations);
  return runSamples(**program, own, /*report=*/nullptr);
}

/// A line that crashes is an error like another.
static llvm::Error runLine(StringRef line, const RunOptions &options,
                           Case &current) {
  if (llvm::Error error = runGuarded("qopt-run", options.batch,
                                     [&] { return parseCase(line, current); }))
    return error;
  return runGuarded("qopt-run", current.model,
                    [&] { return runCase(options, current); });
}

llvm::Error qopt::runBatch(const RunOptions &options) {
  llvm::Expected<MappedFile> list = MappedFile::open(options.batch);
  if (!list)
    return list.takeError();
  StringRef rest = list->getText();
  ExitCode first = ExitCode::Done;
  size_t numCases = 0, numFailed = 0;
  while (!rest.empty()) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.trim().empty())
      continue;
    Case current;
    ExitCode code = ExitCode::Done;
    std::string message;
    if (llvm::Error error = runLine(line, options, current))
      message = takeMessage(std::move(error), code);
    ++numCases;
    if (code != ExitCode::Done && numFailed++ == 0)
      first = code;
    llvm::outs() << llvm::json::Value(
                        llvm::json::Object{{"id", std::move(current.id)},
                                           {"exit", static_cast<int>(code)},
                                           {"message", message}})
                 << "\n";
    llvm::outs().flush();
  }
  if (numFailed == 0)
    return llvm::Error::success();
  return makeError(first, options.batch + ": " + llvm::Twine(numFailed) +
                              " of " + llvm::Twine(numCases) +
                              " cases failed\nnote: the line of each on "
                              "standard output says why");
}
