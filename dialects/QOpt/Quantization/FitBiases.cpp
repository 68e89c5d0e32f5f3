//===- FitBiases.cpp - Weight scales that leave biases room ---------------===//
//
// A channel whose weights are tiny beside its bias has steps so small that the
// bias is no integer of 32 bits. Larger steps cost it nothing that its codes
// could show.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/IntegerBias.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include <cmath>

namespace qopt {
#define GEN_PASS_DEF_FITBIASESPASS
#include "dialects/QOpt/Quantization/QuantizationPasses.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isOneElement(Value value) {
  return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1;
}

bool qopt::becomesCodes(Value sum) {
  while (sum.hasOneUse()) {
    Operation *user = *sum.getUsers().begin();
    if (auto quantize = dyn_cast<QuantizeOp>(user))
      return quantize.getScales().size() == 1 &&
             quantize.getZeros().size() <= 1 &&
             isOneElement(quantize.getScales().front());
    if (!isa<ReluOp, ClipOp>(user))
      return false;
    sum = user->getResult(0);
  }
  return false;
}

namespace {
/// A sum of codes with a bias for each channel.
struct BiasedSum {
  DequantizeOp activation, weight;
  ConstantOp bias;
  /// The axis of the weight that is the channels of the sum.
  int64_t channelAxis;
};

struct FitBiases : qopt::impl::FitBiasesPassBase<FitBiases> {
  void runOnOperation() override {
    SmallVector<Operation *> contractions;
    getOperation().walk([&](Operation *op) {
      // Models that come with codes keep them.
      if (isContractionOfCodes(op) && op->hasAttr(kRequestAttrName))
        contractions.push_back(op);
    });
    for (Operation *op : contractions)
      if (std::optional<BiasedSum> sum = match(op))
        fit(op, *sum);
  }

private:
  static std::optional<BiasedSum> match(Operation *op);
  void fit(Operation *op, BiasedSum sum);
};
} // namespace

/// The dequantizer of constant scales, one a kind, that makes a value.
static DequantizeOp dequantizerOf(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return dequantize && dequantize.getScales().size() == 1 &&
                 dequantize.getScales().front().getDefiningOp<ConstantOp>()
             ? dequantize
             : DequantizeOp();
}

std::optional<BiasedSum> FitBiases::match(Operation *op) {
  Value sum = op->getResult(0), bias;
  Contraction view = cast<ContractionOpInterface>(op).getContraction();
  if (view.bias) {
    bias = view.bias->get();
  } else if (!view.isConvolution && sum.hasOneUse()) {
    if (auto add = dyn_cast<AddOp>(*sum.getUsers().begin())) {
      bias = add.getLhs() == sum ? add.getRhs() : add.getLhs();
      sum = add.getResult();
    }
  }
  BiasedSum result{dequantizerOf(view.lhs.tensor),
                   dequantizerOf(view.rhs.tensor),
                   bias ? bias.getDefiningOp<ConstantOp>() : ConstantOp(), 0};
  if (!result.activation || !result.weight || !result.bias ||
      !becomesCodes(sum) || !isOneElement(result.activation.getScales()[0]) ||
      !typeOf(result.activation.getCodes()).getElementType().isInteger(8))
    return std::nullopt;
  RankedTensorType weight = typeOf(result.weight.getCodes());
  result.channelAxis =
      view.isConvolution ? view.rhs.getOutputAxis() : weight.getRank() - 1;
  int64_t channels = weight.getDimSize(result.channelAxis);
  RankedTensorType biases = typeOf(bias);
  bool isOnePerChannel = biases.getNumElements() == channels &&
                         biases.getRank() > 0 &&
                         biases.getShape().back() == channels;
  auto scales = typeOf(result.weight.getScales()[0]);
  if (!isOnePerChannel || !weight.getElementType().isSignlessInteger(8) ||
      !result.weight.getZeros().empty() ||
      !result.weight.getCodes().getDefiningOp<ConstantOp>() ||
      scales.getNumElements() != channels ||
      scales.getDimSize(result.channelAxis) != channels)
    return std::nullopt;
  return result;
}

/// The scale of a channel whose bias fits: `scale`, or the next larger one that
/// its type holds. Nothing for a bias that is no number.
static std::optional<float> fitScale(double scale, double bias,
                                     double activationScale, bool isPow2) {
  double least = std::abs(bias) / activationScale / kMaxIntegerBias;
  if (!std::isfinite(least))
    return std::nullopt;
  if (least < scale)
    return scale;
  return isPow2 ? std::exp2(std::floor(std::log2(least)) + 1)
                : std::nextafter(float(least), INFINITY);
}

void FitBiases::fit(Operation *op, BiasedSum sum) {
  auto scaleConstant = sum.weight.getScales()[0].getDefiningOp<ConstantOp>();
  Type scaleType = typeOf(sum.weight.getScales()[0]).getElementType();
  bool isPow2 = isa<Float8E8M0FNUType>(scaleType);
  if (!isPow2 && !scaleType.isF32())
    return;
  SmallVector<double> scales = readReals(scaleConstant);
  SmallVector<double> biases = readReals(sum.bias);
  double activation =
      readReals(sum.activation.getScales()[0].getDefiningOp<ConstantOp>())[0];
  SmallVector<float> wider;
  for (auto [scale, bias] : llvm::zip_equal(scales, biases)) {
    std::optional<float> fitting = fitScale(scale, bias, activation, isPow2);
    if (!fitting)
      return;
    wider.push_back(*fitting);
  }
  unsigned numWider =
      llvm::count_if(llvm::zip_equal(scales, wider), [](auto pair) {
        return std::get<0>(pair) != std::get<1>(pair);
      });
  if (numWider == 0)
    return;

  auto codes = sum.weight.getCodes().getDefiningOp<ConstantOp>();
  SmallVector<double> before = readReals(codes);
  ArrayRef<int64_t> dims = typeOf(codes.getResult()).getShape();
  int64_t inner =
      ShapedType::getNumElements(dims.drop_front(sum.channelAxis + 1));
  SmallVector<int64_t> after;
  for (auto [i, code] : llvm::enumerate(before)) {
    size_t channel = i / inner % scales.size();
    after.push_back(std::nearbyint(code * (scales[channel] / wider[channel])));
  }
  OpBuilder builder(sum.weight);
  Location loc = sum.weight.getLoc();
  Value newCodes = createConstant(builder, loc, after, dims,
                                  typeOf(codes.getResult()).getElementType());
  ArrayRef<int64_t> scaleDims = typeOf(scaleConstant.getResult()).getShape();
  Value newScales;
  if (isPow2) {
    auto bytes = llvm::map_to_vector(wider, [](float scale) -> int64_t {
      return encode(scale, ElementFormat::F8E8M0FNU);
    });
    newScales = createConstant(builder, loc, bytes, scaleDims, scaleType);
  } else {
    newScales = createConstant(builder, loc, ArrayRef<float>(wider), scaleDims);
  }
  Value weight = DequantizeOp::create(
      builder, loc, sum.weight.getResult().getType(), newCodes, newScales,
      ValueRange(), sum.weight.getFormatAttr());
  cast<ContractionOpInterface>(op).getContraction().rhs.operand->set(weight);
  if (sum.weight->use_empty())
    sum.weight.erase();
  numFitted += numWider;
}
