//===- ReductionOperators.cpp - Sums, means, maxima over axes -------------===//
//
// The axes were an attribute and became an input: of ReduceSum in opset 13, of
// all others in opset 18. Norms and sums of functions are one of our reductions
// between element-wise ops.
//
//===----------------------------------------------------------------------===//

#include "ComputedAxes.h"
#include "Operators.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// Over which axes of an input a node reduces.
struct ReducedAxes {
  /// Where they are known.
  SmallVector<int64_t> axes;
  /// Else: whether each axis is one of them.
  Value mark;
  /// Of the result.
  int64_t rank = 0;
  bool keepDims = true;
};

using Reduce = llvm::function_ref<Value(ReduceKind kind, Value x)>;
} // namespace

/// Which axes `axes` names while the model runs. An empty list is all of them.
static std::optional<ReducedAxes> readComputedAxes(NodeImporter &node,
                                                   Value axes, bool isNoop) {
  Composer c(node);
  ReducedAxes result;
  int64_t rank = getRank(node.getInput(0));
  result.keepDims = node.getInt("keepdims", 1) != 0;
  if (getRank(axes) != 1) {
    (void)node.fail(malformed("expects axes of rank 1, but found " +
                              toString(axes.getType())));
    return std::nullopt;
  }
  int64_t count = getType(axes).getDimSize(0);
  if (ShapedType::isDynamic(count) && !result.keepDims) {
    (void)node.fail(unsupported("expects axes of known number, but found " +
                                    toString(axes.getType()),
                                "the rank of the result must be known"));
    return std::nullopt;
  }
  result.rank = result.keepDims ? rank : rank - count;
  result.mark = markAxes(c, axes, rank);
  if (ShapedType::isDynamic(count) && !isNoop)
    result.mark =
        c.of<OrOp>(result.mark, c.test<EqualOp>(c.dimOf(axes, 0), 0.0));
  if (!result.mark || result.rank < 0)
    return std::nullopt;
  return result;
}

static std::optional<ReducedAxes> readAxes(NodeImporter &node) {
  int64_t rank = getRank(node.getInput(0));
  bool isNoop = node.getInt("noop_with_empty_axes", 0) != 0;
  ReducedAxes result;
  result.keepDims = node.getInt("keepdims", 1) != 0;
  result.axes = node.getInts("axes");
  if (Value list = node.getInput(1)) {
    if (failed(node.expectIndices(list, "axes")))
      return std::nullopt;
    bool isEmpty = getRank(list) == 1 && getType(list).getDimSize(0) == 0;
    auto known = getAllKnownIntegers(list);
    if (!known && !isEmpty)
      return readComputedAxes(node, list, isNoop);
    result.axes = known.value_or(SmallVector<int64_t>());
  }
  auto axes = node.getAxes(result.axes, rank);
  if (!axes)
    return std::nullopt;
  result.axes = *axes;
  if (axes->empty() && !isNoop)
    llvm::append_range(result.axes, llvm::seq<int64_t>(0, rank));
  result.rank = result.keepDims ? rank : rank - result.axes.size();
  return result;
}

/// The reduction of a matrix whose columns are what is reduced.
static Value reduceComputed(Composer &c, ReduceKind kind, Value x,
                            const ReducedAxes &over) {
  Value order = orderAxes(c, over.mark);
  Value shape = c.shapeOf(x);
  Value kept = c.where(over.mark, 1, shape);
  Value reduced = c.where(over.mark, shape, 1);
  Value matrix =
      c.reshape(permute(c, x, order),
                c.concat({c.productOf(kept), c.productOf(reduced)}, 0));
  Value result = c.reduce(kind, matrix, 1, /*keepDims=*/false);
  Value first = c.slice(order, 0, 0, over.rank);
  return c.reshape(result, over.keepDims ? kept : c.gather(shape, first, 0));
}

static Value reduceOver(Composer &c, ReduceKind kind, Value x,
                        const ReducedAxes &over) {
  if (!x)
    return {};
  Type type = getElementType(x);
  if (type.isInteger(1)) { // any or all of numbers that are 0 or 1
    ReduceKind same =
        kind == ReduceKind::Max ? ReduceKind::Sum : ReduceKind::Prod;
    Value numbers = c.cast(x, c.getNode().getBuilder().getI32Type());
    return c.cast(reduceOver(c, same, numbers, over), type);
  }
  if (over.mark)
    return reduceComputed(c, kind, x, over);
  return over.axes.empty() ? x : c.reduce(kind, x, over.axes, over.keepDims);
}

/// What `compute` makes of the input, with a reduction over the node's axes.
template <typename Fn>
static LogicalResult importOver(NodeImporter &node, Fn compute) {
  Composer c(node);
  std::optional<ReducedAxes> over = readAxes(node);
  if (!over || node.getFailure())
    return failure();
  return node.setOutput(
      0, compute(c, node.getInput(0), [&](ReduceKind kind, Value x) {
        return reduceOver(c, kind, x, *over);
      }));
}

template <ReduceKind kind>
static LogicalResult importReduction(NodeImporter &node) {
  bool isOrder = kind == ReduceKind::Max || kind == ReduceKind::Min;
  if (!isOrder &&
      failed(node.expectElementType(
          node.getInput(0), !getElementType(node.getInput(0)).isInteger(1),
          "a tensor of numbers")))
    return failure();
  return importOver(
      node, [](Composer &, Value x, Reduce reduce) { return reduce(kind, x); });
}

static LogicalResult importReduceL1(NodeImporter &node) {
  return importOver(node, [](Composer &c, Value x, Reduce reduce) {
    return reduce(ReduceKind::Sum, c.of<AbsOp>(x));
  });
}

/// Of integers, as of floats, and then cut.
static LogicalResult importReduceL2(NodeImporter &node) {
  return importOver(node, [](Composer &c, Value x, Reduce reduce) {
    Type type = getElementType(x);
    Value floats = isa<FloatType>(type)
                       ? x
                       : c.cast(x, c.getNode().getBuilder().getF32Type());
    Value norm = reduce(ReduceKind::L2, floats);
    // A norm over no axes.
    return c.cast(norm == floats ? c.of<AbsOp>(norm) : norm, type);
  });
}

static LogicalResult importReduceSumSquare(NodeImporter &node) {
  return importOver(node, [](Composer &c, Value x, Reduce reduce) {
    return reduce(ReduceKind::Sum, c.mul(x, x));
  });
}

static LogicalResult importReduceLogSum(NodeImporter &node) {
  if (failed(node.expectFloat(node.getInput(0))))
    return failure();
  return importOver(node, [](Composer &c, Value x, Reduce reduce) {
    return c.of<LogOp>(reduce(ReduceKind::Sum, x));
  });
}

/// log(sum(exp(x - m))) + m with m the greatest, where it is finite.
static LogicalResult importReduceLogSumExp(NodeImporter &node) {
  Value input = node.getInput(0);
  if (failed(node.expectFloat(input)))
    return failure();
  Composer outer(node);
  std::optional<ReducedAxes> over = readAxes(node);
  if (!over || node.getFailure())
    return failure();
  ReducedAxes beside = *over;
  beside.keepDims = true;
  beside.rank = getRank(input);
  auto most = [&](const ReducedAxes &axes) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    Value max = reduceOver(outer, ReduceKind::Max, input, axes);
    return outer.where(outer.test<EqualOp>(outer.of<AbsOp>(max), inf), 0, max);
  };
  Value parts = outer.of<ExpOp>(outer.sub(input, most(beside)));
  Value sum = outer.of<LogOp>(reduceOver(outer, ReduceKind::Sum, parts, *over));
  return node.setOutput(0, outer.add(sum, most(*over)));
}

ArrayRef<Operator> qopt::importer::getReductionOperators() {
  static constexpr const char *known = "a number of axes that is known, or "
                                       "keepdims = 1";
  static constexpr Operator rows[] = {
      {"ReduceL1", 1, 1, 1, importReduceL1},
      {"ReduceL1", 18, 1, 2, importReduceL1, known},
      {"ReduceL2", 1, 1, 1, importReduceL2},
      {"ReduceL2", 18, 1, 2, importReduceL2, known},
      {"ReduceLogSum", 1, 1, 1, importReduceLogSum},
      {"ReduceLogSum", 18, 1, 2, importReduceLogSum, known},
      {"ReduceLogSumExp", 1, 1, 1, importReduceLogSumExp},
      {"ReduceLogSumExp", 18, 1, 2, importReduceLogSumExp, known},
      {"ReduceMax", 1, 1, 1, importReduction<ReduceKind::Max>},
      {"ReduceMax", 18, 1, 2, importReduction<ReduceKind::Max>, known},
      {"ReduceMean", 1, 1, 1, importReduction<ReduceKind::Mean>},
      {"ReduceMean", 18, 1, 2, importReduction<ReduceKind::Mean>, known},
      {"ReduceMin", 1, 1, 1, importReduction<ReduceKind::Min>},
      {"ReduceMin", 18, 1, 2, importReduction<ReduceKind::Min>, known},
      {"ReduceProd", 1, 1, 1, importReduction<ReduceKind::Prod>},
      {"ReduceProd", 18, 1, 2, importReduction<ReduceKind::Prod>, known},
      {"ReduceSum", 1, 1, 1, importReduction<ReduceKind::Sum>},
      {"ReduceSum", 13, 1, 2, importReduction<ReduceKind::Sum>, known},
      {"ReduceSumSquare", 1, 1, 1, importReduceSumSquare},
      {"ReduceSumSquare", 18, 1, 2, importReduceSumSquare, known},
  };
  return rows;
}
