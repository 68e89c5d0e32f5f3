//===- ActivationParameters.h - Scale and zero of an activation -*- C++ -*-===//
//
// One rule from a range to a scale and a zero, for whatever quantizes an
// activation with constants.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_ACTIVATIONPARAMETERS_H
#define DIALECTS_QOPT_QUANTIZATION_ACTIVATIONPARAMETERS_H

#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"

namespace qopt {

/// How codes of one tensor stand for its values, with one scale for all.
struct ActivationParameters {
  FormatAttr format;
  float scale = 1;
  /// The byte of a scale of f8E8M0FNU.
  std::optional<uint8_t> exponentByte;
  int64_t zero = 0;

  bool operator==(const ActivationParameters &other) const {
    return format == other.format && scale == other.scale && zero == other.zero;
  }
};

/// Parameters whose codes cover the range of `stats` and 0. A scale that is a
/// power of two may be too small for the range; then its longer side is cut.
ActivationParameters chooseActivationParameters(const Statistics &stats,
                                                FormatAttr format,
                                                Pow2Rounding rounding);

/// `dequantize(quantize(x))`.
mlir::Value quantizeActivationStatic(mlir::OpBuilder &builder, mlir::Value x,
                                     const ActivationParameters &parameters);

/// Constants with the rank of a tensor of `rank`.
mlir::Value createScale(mlir::OpBuilder &builder, mlir::Location loc,
                        const ActivationParameters &parameters, int64_t rank);
mlir::Value createZero(mlir::OpBuilder &builder, mlir::Location loc,
                       const ActivationParameters &parameters, int64_t rank);

} // namespace qopt

#endif
