//===- NormalizationOps.cpp - Norms, softmax, pools, sums -----------------===//
//
// Each is an operator of the same formula; sums differ in their order only.
//
//===----------------------------------------------------------------------===//

#include "OpForms.h"
#include "dialects/QOpt/Numerics/Hadamard.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

/// Attributes of the op that ONNX has under the same name, or under another
/// one: `kernel` is `kernel_shape`.
static SmallVector<NodeAttribute> copyAttributes(Operation *op,
                                                 ArrayRef<StringRef> names) {
  SmallVector<NodeAttribute> attributes;
  for (StringRef name : names) {
    Attribute value = op->getAttr(name);
    if (name == "kernel")
      name = "kernel_shape";
    if (auto list = dyn_cast<DenseI64ArrayAttr>(value))
      attributes.push_back({name, SmallVector<int64_t>(list.asArrayRef())});
    else if (auto flag = dyn_cast<BoolAttr>(value))
      attributes.push_back({name, static_cast<int64_t>(flag.getValue())});
    else if (auto number = dyn_cast<IntegerAttr>(value))
      attributes.push_back({name, number.getInt()});
    else
      attributes.push_back(
          {name, cast<FloatAttr>(value).getValue().convertToFloat()});
  }
  return attributes;
}

static void writeBatchNorm(GraphWriter &writer, Operation *op,
                           StringRef operation) {
  writer.finish(operation, useOperands(writer, op),
                copyAttributes(op, {"epsilon"}));
}

static void writeLayerNorm(GraphWriter &writer, Operation *op,
                           StringRef operation) {
  writer.finish(operation, useOperands(writer, op),
                copyAttributes(op, {"axis", "epsilon"}));
}

static void writeSoftmax(GraphWriter &writer, Operation *op,
                         StringRef operation) {
  writer.finish(operation, useOperands(writer, op),
                copyAttributes(op, {"axis"}));
}

/// A product of each block with the Hadamard matrix, divided by its norm.
static void writeHadamard(GraphWriter &writer, Operation *op, StringRef) {
  auto hadamard = cast<HadamardOp>(op);
  int64_t block = hadamard.getBlock();
  ArrayRef<int64_t> dims = typeOf(hadamard.getX()).getShape();
  // 0 copies a dim.
  SmallVector<int64_t> blocks(dims.size() - 1, 0), rows(blocks);
  blocks.append({dims.back() / block, block});
  rows.push_back(dims.back());
  std::string x = writer.add(
      "Reshape", {writer.use(hadamard.getX()), writer.addIntegers(blocks)});
  std::string product = writer.add(
      "MatMul",
      {x, writer.addMatrix(numerics::makeHadamardMatrix(block), block)});
  writer.finish("Reshape", {product, writer.addIntegers(rows)});
}

static StringRef getReduceOperator(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::Sum:
    return "ReduceSum";
  case ReduceKind::Mean:
    return "ReduceMean";
  case ReduceKind::Max:
    return "ReduceMax";
  case ReduceKind::Min:
    return "ReduceMin";
  case ReduceKind::Prod:
    return "ReduceProd";
  case ReduceKind::L2:
    return "ReduceL2";
  }
  llvm_unreachable("an unknown kind");
}

static void writeReduce(GraphWriter &writer, Operation *op, StringRef) {
  auto reduce = cast<ReduceOp>(op);
  StringRef operation = getReduceOperator(reduce.getKind());
  // Without axes ONNX takes all of them.
  if (reduce.getAxes().empty() && typeOf(reduce.getX()).getRank() > 0)
    return writer.fail("reduces no axis, which has no ONNX form");
  writer.finish(
      operation,
      {writer.use(reduce.getX()), writer.addIntegers(reduce.getAxes())},
      copyAttributes(op, {"keepdims"}));
}

static void writeAveragePool(GraphWriter &writer, Operation *op,
                             StringRef operation) {
  writer.finish(operation, useOperands(writer, op),
                copyAttributes(op, {"kernel", "strides", "pads", "ceil_mode",
                                    "count_include_pad"}));
}

static void writeMaxPool(GraphWriter &writer, Operation *op,
                         StringRef operation) {
  writer.finish(operation, useOperands(writer, op),
                copyAttributes(op, {"kernel", "strides", "pads", "dilations",
                                    "ceil_mode"}));
}

ArrayRef<OpForm> qopt::exporter::getNormalizationForms() {
  static constexpr OpForm rows[] = {
      {AveragePoolOp::getOperationName(), "AveragePool", writeAveragePool},
      {BatchNormOp::getOperationName(), "BatchNormalization", writeBatchNorm},
      {GlobalAveragePoolOp::getOperationName(), "GlobalAveragePool", writeSame},
      {HadamardOp::getOperationName(), "", writeHadamard},
      {LayerNormOp::getOperationName(), "LayerNormalization", writeLayerNorm},
      {MaxPoolOp::getOperationName(), "MaxPool", writeMaxPool},
      {ReduceOp::getOperationName(), "", writeReduce},
      {SoftmaxOp::getOperationName(), "Softmax", writeSoftmax},
  };
  return rows;
}
