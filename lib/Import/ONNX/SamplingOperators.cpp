//===- SamplingOperators.cpp - Images at computed places ------------------===//
//
// Grids, and what is read of an image at places between its elements.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "WindowAttributes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static Type getLong(Composer &c) {
  return c.getNode().getBuilder().getI64Type();
}
static Type getFloat(Composer &c) {
  return c.getNode().getBuilder().getF32Type();
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// From -1 to 1 along an axis of `size`, a list of one.
static Value spreadCoordinates(Composer &c, Value size, bool alignCorners) {
  Type f32 = getFloat(c);
  Value places = c.cast(c.range(c.integers(0), size), f32);
  if (alignCorners) {
    Value steps = c.of<MaxOp>(c.sub(size, 1.0), 1.0);
    return c.sub(c.div(c.mul(places, 2.0), c.cast(steps, f32)), 1.0);
  }
  Value doubled = c.add(c.mul(places, 2.0), 1.0);
  return c.sub(c.div(doubled, c.cast(size, f32)), 1.0);
}

static LogicalResult importAffineGrid(NodeImporter &node) {
  Composer c(node);
  Value theta = node.getInput(0);
  bool alignCorners = node.getInt("align_corners", 0) != 0;
  std::optional<int64_t> count = node.getListSize(1, "size");
  if (!count || failed(node.expectFloat(theta)))
    return failure();
  int64_t spatial = *count - 2;
  if (spatial < 2 || spatial > 3 || getRank(theta) != 3)
    return node.fail(malformed("expects a size of four or five numbers and "
                               "theta of rank 3, but found " +
                               Twine(*count) + " and " +
                               toString(theta.getType())));
  Value sizes = c.cast(node.getInput(1), getLong(c));
  // Axes of a result: batch, spatial axes, coordinates.
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(1, 1 + spatial));
  auto column = [&](int64_t i) {
    return c.unsqueeze(c.squeeze(c.slice(theta, 2, i, i + 1), 2), axes);
  };
  Value grid = column(spatial);
  for (int64_t i = 0; i < spatial; ++i) {
    // The first column is for the last axis.
    int64_t axis = spatial - 1 - i;
    Value size = c.slice(sizes, 0, axis + 2, axis + 3);
    Value line =
        c.cast(spreadCoordinates(c, size, alignCorners), getElementType(theta));
    SmallVector<int64_t> behind =
        llvm::to_vector(llvm::seq<int64_t>(1, spatial - axis + 1));
    grid = c.add(grid, c.mul(column(i), c.unsqueeze(line, behind)));
  }
  return node.setOutput(0, grid);
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

/// What an image [B, H, W, C] has at places `y` and `x`, of one shape behind B:
/// the four elements around each, by their distance, and zeros outside.
static Value sampleBetween(Composer &c, Value image, Value y, Value x) {
  NodeImporter &node = c.getNode();
  if (!image || !y || !x)
    return {};
  int64_t last = getRank(y);
  Value lowY = c.of<FloorOp>(y), lowX = c.of<FloorOp>(x), result;
  Value restY = c.sub(y, lowY), restX = c.sub(x, lowX);
  auto index = [&](Value place, int64_t axis, Value &isInside) {
    Value size = c.cast(c.dimOf(image, axis), getElementType(place));
    Value inside = c.of<AndOp>(c.test<GreaterOrEqualOp>(place, 0.0),
                               c.test<LessOp>(place, size));
    isInside = isInside ? c.of<AndOp>(isInside, inside) : inside;
    Value bounded = c.of<MaxOp>(c.of<MinOp>(place, c.sub(size, 1.0)), 0.0);
    return c.unsqueeze(c.cast(bounded, getLong(c)), last);
  };
  for (bool isLow : {true, false})
    for (bool isLeft : {true, false}) {
      Value isInside;
      Value atY = index(isLow ? lowY : c.add(lowY, 1.0), 1, isInside);
      Value atX = index(isLeft ? lowX : c.add(lowX, 1.0), 2, isInside);
      Value weight = c.mul(isLow ? c.sub(1.0, restY) : restY,
                           isLeft ? c.sub(1.0, restX) : restX);
      weight = c.where(isInside, weight, 0.0);
      Value values = c.make<GatherNDOp>({image, c.concat({atY, atX}, last)},
                                        node.attr("batch_dims", int64_t(1)));
      Value part = c.mul(values, c.unsqueeze(weight, last));
      result = result ? c.add(result, part) : part;
    }
  return result;
}

/// The elements of windows moved by offsets, then one product.
static LogicalResult importDeformConv(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), w = node.getInput(1), offset = node.getInput(2);
  Value bias = node.getInput(3), mask = node.getInput(4);
  int64_t groups = node.getInt("group", 1);
  int64_t offsetGroups = node.getInt("offset_group", 1);
  for (Value operand : {x, w, offset})
    if (failed(node.expectFloat(operand)) ||
        failed(node.expectSameElementType(operand, x)))
      return failure();
  if (getRank(x) != 4 || getRank(w) != 4 || getRank(offset) != 4 ||
      !getType(w).hasStaticShape() || getType(x).isDynamicDim(1))
    return node.fail(unsupported("expects two spatial axes, known channels and "
                                 "weights of known dims, but found " +
                                 toString(x.getType()) + " and " +
                                 toString(w.getType())));
  ArrayRef<int64_t> weights = getType(w).getShape();
  int64_t channels = getType(x).getDimSize(1), outputs = weights[0];
  std::optional<WindowAttributes> window =
      readWindow(node, x, weights.drop_front(2));
  if (!window)
    return failure();
  if (groups < 1 || offsetGroups < 1 || channels != weights[1] * groups ||
      outputs % groups != 0 || channels % offsetGroups != 0)
    return node.fail(malformed("expects groups that divide the channels, but "
                               "found " +
                               Twine(groups) + " and " + Twine(offsetGroups)));
  int64_t taps = weights[2] * weights[3];
  Value batch = c.dimOf(x, 0), rows = c.dimOf(offset, 2),
        columns = c.dimOf(offset, 3);
  auto dimsOf = [&](ArrayRef<Value> lists) { return c.concat(lists, 0); };
  // [N * groups, taps, 2, rows, columns]
  Value moves =
      c.reshape(offset, dimsOf({c.mul(batch, double(offsetGroups)),
                                c.integers({taps, 2}), rows, columns}));
  auto places = [&](int64_t axis) {
    SmallVector<int64_t> starts;
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t at = axis == 0 ? tap / weights[3] : tap % weights[3];
      starts.push_back(at * window->dilations[axis] - window->pads[axis]);
    }
    Value count = axis == 0 ? rows : columns;
    Value line =
        c.mul(c.range(c.integers(0), count), double(window->strides[axis]));
    line = axis == 0 ? c.unsqueeze(line, 1) : line;
    Value whole = c.add(c.unsqueeze(c.integers(starts), {1, 2}), line);
    Value moved = c.squeeze(c.slice(moves, 2, axis, axis + 1), 2);
    return c.add(moved, c.cast(whole, getElementType(x)));
  };
  Value stack = c.mul(batch, double(offsetGroups));
  Value image = c.reshape(x, dimsOf({stack, c.integers(channels / offsetGroups),
                                     c.shapeOf(x, 2, 4)}));
  // [N * groups, taps, rows, columns, channels]
  Value sampled =
      sampleBetween(c, c.transpose(image, {0, 2, 3, 1}), places(0), places(1));
  if (mask)
    sampled =
        c.mul(sampled, c.reshape(mask, dimsOf({stack, c.integers(taps), rows,
                                               columns, c.integers(1)})));
  Value patches =
      c.reshape(c.transpose(sampled, {0, 4, 1, 2, 3}),
                dimsOf({batch, c.integers({groups, channels / groups * taps}),
                        c.mul(rows, columns)}));
  Value matrix = c.reshape(
      w, ArrayRef<int64_t>{groups, outputs / groups, weights[1] * taps});
  Value result = c.matmul(matrix, patches);
  result =
      c.reshape(result, dimsOf({batch, c.integers(outputs), rows, columns}));
  if (bias)
    result = c.add(result, c.unsqueeze(bias, {1, 2}));
  return node.setOutput(0, result);
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

namespace {
/// The samples of all regions along one axis, [regions, positions * samples]:
/// the two elements beside each, and their weights.
struct Samples {
  Value low, high, lowWeight, highWeight;
  /// Whether a region has the sample.
  Value isThere;
  /// How many a region has for each position, [regions].
  Value numbers;
  /// The most that any has, as a list of one.
  Value most;
};
} // namespace

/// `start` and `extent` of each region; `size` elements on the axis.
static Samples placeSamples(Composer &c, Value start, Value extent, Value size,
                            int64_t positions, int64_t ratio) {
  Type f32 = getFloat(c), word = getLong(c);
  Samples found;
  Value bin = c.div(extent, double(positions));
  if (ratio > 0) {
    found.numbers = c.expand(c.number(ratio, f32), c.shapeOf(bin));
    found.most = c.integers(ratio);
  } else {
    found.numbers = c.of<CeilOp>(bin);
    Value most = c.reduce(ReduceKind::Max, found.numbers, 0);
    found.most = c.of<MaxOp>(c.cast(most, word), 1.0);
  }
  auto perRegion = [&](Value list) { return c.unsqueeze(list, {1, 2}); };
  Value sample = c.cast(c.range(c.integers(0), found.most), f32);
  Value bins = c.cast(
      c.unsqueeze(c.range(c.integers(0), c.integers(positions)), 1), f32);
  Value inBin = c.div(c.mul(c.add(sample, 0.5), perRegion(bin)),
                      perRegion(found.numbers));
  Value at = c.add(c.add(perRegion(start), c.mul(bins, perRegion(bin))), inBin);
  Value end = c.cast(size, f32), last = c.sub(end, 1.0);
  Value isThere = c.test<LessOp>(sample, perRegion(found.numbers));
  isThere = c.expand(isThere, c.shapeOf(at));
  Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(at, -1.0),
                               c.test<LessOrEqualOp>(at, end));
  isInside = c.of<AndOp>(isInside, isThere);
  // What is no number either is nowhere.
  Value place = c.where(isInside, c.of<MaxOp>(at, 0.0), 0.0);
  Value low = c.of<MinOp>(c.of<FloorOp>(place), last);
  Value high = c.of<MinOp>(c.add(low, 1.0), last);
  Value share = c.where(c.test<LessOp>(low, last), c.sub(place, low), 0.0);
  auto flat = [&](Value x) { return c.reshape(x, {0, -1}); };
  found.low = flat(c.cast(low, word));
  found.high = flat(c.cast(high, word));
  found.lowWeight = flat(c.where(isInside, c.sub(1.0, share), 0.0));
  found.highWeight = flat(c.where(isInside, share, 0.0));
  found.isThere = flat(isThere);
  return found;
}

static LogicalResult importRoiAlign(NodeImporter &node) {
  Composer c(node);
  Type f32 = getFloat(c), word = getLong(c);
  Value x = node.getInput(0), rois = node.getInput(1);
  Value batches = node.getInput(2);
  std::string mode = node.getString("mode", "avg");
  std::string form =
      node.getOpset() < 16
          ? "output_half_pixel"
          : node.getString("coordinate_transformation_mode", "half_pixel");
  int64_t height = node.getInt("output_height", 1);
  int64_t width = node.getInt("output_width", 1);
  int64_t ratio = node.getInt("sampling_ratio", 0);
  float scale = node.getFloat("spatial_scale", 1);
  bool isHalfPixel = form == "half_pixel", isMax = mode == "max";
  if ((!isMax && mode != "avg") ||
      (!isHalfPixel && form != "output_half_pixel"))
    return node.fail(malformed("expects a mode of \"avg\" or \"max\" and a "
                               "coordinate_transformation_mode of "
                               "\"half_pixel\" or \"output_half_pixel\", but "
                               "found " +
                               quote(mode) + " and " + quote(form)));
  if (failed(node.expectFloat(x)) ||
      failed(node.expectSameElementType(x, rois)) ||
      failed(node.expectIndices(batches, "batch_indices")))
    return failure();
  if (getRank(x) != 4 || getRank(rois) != 2 || getRank(batches) != 1 ||
      height < 1 || width < 1)
    return node.fail(malformed("expects X of rank 4, rois of rank 2 and "
                               "batch_indices of rank 1, but found " +
                               toString(x.getType()) + ", " +
                               toString(rois.getType()) + " and " +
                               toString(batches.getType())));
  auto corner = [&](int64_t i) {
    Value value = c.squeeze(c.slice(rois, 1, i, i + 1), 1);
    value = c.mul(c.cast(value, f32), scale);
    return isHalfPixel ? c.sub(value, 0.5) : value;
  };
  auto place = [&](int64_t i, int64_t positions) {
    Value start = corner(i), extent = c.sub(corner(i + 2), start);
    if (!isHalfPixel)
      extent = c.of<MaxOp>(extent, 1.0);
    return placeSamples(c, start, extent, c.dimOf(x, i == 0 ? 3 : 2), positions,
                        ratio);
  };
  Samples across = place(0, width), down = place(1, height);
  Value image = c.cast(c.transpose(x, {0, 2, 3, 1}), f32);
  Value rows = c.dimOf(rois, 0);
  Value all = c.concat({rows, c.mul(down.most, double(height)),
                        c.mul(across.most, double(width))},
                       0);
  auto spread = [&](Value list, ArrayRef<int64_t> axes) {
    return c.expand(c.unsqueeze(list, axes), all);
  };
  Value batch = spread(c.cast(batches, word), {1, 2});
  Value result;
  for (bool isLow : {true, false})
    for (bool isLeft : {true, false}) {
      Value y = spread(isLow ? down.low : down.high, 2);
      Value at = spread(isLeft ? across.low : across.high, 1);
      Value places = c.concat(
          {c.unsqueeze(batch, 3), c.unsqueeze(y, 3), c.unsqueeze(at, 3)}, 3);
      Value values = c.make<GatherNDOp>({image, places},
                                        node.attr("batch_dims", int64_t(0)));
      Value weight =
          c.mul(spread(isLow ? down.lowWeight : down.highWeight, 2),
                spread(isLeft ? across.lowWeight : across.highWeight, 1));
      Value part = c.mul(values, c.unsqueeze(weight, 3));
      result = !result ? part
               : isMax ? c.of<MaxOp>(result, part)
                       : c.add(result, part);
    }
  if (isMax) {
    Value isThere =
        c.of<AndOp>(spread(down.isThere, 2), spread(across.isThere, 1));
    result = c.where(c.unsqueeze(isThere, 3), result,
                     -std::numeric_limits<double>::infinity());
  }
  result = c.reshape(result,
                     c.concat({rows, c.integers(height), down.most,
                               c.integers(width), across.most, c.dimOf(x, 1)},
                              0));
  result = c.reduce(isMax ? ReduceKind::Max : ReduceKind::Sum, result, {2, 4},
                    /*keepDims=*/false);
  if (!isMax) {
    Value counts = c.of<MaxOp>(c.mul(down.numbers, across.numbers), 1.0);
    result = c.div(result, c.unsqueeze(counts, {1, 2, 3}));
  }
  return node.setOutput(
      0, c.cast(c.transpose(result, {0, 3, 1, 2}), getElementType(x)));
}

//===----------------------------------------------------------------------===//
// MaxRoiPool
//===----------------------------------------------------------------------===//

/// The largest elements of `x`, [regions, ..., size], in `count` bins of an
/// axis that is the last one, which becomes the bins. `first` and `last` are
/// the elements at the ends of each region, as floats.
static Value poolBins(Composer &c, Value x, Value first, Value last,
                      int64_t count) {
  if (!x)
    return {};
  int64_t axis = getRank(x) - 1;
  Type f32 = getFloat(c);
  Value size = c.dimOf(x, axis), sizeReal = c.cast(size, f32);
  Value extent = c.of<MaxOp>(c.add(c.sub(last, first), 1.0), 1.0);
  Value bin = c.unsqueeze(c.div(extent, double(count)), 1);
  Value bins = c.cast(c.range(c.integers(0), c.integers(count)), f32);
  auto bound = [&](Value at) {
    Value place = c.add(at, c.unsqueeze(first, 1));
    return c.of<MinOp>(c.of<MaxOp>(place, 0.0), sizeReal);
  };
  // [regions, bins, size]
  Value low = c.unsqueeze(bound(c.of<FloorOp>(c.mul(bins, bin))), 2);
  Value high =
      c.unsqueeze(bound(c.of<CeilOp>(c.mul(c.add(bins, 1.0), bin))), 2);
  Value places = c.cast(c.range(c.integers(0), size), f32);
  Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(places, low),
                               c.test<LessOp>(places, high));
  isInside =
      c.unsqueeze(isInside, llvm::to_vector(llvm::seq<int64_t>(1, axis)));
  Value inBins = c.where(isInside, c.unsqueeze(x, axis),
                         -std::numeric_limits<double>::infinity());
  return inBins ? c.reduce(ReduceKind::Max, inBins, axis + 1,
                           /*keepDims=*/false)
                : Value();
}

static LogicalResult importMaxRoiPool(NodeImporter &node) {
  Composer c(node);
  Type f32 = getFloat(c);
  Value x = node.getInput(0), rois = node.getInput(1);
  SmallVector<int64_t> shape = node.getInts("pooled_shape");
  float scale = node.getFloat("spatial_scale", 1);
  if (failed(node.expectFloat(x)) || failed(node.expectFloat(rois)))
    return failure();
  if (getRank(x) != 4 || getRank(rois) != 2 || shape.size() != 2 ||
      llvm::any_of(shape, [](int64_t dim) { return dim < 1; }))
    return node.fail(malformed("expects X of rank 4, rois of rank 2 and a "
                               "pooled_shape of two sizes, but found " +
                               toString(x.getType()) + " and " +
                               toString(rois.getType())));
  auto column = [&](int64_t i) {
    return c.squeeze(c.slice(rois, 1, i, i + 1), 1);
  };
  // Halves go away from zero.
  auto corner = [&](int64_t i) {
    Value at = c.mul(c.cast(column(i), f32), scale);
    Value size = c.of<FloorOp>(c.add(c.of<AbsOp>(at), 0.5));
    return c.where(c.test<LessOp>(at, 0.0), c.of<NegOp>(size), size);
  };
  Value images = c.gather(x, c.cast(column(0), getLong(c)), 0);
  Value columns = poolBins(c, images, corner(1), corner(3), shape[1]);
  if (!columns)
    return failure();
  Value result =
      poolBins(c, c.swapAxes(columns, 2, 3), corner(2), corner(4), shape[0]);
  if (!result)
    return failure();
  // Bins without elements are 0.
  result = c.swapAxes(result, 2, 3);
  Value isEmpty =
      c.test<EqualOp>(result, -std::numeric_limits<double>::infinity());
  return node.setOutput(0, c.where(isEmpty, 0.0, result));
}

ArrayRef<Operator> qopt::importer::getSamplingOperators() {
  static constexpr Operator rows[] = {
      {"AffineGrid", 20, 2, 2, importAffineGrid},
      {"DeformConv", 19, 3, 5, importDeformConv, "2 spatial axes"},
      {"MaxRoiPool", 1, 2, 2, importMaxRoiPool},
      {"RoiAlign", 10, 3, 3, importRoiAlign},
  };
  return rows;
}
