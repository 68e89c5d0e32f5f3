//===- Biases.cpp - Biases of sums of codes -------------------------------===//
//
// The conditions are those under which qopt-form-requantize takes a bias into
// the integer sum, so both round it to the same integers.
//
//===----------------------------------------------------------------------===//

#include "Biases.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

/// Larger ones leave the sum no room in i32.
static constexpr double kMaxBias = double(int64_t(1) << 30);

static bool isOneElement(Value value) {
  return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1;
}

/// The only scale of integer codes that come in no blocks; null for others.
static ConstantOp getIntegerScale(Value real) {
  auto dequantize = real.getDefiningOp<DequantizeOp>();
  if (!dequantize || dequantize.getScales().size() != 1 ||
      !isa<IntegerType>(elementTypeOf(dequantize.getCodes())) ||
      (dequantize.getFormat() && dequantize.getFormat()->isBlocked()))
    return {};
  return dequantize.getScales().front().getDefiningOp<ConstantOp>();
}

/// True when nothing but a quantizer with one scale reads the sum, or a clamp
/// in front of it.
static bool becomesCodes(Value sum) {
  while (sum.hasOneUse()) {
    Operation *user = *sum.getUsers().begin();
    if (auto quantize = dyn_cast<QuantizeOp>(user))
      return quantize.getScales().size() == 1 &&
             quantize.getZeros().size() == 1 &&
             isOneElement(quantize.getScales().front());
    if (!isa<ReluOp, ClipOp>(user))
      return false;
    sum = user->getResult(0);
  }
  return false;
}

/// True when a tensor varies along `axis` only.
static bool isAlong(Value value, int64_t axis) {
  for (auto [i, dim] : llvm::enumerate(typeOf(value).getShape()))
    if (dim != 1 && static_cast<int64_t>(i) != axis)
      return false;
  return true;
}

/// The steps of the integer sums of `contraction`, one a channel or one for
/// all; empty where sums are not of integers.
static SmallVector<double> getSteps(GraphWriter &writer,
                                    Operation *contraction) {
  bool isConv = isa<ConvOp>(contraction);
  ConstantOp x = getIntegerScale(contraction->getOperand(0));
  ConstantOp w = getIntegerScale(contraction->getOperand(1));
  if (!x || !w || !isOneElement(x.getResult()) ||
      !isAlong(w.getResult(), isConv ? 0 : 1))
    return {};
  SmallVector<double> steps;
  double activation = writer.readReals(x).front();
  for (float weight : writer.readReals(w))
    steps.push_back(activation * weight);
  return steps;
}

std::string qopt::exporter::writeBias(GraphWriter &writer,
                                      Operation *contraction, Value bias,
                                      Value sum) {
  auto constant = bias.getDefiningOp<ConstantOp>();
  int64_t axis = typeOf(bias).getRank() - 1;
  if (!constant || !elementTypeOf(bias).isF32() || axis < 0 ||
      !isAlong(bias, axis) || !becomesCodes(sum))
    return writer.use(bias);
  SmallVector<double> steps = getSteps(writer, contraction);
  SmallVector<float> reals = writer.readReals(constant);
  if (steps.empty() || (steps.size() != 1 && steps.size() != reals.size()))
    return writer.use(bias);
  HostTensor codes = llvm::cantFail(
      HostTensor::allocate(ElementType::I32, typeOf(bias).getShape()));
  for (auto [i, code] : llvm::enumerate(codes.asMutable<int32_t>())) {
    double real = reals[i] / steps[steps.size() == 1 ? 0 : i];
    if (!(std::abs(real) < kMaxBias))
      return writer.use(bias);
    code = static_cast<int32_t>(std::nearbyint(real));
  }
  SmallVector<int64_t> dims;
  SmallVector<NodeAttribute> attributes;
  if (steps.size() != 1) {
    dims.push_back(steps.size());
    attributes.push_back({"axis", axis});
  }
  HostTensor scales =
      llvm::cantFail(HostTensor::allocate(ElementType::F32, dims));
  llvm::copy(steps, scales.asMutable<float>().begin());
  std::string quantized = writer.addTensor(constant, "quantized", codes);
  std::string scale = writer.addTensor(constant, "scale", scales);
  return writer.add("DequantizeLinear", {quantized, scale}, attributes);
}
