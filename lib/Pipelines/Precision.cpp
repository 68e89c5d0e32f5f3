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
  return isa<ContractionOpInterface, qopt::AttentionOp>(op);
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
static std::string describeOperands(const ScaledTensor &lhs,
                                    const ScaledTensor &rhs, bool isStatic) {
  auto nameOf = [](const ScaledTensor &codes) {
    Type type = typeOf(codes.tensor).getElementType();
    if (type.isF32() || type.isF16() || type.isBF16() || type.isF64())
      return std::string("float");
    return codes.format ? codes.format.getName().str() : textOf(type);
  };
  std::string left = nameOf(lhs), right = nameOf(rhs);
  if (left == "float" && right == "float")
    return "float";
  std::string text = left + " x " + right;
  if (left != "float" && !(lhs.format && lhs.format.isBlocked()))
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
  auto contraction = dyn_cast<ContractionOpInterface>(op);
  if (contraction && contraction.takesCodes()) {
    Contraction sum = contraction.getContraction();
    ScaledTensor lhs = sum.lhs, rhs = sum.rhs;
    auto x = lhs.tensor.getDefiningOp<DequantizeOp>();
    // Depthwise blocks are decoded in front of a float sum.
    auto w = rhs.tensor.getDefiningOp<DequantizeOp>();
    if (w && x)
      lhs = x.getScaledTensors().front();
    if (w)
      rhs = w.getScaledTensors().front();
    return describeOperands(lhs, rhs,
                            (x || !w) && !isDynamicallyQuantized(lhs.tensor));
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

/// The product of dims, of which an unknown one counts as 1.
static uint64_t countKnown(ArrayRef<int64_t> dims) {
  uint64_t count = 1;
  for (int64_t dim : dims)
    count *= ShapedType::isDynamic(dim) ? 1 : dim;
  return count;
}

uint64_t qopt::countMacs(Operation *op) {
  ArrayRef<int64_t> result = typeOf(op->getResult(0)).getShape();
  if (auto contraction = dyn_cast<ContractionOpInterface>(op))
    return countKnown(result) *
           contraction.getContraction().countProducts().value_or(1);
  auto attention = dyn_cast<qopt::AttentionOp>(op);
  if (!attention)
    return countKnown(result);
  // A query and a key meet in each element of the head, a weight and a value in
  // each of the result.
  ArrayRef<int64_t> key = typeOf(attention.getKey()).getShape();
  uint64_t pairs =
      countKnown(result.drop_back()) * countKnown(key[key.size() - 2]);
  return pairs * (countKnown(key.back()) + countKnown(result.back()));
}
