//===- Extension.cpp - The C API for Python -------------------------------===//
//
// Sees nothing but the C API. Errors become exceptions here and nowhere lower;
// the interpreter is free while a model is compiled or run.
//
//===----------------------------------------------------------------------===//

#include "qopt-c/Compile.h"
#include "qopt-c/Model.h"
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

namespace {
/// An error of the C API on its way to Python.
class Failure : public std::exception {
public:
  explicit Failure(QoptError *error)
      : code(qoptErrorGetCode(error)), text(qoptErrorGetText(error)) {
    qoptErrorDestroy(error);
  }
  const char *what() const noexcept override { return text.c_str(); }
  int getCode() const { return code; }

private:
  int code;
  std::string text;
};

using Array = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

struct ModelDeleter {
  void operator()(QoptModel *model) const { qoptModelDestroy(model); }
};

struct Value {
  std::string name, type;
  std::string numpyType;
  std::vector<int64_t> dims;
  std::vector<std::string> symbols;
};

class Model {
public:
  Model(const std::string &path, int32_t threads, int64_t maxIterations);

  std::vector<Value> getInputs() const;
  std::vector<Value> getOutputs() const;
  std::string describe() const { return qoptModelDescribe(model.get()); }
  std::vector<nb::object> run(const std::vector<Array> &arrays);
  void bindStates(int64_t capacity);
  void unbindStates() { qoptModelUnbindStates(model.get()); }
  void resetStates() { qoptModelResetStates(model.get()); }
  int64_t getStateLength() const {
    return qoptModelGetStateLength(model.get());
  }
  void forkStates(const Model &from);
  bool isInputKept(int64_t index) const {
    return qoptModelIsInputKept(model.get(), index);
  }
  bool isOutputKept(int64_t index) const {
    return qoptModelIsOutputKept(model.get(), index);
  }

private:
  std::unique_ptr<QoptModel, ModelDeleter> model;
};
} // namespace

static void check(QoptError *error) {
  if (error)
    throw Failure(error);
}

static Value makeValue(const qopt_value_info &info) {
  auto type = static_cast<qopt_element_type>(info.element_type);
  Value value;
  value.name = info.name;
  value.type = qoptElementTypeGetName(type);
  value.numpyType = qoptElementTypeGetName(qoptElementTypeGetNumpyType(type));
  value.dims.assign(info.dims, info.dims + info.rank);
  value.symbols.assign(info.symbols, info.symbols + info.rank);
  return value;
}

/// True where Python has an exception, as of Ctrl-C, that the run is to end
/// with. Python knows it on its main thread alone.
static int32_t askPython(void *) {
  nb::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

Model::Model(const std::string &path, int32_t threads, int64_t maxIterations) {
  QoptModel *loaded = nullptr;
  {
    nb::gil_scoped_release release;
    check(qoptModelLoad(path.c_str(), &loaded));
  }
  model.reset(loaded);
  check(qoptModelSetThreads(loaded, threads));
  check(qoptModelSetMaxIterations(loaded, maxIterations));
  qoptModelSetInterrupt(loaded, askPython, nullptr);
}

void Model::bindStates(int64_t capacity) {
  check(qoptModelBindStates(model.get(), capacity));
}

void Model::forkStates(const Model &from) {
  check(qoptModelForkStates(model.get(), from.model.get()));
}

std::vector<Value> Model::getInputs() const {
  std::vector<Value> values;
  for (int64_t i = 0; i < qoptModelGetNumInputs(model.get()); ++i)
    values.push_back(makeValue(qoptModelGetInput(model.get(), i)));
  return values;
}

std::vector<Value> Model::getOutputs() const {
  std::vector<Value> values;
  for (int64_t i = 0; i < qoptModelGetNumOutputs(model.get()); ++i)
    values.push_back(makeValue(qoptModelGetOutput(model.get(), i)));
  return values;
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

/// How numpy calls elements of a type; bit patterns where it has no name.
static nb::dlpack::dtype getArrayType(qopt_element_type type) {
  using nb::dlpack::dtype_code;
  auto make = [](dtype_code code, int bits) {
    return nb::dlpack::dtype{static_cast<uint8_t>(code),
                             static_cast<uint8_t>(bits), 1};
  };
  switch (qoptElementTypeGetNumpyType(type)) {
  case QOPT_ELEMENT_F16:
    return make(dtype_code::Float, 16);
  case QOPT_ELEMENT_F32:
    return make(dtype_code::Float, 32);
  case QOPT_ELEMENT_F64:
    return make(dtype_code::Float, 64);
  case QOPT_ELEMENT_BOOL:
    return make(dtype_code::Bool, 8);
  case QOPT_ELEMENT_I8:
    return make(dtype_code::Int, 8);
  case QOPT_ELEMENT_I16:
    return make(dtype_code::Int, 16);
  case QOPT_ELEMENT_I32:
    return make(dtype_code::Int, 32);
  case QOPT_ELEMENT_I64:
    return make(dtype_code::Int, 64);
  case QOPT_ELEMENT_U16:
    return make(dtype_code::UInt, 16);
  case QOPT_ELEMENT_U32:
    return make(dtype_code::UInt, 32);
  case QOPT_ELEMENT_U64:
    return make(dtype_code::UInt, 64);
  default:
    return make(dtype_code::UInt, 8);
  }
}

/// An input of `declared` type over the memory of `array`. The Python part has
/// checked the type.
static qopt_tensor makeTensor(const Array &array,
                              const qopt_value_info &declared) {
  qopt_tensor tensor = {};
  tensor.data = const_cast<void *>(array.data());
  tensor.dims = array.shape_ptr();
  tensor.rank = static_cast<int64_t>(array.ndim());
  tensor.element_type = static_cast<qopt_element_type>(declared.element_type);
  tensor.capacity_in_bytes = array.nbytes();
  return tensor;
}

/// A new array that owns `results` together with the others of its run.
static nb::object makeArray(const std::shared_ptr<QoptResults> &results,
                            int64_t index) {
  qopt_tensor tensor = qoptResultsGet(results.get(), index);
  auto *owner = new std::shared_ptr<QoptResults>(results);
  nb::capsule capsule(owner, [](void *pointer) noexcept {
    delete static_cast<std::shared_ptr<QoptResults> *>(pointer);
  });
  std::vector<size_t> dims(tensor.dims, tensor.dims + tensor.rank);
  return nb::cast(nb::ndarray<nb::numpy>(tensor.data, dims.size(), dims.data(),
                                         capsule, /*strides=*/nullptr,
                                         getArrayType(tensor.element_type)));
}

std::vector<nb::object> Model::run(const std::vector<Array> &arrays) {
  if (static_cast<int64_t>(arrays.size()) != qoptModelGetNumInputs(model.get()))
    throw nb::value_error("expects one array for each input");
  std::vector<qopt_tensor> inputs;
  for (size_t i = 0; i < arrays.size(); ++i)
    inputs.push_back(makeTensor(arrays[i], qoptModelGetInput(model.get(), i)));
  QoptResults *made = nullptr;
  QoptError *error = nullptr;
  {
    nb::gil_scoped_release release;
    error = qoptModelRun(model.get(), inputs.data(), &made);
  }
  if (PyErr_Occurred()) {
    qoptErrorDestroy(error);
    throw nb::python_error();
  }
  check(error);
  std::shared_ptr<QoptResults> results(made, qoptResultsDestroy);
  std::vector<nb::object> outputs;
  for (int64_t i = 0; i < qoptModelGetNumOutputs(model.get()); ++i)
    outputs.push_back(isOutputKept(i) ? nb::none() : makeArray(results, i));
  return outputs;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

using Options = std::vector<std::pair<std::string, std::string>>;

/// The text of `text`, which is destroyed.
static std::string take(QoptText *text) {
  std::string taken = qoptTextGet(text);
  qoptTextDestroy(text);
  return taken;
}

/// JSON text.
static std::string describeTargets() {
  nb::gil_scoped_release release;
  return take(qoptTargetsDescribe());
}

/// Returns report.json.
static std::string compileModel(const std::string &model,
                                const std::string &output,
                                const Options &flags) {
  nb::gil_scoped_release release;
  std::unique_ptr<QoptCompileOptions, decltype(&qoptCompileOptionsDestroy)>
      options(qoptCompileOptionsCreate(), qoptCompileOptionsDestroy);
  for (const auto &[name, value] : flags)
    check(qoptCompileOptionsSet(options.get(), name.c_str(), value.c_str()));
  QoptText *report = nullptr;
  check(
      qoptModelCompile(model.c_str(), output.c_str(), options.get(), &report));
  return take(report);
}

NB_MODULE(_qopt, module) {
  // Held by the module: the translator below lives as long as the process.
  static PyObject *errorType =
      PyErr_NewExceptionWithDoc("qopt.Error",
                                "Why qopt failed; `code` is the exit code that "
                                "its tools would end with.",
                                PyExc_RuntimeError, nullptr);
  module.attr("Error") = nb::handle(errorType);
  nb::register_exception_translator(
      [](const std::exception_ptr &pointer, void *) {
        try {
          std::rethrow_exception(pointer);
        } catch (const Failure &failure) {
          nb::object error = nb::handle(errorType)(failure.what());
          error.attr("code") = failure.getCode();
          PyErr_SetObject(errorType, error.ptr());
        }
      });

  nb::class_<Value>(module, "Value")
      .def_ro("name", &Value::name)
      .def_ro("type", &Value::type)
      .def_ro("numpy_type", &Value::numpyType)
      .def_ro("dims", &Value::dims)
      .def_ro("symbols", &Value::symbols);
  nb::class_<Model>(module, "Model")
      .def(nb::init<const std::string &, int32_t, int64_t>())
      .def_prop_ro("inputs", &Model::getInputs)
      .def_prop_ro("outputs", &Model::getOutputs)
      .def("describe", &Model::describe)
      .def("run", &Model::run)
      .def("bind_states", &Model::bindStates)
      .def("unbind_states", &Model::unbindStates)
      .def("reset_states", &Model::resetStates)
      .def("get_state_length", &Model::getStateLength)
      .def("fork_states", &Model::forkStates)
      .def("is_input_kept", &Model::isInputKept)
      .def("is_output_kept", &Model::isOutputKept);
  module.def("compile", &compileModel);
  module.def("describe_targets", &describeTargets);
  module.def("get_version", &qoptGetVersion);
}
