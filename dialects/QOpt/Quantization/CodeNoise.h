//===- CodeNoise.h - What rounding to codes is expected to cost -*- C++ -*-===//
//
// A model of the error, from magnitudes alone: the mean square of a value that
// is anywhere in its step.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_CODENOISE_H
#define DIALECTS_QOPT_QUANTIZATION_CODENOISE_H

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt {

class CodeNoise {
public:
  /// Of 8-bit integers with one symmetric scale for all values of a sum.
  CodeNoise() : format(*lookupFormat("i8")) {}
  explicit CodeNoise(FormatAttr attr);

  /// How many values along the product axis share a scale, where there are
  /// `products` of them.
  int64_t valuesPerScale(int64_t products) const;

  /// True where all values of one scale have the same step.
  bool isUniform() const { return format.elementInfo().isInteger(); }

  /// Mean squared error of a value of about `magnitude` whose scale serves
  /// values of at most `peak`.
  double of(double magnitude, double peak) const;

private:
  double scaleFor(double peak) const;

  BlockFormat format;
  int64_t block = 0;
};

} // namespace qopt

#endif
