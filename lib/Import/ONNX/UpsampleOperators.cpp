//===- UpsampleOperators.cpp - Larger images ------------------------------===//
//
// Made from what there is: copies beside each other for Resize by whole
// factors, a convolution by 1x1 whose channels move into the image for a
// transposed convolution whose windows do not overlap. Both only move elements
// behind that, so codes pass.
//
//===----------------------------------------------------------------------===//

#include "Contractions.h"
#include "Operators.h"
#include "Resize.h"
#include "WindowAttributes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Copies that are worth making.
static constexpr int64_t kMaxFactor = 64;

static Value transpose(NodeImporter &node, Value x, ArrayRef<int64_t> perm) {
  return x ? node.make<TransposeOp>(getElementType(x), x,
                                    node.attr("perm", perm))
           : Value();
}

/// Reshapes to `dims`, where 0 keeps the dim that `x` has there.
static Value reshape(NodeImporter &node, Value x, ArrayRef<int64_t> dims) {
  if (!x)
    return {};
  Value shape = makeIntegers(node.getBuilder(), node.getLoc(), dims);
  return node.make<ReshapeOp>(getElementType(x), {x, shape},
                              node.attr("allow_zero", false));
}

/// Makes the last two axes one.
static Value mergeLast(NodeImporter &node, Value x) {
  if (!x)
    return {};
  SmallVector<int64_t> dims(getRank(x) - 1, 0);
  ArrayRef<int64_t> last = getType(x).getShape().take_back(2);
  bool isKnown = !ShapedType::isDynamicShape(last);
  dims.back() = isKnown ? last[0] * last[1] : -1;
  return reshape(node, x, dims);
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

/// Each element along the last axis `factor` times.
static Value repeatLast(NodeImporter &node, Value x, int64_t factor) {
  if (!x)
    return {};
  int64_t rank = getRank(x);
  Value single = node.make<UnsqueezeOp>(getElementType(x), x,
                                        node.attr("axes", ArrayRef{rank}));
  if (!single)
    return {};
  SmallVector<Value> copies(factor, single);
  return mergeLast(node, node.make<ConcatOp>(getElementType(x), copies,
                                             node.attr("axis", rank)));
}

static Value repeat(NodeImporter &node, Value x, int64_t axis, int64_t factor) {
  if (!x || factor == 1)
    return x;
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  if (axis + 1 == getRank(x))
    return repeatLast(node, x, factor);
  std::swap(perm[axis], perm.back());
  Value moved = transpose(node, x, perm);
  return transpose(node, repeatLast(node, moved, factor), perm);
}

/// True if result element i comes from element floor(i / factor) for any whole
/// `factor` up to `largest`.
static bool copiesByFactor(StringRef coordinates, StringRef rounding,
                           int64_t largest) {
  bool isHalfPixel = coordinates == "half_pixel" ||
                     coordinates == "pytorch_half_pixel" ||
                     coordinates == "half_pixel_symmetric";
  bool rounds =
      rounding == "round_prefer_floor" || rounding == "round_prefer_ceil";
  if (isHalfPixel)
    return rounds;
  return coordinates == "asymmetric" &&
         (rounding == "floor" ||
          (rounding == "round_prefer_floor" && largest <= 2));
}

/// The factor of each axis where constant scales are whole and small; else
/// nothing.
static std::optional<SmallVector<int64_t>> readFactors(Value x, Value scales) {
  auto numbers = getConstantFloats(scales);
  if (!numbers || static_cast<int64_t>(numbers->size()) != getRank(x))
    return std::nullopt;
  SmallVector<int64_t> factors;
  for (double value : *numbers) {
    if (!(value >= 1 && value <= kMaxFactor) ||
        value != static_cast<int64_t>(value))
      return std::nullopt;
    factors.push_back(static_cast<int64_t>(value));
  }
  return factors;
}

/// Scales of all axes: copies, where these make the same.
static LogicalResult resizeByScales(NodeImporter &node, Value scales,
                                    const ResizeForm &form) {
  Value x = node.getInput(0);
  auto factors = readFactors(x, scales);
  if (factors && form.mode == "nearest" &&
      copiesByFactor(form.coordinates, form.rounding,
                     factors->empty() ? 1 : *llvm::max_element(*factors))) {
    for (auto [axis, factor] : llvm::enumerate(*factors))
      x = repeat(node, x, axis, factor);
    return node.setOutput(0, x);
  }
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  return resizeByValues(node, Value(), scales, Value(), axes, form);
}

static bool readMode(NodeImporter &node, ResizeForm &form) {
  form.mode = node.getString("mode", "nearest");
  if (form.mode == "bilinear") // the name of opset 1
    form.mode = "linear";
  if (form.mode == "nearest" || form.mode == "linear" || form.mode == "cubic")
    return true;
  (void)node.fail(
      malformed("attribute \"mode\" has no value " + quote(form.mode)));
  return false;
}

/// Upsample, and Resize of opset 10.
static LogicalResult importUpsample(NodeImporter &node) {
  ResizeForm form;
  form.coordinates = "asymmetric";
  form.rounding = "floor";
  return readMode(node, form) ? resizeByScales(node, node.getInput(1), form)
                              : failure();
}

/// Before opset 9 the scales are an attribute, before 7 those of two axes.
static LogicalResult importUpsampleWithAttributes(NodeImporter &node) {
  ResizeForm form;
  form.coordinates = "asymmetric";
  form.rounding = "floor";
  SmallVector<float> scales = node.getFloats("scales");
  if (node.getOpset() < 7)
    scales = {1, 1, node.getFloat("height_scale", 1),
              node.getFloat("width_scale", 1)};
  if (!readMode(node, form))
    return failure();
  if (static_cast<int64_t>(scales.size()) != getRank(node.getInput(0)))
    return node.fail(malformed("expects a scale for each axis"));
  return resizeByScales(
      node, makeFloats(node.getBuilder(), node.getLoc(), scales), form);
}

static LogicalResult importResize(NodeImporter &node) {
  ResizeForm form;
  Value x = node.getInput(0), roi = node.getInput(1);
  Value scales = node.getInput(2), sizes = node.getInput(3);
  form.coordinates =
      node.getString("coordinate_transformation_mode", "half_pixel");
  form.rounding = node.getString("nearest_mode", "round_prefer_floor");
  form.policy = node.getString("keep_aspect_ratio_policy", "stretch");
  form.cubic = node.getFloat("cubic_coeff_a", -0.75f);
  form.excludesOutside = node.getInt("exclude_outside", 0) != 0;
  form.outside = node.getFloat("extrapolation_value", 0);
  form.antialias = node.getInt("antialias", 0) != 0;
  if (!readMode(node, form))
    return failure();
  auto isEmpty = [](Value value) {
    return value && getType(value).getRank() == 1 &&
           getType(value).getDimSize(0) == 0;
  };
  if (isEmpty(scales))
    scales = {};
  if (isEmpty(sizes))
    sizes = {};
  if (!scales == !sizes)
    return node.fail(malformed("expects scales or sizes, not both or none"));
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  if (node.hasAttribute("axes")) {
    axes.clear();
    for (int64_t axis : node.getInts("axes")) {
      std::optional<int64_t> counted = node.getAxis(axis, getRank(x));
      if (!counted)
        return failure();
      axes.push_back(*counted);
    }
    if (!node.getAxes(axes, getRank(x)))
      return failure();
  } else if (scales && !form.antialias &&
             form.coordinates != "tf_crop_and_resize") {
    return resizeByScales(node, scales, form);
  }
  return resizeByValues(node, roi, scales, sizes, axes, form);
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

/// True for windows beside each other.
static bool areBeside(NodeImporter &node, ArrayRef<int64_t> kernel) {
  auto isDefault = [&](StringRef name, int64_t value) {
    return llvm::all_of(node.getInts(name),
                        [&](int64_t found) { return found == value; });
  };
  return isDefault("pads", 0) && isDefault("output_padding", 0) &&
         isDefault("dilations", 1) &&
         node.getString("auto_pad", "NOTSET") == "NOTSET" &&
         !node.hasAttribute("output_shape") && node.getInt("group", 1) == 1 &&
         ArrayRef<int64_t>(node.getInts("strides")) == kernel;
}

/// A list of an attribute, or as many of `absent`; nothing, with a failure, for
/// another number of them or one that is less than `least`.
static std::optional<SmallVector<int64_t>> readList(NodeImporter &node,
                                                    StringRef name,
                                                    size_t count, int64_t least,
                                                    int64_t absent) {
  SmallVector<int64_t> list = node.getInts(name);
  if (list.empty())
    list.assign(count, absent);
  bool fits = list.size() == count && llvm::all_of(list, [&](int64_t value) {
                return value >= least && value <= (int64_t(1) << 30);
              });
  if (fits)
    return list;
  (void)node.fail(malformed("attribute " + quote(name) + " expects " +
                            Twine(count) + " numbers from " + Twine(least) +
                            " to 2^30"));
  return std::nullopt;
}

/// Pads [begin..., end...] of the result of a transposed convolution, which are
/// cut away.
static std::optional<SmallVector<int64_t>> readCuts(NodeImporter &node, Value x,
                                                    ArrayRef<int64_t> extents,
                                                    ArrayRef<int64_t> strides,
                                                    ArrayRef<int64_t> more) {
  size_t spatial = extents.size();
  std::string autoPad = node.getString("auto_pad", "NOTSET");
  auto pads = readList(node, "pads", 2 * spatial, 0, 0);
  SmallVector<int64_t> shape = node.getInts("output_shape");
  if (!pads)
    return std::nullopt;
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (!isSame && autoPad != "NOTSET" && autoPad != "VALID") {
    (void)node.fail(malformed("expects auto_pad NOTSET, SAME_UPPER, SAME_LOWER "
                              "or VALID, but found " +
                              quote(autoPad)));
    return std::nullopt;
  }
  if (autoPad == "VALID")
    pads->assign(2 * spatial, 0);
  if (!isSame && shape.empty())
    return pads;
  if (!shape.empty() && shape.size() != spatial)
    shape.erase(shape.begin(), shape.end() - std::min(spatial, shape.size()));
  for (size_t i = 0; i < spatial; ++i) {
    int64_t size = getType(x).getDimSize(i + 2);
    int64_t total = extents[i] - strides[i] + more[i];
    if (!shape.empty()) {
      if (ShapedType::isDynamic(size) || i >= shape.size()) {
        (void)node.fail(unsupported("an output_shape needs an input of known "
                                    "size"));
        return std::nullopt;
      }
      total = strides[i] * (size - 1) + more[i] + extents[i] - shape[i];
    }
    // What is missing is padded, what is too much is cut.
    int64_t half = llvm::divideFloorSigned(total, 2);
    bool isUpper = autoPad == "SAME_UPPER";
    (*pads)[i] = isUpper ? half : total - half;
    (*pads)[i + spatial] = isUpper ? total - half : half;
  }
  return pads;
}

/// Elements of an axis with `stride` - 1 zeros between.
static Value spread(Composer &c, Value x, int64_t axis, int64_t stride) {
  if (!x || stride == 1)
    return x;
  NodeImporter &node = c.getNode();
  int64_t rank = getRank(x);
  SmallVector<int64_t> pads(2 * (rank + 1), 0);
  pads[rank + 1 + axis + 1] = stride - 1;
  Value apart =
      c.make<PadOp>(c.unsqueeze(x, axis + 1), node.attr("pads", pads));
  Value size = c.mul(c.dimOf(x, axis), static_cast<double>(stride));
  Value joined = c.reshape(
      apart,
      c.concat({c.shapeOf(x, 0, axis), size, c.shapeOf(x, axis + 1, rank)}, 0));
  return c.slice(joined, axis, c.integers(0),
                 c.sub(size, static_cast<double>(stride - 1)));
}

/// A convolution of what is spread, by the kernel turned around.
static LogicalResult makeSpreadConv(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  ArrayRef<int64_t> dims = getType(w).getShape();
  SmallVector<int64_t> kernel(dims.drop_front(2));
  size_t spatial = kernel.size();
  int64_t group = node.getInt("group", 1), rank = getRank(x);
  auto strides = readList(node, "strides", spatial, 1, 1);
  auto dilations = readList(node, "dilations", spatial, 1, 1);
  auto more = readList(node, "output_padding", spatial, 0, 0);
  if (!strides || !dilations || !more)
    return failure();
  if (group < 1 || dims[0] % group != 0)
    return node.fail(malformed("expects groups that divide " + Twine(dims[0]) +
                               " channels, but found " + Twine(group)));
  SmallVector<int64_t> extents;
  for (size_t i = 0; i < spatial; ++i)
    extents.push_back((kernel[i] - 1) * (*dilations)[i] + 1);
  auto cuts = readCuts(node, x, extents, *strides, *more);
  if (!cuts)
    return failure();
  Type type = getElementType(x);
  bool isHalf = type.isF16() || type.isBF16();
  auto widen = [&](Value value) {
    return isHalf ? c.cast(value, node.getBuilder().getF32Type()) : value;
  };
  // [g * I, O, k...] to [g * O, I, k...], each axis of the kernel backwards.
  SmallVector<int64_t> split{group, dims[0] / group, dims[1]};
  split.append(kernel);
  SmallVector<int64_t> joined{group * dims[1], dims[0] / group};
  joined.append(kernel);
  Value weights =
      c.reshape(c.swapAxes(c.reshape(widen(w), split), 1, 2), joined);
  Value image = widen(x);
  for (size_t i = 0; i < spatial; ++i) {
    if (kernel[i] > 1)
      weights = c.reverse(weights, i + 2);
    image = spread(c, image, i + 2, (*strides)[i]);
  }
  SmallVector<int64_t> pads(2 * rank, 0), ones(spatial, 1);
  for (size_t i = 0; i < spatial; ++i) {
    int64_t before = extents[i] - 1 - (*cuts)[i];
    int64_t after = extents[i] - 1 - (*cuts)[i + spatial] + (*more)[i];
    constexpr int64_t most = std::numeric_limits<int64_t>::max();
    if (before < 0 || after < 0)
      image = c.slice(image, i + 2, std::max<int64_t>(-before, 0),
                      after < 0 ? after : most);
    pads[i + 2] = std::max<int64_t>(before, 0);
    pads[i + 2 + rank] = std::max<int64_t>(after, 0);
  }
  image = c.make<PadOp>(image, node.attr("pads", pads));
  if (!image || !weights)
    return failure();
  WindowAttributes window{kernel, ones, *dilations,
                          SmallVector<int64_t>(2 * spatial, 0)};
  Value result = makeConvByWindow(node, {image, {}}, {weights, {}},
                                  bias ? widen(bias) : Value(),
                                  getElementType(image), window, group);
  return node.setOutput(0, c.cast(result, type));
}

/// [N, C * kh * kw, H, W] to [N, C, H * kh, W * kw].
static Value depthToSpace(NodeImporter &node, Value y, int64_t channels,
                          ArrayRef<int64_t> kernel) {
  Value last = transpose(node, y, {0, 2, 3, 1});
  Value split = reshape(node, last, {0, 0, 0, channels, kernel[0], kernel[1]});
  // [N, C, W, kw, H, kh], then [N, C, H * kh, W, kw].
  Value rows = mergeLast(node, transpose(node, split, {0, 3, 2, 5, 1, 4}));
  return mergeLast(node, transpose(node, rows, {0, 1, 4, 2, 3}));
}

static LogicalResult importConvTranspose(NodeImporter &node) {
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  if (failed(node.expectFloat(x)) || failed(node.expectSameElementType(x, w)) ||
      (bias && failed(node.expectSameElementType(x, bias))))
    return failure();
  if (getRank(x) < 3 || getRank(x) > 5 || getRank(w) != getRank(x) ||
      !getType(w).hasStaticShape())
    return node.fail(
        unsupported("expects one to three spatial axes and weights "
                    "of known dims, but found " +
                    toString(x.getType()) + " and " + toString(w.getType())));
  ArrayRef<int64_t> dims = getType(w).getShape();
  ArrayRef<int64_t> kernel = dims.drop_front(2);
  int64_t inputs = getType(x).getDimSize(1);
  int64_t channels = dims[1];
  SmallVector<int64_t> stated = node.getInts("kernel_shape");
  if (!stated.empty() && ArrayRef<int64_t>(stated) != kernel)
    return node.fail(malformed("attribute \"kernel_shape\" differs from the "
                               "dims of the weights"));
  if (!ShapedType::isDynamic(inputs) && inputs != dims[0])
    return node.fail(malformed("expects " + Twine(dims[0]) +
                               " input channels, but found " + Twine(inputs)));
  if (bias && (getRank(bias) != 1 || (!getType(bias).isDynamicDim(0) &&
                                      getType(bias).getDimSize(0) !=
                                          channels * node.getInt("group", 1))))
    return node.fail(malformed("expects a bias with one element for each of " +
                               Twine(channels * node.getInt("group", 1)) +
                               " output channels"));
  if (getRank(x) != 4 || !areBeside(node, kernel) || !getElementType(x).isF32())
    return makeSpreadConv(node);
  int64_t outputs = channels * kernel[0] * kernel[1];
  Value flat =
      reshape(node, transpose(node, w, {1, 2, 3, 0}), {outputs, dims[0], 1, 1});
  if (!flat)
    return failure();
  OpBuilder &b = node.getBuilder();
  auto product = ConvOp::create(
      b, node.getLoc(), RankedTensorType::get({}, getElementType(x)), x,
      ValueRange(), ValueRange(), flat, ValueRange(), ValueRange(), Value(),
      b.getDenseI64ArrayAttr({1, 1}), b.getDenseI64ArrayAttr({0, 0, 0, 0}),
      b.getDenseI64ArrayAttr({1, 1}), b.getI64IntegerAttr(1), FormatAttr(),
      FormatAttr());
  if (failed(node.finish(product)))
    return failure();
  Value image = depthToSpace(node, product.getResult(), channels, kernel);
  if (!bias || !image)
    return node.setOutput(0, image);
  Value planes = reshape(node, bias, {channels, 1, 1});
  return planes ? node.makeOutput<AddOp>(getElementType(x), {image, planes})
                : failure();
}

ArrayRef<Operator> qopt::importer::getUpsampleOperators() {
  static constexpr Operator rows[] = {
      {"ConvTranspose", 1, 2, 3, importConvTranspose,
       "1 to 3 spatial axes; weights of known dims"},
      {"Resize", 10, 2, 2, importUpsample},
      {"Resize", 11, 1, 4, importResize, "linear and cubic of floats"},
      {"Upsample", 1, 1, 1, importUpsampleWithAttributes},
      {"Upsample", 9, 2, 2, importUpsample, "linear of floats"},
  };
  return rows;
}
