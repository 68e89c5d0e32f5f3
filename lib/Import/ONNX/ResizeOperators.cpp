//===- ResizeOperators.cpp - Images of another size -----------------------===//
//
// An axis at a time: the coordinate in the image of each position of the
// result, the elements around it, and their weighted sum. Sizes and scales may
// be values that a run computes. Whole factors of nearest elements are copies,
// which UpsampleOperators.cpp makes.
//
//===----------------------------------------------------------------------===//

#include "Resize.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// One axis that is resized; lists of one number.
struct ResizedAxis {
  int64_t axis;
  /// Sizes, as i64 and as f32.
  Value in, out, inReal, outReal;
  Value scale;
  /// The size of the result before it is whole.
  Value exactOut;
  /// Null where no region is cropped.
  Value start, end;
};
} // namespace

/// Positions of the result, in f32.
static Value getPositions(Composer &c, const ResizedAxis &axis) {
  auto known = axis.out ? getAllKnownIntegers(axis.out) : std::nullopt;
  constexpr int64_t limit = 1 << 20;
  Type f32 = c.getNode().getBuilder().getF32Type();
  if (!known || known->front() < 0 || known->front() > limit)
    return c.cast(c.range(c.integers(0), axis.out), f32);
  SmallVector<float> positions;
  for (int64_t i = 0; i < known->front(); ++i)
    positions.push_back(static_cast<float>(i));
  return makeFloats(c.getNode().getBuilder(), c.getNode().getLoc(), positions);
}

/// Where in the image each position of the result lies; null, with a failure,
/// for a mode that there is not.
static Value getCoordinates(Composer &c, const ResizedAxis &axis,
                            StringRef mode) {
  Value at = getPositions(c, axis);
  auto halfPixel = [&] {
    return c.sub(c.div(c.add(at, 0.5), axis.scale), 0.5);
  };
  Value isOne = c.test<LessOrEqualOp>(axis.outReal, 1.0);
  Value last = c.sub(axis.inReal, 1);
  Value steps = c.of<MaxOp>(c.sub(axis.outReal, 1), 1.0);
  if (mode == "half_pixel")
    return halfPixel();
  if (mode == "pytorch_half_pixel")
    return c.where(isOne, 0, halfPixel());
  if (mode == "asymmetric")
    return c.div(at, axis.scale);
  if (mode == "align_corners") {
    // Of scales, the size before it is cut to a whole one.
    Value size = c.of<MaxOp>(c.sub(axis.exactOut, 1), 1e-9);
    return c.where(isOne, 0, c.div(c.mul(at, last), size));
  }
  if (mode == "half_pixel_symmetric") {
    Value share = c.div(axis.outReal, c.mul(axis.scale, axis.inReal));
    Value offset = c.mul(c.div(axis.inReal, 2), c.sub(1, share));
    return c.add(offset, halfPixel());
  }
  if (mode == "tf_crop_and_resize" && axis.start) {
    Value span = c.mul(c.sub(axis.end, axis.start), last);
    Value inside =
        c.add(c.mul(axis.start, last), c.div(c.mul(at, span), steps));
    Value middle = c.mul(c.mul(c.add(axis.start, axis.end), 0.5), last);
    return c.where(isOne, middle, inside);
  }
  (void)c.getNode().fail(
      malformed("attribute \"coordinate_transformation_mode\" has no value " +
                quote(mode) + ", or needs a roi"));
  return {};
}

/// Elements of `x` at whole coordinates, the nearest where there is none.
static Value pick(Composer &c, Value x, const ResizedAxis &axis, Value whole) {
  Value index = c.cast(whole, c.getNode().getBuilder().getI64Type());
  index = c.of<MaxOp>(c.of<MinOp>(index, c.sub(axis.in, 1)), 0.0);
  return c.gather(x, index, axis.axis);
}

/// A list along `axis` of a tensor of `rank`.
static Value alongAxis(Composer &c, Value list, int64_t axis, int64_t rank) {
  return c.unsqueeze(list, llvm::to_vector(llvm::seq<int64_t>(1, rank - axis)));
}

static Value roundCoordinates(Composer &c, Value at, StringRef rounding) {
  if (rounding == "floor")
    return c.of<FloorOp>(at);
  if (rounding == "ceil")
    return c.of<CeilOp>(at);
  if (rounding == "round_prefer_floor")
    return c.of<CeilOp>(c.sub(at, 0.5));
  if (rounding == "round_prefer_ceil")
    return c.of<FloorOp>(c.add(at, 0.5));
  (void)c.getNode().fail(
      malformed("attribute \"nearest_mode\" has no value " + quote(rounding)));
  return {};
}

/// Weights of the elements from floor(at) - before on.
static SmallVector<Value> getWeights(Composer &c, Value rest,
                                     const ResizeForm &form) {
  if (form.mode == "linear")
    return {c.sub(1, rest), rest};
  double a = form.cubic;
  // Keys' cubic, inside of one step and up to two.
  auto inner = [&](Value t) {
    Value sum = c.sub(c.mul(t, a + 2), a + 3);
    return c.add(c.mul(c.mul(sum, t), t), 1);
  };
  auto outer = [&](Value t) {
    Value sum = c.mul(c.sub(t, 5), a);
    sum = c.add(c.mul(sum, t), 8 * a);
    return c.sub(c.mul(sum, t), 4 * a);
  };
  return {outer(c.add(rest, 1)), inner(rest), inner(c.sub(1, rest)),
          outer(c.sub(2, rest))};
}

/// The weight of an element so far away, of steps of a result.
static Value getWeightAt(Composer &c, Value distance, const ResizeForm &form) {
  Value t = c.of<AbsOp>(distance);
  if (form.mode == "linear")
    return c.of<MaxOp>(c.sub(1, t), 0.0);
  double a = form.cubic;
  Value sum = c.sub(c.mul(t, a + 2), a + 3);
  Value inner = c.add(c.mul(c.mul(sum, t), t), 1);
  Value outer = c.add(c.mul(c.mul(c.sub(t, 5), a), t), 8 * a);
  outer = c.sub(c.mul(outer, t), 4 * a);
  outer = c.where(c.test<LessOp>(t, 2), outer, 0);
  return c.where(c.test<LessOrEqualOp>(t, 1), inner, outer);
}

/// Sums over as many elements as a step of the result spans, and one more on
/// each side; of linear weights, two of cubic ones.
static Value resizeSmoothly(Composer &c, Value x, const ResizedAxis &axis,
                            Value at, const ResizeForm &form) {
  Type word = c.getNode().getBuilder().getI64Type();
  Value shrinks = c.of<MinOp>(axis.scale, 1.0);
  Value reach = c.of<CeilOp>(c.div(form.mode == "linear" ? 1 : 2, shrinks));
  Value first = c.sub(1, c.cast(reach, word));
  Value offsets = c.cast(c.range(first, c.sub(2, first)),
                         c.getNode().getBuilder().getF32Type());
  Value whole = c.unsqueeze(c.of<FloorOp>(at), 1);
  Value rest = c.sub(c.unsqueeze(at, 1), whole);
  Value weights = getWeightAt(c, c.mul(c.sub(offsets, rest), shrinks), form);
  Value places = c.add(whole, offsets);
  if (form.excludesOutside) {
    Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(places, 0.0),
                                 c.test<LessOp>(places, axis.inReal));
    weights = c.where(isInside, weights, 0);
  }
  if (!weights)
    return {};
  weights = c.div(weights, c.reduce(ReduceKind::Sum, weights, 1));
  SmallVector<int64_t> behind =
      llvm::to_vector(llvm::seq<int64_t>(2, getRank(x) - axis.axis + 1));
  Value parts = c.mul(pick(c, x, axis, places), c.unsqueeze(weights, behind));
  return parts ? c.reduce(ReduceKind::Sum, parts, axis.axis + 1,
                          /*keepDims=*/false)
               : Value();
}

static Value resizeAxis(Composer &c, Value x, const ResizedAxis &axis,
                        const ResizeForm &form) {
  Value at = getCoordinates(c, axis, form.coordinates);
  if (!at)
    return {};
  int64_t rank = getRank(x);
  Value last = c.sub(axis.inReal, 1), result;
  if (form.mode == "nearest") {
    result = pick(c, x, axis, roundCoordinates(c, at, form.rounding));
  } else if (form.antialias) {
    result = resizeSmoothly(c, x, axis, at, form);
  } else {
    Value whole = c.of<FloorOp>(at), rest = c.sub(at, whole);
    SmallVector<Value> weights = getWeights(c, rest, form);
    double before = weights.size() / 2 - 1;
    SmallVector<Value> places;
    for (size_t i = 0; i < weights.size(); ++i)
      places.push_back(c.add(whole, static_cast<double>(i) - before));
    if (form.excludesOutside) {
      Value sum;
      for (auto [weight, place] : llvm::zip_equal(weights, places)) {
        Value isInside = c.of<AndOp>(c.test<GreaterOrEqualOp>(place, 0.0),
                                     c.test<LessOrEqualOp>(place, last));
        weight = c.where(isInside, weight, 0);
        sum = sum ? c.add(sum, weight) : weight;
      }
      for (Value &weight : weights)
        weight = c.div(weight, sum);
    }
    for (auto [weight, place] : llvm::zip_equal(weights, places)) {
      Value part =
          c.mul(pick(c, x, axis, place), alongAxis(c, weight, axis.axis, rank));
      result = result ? c.add(result, part) : part;
    }
  }
  if (form.coordinates != "tf_crop_and_resize")
    return result;
  Value isOutside =
      c.of<OrOp>(c.test<LessOp>(at, 0.0), c.test<GreaterOp>(at, last));
  return c.where(alongAxis(c, isOutside, axis.axis, rank), form.outside,
                 result);
}

/// Sizes of the result where the aspect is kept: one scale for all axes.
static void keepAspect(Composer &c, MutableArrayRef<ResizedAxis> axes,
                       StringRef policy) {
  Value scale;
  for (const ResizedAxis &axis : axes)
    if (!scale)
      scale = axis.scale;
    else
      scale = policy == "not_larger" ? c.of<MinOp>(scale, axis.scale)
                                     : c.of<MaxOp>(scale, axis.scale);
  Type word = c.getNode().getBuilder().getI64Type();
  Type f32 = c.getNode().getBuilder().getF32Type();
  for (ResizedAxis &axis : axes) {
    axis.scale = scale;
    axis.outReal = c.of<FloorOp>(c.add(c.mul(axis.inReal, scale), 0.5));
    axis.out = c.cast(axis.outReal, word);
    axis.outReal = axis.exactOut = c.cast(axis.out, f32);
  }
}

/// floor(size * scale), as a constant where both are known.
static Value scaleSize(Composer &c, Value x, const ResizedAxis &axis,
                       std::optional<double> scale) {
  int64_t size = getType(x).getDimSize(axis.axis);
  if (scale && !ShapedType::isDynamic(size)) {
    float product = static_cast<float>(size) * static_cast<float>(*scale);
    if (product < 1e15f)
      return c.integers(static_cast<int64_t>(std::floor(product)));
  }
  return c.cast(c.of<FloorOp>(c.mul(axis.inReal, axis.scale)),
                c.getNode().getBuilder().getI64Type());
}

LogicalResult qopt::importer::resizeByValues(NodeImporter &node, Value roi,
                                             Value scales, Value sizes,
                                             ArrayRef<int64_t> axes,
                                             const ResizeForm &form) {
  Composer c(node);
  Value x = node.getInput(0);
  Type type = getElementType(x), f32 = node.getBuilder().getF32Type();
  bool isNearest = form.mode == "nearest";
  if (!isNearest && failed(node.expectFloat(x)))
    return failure();
  Value list = sizes ? sizes : scales;
  int64_t count = axes.size();
  if (getRank(list) != 1 ||
      (!getType(list).isDynamicDim(0) && getType(list).getDimSize(0) != count))
    return node.fail(malformed("expects a number for each of " + Twine(count) +
                               " axes, but found " + toString(list.getType())));
  if (sizes && failed(node.expectIndices(sizes, "sizes")))
    return failure();
  if (scales && !sizes && failed(node.expectFloat(scales)))
    return failure();
  auto numbers = sizes ? std::nullopt : getConstantFloats(scales);
  auto scaleOf = [&](int64_t i) {
    return numbers ? std::optional((*numbers)[i]) : std::nullopt;
  };
  SmallVector<ResizedAxis> resized;
  for (int64_t i = 0; i < count; ++i) {
    ResizedAxis axis{};
    axis.axis = axes[i];
    axis.in = c.dimOf(x, axes[i]);
    axis.inReal = c.cast(axis.in, f32);
    if (sizes) {
      axis.out =
          c.cast(c.slice(sizes, 0, i, i + 1), node.getBuilder().getI64Type());
      axis.outReal = c.cast(axis.out, f32);
      axis.scale = c.div(axis.outReal, axis.inReal);
      axis.exactOut = axis.outReal;
    } else {
      std::optional<double> known = scaleOf(i);
      if (known && !(*known > 0 && *known < 1e9))
        return node.fail(
            malformed("expects scales above 0 and below 1e9, but found " +
                      llvm::formatv("{0:e}", *known).str()));
      axis.scale = known ? makeFloats(node.getBuilder(), node.getLoc(),
                                      static_cast<float>(*known))
                         : c.cast(c.slice(scales, 0, i, i + 1), f32);
      axis.out = scaleSize(c, x, axis, known);
      axis.outReal = c.cast(axis.out, f32);
      axis.exactOut = c.mul(axis.inReal, axis.scale);
    }
    if (roi && form.coordinates == "tf_crop_and_resize") {
      axis.start = c.cast(c.slice(roi, 0, i, i + 1), f32);
      axis.end = c.cast(c.slice(roi, 0, i + count, i + count + 1), f32);
    }
    if (!axis.scale || !axis.out)
      return failure();
    resized.push_back(axis);
  }
  if (sizes && form.policy != "stretch")
    keepAspect(c, resized, form.policy);
  Value image = isNearest ? x : c.cast(x, type.isF64() ? type : f32);
  for (auto [i, axis] : llvm::enumerate(resized)) {
    auto known = axis.out ? getAllKnownIntegers(axis.out) : std::nullopt;
    std::optional<double> scale = scaleOf(i);
    int64_t size = getType(x).getDimSize(axis.axis);
    bool stays = known && known->front() == size &&
                 (sizes || (scale && *scale == 1)) &&
                 form.coordinates != "tf_crop_and_resize";
    if (!stays && image)
      image = resizeAxis(c, image, axis, form);
  }
  return node.setOutput(0, c.cast(image, type));
}
