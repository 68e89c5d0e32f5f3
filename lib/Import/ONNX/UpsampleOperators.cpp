//===- UpsampleOperators.cpp - Larger images ------------------------------===//
//
// Made from what there is: copies beside each other for Resize by whole
// factors, a convolution by 1x1 whose channels move into the image for a
// transposed convolution whose windows do not overlap. Both only move elements
// behind that, so codes pass.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"

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

/// The factor of each axis, from the scales in input `index`.
static std::optional<SmallVector<int64_t>> readFactors(NodeImporter &node,
                                                       size_t index) {
  Value scales = node.getInput(index);
  auto constant = scales ? scales.getDefiningOp<ConstantOp>() : ConstantOp();
  auto elements = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue())
                           : DenseFPElementsAttr();
  int64_t rank = getRank(node.getInput(0));
  if (!elements || elements.getNumElements() != rank) {
    (void)node.fail(unsupported(
        "only constant scales, one for each axis, are supported",
        "give the scales as an initializer, without sizes and axes"));
    return std::nullopt;
  }
  SmallVector<int64_t> factors;
  for (APFloat scale : elements) {
    bool losesInfo;
    scale.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    double value = scale.convertToDouble();
    if (!(value >= 1 && value <= kMaxFactor) ||
        value != static_cast<int64_t>(value)) {
      (void)node.fail(
          unsupported("only whole scales from 1 to " + Twine(kMaxFactor) +
                      " are supported, but found " + std::to_string(value)));
      return std::nullopt;
    }
    factors.push_back(static_cast<int64_t>(value));
  }
  return factors;
}

static LogicalResult resize(NodeImporter &node, size_t scalesIndex,
                            StringRef coordinates, StringRef rounding) {
  std::string mode = node.getString("mode", "nearest");
  if (mode != "nearest")
    return node.fail(
        unsupported("mode " + quote(mode) + " is not supported, only nearest"));
  std::optional<SmallVector<int64_t>> factors = readFactors(node, scalesIndex);
  if (!factors)
    return failure();
  if (!copiesByFactor(coordinates, rounding,
                      factors->empty() ? 1 : *llvm::max_element(*factors)))
    return node.fail(unsupported("coordinates " + quote(coordinates) +
                                 " with rounding " + quote(rounding) +
                                 " are not supported"));
  Value x = node.getInput(0);
  for (auto [axis, factor] : llvm::enumerate(*factors))
    x = repeat(node, x, axis, factor);
  return node.setOutput(0, x);
}

/// Upsample, and Resize of opset 10.
static LogicalResult importUpsample(NodeImporter &node) {
  return resize(node, 1, "asymmetric", "floor");
}

static LogicalResult importResize(NodeImporter &node) {
  // What these choose is for other modes, or for sizes.
  for (StringRef name :
       {"cubic_coeff_a", "exclude_outside", "extrapolation_value", "antialias"})
    node.ignoreAttribute(name);
  std::string policy = node.getString("keep_aspect_ratio_policy", "stretch");
  if (node.hasAttribute("axes") || node.getInput(3) || policy != "stretch")
    return node.fail(unsupported("only scales are supported, for all axes",
                                 "give scales instead of sizes"));
  std::string coordinates =
      node.getString("coordinate_transformation_mode", "half_pixel");
  std::string rounding = node.getString("nearest_mode", "round_prefer_floor");
  return resize(node, 2, coordinates, rounding);
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

/// Refuses what overlaps or leaves gaps.
static LogicalResult checkWindows(NodeImporter &node,
                                  ArrayRef<int64_t> kernel) {
  auto isDefault = [&](StringRef name, int64_t value) {
    return llvm::all_of(node.getInts(name),
                        [&](int64_t found) { return found == value; });
  };
  SmallVector<int64_t> strides = node.getInts("strides");
  if (strides.empty())
    strides.assign(kernel.size(), 1);
  SmallVector<int64_t> stated = node.getInts("kernel_shape");
  if (!stated.empty() && ArrayRef<int64_t>(stated) != kernel)
    return node.fail(malformed("attribute \"kernel_shape\" differs from the "
                               "dims of the weights"));
  bool isPlain = isDefault("pads", 0) && isDefault("output_padding", 0) &&
                 isDefault("dilations", 1) &&
                 node.getString("auto_pad", "NOTSET") == "NOTSET" &&
                 !node.hasAttribute("output_shape") &&
                 node.getInt("group", 1) == 1;
  if (isPlain && ArrayRef<int64_t>(strides) == kernel)
    return success();
  return node.fail(
      unsupported("only windows beside each other are supported: strides like "
                  "the kernel, one group, no pads and no dilations"));
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
  if (getRank(x) != 4 || getRank(w) != 4 || !getType(w).hasStaticShape())
    return node.fail(unsupported("only images of two axes and weights of known "
                                 "dims are supported"));
  ArrayRef<int64_t> dims = getType(w).getShape();
  ArrayRef<int64_t> kernel = dims.drop_front(2);
  int64_t inputs = getType(x).getDimSize(1), channels = dims[1];
  if (!ShapedType::isDynamic(inputs) && inputs != dims[0])
    return node.fail(malformed("expects " + Twine(dims[0]) +
                               " input channels, but found " + Twine(inputs)));
  if (bias && (getRank(bias) != 1 || (!getType(bias).isDynamicDim(0) &&
                                      getType(bias).getDimSize(0) != channels)))
    return node.fail(malformed("expects a bias with one element for each of " +
                               Twine(channels) + " output channels"));
  if (failed(checkWindows(node, kernel)))
    return failure();
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
       "2 spatial axes; strides like the kernel, one group, no pads, no "
       "dilations"},
      {"Resize", 10, 2, 2, importUpsample},
      {"Resize", 11, 1, 4, importResize,
       "mode nearest; constant scales, whole, one for each axis"},
      {"Upsample", 9, 2, 2, importUpsample,
       "mode nearest; constant scales, whole"},
  };
  return rows;
}
