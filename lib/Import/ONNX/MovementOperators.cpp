//===- MovementOperators.cpp - Parts of tensors put elsewhere -------------===//
//
// What moves elements between positions; ShapeOperators.cpp has what only
// names them differently.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static bool isKnown(int64_t dim) { return !ShapedType::isDynamic(dim); }

static LogicalResult importTranspose(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  SmallVector<int64_t> perm = node.getInts("perm");
  if (!node.hasAttribute("perm"))
    perm.assign(llvm::seq<int64_t>(0, rank).rbegin(),
                llvm::seq<int64_t>(0, rank).rend());
  SmallVector<int64_t> sorted = perm;
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return node.fail(malformed("attribute \"perm\" expects a permutation of " +
                               Twine(rank) + " axes"));
  return node.makeOutput<TransposeOp>(getElementType(x), x,
                                      node.attr("perm", perm));
}

/// Steps are known and not 0, and as many as there are axes.
static LogicalResult checkSteps(NodeImporter &node, size_t numAxes) {
  std::optional<SmallVector<int64_t>> steps =
      node.getConstantIntegers(4, "steps");
  if (!steps)
    return failure();
  if (steps->size() != numAxes)
    return node.fail(malformed("expects " + Twine(numAxes) +
                               " steps, but found " + Twine(steps->size())));
  constexpr int64_t limit = int64_t(1) << 62;
  for (int64_t step : *steps)
    if (step == 0 || step > limit || step < -limit)
      return node.fail(malformed("expects steps that are not 0 and below 2^62, "
                                 "but found " +
                                 Twine(step)));
  return success();
}

static LogicalResult makeSlice(NodeImporter &node, Value starts, Value ends,
                               Value steps, ArrayRef<int64_t> axes) {
  Value x = node.getInput(0);
  SmallVector<int64_t> normal;
  for (int64_t axis : axes) {
    std::optional<int64_t> counted = node.getAxis(axis, getRank(x));
    if (!counted)
      return failure();
    normal.push_back(*counted);
  }
  // Only the checks: the order of the axes is that of starts and ends.
  if (!node.getAxes(normal, getRank(x)))
    return failure();
  SmallVector<Value> operands{x, starts, ends};
  if (steps)
    operands.push_back(steps);
  return node.makeOutput<SliceOp>(getElementType(x), operands,
                                  node.attr("axes", normal));
}

static LogicalResult importSliceWithAttributes(NodeImporter &node) {
  SmallVector<int64_t> starts = node.getInts("starts");
  SmallVector<int64_t> ends = node.getInts("ends");
  SmallVector<int64_t> axes = node.getInts("axes");
  if (!node.hasAttribute("axes"))
    axes.assign(llvm::seq<int64_t>(0, starts.size()).begin(),
                llvm::seq<int64_t>(0, starts.size()).end());
  if (starts.size() != axes.size() || ends.size() != axes.size())
    return node.fail(malformed("expects as many starts and ends as axes, but "
                               "found " +
                               Twine(starts.size()) + ", " +
                               Twine(ends.size()) + " and " +
                               Twine(axes.size())));
  OpBuilder &builder = node.getBuilder();
  return makeSlice(node, makeIntegers(builder, node.getLoc(), starts),
                   makeIntegers(builder, node.getLoc(), ends), Value(), axes);
}

static LogicalResult importSlice(NodeImporter &node) {
  std::optional<int64_t> numStarts = node.getListSize(1, "starts");
  std::optional<int64_t> numEnds = node.getListSize(2, "ends");
  if (!numStarts || !numEnds)
    return failure();
  std::optional<SmallVector<int64_t>> axes;
  if (node.getInput(3)) {
    axes = node.getConstantIntegers(3, "axes");
    if (!axes)
      return failure();
  } else if (*numStarts <= kMaxRank) {
    axes = llvm::to_vector(llvm::seq<int64_t>(0, *numStarts));
  }
  int64_t numAxes = axes ? axes->size() : getRank(node.getInput(0));
  if (!axes || *numStarts != numAxes || *numEnds != numAxes)
    return node.fail(malformed("expects as many starts and ends as axes, but "
                               "found " +
                               Twine(*numStarts) + ", " + Twine(*numEnds) +
                               " and " + Twine(numAxes)));
  if (node.getInput(4) && failed(checkSteps(node, numAxes)))
    return failure();
  return makeSlice(node, node.getInput(1), node.getInput(2), node.getInput(4),
                   *axes);
}

static LogicalResult importConcat(NodeImporter &node) {
  Value first = node.getInput(0);
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 1), getRank(first));
  if (!axis)
    return failure();
  for (Value next : node.getInputs().drop_front()) {
    if (failed(node.expectSameElementType(first, next)))
      return failure();
    if (getRank(next) != getRank(first))
      return node.fail(
          malformed("expects inputs of one rank, but found ranks " +
                    Twine(getRank(first)) + " and " + Twine(getRank(next))));
    for (int64_t i = 0; i < getRank(first); ++i) {
      int64_t a = getType(first).getDimSize(i), b = getType(next).getDimSize(i);
      if (i != *axis && isKnown(a) && isKnown(b) && a != b)
        return node.fail(malformed("expects equal dims on axis " + Twine(i) +
                                   ", but found " + Twine(a) + " and " +
                                   Twine(b)));
    }
  }
  return node.makeOutput<ConcatOp>(getElementType(first), node.getInputs(),
                                   node.attr("axis", *axis));
}

/// Sizes of parts that are as equal as possible; the last may be smaller.
static std::optional<SmallVector<int64_t>> getEqualParts(NodeImporter &node,
                                                         int64_t dim) {
  int64_t parts = node.getNumOutputs();
  int64_t wanted = node.getInt("num_outputs", parts);
  if (parts == 0 || wanted != parts) {
    (void)node.fail(malformed("expects " + Twine(wanted) +
                              " outputs, but found " + Twine(parts)));
    return std::nullopt;
  }
  if (!isKnown(dim)) {
    (void)node.fail(unsupported("a split without sizes needs an axis of known "
                                "size",
                                "fix the dim, or export the sizes"));
    return std::nullopt;
  }
  int64_t size = llvm::divideCeil(dim, parts);
  int64_t last = dim - size * (parts - 1);
  if (last < 0 || (last != size && node.getOpset() < 18)) {
    (void)node.fail(malformed("expects a dim that divides into " +
                              Twine(parts) + " parts, but found " +
                              Twine(dim)));
    return std::nullopt;
  }
  SmallVector<int64_t> sizes(parts, size);
  sizes.back() = last;
  return sizes;
}

/// The sizes that the node states; empty when it states none.
static std::optional<SmallVector<int64_t>> getSplitSizes(NodeImporter &node) {
  if (node.getInput(1))
    return node.getConstantIntegers(1, "split");
  return node.getInts("split");
}

static LogicalResult importSplit(NodeImporter &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 0), getRank(x));
  if (!axis)
    return failure();
  int64_t dim = getType(x).getDimSize(*axis);
  std::optional<SmallVector<int64_t>> sizes = getSplitSizes(node);
  if (sizes && sizes->empty())
    sizes = getEqualParts(node, dim);
  if (!sizes)
    return failure();
  int64_t sum = 0;
  bool isBad = sizes->size() != node.getNumOutputs();
  for (int64_t size : *sizes)
    isBad |= size < 0 || llvm::AddOverflow(sum, size, sum);
  if (isBad || (isKnown(dim) && sum != dim))
    return node.fail(malformed("expects a size for each of " +
                               Twine(node.getNumOutputs()) +
                               " outputs, with a sum of " +
                               (isKnown(dim) ? Twine(dim) : Twine("the dim"))));
  if (node.getFailure())
    return failure();
  SmallVector<Type> types(sizes->size(),
                          RankedTensorType::get({}, getElementType(x)));
  auto op = SplitOp::create(
      node.getBuilder(), node.getLoc(), TypeRange(types), ValueRange(x),
      ArrayRef<NamedAttribute>{node.attr("axis", *axis),
                               node.attr("sizes", *sizes)});
  if (failed(node.finish(op)))
    return failure();
  for (auto [i, part] : llvm::enumerate(op.getParts()))
    if (failed(node.setOutput(i, part)))
      return failure();
  return success();
}

static LogicalResult importGather(NodeImporter &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  if (failed(node.expectRank(x, 1, "data")) ||
      failed(node.expectIndices(indices, "indices")))
    return failure();
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 0), getRank(x));
  if (!axis)
    return failure();
  return node.makeOutput<GatherOp>(getElementType(x), {x, indices},
                                   node.attr("axis", *axis));
}

/// Makes the pad from `pads`, which belong to `axes`.
static LogicalResult makePad(NodeImporter &node, ArrayRef<int64_t> pads,
                             ArrayRef<int64_t> axes, Value value) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  std::string mode = node.getString("mode", "constant");
  if (mode != "constant")
    return node.fail(
        unsupported("expects mode \"constant\", but found " + quote(mode)));
  if (pads.size() != 2 * axes.size())
    return node.fail(malformed("expects " + Twine(2 * axes.size()) +
                               " pads, but found " + Twine(pads.size())));
  if (value && (failed(node.expectSameElementType(x, value))))
    return failure();
  if (value && getType(value).hasStaticShape() &&
      getType(value).getNumElements() != 1)
    return node.fail(malformed("expects one value to pad with"));
  if (!node.getAxes(axes, rank))
    return failure();
  SmallVector<int64_t> all(2 * rank, 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t counted = countFromFront(axis, rank);
    all[counted] = pads[i];
    all[counted + rank] = pads[i + axes.size()];
  }
  for (int64_t pad : all) {
    if (pad < 0)
      return node.fail(
          unsupported("expects pads of 0 or more, but found " + Twine(pad),
                      "use Slice to take a border away"));
    if (pad > (int64_t(1) << 40))
      return node.fail(
          malformed("expects pads below 2^40, but found " + Twine(pad)));
  }
  SmallVector<Value> operands{x};
  if (value)
    operands.push_back(value);
  return node.makeOutput<PadOp>(getElementType(x), operands,
                                node.attr("pads", all));
}

static LogicalResult importPadWithAttributes(NodeImporter &node) {
  Value x = node.getInput(0), value;
  if (float fill = node.getFloat("value", 0.0f)) {
    value = makeFloats(node.getBuilder(), node.getLoc(), fill, true);
    if (getElementType(x) != getElementType(value))
      value = node.make<CastOp>(getElementType(x), value);
    if (!value)
      return failure();
  }
  return makePad(node, node.getInts("pads"),
                 llvm::to_vector(llvm::seq<int64_t>(0, getRank(x))), value);
}

static LogicalResult importPad(NodeImporter &node) {
  std::optional<SmallVector<int64_t>> pads =
      node.getConstantIntegers(1, "pads");
  std::optional<SmallVector<int64_t>> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, getRank(node.getInput(0))));
  if (node.getInput(3))
    axes = node.getConstantIntegers(3, "axes");
  if (!pads || !axes)
    return failure();
  return makePad(node, *pads, *axes, node.getInput(2));
}

ArrayRef<Operator> qopt::importer::getMovementOperators() {
  static constexpr Operator rows[] = {
      {"Concat", 4, 1, kAnyNumber, importConcat},
      {"Gather", 1, 2, 2, importGather},
      {"Pad", 2, 1, 1, importPadWithAttributes},
      {"Pad", 11, 2, 3, importPad},
      {"Pad", 18, 2, 4, importPad, "mode constant; pads known, not negative"},
      {"Slice", 1, 1, 1, importSliceWithAttributes},
      {"Slice", 10, 3, 5, importSlice, "axes and steps known"},
      {"Split", 2, 1, 1, importSplit},
      {"Split", 13, 1, 2, importSplit, "sizes, or an axis of known size"},
      {"Transpose", 1, 1, 1, importTranspose},
  };
  return rows;
}
