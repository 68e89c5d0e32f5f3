//===- CodeNoise.cpp - What rounding to codes is expected to cost ---------===//
//
// Steps of integers are all alike; those of floats double with each octave.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodeNoise.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

CodeNoise::CodeNoise(FormatAttr attr)
    : format(*lookupFormat(attr.getName())), block(attr.getBlockSize()) {}

int64_t CodeNoise::valuesPerScale(int64_t products) const {
  return std::max<int64_t>(block ? std::min(block, products) : products, 1);
}

/// What one unit of an element is where the largest value is `peak`.
double CodeNoise::scaleFor(double peak) const {
  if (format.hasSharedExponent())
    return std::ldexp(1.0, std::ilogb(peak) - format.emax());
  const ElementFormatInfo &info = format.elementInfo();
  // Codes without a sign have a zero: twice the peak is their range.
  double largest = !info.isInteger() ? info.max
                   : info.isSigned() ? info.symmetricMax
                                     : info.integerMax / 2.0;
  return peak / (largest * std::ldexp(1.0, format.unitLog2));
}

double CodeNoise::of(double magnitude, double peak) const {
  if (!(peak > 0))
    return 0;
  double step = std::ldexp(scaleFor(peak), format.unitLog2);
  if (const ElementFormatInfo &info = format.elementInfo(); !info.isInteger()) {
    int octave = magnitude > 0 ? std::ilogb(magnitude / step) : info.emin();
    step = std::ldexp(step, std::clamp<int>(octave, info.emin(), info.emax) -
                                info.mantissaBits);
  }
  return step * step / 12;
}
