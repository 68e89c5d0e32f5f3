//===- Constants.cpp - Bytes of constants as kernels read them ------------===//
//
// Elements attributes are small, so their elements are read one by one.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "CodeBuilder.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/Formats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;

std::vector<uint8_t> host::elementBytes(ElementsAttr elements) {
  std::vector<uint8_t> bytes;
  Type element = elements.getElementType();
  int64_t width = bytesPerElement(element);
  bytes.reserve(elements.getNumElements() * width);
  auto append = [&](APInt value) {
    uint64_t bits = value.getZExtValue();
    for (int64_t i = 0; i < width; ++i)
      bytes.push_back(uint8_t(bits >> (8 * i)));
  };
  if (isa<FloatType>(element))
    for (APFloat value : elements.getValues<APFloat>())
      append(value.bitcastToAPInt());
  else
    for (APInt value : elements.getValues<APInt>())
      append(value);
  return bytes;
}

ArrayRef<uint8_t> host::constantBytes(ConstantOp op,
                                      std::vector<uint8_t> &storage) {
  if (auto elements = dyn_cast<ElementsAttr>(op.getValue())) {
    storage = elementBytes(elements);
    return storage;
  }
  auto weight = cast<WeightAttr>(op.getValue());
  auto type = cast<RankedTensorType>(op.getResult().getType());
  ArrayRef<uint8_t> packed = weight.getBlob()->bytes;
  unsigned bits = getPackedBitWidth(type.getElementType());
  if (bits >= 8)
    return packed;
  storage.resize(type.getNumElements());
  unpackCodes(packed, bits, storage);
  return storage;
}

ArrayRef<uint8_t> host::constantBytes(Value constant,
                                      std::vector<uint8_t> &storage) {
  if (auto pack = constant.getDefiningOp<kernel::PackOp>())
    constant = pack.getOperands().front();
  if (auto op = constant.getDefiningOp<ConstantOp>())
    return constantBytes(op, storage);
  // Upstream folds to such.
  auto op = constant.getDefiningOp<arith::ConstantOp>();
  return storage = elementBytes(cast<ElementsAttr>(op.getValue()));
}

ArrayRef<uint8_t> host::constantIntegers(ConstantOp op,
                                         std::vector<uint8_t> &storage) {
  ArrayRef<uint8_t> codes = constantBytes(op, storage);
  Type element = cast<RankedTensorType>(op.getType()).getElementType();
  unsigned bits = element.getIntOrFloatBitWidth();
  if (bits >= 8 || element.isUnsignedInteger())
    return codes;
  for (uint8_t &code : storage)
    code = uint8_t(integerOf(code, *elementFormatOf(element)));
  return storage;
}
