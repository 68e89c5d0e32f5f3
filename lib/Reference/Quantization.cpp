//===- Quantization.cpp - Evaluation of dynamic quantization and lookup ---===//
//
// Scales that are made from the data: per row, per sample, per block.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Evaluation.h"
#include "dialects/QOpt/Numerics/Integers.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;

Error reference::evaluateLookup(const Evaluation &evaluation, LookupOp op) {
  const HostTensor &x = evaluation[op.getX()],
                   &table = evaluation[op.getTable()];
  if (x.getType() != ElementType::I8 && x.getType() != ElementType::U8)
    return evaluation.unsupported("cannot look up codes of " +
                                  getName(x.getType()));
  int64_t first = x.getType() == ElementType::I8 ? 128 : 0;
  unsigned bytes = getBytesPerElement(table.getType());
  for (int64_t i = 0; i < x.getNumElements(); ++i)
    std::memcpy(evaluation.result().getMutableData() + i * bytes,
                table.getData() + (readInteger(x, i) + first) * bytes, bytes);
  return Error::success();
}

/// The largest magnitude of `count` elements from `first` on, where NaN wins.
static float getLargest(const FloatElements &x, int64_t first, int64_t count) {
  numerics::ScalarPolicy b;
  float amax = 0;
  for (int64_t i = first; i < first + count; ++i)
    amax = b.max(b.abs(x[i]), amax);
  return amax;
}

/// Codes of `count` elements in a row share a scale.
static void quantizeRows(const FloatElements &x, int64_t count,
                         const ElementFormatInfo &info, HostTensor &codes,
                         HostTensor &scales) {
  numerics::ScalarPolicy b;
  for (int64_t row = 0; row < scales.getNumElements(); ++row) {
    auto scale = numerics::symmetricScale(b, getLargest(x, row * count, count),
                                          info.symmetricMax);
    writeFloat(scales, row, scale.scale);
    for (int64_t i = 0; i < count; ++i)
      writeInteger(codes, row * count + i,
                   numerics::quantizeToInt(b, x[row * count + i], scale.inverse,
                                           0, info.symmetricMin,
                                           info.symmetricMax));
  }
}

/// Calls `quantize(first, values, codes)`, which returns the code of the scale,
/// for each block along `axis`, whose first element is at `first`.
template <class Quantize>
static void quantizeBlocks(const FloatElements &x, ArrayRef<int64_t> dims,
                           int64_t axis, int64_t block, HostTensor &codes,
                           HostTensor &scales, Quantize quantize) {
  int64_t outer = getProduct(dims.take_front(axis)), size = dims[axis];
  int64_t inner = getProduct(dims.drop_front(axis + 1));
  int64_t numBlocks = (size + block - 1) / block;
  MutableArrayRef<uint8_t> codeBytes = codes.asMutable<uint8_t>();
  MutableArrayRef<uint8_t> scaleBytes = scales.asMutable<uint8_t>();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t begin = 0; begin < size; begin += block)
      for (int64_t i = 0; i < inner; ++i) {
        int64_t count = std::min(block, size - begin);
        int64_t first = (o * size + begin) * inner + i;
        SmallVector<float> values;
        SmallVector<uint8_t> blockCodes(count);
        for (int64_t j = 0; j < count; ++j)
          values.push_back(x[first + j * inner]);
        scaleBytes[(o * numBlocks + begin / block) * inner + i] =
            quantize(first, values, blockCodes);
        for (int64_t j = 0; j < count; ++j)
          codeBytes[first + j * inner] = blockCodes[j];
      }
}

Error reference::evaluateQuantizeDynamic(const Evaluation &evaluation,
                                         QuantizeDynamicOp op) {
  const HostTensor &tensor = evaluation[op.getX()];
  ArrayRef<int64_t> dims = tensor.getDims();
  const BlockFormat &format = *lookupFormat(op.getFormat().getName());
  HostTensor &codes = evaluation.results[0], &scales = evaluation.results[1];
  if (!isFloat(tensor.getType()) ||
      getElementFormat(codes.getType()) != format.element)
    return evaluation.badData("expects codes of " +
                              infoOf(format.element).name);
  FloatElements x(tensor);
  int64_t block = op.getFormat().getBlockSize(),
          axis = op.getFormat().getAxis();
  if (block == 0) {
    if (!format.elementInfo().isInteger() || !isFloat(scales.getType()))
      return evaluation.unsupported("has no formula for this format");
    int64_t rows = std::max<int64_t>(scales.getNumElements(), 1);
    quantizeRows(x, x.size() / rows, format.elementInfo(), codes, scales);
    return Error::success();
  }
  if (axis < 0 || axis >= tensor.getRank())
    return evaluation.badData("expects an axis for the blocks");
  if (format.hasSharedExponent() &&
      scales.getType() == ElementType::F8E8M0FNU) {
    quantizeBlocks(
        x, dims, axis, block, codes, scales,
        [&](int64_t, ArrayRef<float> values, MutableArrayRef<uint8_t> out) {
          return quantizeMxBlock(values, format, op.getRule(), out);
        });
    return Error::success();
  }
  if (evaluation.results.size() != 3 ||
      scales.getType() != ElementType::F8E4M3FN)
    return evaluation.unsupported("has no formula for this format");
  numerics::ScalarPolicy b;
  HostTensor &outerScales = evaluation.results[2];
  int64_t rows = outerScales.getNumElements();
  int64_t count = x.size() / std::max<int64_t>(rows, 1);
  std::vector<float> encodeScales;
  for (int64_t row = 0; row < rows; ++row) {
    encodeScales.push_back(nvfp4EncodeScale(getLargest(x, row * count, count)));
    writeFloat(outerScales, row, b.div(1, encodeScales.back()));
  }
  quantizeBlocks(
      x, dims, axis, block, codes, scales,
      [&](int64_t first, ArrayRef<float> values, MutableArrayRef<uint8_t> out) {
        return quantizeNvfp4Block(values, encodeScales[first / count], out);
      });
  return Error::success();
}
