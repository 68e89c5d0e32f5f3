//===- NormalizationOperators.cpp - Norms and softmax ---------------------===//
//
// Softmax before opset 13 works on a matrix: the axes before `axis` are its
// rows, all others its columns.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// By the mean and variance of the batch itself, with what they make of the
/// running ones.
static LogicalResult normalizeByBatch(NodeImporter &node, float epsilon,
                                      float momentum) {
  Composer c(node);
  Value x = node.getInput(0);
  SmallVector<int64_t> axes{0}, behind;
  for (int64_t axis = 2; axis < getRank(x); ++axis) {
    axes.push_back(axis);
    behind.push_back(axis - 1);
  }
  auto perChannel = [&](Value list) { return c.unsqueeze(list, behind); };
  Value mean = c.reduce(ReduceKind::Mean, x, axes, /*keepDims=*/false);
  Value centered = c.sub(x, perChannel(mean));
  Value variance = c.reduce(ReduceKind::Mean, c.mul(centered, centered), axes,
                            /*keepDims=*/false);
  auto blend = [&](Value running, Value now) {
    return now ? c.add(
                     c.mul(running, momentum),
                     c.mul(c.cast(now, getElementType(running)), 1 - momentum))
               : Value();
  };
  if (node.hasOutput(1) &&
      failed(node.setOutput(1, blend(node.getInput(3), mean))))
    return failure();
  if (node.hasOutput(2) &&
      failed(node.setOutput(2, blend(node.getInput(4), variance))))
    return failure();
  return success(mean && variance &&
                 succeeded(node.makeOutput<BatchNormOp>(
                     getElementType(x),
                     {x, node.getInput(1), node.getInput(2), mean, variance},
                     node.attr("epsilon", epsilon))));
}

static LogicalResult importBatchNormalization(NodeImporter &node) {
  Value x = node.getInput(0);
  float momentum = node.getFloat("momentum", 0.9f);
  if (node.getOpset() < 7)
    node.ignoreAttribute("is_test"); // outputs of training are refused below
  bool isTraining = node.getInt("training_mode", 0) != 0;
  if (node.getInt("spatial", 1) != 1)
    return node.fail(unsupported("expects spatial = 1, but found 0"));
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "an input")))
    return failure();
  int64_t channels = getType(x).getDimSize(1);
  for (Value statistic : node.getInputs().drop_front()) {
    if (failed(node.expectFloat(statistic)))
      return failure();
    RankedTensorType type = getType(statistic);
    if (type.getRank() != 1 ||
        (!ShapedType::isDynamic(channels) && !type.isDynamicDim(0) &&
         type.getDimSize(0) != channels))
      return node.fail(malformed("expects scale, bias, mean and variance with "
                                 "one element for each of " +
                                 Twine(channels) + " channels"));
  }
  float epsilon = node.getFloat("epsilon", 1e-5f);
  if (isTraining)
    return normalizeByBatch(node, epsilon, momentum);
  return node.makeOutput<BatchNormOp>(getElementType(x), node.getInputs(),
                                      node.attr("epsilon", epsilon));
}

/// The axes [first, rank).
static SmallVector<int64_t> axesFrom(Value x, int64_t first) {
  return llvm::to_vector(llvm::seq<int64_t>(first, getRank(x)));
}

/// 1 / sqrt(x + epsilon).
static Value invertRoot(Composer &c, Value x, float epsilon) {
  return c.div(1, c.of<SqrtOp>(c.add(x, epsilon)));
}

/// The type of the sums: float, or what `stash_type` names.
static Type readStash(NodeImporter &node) {
  int64_t stash = node.getInt("stash_type", 1);
  Type type = getOnnxElementType(node.getBuilder().getContext(), stash);
  if (type && isa<FloatType>(type) && type.getIntOrFloatBitWidth() >= 16)
    return type;
  (void)node.fail(malformed("attribute \"stash_type\" expects a type of "
                            "floats, but found " +
                            Twine(stash)));
  return {};
}

namespace {
/// How the axes from `axis` on are normalised.
struct RowAttributes {
  int64_t axis;
  float epsilon;
  Type stash;
};
} // namespace

static std::optional<RowAttributes> readRow(NodeImporter &node, Value x) {
  Type stash = readStash(node);
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", -1), getRank(x));
  float epsilon = node.getFloat("epsilon", 1e-5f);
  if (!axis || !stash)
    return std::nullopt;
  return RowAttributes{*axis, epsilon, stash};
}

/// Scale and bias that our op takes: of the axes that are normalised.
static bool fitsRow(Value operand, ArrayRef<int64_t> row) {
  return !operand ||
         succeeded(verifyCompatibleShape(getType(operand).getShape(), row));
}

namespace {
/// Of the rows of a tensor.
struct Moments {
  Value mean, centred, inverseDeviation;
};
} // namespace

static Moments findMoments(Composer &c, Value x, ArrayRef<int64_t> axes,
                           float epsilon) {
  Value mean = c.reduce(ReduceKind::Mean, x, axes);
  Value centred = c.sub(x, mean);
  Value variance = c.reduce(ReduceKind::Mean, c.mul(centred, centred), axes);
  return {mean, centred, invertRoot(c, variance, epsilon)};
}

/// The norm in pieces, with mean and 1 / deviation beside.
static LogicalResult composeLayerNorm(NodeImporter &node, Value x, int64_t axis,
                                      float epsilon, Type stash) {
  Composer c(node);
  auto [mean, centred, inverse] =
      findMoments(c, c.cast(x, stash), axesFrom(x, axis), epsilon);
  Value result = c.cast(c.mul(centred, inverse), getElementType(x));
  result = c.mul(result, node.getInput(1));
  if (Value bias = node.getInput(2))
    result = c.add(result, bias);
  return success(succeeded(node.setOutput(0, result)) &&
                 succeeded(node.setOutput(1, mean)) &&
                 succeeded(node.setOutput(2, inverse)));
}

static LogicalResult importLayerNormalization(NodeImporter &node) {
  Value x = node.getInput(0), scale = node.getInput(1), bias = node.getInput(2);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<RowAttributes> row = readRow(node, x);
  if (!row)
    return failure();
  auto [axis, epsilon, stash] = *row;
  ArrayRef<int64_t> dims = getType(x).getShape().drop_front(axis);
  for (Value operand : {scale, bias})
    if (operand && (failed(node.expectSameElementType(x, operand)) ||
                    failed(node.expectBroadcast({x, operand}))))
      return failure();
  bool isPlain = stash.isF32() && fitsRow(scale, dims) && fitsRow(bias, dims);
  if (!isPlain)
    return composeLayerNorm(node, x, axis, epsilon, stash);
  SmallVector<Value> operands{x, scale};
  if (bias)
    operands.push_back(bias);
  if (node.getNumOutputs() > 1) {
    // The statistics are made beside the op.
    Composer c(node);
    Moments moments =
        findMoments(c, c.cast(x, stash), axesFrom(x, axis), epsilon);
    if (failed(node.setOutput(1, moments.mean)) ||
        failed(node.setOutput(2, moments.inverseDeviation)))
      return failure();
  }
  return node.makeOutput<LayerNormOp>(
      getElementType(x), operands,
      {node.attr("axis", axis), node.attr("epsilon", epsilon)});
}

/// x / sqrt(mean(x^2) + epsilon), rounded to the type of x, times the scale.
static LogicalResult importRMSNormalization(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), scale = node.getInput(1);
  if (failed(node.expectFloat(x)) || failed(node.expectFloat(scale)) ||
      failed(node.expectRank(x, 1, "an input")) ||
      failed(node.expectBroadcast({x, scale})))
    return failure();
  std::optional<RowAttributes> row = readRow(node, x);
  if (!row)
    return failure();
  auto [axis, epsilon, stash] = *row;
  Value wide = c.cast(x, stash);
  Value square =
      c.reduce(ReduceKind::Mean, c.mul(wide, wide), axesFrom(x, axis));
  Value root = c.of<SqrtOp>(c.add(square, epsilon));
  Value normal = c.cast(c.div(wide, root), getElementType(x));
  return node.setOutput(0, c.mul(c.cast(normal, getElementType(scale)), scale));
}

/// Each group of channels of each sample has its own mean and deviation.
static LogicalResult importGroupNormalization(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), scale = node.getInput(1), bias = node.getInput(2);
  int64_t groups = node.getInt("num_groups", 0);
  float epsilon = node.getFloat("epsilon", 1e-5f);
  Type stash = node.getOpset() < 21 ? getElementType(x) : readStash(node);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "an input")))
    return failure();
  int64_t rank = getRank(x), channels = getType(x).getDimSize(1);
  if (groups < 1 || ShapedType::isDynamic(channels) || channels % groups != 0)
    return node.fail(unsupported("expects a known number of channels that " +
                                 Twine(groups) + " groups divide, but found " +
                                 toString(x.getType())));
  if (!stash)
    return failure();
  // [N, groups, all the rest], and back.
  Value rows =
      c.cast(c.reshape(x, c.concat({c.dimOf(x, 0), c.integers(groups),
                                    c.div(c.productOf(c.shapeOf(x, 1, rank)),
                                          c.integers(groups))},
                                   0)),
             stash);
  Value centred = c.sub(rows, c.reduce(ReduceKind::Mean, rows, {2}));
  Value variance = c.reduce(ReduceKind::Mean, c.mul(centred, centred), {2});
  Value normal = c.mul(centred, invertRoot(c, variance, epsilon));
  normal = c.cast(c.reshape(normal, c.shapeOf(x)), getElementType(x));
  // Before opset 21 a group has one scale.
  auto spread = [&](Value list) {
    if (node.getOpset() < 21 && getType(list).getDimSize(0) == groups)
      list = c.reshape(c.expand(c.unsqueeze(list, 1),
                                c.integers({groups, channels / groups})),
                       {channels});
    return c.unsqueeze(list, llvm::to_vector(llvm::seq<int64_t>(1, rank - 1)));
  };
  return node.setOutput(0, c.add(c.mul(normal, spread(scale)), spread(bias)));
}

static LogicalResult importMeanVarianceNormalization(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  SmallVector<int64_t> axes = node.getInts("axes");
  if (!node.hasAttribute("axes"))
    axes = {0, 2, 3};
  if (failed(node.expectFloat(x)))
    return failure();
  auto normal = node.getAxes(axes, getRank(x));
  if (!normal)
    return failure();
  Value mean = c.reduce(ReduceKind::Mean, x, *normal);
  Value squares = c.reduce(ReduceKind::Mean, c.mul(x, x), *normal);
  Value deviation = c.of<SqrtOp>(c.sub(squares, c.mul(mean, mean)));
  return node.setOutput(0, c.div(c.sub(x, mean), c.add(deviation, 1e-9)));
}

/// By the sum of magnitudes or the root of the sum of squares; zeros stay.
static LogicalResult importLpNormalization(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t p = node.getInt("p", 2);
  if (p != 1 && p != 2)
    return node.fail(
        malformed("attribute \"p\" expects 1 or 2, but found " + Twine(p)));
  if (failed(node.expectFloat(x)))
    return failure();
  auto axis = node.getAxis(node.getInt("axis", -1), getRank(x));
  if (!axis)
    return failure();
  Value norm = p == 1 ? c.reduce(ReduceKind::Sum, c.of<AbsOp>(x), *axis)
                      : c.reduce(ReduceKind::L2, x, *axis);
  Value isZero = c.test<EqualOp>(norm, 0.0);
  return node.setOutput(0, c.where(isZero, 0, c.div(x, norm)));
}

/// x / (bias + alpha / size * sum of squares of the channels around)^beta.
static LogicalResult importLRN(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  int64_t size = node.getInt("size", 0);
  float alpha = node.getFloat("alpha", 1e-4f);
  float beta = node.getFloat("beta", 0.75f);
  float bias = node.getFloat("bias", 1.0f);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 2, "an input")))
    return failure();
  if (size < 1 || size > (int64_t(1) << 20))
    return node.fail(malformed("attribute \"size\" expects 1 to 2^20, but "
                               "found " +
                               Twine(size)));
  // An average over the channels as an image of one column.
  int64_t rank = getRank(x), before = (size - 1) / 2;
  Value planes = c.reshape(
      c.mul(x, x),
      c.concat(
          {c.dimOf(x, 0), c.integers(1), c.dimOf(x, 1),
           c.productOf(c.concat({c.integers(1), c.shapeOf(x, 2, rank)}, 0))},
          0));
  Value mean = c.make<AveragePoolOp>(
      planes,
      {node.attr("kernel", ArrayRef<int64_t>{size, 1}),
       node.attr("strides", ArrayRef<int64_t>{1, 1}),
       node.attr("pads", ArrayRef<int64_t>{before, 0, size - 1 - before, 0}),
       node.attr("ceil_mode", false), node.attr("count_include_pad", true)});
  Value sum = c.add(c.mul(c.reshape(mean, c.shapeOf(x)), alpha), bias);
  return node.setOutput(0, c.div(x, c.of<PowOp>(sum, beta)));
}

/// Norms of a sum, as com.microsoft has them.
static LogicalResult importSkipNorm(NodeImporter &node, bool isCentred) {
  Composer c(node);
  Value x = node.getInput(0), skip = node.getInput(1), scale = node.getInput(2);
  Value shift = isCentred ? node.getInput(3) : Value();
  Value bias = node.getInput(isCentred ? 4 : 3);
  float epsilon = node.getFloat("epsilon", 1e-12f);
  if (failed(node.expectFloat(x)) ||
      failed(node.expectSameElementType(x, skip)) ||
      failed(node.expectSameElementType(x, scale)) ||
      failed(node.expectRank(x, 2, "an input")) ||
      failed(node.expectBroadcast({x, skip})))
    return failure();
  Value sum = c.add(x, skip);
  if (bias)
    sum = c.add(sum, bias);
  if (!sum)
    return failure();
  int64_t axis = getRank(x) - 1;
  Type type = getElementType(x), f32 = node.getBuilder().getF32Type();
  Value wide = c.cast(sum, type.isF64() ? type : f32);
  Value mean, centred = wide;
  if (isCentred) {
    mean = c.reduce(ReduceKind::Mean, wide, axis);
    centred = c.sub(wide, mean);
  }
  Value inverse = invertRoot(
      c, c.reduce(ReduceKind::Mean, c.mul(centred, centred), axis), epsilon);
  Value result;
  if (isCentred && fitsRow(scale, getType(sum).getShape().take_back(1)) &&
      fitsRow(shift, getType(sum).getShape().take_back(1))) {
    SmallVector<Value> operands{sum, scale};
    if (shift)
      operands.push_back(shift);
    result = c.make<LayerNormOp>(
        operands, {node.attr("axis", axis), node.attr("epsilon", epsilon)});
  } else {
    result = c.mul(c.cast(c.mul(centred, inverse), type), scale);
    if (shift)
      result = c.add(result, shift);
  }
  return success(succeeded(node.setOutput(0, result)) &&
                 (!mean || succeeded(node.setOutput(1, mean))) &&
                 succeeded(node.setOutput(2, inverse)) &&
                 succeeded(node.setOutput(3, sum)));
}

static LogicalResult importSkipLayerNormalization(NodeImporter &node) {
  return importSkipNorm(node, /*isCentred=*/true);
}

static LogicalResult importSkipSimplified(NodeImporter &node) {
  return importSkipNorm(node, /*isCentred=*/false);
}

static LogicalResult importSoftmax(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", -1), getRank(x));
  if (!axis)
    return failure();
  return node.makeOutput<SoftmaxOp>(getElementType(x), x,
                                    node.attr("axis", *axis));
}

static LogicalResult importFlatteningSoftmax(NodeImporter &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 1, "an input")))
    return failure();
  std::optional<int64_t> axis = node.getAxis(node.getInt("axis", 1), rank);
  if (!axis)
    return failure();
  RankedTensorType type = getType(x);
  Type elementType = type.getElementType();
  if (llvm::all_of(type.getShape().drop_front(*axis + 1),
                   [](int64_t dim) { return dim == 1; }))
    return node.makeOutput<SoftmaxOp>(elementType, x, node.attr("axis", *axis));
  Value matrix = node.make<FlattenOp>(elementType, x, node.attr("axis", *axis));
  if (!matrix)
    return failure();
  Value rows =
      node.make<SoftmaxOp>(elementType, matrix, node.attr("axis", int64_t(1)));
  Value shape = node.make<ShapeOp>(
      node.getBuilder().getI64Type(), x,
      {node.attr("start", int64_t(0)), node.attr("end", rank)});
  if (!rows || !shape)
    return failure();
  // A dim of 0 is 0, not a copy of the matrix's dim.
  return node.makeOutput<ReshapeOp>(elementType, {rows, shape},
                                    node.attr("allow_zero", true));
}

ArrayRef<Operator> qopt::importer::getNormalizationOperators() {
  static constexpr Operator rows[] = {
      {"BatchNormalization", 1, 5, 5, importBatchNormalization,
       "inference, spatial = 1"},
      {"GroupNormalization", 18, 3, 3, importGroupNormalization,
       "a known number of channels"},
      {"LRN", 1, 1, 1, importLRN},
      {"LayerNormalization", 17, 2, 3, importLayerNormalization},
      {"LpNormalization", 1, 1, 1, importLpNormalization},
      {"MeanVarianceNormalization", 9, 1, 1, importMeanVarianceNormalization},
      {"RMSNormalization", 23, 2, 2, importRMSNormalization},
      // ONNX Runtime's, in the default domain.
      {"SimplifiedLayerNormalization", 1, 2, 2, importRMSNormalization},
      {"Softmax", 1, 1, 1, importFlatteningSoftmax},
      {"Softmax", 13, 1, 1, importSoftmax},
      {"com.microsoft.EmbedLayerNormalization", 1, 7, 9,
       importEmbedLayerNormalization, "", false, 7},
      {"com.microsoft.SkipLayerNormalization", 1, 3, 5,
       importSkipLayerNormalization},
      {"com.microsoft.SkipSimplifiedLayerNormalization", 1, 3, 4,
       importSkipSimplified},
  };
  return rows;
}
