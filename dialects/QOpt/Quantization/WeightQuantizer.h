//===- WeightQuantizer.h - Codes and scales of a weight ---------*- C++ -*-===//
//
// Round to nearest on every format of the table, with a search for the range or
// the shared exponent that gives the least squared error.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_WEIGHTQUANTIZER_H
#define DIALECTS_QOPT_QUANTIZATION_WEIGHTQUANTIZER_H

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// How an exponent is chosen where scales are powers of two.
enum class Pow2Rounding { Nearest, Ceil, Floor, Best };

struct WeightQuantizerOptions {
  bool clipSearch = true;
  Pow2Rounding pow2Rounding = Pow2Rounding::Best;
  /// Groups with f8E8M0FNU scales get a second scale, f32 for each channel: the
  /// group's own is then a ratio to the channel's largest, at most 1.
  bool hasChannelScale = false;
};

/// A quantized weight: `codes` of the weight's dims, scales (innermost first)
/// and zeros of its rank.
struct QuantizedWeight {
  HostTensor codes;
  llvm::SmallVector<HostTensor> scales, zeros;
};

/// Quantizes an f32 tensor. Fails when a value is not finite.
llvm::Expected<QuantizedWeight>
quantizeWeight(const HostTensor &weight, FormatAttr format,
               const WeightQuantizerOptions &options);

/// The code of `value` on an integer grid: clamp(rne(value * (1 / scale)) +
/// zero), where grids without zeros (`isSymmetric`) leave the lowest code out.
int roundToIntegerGrid(float value, float scale, int zero,
                       const ElementFormatInfo &info, bool isSymmetric);

/// The byte of the power of two that stands for the positive `scale`.
uint8_t roundScaleToPow2(float scale, Pow2Rounding rounding);

/// The power of two nearest to the positive `factor` of an equivalent
/// transformation, from 2^-24 to 2^24: further out products leave the normal
/// range too easily.
float roundFactorToPow2(float factor);

} // namespace qopt

#endif
