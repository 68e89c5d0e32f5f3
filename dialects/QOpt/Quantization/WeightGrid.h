//===- WeightGrid.h - The codes that a weight may have ----------*- C++ -*-===//
//
// A format and the rules by which its ranges are found: the search for clipped
// ranges, the exponents of scales that are powers of two. Whoever chooses codes
// takes ranges from here, and reads which values the codes then stand for.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_WEIGHTGRID_H
#define DIALECTS_QOPT_QUANTIZATION_WEIGHTGRID_H

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"

namespace qopt {

/// The grid of a weight before its ranges are known.
class WeightGrid {
public:
  WeightGrid(FormatAttr format, const WeightQuantizerOptions &options)
      : format(format), options(options) {}

  FormatAttr getFormat() const { return format; }

  /// Ranges by the rules, and the nearest codes in them. Fails when a value is
  /// not finite.
  llvm::Expected<QuantizedWeight> quantize(const HostTensor &weight) const {
    return quantizeWeight(weight, format, options);
  }

private:
  FormatAttr format;
  WeightQuantizerOptions options;
};

/// The grids of all elements of a weight [K, N] whose scales and zeros are
/// chosen.
class ElementGrids {
public:
  ElementGrids(const QuantizedWeight &quantized, FormatAttr format);

  /// The nearest code, as the tensor of codes holds it.
  uint8_t codeOf(int64_t k, int64_t n, float value) const;
  /// What a code stands for.
  double valueOf(int64_t k, int64_t n, uint8_t code) const;

private:
  int64_t indexIn(const HostTensor &tensor, int64_t k, int64_t n) const;
  float scaleAt(int64_t k, int64_t n) const;
  int zeroAt(int64_t k, int64_t n) const;

  const QuantizedWeight &quantized;
  const BlockFormat &row;
  int64_t block, axis;
  llvm::SmallVector<ElementFormat> scaleFormats;
  std::optional<ElementFormat> zeroFormat;
};

} // namespace qopt

#endif
