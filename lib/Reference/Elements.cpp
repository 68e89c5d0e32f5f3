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

namespace {
/// By the number of the element type.
class FormatsOfTypes {
public:
  FormatsOfTypes() {
#define QOPT_ADD(enumerator, number, bytes, text) add(number, text);
    QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_ADD)
#undef QOPT_ADD
  }
  std::optional<ElementFormat> operator[](ElementType type) const {
    return formats[static_cast<size_t>(type)];
  }

private:
  /// Formats are called as MLIR's types are: `ui4` for `u4`.
  void add(size_t number, llvm::StringRef name) {
    formats.resize(std::max(formats.size(), number + 1));
    formats[number] = name.consume_front("u")
                          ? lookupElementFormat(("ui" + name).str())
                          : lookupElementFormat(name);
  }

  std::vector<std::optional<ElementFormat>> formats;
};
} // namespace

std::optional<ElementFormat> reference::getElementFormat(ElementType type) {
  static const FormatsOfTypes formats;
  return formats[type];
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
