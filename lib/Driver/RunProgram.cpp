//===- RunProgram.cpp - Something that can be run -------------------------===//
//
// The library of an ONNX model exists only while it is loaded: its open file
// keeps the bytes when the name is gone.
//
//===----------------------------------------------------------------------===//

#include "RunProgram.h"

#include "RunOptions.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Execution/DescribeModel.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllTargets.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace qopt;
using llvm::StringRef;

namespace {
class LoadedProgram : public RunProgram {
public:
  explicit LoadedProgram(std::unique_ptr<ModelRunner> runner)
      : runner(std::move(runner)) {
    listValues();
  }

  llvm::ArrayRef<ModelValue> getInputs() const override { return inputs; }
  llvm::ArrayRef<ModelValue> getOutputs() const override { return outputs; }
  llvm::Error keepStates(int64_t capacity) override {
    if (llvm::Error error = runner->bindStates(capacity))
      return error;
    listValues();
    return llvm::Error::success();
  }
  std::string getIsa() const override { return runner->getChosenTier().str(); }
  llvm::Expected<int64_t> countThreads() override {
    return runner->countThreads();
  }
  void setMaxIterations(std::optional<int64_t> count) override {
    runner->setMaxIterations(count.value_or(0));
  }
  llvm::Error run(llvm::ArrayRef<HostTensor> arguments,
                  llvm::SmallVectorImpl<HostTensor> &results) override {
    llvm::SmallVector<HostTensor> all;
    if (llvm::Error error = runner->run(addKept(arguments), all))
      return error;
    results.clear();
    for (auto [index, result] : llvm::enumerate(all))
      if (!runner->isOutputKept(index))
        results.push_back(std::move(result));
    return llvm::Error::success();
  }
  llvm::Error runWithoutResults(llvm::ArrayRef<HostTensor> arguments) override {
    return runner->runWithoutResults(addKept(arguments));
  }
  llvm::json::Object describe() const override {
    return describeModel(*runner);
  }

private:
  /// What the user sees: states that are kept are no inputs and no outputs.
  void listValues() {
    inputs.clear();
    outputs.clear();
    for (auto [index, input] : llvm::enumerate(runner->getInputs()))
      if (!runner->isInputKept(index))
        inputs.push_back(input);
    for (auto [index, output] : llvm::enumerate(runner->getOutputs()))
      if (!runner->isOutputKept(index))
        outputs.push_back(output);
  }
  std::vector<HostTensor> addKept(llvm::ArrayRef<HostTensor> arguments) const {
    std::vector<HostTensor> all;
    for (size_t i = 0, e = runner->getInputs().size(); i < e; ++i)
      if (runner->isInputKept(i) || arguments.empty()) {
        all.emplace_back();
      } else {
        all.push_back(arguments.front());
        arguments = arguments.drop_front();
      }
    return all;
  }

  std::unique_ptr<ModelRunner> runner;
  std::vector<ModelValue> inputs, outputs;
};
} // namespace

llvm::Error RunProgram::keepStates(int64_t) {
  return makeError(ExitCode::BadUse,
                   "--keep-states is for compiled models: the reference "
                   "evaluator keeps nothing");
}

llvm::Expected<std::unique_ptr<RunProgram>>
qopt::openCompiledProgram(StringRef path, int32_t threads, StringRef shownAs) {
  llvm::Expected<std::unique_ptr<ModelRunner>> runner =
      ModelRunner::open(path, shownAs);
  if (!runner)
    return runner.takeError();
  (*runner)->setThreads(threads);
  return std::make_unique<LoadedProgram>(std::move(*runner));
}

llvm::Expected<std::unique_ptr<RunProgram>>
qopt::compileProgram(StringRef path, int32_t threads) {
  llvm::SmallString<128> library;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("qopt-run", "so", library))
    return makeError(ExitCode::NoResource,
                     "cannot make a temporary file: " + code.message());
  llvm::FileRemover remover(library);

  llvm::Expected<Recipe> recipe = getPreset("fp32");
  if (!recipe)
    return recipe.takeError();
  CompileOptions options;
  options.model = path.str();
  options.output = library.str().str();
  options.recipe = std::move(*recipe);
  TargetRegistry targets;
  registerAllTargets(targets);
  mlir::DialectRegistry dialects;
  registerAllDialects(dialects);
  targets.registerDialects(dialects);
  mlir::MLIRContext context(dialects);
  llvm::Expected<Report> report = compile(options, targets, context);
  if (!report)
    return report.takeError();
  return openCompiledProgram(library, threads, path);
}

llvm::Expected<std::unique_ptr<RunProgram>>
qopt::openProgram(StringRef path, bool usesReference, int32_t threads) {
  if (usesReference)
    return openReferenceProgram(path);
  if (getModelKind(path) == ModelKind::Onnx)
    return compileProgram(path, threads);
  return openCompiledProgram(path, threads);
}
