//===- WindowOperators.cpp - Windows over spatial axes --------------------===//
//
// SAME padding depends on the input's size unless the stride is 1.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"
#include "Patches.h"
#include "WindowAttributes.h"
#include "dialects/QOpt/IR/VerifyTypes.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static std::string format(ArrayRef<int64_t> values) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(values, os << "[");
  os << "]";
  return text;
}

/// Reads `count` numbers from `least` on; `absent` where there is no attribute.
static std::optional<SmallVector<int64_t>>
readSizes(NodeImporter &node, StringRef name, size_t count, int64_t least,
          ArrayRef<int64_t> absent) {
  SmallVector<int64_t> sizes(absent);
  if (node.hasAttribute(name))
    sizes = node.getInts(name);
  bool isInRange = llvm::all_of(
      sizes, [&](int64_t size) { return size >= least && size <= kMaxWindow; });
  if (sizes.size() == count && isInRange)
    return sizes;
  (void)node.fail(malformed("attribute " + quote(name) + " expects " +
                            Twine(count) + " numbers from " + Twine(least) +
                            " to 2^30, but found " + format(sizes)));
  return std::nullopt;
}

/// Pads so that the output has ceil(input / stride) positions.
static LogicalResult padToSame(NodeImporter &node, Value x, bool isUpper,
                               WindowAttributes &window) {
  size_t spatial = window.kernel.size();
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = window.strides[i];
    int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t total = extent - 1;
    if (stride != 1) {
      int64_t input = getType(x).getDimSize(i + 2);
      if (ShapedType::isDynamic(input))
        return node.fail(unsupported(
            "SAME padding with a stride of " + Twine(stride) +
                " needs an input of known size",
            "fix the spatial dims of the model, or export explicit pads"));
      int64_t output = llvm::divideCeil(input, stride);
      total = std::max<int64_t>(
          0, extent - input + (output > 0 ? (output - 1) * stride : 0));
    }
    int64_t less = total / 2, more = total - less;
    window.pads[i] = isUpper ? less : more;
    window.pads[i + spatial] = isUpper ? more : less;
  }
  return success();
}

std::optional<WindowAttributes>
qopt::importer::readWindow(NodeImporter &node, Value x,
                           ArrayRef<int64_t> kernel) {
  int64_t rank = getRank(x);
  if (rank < 3) {
    (void)node.expectRank(x, 3, "an input");
    return std::nullopt;
  }
  if (rank > 5) {
    (void)node.fail(unsupported("windows over " + Twine(rank - 2) +
                                " spatial axes are not supported, only over 1 "
                                "to 3"));
    return std::nullopt;
  }
  size_t spatial = rank - 2;
  SmallVector<int64_t> ones(spatial, 1), zeros(2 * spatial, 0);
  auto sizes = readSizes(node, "kernel_shape", spatial, 1, kernel);
  auto strides = readSizes(node, "strides", spatial, 1, ones);
  auto dilations = readSizes(node, "dilations", spatial, 1, ones);
  auto pads = readSizes(node, "pads", 2 * spatial, 0, zeros);
  std::string autoPad = node.getString("auto_pad", "NOTSET");
  if (!sizes || !strides || !dilations || !pads)
    return std::nullopt;
  if (!kernel.empty() && ArrayRef<int64_t>(*sizes) != kernel) {
    (void)node.fail(malformed("attribute \"kernel_shape\" expects " +
                              format(kernel) + ", as the weights, but found " +
                              format(*sizes)));
    return std::nullopt;
  }
  WindowAttributes window{*sizes, *strides, *dilations, *pads};
  if (autoPad == "NOTSET")
    return window;
  window.pads.assign(2 * spatial, 0);
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (!isSame && autoPad != "VALID") {
    (void)node.fail(malformed("expects auto_pad NOTSET, SAME_UPPER, SAME_LOWER "
                              "or VALID, but found " +
                              quote(autoPad)));
    return std::nullopt;
  }
  if (isSame && failed(padToSame(node, x, autoPad == "SAME_UPPER", window)))
    return std::nullopt;
  return window;
}

/// A pool's window must never lie in the padding alone.
static LogicalResult checkPoolPads(NodeImporter &node,
                                   const WindowAttributes &window) {
  for (auto [i, pad] : llvm::enumerate(window.pads)) {
    size_t axis = i % window.kernel.size();
    int64_t extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
    if (pad >= extent)
      return node.fail(malformed("expects pads smaller than the window of " +
                                 Twine(extent) + ", but found " + Twine(pad)));
  }
  return success();
}

static bool isDilated(const WindowAttributes &window) {
  return llvm::any_of(window.dilations, [](int64_t by) { return by != 1; });
}

/// The sums of windows whose elements do not lie together, over how many
/// elements they have.
static Value averagePatches(Composer &c, Value x,
                            const WindowAttributes &window, bool ceilMode,
                            bool includesPad) {
  Value zero = c.number(0, x), one = c.number(1, x);
  SmallVector<Value> dims{c.integers({1, 1}), c.shapeOf(x, 2, getRank(x))};
  Value ones = c.expand(one, c.concat(dims, 0));
  auto sum = [&](Value padded) {
    Value patches = extractPatches(c, padded, window, ceilMode, zero);
    return patches ? c.reduce(ReduceKind::Sum, patches, getRank(patches) - 1,
                              /*keepDims=*/false)
                   : Value();
  };
  Value counts = sum(padSpatial(c, ones, window, includesPad ? one : zero));
  return c.div(sum(padSpatial(c, x, window, zero)), counts);
}

static LogicalResult importAveragePool(NodeImporter &node) {
  Value x = node.getInput(0);
  bool ceilMode = node.getInt("ceil_mode", 0) != 0;
  bool includesPad = node.getInt("count_include_pad", 0) != 0;
  std::optional<WindowAttributes> window = readWindow(node, x, {});
  if (!window || failed(node.expectFloat(x)) ||
      failed(checkPoolPads(node, *window)))
    return failure();
  if (isDilated(*window)) {
    Composer c(node);
    return node.setOutput(0,
                          averagePatches(c, x, *window, ceilMode, includesPad));
  }
  return node.makeOutput<AveragePoolOp>(
      getElementType(x), x,
      {node.attr("kernel", window->kernel),
       node.attr("strides", window->strides), node.attr("pads", window->pads),
       node.attr("ceil_mode", ceilMode),
       node.attr("count_include_pad", includesPad)});
}

/// Where the maximum of each window stands in `x`, flat; columns first where
/// `isColumnMajor`.
static Value findMaxima(Composer &c, Value x, const WindowAttributes &window,
                        bool ceilMode, bool isColumnMajor) {
  NodeImporter &node = c.getNode();
  Type word = node.getBuilder().getI64Type(), element = getElementType(x);
  int64_t rank = getRank(x);
  Value least = c.number(
      isa<FloatType>(element) ? -std::numeric_limits<double>::infinity()
      : element.isUnsignedInteger()
          ? 0.0
          : -std::ldexp(1.0, element.getIntOrFloatBitWidth() - 1),
      x);
  // The place of each element, in its channel.
  Value places, step = c.integers(1);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  if (!isColumnMajor)
    std::reverse(axes.begin(), axes.end());
  for (int64_t axis : axes) {
    Value line = c.mul(c.positionsOf(x, axis), step);
    line =
        c.unsqueeze(line, llvm::to_vector(llvm::seq<int64_t>(1, rank - axis)));
    places = places ? c.add(places, line) : line;
    step = c.mul(step, c.dimOf(x, axis));
  }
  places = c.unsqueeze(places, {0, 1});
  Value patches = extractPatches(c, padSpatial(c, x, window, least), window,
                                 ceilMode, least);
  Value zero = c.number(0, word);
  Value sources = extractPatches(c, padSpatial(c, places, window, zero), window,
                                 ceilMode, zero);
  if (!patches || !sources)
    return {};
  int64_t last = getRank(patches) - 1;
  Value best = node.make<ArgReduceOp>(
      word, patches,
      {node.attr("kind", ReduceKindAttr::get(x.getContext(), ReduceKind::Max)),
       node.attr("axis", last), node.attr("keepdims", true),
       node.attr("select_last", false)});
  Value all = c.expand(sources, c.shapeOf(patches));
  Value found = c.squeeze(
      c.make<GatherElementsOp>({all, best}, node.attr("axis", last)), last);
  // Of all channels of all samples.
  Value samples = c.mul(c.positionsOf(x, 0), c.dimOf(x, 1));
  Value channels = c.add(c.unsqueeze(samples, 1), c.positionsOf(x, 1));
  SmallVector<int64_t> behind = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  return c.add(found, c.unsqueeze(c.mul(channels, step), behind));
}

static LogicalResult importMaxPool(NodeImporter &node) {
  Value x = node.getInput(0);
  bool ceilMode = node.getInt("ceil_mode", 0) != 0;
  bool isColumnMajor = node.getInt("storage_order", 0) != 0;
  std::optional<WindowAttributes> window = readWindow(node, x, {});
  if (!window || failed(checkPoolPads(node, *window)))
    return failure();
  if (node.hasOutput(1)) {
    Composer c(node);
    if (failed(node.setOutput(
            1, findMaxima(c, x, *window, ceilMode, isColumnMajor))))
      return failure();
  }
  return node.makeOutput<MaxPoolOp>(getElementType(x), x,
                                    {node.attr("kernel", window->kernel),
                                     node.attr("strides", window->strides),
                                     node.attr("pads", window->pads),
                                     node.attr("dilations", window->dilations),
                                     node.attr("ceil_mode", ceilMode)});
}

/// Each value where its index says, in a tensor of zeros that a pool with this
/// window would have had, which may be a corner of a larger one.
static LogicalResult importMaxUnpool(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), indices = node.getInput(1);
  Value shape = node.getInput(2);
  std::optional<WindowAttributes> window = readWindow(node, x, {});
  if (!window || failed(node.expectIndices(indices, "indices")))
    return failure();
  int64_t rank = getRank(x), spatial = rank - 2;
  SmallVector<Value> dims{c.dimOf(x, 0), c.dimOf(x, 1)};
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t more = window->kernel[i] - window->pads[i] -
                   window->pads[i + spatial] - window->strides[i];
    dims.push_back(c.add(c.mul(c.dimOf(x, i + 2), double(window->strides[i])),
                         double(more)));
  }
  Value pooled = c.concat(dims, 0);
  Value size = dims.front();
  for (Value dim : ArrayRef(dims).drop_front())
    size = c.mul(size, dim);
  Value zeros = c.expand(c.number(0, x), size);
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Set);
  Value flat = c.make<ScatterElementsOp>(
      {zeros, c.reshape(indices, -1), c.reshape(x, -1)},
      {node.attr("axis", int64_t(0)), node.attr("kind", kind)});
  Value result = c.reshape(flat, pooled);
  if (!shape)
    return node.setOutput(0, result);
  shape = c.cast(shape, node.getBuilder().getI64Type());
  for (int64_t axis = 0; axis < rank && result; ++axis) {
    Value have = c.dimOf(result, axis);
    Value want = c.slice(shape, 0, axis, axis + 1);
    Value places = c.range(c.integers(0), want);
    Value inside = c.of<MinOp>(places, c.sub(have, 1.0));
    SmallVector<int64_t> behind =
        llvm::to_vector(llvm::seq<int64_t>(1, rank - axis));
    Value isInside = c.unsqueeze(c.test<LessOp>(places, have), behind);
    result = c.where(isInside, c.gather(result, inside, axis), 0.0);
  }
  return node.setOutput(0, result);
}

static LogicalResult importGlobalAveragePool(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectRank(x, 3, "an input")) || failed(node.expectFloat(x)))
    return failure();
  return node.makeOutput<GlobalAveragePoolOp>(getElementType(x), x);
}

static LogicalResult importGlobalMaxPool(NodeImporter &node) {
  Value x = node.getInput(0);
  if (failed(node.expectRank(x, 3, "an input")) || failed(node.expectFloat(x)))
    return failure();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, getRank(x)));
  return node.makeOutput<ReduceOp>(
      getElementType(x), x,
      {node.attr("kind", ReduceKindAttr::get(x.getContext(), ReduceKind::Max)),
       node.attr("axes", axes), node.attr("keepdims", true)});
}

/// (sum of |x|^p)^(1 / p), where `sum` adds up what it is given.
template <typename Fn>
static Value makeNorm(Composer &c, Value x, double p, Fn sum) {
  Value powers = c.of<AbsOp>(x);
  if (p == 2)
    return c.of<SqrtOp>(sum(c.mul(powers, powers)));
  if (p == 1)
    return sum(powers);
  return c.of<PowOp>(sum(c.of<PowOp>(powers, p)), 1 / p);
}

/// Before opset 2 the exponent is a float.
static double readExponent(NodeImporter &node) {
  return node.getOpset() < 2 ? node.getFloat("p", 2)
                             : static_cast<double>(node.getInt("p", 2));
}

/// An average with all of the pads, times the elements of a window.
static LogicalResult importLpPool(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  double p = readExponent(node);
  std::optional<WindowAttributes> window = readWindow(node, x, {});
  if (!window || failed(node.expectFloat(x)))
    return failure();
  bool ceilMode = node.getInt("ceil_mode", 0) != 0;
  if (failed(checkPoolPads(node, *window)))
    return failure();
  if (ceilMode || isDilated(*window))
    return node.setOutput(0, makeNorm(c, x, p, [&](Value powers) {
                            Value zero = c.number(0, x);
                            Value patches = extractPatches(
                                c, padSpatial(c, powers, *window, zero),
                                *window, ceilMode, zero);
                            return patches ? c.reduce(ReduceKind::Sum, patches,
                                                      getRank(patches) - 1,
                                                      /*keepDims=*/false)
                                           : Value();
                          }));
  double size = 1;
  for (int64_t dim : window->kernel)
    size *= dim;
  return node.setOutput(
      0, makeNorm(c, x, p, [&](Value powers) {
        return c.mul(c.make<AveragePoolOp>(
                         powers, {node.attr("kernel", window->kernel),
                                  node.attr("strides", window->strides),
                                  node.attr("pads", window->pads),
                                  node.attr("ceil_mode", false),
                                  node.attr("count_include_pad", true)}),
                     size);
      }));
}

static LogicalResult importGlobalLpPool(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0);
  double p = readExponent(node);
  if (failed(node.expectFloat(x)) || failed(node.expectRank(x, 3, "an input")))
    return failure();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, getRank(x)));
  return node.setOutput(0, makeNorm(c, x, p, [&](Value powers) {
                          return c.reduce(ReduceKind::Sum, powers, axes);
                        }));
}

ArrayRef<Operator> qopt::importer::getWindowOperators() {
  static constexpr Operator rows[] = {
      {"AveragePool", 1, 1, 1, importAveragePool, "1 to 3 spatial axes"},
      {"GlobalAveragePool", 1, 1, 1, importGlobalAveragePool},
      {"GlobalLpPool", 1, 1, 1, importGlobalLpPool},
      {"GlobalMaxPool", 1, 1, 1, importGlobalMaxPool},
      {"LpPool", 1, 1, 1, importLpPool, "1 to 3 spatial axes"},
      {"MaxPool", 1, 1, 1, importMaxPool, "1 to 3 spatial axes"},
      {"MaxUnpool", 9, 2, 3, importMaxUnpool, "1 to 3 spatial axes"},
  };
  return rows;
}
