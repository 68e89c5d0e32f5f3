//===- LoopOperators.cpp - What becomes ops of loops ----------------------===//
//
// Each function checks what the rule of the result's dims reads; the op's own
// definition says the rest.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

template <class AttrT, class Enum>
static NamedAttribute choice(NodeImporter &node, StringRef name, Enum value) {
  return node.attr(name, AttrT::get(node.getBuilder().getContext(), value));
}

/// Checks for elements that can be added and compared.
static LogicalResult expectNumbers(NodeImporter &node, Value x) {
  return node.expectElementType(x, !getElementType(x).isInteger(1),
                                "a tensor of numbers");
}

/// Checks for floats that are computed in f32.
static LogicalResult expectReals(NodeImporter &node, Value x) {
  if (failed(node.expectFloat(x)))
    return failure();
  if (!getElementType(x).isF64())
    return success();
  return node.fail(unsupported("elements of f64 are not supported",
                               "cast them in the model"));
}

static std::optional<int64_t> getAxisOf(NodeImporter &node, Value x,
                                        int64_t absent) {
  return node.getAxis(node.getInt("axis", absent), getRank(x));
}

//===----------------------------------------------------------------------===//
// Elements by index
//===----------------------------------------------------------------------===//

/// Checks indices whose last axis holds positions of `x` from `batch` on.
static LogicalResult checkTuples(NodeImporter &node, Value x, Value indices,
                                 int64_t batch) {
  if (failed(node.expectRank(x, 1, "data")) ||
      failed(node.expectRank(indices, 1, "indices")) ||
      failed(node.expectIndices(indices, "indices")))
    return failure();
  int64_t size = getType(indices).getShape().back();
  if (ShapedType::isDynamic(size))
    return node.fail(unsupported("expects indices whose last dim is known, but "
                                 "found " +
                                     toString(indices.getType()),
                                 "the rank of the result must be known"));
  if (batch < 0 || batch >= getRank(indices) || size < 1 ||
      batch + size > getRank(x))
    return node.fail(malformed(
        "expects tuples of indices behind " + Twine(batch) + " axes of " +
        toString(x.getType()) + ", but found " + toString(indices.getType())));
  return success();
}

static LogicalResult importGatherND(NodeImporter &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  int64_t batch = node.getOpset() < 12 ? 0 : node.getInt("batch_dims", 0);
  if (failed(checkTuples(node, x, indices, batch)))
    return failure();
  return node.makeOutput<GatherNDOp>(getElementType(x), {x, indices},
                                     node.attr("batch_dims", batch));
}

/// What `reduction` says, as far as the opset knows it.
static std::optional<ScatterKind> getScatterKind(NodeImporter &node, Value x) {
  if (node.getOpset() < 16)
    return ScatterKind::Set;
  std::string name = node.getString("reduction", "none");
  std::optional<ScatterKind> kind = symbolizeScatterKind(name);
  if (name == "none")
    kind = ScatterKind::Set;
  bool isKnown = kind && name != "set" &&
                 (node.getOpset() >= 18 || (name != "max" && name != "min"));
  if (!isKnown) {
    (void)node.fail(
        malformed("attribute \"reduction\" has no value " + quote(name)));
    return std::nullopt;
  }
  if (*kind != ScatterKind::Set && failed(expectNumbers(node, x)))
    return std::nullopt;
  return kind;
}

static LogicalResult importScatterND(NodeImporter &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  Value updates = node.getInput(2);
  if (failed(checkTuples(node, x, indices, 0)) ||
      failed(node.expectSameElementType(x, updates)))
    return failure();
  std::optional<ScatterKind> kind = getScatterKind(node, x);
  if (!kind)
    return failure();
  return node.makeOutput<ScatterNDOp>(
      getElementType(x), {x, indices, updates},
      choice<ScatterKindAttr>(node, "kind", *kind));
}

static LogicalResult importGatherElements(NodeImporter &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  std::optional<int64_t> axis = getAxisOf(node, x, 0);
  if (!axis || failed(node.expectIndices(indices, "indices")))
    return failure();
  return node.makeOutput<GatherElementsOp>(getElementType(x), {x, indices},
                                           node.attr("axis", *axis));
}

static LogicalResult importScatterElements(NodeImporter &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  Value updates = node.getInput(2);
  std::optional<int64_t> axis = getAxisOf(node, x, 0);
  if (!axis || failed(node.expectIndices(indices, "indices")) ||
      failed(node.expectSameElementType(x, updates)))
    return failure();
  std::optional<ScatterKind> kind = getScatterKind(node, x);
  if (!kind)
    return failure();
  return node.makeOutput<ScatterElementsOp>(
      getElementType(x), {x, indices, updates},
      {node.attr("axis", *axis), choice<ScatterKindAttr>(node, "kind", *kind)});
}

/// An input as int64; null on failure.
static Value castToLong(NodeImporter &node, Value x) {
  Type type = node.getBuilder().getI64Type();
  return getElementType(x) == type ? x : node.make<CastOp>(type, x);
}

/// Checks an input that is one number.
static LogicalResult expectOne(NodeImporter &node, Value x, StringRef name) {
  RankedTensorType type = getType(x);
  if (type.getRank() <= 1 && type.hasStaticShape() &&
      type.getNumElements() == 1)
    return success();
  return node.fail(malformed("expects one number as " + name + ", but found " +
                             toString(type)));
}

static LogicalResult importOneHot(NodeImporter &node) {
  Value indices = node.getInput(0), depth = node.getInput(1);
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", -1), getRank(indices) + 1);
  if (!axis || failed(expectOne(node, depth, "depth")))
    return failure();
  indices = castToLong(node, indices);
  depth = castToLong(node, depth);
  if (!indices || !depth)
    return failure();
  Value values = node.getInput(2);
  return node.makeOutput<OneHotOp>(getElementType(values),
                                   {indices, depth, values},
                                   node.attr("axis", *axis));
}

//===----------------------------------------------------------------------===//
// Elements put elsewhere
//===----------------------------------------------------------------------===//

static LogicalResult importTile(NodeImporter &node) {
  Value x = node.getInput(0), repeats = node.getInput(1);
  std::optional<int64_t> count = node.getListSize(1, "repeats");
  if (!count)
    return failure();
  if (*count != getRank(x))
    return node.fail(malformed("expects repeats for " + Twine(getRank(x)) +
                               " axes, but found " + Twine(*count)));
  return node.makeOutput<TileOp>(getElementType(x), {x, repeats});
}

/// Before opset 6 the number of copies along one axis, which is an input too.
static LogicalResult importTileOfAxis(NodeImporter &node) {
  Value x = node.getInput(0), tiles = node.getInput(1);
  std::optional<SmallVector<int64_t>> list =
      node.getConstantIntegers(2, "axis");
  if (!list || failed(expectOne(node, tiles, "tiles")))
    return failure();
  std::optional<int64_t> axis = node.getAxis(list->front(), getRank(x));
  if (!axis)
    return failure();
  Composer c(node);
  SmallVector<Value> repeats(getRank(x), c.integers(1));
  repeats[*axis] =
      c.reshape(c.cast(tiles, node.getBuilder().getI64Type()), {1});
  return node.setOutput(0, c.of<TileOp>(x, c.concat(repeats, 0)));
}

/// Checks x and the attribute `blocksize`; nothing on failure.
static std::optional<int64_t> getBlock(NodeImporter &node, Value x) {
  int64_t block = node.getInt("blocksize", 0);
  if (getRank(x) == 4 && block >= 1 && block <= 1024)
    return block;
  (void)node.fail(malformed("expects four axes and a block from 1 to 1024, but "
                            "found " +
                            toString(x.getType()) + " and " + Twine(block)));
  return std::nullopt;
}

static LogicalResult importDepthToSpace(NodeImporter &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> block = getBlock(node, x);
  if (!block)
    return failure();
  std::string mode =
      node.getOpset() < 11 ? "DCR" : node.getString("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.fail(
        malformed("attribute \"mode\" has no value " + quote(mode)));
  int64_t channels = getType(x).getDimSize(1);
  if (!ShapedType::isDynamic(channels) && channels % (*block * *block) != 0)
    return node.fail(malformed("expects channels that " +
                               Twine(*block * *block) + " divides, but found " +
                               Twine(channels)));
  DepthOrder order =
      mode == "DCR" ? DepthOrder::DepthColumnRow : DepthOrder::ColumnRowDepth;
  return node.makeOutput<DepthToSpaceOp>(
      getElementType(x), x,
      {node.attr("block", *block),
       choice<DepthOrderAttr>(node, "order", order)});
}

static LogicalResult importSpaceToDepth(NodeImporter &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> block = getBlock(node, x);
  if (!block)
    return failure();
  std::string mode =
      node.getOpset() < 28 ? "DCR" : node.getString("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.fail(
        malformed("attribute \"mode\" has no value " + quote(mode)));
  for (int64_t size : getType(x).getShape().drop_front(2))
    if (!ShapedType::isDynamic(size) && size % *block != 0)
      return node.fail(malformed("expects positions that " + Twine(*block) +
                                 " divides, but found " + Twine(size)));
  Composer c(node);
  Value depth = c.make<SpaceToDepthOp>(x, node.attr("block", *block));
  if (mode == "DCR" || !depth)
    return node.setOutput(0, depth);
  // Its channels are blocks of those of x.
  Value blocks = c.integers(*block * *block), size = c.shapeOf(depth, 2, 4);
  Value split = c.concat({c.dimOf(x, 0), blocks, c.dimOf(x, 1), size}, 0);
  Value swapped = c.swapAxes(c.reshape(depth, split), 1, 2);
  return node.setOutput(0, c.reshape(swapped, c.shapeOf(depth)));
}

static LogicalResult importReverseSequence(NodeImporter &node) {
  Value x = node.getInput(0), lengths = node.getInput(1);
  std::optional<int64_t> batch =
      node.getAxis(node.getInt("batch_axis", 1), getRank(x));
  std::optional<int64_t> time =
      node.getAxis(node.getInt("time_axis", 0), getRank(x));
  if (!batch || !time || failed(node.expectIndices(lengths, "sequence_lens")))
    return failure();
  if (*batch > 1 || *time > 1)
    return node.fail(malformed("expects batch_axis and time_axis of 0 and 1, "
                               "but found " +
                               Twine(*batch) + " and " + Twine(*time)));
  return node.makeOutput<ReverseSequenceOp>(
      getElementType(x), {x, lengths},
      {node.attr("batch_axis", *batch), node.attr("time_axis", *time)});
}

static LogicalResult importTrilu(NodeImporter &node) {
  Value x = node.getInput(0), k = node.getInput(1);
  SmallVector<Value> operands{x};
  if (k &&
      (failed(expectOne(node, k, "k")) || failed(node.expectIndices(k, "k"))))
    return failure();
  if (k)
    operands.push_back(k);
  return node.makeOutput<TriluOp>(
      getElementType(x), operands,
      node.attr("upper", node.getInt("upper", 1) != 0));
}

//===----------------------------------------------------------------------===//
// What an axis holds
//===----------------------------------------------------------------------===//

template <class OpTy>
static Value makeRunning(NodeImporter &node, Value x, int64_t axis) {
  return node.make<OpTy>(
      getElementType(x), x,
      {node.attr("axis", axis),
       node.attr("exclusive", node.getInt("exclusive", 0) != 0),
       node.attr("reverse", node.getInt("reverse", 0) != 0)});
}

/// The product of the dims [starts, ends) of a shape, as a list of one.
static Value makeProductOfDims(NodeImporter &node, Value shape, Value starts,
                               Value ends) {
  Type word = node.getBuilder().getI64Type();
  Value dims = node.make<SliceOp>(word, {shape, starts, ends},
                                  node.attr("axes", ArrayRef<int64_t>{0}));
  if (!dims)
    return {};
  return node.make<ReduceOp>(
      word, dims,
      {choice<ReduceKindAttr>(node, "kind", ReduceKind::Prod),
       node.attr("axes", ArrayRef<int64_t>{0}), node.attr("keepdims", true)});
}

/// `x` as three axes, those before the axis and those behind it as one each;
/// the axis is a number that only a run knows.
static Value joinAround(NodeImporter &node, Value x, Value axis, Value shape) {
  OpBuilder &builder = node.getBuilder();
  Type word = builder.getI64Type();
  auto list = [&](int64_t number) {
    return makeIntegers(builder, node.getLoc(), number);
  };
  axis = castToLong(node, axis);
  if (axis)
    axis = node.make<ReshapeOp>(word, {axis, list(1)},
                                node.attr("allow_zero", false));
  if (!axis)
    return {};
  // A gather refuses what is no axis.
  Value size =
      node.make<GatherOp>(word, {shape, axis}, node.attr("axis", int64_t(0)));
  Value isNegative = node.make<LessOp>(builder.getI1Type(), {axis, list(0)});
  Value wrapped = node.make<AddOp>(word, {axis, list(getRank(x))});
  axis = node.make<WhereOp>(word, {isNegative, wrapped, axis});
  Value behind = node.make<AddOp>(word, {axis, list(1)});
  Value outer = makeProductOfDims(node, shape, list(0), axis);
  Value inner = makeProductOfDims(node, shape, behind, list(getRank(x)));
  if (!outer || !inner)
    return {};
  Value dims = node.make<ConcatOp>(word, {outer, size, inner},
                                   node.attr("axis", int64_t(0)));
  return node.make<ReshapeOp>(getElementType(x), {x, dims},
                              node.attr("allow_zero", true));
}

/// Running sums or products.
template <class OpTy> static LogicalResult importRunning(NodeImporter &node) {
  Value x = node.getInput(0), axis = node.getInput(1);
  if (failed(expectOne(node, axis, "axis")) ||
      failed(node.expectIndices(axis, "axis")) ||
      failed(expectNumbers(node, x)) ||
      failed(node.expectRank(x, 1, "an input")))
    return failure();
  if (auto known = getAllKnownIntegers(axis)) {
    std::optional<int64_t> number = node.getAxis(known->front(), getRank(x));
    return number ? node.setOutput(0, makeRunning<OpTy>(node, x, *number))
                  : failure();
  }
  Value shape = node.make<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", int64_t(0)), node.attr("end", getRank(x))});
  Value joined = shape ? joinAround(node, x, axis, shape) : Value();
  Value totals = joined ? makeRunning<OpTy>(node, joined, 1) : Value();
  if (!totals)
    return failure();
  return node.makeOutput<ReshapeOp>(getElementType(x), {totals, shape},
                                    node.attr("allow_zero", true));
}

static LogicalResult importArg(NodeImporter &node, ReduceKind kind) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = getAxisOf(node, x, 0);
  if (!axis || failed(expectNumbers(node, x)))
    return failure();
  bool isLast =
      node.getOpset() >= 12 && node.getInt("select_last_index", 0) != 0;
  return node.makeOutput<ArgReduceOp>(
      node.getBuilder().getI64Type(), x,
      {choice<ReduceKindAttr>(node, "kind", kind), node.attr("axis", *axis),
       node.attr("keepdims", node.getInt("keepdims", 1) != 0),
       node.attr("select_last", isLast)});
}

static LogicalResult importArgMax(NodeImporter &node) {
  return importArg(node, ReduceKind::Max);
}
static LogicalResult importArgMin(NodeImporter &node) {
  return importArg(node, ReduceKind::Min);
}

static LogicalResult makeTopK(NodeImporter &node, Value k, bool isLargest) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = getAxisOf(node, x, -1);
  if (!axis || failed(expectNumbers(node, x)) ||
      failed(expectOne(node, k, "k")) || failed(node.expectIndices(k, "k")) ||
      node.getFailure())
    return failure();
  OpBuilder &builder = node.getBuilder();
  auto values = RankedTensorType::get({}, getElementType(x));
  auto indices = RankedTensorType::get({}, builder.getI64Type());
  auto op = TopKOp::create(
      builder, node.getLoc(), TypeRange{values, indices}, ValueRange{x, k},
      ArrayRef<NamedAttribute>{node.attr("axis", *axis),
                               node.attr("largest", isLargest)});
  return success(succeeded(node.finish(op)) &&
                 succeeded(node.setOutput(0, op.getValues())) &&
                 succeeded(node.setOutput(1, op.getIndices())));
}

static LogicalResult importTopKWithAttribute(NodeImporter &node) {
  Value k = makeIntegers(node.getBuilder(), node.getLoc(), node.getInt("k", 0));
  return makeTopK(node, k, true);
}

static LogicalResult importTopK(NodeImporter &node) {
  // What is sorted is in any order too.
  node.ignoreAttribute("sorted");
  bool isLargest = node.getOpset() < 11 || node.getInt("largest", 1) != 0;
  return makeTopK(node, node.getInput(1), isLargest);
}

static LogicalResult importNonZero(NodeImporter &node) {
  Value x = node.getInput(0);
  OpBuilder &builder = node.getBuilder();
  if (failed(node.expectRank(x, 1, "an input")))
    return failure();
  if (!getElementType(x).isInteger(1))
    x = node.make<CastOp>(builder.getI1Type(), x);
  Value ones = x ? node.make<CastOp>(builder.getI64Type(), x) : Value();
  if (!ones)
    return failure();
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  Value count = node.make<ReduceOp>(
      builder.getI64Type(), ones,
      {choice<ReduceKindAttr>(node, "kind", ReduceKind::Sum),
       node.attr("axes", axes), node.attr("keepdims", false)});
  if (!count)
    return failure();
  return node.makeOutput<NonZeroOp>(builder.getI64Type(), {x, count});
}

/// Rows of sample, class and box of what is selected.
static LogicalResult importNonMaxSuppression(NodeImporter &node) {
  Composer c(node);
  OpBuilder &builder = node.getBuilder();
  Value boxes = node.getInput(0), scores = node.getInput(1);
  Type f32 = builder.getF32Type(), word = builder.getI64Type();
  int64_t byCenter = node.getInt("center_point_box", 0);
  if (byCenter != 0 && byCenter != 1)
    return node.fail(malformed("attribute \"center_point_box\" expects 0 or 1, "
                               "but found " +
                               Twine(byCenter)));
  for (Value x : {boxes, scores}) {
    if (failed(node.expectElementType(x, getElementType(x).isF32(),
                                      "a tensor of float")))
      return failure();
    if (getRank(x) != 3)
      return node.fail(malformed("expects boxes and scores of three axes, but "
                                 "found " +
                                 toString(x.getType())));
  }
  constexpr double inf = std::numeric_limits<double>::infinity();
  auto read = [&](size_t input, Type type, double absent, StringRef name) {
    Value value = node.getInput(input);
    if (!value)
      return c.number(absent, type);
    if (failed(expectOne(node, value, name)) ||
        failed(node.expectElementType(value, getElementType(value) == type,
                                      (name + " of " + toString(type)).str())))
      return Value();
    return value;
  };
  Value most = read(2, word, 0, "max_output_boxes_per_class");
  Value overlap = read(3, f32, 0, "iou_threshold");
  Value least = read(4, f32, -inf, "score_threshold");
  if (!most || !overlap || !least || node.getFailure())
    return failure();
  auto op = NonMaxSuppressionOp::create(
      builder, node.getLoc(),
      TypeRange{RankedTensorType::get({}, word),
                RankedTensorType::get({}, f32)},
      ValueRange{boxes, scores, most, overlap, least},
      ArrayRef<NamedAttribute>{node.attr("by_center", byCenter != 0)});
  if (failed(node.finish(op)))
    return failure();
  Value selected = op.getSelected();
  Value isSelected = c.test<GreaterOrEqualOp>(selected, 0.0);
  Value count = c.reduce(ReduceKind::Sum, c.cast(isSelected, word), {0, 1, 2},
                         /*keepDims=*/false);
  if (!count)
    return failure();
  Value places = node.make<NonZeroOp>(word, {isSelected, count});
  Value rows = c.transpose(places, {1, 0});
  if (!rows)
    return failure();
  Value numbers = node.make<GatherNDOp>(word, {selected, rows},
                                        node.attr("batch_dims", int64_t(0)));
  return node.setOutput(
      0, c.concat({c.slice(rows, 1, 0, 2), c.unsqueeze(numbers, 1)}, 1));
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

static std::optional<Sampling> getSampling(NodeImporter &node) {
  bool isOld = node.getOpset() < 20;
  std::string mode = node.getString("mode", isOld ? "bilinear" : "linear");
  if (mode == "nearest")
    return Sampling::Nearest;
  if (mode == (isOld ? "bilinear" : "linear"))
    return Sampling::Linear;
  if (mode == (isOld ? "bicubic" : "cubic"))
    return Sampling::Cubic;
  (void)node.fail(malformed("attribute \"mode\" has no value " + quote(mode)));
  return std::nullopt;
}

static LogicalResult importGridSample(NodeImporter &node) {
  Value x = node.getInput(0), grid = node.getInput(1);
  if (failed(expectReals(node, x)) || failed(expectReals(node, grid)))
    return failure();
  int64_t rank = getRank(x);
  if (rank < 3 || rank > 5 || getRank(grid) != rank)
    return node.fail(unsupported(
        "expects one to three spatial axes and a grid of as many, "
        "but found " +
        toString(x.getType()) + " and " + toString(grid.getType())));
  std::optional<Sampling> sampling = getSampling(node);
  std::string padding = node.getString("padding_mode", "zeros");
  std::optional<Outside> outside = symbolizeOutside(padding);
  if (!outside)
    return node.fail(
        malformed("attribute \"padding_mode\" has no value " + quote(padding)));
  if (!sampling)
    return failure();
  return node.makeOutput<GridSampleOp>(
      getElementType(x), {x, grid},
      {choice<SamplingAttr>(node, "sampling", *sampling),
       choice<OutsideAttr>(node, "outside", *outside),
       node.attr("align_corners", node.getInt("align_corners", 0) != 0)});
}

static LogicalResult importInstanceNormalization(NodeImporter &node) {
  Value x = node.getInput(0), scale = node.getInput(1), bias = node.getInput(2);
  if (failed(expectReals(node, x)) ||
      failed(node.expectRank(x, 2, "an input")) ||
      failed(node.expectSameElementType(x, scale)) ||
      failed(node.expectSameElementType(x, bias)))
    return failure();
  return node.makeOutput<InstanceNormOp>(
      getElementType(x), {x, scale, bias},
      node.attr("epsilon", node.getFloat("epsilon", 1e-5f)));
}

ArrayRef<Operator> qopt::importer::getLoopOperators() {
  static constexpr const char *numbers = "no booleans";
  static constexpr Operator rows[] = {
      {"ArgMax", 1, 1, 1, importArgMax, numbers},
      {"ArgMin", 1, 1, 1, importArgMin, numbers},
      {"CumProd", 26, 2, 2, importRunning<CumProdOp>},
      {"CumSum", 11, 2, 2, importRunning<CumSumOp>},
      {"DepthToSpace", 1, 1, 1, importDepthToSpace},
      {"GatherElements", 11, 2, 2, importGatherElements},
      {"GatherND", 11, 2, 2, importGatherND, "indices whose last dim is known"},
      {"GridSample", 16, 2, 2, importGridSample,
       "1 to 3 spatial axes; no float64"},
      {"InstanceNormalization", 1, 3, 3, importInstanceNormalization,
       "no float64"},
      {"NonMaxSuppression", 10, 2, 5, importNonMaxSuppression},
      {"NonZero", 9, 1, 1, importNonZero, "an axis or more"},
      {"OneHot", 9, 3, 3, importOneHot},
      {"ReverseSequence", 10, 2, 2, importReverseSequence},
      {"Scatter", 9, 3, 3, importScatterElements},
      {"ScatterElements", 11, 3, 3, importScatterElements,
       "reduction of numbers"},
      {"ScatterND", 11, 3, 3, importScatterND,
       "indices whose last dim is known; reduction of numbers"},
      {"SpaceToDepth", 1, 1, 1, importSpaceToDepth},
      {"Tile", 1, 3, 3, importTileOfAxis},
      {"Tile", 6, 2, 2, importTile},
      {"TopK", 1, 1, 1, importTopKWithAttribute},
      {"TopK", 10, 2, 2, importTopK, numbers},
      {"Trilu", 14, 1, 2, importTrilu},
  };
  return rows;
}
