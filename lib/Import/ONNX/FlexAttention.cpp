//===- FlexAttention.cpp - Attention whose scores a graph changes ---------===//
//
// The graphs see the scores, and what softmax makes of them, as tensors of all
// heads; their nodes stand between ours.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// What the graph `name` makes of `x`, and `x` where the node has no graph.
static Value modify(NodeImporter &node, StringRef name, Value x) {
  if (!x || !node.hasAttribute(name))
    return x;
  SmallVector<Value> results;
  if (failed(node.importLoopBody(name, x, results)))
    return {};
  if (results.size() == 1 &&
      getElementType(results.front()) == getElementType(x) &&
      getRank(results.front()) == getRank(x))
    return results.front();
  (void)node.fail(malformed("expects of " + name +
                            " one tensor of the type of the scores"));
  return {};
}

static LogicalResult importFlexAttention(NodeImporter &node) {
  Composer c(node);
  Value query = node.getInput(0), key = node.getInput(1);
  Value value = node.getInput(2);
  for (Value x : {query, key, value})
    if (failed(node.expectFloat(x)) ||
        failed(node.expectSameElementType(x, query)))
      return failure();
  for (Value x : {query, key, value})
    if (getRank(x) != 4 || getType(x).isDynamicDim(1) ||
        getType(x).isDynamicDim(3))
      return node.fail(
          unsupported("expects tensors of rank 4 with known heads and sizes, "
                      "but found " +
                      toString(x.getType())));
  int64_t heads = getType(query).getDimSize(1);
  int64_t keyHeads = getType(key).getDimSize(1);
  int64_t size = getType(query).getDimSize(3);
  if (keyHeads == 0 || heads % keyHeads != 0 ||
      getType(value).getDimSize(1) != keyHeads ||
      getType(key).getDimSize(3) != size)
    return node.fail(malformed("expects query heads that the heads of key and "
                               "value divide, and one size, but found " +
                               toString(query.getType()) + ", " +
                               toString(key.getType()) + " and " +
                               toString(value.getType())));
  Type type = getElementType(query);
  int64_t precision =
      node.getInt("softmax_precision", type.isF64() ? onnx::TensorProto::DOUBLE
                                                    : onnx::TensorProto::FLOAT);
  Type inner = getOnnxElementType(type.getContext(), precision);
  if (!inner || !isa<FloatType>(inner) || inner.getIntOrFloatBitWidth() < 16)
    return node.fail(malformed("expects a softmax_precision of floats, but "
                               "found data type " +
                               Twine(precision)));
  float scale = node.getFloat("scale", 1 / std::sqrt(float(size)));
  int64_t groups = heads / keyHeads;
  // Query heads of a group share keys and values.
  auto split = [&](Value x) {
    Value dims = c.concat(
        {c.dimOf(x, 0), c.integers({keyHeads, groups}), c.shapeOf(x, 2, 4)}, 0);
    return c.reshape(x, dims);
  };
  auto join = [&](Value x) {
    Value dims =
        c.concat({c.dimOf(x, 0), c.integers({heads}), c.shapeOf(x, 3, 5)}, 0);
    return c.reshape(x, dims);
  };
  auto shared = [&](Value x) { return c.unsqueeze(c.cast(x, inner), 2); };
  Value scores =
      c.matmul(split(c.cast(query, inner)), c.swapAxes(shared(key), 3, 4));
  if (!scores)
    return failure();
  scores = modify(node, "score_mod", c.mul(join(scores), scale));
  Value weights = modify(node, "prob_mod", c.softmax(scores, 3));
  if (!weights)
    return failure();
  Value result = c.matmul(split(weights), shared(value));
  return result ? node.setOutput(0, c.cast(join(result), type)) : failure();
}

ArrayRef<Operator> qopt::importer::getFlexAttentionOperators() {
  static constexpr Operator rows[] = {
      {"ai.onnx.preview.FlexAttention", 1, 3, 3, importFlexAttention,
       "known heads and sizes"},
  };
  return rows;
}
