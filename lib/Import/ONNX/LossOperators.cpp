//===- LossOperators.cpp - Losses of classes ------------------------------===//
//
// Models that were exported for training keep them. A target that is ignored
// picks class 0 and weighs nothing.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// The loss of log-probabilities [N, C, d...] for targets [N, d...].
static Value makeLoss(Composer &c, Value logs, Value target, Value weight) {
  NodeImporter &node = c.getNode();
  std::string reduction = node.getString("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none") {
    (void)node.fail(
        malformed("attribute \"reduction\" has no value " + quote(reduction)));
    return {};
  }
  Value weights;
  if (node.hasAttribute("ignore_index")) {
    Value isIgnored = c.test<EqualOp>(
        target, static_cast<double>(node.getInt("ignore_index", 0)));
    target = c.where(isIgnored, 0, target);
    weights = weight ? c.gather(weight, target, 0)
                     : c.expand(c.number(1, logs), c.shapeOf(target));
    weights = c.where(isIgnored, 0, weights);
  } else if (weight) {
    weights = c.gather(weight, target, 0);
  }
  Value picked = c.make<GatherElementsOp>({logs, c.unsqueeze(target, 1)},
                                          node.attr("axis", int64_t(1)));
  Value loss = c.of<NegOp>(c.squeeze(picked, 1));
  if (weights)
    loss = c.mul(loss, weights);
  if (reduction == "none" || !loss)
    return loss;
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, getRank(loss)));
  if (reduction == "mean" && !weights)
    return c.reduce(ReduceKind::Mean, loss, axes, /*keepDims=*/false);
  Value sum = c.reduce(ReduceKind::Sum, loss, axes, /*keepDims=*/false);
  if (reduction == "sum")
    return sum;
  return c.div(sum,
               c.reduce(ReduceKind::Sum, weights, axes, /*keepDims=*/false));
}

static LogicalResult checkInputs(NodeImporter &node) {
  Value x = node.getInput(0), target = node.getInput(1);
  Value weight = node.getInput(2);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "scores")) ||
      failed(node.expectIndices(target, "targets")))
    return failure();
  if (weight && failed(node.expectSameElementType(x, weight)))
    return failure();
  if (getRank(target) + 1 == getRank(x) && (!weight || getRank(weight) == 1))
    return success();
  return node.fail(
      malformed("expects targets of one axis less than the scores and a list "
                "of weights, but found " +
                toString(x.getType()) + " and " + toString(target.getType())));
}

static LogicalResult importNegativeLogLikelihoodLoss(NodeImporter &node) {
  Composer c(node);
  if (failed(checkInputs(node)))
    return failure();
  return node.setOutput(
      0, makeLoss(c, node.getInput(0), node.getInput(1), node.getInput(2)));
}

static LogicalResult importSoftmaxCrossEntropyLoss(NodeImporter &node) {
  Composer c(node);
  if (failed(checkInputs(node)))
    return failure();
  Value logs = makeLogSoftmax(c, node.getInput(0), 1);
  if (!logs || failed(node.setOutput(1, logs)))
    return failure();
  return node.setOutput(0,
                        makeLoss(c, logs, node.getInput(1), node.getInput(2)));
}

ArrayRef<Operator> qopt::importer::getLossOperators() {
  static constexpr Operator rows[] = {
      {"NegativeLogLikelihoodLoss", 12, 2, 3, importNegativeLogLikelihoodLoss},
      {"SoftmaxCrossEntropyLoss", 12, 2, 3, importSoftmaxCrossEntropyLoss},
  };
  return rows;
}
