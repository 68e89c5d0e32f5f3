//===- ShapeOperators.cpp - Same elements, other dims ---------------------===//
//
// Also what makes tensors of a shape that is computed. The rank of a result
// must be known, its dims need not be.
//
//===----------------------------------------------------------------------===//

#include "ComputedAxes.h"
#include "Operators.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Size of a list of dims, at most `kMaxRank`.
static std::optional<int64_t> getResultRank(NodeImporter &node, size_t input) {
  std::optional<int64_t> rank = node.getListSize(input, "a shape");
  if (!rank || *rank <= kMaxRank)
    return rank;
  (void)node.fail(unsupported("a result of " + Twine(*rank) +
                              " axes is not supported, only up to " +
                              Twine(kMaxRank)));
  return std::nullopt;
}

/// Checks what is known of a Reshape's target against the input.
static LogicalResult checkTarget(NodeImporter &node,
                                 ArrayRef<std::optional<int64_t>> target,
                                 RankedTensorType input, bool allowZero) {
  int64_t product = 1, rests = 0, zeros = 0;
  bool isAllKnown = true;
  for (auto [i, dim] : llvm::enumerate(target)) {
    if (!dim) {
      isAllKnown = false;
      continue;
    }
    int64_t size = *dim;
    if (size < -1)
      return node.fail(malformed("expects dims of -1 or more in the shape, but "
                                 "found " +
                                 Twine(size)));
    rests += size == -1;
    zeros += size == 0;
    if (size == -1)
      continue;
    if (size == 0 && !allowZero) {
      if (static_cast<int64_t>(i) >= input.getRank())
        return node.fail(malformed("shape copies dim " + Twine(i) +
                                   " of an input of rank " +
                                   Twine(input.getRank())));
      if (input.isDynamicDim(i)) {
        isAllKnown = false;
        continue;
      }
      size = input.getDimSize(i);
    }
    if (llvm::MulOverflow(product, size, product))
      return node.fail(malformed("shape has more elements than memory can "
                                 "hold"));
  }
  if (rests > 1 || (rests == 1 && zeros > 0 && allowZero))
    return node.fail(malformed("expects one -1 at most in the shape, and none "
                               "beside a 0 that is a size"));
  if (!isAllKnown || !input.hasStaticShape())
    return success();
  int64_t elements = input.getNumElements();
  bool fits = rests == 0 ? product == elements
                         : product != 0 && elements % product == 0;
  if (fits)
    return success();
  return node.fail(malformed("expects a shape for " + Twine(elements) +
                             " elements, but found one for " +
                             (rests ? "multiples of " : "") + Twine(product)));
}

static LogicalResult importReshape(NodeImporter &node) {
  Value x = node.getInput(0), shape = node.getInput(1);
  bool allowZero = node.getInt("allowzero", 0) != 0;
  if (!getResultRank(node, 1))
    return failure();
  if (auto target = getKnownIntegers(shape))
    if (failed(checkTarget(node, *target, getType(x), allowZero)))
      return failure();
  return node.makeOutput<ReshapeOp>(getElementType(x), {x, shape},
                                    node.attr("allow_zero", allowZero));
}

/// Before opset 5 the shape is an attribute.
static LogicalResult importReshapeWithAttribute(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  SmallVector<int64_t> shape = node.getInts("shape");
  if (failed(checkTarget(
          node, SmallVector<std::optional<int64_t>>(shape.begin(), shape.end()),
          getType(x), false)))
    return failure();
  return node.setOutput(0, c.reshape(x, shape));
}

static LogicalResult importExpand(NodeImporter &node) {
  Value x = node.getInput(0), shape = node.getInput(1);
  if (!getResultRank(node, 1))
    return failure();
  if (auto target = getKnownIntegers(shape)) {
    ArrayRef<int64_t> dims = getType(x).getShape();
    for (size_t i = 1; i <= std::min(dims.size(), target->size()); ++i) {
      int64_t dim = dims[dims.size() - i];
      std::optional<int64_t> wanted = (*target)[target->size() - i];
      if (wanted && !ShapedType::isDynamic(dim) && *wanted != dim &&
          *wanted != 1 && dim != 1)
        return node.fail(malformed("expects a shape that broadcasts with the "
                                   "input, but found " +
                                   Twine(*wanted) + " for " + Twine(dim)));
    }
    if (llvm::any_of(*target, [](auto dim) { return dim && *dim < 0; }))
      return node.fail(malformed("expects dims of 0 or more in the shape"));
  }
  return node.makeOutput<ExpandOp>(getElementType(x), {x, shape});
}

static LogicalResult importFlatten(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x), axis = node.getInt("axis", 1);
  if (axis < -rank || axis > rank)
    return node.fail(malformed("expects an axis from " + Twine(-rank) + " to " +
                               Twine(rank) + ", but found " + Twine(axis)));
  return node.makeOutput<FlattenOp>(
      getElementType(x), x, node.attr("axis", countFromFront(axis, rank)));
}

/// True for axes that only a run knows.
static bool hasComputedAxes(NodeImporter &node) {
  Value axes = node.getInput(1);
  return axes && getType(axes).getNumElements() != 0 &&
         !getAllKnownIntegers(axes);
}

/// The dims of the axes that are not named.
static LogicalResult squeezeComputed(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  std::optional<int64_t> count = node.getListSize(1, "axes");
  if (!count)
    return failure();
  int64_t rank = getRank(x) - *count;
  if (rank < 0)
    return node.fail(malformed("expects at most " + Twine(getRank(x)) +
                               " axes, but found " + Twine(*count)));
  Value order = orderAxes(c, markAxes(c, node.getInput(1), getRank(x)));
  Value kept = c.slice(order, 0, 0, rank);
  return node.setOutput(0, c.reshape(x, rank == 0
                                            ? c.integers({})
                                            : c.gather(c.shapeOf(x), kept, 0)));
}

/// 1 for each axis that is named, and between these the dims in their order.
static LogicalResult unsqueezeComputed(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  std::optional<int64_t> count = node.getListSize(1, "axes");
  if (!count)
    return failure();
  int64_t rank = getRank(x) + *count;
  if (rank > kMaxRank)
    return node.fail(unsupported("a result of " + Twine(rank) +
                                 " axes is not supported, only up to " +
                                 Twine(kMaxRank)));
  Value mark = markAxes(c, node.getInput(1), rank);
  Value isKept = c.cast(c.negate(mark), node.getBuilder().getI64Type());
  Value place = c.make<CumSumOp>(isKept, {node.attr("axis", int64_t(0)),
                                          node.attr("exclusive", true),
                                          node.attr("reverse", false)});
  // Behind the last dim stands a 1, for those that are named there.
  Value dims = c.concat({c.shapeOf(x), c.integers(1)}, 0);
  return node.setOutput(
      0, c.reshape(x, c.where(mark, 1, c.gather(dims, place, 0))));
}

/// Axes of Squeeze and Unsqueeze: an attribute before opset 13, then an input.
static std::optional<SmallVector<int64_t>> readAxes(NodeImporter &node) {
  if (node.getInput(1))
    return node.getConstantIntegers(1, "axes");
  return node.getInts("axes");
}

static LogicalResult importSqueeze(NodeImporter &node) {
  Value x = node.getInput(0);
  RankedTensorType type = getType(x);
  if (hasComputedAxes(node))
    return squeezeComputed(node);
  std::optional<SmallVector<int64_t>> axes = readAxes(node);
  bool hasAxes = node.getInput(1) || node.hasAttribute("axes");
  if (axes && hasAxes)
    axes = node.getAxes(*axes, type.getRank());
  if (!axes)
    return failure();
  if (!hasAxes && !type.hasStaticShape())
    return node.fail(unsupported("a squeeze without axes needs known dims",
                                 "give the dims of inputs with --shapes, or "
                                 "state the axes in the model"));
  if (!hasAxes)
    for (auto [i, dim] : llvm::enumerate(type.getShape()))
      if (dim == 1)
        axes->push_back(i);
  for (int64_t axis : *axes)
    if (!type.isDynamicDim(axis) && type.getDimSize(axis) != 1)
      return node.fail(malformed("expects a dim of 1 on axis " + Twine(axis) +
                                 ", but found " +
                                 Twine(type.getDimSize(axis))));
  return node.makeOutput<SqueezeOp>(type.getElementType(), x,
                                    node.attr("axes", *axes));
}

static LogicalResult importUnsqueeze(NodeImporter &node) {
  Value x = node.getInput(0);
  if (hasComputedAxes(node))
    return unsqueezeComputed(node);
  std::optional<SmallVector<int64_t>> axes = readAxes(node);
  if (!axes)
    return failure();
  if (!node.getInput(1) && !node.hasAttribute("axes"))
    return node.fail(malformed("expects axes, but found none"));
  int64_t rank = getRank(x) + static_cast<int64_t>(axes->size());
  if (rank > kMaxRank)
    return node.fail(unsupported("a result of " + Twine(rank) +
                                 " axes is not supported, only up to " +
                                 Twine(kMaxRank)));
  axes = node.getAxes(*axes, rank);
  if (!axes)
    return failure();
  return node.makeOutput<UnsqueezeOp>(getElementType(x), x,
                                      node.attr("axes", *axes));
}

static LogicalResult importShape(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  auto clamp = [&](int64_t index) {
    index = index < 0 ? std::max(index, -rank) + rank : index;
    return std::min(index, rank);
  };
  int64_t start = clamp(node.getInt("start", 0));
  int64_t end = clamp(node.getInt("end", rank));
  return node.makeOutput<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", start), node.attr("end", std::max(start, end))});
}

static LogicalResult importConstantOfShape(NodeImporter &node) {
  Value shape = node.getInput(0);
  if (!getResultRank(node, 0))
    return failure();
  if (auto target = getKnownIntegers(shape))
    if (llvm::any_of(*target, [](auto dim) { return dim && *dim < 0; }))
      return node.fail(malformed("expects dims of 0 or more in the shape"));
  OpBuilder &builder = node.getBuilder();
  Value value;
  if (node.hasAttribute("value")) {
    std::optional<TensorData> tensor = node.getTensor("value");
    if (!tensor)
      return failure();
    if (tensor->type.getNumElements() != 1)
      return node.fail(malformed("expects one element as value, but found " +
                                 Twine(tensor->type.getNumElements())));
    value = makeConstant(builder, node.getLoc(), std::move(*tensor));
  } else {
    value = makeFloats(builder, node.getLoc(), 0.0f);
  }
  auto constant = value.getDefiningOp<ConstantOp>();
  Type elementType = getElementType(value);
  auto elements = dyn_cast<ElementsAttr>(constant.getValue());
  if (!elements)
    return node.fail(unsupported("a value of this element type is not "
                                 "supported"));
  return node.makeOutput<ConstantOfShapeOp>(elementType, shape,
                                            node.attr("value", elements));
}

/// start + i * delta for i below ceil((limit - start) / delta), in f32.
static LogicalResult makeFloatRange(NodeImporter &node, Type type) {
  Composer c(node);
  OpBuilder &builder = node.getBuilder();
  Type f32 = builder.getF32Type();
  auto read = [&](size_t index) {
    return c.reshape(c.cast(node.getInput(index), f32), {1});
  };
  Value start = read(0), limit = read(1), delta = read(2);
  Value count = c.of<CeilOp>(c.div(c.sub(limit, start), delta));
  Value whole = c.cast(c.of<MaxOp>(count, 0.0), builder.getI64Type());
  Value steps = c.cast(c.range(c.integers(0), whole), f32);
  return node.setOutput(0, c.cast(c.add(start, c.mul(steps, delta)), type));
}

static LogicalResult importRange(NodeImporter &node) {
  node.ignoreAttribute("stash_type");
  Value start = node.getInput(0);
  Type type = getElementType(start);
  for (Value bound : node.getInputs()) {
    if (failed(node.expectSameElementType(start, bound)))
      return failure();
    if (!getType(bound).hasStaticShape() ||
        getType(bound).getNumElements() != 1)
      return node.fail(malformed("expects scalars as start, limit and delta"));
  }
  if (isa<FloatType>(type))
    return makeFloatRange(node, type);
  if (!type.isSignlessInteger() || type.isInteger(1))
    return node.fail(
        unsupported("ranges of " + toString(type) + " are not supported"));
  auto delta = getAllKnownIntegers(node.getInput(2));
  if (delta && delta->size() == 1 && delta->front() == 0)
    return node.fail(malformed("expects a delta that is not 0"));
  return node.makeOutput<RangeOp>(type, node.getInputs());
}

ArrayRef<Operator> qopt::importer::getShapeOperators() {
  static constexpr Operator rows[] = {
      {"ConstantOfShape", 9, 1, 1, importConstantOfShape},
      {"Expand", 8, 2, 2, importExpand},
      {"Flatten", 1, 1, 1, importFlatten},
      {"Range", 11, 3, 3, importRange},
      {"Reshape", 1, 1, 1, importReshapeWithAttribute},
      {"Reshape", 5, 2, 2, importReshape},
      {"Shape", 1, 1, 1, importShape},
      {"Squeeze", 1, 1, 1, importSqueeze},
      {"Squeeze", 13, 1, 2, importSqueeze, "axes, or dims that are known"},
      {"Unsqueeze", 1, 1, 1, importUnsqueeze},
      {"Unsqueeze", 13, 2, 2, importUnsqueeze},
  };
  return rows;
}
