//===- ModelBuilder.cpp - Small ONNX models for the tests -----------------===//
//
// Only the element types that the tests use.
//
//===----------------------------------------------------------------------===//

#include "test/Import/ONNX/ModelBuilder.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>
#include <fstream>

using namespace qopt;
using namespace qopt::test;
using onnx::AttributeProto;
using onnx::TensorProto;

TemporaryFolder::TemporaryFolder() {
  llvm::SmallString<128> unique;
  llvm::sys::fs::createUniqueDirectory("qopt-import", unique);
  path = unique.str().str();
}

TemporaryFolder::~TemporaryFolder() { llvm::sys::fs::remove_directories(path); }

void TemporaryFolder::write(const std::string &name,
                            const std::string &bytes) const {
  std::ofstream(getPath(name), std::ios::binary) << bytes;
}

Imported qopt::test::importFile(const std::string &path,
                                llvm::ArrayRef<InputShape> shapes) {
  mlir::MLIRContext context;
  Imported result;
  auto module = importOnnxModel(path, context, result.error, shapes);
  if (mlir::failed(module))
    return result;
  result.isOk = true;
  llvm::raw_string_ostream os(result.text);
  (*module)->print(os, mlir::OpPrintingFlags().enableDebugInfo());
  return result;
}

Imported qopt::test::importBytes(const std::string &bytes,
                                 llvm::ArrayRef<InputShape> shapes) {
  TemporaryFolder folder;
  folder.write("model.onnx", bytes);
  return importFile(folder.getPath("model.onnx"), shapes);
}

static AttributeProto makeAttribute(const std::string &name,
                                    AttributeProto::AttributeType type) {
  AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

AttributeProto qopt::test::attr(const std::string &name, int64_t value) {
  AttributeProto attribute = makeAttribute(name, AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

AttributeProto qopt::test::attr(const std::string &name, int value) {
  return attr(name, int64_t(value));
}

AttributeProto qopt::test::attr(const std::string &name, double value) {
  AttributeProto attribute = makeAttribute(name, AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

AttributeProto qopt::test::attr(const std::string &name, const char *value) {
  AttributeProto attribute = makeAttribute(name, AttributeProto::STRING);
  attribute.set_s(value);
  return attribute;
}

AttributeProto qopt::test::attr(const std::string &name,
                                std::vector<int64_t> values) {
  AttributeProto attribute = makeAttribute(name, AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return attribute;
}

AttributeProto qopt::test::attr(const std::string &name,
                                const TensorProto &tensor) {
  AttributeProto attribute = makeAttribute(name, AttributeProto::TENSOR);
  *attribute.mutable_t() = tensor;
  return attribute;
}

namespace {
struct ElementType {
  llvm::StringRef name;
  TensorProto::DataType dataType;
  unsigned bits;
};
} // namespace

static const ElementType elementTypes[] = {
    {"f32", TensorProto::FLOAT, 32},      {"f64", TensorProto::DOUBLE, 64},
    {"f16", TensorProto::FLOAT16, 16},    {"i1", TensorProto::BOOL, 8},
    {"i8", TensorProto::INT8, 8},         {"ui8", TensorProto::UINT8, 8},
    {"i16", TensorProto::INT16, 16},      {"i32", TensorProto::INT32, 32},
    {"i64", TensorProto::INT64, 64},      {"i4", TensorProto::INT4, 4},
    {"ui4", TensorProto::UINT4, 4},       {"i2", TensorProto::INT2, 2},
    {"f4", TensorProto::FLOAT4E2M1, 4},   {"f8", TensorProto::FLOAT8E4M3FN, 8},
    {"e8m0", TensorProto::FLOAT8E8M0, 8}, {"string", TensorProto::STRING, 8},
};

/// Splits "f32[N, 3]" into the element type and the dims.
static ElementType splitType(llvm::StringRef type,
                             llvm::SmallVectorImpl<llvm::StringRef> &dims) {
  auto [element, rest] = type.split('[');
  llvm::StringRef list = rest.drop_back();
  if (!list.empty())
    list.split(dims, ',');
  for (llvm::StringRef &dim : dims)
    dim = dim.trim();
  for (const ElementType &known : elementTypes)
    if (known.name == element)
      return known;
  llvm::report_fatal_error("unknown element type in a test");
}

/// Bits of a value; floats of fewer than 32 bits are given as bits.
static uint64_t getBits(const ElementType &type, double value) {
  uint64_t bits = 0;
  if (type.dataType == TensorProto::FLOAT) {
    float narrow = value;
    std::memcpy(&bits, &narrow, 4);
  } else if (type.dataType == TensorProto::DOUBLE) {
    std::memcpy(&bits, &value, 8);
  } else {
    bits = static_cast<uint64_t>(std::llround(value));
  }
  return bits;
}

TensorProto qopt::test::tensor(const std::string &name, const std::string &type,
                               const std::vector<double> &values) {
  TensorProto result;
  llvm::SmallVector<llvm::StringRef> dims;
  ElementType element = splitType(type, dims);
  result.set_name(name);
  result.set_data_type(element.dataType);
  for (llvm::StringRef dim : dims) {
    int64_t size;
    dim.getAsInteger(10, size);
    result.add_dims(size);
  }
  std::string raw((values.size() * element.bits + 7) / 8, '\0');
  for (size_t i = 0; i < values.size(); ++i)
    for (unsigned bit = 0; bit < element.bits; ++bit)
      if (getBits(element, values[i]) >> bit & 1)
        raw[(i * element.bits + bit) / 8] |= 1
                                             << ((i * element.bits + bit) % 8);
  result.set_raw_data(raw);
  return result;
}

static void setValueInfo(onnx::ValueInfoProto &info, const std::string &name,
                         const std::string &type) {
  info.set_name(name);
  if (type.empty())
    return;
  llvm::SmallVector<llvm::StringRef> dims;
  auto &tensorType = *info.mutable_type()->mutable_tensor_type();
  tensorType.set_elem_type(splitType(type, dims).dataType);
  auto &shape = *tensorType.mutable_shape();
  for (llvm::StringRef dim : dims) {
    int64_t size;
    if (dim.getAsInteger(10, size))
      shape.add_dim()->set_dim_param(dim.str());
    else
      shape.add_dim()->set_dim_value(size);
  }
}

Model::Model(int64_t opset) {
  proto.set_ir_version(10);
  proto.add_opset_import()->set_version(opset);
  graph().set_name("g");
}

Model &Model::in(const std::string &name, const std::string &type) {
  setValueInfo(*graph().add_input(), name, type);
  return *this;
}

Model &Model::out(const std::string &name, const std::string &type) {
  setValueInfo(*graph().add_output(), name, type);
  return *this;
}

Model &Model::init(const std::string &name, const std::string &type,
                   const std::vector<double> &values) {
  *graph().add_initializer() = tensor(name, type, values);
  return *this;
}

Model &Model::node(const std::string &op,
                   const std::vector<std::string> &inputs,
                   const std::vector<std::string> &outputs,
                   const std::vector<AttributeProto> &attributes,
                   const std::string &name) {
  onnx::NodeProto &node = *graph().add_node();
  node.set_op_type(op);
  node.set_name(name);
  for (const std::string &input : inputs)
    node.add_input(input);
  for (const std::string &output : outputs)
    node.add_output(output);
  for (const AttributeProto &attribute : attributes)
    *node.add_attribute() = attribute;
  return *this;
}

TensorProto &Model::lastInitializer() {
  return *graph().mutable_initializer(graph().initializer_size() - 1);
}
