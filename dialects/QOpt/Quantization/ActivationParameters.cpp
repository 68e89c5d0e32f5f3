//===- ActivationParameters.cpp - Scale and zero of an activation ---------===//
//
// Zero is a code's value always, so that padding and ReLU are exact.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/ActivationParameters.h"
#include "dialects/QOpt/IR/Formats.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Below this a scale's reciprocal would leave the range of f32.
static constexpr double kSmallestScale = 0x1p-100;

/// How much of `excess` a range of `below` and `above` zero loses below. The
/// longer side is cut first: values lie thinly there.
static double cutBelow(double below, double above, double excess) {
  double onlyBelow = std::clamp(below - above, 0.0, excess);
  double onlyAbove = std::clamp(above - below, 0.0, excess);
  return onlyBelow + (excess - onlyBelow - onlyAbove) / 2;
}

ActivationParameters qopt::chooseActivationParameters(const Statistics &stats,
                                                      FormatAttr format,
                                                      Pow2Rounding rounding) {
  const ElementFormatInfo &info = lookupFormat(format.getName())->elementInfo();
  double lowest = info.integerMin, highest = info.integerMax;
  double low = std::min(stats.min, 0.0f), high = std::max(stats.max, 0.0f);
  double scale = (high - low) / (highest - lowest);
  if (scale == 0)
    scale = 1;
  ActivationParameters parameters;
  parameters.format = format;
  parameters.scale =
      static_cast<float>(std::clamp<double>(scale, kSmallestScale, FLT_MAX));
  if (isa<Float8E8M0FNUType>(format.getScaleTypes().front())) {
    parameters.exponentByte = roundScaleToPow2(parameters.scale, rounding);
    parameters.scale = decodeE8M0(*parameters.exponentByte);
  }
  double first = low / parameters.scale, last = high / parameters.scale;
  double excess = std::max(last - first - (highest - lowest), 0.0);
  first += cutBelow(-first, last, excess);
  parameters.zero = static_cast<int64_t>(
      std::clamp(std::nearbyint(lowest - first), lowest, highest));
  return parameters;
}

Value qopt::createScale(OpBuilder &builder, Location loc,
                        const ActivationParameters &parameters, int64_t rank) {
  SmallVector<int64_t> ones(rank, 1);
  Type type = parameters.format.getScaleTypes().front();
  if (parameters.exponentByte)
    return createConstant(
        builder, loc, ArrayRef<int64_t>{*parameters.exponentByte}, ones, type);
  return createConstant(builder, loc, ArrayRef<float>{parameters.scale}, ones);
}

Value qopt::createZero(OpBuilder &builder, Location loc,
                       const ActivationParameters &parameters, int64_t rank) {
  return createConstant(builder, loc, ArrayRef<int64_t>{parameters.zero},
                        SmallVector<int64_t>(rank, 1),
                        parameters.format.getElementType());
}

Value qopt::quantizeActivationStatic(OpBuilder &builder, Value x,
                                     const ActivationParameters &parameters) {
  auto type = cast<RankedTensorType>(x.getType());
  Location loc = x.getLoc();
  Value scale = createScale(builder, loc, parameters, type.getRank());
  Value zero = createZero(builder, loc, parameters, type.getRank());
  FormatAttr format = parameters.format;
  Value codes = QuantizeOp::create(
      builder, loc, type.clone(format.getElementType()), x, scale, zero, format,
      /*divide=*/false, /*saturate=*/true);
  return DequantizeOp::create(builder, loc, type, codes, scale, zero, format);
}
