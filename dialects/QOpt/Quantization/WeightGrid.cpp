//===- WeightGrid.cpp - The codes that a weight may have ------------------===//
//
// The grid of an element is what its scales and its zero make of the format's
// codes. It is read from the tensors that were chosen for rounding to nearest.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightGrid.h"
#include <cstring>

using namespace mlir;
using namespace qopt;

ElementGrids::ElementGrids(const QuantizedWeight &quantized, FormatAttr format)
    : quantized(quantized), row(*lookupFormat(format.getName())),
      block(format.isBlocked() ? format.getBlockSize() : 1),
      axis(format.getAxis()) {
  for (Type type : format.getScaleTypes())
    scaleFormats.push_back(*elementFormatOf(type));
  // A channel's own scale, beside ratios that are powers of two.
  if (scaleFormats.size() < quantized.scales.size())
    scaleFormats.push_back(ElementFormat::F32);
  if (format.getZero())
    zeroFormat = elementFormatOf(format.getZero());
}

uint8_t ElementGrids::codeOf(int64_t k, int64_t n, float value) const {
  const ElementFormatInfo &info = row.elementInfo();
  float scale = scaleAt(k, n);
  // Every code stands for 0 then: it is the one that blocks of zeros have.
  if (scale == 0) {
    value = 0;
    scale = 1;
  }
  if (!info.isInteger() || row.hasSharedExponent())
    return static_cast<uint8_t>(unitEncode(value / scale, row));
  int code = roundToIntegerGrid(value, scale, zeroAt(k, n), info, !zeroFormat);
  return static_cast<uint8_t>(code) & info.codeMask();
}

double ElementGrids::valueOf(int64_t k, int64_t n, uint8_t code) const {
  double unit = row.elementInfo().isInteger() && !row.hasSharedExponent()
                    ? integerOf(code, row.element) - zeroAt(k, n)
                    : unitDecode(code, row);
  return unit * scaleAt(k, n);
}

/// Where the parameter of an element lies in a tensor of parameters.
int64_t ElementGrids::indexIn(const HostTensor &tensor, int64_t k,
                              int64_t n) const {
  ArrayRef<int64_t> dims = tensor.getDims();
  int64_t row = axis == 0 ? k / block : k, column = axis == 1 ? n / block : n;
  return (dims[0] == 1 ? 0 : row) * dims[1] + (dims[1] == 1 ? 0 : column);
}

static uint32_t readCode(const HostTensor &tensor, int64_t index) {
  uint32_t code = 0;
  unsigned width = getBytesPerElement(tensor.getType());
  std::memcpy(&code, tensor.getData() + index * width, width);
  return code;
}

float ElementGrids::scaleAt(int64_t k, int64_t n) const {
  float scale = 1;
  for (auto [tensor, format] : llvm::zip_equal(quantized.scales, scaleFormats))
    scale *= decode(readCode(tensor, indexIn(tensor, k, n)), format);
  return scale;
}

int ElementGrids::zeroAt(int64_t k, int64_t n) const {
  if (!zeroFormat)
    return 0;
  const HostTensor &zeros = quantized.zeros.front();
  return integerOf(readCode(zeros, indexIn(zeros, k, n)), *zeroFormat);
}
