//===- RunReference.cpp - Programs for the reference evaluator ------------===//
//
// Files of the phases fuse and kernels hold kernels; their bodies are put back
// first, so that the same ops run as after `quantize`.
//
//===----------------------------------------------------------------------===//

#include "RunOptions.h"
#include "RunProgram.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/InitAllDialects.h"
#include "qopt/Pipelines/PhaseFiles.h"
#include "qopt/Reference/Interpreter.h"
#include "qopt/Support/CodedError.h"

using namespace qopt;
using llvm::StringRef;
using mlir::ModuleOp;
using mlir::OwningOpRef;
using mlir::func::FuncOp;

namespace {
class ReferenceProgram : public RunProgram {
public:
  static llvm::Expected<std::unique_ptr<RunProgram>> open(StringRef path);

  llvm::ArrayRef<ModelValue> getInputs() const override { return inputs; }
  llvm::ArrayRef<ModelValue> getOutputs() const override { return outputs; }
  std::string getIsa() const override { return "reference"; }
  llvm::Expected<int64_t> countThreads() override { return 1; }
  void setMaxIterations(std::optional<int64_t> count) override {
    maxIterations = count.value_or(kAnyIterations);
  }
  llvm::Error run(llvm::ArrayRef<HostTensor> arguments,
                  llvm::SmallVectorImpl<HostTensor> &results) override;
  llvm::Error runWithoutResults(llvm::ArrayRef<HostTensor> arguments) override {
    llvm::SmallVector<HostTensor> results;
    return run(arguments, results);
  }

private:
  ReferenceProgram() = default;
  llvm::Error load();
  llvm::Error describeValues();

  std::string path;
  std::unique_ptr<mlir::MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  FuncOp main;
  std::vector<ModelValue> inputs;
  std::vector<ModelValue> outputs;
  int64_t maxIterations = kAnyIterations;
};
} // namespace

static llvm::Expected<OwningOpRef<ModuleOp>>
importModel(StringRef path, mlir::MLIRContext &context) {
  ImportError error;
  mlir::FailureOr<OwningOpRef<ModuleOp>> module =
      importOnnxModel(path, context, error);
  if (succeeded(module))
    return std::move(*module);
  return makeError(error.code,
                   error.message +
                       (error.note.empty() ? "" : "\nnote: " + error.note));
}

/// What a function says about one of its arguments or results.
static llvm::Expected<ModelValue>
describeValue(mlir::Type type, mlir::DictionaryAttr attributes,
              const llvm::Twine &defaultName) {
  ModelValue value;
  value.name = defaultName.str();
  mlir::ArrayAttr symbols;
  if (attributes) {
    if (auto name = attributes.getAs<mlir::StringAttr>(kNameAttrName))
      value.name = name.str();
    symbols = attributes.getAs<mlir::ArrayAttr>(kDimsAttrName);
  }
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  std::optional<ElementType> elementType;
  if (tensor)
    elementType = getHostElementType(tensor.getElementType());
  if (!elementType)
    return makeError(ExitCode::Unsupported,
                     "\"" + value.name + "\" is not a tensor that can be held");
  value.type = *elementType;
  for (auto [i, dim] : llvm::enumerate(tensor.getShape())) {
    value.dims.push_back(mlir::ShapedType::isDynamic(dim) ? -1 : dim);
    auto symbol = symbols && i < symbols.size()
                      ? mlir::dyn_cast<mlir::StringAttr>(symbols[i])
                      : mlir::StringAttr();
    value.symbols.push_back(symbol ? symbol.str() : "");
  }
  return value;
}

llvm::Error ReferenceProgram::describeValues() {
  mlir::FunctionType type = main.getFunctionType();
  for (auto [i, input] : llvm::enumerate(type.getInputs())) {
    llvm::Expected<ModelValue> value =
        describeValue(input, main.getArgAttrDict(i), "arg" + llvm::Twine(i));
    if (!value)
      return value.takeError();
    inputs.push_back(std::move(*value));
  }
  for (auto [i, output] : llvm::enumerate(type.getResults())) {
    llvm::Expected<ModelValue> value = describeValue(
        output, main.getResultAttrDict(i), "result" + llvm::Twine(i));
    if (!value)
      return value.takeError();
    outputs.push_back(std::move(*value));
  }
  return llvm::Error::success();
}

llvm::Error ReferenceProgram::load() {
  mlir::DialectRegistry dialects;
  registerAllDialects(dialects);
  context = std::make_unique<mlir::MLIRContext>(
      dialects, mlir::MLIRContext::Threading::DISABLED);
  llvm::Expected<OwningOpRef<ModuleOp>> read =
      getModelKind(path) == ModelKind::Onnx ? importModel(path, *context)
                                            : readPhaseFile(path, *context);
  if (!read)
    return read.takeError();
  module = std::move(*read);
  eraseVariants(*module, [](auto) { return true; });
  main = module->lookupSymbol<FuncOp>("main");
  mlir::PassManager passes(context.get());
  passes.addPass(kernel::createDecomposeKernelsPass());
  if (failed(passes.run(*module)))
    return makeError(ExitCode::Internal,
                     path + ": the kernels cannot be decomposed");
  return describeValues();
}

llvm::Expected<std::unique_ptr<RunProgram>>
ReferenceProgram::open(StringRef path) {
  std::unique_ptr<ReferenceProgram> program(new ReferenceProgram());
  program->path = path.str();
  if (llvm::Error error = program->load())
    return std::move(error);
  return program;
}

llvm::Error ReferenceProgram::run(llvm::ArrayRef<HostTensor> arguments,
                                  llvm::SmallVectorImpl<HostTensor> &results) {
  results.clear();
  llvm::Error error =
      evaluate(main, arguments, results, /*observe=*/{}, maxIterations);
  if (!error)
    return llvm::Error::success();
  ExitCode code;
  std::string text = takeMessage(std::move(error), code);
  return makeError(code, path + ": " + text);
}

llvm::Expected<std::unique_ptr<RunProgram>>
qopt::openReferenceProgram(StringRef path) {
  return ReferenceProgram::open(path);
}
