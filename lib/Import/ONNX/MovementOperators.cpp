//===- MovementOperators.cpp - Parts of tensors put elsewhere -------------===//
//
// What moves elements between positions; ShapeOperators.cpp has what only
// names them differently.
//
//===----------------------------------------------------------------------===//

#include "ComputedAxes.h"
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

/// A slice whose axes or steps only a run knows, as a list of positions on each
/// axis.
static LogicalResult makeComputedSlice(NodeImporter &node, Value axes) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  Value ones = c.expand(c.integers(1), c.shapeOf(axes));
  Value starts = spreadOverAxes(c, axes, node.getInput(1), 0, rank);
  Value ends = spreadOverAxes(c, axes, node.getInput(2), most, rank);
  Value steps = spreadOverAxes(
      c, axes, node.getInput(4) ? node.getInput(4) : ones, 1, rank);
  for (int64_t axis = 0; axis < rank; ++axis)
    x = sliceByPositions(c, x, axis, c.slice(starts, 0, axis, axis + 1),
                         c.slice(ends, 0, axis, axis + 1),
                         c.slice(steps, 0, axis, axis + 1));
  return node.setOutput(0, x);
}

static LogicalResult importSlice(NodeImporter &node) {
  std::optional<int64_t> numStarts = node.getListSize(1, "starts");
  std::optional<int64_t> numEnds = node.getListSize(2, "ends");
  if (!numStarts || !numEnds)
    return failure();
  std::optional<SmallVector<int64_t>> axes;
  int64_t numAxes = getRank(node.getInput(0));
  if (Value list = node.getInput(3)) {
    std::optional<int64_t> count = node.getListSize(3, "axes");
    if (!count)
      return failure();
    numAxes = *count;
    axes = getAllKnownIntegers(list);
  } else if (*numStarts <= kMaxRank) {
    axes = llvm::to_vector(llvm::seq<int64_t>(0, *numStarts));
    numAxes = *numStarts;
  }
  if (*numStarts != numAxes || *numEnds != numAxes)
    return node.fail(malformed("expects as many starts and ends as axes, but "
                               "found " +
                               Twine(*numStarts) + ", " + Twine(*numEnds) +
                               " and " + Twine(numAxes)));
  if (node.getInput(4)) {
    std::optional<int64_t> count = node.getListSize(4, "steps");
    if (!count)
      return failure();
    if (*count != numAxes)
      return node.fail(malformed("expects " + Twine(numAxes) +
                                 " steps, but found " + Twine(*count)));
  }
  bool isKnown =
      axes && (!node.getInput(4) || getAllKnownIntegers(node.getInput(4)));
  if (!isKnown)
    return makeComputedSlice(node, axes ? Composer(node).integers(*axes)
                                        : node.getInput(3));
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

/// A split whose sizes only a run knows.
static LogicalResult makeComputedSplit(NodeImporter &node, int64_t axis) {
  Composer c(node);
  std::optional<int64_t> count = node.getListSize(1, "split");
  if (!count)
    return failure();
  int64_t parts = node.getNumOutputs();
  if (*count != parts)
    return node.fail(malformed("expects a size for each of " + Twine(parts) +
                               " outputs, but found " + Twine(*count)));
  Value sizes = c.cast(node.getInput(1), node.getBuilder().getI64Type());
  Value start = c.integers(0);
  for (int64_t i = 0; i < parts; ++i) {
    Value end = c.add(start, c.slice(sizes, 0, i, i + 1));
    if (failed(node.setOutput(i, c.slice(node.getInput(0), axis, start, end))))
      return failure();
    start = end;
  }
  return success();
}

/// A split of an unknown dim into parts as equal as possible.
static LogicalResult makeEqualSplit(NodeImporter &node, int64_t axis) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t parts = node.getNumOutputs();
  Value size = c.div(c.add(c.dimOf(x, axis), static_cast<double>(parts - 1)),
                     static_cast<double>(parts));
  for (int64_t i = 0; i < parts; ++i) {
    Value start = c.mul(size, static_cast<double>(i));
    if (failed(node.setOutput(i, c.slice(x, axis, start, c.add(start, size)))))
      return failure();
  }
  return success();
}

static LogicalResult importSplit(NodeImporter &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 0), getRank(x));
  if (!axis)
    return failure();
  int64_t dim = getType(x).getDimSize(*axis);
  Value list = node.getInput(1);
  if (list && failed(node.expectIndices(list, "split")))
    return failure();
  if (list && !getAllKnownIntegers(list))
    return makeComputedSplit(node, *axis);
  if (!list && !node.hasAttribute("split") && !isKnown(dim) &&
      node.getNumOutputs() > 0 &&
      node.getInt("num_outputs", node.getNumOutputs()) ==
          static_cast<int64_t>(node.getNumOutputs()))
    return makeEqualSplit(node, *axis);
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

/// Makes `qopt.pad` from pads that are known and not negative.
static Value makePlainPad(NodeImporter &node, Value x, ArrayRef<int64_t> pads,
                          Value value) {
  SmallVector<Value> operands{x};
  if (value)
    operands.push_back(value);
  return Composer(node).make<PadOp>(operands, node.attr("pads", pads));
}

/// Positions of `x` on an axis that pads show, which may lie outside of it.
static Value foldPositions(Composer &c, Value positions, Value dim,
                           StringRef mode) {
  Value last = c.sub(dim, 1);
  if (mode == "wrap")
    return c.of<ModOp>(positions, dim);
  if (mode == "reflect") {
    Value period = c.mul(last, 2);
    Value turned = c.of<ModOp>(positions, c.of<MaxOp>(period, 1.0));
    return c.of<MinOp>(turned, c.sub(period, turned));
  }
  return c.of<MaxOp>(c.of<MinOp>(positions, last), 0.0);
}

/// The same of numbers.
static int64_t foldPosition(int64_t position, int64_t dim, StringRef mode) {
  auto wrap = [](int64_t x, int64_t by) { return ((x % by) + by) % by; };
  if (mode == "wrap")
    return wrap(position, dim);
  if (mode == "reflect") {
    int64_t period = 2 * (dim - 1);
    int64_t turned = wrap(position, std::max<int64_t>(period, 1));
    return std::min(turned, period - turned);
  }
  return std::clamp<int64_t>(position, 0, dim - 1);
}

/// Pads an axis by picking elements, with `value` where there is none.
static Value padByPositions(Composer &c, Value x, int64_t axis, Value before,
                            Value after, StringRef mode, Value value) {
  NodeImporter &node = c.getNode();
  auto first = before ? getAllKnownIntegers(before) : std::nullopt;
  auto second = after ? getAllKnownIntegers(after) : std::nullopt;
  int64_t dim = x ? getType(x).getDimSize(axis) : 0;
  if (!x || node.getFailure())
    return {};
  bool isStatic = first && second && isKnown(dim);
  if (isStatic && first->front() == 0 && second->front() == 0)
    return x;
  constexpr int64_t limit = int64_t(1) << 20;
  int64_t size = isStatic ? dim + first->front() + second->front() : limit;
  if (isStatic && mode != "constant" && dim > 0 && size >= 0 && size < limit) {
    SmallVector<int64_t> positions;
    for (int64_t i = 0; i < size; ++i)
      positions.push_back(foldPosition(i - first->front(), dim, mode));
    return c.gather(x, c.integers(positions), axis);
  }
  Value length = c.dimOf(x, axis);
  Value positions = c.range(c.of<NegOp>(before), c.add(length, after));
  Value result = c.gather(x, foldPositions(c, positions, length, mode), axis);
  if (mode != "constant" || !result)
    return result;
  Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(positions, 0.0),
                               c.test<LessOp>(positions, length));
  SmallVector<int64_t> behind =
      llvm::to_vector(llvm::seq<int64_t>(1, getRank(x) - axis));
  return c.where(c.unsqueeze(isInside, behind), result, value);
}

/// What of an axis negative pads leave.
static Value cutAxis(Composer &c, Value x, int64_t axis, int64_t &before,
                     int64_t &after) {
  if (before >= 0 && after >= 0)
    return x;
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  x = c.slice(x, axis, std::max<int64_t>(-before, 0), after < 0 ? after : most);
  before = std::max<int64_t>(before, 0);
  after = std::max<int64_t>(after, 0);
  return x;
}

static LogicalResult checkPadValue(NodeImporter &node, Value x, Value value) {
  if (value && (failed(node.expectSameElementType(x, value))))
    return failure();
  if (value && getType(value).hasStaticShape() &&
      getType(value).getNumElements() != 1)
    return node.fail(malformed("expects one value to pad with"));
  return success();
}

static std::optional<std::string> readPadMode(NodeImporter &node) {
  std::string mode = node.getString("mode", "constant");
  if (mode == "constant" || mode == "edge" || mode == "reflect" ||
      mode == "wrap")
    return mode;
  (void)node.fail(malformed("attribute \"mode\" has no value " + quote(mode)));
  return std::nullopt;
}

/// Makes the pad from `pads`, which belong to `axes`.
static LogicalResult makePad(NodeImporter &node, ArrayRef<int64_t> pads,
                             ArrayRef<int64_t> axes, Value value) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  std::optional<std::string> mode = readPadMode(node);
  if (!mode)
    return failure();
  if (pads.size() != 2 * axes.size())
    return node.fail(malformed("expects " + Twine(2 * axes.size()) +
                               " pads, but found " + Twine(pads.size())));
  if (failed(checkPadValue(node, x, value)) || !node.getAxes(axes, rank))
    return failure();
  SmallVector<int64_t> all(2 * rank, 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t counted = countFromFront(axis, rank);
    all[counted] = pads[i];
    all[counted + rank] = pads[i + axes.size()];
  }
  for (int64_t pad : all)
    if (std::abs(pad) > (int64_t(1) << 40))
      return node.fail(
          malformed("expects pads below 2^40, but found " + Twine(pad)));
  for (int64_t axis = 0; axis < rank && x; ++axis)
    if (int64_t dim = getType(x).getDimSize(axis);
        !ShapedType::isDynamic(dim) && dim + all[axis] + all[axis + rank] < 0)
      return node.fail(
          malformed("expects pads that take no more than the " + Twine(dim) +
                    " elements of axis " + Twine(axis) + ", but found " +
                    Twine(all[axis]) + " and " + Twine(all[axis + rank])));
  for (int64_t axis = 0; axis < rank && x; ++axis)
    x = *mode == "constant"
            ? cutAxis(c, x, axis, all[axis], all[axis + rank])
            : padByPositions(c, x, axis, c.integers(all[axis]),
                             c.integers(all[axis + rank]), *mode, value);
  bool isDone = x != node.getInput(0) &&
                llvm::all_of(all, [](int64_t pad) { return pad <= 0; });
  return node.setOutput(0, *mode == "constant" && !isDone
                               ? makePlainPad(node, x, all, value)
                               : x);
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
  // "paddings" before opset 2.
  return makePad(node, node.getInts(node.getOpset() < 2 ? "paddings" : "pads"),
                 llvm::to_vector(llvm::seq<int64_t>(0, getRank(x))), value);
}

/// Pads that only a run knows, each axis by its list of positions.
static LogicalResult makeComputedPad(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), value = node.getInput(2);
  int64_t rank = getRank(x);
  std::optional<std::string> mode = readPadMode(node);
  std::optional<int64_t> count = node.getListSize(1, "pads");
  if (!mode || !count || failed(checkPadValue(node, x, value)))
    return failure();
  int64_t numAxes = rank;
  if (node.getInput(3)) {
    std::optional<int64_t> size = node.getListSize(3, "axes");
    if (!size)
      return failure();
    numAxes = *size;
  }
  if (*count != 2 * numAxes)
    return node.fail(malformed("expects " + Twine(2 * numAxes) +
                               " pads, but found " + Twine(*count)));
  Value pads = c.cast(node.getInput(1), node.getBuilder().getI64Type());
  Value before = c.slice(pads, 0, 0, numAxes);
  Value after = c.slice(pads, 0, numAxes, 2 * numAxes);
  if (Value axes = node.getInput(3)) {
    before = spreadOverAxes(c, axes, before, 0, rank);
    after = spreadOverAxes(c, axes, after, 0, rank);
  }
  Value fill = value ? c.reshape(value, c.integers({})) : c.number(0, x);
  for (int64_t axis = 0; axis < rank; ++axis)
    x = padByPositions(c, x, axis, c.slice(before, 0, axis, axis + 1),
                       c.slice(after, 0, axis, axis + 1), *mode, fill);
  return node.setOutput(0, x);
}

static LogicalResult importPad(NodeImporter &node) {
  Value pads = node.getInput(1), list = node.getInput(3);
  if (failed(node.expectIndices(pads, "pads")) ||
      (list && failed(node.expectIndices(list, "axes"))))
    return failure();
  std::optional<SmallVector<int64_t>> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, getRank(node.getInput(0))));
  if (list)
    axes = getAllKnownIntegers(list);
  auto known = getAllKnownIntegers(pads);
  if (!known || !axes)
    return makeComputedPad(node);
  return makePad(node, *known, *axes, node.getInput(2));
}

ArrayRef<Operator> qopt::importer::getMovementOperators() {
  static constexpr Operator rows[] = {
      {"Concat", 1, 1, kAnyNumber, importConcat},
      {"Gather", 1, 2, 2, importGather},
      {"Pad", 1, 1, 1, importPadWithAttributes},
      {"Pad", 11, 2, 3, importPad},
      {"Pad", 18, 2, 4, importPad, "a known number of pads"},
      {"Slice", 1, 1, 1, importSliceWithAttributes},
      {"Slice", 10, 3, 5, importSlice, "a known number of axes"},
      {"Split", 1, 1, 2, importSplit},
      {"Split", 13, 1, 2, importSplit, "a known number of sizes"},
      {"Transpose", 1, 1, 1, importTranspose},
  };
  return rows;
}
