//===- ModelBuilder.h - Small ONNX models for the tests ---------*- C++ -*-===//
//
// Writes a model to a temporary folder and imports it from there, so that the
// tests take the way that users take.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_IMPORT_ONNX_MODELBUILDER_H
#define TEST_IMPORT_ONNX_MODELBUILDER_H

#include "lib/ONNX/OnnxProto.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include <initializer_list>
#include <string>
#include <vector>

namespace qopt::test {

/// What came of an import: the text of the module, or the error.
struct Imported {
  bool isOk = false;
  std::string text;
  ImportError error;
};

/// A folder that goes away with the object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string getPath(const std::string &name) const {
    return path + "/" + name;
  }
  void write(const std::string &name, const std::string &bytes) const;

private:
  std::string path;
};

/// Imports a file for inputs of `shapes`.
Imported importFile(const std::string &path,
                    llvm::ArrayRef<InputShape> shapes = {});
/// Writes bytes to `model.onnx` of a new folder and imports it.
Imported importBytes(const std::string &bytes,
                     llvm::ArrayRef<InputShape> shapes = {});

onnx::AttributeProto attr(const std::string &name, int64_t value);
onnx::AttributeProto attr(const std::string &name, int value);
onnx::AttributeProto attr(const std::string &name, double value);
onnx::AttributeProto attr(const std::string &name, const char *value);
onnx::AttributeProto attr(const std::string &name, std::vector<int64_t> values);
onnx::AttributeProto attr(const std::string &name,
                          const onnx::TensorProto &tensor);

/// A tensor of `type`, as in "i64[2, 3]", with raw data: `values` in the type's
/// own form, fewer than eight bits packed.
onnx::TensorProto tensor(const std::string &name, const std::string &type,
                         const std::vector<double> &values);

/// Builds a model step by step. Types read "f32[N, 3, ?]".
class Model {
public:
  explicit Model(int64_t opset);

  Model &in(const std::string &name, const std::string &type);
  Model &out(const std::string &name, const std::string &type = "");
  Model &init(const std::string &name, const std::string &type,
              const std::vector<double> &values);
  Model &node(const std::string &op, const std::vector<std::string> &inputs,
              const std::vector<std::string> &outputs,
              const std::vector<onnx::AttributeProto> &attributes = {},
              const std::string &name = "n");

  onnx::GraphProto &graph() { return *proto.mutable_graph(); }
  onnx::TensorProto &lastInitializer();
  Imported import(llvm::ArrayRef<InputShape> shapes = {}) const {
    return importBytes(proto.SerializeAsString(), shapes);
  }

  onnx::ModelProto proto;
};

} // namespace qopt::test

#endif // TEST_IMPORT_ONNX_MODELBUILDER_H
