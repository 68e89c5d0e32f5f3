//===- ModelRunner.cpp - Runs a compiled model ------------------*- C++ -*-===//
//
// The loader knows libraries by their names and would give an old model back
// for a file that was replaced. So it gets the name of our open file, which
// stays open, and with it the name stays ours, as long as the library is used.
//
//===----------------------------------------------------------------------===//

#include "qopt/Execution/ModelRunner.h"

#include "LoadableFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/FileSeal.h"
#include "qopt/Support/Notes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Errno.h"
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace qopt;
using llvm::StringRef;

/// An error with the exit code that a status stands for: they are the same
/// numbers.
static llvm::Error makeStatusError(qopt_status status,
                                   const llvm::Twine &text) {
  switch (status) {
  case QOPT_BAD_DATA:
  case QOPT_BAD_USE:
  case QOPT_UNSUPPORTED:
  case QOPT_NO_RESOURCE:
  case QOPT_INTERRUPTED:
    return makeError(static_cast<ExitCode>(status), text);
  default:
    return makeError(ExitCode::Internal, text);
  }
}

/// Replaces the name that the loader knows by the one that the user knows.
static std::string withUserPath(StringRef text, StringRef loaderPath,
                                StringRef userPath) {
  std::string result = text.str();
  for (size_t at = 0;
       (at = result.find(loaderPath.str(), at)) != std::string::npos;
       at += userPath.size())
    result.replace(at, loaderPath.size(), userPath.str());
  return result;
}

static llvm::Expected<ModelValue> describe(const qopt_value_info &info) {
  std::optional<ElementType> type = findElementType(info.element_type);
  if (!type)
    return makeError(ExitCode::Unsupported,
                     llvm::Twine("\"") + info.name +
                         "\" has elements of an unknown type; the model was "
                         "made by a newer qopt");
  ModelValue value;
  value.name = info.name;
  value.type = *type;
  value.dims.assign(info.dims, info.dims + info.rank);
  value.symbols.assign(info.symbols, info.symbols + info.rank);
  return value;
}

/// A path of an open file that no other call gets. The loader takes a name that
/// it knows for the library that had it, even after the number went to another
/// file: a library that is open twice keeps both names until the last is
/// closed.
static std::string makeLoaderPath(int file) {
  static std::atomic<uint64_t> numOpened{0};
  std::string path = "/proc/self/fd/";
  for (uint64_t rest = numOpened++; rest != 0; rest /= 2)
    path += rest % 2 ? "./" : "/";
  return path + std::to_string(file);
}

llvm::Expected<std::unique_ptr<ModelRunner>>
ModelRunner::open(StringRef path, StringRef shownAs) {
  std::unique_ptr<ModelRunner> runner(new ModelRunner());
  runner->path = (shownAs.empty() ? path : shownAs).str();
  if (llvm::Error error = runner->load(path))
    return withNote(std::move(error), ExitCode::BadData,
                    "qopt-compile MODEL.onnx -o MODEL.so makes such a file");
  return runner;
}

/// True if the file is not as it was compiled. The runtime, which reads no
/// digest, cannot tell that from a lack of memory.
static bool isDamaged(StringRef path) {
  llvm::Error error = verifySeal(path);
  if (!error)
    return false;
  ExitCode code;
  takeMessage(std::move(error), code);
  return code == ExitCode::BadData;
}

llvm::Error ModelRunner::load(StringRef newPath) {
  file = ::open(newPath.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return makeError(ExitCode::NoResource,
                     path + ": cannot open: " + llvm::sys::StrError(errno));
  struct stat status;
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    return makeError(ExitCode::NoResource, path + ": is not a file");
  if (std::string fault = findLoadFault(file, status.st_size); !fault.empty())
    return makeError(ExitCode::BadData, path + ": cannot load: " + fault);
  std::string loaderPath = makeLoaderPath(file);
  library = ::dlopen(loaderPath.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return makeError(
        ExitCode::BadData,
        path + ": cannot load: " + withUserPath(::dlerror(), loaderPath, path));
  auto getApi = reinterpret_cast<qopt_model_get_api_fn>(
      ::dlsym(library, QOPT_MODEL_GET_API_NAME));
  if (!getApi)
    return makeError(ExitCode::BadData, path + ": is not a compiled model");
  api = getApi(QOPT_MODEL_ABI_VERSION);
  if (!api)
    return makeError(ExitCode::Unsupported,
                     path +
                         ": was compiled for another version of the "
                         "runtime interface than " +
                         llvm::Twine(QOPT_MODEL_ABI_VERSION));

  char text[1024] = "";
  qopt_status opened =
      api->open(loaderPath.c_str(), &model, text, sizeof(text));
  if (opened != QOPT_OK) {
    std::string told = withUserPath(text, loaderPath, path);
    if (!StringRef(told).starts_with(path))
      told = path + ": " + told;
    if (opened == QOPT_NO_RESOURCE && isDamaged(newPath))
      opened = QOPT_BAD_DATA;
    return withNote(makeStatusError(opened, told), ExitCode::BadUse,
                    "unset QOPT_CPU, or compile the model again and name the "
                    "tier in --cpu");
  }
  for (int64_t i = 0; i < api->input_count(model); ++i) {
    llvm::Expected<ModelValue> value = describe(*api->input(model, i));
    if (!value)
      return value.takeError();
    inputs.push_back(std::move(*value));
  }
  for (int64_t i = 0; i < api->output_count(model); ++i) {
    llvm::Expected<ModelValue> value = describe(*api->output(model, i));
    if (!value)
      return value.takeError();
    outputs.push_back(std::move(*value));
  }
  for (int64_t i = 0; i < api->tier_count(model); ++i) {
    const qopt_tier_info &info = *api->tier(model, i);
    tiers.push_back(
        {info.name, info.is_available != 0, info.is_chosen != 0, info.reason});
  }
  // A model of an older compiler has none.
  bool mayHaveStates =
      api->size_in_bytes > offsetof(qopt_model_api, fork_states);
  for (int64_t i = 0, e = mayHaveStates ? api->state_count(model) : 0; i < e;
       ++i) {
    const qopt_state_info &info = *api->state(model, i);
    states.push_back({info.input, info.output, info.axis, info.capacity});
  }
  return llvm::Error::success();
}

ModelRunner::~ModelRunner() {
  dropContext();
  if (model)
    api->close(model);
  if (library)
    ::dlclose(library);
  if (file >= 0)
    ::close(file);
}

StringRef ModelRunner::getName() const { return api->name(model); }

StringRef ModelRunner::getManifest() const { return api->manifest(model); }

StringRef ModelRunner::getChosenTier() const {
  return llvm::find_if(tiers,
                       [](const ModelTier &tier) { return tier.isChosen; })
      ->name;
}

void ModelRunner::setThreads(int32_t newThreads) {
  dropContext();
  threads = newThreads;
}

void ModelRunner::setObserver(Observer newObserver) {
  dropContext();
  observer = std::move(newObserver);
}

void ModelRunner::setMaxIterations(int64_t count) {
  dropContext();
  maxIterations = count;
}

void ModelRunner::setInterrupt(std::function<bool()> asked) {
  dropContext();
  isInterrupted = std::move(asked);
}

void ModelRunner::dropContext() {
  if (context)
    api->destroy_context(context);
  context = nullptr;
}

llvm::Error ModelRunner::ensureContext() {
  if (context)
    return llvm::Error::success();
  qopt_context_options options = {};
  options.threads = threads;
  if (observer) {
    options.observer_user = &observer;
    options.observer = [](void *user, int32_t id, const void *data,
                          const int64_t *dims, int64_t rank) {
      (*static_cast<Observer *>(user))(id, data,
                                       llvm::ArrayRef<int64_t>(dims, rank));
    };
  }
  char text[256] = "";
  qopt_status status =
      api->create_context(model, &options, &context, text, sizeof(text));
  if (status == QOPT_OK && stateCapacity)
    status = api->bind_states(context, *stateCapacity, text, sizeof(text));
  if (status == QOPT_OK)
    return limitLoops();
  dropContext();
  return makeStatusError(status, path + ": " + text);
}

/// A model of an older compiler has no limit: that matters where it is asked
/// for.
llvm::Error ModelRunner::limitLoops() {
  if (maxIterations == 0 && !isInterrupted)
    return llvm::Error::success();
  if (api->size_in_bytes <= offsetof(qopt_model_api, limit_loops)) {
    if (maxIterations == 0)
      return llvm::Error::success();
    dropContext();
    return makeError(ExitCode::Unsupported,
                     path + ": was compiled by a version that cannot limit "
                            "iterations\nnote: compile the model again");
  }
  qopt_interrupt interrupt = [](void *user) -> int32_t {
    return (*static_cast<std::function<bool()> *>(user))();
  };
  qopt_status status =
      api->limit_loops(context, maxIterations,
                       isInterrupted ? interrupt : nullptr, &isInterrupted);
  if (status == QOPT_OK)
    return llvm::Error::success();
  dropContext();
  return makeStatusError(status, path +
                                     ": expects a number of iterations from "
                                     "0 on, but found " +
                                     llvm::Twine(maxIterations));
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

llvm::Error ModelRunner::bindStates(int64_t capacity) {
  if (states.empty())
    return makeError(ExitCode::BadUse,
                     path + ": the model has no states\nnote: compile it with "
                            "--state OUTPUT=INPUT");
  if (llvm::Error error = ensureContext())
    return error;
  char text[256] = "";
  qopt_status status = api->bind_states(context, capacity, text, sizeof(text));
  if (status != QOPT_OK)
    return makeStatusError(status, path + ": " + text);
  stateCapacity = capacity;
  return llvm::Error::success();
}

void ModelRunner::unbindStates() {
  if (context)
    api->unbind_states(context);
  stateCapacity.reset();
}

void ModelRunner::resetStates() {
  if (context)
    api->reset_states(context);
}

bool ModelRunner::isInputKept(size_t index) const {
  return areStatesBound() && llvm::any_of(states, [&](const ModelState &state) {
           return state.input == static_cast<int64_t>(index);
         });
}

bool ModelRunner::isOutputKept(size_t index) const {
  return areStatesBound() && llvm::any_of(states, [&](const ModelState &state) {
           return state.output == static_cast<int64_t>(index);
         });
}

int64_t ModelRunner::getStateLength(size_t index) const {
  return context ? api->state_length(context, index) : 0;
}

llvm::Error ModelRunner::forkStates(const ModelRunner &from) {
  if (!from.context || !from.areStatesBound())
    return makeError(ExitCode::BadUse, from.path + ": keeps no states");
  if (from.path != path)
    return makeError(ExitCode::BadUse,
                     path + ": cannot go on from states of " + from.path);
  if (llvm::Error error = ensureContext())
    return error;
  char text[256] = "";
  // The same library is loaded twice where both runners opened the file.
  qopt_status status =
      api->fork_states(from.context, context, text, sizeof(text));
  if (status != QOPT_OK)
    return makeStatusError(status, path + ": " + text);
  stateCapacity = from.stateCapacity;
  return llvm::Error::success();
}

llvm::Expected<int64_t> ModelRunner::countThreads() {
  if (llvm::Error error = ensureContext())
    return std::move(error);
  return api->thread_count(context);
}

llvm::Error
ModelRunner::runWithoutResults(llvm::ArrayRef<HostTensor> arguments) {
  if (llvm::Error error = ensureContext())
    return error;
  if (arguments.size() != inputs.size())
    return makeError(ExitCode::BadData,
                     path + ": expected " + llvm::Twine(inputs.size()) +
                         " inputs, but found " + llvm::Twine(arguments.size()));
  std::vector<qopt_tensor> tensors;
  for (auto [index, argument, input] : llvm::enumerate(arguments, inputs)) {
    qopt_tensor tensor = {};
    if (isInputKept(index)) {
      tensors.push_back(tensor);
      continue;
    }
    // The model does not write to its inputs.
    tensor.data = const_cast<char *>(argument.getData());
    tensor.dims = argument.getDims().data();
    tensor.rank = argument.getRank();
    ElementType type = argument.getType();
    if (type == getNumpyType(input.type))
      type = input.type;
    tensor.element_type = static_cast<qopt_element_type>(type);
    tensor.capacity_in_bytes = argument.getCapacityInBytes();
    tensors.push_back(tensor);
  }
  qopt_status status = api->run(context, tensors.data(), /*outputs=*/nullptr);
  if (status == QOPT_OK)
    return llvm::Error::success();
  return makeStatusError(status, path + ": " + api->error_text(context));
}

llvm::Error ModelRunner::run(llvm::ArrayRef<HostTensor> arguments,
                             llvm::SmallVectorImpl<HostTensor> &results) {
  results.clear();
  if (llvm::Error error = runWithoutResults(arguments))
    return error;
  for (auto [index, output] : llvm::enumerate(outputs)) {
    if (isOutputKept(index)) {
      results.emplace_back();
      continue;
    }
    qopt_tensor made;
    if (api->get_output(context, index, &made) != QOPT_OK)
      return makeError(ExitCode::Internal,
                       path + ": output \"" + output.name + "\" is missing");
    llvm::Expected<HostTensor> result = HostTensor::allocate(
        output.type, llvm::ArrayRef<int64_t>(made.dims, made.rank));
    if (!result)
      return result.takeError();
    if (result->getSizeInBytes() != 0)
      std::memcpy(result->getMutableData(), made.data,
                  result->getSizeInBytes());
    results.push_back(std::move(*result));
  }
  return llvm::Error::success();
}

/// The names of `values` in quotes, or `none`.
template <typename T> static std::string listNames(llvm::ArrayRef<T> values) {
  if (values.empty())
    return "none";
  auto quote = [](const T &value) { return "\"" + value.name + "\""; };
  return llvm::join(llvm::map_range(values, quote), ", ");
}

llvm::Expected<std::vector<HostTensor>>
qopt::orderInputs(llvm::ArrayRef<ModelValue> inputs,
                  llvm::ArrayRef<NamedTensor> tensors) {
  std::vector<HostTensor> ordered;
  for (const ModelValue &input : inputs) {
    const NamedTensor *found =
        llvm::find_if(tensors, [&](const NamedTensor &tensor) {
          return tensor.name == input.name;
        });
    if (found == tensors.end())
      return makeError(ExitCode::BadData, "input \"" + input.name +
                                              "\" is missing; found " +
                                              listNames(tensors));
    HostTensor tensor = found->tensor;
    if (tensor.getType() == getNumpyType(input.type))
      tensor = tensor.bitcast(input.type);
    ordered.push_back(std::move(tensor));
  }
  for (const NamedTensor &tensor : tensors)
    if (llvm::none_of(inputs, [&](const ModelValue &input) {
          return input.name == tensor.name;
        }))
      return makeError(ExitCode::BadData, "the model has no input \"" +
                                              tensor.name + "\"; it has " +
                                              listNames(inputs));
  return ordered;
}
