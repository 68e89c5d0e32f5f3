//===- NormalizationOperators.cpp - Norms and softmax ---------------------===//
//
// Softmax before opset 13 works on a matrix: the axes before `axis` are its
// rows, all others its columns.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static LogicalResult importBatchNormalization(NodeImporter &node) {
  Value x = node.getInput(0);
  node.ignoreAttribute("momentum");
  if (node.getInt("training_mode", 0) != 0)
    return node.fail(unsupported("expects training_mode = 0, but found 1",
                                 "export the model in inference mode"));
  if (node.getInt("spatial", 1) != 1)
    return node.fail(unsupported("expects spatial = 1, but found 0"));
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "an input")))
    return failure();
  int64_t channels = getType(x).getDimSize(1);
  for (Value statistic : node.getInputs().drop_front()) {
    if (failed(node.expectFloat(statistic)))
      return failure();
    RankedTensorType type = getType(statistic);
    if (type.getRank() != 1 ||
        (!ShapedType::isDynamic(channels) && !type.isDynamicDim(0) &&
         type.getDimSize(0) != channels))
      return node.fail(malformed("expects scale, bias, mean and variance with "
                                 "one element for each of " +
                                 Twine(channels) + " channels"));
  }
  return node.makeOutput<BatchNormOp>(
      getElementType(x), node.getInputs(),
      node.attr("epsilon", node.getFloat("epsilon", 1e-5f)));
}

static LogicalResult importLayerNormalization(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  if (node.getInt("stash_type", 1) != 1)
    return node.fail(unsupported("expects stash_type = 1, float, but found "
                                 "another"));
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", -1), getRank(x));
  if (!axis)
    return failure();
  SmallVector<Value> operands{x, node.getInput(1)};
  if (Value bias = node.getInput(2))
    operands.push_back(bias);
  ArrayRef<int64_t> row = getType(x).getShape().drop_front(*axis);
  for (Value operand : ArrayRef<Value>(operands).drop_front()) {
    if (failed(node.expectSameElementType(x, operand)))
      return failure();
    if (succeeded(verifyCompatibleShape(getType(operand).getShape(), row)))
      continue;
    return node.fail(unsupported("expects scale and bias of the shape of the "
                                 "normalised axes, but found another"));
  }
  return node.makeOutput<LayerNormOp>(
      getElementType(x), operands,
      {node.attr("axis", *axis),
       node.attr("epsilon", node.getFloat("epsilon", 1e-5f))});
}

static LogicalResult importSoftmax(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", -1), getRank(x));
  if (!axis)
    return failure();
  return node.makeOutput<SoftmaxOp>(getElementType(x), x,
                                    node.attr("axis", *axis));
}

static LogicalResult importFlatteningSoftmax(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<int64_t> axis = node.getAxis(node.getInt("axis", 1), rank);
  if (!axis)
    return failure();
  RankedTensorType type = getType(x);
  Type elementType = type.getElementType();
  if (llvm::all_of(type.getShape().drop_front(*axis + 1),
                   [](int64_t dim) { return dim == 1; }))
    return node.makeOutput<SoftmaxOp>(elementType, x, node.attr("axis", *axis));
  Value matrix = node.make<FlattenOp>(elementType, x, node.attr("axis", *axis));
  if (!matrix)
    return failure();
  Value rows =
      node.make<SoftmaxOp>(elementType, matrix, node.attr("axis", int64_t(1)));
  Value shape = node.make<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", int64_t(0)), node.attr("end", rank)});
  if (!rows || !shape)
    return failure();
  // A dim of 0 is 0, not a copy of the matrix's dim.
  return node.makeOutput<ReshapeOp>(elementType, {rows, shape},
                                    node.attr("allow_zero", true));
}

ArrayRef<Operator> qopt::importer::getNormalizationOperators() {
  static constexpr Operator rows[] = {
      {"BatchNormalization", 7, 5, 5, importBatchNormalization,
       "inference, spatial = 1"},
      {"LayerNormalization", 17, 2, 3, importLayerNormalization,
       "stash_type = 1; scale and bias of the shape of the normalised axes"},
      {"Softmax", 1, 1, 1, importFlatteningSoftmax},
      {"Softmax", 13, 1, 1, importSoftmax},
  };
  return rows;
}
