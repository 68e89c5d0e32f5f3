//===- BlockScales.h - Scales that a block of weights may have --*- C++ -*-===//
//
// Where scales have few values, those next to each other serve a block about as
// well, and which is best depends on what its weights have become by the time
// that they are rounded.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_BLOCKSCALES_H
#define DIALECTS_QOPT_QUANTIZATION_BLOCKSCALES_H

#include "dialects/QOpt/Quantization/WeightGrid.h"

namespace qopt {

/// The scales of the blocks of a weight [K, N], along K.
class BlockScales {
public:
  /// Nothing for formats whose blocks lie otherwise or whose scales have many
  /// values. Writes to `weight`, which outlives it.
  static std::optional<BlockScales> of(QuantizedWeight &weight,
                                       FormatAttr format);

  int64_t getBlock() const { return block; }
  /// How many scales a block may have: two exponents next to each other, or
  /// those of FP8 around the block's largest value.
  int64_t getCount() const;

  /// Gives the block of output n whose first product is k the scale `which` of
  /// those for `values`.
  void take(int64_t k, int64_t n, llvm::ArrayRef<double> values,
            int64_t which) const;

private:
  BlockScales(QuantizedWeight &weight, FormatAttr format);

  uint8_t findScale(float peak, int64_t which) const;

  QuantizedWeight &weight;
  const BlockFormat &row;
  int64_t block;
};

} // namespace qopt

#endif
