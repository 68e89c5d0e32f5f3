//===- EmbedLayerNormalization.cpp - Embeddings, added and normalized -----===//
//
// The first node of a transformer as ONNX Runtime's optimizer writes it.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

LogicalResult
qopt::importer::importEmbedLayerNormalization(NodeImporter &node) {
  Composer c(node);
  Value ids = node.getInput(0), segments = node.getInput(1);
  Value words = node.getInput(2), places = node.getInput(3);
  Value kinds = node.getInput(4), gamma = node.getInput(5);
  Value beta = node.getInput(6), mask = node.getInput(7);
  Value positions = node.getInput(8);
  float epsilon = node.getFloat("epsilon", 1e-12f);
  bool isCounted = node.getInt("mask_index_type", 1) != 0;
  if (!ids || !words || !places || !gamma || !beta)
    return node.fail(malformed("expects ids, tables of words and positions, "
                               "gamma and beta"));
  if (!segments != !kinds)
    return node.fail(malformed("expects segment_ids with segment_embedding"));
  if (failed(node.expectFloat(words)) || getRank(ids) != 2)
    return node.fail(malformed("expects ids of two axes and tables of floats"));
  Value sum = c.gather(words, ids, 0);
  if (!positions)
    positions = c.unsqueeze(c.positionsOf(ids, 1), 0);
  sum = c.add(sum, c.gather(places, positions, 0));
  if (segments)
    sum = c.add(sum, c.gather(kinds, segments, 0));
  Value result =
      c.make<LayerNormOp>({sum, gamma, beta}, {node.attr("axis", getRank(ids)),
                                               node.attr("epsilon", epsilon)});
  if (failed(node.setOutput(0, result)))
    return failure();
  if (node.hasOutput(1)) {
    Type i32 = node.getBuilder().getI32Type();
    Value counts =
        mask && isCounted
            ? c.reduce(ReduceKind::Sum, c.cast(mask, i32), {1}, false)
            : c.expand(c.number(0, i32), c.dimOf(ids, 0));
    if (failed(node.setOutput(1, counts)))
      return failure();
  }
  return node.hasOutput(2) ? node.setOutput(2, sum) : success();
}
