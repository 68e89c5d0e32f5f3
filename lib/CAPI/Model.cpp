//===- Model.cpp - Runs compiled models for the C API ---------------------===//
//
// Inputs are borrowed for a run; results are tensors of their own.
//
//===----------------------------------------------------------------------===//

#include "qopt-c/Model.h"

#include "Handles.h"
#include "qopt/Execution/DescribeModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;

/// A value of the model as C sees it, with the strings that it points to.
namespace {
struct Value {
  ModelValue value;
  std::vector<const char *> symbols;

  explicit Value(const ModelValue &declared) : value(declared) {
    for (const std::string &symbol : value.symbols)
      symbols.push_back(symbol.c_str());
  }
  Value(const Value &) = delete;

  qopt_value_info getInfo() const {
    return {value.name.c_str(), value.dims.data(), symbols.data(),
            static_cast<int64_t>(value.dims.size()),
            static_cast<int64_t>(value.type)};
  }
};
} // namespace

struct QoptModel {
  std::unique_ptr<ModelRunner> runner;
  std::vector<std::unique_ptr<Value>> inputs, outputs;
  std::string description;
};

struct QoptResults {
  llvm::SmallVector<HostTensor> tensors;
};

static std::string describe(const ModelRunner &runner) {
  llvm::json::Object description = describeModel(runner);
  description["inputs"] = describeValues(runner.getInputs());
  description["outputs"] = describeValues(runner.getOutputs());
  return llvm::formatv("{0}", llvm::json::Value(std::move(description))).str();
}

QoptError *qoptModelLoad(const char *path, QoptModel **model) {
  llvm::Expected<std::unique_ptr<ModelRunner>> runner = ModelRunner::open(path);
  if (!runner)
    return makeHandle(runner.takeError());
  auto *loaded = new QoptModel;
  loaded->runner = std::move(*runner);
  for (const ModelValue &value : loaded->runner->getInputs())
    loaded->inputs.push_back(std::make_unique<Value>(value));
  for (const ModelValue &value : loaded->runner->getOutputs())
    loaded->outputs.push_back(std::make_unique<Value>(value));
  loaded->description = describe(*loaded->runner);
  *model = loaded;
  return nullptr;
}

void qoptModelDestroy(QoptModel *model) { delete model; }

int64_t qoptModelGetNumInputs(const QoptModel *model) {
  return model->inputs.size();
}

int64_t qoptModelGetNumOutputs(const QoptModel *model) {
  return model->outputs.size();
}

qopt_value_info qoptModelGetInput(const QoptModel *model, int64_t index) {
  return model->inputs[index]->getInfo();
}

qopt_value_info qoptModelGetOutput(const QoptModel *model, int64_t index) {
  return model->outputs[index]->getInfo();
}

const char *qoptModelDescribe(const QoptModel *model) {
  return model->description.c_str();
}

QoptError *qoptModelSetThreads(QoptModel *model, int32_t threads) {
  if (threads < 0)
    return makeHandle(makeError(
        ExitCode::BadUse, "expects a number of threads from 0 on, but found " +
                              llvm::Twine(threads)));
  model->runner->setThreads(threads);
  return nullptr;
}

QoptError *qoptModelSetMaxIterations(QoptModel *model, int64_t iterations) {
  if (iterations < 0)
    return makeHandle(
        makeError(ExitCode::BadUse,
                  "expects a number of iterations from 0 on, but found " +
                      llvm::Twine(iterations)));
  model->runner->setMaxIterations(iterations);
  return nullptr;
}

void qoptModelSetInterrupt(QoptModel *model, qopt_interrupt interrupt,
                           void *user) {
  if (!interrupt)
    return model->runner->setInterrupt(nullptr);
  model->runner->setInterrupt([=] { return interrupt(user) != 0; });
}

QoptError *qoptModelBindStates(QoptModel *model, int64_t capacity) {
  return makeHandle(model->runner->bindStates(capacity));
}

void qoptModelUnbindStates(QoptModel *model) { model->runner->unbindStates(); }

void qoptModelResetStates(QoptModel *model) { model->runner->resetStates(); }

int64_t qoptModelGetStateLength(const QoptModel *model) {
  for (auto [i, state] : llvm::enumerate(model->runner->getStates()))
    if (state.axis >= 0)
      return model->runner->getStateLength(i);
  return 0;
}

QoptError *qoptModelForkStates(QoptModel *model, const QoptModel *from) {
  return makeHandle(model->runner->forkStates(*from->runner));
}

int qoptModelIsInputKept(const QoptModel *model, int64_t index) {
  return model->runner->isInputKept(index);
}

int qoptModelIsOutputKept(const QoptModel *model, int64_t index) {
  return model->runner->isOutputKept(index);
}

/// The tensor that `input` describes, whose type may be left to the model.
static llvm::Expected<HostTensor> borrow(const qopt_tensor &input,
                                         const ModelValue &declared) {
  ElementType type = declared.type;
  if (input.element_type != 0) {
    std::optional<ElementType> given =
        findElementType(static_cast<int64_t>(input.element_type));
    if (!given)
      return makeError(ExitCode::BadData,
                       "input \"" + declared.name +
                           "\" has elements of unknown type " +
                           llvm::Twine(input.element_type));
    type = *given;
  }
  llvm::ArrayRef<int64_t> dims(input.dims, input.rank);
  std::optional<uint64_t> size = computeSizeInBytes(type, dims);
  if (!size || *size > input.capacity_in_bytes)
    return makeError(ExitCode::BadData,
                     "input \"" + declared.name + "\" of " + formatDims(dims) +
                         " " + getName(type) + " does not fit its " +
                         llvm::Twine(input.capacity_in_bytes) + " bytes");
  return HostTensor::borrow(
      type, dims, llvm::ArrayRef(static_cast<const char *>(input.data), *size));
}

static llvm::Error run(QoptModel &model, const qopt_tensor *inputs,
                       llvm::SmallVectorImpl<HostTensor> &results) {
  std::vector<HostTensor> arguments;
  for (auto [i, declared] : llvm::enumerate(model.runner->getInputs())) {
    if (model.runner->isInputKept(i)) {
      arguments.emplace_back();
      continue;
    }
    llvm::Expected<HostTensor> argument = borrow(inputs[i], declared);
    if (!argument)
      return argument.takeError();
    arguments.push_back(std::move(*argument));
  }
  return model.runner->run(arguments, results);
}

QoptError *qoptModelRun(QoptModel *model, const qopt_tensor *inputs,
                        QoptResults **results) {
  auto made = std::make_unique<QoptResults>();
  if (llvm::Error error = run(*model, inputs, made->tensors))
    return makeHandle(std::move(error));
  *results = made.release();
  return nullptr;
}

qopt_tensor qoptResultsGet(const QoptResults *results, int64_t index) {
  const HostTensor &tensor = results->tensors[index];
  qopt_tensor described = {};
  described.data = const_cast<char *>(tensor.getData());
  described.dims = tensor.getDims().data();
  described.rank = tensor.getRank();
  described.element_type = static_cast<qopt_element_type>(tensor.getType());
  described.capacity_in_bytes = tensor.getCapacityInBytes();
  return described;
}

void qoptResultsDestroy(QoptResults *results) { delete results; }

const char *qoptElementTypeGetName(qopt_element_type type) {
  std::optional<ElementType> found =
      findElementType(static_cast<int64_t>(type));
  // The names are literals.
  return found ? getName(*found).data() : nullptr;
}

qopt_element_type qoptElementTypeGetNumpyType(qopt_element_type type) {
  std::optional<ElementType> found =
      findElementType(static_cast<int64_t>(type));
  return found ? static_cast<qopt_element_type>(getNumpyType(*found)) : type;
}
