//===- Biases.cpp - Biases of sums of codes -------------------------------===//
//
// The conditions are those under which qopt-form-requantize, or
// qopt-propagate-codes for scales that are powers of two, takes a bias into the
// integer sum, so all round it to the same integers.
//
//===----------------------------------------------------------------------===//

#include "Biases.h"
#include "dialects/QOpt/Quantization/IntegerBias.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

/// The only scale of integer codes that come in no blocks; null for others.
static ConstantOp getIntegerScale(Value real) {
  auto dequantize = real.getDefiningOp<DequantizeOp>();
  if (!dequantize || dequantize.getScales().size() != 1 ||
      !isa<IntegerType>(elementTypeOf(dequantize.getCodes())) ||
      (dequantize.getFormat() && dequantize.getFormat()->isBlocked()))
    return {};
  return dequantize.getScales().front().getDefiningOp<ConstantOp>();
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
  auto sum = cast<ContractionOpInterface>(contraction).getContraction();
  ConstantOp x = getIntegerScale(sum.lhs.tensor);
  ConstantOp w = getIntegerScale(sum.rhs.tensor);
  if (!x || !w || !isOneElement(x.getResult()) ||
      !isAlong(w.getResult(), sum.rhs.getOutputAxis()))
    return {};
  SmallVector<double> steps;
  double activation = writer.readReals(x).front();
  for (float weight : writer.readReals(w))
    steps.push_back(activation * weight);
  return steps;
}

/// True where sums are of codes with scales that are powers of two: they take
/// the bias also where no codes follow.
static bool hasPow2Steps(Operation *contraction) {
  auto sum = cast<ContractionOpInterface>(contraction).getContraction();
  return llvm::all_of(
      ArrayRef({sum.lhs.tensor, sum.rhs.tensor}), [](Value real) {
        ConstantOp scale = getIntegerScale(real);
        return scale &&
               isa<Float8E8M0FNUType>(elementTypeOf(scale.getResult()));
      });
}

/// A bias in float. ONNX Runtime makes a Gemm of floats from a product of
/// higher rank and a list; beside a tensor of that rank the product keeps its
/// codes.
static std::string writeFloatBias(GraphWriter &writer, Operation *contraction,
                                  Value bias) {
  auto constant = bias.getDefiningOp<ConstantOp>();
  int64_t rank = typeOf(contraction->getResult(0)).getRank();
  auto sum = cast<ContractionOpInterface>(contraction).getContraction();
  bool isOfCodes = sum.lhs.tensor.getDefiningOp<DequantizeOp>() &&
                   sum.rhs.tensor.getDefiningOp<DequantizeOp>();
  if (sum.isConvolution || !constant || !isOfCodes || rank < 3 ||
      typeOf(bias).getRank() != 1)
    return writer.use(bias);
  SmallVector<int64_t> dims(rank, 1);
  dims.back() = typeOf(bias).getNumElements();
  return writer.addWithDims(constant, dims, /*asF32=*/false, "bias");
}

std::string qopt::exporter::writeBias(GraphWriter &writer,
                                      Operation *contraction, Value bias,
                                      Value sum) {
  auto constant = bias.getDefiningOp<ConstantOp>();
  int64_t axis = typeOf(bias).getRank() - 1;
  if (!constant || !elementTypeOf(bias).isF32() || axis < 0 ||
      !isAlong(bias, axis) || !(becomesCodes(sum) || hasPow2Steps(contraction)))
    return writeFloatBias(writer, contraction, bias);
  SmallVector<double> steps = getSteps(writer, contraction);
  SmallVector<float> reals = writer.readReals(constant);
  if (steps.empty() || (steps.size() != 1 && steps.size() != reals.size()))
    return writeFloatBias(writer, contraction, bias);
  HostTensor codes = llvm::cantFail(
      HostTensor::allocate(ElementType::I32, typeOf(bias).getShape()));
  for (auto [i, code] : llvm::enumerate(codes.asMutable<int32_t>())) {
    double real = reals[i] / steps[steps.size() == 1 ? 0 : i];
    if (!(std::abs(real) < kMaxIntegerBias))
      return writeFloatBias(writer, contraction, bias);
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
