//===- ReductionOperators.cpp - Sums, means, maxima over axes -------------===//
//
// The axes were an attribute and became an input: of ReduceSum in opset 13, of
// all others in opset 18.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static LogicalResult importReduction(NodeImporter &node, ReduceKind kind) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  bool keepDims = node.getInt("keepdims", 1) != 0;
  bool isNoopWithoutAxes = node.getInt("noop_with_empty_axes", 0) != 0;
  Type elementType = getElementType(x);
  if (elementType.isInteger(1))
    return node.fail(unsupported("reductions of booleans are not supported",
                                 "cast them to int32 in the model"));
  if (kind == ReduceKind::L2 && failed(node.expectFloat(x)))
    return failure();
  std::optional<SmallVector<int64_t>> axes = node.getInts("axes");
  if (node.getInput(1))
    axes = node.getConstantIntegers(1, "axes");
  if (axes)
    axes = node.getAxes(*axes, rank);
  if (!axes)
    return failure();
  if (axes->empty() && isNoopWithoutAxes) {
    if (kind == ReduceKind::L2)
      return node.fail(unsupported("a norm over no axes is not supported"));
    return node.setOutput(0, x);
  }
  if (axes->empty())
    llvm::append_range(*axes, llvm::seq<int64_t>(0, rank));
  return node.makeOutput<ReduceOp>(
      elementType, x,
      {node.attr("kind", ReduceKindAttr::get(elementType.getContext(), kind)),
       node.attr("axes", *axes), node.attr("keepdims", keepDims)});
}

static LogicalResult importReduceL2(NodeImporter &node) {
  return importReduction(node, ReduceKind::L2);
}
static LogicalResult importReduceMax(NodeImporter &node) {
  return importReduction(node, ReduceKind::Max);
}
static LogicalResult importReduceMean(NodeImporter &node) {
  return importReduction(node, ReduceKind::Mean);
}
static LogicalResult importReduceMin(NodeImporter &node) {
  return importReduction(node, ReduceKind::Min);
}
static LogicalResult importReduceProd(NodeImporter &node) {
  return importReduction(node, ReduceKind::Prod);
}
static LogicalResult importReduceSum(NodeImporter &node) {
  return importReduction(node, ReduceKind::Sum);
}

ArrayRef<Operator> qopt::importer::getReductionOperators() {
  static constexpr Operator rows[] = {
      {"ReduceL2", 1, 1, 1, importReduceL2},
      {"ReduceL2", 18, 1, 2, importReduceL2, "axes known; no booleans"},
      {"ReduceMax", 1, 1, 1, importReduceMax},
      {"ReduceMax", 18, 1, 2, importReduceMax, "axes known; no booleans"},
      {"ReduceMean", 1, 1, 1, importReduceMean},
      {"ReduceMean", 18, 1, 2, importReduceMean, "axes known; no booleans"},
      {"ReduceMin", 1, 1, 1, importReduceMin},
      {"ReduceMin", 18, 1, 2, importReduceMin, "axes known; no booleans"},
      {"ReduceProd", 1, 1, 1, importReduceProd},
      {"ReduceProd", 18, 1, 2, importReduceProd, "axes known; no booleans"},
      {"ReduceSum", 1, 1, 1, importReduceSum},
      {"ReduceSum", 13, 1, 2, importReduceSum, "axes known; no booleans"},
  };
  return rows;
}
