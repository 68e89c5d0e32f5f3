//===- GraphWriter.h - Ops becoming ONNX nodes ------------------*- C++ -*-===//
//
// What the functions that write ops see: names of values, and the making of
// nodes and initializers. The first fault is reported and kept, so that writing
// functions need no check after each step.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXPORT_ONNX_GRAPHWRITER_H
#define LIB_EXPORT_ONNX_GRAPHWRITER_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "lib/ONNX/OnnxProto.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Support/HostTensor.h"
#include "llvm/ADT/StringSet.h"
#include <map>
#include <variant>

namespace qopt::exporter {

/// An attribute of a node.
struct NodeAttribute {
  llvm::StringRef name;
  std::variant<int64_t, float, std::string, llvm::SmallVector<int64_t>> value;
};

class GraphWriter {
public:
  /// Fails when initializers take more than `maxSizeInBytes`.
  GraphWriter(onnx::GraphProto &graph, mlir::ModuleOp module,
              uint64_t maxSizeInBytes);

  /// Writes `main` as the graph.
  mlir::LogicalResult run(mlir::func::FuncOp main);

  /// Says that what is written exists from an opset on.
  void needOpset(int64_t version) { opset = std::max(opset, version); }
  /// The lowest opset that has what was written.
  int64_t getOpset() const { return opset; }

  //===--------------------------------------------------------------------===//
  // Names
  //===--------------------------------------------------------------------===//

  /// The name of a value. A constant becomes an initializer at its first use;
  /// its name ends in `role`.
  std::string use(mlir::Value value, llvm::StringRef role = "");
  /// Likewise as int64, which shapes are in ONNX.
  std::string useAsInt64(mlir::Value value);
  /// Says how the graph calls a value that is made otherwise.
  void setName(mlir::Value value, llvm::StringRef name);

  //===--------------------------------------------------------------------===//
  // Initializers. Equal small ones are made once.
  //===--------------------------------------------------------------------===//

  /// A list of integers of 64 or 32 bits.
  std::string addIntegers(llvm::ArrayRef<int64_t> values, unsigned width = 64);
  /// A scalar, rounded to `elementType`; f32 where it is null.
  std::string addScalar(float value, mlir::Type elementType = {});
  /// A matrix of f32 in row-major order.
  std::string addMatrix(llvm::ArrayRef<float> values, int64_t rows);
  /// A tensor that is named after `constant` and `role`.
  std::string addTensor(ConstantOp constant, llvm::StringRef role,
                        const HostTensor &tensor);
  /// The elements of `constant`, whose type has a format, as f32.
  llvm::SmallVector<float> readReals(ConstantOp constant);
  /// The elements of `constant` with other dims, where one element is repeated;
  /// as f32 if asked for. The name ends in `role`.
  std::string addWithDims(ConstantOp constant, llvm::ArrayRef<int64_t> dims,
                          bool asF32, llvm::StringRef role);

  //===--------------------------------------------------------------------===//
  // Nodes of the op that is being written
  //===--------------------------------------------------------------------===//

  /// Adds a node and returns the name of its output.
  std::string add(llvm::StringRef operation, llvm::ArrayRef<std::string> inputs,
                  llvm::ArrayRef<NodeAttribute> attributes = {});
  /// Adds the node that makes the results of the op.
  void finish(llvm::StringRef operation, llvm::ArrayRef<std::string> inputs,
              llvm::ArrayRef<NodeAttribute> attributes = {});
  /// Adds the node that makes one result.
  void finish(mlir::Value result, llvm::StringRef operation,
              llvm::ArrayRef<std::string> inputs,
              llvm::ArrayRef<NodeAttribute> attributes = {});
  /// Casts where types differ.
  std::string convert(llvm::StringRef name, mlir::Type from, mlir::Type to);

  /// ONNX's number of an element type. Fails the op where it has none.
  int64_t getDataType(mlir::Type elementType);
  /// Puts a tensor into an attribute of the node added last.
  void setTensorAttribute(llvm::StringRef name, mlir::ElementsAttr elements);

  /// Reports what is wrong with the op and what to do; the first fault counts.
  void fail(const llvm::Twine &what, const llvm::Twine &note = "");

private:
  void writeInputs(mlir::func::FuncOp main);
  void writeOp(mlir::Operation *op);
  void writeOutputs(mlir::func::FuncOp main);
  void describe(onnx::ValueInfoProto &info, llvm::StringRef name,
                mlir::RankedTensorType type, mlir::DictionaryAttr attrs);
  onnx::NodeProto &addNode(llvm::StringRef operation,
                           llvm::ArrayRef<std::string> inputs,
                           llvm::ArrayRef<NodeAttribute> attributes);
  std::string nameNode(llvm::StringRef operation);
  std::string makeUnique(llvm::StringSet<> &taken, llvm::StringRef wanted);
  std::string addInitializer(llvm::StringRef name, mlir::Type elementType,
                             llvm::ArrayRef<int64_t> dims,
                             llvm::StringRef bytes);
  std::string addLiteral(llvm::StringRef name, const HostTensor &tensor,
                         mlir::Type elementType);
  std::string nameConstant(ConstantOp constant, llvm::StringRef role);
  std::optional<HostTensor> read(ConstantOp constant);
  std::string writeConstant(ConstantOp constant, llvm::StringRef role);

  onnx::GraphProto &graph;
  mlir::ModuleOp module;
  mlir::Operation *current = nullptr;
  uint64_t maxSizeInBytes, sizeInBytes = 0;
  int64_t opset = 21;
  bool hasFailed = false;
  llvm::DenseMap<mlir::Value, std::string> names;
  /// Results of the graph that some op makes.
  llvm::DenseMap<mlir::Value, std::string> outputNames;
  /// Node names and operators by id.
  llvm::DenseMap<int64_t, NodeInfoAttr> nodeRows;
  llvm::StringSet<> takenNames, takenNodeNames;
  /// Small initializers by type, dims and bytes; constants in another form.
  std::map<std::tuple<int64_t, std::vector<int64_t>, std::string>, std::string>
      literals;
  std::map<std::tuple<const void *, std::vector<int64_t>, bool>, std::string>
      reshaped;
};

/// A type as text for messages.
std::string toString(mlir::Type type);

inline mlir::Type elementTypeOf(mlir::Value value) {
  return typeOf(value).getElementType();
}
inline bool isOneElement(mlir::Value value) {
  return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1;
}

} // namespace qopt::exporter

#endif // LIB_EXPORT_ONNX_GRAPHWRITER_H
