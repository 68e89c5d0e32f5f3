//===- TensorReader.cpp - TensorProtos as bytes ---------------------------===//
//
// A typed array holds one element an entry, except for types of four and two
// bits: there an entry of int32_data is a byte of the packed form.
//
//===----------------------------------------------------------------------===//

#include "TensorReader.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "lib/ONNX/ElementTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;
using onnx::TensorProto;

std::optional<Failure> qopt::importer::checkShape(ArrayRef<int64_t> shape,
                                                  Type elementType) {
  if (static_cast<int64_t>(shape.size()) > kMaxRank)
    return unsupported("tensor has " + Twine(shape.size()) +
                       " axes, but at most " + Twine(kMaxRank) +
                       " are supported");
  int64_t bits = std::max(getPackedBitWidth(elementType), 8u);
  for (int64_t dim : shape)
    if (!ShapedType::isDynamic(dim) && dim != 0 &&
        llvm::MulOverflow(bits, dim, bits))
      return malformed("tensor has more elements than memory can hold");
  return std::nullopt;
}

/// Appends `value`, lowest byte first.
template <typename T>
static void appendBytes(std::vector<uint8_t> &bytes, T value) {
  const auto *data = reinterpret_cast<const uint8_t *>(&value);
  bytes.insert(bytes.end(), data, data + sizeof(T));
}

/// Appends the low `width` bits of an entry of int32_data.
static void appendEntry(std::vector<uint8_t> &bytes, int32_t entry,
                        unsigned width) {
  switch (width) {
  case 32:
    return appendBytes(bytes, entry);
  case 16:
    return appendBytes(bytes, static_cast<uint16_t>(entry));
  default:
    return appendBytes(bytes, static_cast<uint8_t>(entry));
  }
}

/// Packs one six-bit element an entry into one stream of bits.
static std::vector<uint8_t>
packSixBits(const google::protobuf::RepeatedField<int32_t> &entries) {
  std::vector<uint8_t> bytes((entries.size() * 6 + 7) / 8);
  for (int i = 0; i < entries.size(); ++i)
    for (unsigned bit = 0; bit < 6; ++bit)
      if (entries[i] >> bit & 1)
        bytes[(i * 6 + bit) / 8] |= 1 << ((i * 6 + bit) % 8);
  return bytes;
}

/// Bytes of the typed array that belongs to the data type, and how many entries
/// it has; `bytesPerEntry` is what an entry stands for.
static std::vector<uint8_t> readTypedArray(const TensorProto &tensor,
                                           unsigned width) {
  std::vector<uint8_t> bytes;
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    for (float entry : tensor.float_data())
      appendBytes(bytes, entry);
    return bytes;
  case TensorProto::DOUBLE:
    for (double entry : tensor.double_data())
      appendBytes(bytes, entry);
    return bytes;
  case TensorProto::INT64:
    for (int64_t entry : tensor.int64_data())
      appendBytes(bytes, entry);
    return bytes;
  case TensorProto::UINT64:
    for (uint64_t entry : tensor.uint64_data())
      appendBytes(bytes, entry);
    return bytes;
  case TensorProto::UINT32:
    for (uint64_t entry : tensor.uint64_data())
      appendBytes(bytes, static_cast<uint32_t>(entry));
    return bytes;
  case TensorProto::FLOAT6E2M3:
  case TensorProto::FLOAT6E3M2:
    return packSixBits(tensor.int32_data());
  default:
    for (int32_t entry : tensor.int32_data())
      appendEntry(bytes, entry, width);
    return bytes;
  }
}

/// How many of the fields that hold data are not empty.
static int countDataFields(const TensorProto &tensor) {
  return tensor.has_raw_data() + !tensor.float_data().empty() +
         !tensor.int32_data().empty() + !tensor.int64_data().empty() +
         !tensor.double_data().empty() + !tensor.uint64_data().empty() +
         !tensor.string_data().empty();
}

std::optional<Failure> TensorReader::readBytes(const TensorProto &tensor,
                                               uint64_t sizeInBytes,
                                               TensorData &data) {
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    if (countDataFields(tensor) != 0)
      return malformed("tensor has data of its own beside external data");
    return externalData.find(tensor, sizeInBytes, data.mapped);
  }
  if (countDataFields(tensor) > 1)
    return malformed("tensor has more than one data field");
  if (tensor.has_raw_data()) {
    RawRange range = getRawRange(skeleton, tensor.raw_data());
    if (range.sizeInBytes != sizeInBytes)
      return malformed("tensor expects " + Twine(sizeInBytes) +
                       " bytes of raw data, but found " +
                       Twine(range.sizeInBytes));
    data.mapped = {model, range.offsetInBytes, range.sizeInBytes};
    return std::nullopt;
  }
  data.owned =
      readTypedArray(tensor, getPackedBitWidth(data.type.getElementType()));
  if (data.owned.size() != sizeInBytes)
    return malformed("tensor expects " + Twine(sizeInBytes) +
                     " bytes of data, but found " + Twine(data.owned.size()) +
                     " in the field of its type");
  return std::nullopt;
}

/// Any byte but 0 is true.
static void normalizeBooleans(TensorData &data) {
  ArrayRef<uint8_t> bytes = data.getBytes();
  if (llvm::all_of(bytes, [](uint8_t byte) { return byte <= 1; }))
    return;
  std::vector<uint8_t> normal(bytes.begin(), bytes.end());
  for (uint8_t &byte : normal)
    byte = byte != 0;
  data.owned = std::move(normal);
  data.mapped = {};
}

std::optional<Failure> TensorReader::read(const TensorProto &tensor,
                                          TensorData &data) {
  int32_t dataType = tensor.data_type();
  StringRef typeName = getOnnxTypeName(dataType);
  if (typeName.empty())
    return malformed("tensor has the unknown data type " + Twine(dataType));
  Type elementType = getOnnxElementType(context, dataType);
  if (!elementType)
    return unsupported("tensors of type " + typeName + " are not supported");
  if (tensor.has_segment())
    return unsupported("tensors in segments are not supported");
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  for (int64_t dim : shape)
    if (dim < 0)
      return malformed("tensor expects dims of 0 or more, but found " +
                       Twine(dim));
  if (auto failure = checkShape(shape, elementType))
    return failure;
  data = {};
  data.type = RankedTensorType::get(shape, elementType);
  uint64_t bits = data.type.getNumElements() *
                  static_cast<uint64_t>(getPackedBitWidth(elementType));
  if (auto failure = readBytes(tensor, llvm::divideCeil(bits, 8), data))
    return failure;
  if (elementType.isInteger(1))
    normalizeBooleans(data);
  return std::nullopt;
}
