//===- Precision.cpp - Precisions in words --------------------------------===//
//
// Plan and result are told in the same words, so that comparing them is
// comparing text.
//
//===----------------------------------------------------------------------===//

#include "Precision.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/TensorTypes.h"

using namespace mlir;
using namespace qopt;

static std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

bool qopt::isContraction(Operation *op) {
  return isa<ConvOp, MatMulOp, GemmOp, qopt::AttentionOp>(op);
}

static bool isBlocked(StringRef format) {
  const BlockFormat *row = lookupFormat(format);
  return row && row->block > 0;
}

/// `i8 x i8 static`; names that are empty stand for float.
static std::string describePair(StringRef act, StringRef weight,
                                StringRef mode) {
  if (act.empty() && weight.empty())
    return "float";
  std::string text = (act.empty() ? "float" : act).str() + " x " +
                     (weight.empty() ? "float" : weight).str();
  if (!act.empty() && !isBlocked(act))
    text += " " + mode.str();
  return text;
}

std::string qopt::describeRequest(RequestAttr request) {
  if (request.getParams() == Params::Float)
    return "float";
  return describePair(request.getAct() ? request.getAct().getName() : "",
                      request.getWeight() ? request.getWeight().getName() : "",
                      stringifyParams(request.getParams()));
}

std::string qopt::describeAsked(Operation *op, const NodePrecision &asked) {
  // What the model's own codes say stands.
  if (asked.weights.format.empty())
    return describePrecision(op);
  if (asked.isFloat())
    return "float";
  StringRef weight = asked.weights.format;
  if (isa<GatherOp>(op))
    return describePair("", isBlocked(weight) ? weight : "i8", asked.params);
  return describePair(asked.params == "weight-only" ? ""
                                                    : asked.activations.format,
                      weight, asked.params);
}

/// The formats that a contraction's operands have.
static std::string
describeOperands(Value lhs, std::optional<FormatAttr> lhsFormat, Value rhs,
                 std::optional<FormatAttr> rhsFormat, bool isStatic) {
  auto nameOf = [](Value value, std::optional<FormatAttr> format) {
    Type type = typeOf(value).getElementType();
    if (type.isF32() || type.isF16() || type.isBF16())
      return std::string("float");
    return format ? format->getName().str() : textOf(type);
  };
  std::string left = nameOf(lhs, lhsFormat), right = nameOf(rhs, rhsFormat);
  if (left == "float" && right == "float")
    return "float";
  std::string text = left + " x " + right;
  if (left != "float" && !(lhsFormat && lhsFormat->isBlocked()))
    text += isStatic ? " static" : " dynamic";
  return text;
}

static bool isDynamicallyQuantized(Value value) {
  Operation *op = value.getDefiningOp();
  // Codes pass movement ops unchanged.
  while (
      op && !isa<QuantizeDynamicOp>(op) && op->getNumOperands() > 0 &&
      isa<TransposeOp, ReshapeOp, SliceOp, SqueezeOp, UnsqueezeOp, FlattenOp>(
          op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<QuantizeDynamicOp>(op);
}

std::string qopt::describePrecision(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op)) {
    // Depthwise blocks are decoded in front of a float sum.
    auto x = conv.getX().getDefiningOp<DequantizeOp>();
    auto w = conv.getW().getDefiningOp<DequantizeOp>();
    if (w)
      return describeOperands(x ? x.getCodes() : conv.getX(),
                              x ? x.getFormat() : std::nullopt, w.getCodes(),
                              w.getFormat(),
                              x && !isDynamicallyQuantized(x.getCodes()));
    return describeOperands(conv.getX(), conv.getXFormat(), conv.getW(),
                            conv.getWFormat(),
                            !isDynamicallyQuantized(conv.getX()));
  }
  if (auto matmul = dyn_cast<MatMulOp>(op)) {
    auto x = matmul.getLhs().getDefiningOp<DequantizeOp>();
    auto w = matmul.getRhs().getDefiningOp<DequantizeOp>();
    if (w)
      return describeOperands(x ? x.getCodes() : matmul.getLhs(),
                              x ? x.getFormat() : std::nullopt, w.getCodes(),
                              w.getFormat(),
                              x && !isDynamicallyQuantized(x.getCodes()));
    return describeOperands(matmul.getLhs(), matmul.getLhsFormat(),
                            matmul.getRhs(), matmul.getRhsFormat(),
                            !isDynamicallyQuantized(matmul.getLhs()));
  }
  if (auto gather = dyn_cast<GatherOp>(op)) {
    Type type = typeOf(gather.getX()).getElementType();
    if (!isa<FloatType>(type) || type.getIntOrFloatBitWidth() < 16) {
      for (Operation *user : gather.getResult().getUsers())
        if (auto dequantize = dyn_cast<DequantizeOp>(user);
            dequantize && dequantize.getFormat())
          return "float x " + dequantize.getFormat()->getName().str();
    }
  }
  return "float";
}

std::string qopt::describeValues(Operation *op) {
  // These carry the location of the value that they convert.
  if (op->getNumResults() == 0 ||
      isa<QuantizeOp, QuantizeDynamicOp, DequantizeOp, ConstantOp>(op))
    return "";
  Type type = typeOf(op->getResult(0)).getElementType();
  if (type.isF32() || type.isF16() || type.isBF16() || type.isF64())
    return "float";
  if (type.isIndex() || type.isInteger(1) || type.getIntOrFloatBitWidth() > 8)
    return "integer";
  return textOf(type);
}

uint64_t qopt::countMacs(Operation *op) {
  uint64_t outputs = 1, products = 1;
  for (int64_t dim : typeOf(op->getResult(0)).getShape())
    outputs *= ShapedType::isDynamic(dim) ? 1 : dim;
  auto known = [](int64_t dim) -> uint64_t {
    return ShapedType::isDynamic(dim) ? 1 : dim;
  };
  if (auto conv = dyn_cast<ConvOp>(op))
    for (int64_t dim : typeOf(conv.getW()).getShape().drop_front())
      products *= known(dim);
  else if (auto matmul = dyn_cast<MatMulOp>(op)) {
    // Either operand may be the one that knows the depth.
    ArrayRef<int64_t> rhs = typeOf(matmul.getRhs()).getShape();
    int64_t depth = typeOf(matmul.getLhs()).getShape().back();
    if (ShapedType::isDynamic(depth))
      depth = rhs.size() == 1 ? rhs[0] : rhs[rhs.size() - 2];
    products = known(depth);
  }
  if (auto attention = dyn_cast<qopt::AttentionOp>(op))
    products = known(typeOf(attention.getQuery()).getShape().back()) +
               known(typeOf(attention.getKey())
                         .getDimSize(typeOf(attention.getKey()).getRank() - 2));
  return outputs * products;
}
