//===- Determinant.cpp - Determinants of small matrices -------------------===//
//
// The size of a matrix is known, so that its steps are written one by one.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// By elimination: each step takes the row whose first element is largest.
static LogicalResult importDet(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  constexpr int64_t most = 64;
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "an input")))
    return failure();
  int64_t rank = getRank(x), size = getType(x).getDimSize(rank - 1);
  if (size != getType(x).getDimSize(rank - 2) || size < 1 || size > most)
    return node.fail(unsupported("expects square matrices of a known size up "
                                 "to " +
                                 Twine(most) + ", but found " +
                                 toString(x.getType())));
  int64_t row = rank - 2, column = rank - 1;
  MLIRContext *context = x.getContext();
  Value result;
  for (int64_t left = size; left > 0; --left) {
    Value first = c.slice(x, column, 0, 1);
    if (left == 1) {
      Value last = c.squeeze(first, {row, column});
      result = result ? c.mul(result, last) : last;
      break;
    }
    Value size = c.of<AbsOp>(first);
    if (!size)
      return failure();
    Value best = node.make<ArgReduceOp>(
        node.getBuilder().getI64Type(), size,
        {node.attr("kind", ReduceKindAttr::get(context, ReduceKind::Max)),
         node.attr("axis", row), node.attr("keepdims", true),
         node.attr("select_last", false)});
    if (!best)
      return failure();
    Value dims = c.concat({c.shapeOf(x, 0, row), c.integers({1, left})}, 0);
    Value pivots = c.make<GatherElementsOp>({x, c.expand(best, dims)},
                                            node.attr("axis", row));
    // The first row goes where that one was.
    Value places = c.unsqueeze(c.positionsOf(x, row), 1);
    Value swapped =
        c.where(c.test<EqualOp>(places, best), c.slice(x, row, 0, 1), x);
    swapped = c.slice(swapped, row, 1, left);
    Value pivot = c.slice(pivots, column, 0, 1);
    Value isZero = c.test<EqualOp>(pivot, 0.0);
    Value factors =
        c.div(c.slice(swapped, column, 0, 1), c.where(isZero, 1, pivot));
    x = c.sub(c.slice(swapped, column, 1, left),
              c.mul(factors, c.slice(pivots, column, 1, left)));
    Value sign = c.where(c.test<EqualOp>(best, 0.0), pivot, c.of<NegOp>(pivot));
    sign = c.squeeze(sign, {row, column});
    result = result ? c.mul(result, sign) : sign;
  }
  return node.setOutput(0, result);
}

ArrayRef<Operator> qopt::importer::getDeterminantOperators() {
  static constexpr Operator rows[] = {
      {"Det", 11, 1, 1, importDet, "matrices of a known size up to 64"},
  };
  return rows;
}
