//===- WireWalk.cpp - Split a model into skeleton and raw data ------------===//
//
// Only the fields that can hold tensors are followed; all others are copied.
// The length of a message that was followed is known after its last field, so
// five bytes are kept free for it: protobuf accepts such padded lengths.
//
//===----------------------------------------------------------------------===//

#include "WireWalk.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <cassert>
#include <limits>

using namespace llvm;
using namespace qopt::importer;

namespace {
enum class Message {
  Model,
  TrainingInfo,
  Graph,
  Function,
  Node,
  Attribute,
  SparseTensor,
  Tensor
};

/// A field of one message that holds another one.
struct Child {
  Message parent;
  uint32_t field;
  Message message;
};

constexpr Child kChildren[] = {
    {Message::Model, 7, Message::Graph},
    {Message::Model, 20, Message::TrainingInfo},
    {Message::Model, 25, Message::Function},
    {Message::TrainingInfo, 1, Message::Graph},
    {Message::TrainingInfo, 2, Message::Graph},
    {Message::Graph, 1, Message::Node},
    {Message::Graph, 5, Message::Tensor},
    {Message::Graph, 15, Message::SparseTensor},
    {Message::Function, 7, Message::Node},
    {Message::Function, 11, Message::Attribute},
    {Message::Node, 5, Message::Attribute},
    {Message::Attribute, 5, Message::Tensor},
    {Message::Attribute, 6, Message::Graph},
    {Message::Attribute, 10, Message::Tensor},
    {Message::Attribute, 11, Message::Graph},
    {Message::Attribute, 22, Message::SparseTensor},
    {Message::Attribute, 23, Message::SparseTensor},
    {Message::SparseTensor, 1, Message::Tensor},
    {Message::SparseTensor, 2, Message::Tensor},
};

constexpr uint32_t kRawDataField = 9;
constexpr size_t kReservedLengthBytes = 5;

enum WireType { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 };

/// A message whose fields are being read.
struct Frame {
  Message message;
  uint64_t end;
  size_t lengthPosition;
};

class Walk {
public:
  Walk(ArrayRef<char> model, Skeleton &skeleton)
      : model(model), skeleton(skeleton) {}

  std::optional<WireError> run();

private:
  bool fail(const Twine &what, uint64_t offset) {
    error = WireError{what.str(), offset};
    return false;
  }
  bool readVarint(uint64_t end, uint64_t &value);
  bool readField();
  bool readLengthField(uint64_t fieldStart, uint32_t field, uint64_t tag);
  bool closeMessage();
  void writeVarint(uint64_t value);
  void copy(uint64_t size) {
    skeleton.bytes.append(model.data() + position, size);
    position += size;
  }

  ArrayRef<char> model;
  Skeleton &skeleton;
  SmallVector<Frame> frames;
  uint64_t position = 0;
  std::optional<WireError> error;
};
} // namespace

static std::optional<Message> getChild(Message parent, uint32_t field) {
  for (const Child &child : kChildren)
    if (child.parent == parent && child.field == field)
      return child.message;
  return std::nullopt;
}

bool Walk::readVarint(uint64_t end, uint64_t &value) {
  uint64_t start = position;
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (position == end)
      return fail("number past the end", start);
    uint8_t byte = model[position++];
    value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return fail("number of more than 64 bits", start);
}

void Walk::writeVarint(uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    skeleton.bytes.push_back(static_cast<char>(value | 0x80));
  skeleton.bytes.push_back(static_cast<char>(value));
}

bool Walk::closeMessage() {
  Frame frame = frames.pop_back_val();
  if (frames.empty())
    return true;
  uint64_t size =
      skeleton.bytes.size() - frame.lengthPosition - kReservedLengthBytes;
  if (size > std::numeric_limits<int32_t>::max())
    return fail("message of more than 2 GiB without its raw data", frame.end);
  for (size_t i = 0; i < kReservedLengthBytes; ++i) {
    uint8_t more = i + 1 < kReservedLengthBytes ? 0x80 : 0;
    skeleton.bytes[frame.lengthPosition + i] =
        static_cast<char>((size >> (7 * i) & 0x7f) | more);
  }
  return true;
}

bool Walk::readLengthField(uint64_t fieldStart, uint32_t field, uint64_t tag) {
  const Frame frame = frames.back();
  uint64_t size;
  if (!readVarint(frame.end, size))
    return false;
  if (size > frame.end - position)
    return fail("length past the end", fieldStart);
  writeVarint(tag);
  if (frame.message == Message::Tensor && field == kRawDataField) {
    uint64_t index = skeleton.rawRanges.size();
    skeleton.rawRanges.push_back({position, size});
    writeVarint(sizeof(index));
    for (size_t i = 0; i < sizeof(index); ++i)
      skeleton.bytes.push_back(static_cast<char>(index >> (8 * i)));
    position += size;
    return true;
  }
  if (std::optional<Message> child = getChild(frame.message, field)) {
    if (frames.size() == kMaxMessageDepth)
      return fail("nesting too deep", fieldStart);
    frames.push_back({*child, position + size, skeleton.bytes.size()});
    skeleton.bytes.append(kReservedLengthBytes, '\0');
    return true;
  }
  writeVarint(size);
  copy(size);
  return true;
}

bool Walk::readField() {
  uint64_t end = frames.back().end, fieldStart = position, tag;
  if (!readVarint(end, tag))
    return false;
  uint64_t field = tag >> 3;
  if (field == 0 || tag > std::numeric_limits<uint32_t>::max())
    return fail("field number " + Twine(field), fieldStart);
  switch (tag & 7) {
  case Varint: {
    uint64_t value;
    if (!readVarint(end, value))
      return false;
    writeVarint(tag);
    writeVarint(value);
    return true;
  }
  case Length:
    return readLengthField(fieldStart, static_cast<uint32_t>(field), tag);
  case Fixed64:
  case Fixed32: {
    uint64_t size = (tag & 7) == Fixed64 ? 8 : 4;
    if (size > end - position)
      return fail("field past the end", fieldStart);
    writeVarint(tag);
    copy(size);
    return true;
  }
  default:
    return fail("wire type " + Twine(tag & 7), fieldStart);
  }
}

std::optional<WireError> Walk::run() {
  frames.push_back({Message::Model, model.size(), 0});
  while (!frames.empty()) {
    bool isDone = position == frames.back().end;
    if (!(isDone ? closeMessage() : readField()))
      return error;
  }
  if (skeleton.bytes.size() > std::numeric_limits<int32_t>::max())
    return WireError{"more than 2 GiB without raw data", model.size()};
  return std::nullopt;
}

std::optional<WireError> qopt::importer::walkModel(ArrayRef<char> model,
                                                   Skeleton &skeleton) {
  return Walk(model, skeleton).run();
}

RawRange qopt::importer::getRawRange(const Skeleton &skeleton,
                                     const std::string &rawData) {
  assert(rawData.size() == sizeof(uint64_t) && "not a tensor of the skeleton");
  uint64_t index = 0;
  for (size_t i = 0; i < sizeof(index); ++i)
    index |= uint64_t(uint8_t(rawData[i])) << (8 * i);
  assert(index < skeleton.rawRanges.size() && "not a tensor of the skeleton");
  return skeleton.rawRanges[index];
}
