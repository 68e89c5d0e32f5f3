//===- HostConstants.cpp - Tensors in memory and in the IR ----------------===//
//
// Elements attributes are read and written as raw bytes wherever an element
// has whole bytes: floats of unusual types do not survive APFloat's rounding.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/HostConstants.h"

#include "dialects/QOpt/IR/ElementTypes.h"
#include "dialects/QOpt/IR/Formats.h"
#include "qopt/Support/CodedError.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using llvm::Expected;

/// Longest tensor in bytes that becomes an elements attribute.
static constexpr uint64_t kMaxElementsBytes = 1024;

std::optional<qopt::ElementType> qopt::getHostElementType(Type type) {
  if (type.isIndex())
    return ElementType::I64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    if (integer.getWidth() == 1)
      return ElementType::BOOL;
    return findElementType(
        ((integer.isUnsigned() ? "u" : "i") + Twine(integer.getWidth())).str());
  }
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return findElementType(name);
}

Type qopt::getMLIRElementType(ElementType type, MLIRContext *context) {
  return findMLIRType(getName(type), context);
}

/// Types whose values an elements attribute shows as numbers.
static bool isPlain(ElementType type) {
  switch (type) {
  case ElementType::F32:
  case ElementType::F64:
  case ElementType::F16:
  case ElementType::BF16:
  case ElementType::I8:
  case ElementType::U8:
  case ElementType::I16:
  case ElementType::U16:
  case ElementType::I32:
  case ElementType::U32:
  case ElementType::I64:
  case ElementType::U64:
  case ElementType::BOOL:
    return true;
  default:
    return false;
  }
}

static ArrayRef<uint8_t> bytesOf(const HostTensor &tensor) {
  return {reinterpret_cast<const uint8_t *>(tensor.getData()),
          static_cast<size_t>(tensor.getSizeInBytes())};
}

Attribute qopt::makeConstantValue(const HostTensor &tensor,
                                  MLIRContext *context) {
  Type elementType = getMLIRElementType(tensor.getType(), context);
  if (isPlain(tensor.getType()) && tensor.getNumElements() > 0 &&
      tensor.getSizeInBytes() <= kMaxElementsBytes) {
    auto type = RankedTensorType::get(tensor.getDims(), elementType);
    if (tensor.getType() != ElementType::BOOL)
      return DenseElementsAttr::getFromRawBuffer(type, tensor.getBytes());
    SmallVector<bool> values;
    for (uint8_t byte : tensor.as<uint8_t>())
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  WeightStore &store =
      context->getOrLoadDialect<QOptDialect>()->getWeightStore();
  unsigned bits = getPackedBitWidth(elementType);
  if (bits < 8) {
    std::vector<uint8_t> packed(
        packedSizeInBytes(tensor.getNumElements(), bits));
    packCodes(bytesOf(tensor), bits, packed);
    return WeightAttr::get(context, store.addOwned(std::move(packed)));
  }
  auto owner = std::make_shared<HostTensor>(tensor);
  return WeightAttr::get(context,
                         store.addMapped(bytesOf(*owner), owner, "", 0));
}

/// The elements of `attr`, each as its bits.
static Expected<HostTensor> readEach(DenseElementsAttr attr, ElementType type) {
  Expected<HostTensor> tensor =
      HostTensor::allocate(type, attr.getType().getShape());
  if (!tensor)
    return tensor;
  unsigned bytes = getBytesPerElement(type);
  char *data = tensor->getMutableData();
  auto store = [&](const APInt &bits) {
    uint64_t value = bits.getZExtValue();
    std::memcpy(data, &value, bytes);
    data += bytes;
  };
  if (isa<FloatType>(attr.getElementType()))
    for (const APFloat &value : attr.getValues<APFloat>())
      store(value.bitcastToAPInt());
  else
    for (const APInt &value : attr.getValues<APInt>())
      store(value);
  return tensor;
}

Expected<HostTensor> qopt::readElements(ElementsAttr elements) {
  Type elementType = elements.getElementType();
  std::optional<ElementType> type = getHostElementType(elementType);
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!type || !dense || isa<ComplexType>(elementType))
    return makeError(ExitCode::Unsupported,
                     "a constant of this kind cannot be evaluated");
  if (dense.isSplat() || !isPlain(*type) || *type == ElementType::BOOL)
    return readEach(dense, *type);
  return HostTensor::copy(*type, dense.getType().getShape(),
                          dense.getRawData());
}

/// True when `data` may be read as an array of elements of `bytes` bytes.
static bool isAligned(const uint8_t *data, unsigned bytes) {
  return reinterpret_cast<uintptr_t>(data) % bytes == 0;
}

static Expected<HostTensor> readWeight(WeightAttr weight, RankedTensorType type,
                                       ElementType elementType) {
  ArrayRef<uint8_t> bytes = weight.getBlob()->bytes;
  unsigned bits = getPackedBitWidth(type.getElementType());
  ArrayRef<char> chars(reinterpret_cast<const char *>(bytes.data()),
                       bytes.size());
  if (bits >= 8 && elementType != ElementType::BOOL) {
    if (isAligned(bytes.data(), bits / 8))
      return HostTensor::borrow(elementType, type.getShape(), chars);
    return HostTensor::copy(elementType, type.getShape(), chars);
  }
  Expected<HostTensor> tensor =
      HostTensor::allocate(elementType, type.getShape());
  if (!tensor)
    return tensor;
  MutableArrayRef<uint8_t> codes = tensor->asMutable<uint8_t>();
  if (bits < 8)
    unpackCodes(bytes, bits, codes);
  else // Any byte but zero is true.
    llvm::transform(bytes, codes.begin(),
                    [](uint8_t byte) { return byte != 0; });
  return tensor;
}

Expected<HostTensor> qopt::readConstant(ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  if (auto elements = dyn_cast<ElementsAttr>(op.getValue()))
    return readElements(elements);
  std::optional<ElementType> elementType =
      getHostElementType(type.getElementType());
  if (!elementType)
    return makeError(ExitCode::Unsupported,
                     "a constant of this element type cannot be evaluated");
  return readWeight(cast<WeightAttr>(op.getValue()), type, *elementType);
}
