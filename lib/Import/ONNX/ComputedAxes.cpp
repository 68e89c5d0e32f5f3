//===- ComputedAxes.cpp - Axes that only a run knows ----------------------===//
//
// Slow, and rare: a list of positions of all elements is made for what has
// another order of axes.
//
//===----------------------------------------------------------------------===//

#include "ComputedAxes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static Type getLong(Composer &c) {
  return c.getNode().getBuilder().getI64Type();
}

Value qopt::importer::countAxes(Composer &c, Value axes, int64_t rank) {
  axes = c.cast(axes, getLong(c));
  return c.where(c.test<LessOp>(axes, 0.0),
                 c.add(axes, static_cast<double>(rank)), axes);
}

Value qopt::importer::spreadOverAxes(Composer &c, Value axes, Value values,
                                     int64_t absent, int64_t rank) {
  NodeImporter &node = c.getNode();
  SmallVector<int64_t> all(rank, absent);
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Set);
  return c.make<ScatterElementsOp>(
      {c.integers(all), countAxes(c, axes, rank), c.cast(values, getLong(c))},
      {node.attr("axis", int64_t(0)), node.attr("kind", kind)});
}

Value qopt::importer::markAxes(Composer &c, Value axes, int64_t rank) {
  Value ones = c.expand(c.integers(1), c.shapeOf(axes));
  return c.test<EqualOp>(spreadOverAxes(c, axes, ones, 0, rank), 1.0);
}

Value qopt::importer::orderAxes(Composer &c, Value mark) {
  NodeImporter &node = c.getNode();
  Value key = c.cast(mark, getLong(c));
  if (!key)
    return {};
  // Of equal keys the first comes first.
  int64_t rank = getRank(mark) == 1 ? getType(mark).getDimSize(0) : 0;
  auto type = RankedTensorType::get({}, getLong(c));
  auto op =
      TopKOp::create(node.getBuilder(), node.getLoc(), TypeRange{type, type},
                     ValueRange{key, c.integers(rank)},
                     ArrayRef<NamedAttribute>{node.attr("axis", int64_t(0)),
                                              node.attr("largest", false)});
  return succeeded(node.finish(op)) ? op.getIndices() : Value();
}

Value qopt::importer::permute(Composer &c, Value x, Value order) {
  int64_t rank = getRank(x);
  if (rank <= 1)
    return x;
  // The stride of each axis is the product of the dims behind it.
  SmallVector<Value> strides(rank, c.integers(1));
  for (int64_t axis = rank; axis-- > 1;)
    strides[axis - 1] = c.mul(strides[axis], c.dimOf(x, axis));
  Value dims = c.gather(c.shapeOf(x), order, 0);
  Value steps = c.gather(c.concat(strides, 0), order, 0);
  Value position;
  for (int64_t axis = 0; axis < rank; ++axis) {
    Value dim = c.slice(dims, 0, axis, axis + 1);
    Value step = c.slice(steps, 0, axis, axis + 1);
    Value line = c.mul(c.range(c.integers(0), dim), step);
    SmallVector<int64_t> behind =
        llvm::to_vector(llvm::seq<int64_t>(1, rank - axis));
    line = c.unsqueeze(line, behind);
    position = position ? c.add(position, line) : line;
  }
  return c.gather(c.reshape(x, -1), position, 0);
}

Value qopt::importer::sliceByPositions(Composer &c, Value x, int64_t axis,
                                       Value start, Value end, Value step) {
  Value dim = c.dimOf(x, axis), last = c.sub(dim, 1);
  Value isBackward = c.test<LessOp>(step, 0.0);
  auto count = [&](Value position) {
    return c.where(c.test<LessOp>(position, 0.0), c.add(position, dim),
                   position);
  };
  auto clamp = [&](Value position, Value low, Value high) {
    return c.of<MaxOp>(c.of<MinOp>(position, high), low);
  };
  Value zero = c.integers(0), minusOne = c.integers(-1);
  start = c.where(isBackward, clamp(count(start), zero, last),
                  clamp(count(start), zero, dim));
  end = c.where(isBackward, clamp(count(end), minusOne, last),
                clamp(count(end), zero, dim));
  return c.gather(x, c.make<RangeOp>({start, end, step}), axis);
}
