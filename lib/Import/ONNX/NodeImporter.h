//===- NodeImporter.h - One ONNX node becoming ops --------------*- C++ -*-===//
//
// What the import functions of the operators see: inputs, attributes, and the
// making of ops. A fault in an attribute is kept and read as the default, so
// that import functions need no check of their own: no op is made after it.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_NODEIMPORTER_H
#define LIB_IMPORT_ONNX_NODEIMPORTER_H

#include "ConstantValues.h"
#include "Failure.h"
#include "TensorReader.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "lib/ONNX/OnnxProto.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallBitVector.h"

namespace qopt::importer {

/// Who imports the graphs that a node holds: they see the names around it.
class BodyImporter {
public:
  virtual ~BodyImporter() = default;
  /// Imports `body` to the end of `block`, where `arguments` are its inputs.
  virtual std::optional<Failure>
  importBody(const onnx::GraphProto &body, bool isLoop, mlir::Block &block,
             llvm::ArrayRef<mlir::Value> arguments,
             llvm::SmallVectorImpl<mlir::Value> &results) = 0;
  /// How many nodes the report has by now, and back to so many.
  virtual size_t countRows() const = 0;
  virtual void dropRows(size_t count) = 0;
};

class NodeImporter {
public:
  /// `inputs` has a null value for each input that the node leaves out.
  NodeImporter(const onnx::NodeProto &node, int64_t opset,
               mlir::OpBuilder &builder, mlir::Location loc,
               mlir::ArrayRef<mlir::Value> inputs, TensorReader &tensors,
               BodyImporter &bodies);

  //===--------------------------------------------------------------------===//
  // Faults. The first one counts.
  //===--------------------------------------------------------------------===//

  /// Always fails, so that `return node.fail(...)` reads well.
  mlir::LogicalResult fail(Failure failure);
  const std::optional<Failure> &getFailure() const { return failure; }

  //===--------------------------------------------------------------------===//
  // The node
  //===--------------------------------------------------------------------===//

  int64_t getOpset() const { return opset; }
  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }
  size_t getNumInputs() const { return inputs.size(); }
  size_t getNumOutputs() const { return node.output_size(); }
  bool hasOutput(int index) const {
    return index < node.output_size() && !node.output(index).empty();
  }
  /// The input, or null when it is left out.
  mlir::Value getInput(size_t index) const {
    return index < inputs.size() ? inputs[index] : mlir::Value();
  }
  mlir::ArrayRef<mlir::Value> getInputs() const { return inputs; }

  //===--------------------------------------------------------------------===//
  // Attributes. Reading one also says that it is known.
  //===--------------------------------------------------------------------===//

  bool hasAttribute(llvm::StringRef name) const;
  int64_t getInt(llvm::StringRef name, int64_t absent);
  float getFloat(llvm::StringRef name, float absent);
  std::string getString(llvm::StringRef name, llvm::StringRef absent);
  llvm::SmallVector<int64_t> getInts(llvm::StringRef name);
  llvm::SmallVector<float> getFloats(llvm::StringRef name);
  llvm::SmallVector<std::string> getStrings(llvm::StringRef name);
  /// Null when absent; fails the node when it cannot be read.
  std::optional<TensorData> getTensor(llvm::StringRef name);
  /// Null, with a failure, when it is absent.
  const onnx::GraphProto *getGraph(llvm::StringRef name);
  /// An attribute that changes nothing in inference.
  void ignoreAttribute(llvm::StringRef name) { find(name); }
  /// Fails for an attribute that no one has asked for.
  mlir::LogicalResult checkAttributesKnown();

  //===--------------------------------------------------------------------===//
  // Shapes and constants. These fail the node and return nothing or null.
  //===--------------------------------------------------------------------===//

  /// The axis counted from the front, inside [-rank, rank).
  std::optional<int64_t> getAxis(int64_t axis, int64_t rank);
  /// Ascending axes counted from the front, each once.
  std::optional<llvm::SmallVector<int64_t>>
  getAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);
  /// The elements of an input that our op takes as an attribute.
  std::optional<llvm::SmallVector<int64_t>>
  getConstantIntegers(size_t input, llvm::StringRef name);
  /// Number of elements of a shape-like input: 1-D, of static size.
  std::optional<int64_t> getListSize(size_t input, llvm::StringRef name);
  mlir::LogicalResult expectSameElementType(mlir::Value a, mlir::Value b);
  mlir::LogicalResult expectElementType(mlir::Value value, bool isExpected,
                                        llvm::StringRef expected);
  mlir::LogicalResult expectFloat(mlir::Value value);
  mlir::LogicalResult expectIndices(mlir::Value value, llvm::StringRef name);
  mlir::LogicalResult expectRank(mlir::Value value, int64_t least,
                                 llvm::StringRef name);
  mlir::LogicalResult expectBroadcast(mlir::ArrayRef<mlir::Value> values);

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  mlir::NamedAttribute attr(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute attr(llvm::StringRef name, float value);
  mlir::NamedAttribute attr(llvm::StringRef name, bool value);
  mlir::NamedAttribute attr(llvm::StringRef name, llvm::StringRef value);
  mlir::NamedAttribute attr(llvm::StringRef name, const char *value) {
    return attr(name, llvm::StringRef(value));
  }
  mlir::NamedAttribute attr(llvm::StringRef name,
                            llvm::ArrayRef<int64_t> value);
  mlir::NamedAttribute attr(llvm::StringRef name, mlir::Attribute value);

  /// Makes an op with one result, whose dims are inferred. Null on failure.
  template <typename OpTy>
  mlir::Value make(mlir::Type elementType, mlir::ValueRange operands,
                   llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    if (failure)
      return {};
    auto type = mlir::RankedTensorType::get({}, elementType);
    mlir::Operation *op =
        OpTy::create(builder, loc, mlir::TypeRange(type), operands, attributes);
    return mlir::succeeded(finish(op)) ? op->getResult(0) : mlir::Value();
  }

  /// Makes an op with one result of this type, and verifies it. Null on
  /// failure.
  template <typename OpTy>
  mlir::Value makeTyped(mlir::Type type, mlir::ValueRange operands,
                        llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    if (failure)
      return {};
    mlir::Operation *op =
        OpTy::create(builder, loc, mlir::TypeRange(type), operands, attributes);
    return mlir::succeeded(verifyNew(op)) ? op->getResult(0) : mlir::Value();
  }

  /// Imports the graph `name`, of a branch or a loop, where the builder stands.
  mlir::LogicalResult importBranch(llvm::StringRef name,
                                   llvm::SmallVectorImpl<mlir::Value> &results);
  mlir::LogicalResult
  importLoopBody(llvm::StringRef name, llvm::ArrayRef<mlir::Value> arguments,
                 llvm::SmallVectorImpl<mlir::Value> &results);
  /// What was imported so far is no part of the module.
  void forgetBodies() { bodies.dropRows(rowsBefore); }

  /// Infers the dims of a new op's results and verifies it.
  mlir::LogicalResult finish(mlir::Operation *op);

  /// Makes output `index` this value; null is a failure that is known already.
  mlir::LogicalResult setOutput(size_t index, mlir::Value value);
  /// Makes the first output the result of a new op.
  template <typename OpTy>
  mlir::LogicalResult
  makeOutput(mlir::Type elementType, mlir::ValueRange operands,
             llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return setOutput(0, make<OpTy>(elementType, operands, attributes));
  }
  mlir::ArrayRef<mlir::Value> getOutputs() const { return outputs; }

private:
  mlir::LogicalResult importBody(llvm::StringRef name, bool isLoop,
                                 llvm::ArrayRef<mlir::Value> arguments,
                                 llvm::SmallVectorImpl<mlir::Value> &results);
  mlir::LogicalResult verifyNew(mlir::Operation *op);
  const onnx::AttributeProto *find(llvm::StringRef name);
  const onnx::AttributeProto *
  findOfType(llvm::StringRef name, onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto &node;
  int64_t opset;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::ArrayRef<mlir::Value> inputs;
  TensorReader &tensors;
  BodyImporter &bodies;
  size_t rowsBefore;
  llvm::SmallVector<mlir::Value> outputs;
  llvm::SmallBitVector knownAttributes;
  std::optional<Failure> failure;
};

/// A type as the IR writes it.
std::string toString(mlir::Type type);

/// Shorthands for the type of a value.
inline mlir::RankedTensorType getType(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}
inline mlir::Type getElementType(mlir::Value value) {
  return getType(value).getElementType();
}
inline int64_t getRank(mlir::Value value) { return getType(value).getRank(); }

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_NODEIMPORTER_H
