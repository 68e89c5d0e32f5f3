//===- BlockScales.cpp - Scales that a block of weights may have ----------===//

#include "dialects/QOpt/Quantization/BlockScales.h"

using namespace mlir;
using namespace qopt;

/// Codes of FP8 scales below that of the block's largest value, and above.
static constexpr int64_t kCodesBelow = 3, kCodesAbove = 2;

static bool isNvfp4(const BlockFormat &row) { return row.name == "nvfp4"; }

BlockScales::BlockScales(QuantizedWeight &weight, FormatAttr format)
    : weight(weight), row(*lookupFormat(format.getName())),
      block(format.getBlockSize()) {}

std::optional<BlockScales> BlockScales::of(QuantizedWeight &weight,
                                           FormatAttr format) {
  if (!format.isBlocked() || format.getAxis() != 0 || !weight.zeros.empty())
    return std::nullopt;
  BlockScales scales(weight, format);
  if (isNvfp4(scales.row))
    return scales;
  // A ratio to the channel's scale is none of these.
  bool isExponent = isa<Float8E8M0FNUType>(format.getScaleTypes().front());
  if (!isExponent || weight.scales.size() != 1)
    return std::nullopt;
  return scales;
}

int64_t BlockScales::getCount() const {
  return isNvfp4(row) ? kCodesBelow + 1 + kCodesAbove : 2;
}

uint8_t BlockScales::findScale(float peak, int64_t which) const {
  if (isNvfp4(row)) {
    float perScale =
        weight.scales[1].as<float>()[0] * infoOf(ElementFormat::F4E2M1FN).max;
    const float largest = infoOf(ElementFormat::F8E4M3FN).max;
    int64_t nearest =
        encode(std::min(peak / perScale, largest), ElementFormat::F8E4M3FN);
    return std::clamp<int64_t>(nearest - kCodesBelow + which, 1,
                               encode(largest, ElementFormat::F8E4M3FN));
  }
  if (row.hasSharedExponent())
    return std::min(mxSharedExponent(peak, row, ScaleRule::Floor) + 127 +
                        static_cast<int>(which),
                    254);
  float scale = std::max(
      peak / static_cast<float>(row.elementInfo().symmetricMax), 0x1p-126f);
  return std::min(roundScaleToPow2(scale, Pow2Rounding::Floor) +
                      static_cast<int>(which),
                  254);
}

void BlockScales::take(int64_t k, int64_t n, ArrayRef<double> values,
                       int64_t which) const {
  double peak = 0;
  for (double value : values)
    peak = std::max(peak, std::abs(value));
  auto bounded = static_cast<float>(
      std::min<double>(peak, std::numeric_limits<float>::max()));
  HostTensor &scales = weight.scales.front();
  scales.asMutable<uint8_t>()[k / block * scales.getDims()[1] + n] =
      bounded > 0 ? findScale(bounded, which) : 0;
}
