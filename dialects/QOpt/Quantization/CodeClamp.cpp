//===- CodeClamp.cpp - Limits of a value as limits of its codes -----------===//
//
// Limits round as the quantizer rounds, so clamping codes is clamping values.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodeClamp.h"

using namespace mlir;
using namespace qopt;

Value qopt::peelClamp(Value x, Clamp &clamp) {
  if (auto relu = x.getDefiningOp<ReluOp>()) {
    clamp.low = 0;
    return relu.getX();
  }
  auto clip = x.getDefiningOp<ClipOp>();
  if (!clip)
    return x;
  if (clip.getLow())
    clamp.low = clip.getLow()->convertToFloat();
  if (clip.getHigh())
    clamp.high = clip.getHigh()->convertToFloat();
  return clip.getX();
}

CodeRange qopt::getCodeRange(IntegerType type, Clamp clamp, double scale,
                             int64_t zero) {
  int64_t low = type.isUnsigned() ? 0 : -(int64_t(1) << (type.getWidth() - 1));
  int64_t high = low + (int64_t(1) << type.getWidth()) - 1;
  auto codeOf = [&](float bound) {
    double code = std::nearbyint(bound / scale) + static_cast<double>(zero);
    return static_cast<int64_t>(
        std::clamp(code, static_cast<double>(low), static_cast<double>(high)));
  };
  int64_t from = std::isinf(clamp.low) ? low : codeOf(clamp.low);
  int64_t to = std::isinf(clamp.high) ? high : codeOf(clamp.high);
  return {std::min(from, to), to};
}
