//===- Elements.cpp - Reading and writing elements of tensors -------------===//
//
// Small floats go through the format table, so that a code means the same
// everywhere.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace qopt;
using namespace qopt::reference;
using llvm::ArrayRef;

std::optional<ElementFormat> reference::getElementFormat(ElementType type) {
  switch (type) {
  case ElementType::I2:
    return ElementFormat::I2;
  case ElementType::I4:
    return ElementFormat::I4;
  case ElementType::I8:
    return ElementFormat::I8;
  case ElementType::I16:
    return ElementFormat::I16;
  case ElementType::U2:
    return ElementFormat::UI2;
  case ElementType::U4:
    return ElementFormat::UI4;
  case ElementType::U8:
    return ElementFormat::UI8;
  case ElementType::U16:
    return ElementFormat::UI16;
  case ElementType::F4E2M1FN:
    return ElementFormat::F4E2M1FN;
  case ElementType::F6E2M3FN:
    return ElementFormat::F6E2M3FN;
  case ElementType::F6E3M2FN:
    return ElementFormat::F6E3M2FN;
  case ElementType::F8E4M3FN:
    return ElementFormat::F8E4M3FN;
  case ElementType::F8E5M2:
    return ElementFormat::F8E5M2;
  case ElementType::F8E4M3FNUZ:
    return ElementFormat::F8E4M3FNUZ;
  case ElementType::F8E5M2FNUZ:
    return ElementFormat::F8E5M2FNUZ;
  case ElementType::F8E8M0FNU:
    return ElementFormat::F8E8M0FNU;
  case ElementType::F16:
    return ElementFormat::F16;
  case ElementType::BF16:
    return ElementFormat::BF16;
  case ElementType::F32:
    return ElementFormat::F32;
  default:
    return std::nullopt;
  }
}

bool reference::isInteger(ElementType type) {
  switch (type) {
  case ElementType::I32:
  case ElementType::I64:
  case ElementType::U32:
  case ElementType::U64:
    return true;
  default:
    std::optional<ElementFormat> format = getElementFormat(type);
    return format && infoOf(*format).isInteger();
  }
}

bool reference::isFloat(ElementType type) {
  std::optional<ElementFormat> format = getElementFormat(type);
  return format && !infoOf(*format).isInteger();
}

/// The bits of an element of one or two bytes.
static uint32_t readBits(const HostTensor &tensor, int64_t index) {
  return getBytesPerElement(tensor.getType()) == 1
             ? tensor.as<uint8_t>()[index]
             : tensor.as<uint16_t>()[index];
}

static void writeBits(HostTensor &tensor, int64_t index, uint32_t bits) {
  if (getBytesPerElement(tensor.getType()) == 1)
    tensor.asMutable<uint8_t>()[index] = bits;
  else
    tensor.asMutable<uint16_t>()[index] = bits;
}

float reference::readFloat(const HostTensor &tensor, int64_t index) {
  if (tensor.getType() == ElementType::F32)
    return tensor.as<float>()[index];
  if (isFloat(tensor.getType()))
    return decode(readBits(tensor, index), *getElementFormat(tensor.getType()));
  return static_cast<float>(readInteger(tensor, index));
}

void reference::writeFloat(HostTensor &tensor, int64_t index, float value) {
  if (tensor.getType() == ElementType::F32)
    tensor.asMutable<float>()[index] = value;
  else
    writeBits(tensor, index,
              encode(value, *getElementFormat(tensor.getType())));
}

int64_t reference::readInteger(const HostTensor &tensor, int64_t index) {
  switch (tensor.getType()) {
  case ElementType::BOOL:
    return tensor.as<uint8_t>()[index] != 0;
  case ElementType::I32:
    return tensor.as<int32_t>()[index];
  case ElementType::U32:
    return tensor.as<uint32_t>()[index];
  case ElementType::I64:
  case ElementType::U64:
    return tensor.as<int64_t>()[index];
  default:
    return integerOf(readBits(tensor, index),
                     *getElementFormat(tensor.getType()));
  }
}

void reference::writeInteger(HostTensor &tensor, int64_t index, int64_t value) {
  switch (tensor.getType()) {
  case ElementType::BOOL:
    tensor.asMutable<uint8_t>()[index] = value != 0;
    break;
  case ElementType::I32:
  case ElementType::U32:
    tensor.asMutable<uint32_t>()[index] = value;
    break;
  case ElementType::I64:
  case ElementType::U64:
    tensor.asMutable<int64_t>()[index] = value;
    break;
  default:
    writeBits(tensor, index,
              value & infoOf(*getElementFormat(tensor.getType())).codeMask());
  }
}

FloatElements::FloatElements(const HostTensor &tensor) {
  if (tensor.getType() == ElementType::F32) {
    view = tensor.as<float>();
    return;
  }
  decoded.resize(tensor.getNumElements());
  for (int64_t i = 0, e = decoded.size(); i < e; ++i)
    decoded[i] = readFloat(tensor, i);
  view = decoded;
}

FloatResult::FloatResult(HostTensor &tensor) : tensor(tensor) {
  if (tensor.getType() == ElementType::F32) {
    view = tensor.asMutable<float>();
    return;
  }
  buffer.resize(tensor.getNumElements());
  view = buffer;
}

void FloatResult::commit() {
  for (int64_t i = 0, e = buffer.size(); i < e; ++i)
    writeFloat(tensor, i, buffer[i]);
}

Shape reference::getStrides(ArrayRef<int64_t> dims) {
  Shape strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0; stride *= dims[i])
    strides[i] = stride;
  return strides;
}

int64_t reference::getProduct(ArrayRef<int64_t> dims) {
  int64_t product = 1;
  for (int64_t dim : dims)
    product *= dim;
  return product;
}

Shape reference::getBroadcastStrides(ArrayRef<int64_t> dims,
                                     ArrayRef<int64_t> target) {
  Shape own = getStrides(dims);
  Shape strides(target.size(), 0);
  size_t missing = target.size() - dims.size();
  for (size_t i = 0; i < dims.size(); ++i)
    strides[missing + i] = dims[i] == 1 ? 0 : own[i];
  return strides;
}

void reference::advance(llvm::MutableArrayRef<int64_t> position,
                        ArrayRef<int64_t> dims) {
  for (size_t i = dims.size(); i-- > 0;) {
    if (++position[i] < dims[i])
      return;
    position[i] = 0;
  }
}

std::vector<int64_t> reference::getOffsets(ArrayRef<int64_t> dims,
                                           ArrayRef<int64_t> strides) {
  std::vector<int64_t> offsets{0};
  for (auto [dim, stride] : llvm::zip_equal(dims, strides)) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * dim);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < dim; ++i)
        next.push_back(offset + i * stride);
    offsets = std::move(next);
  }
  return offsets;
}
