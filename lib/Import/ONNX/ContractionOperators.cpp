//===- ContractionOperators.cpp - Conv, MatMul, Gemm ----------------------===//
//
// Ranks and dims that inference relies on are checked before the op is made.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Contractions.h"
#include "Operators.h"
#include "WindowAttributes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static bool isKnown(int64_t dim) { return !ShapedType::isDynamic(dim); }

static ValueRange asRange(const Value &value) {
  return value ? ValueRange(value) : ValueRange();
}

/// Products of 16 bits are stored and rounded as the model says, and summed in
/// f32. Those of codes are formed later, in integers.
static bool isWidened(Value x, Value w) {
  Type type = getElementType(x);
  return (type.isF16() || type.isBF16()) &&
         !isa_and_nonnull<DequantizeOp>(x.getDefiningOp()) &&
         !isa_and_nonnull<DequantizeOp>(w.getDefiningOp());
}

static Value widen(NodeImporter &node, Value x, bool isWidened) {
  if (!x || !isWidened)
    return x;
  return Composer(node).cast(x, node.getBuilder().getF32Type());
}

/// A convolution over one axis or two.
static Value makeFlatConv(NodeImporter &node, ProductOperand x,
                          ProductOperand w, Value bias, Type element,
                          const WindowAttributes &window, int64_t group) {
  if (!x.tensor || !w.tensor || node.getFailure())
    return {};
  OpBuilder &builder = node.getBuilder();
  auto op = ConvOp::create(
      builder, node.getLoc(), RankedTensorType::get({}, element), x.tensor,
      ValueRange(), asRange(x.zero), w.tensor, ValueRange(), asRange(w.zero),
      bias, builder.getDenseI64ArrayAttr(window.strides),
      builder.getDenseI64ArrayAttr(window.pads),
      builder.getDenseI64ArrayAttr(window.dilations),
      builder.getI64IntegerAttr(group), FormatAttr(), FormatAttr());
  return succeeded(node.finish(op)) ? op.getResult() : Value();
}

/// A convolution over three axes: a sum over the first of the kernel, of
/// convolutions of planes. A pad is the zero point.
static Value makeDeepConv(NodeImporter &node, ProductOperand x,
                          ProductOperand w, Value bias, Type element,
                          const WindowAttributes &window, int64_t group) {
  Composer c(node);
  int64_t stride = window.strides[0], dilation = window.dilations[0];
  SmallVector<int64_t> pads(10, 0);
  pads[2] = window.pads[0];
  pads[7] = window.pads[3];
  Value padded = x.tensor;
  SmallVector<Value> operands{x.tensor};
  if (x.zero)
    operands.push_back(x.zero);
  if (pads[2] + pads[7] > 0)
    padded = c.make<PadOp>(operands, node.attr("pads", pads));
  Value planes = c.swapAxes(padded, 1, 2); // [N, D, C, H, W]
  if (!planes)
    return {};
  WindowAttributes inner;
  inner.strides.assign(window.strides.begin() + 1, window.strides.end());
  inner.dilations.assign(window.dilations.begin() + 1, window.dilations.end());
  inner.pads = {window.pads[1], window.pads[2], window.pads[4], window.pads[5]};
  // Positions of the result on the axis.
  Value extent = c.integers((window.kernel[0] - 1) * dilation);
  Value count = c.add(c.div(c.sub(c.sub(c.dimOf(planes, 1), extent), 1),
                            static_cast<double>(stride)),
                      1);
  Value span = c.add(c.mul(c.sub(count, 1), static_cast<double>(stride)), 1);
  Value sum, outer;
  for (int64_t tap = 0; tap < window.kernel[0]; ++tap) {
    Value start = c.integers(tap * dilation);
    Value part =
        c.make<SliceOp>({planes, start, c.add(start, span), c.integers(stride)},
                        node.attr("axes", ArrayRef<int64_t>{1}));
    if (!part)
      return {};
    Value image = c.reshape(part, c.concat({c.productOf(c.shapeOf(part, 0, 2)),
                                            c.shapeOf(part, 2, 5)},
                                           0));
    Value weights = c.squeeze(c.slice(w.tensor, 2, tap, tap + 1), 2);
    Value product =
        makeFlatConv(node, {image, x.zero}, {weights, w.zero},
                     tap == 0 ? bias : Value(), element, inner, group);
    outer = c.shapeOf(part, 0, 2);
    sum = sum ? c.add(sum, product) : product;
    if (!sum)
      return {};
  }
  Value deep = c.reshape(sum, c.concat({outer, c.shapeOf(sum, 1, 4)}, 0));
  return c.swapAxes(deep, 1, 2);
}

Value qopt::importer::makeConvByWindow(NodeImporter &node, ProductOperand x,
                                       ProductOperand w, Value bias,
                                       Type element,
                                       const WindowAttributes &window,
                                       int64_t group) {
  auto make = getRank(x.tensor) == 5 ? makeDeepConv : makeFlatConv;
  return make(node, x, w, bias, element, window, group);
}

Value qopt::importer::makeConv(NodeImporter &node, ProductOperand x,
                               ProductOperand w, Value bias, Type element) {
  if (failed(node.expectRank(w.tensor, 3, "weights")))
    return {};
  auto fail = [&](Failure failure) {
    (void)node.fail(std::move(failure));
    return Value();
  };
  RankedTensorType weights = getType(w.tensor);
  if (weights.getRank() != getRank(x.tensor))
    return fail(malformed("expects an input and weights of one rank, but "
                          "found ranks " +
                          Twine(getRank(x.tensor)) + " and " +
                          Twine(weights.getRank())));
  ArrayRef<int64_t> kernel = weights.getShape().drop_front(2);
  if (!llvm::all_of(kernel, isKnown))
    return fail(unsupported("weights with kernels of unknown size are not "
                            "supported"));
  std::optional<WindowAttributes> window = readWindow(node, x.tensor, kernel);
  if (!window)
    return {};
  int64_t outputs = weights.getDimSize(0);
  if (bias && (getRank(bias) != 1 ||
               (isKnown(getType(bias).getDimSize(0)) && isKnown(outputs) &&
                getType(bias).getDimSize(0) != outputs)))
    return fail(malformed("expects a bias with one element for each of " +
                          Twine(outputs) + " output channels"));
  int64_t group = node.getInt("group", 1);
  if (group < 1 || group > (int64_t(1) << 30))
    return fail(malformed("attribute \"group\" expects a number from 1 to "
                          "2^30, but found " +
                          Twine(group)));
  if (node.getFailure())
    return {};
  return makeConvByWindow(node, x, w, bias, element, *window, group);
}

static LogicalResult importConv(NodeImporter &node) {
  Value x = node.getInput(0), w = node.getInput(1), bias = node.getInput(2);
  if (failed(node.expectFloat(x)) || failed(node.expectSameElementType(x, w)) ||
      (bias && failed(node.expectSameElementType(x, bias))))
    return failure();
  bool isWide = isWidened(x, w);
  Value wide = widen(node, x, isWide);
  if (!wide)
    return failure();
  Value result = makeConv(node, {wide, {}}, {widen(node, w, isWide), {}},
                          widen(node, bias, isWide), getElementType(wide));
  return node.setOutput(0, Composer(node).cast(result, getElementType(x)));
}

Value qopt::importer::makeMatMul(NodeImporter &node, ProductOperand lhs,
                                 ProductOperand rhs, Type element) {
  if (failed(node.expectRank(lhs.tensor, 1, "operands")) ||
      failed(node.expectRank(rhs.tensor, 1, "operands")))
    return {};
  ArrayRef<int64_t> lhsShape = getType(lhs.tensor).getShape(),
                    rhsShape = getType(rhs.tensor).getShape();
  for (size_t i = 3; i <= std::min(lhsShape.size(), rhsShape.size()); ++i) {
    int64_t a = lhsShape[lhsShape.size() - i],
            b = rhsShape[rhsShape.size() - i];
    if (isKnown(a) && isKnown(b) && a != b && a != 1 && b != 1) {
      (void)node.fail(malformed("expects batch dims that broadcast, but "
                                "found " +
                                Twine(a) + " and " + Twine(b)));
      return {};
    }
  }
  if (node.getFailure())
    return {};
  // Kernels have an axis of results: of two vectors, one becomes a matrix.
  bool areVectors = lhsShape.size() == 1 && rhsShape.size() == 1;
  NamedAttribute first = node.attr("axes", ArrayRef<int64_t>{0});
  Value left = lhs.tensor;
  if (areVectors)
    left = node.make<UnsqueezeOp>(getElementType(left), left, first);
  if (!left)
    return {};
  auto op = MatMulOp::create(
      node.getBuilder(), node.getLoc(), RankedTensorType::get({}, element),
      left, ValueRange(), asRange(lhs.zero), rhs.tensor, ValueRange(),
      asRange(rhs.zero), FormatAttr(), FormatAttr());
  if (failed(node.finish(op)))
    return {};
  return areVectors ? node.make<SqueezeOp>(element, op.getResult(), first)
                    : op.getResult();
}

static LogicalResult importMatMul(NodeImporter &node) {
  Value lhs = node.getInput(0), rhs = node.getInput(1);
  if (!isa<FloatType>(getElementType(lhs)))
    return node.fail(unsupported("matrix products of integers are not "
                                 "supported"));
  if (failed(node.expectSameElementType(lhs, rhs)))
    return failure();
  bool isWide = isWidened(lhs, rhs);
  Value left = widen(node, lhs, isWide), right = widen(node, rhs, isWide);
  if (!left || !right)
    return failure();
  Value result =
      makeMatMul(node, {left, {}}, {right, {}}, getElementType(left));
  return node.setOutput(0, Composer(node).cast(result, getElementType(lhs)));
}

/// Checks that `c` broadcasts to the product in one direction.
static LogicalResult checkGemmBias(NodeImporter &node, Value a, Value b,
                                   Value c, bool transA, bool transB) {
  if (failed(node.expectSameElementType(a, c)))
    return failure();
  ArrayRef<int64_t> shape = getType(c).getShape();
  int64_t result[] = {getType(a).getDimSize(transA ? 1 : 0),
                      getType(b).getDimSize(transB ? 0 : 1)};
  bool fits = shape.size() <= 2;
  for (size_t i = 1; fits && i <= shape.size(); ++i) {
    int64_t dim = shape[shape.size() - i], wanted = result[2 - i];
    fits = !isKnown(dim) || !isKnown(wanted) || dim == 1 || dim == wanted;
  }
  if (fits)
    return success();
  return node.fail(malformed("expects a C that broadcasts to the product of A "
                             "and B"));
}

/// No kernel is faster than the ops that it consists of.
static Value makeGemmOfDoubles(NodeImporter &node, Value a, Value b, Value bias,
                               bool transA, bool transB, float alpha,
                               float beta) {
  Composer c(node);
  Value product = c.matmul(transA ? c.swapAxes(a, 0, 1) : a,
                           transB ? c.swapAxes(b, 0, 1) : b);
  if (alpha != 1)
    product = c.mul(product, alpha);
  if (!bias)
    return product;
  return c.add(product, beta != 1 ? c.mul(bias, beta) : bias);
}

static LogicalResult importGemm(NodeImporter &node) {
  Value a = node.getInput(0), b = node.getInput(1), c = node.getInput(2);
  bool transA = node.getInt("transA", 0) != 0;
  bool transB = node.getInt("transB", 0) != 0;
  float alpha = node.getFloat("alpha", 1.0f),
        beta = node.getFloat("beta", 1.0f);
  if (!isa<FloatType>(getElementType(a)))
    return node.fail(unsupported("matrix products of integers are not "
                                 "supported"));
  if (failed(node.expectSameElementType(a, b)))
    return failure();
  if (getRank(a) != 2 || getRank(b) != 2)
    return node.fail(malformed("expects matrices, but found ranks " +
                               Twine(getRank(a)) + " and " +
                               Twine(getRank(b))));
  if (node.getOpset() < 7)
    node.ignoreAttribute("broadcast"); // C fits as later ones do, or not
  if (c && failed(checkGemmBias(node, a, b, c, transA, transB)))
    return failure();
  Type type = getElementType(a);
  if (type.isF64())
    return node.setOutput(
        0, makeGemmOfDoubles(node, a, b, c, transA, transB, alpha, beta));
  bool isWide = isWidened(a, b);
  SmallVector<Value> operands{widen(node, a, isWide), widen(node, b, isWide)};
  if (c)
    operands.push_back(widen(node, c, isWide));
  Composer composer(node);
  Value product = composer.make<GemmOp>(
      operands, {node.attr("alpha", alpha), node.attr("beta", beta),
                 node.attr("trans_a", transA), node.attr("trans_b", transB)});
  return node.setOutput(0, composer.cast(product, type));
}

ArrayRef<Operator> qopt::importer::getContractionOperators() {
  static constexpr Operator rows[] = {
      {"Conv", 1, 2, 3, importConv,
       "1 to 3 spatial axes, kernels of known size"},
      {"Gemm", 1, 3, 3, importGemm},
      {"Gemm", 11, 2, 3, importGemm, "floats"},
      {"MatMul", 1, 2, 2, importMatMul, "floats"},
  };
  return rows;
}
