//===- Sequences.cpp - Evaluation of sequences and optionals --------------===//
//
// Lists share their tensors, so that only splitting and joining copy elements.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Sequences.h"
#include "Elements.h"
#include "Evaluation.h"
#include "HostValue.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;
using List = HostValue::List;

static Error badData(Operation *op, const Twine &message) {
  return makeOpError(op, ExitCode::BadData, message);
}

/// The index that `position` names among `size`; `end` is the first beyond.
static Expected<int64_t> getPosition(Operation *op, const HostValue &position,
                                     int64_t size, int64_t end) {
  int64_t named = readInteger(position.getTensor(), 0);
  if (std::optional<int64_t> at = findPosition(named, size, end))
    return *at;
  return badData(op, "position " + Twine(named) + " is outside a sequence of " +
                         Twine(size));
}

//===----------------------------------------------------------------------===//
// Parts of tensors
//===----------------------------------------------------------------------===//

/// Copies between all of `part` and the positions from `begin` on of an axis of
/// `whole`.
static void copyPart(const HostTensor &whole, const HostTensor &part,
                     int64_t axis, int64_t begin, bool isIntoWhole) {
  ArrayRef<int64_t> dims = whole.getDims();
  int64_t inner = getProduct(dims.drop_front(axis + 1)) *
                  getBytesPerElement(whole.getType());
  int64_t run = part.getDims()[axis] * inner;
  if (run == 0)
    return;
  for (int64_t i = 0, e = getProduct(dims.take_front(axis)); i < e; ++i) {
    char *inWhole =
        const_cast<char *>(whole.getData()) + (i * dims[axis] + begin) * inner;
    char *inPart = const_cast<char *>(part.getData()) + i * run;
    std::memcpy(isIntoWhole ? inWhole : inPart, isIntoWhole ? inPart : inWhole,
                run);
  }
}

static Expected<HostValue> split(SplitToSequenceOp op,
                                 ArrayRef<HostValue> operands) {
  const HostTensor &x = operands[0].getTensor();
  int64_t axis = op.getAxis(), rest = x.getDims()[axis], begin = 0;
  SmallVector<int64_t> sizes;
  if (op.getSizes() && operands[1].getTensor().getRank() == 1) {
    const HostTensor &given = operands[1].getTensor();
    for (int64_t i = 0; i < given.getNumElements(); ++i)
      sizes.push_back(readInteger(given, i));
  } else {
    int64_t size = op.getSizes() ? readInteger(operands[1].getTensor(), 0) : 1;
    if (size < 1)
      return badData(op,
                     "expects parts of 1 or more, but found " + Twine(size));
    for (int64_t left = rest; left > 0; left -= sizes.back())
      sizes.push_back(std::min(left, size));
  }
  List parts;
  for (int64_t size : sizes) {
    if (size < 0 || size > rest - begin)
      return badData(op, "sizes do not sum to the dim " + Twine(rest));
    Shape dims(x.getDims());
    dims[axis] = size;
    Expected<HostTensor> part = HostTensor::allocate(x.getType(), dims);
    if (!part)
      return part.takeError();
    copyPart(x, *part, axis, begin, /*isIntoWhole=*/false);
    begin += size;
    if (!op.getKeepdims()) {
      dims.erase(dims.begin() + axis);
      part = part->reshape(dims);
    }
    parts.push_back(std::move(*part));
  }
  if (begin != rest)
    return badData(op, "sizes do not sum to the dim " + Twine(rest));
  return HostValue(std::move(parts));
}

static Expected<HostValue> join(ConcatFromSequenceOp op, const List &elements) {
  if (elements.empty())
    return badData(op, "cannot join a sequence that is empty");
  int64_t axis = op.getAxis(), total = 0;
  SmallVector<HostTensor> parts;
  for (const HostValue &element : elements) {
    HostTensor part = element.getTensor();
    Shape dims(part.getDims());
    if (op.getNewAxis() && axis <= part.getRank())
      dims.insert(dims.begin() + axis, 1);
    parts.push_back(part.reshape(dims));
    Shape first(parts.front().getDims());
    if (dims.size() != first.size() ||
        axis >= static_cast<int64_t>(dims.size()))
      return badData(op, "cannot join tensors of different ranks");
    total += dims[axis];
    dims[axis] = first[axis];
    if (dims != first)
      return badData(op,
                     "cannot join " + formatDims(part.getDims()) + " to " +
                         formatDims(elements.front().getTensor().getDims()));
  }
  Shape dims(parts.front().getDims());
  dims[axis] = total;
  Expected<HostTensor> whole =
      HostTensor::allocate(parts.front().getType(), dims);
  if (!whole)
    return whole.takeError();
  int64_t begin = 0;
  for (const HostTensor &part : parts) {
    copyPart(*whole, part, axis, begin, /*isIntoWhole=*/true);
    begin += part.getDims()[axis];
  }
  return HostValue(std::move(*whole));
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

static Expected<HostValue> insert(SequenceInsertOp op,
                                  ArrayRef<HostValue> operands) {
  List list = operands[0].getElements();
  Expected<int64_t> at = list.size();
  if (op.getPosition())
    at = getPosition(op, operands[2], list.size(), list.size() + 1);
  if (!at)
    return at.takeError();
  list.insert(list.begin() + *at, operands[1]);
  return HostValue(std::move(list));
}

static Expected<HostValue> erase(SequenceEraseOp op,
                                 ArrayRef<HostValue> operands) {
  List list = operands[0].getElements();
  if (list.empty())
    return badData(op, "cannot erase of a sequence that is empty");
  Expected<int64_t> at = list.size() - 1;
  if (op.getPosition())
    at = getPosition(op, operands[1], list.size(), list.size());
  if (!at)
    return at.takeError();
  list.erase(list.begin() + *at);
  return HostValue(std::move(list));
}

/// A tensor of rank 0.
static Expected<HostValue> makeNumber(ElementType type, int64_t number) {
  Expected<HostTensor> tensor = HostTensor::allocate(type, {});
  if (!tensor)
    return tensor.takeError();
  writeInteger(*tensor, 0, number);
  return HostValue(std::move(*tensor));
}

static Expected<HostValue> evaluate(Operation *op,
                                    ArrayRef<HostValue> operands) {
  using Result = Expected<HostValue>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<SequenceConstructOp, OptionalOp>([&](auto) -> Result {
        return HostValue(List(operands.begin(), operands.end()));
      })
      .Case([&](SequenceAtOp at) -> Result {
        const List &list = operands[0].getElements();
        auto index = getPosition(op, operands[1], list.size(), list.size());
        if (!index)
          return index.takeError();
        return list[*index];
      })
      .Case([&](SequenceInsertOp insertOp) -> Result {
        return insert(insertOp, operands);
      })
      .Case([&](SequenceEraseOp eraseOp) -> Result {
        return erase(eraseOp, operands);
      })
      .Case([&](SequenceLengthOp) -> Result {
        return makeNumber(ElementType::I64, operands[0].getElements().size());
      })
      .Case([&](SplitToSequenceOp splitOp) -> Result {
        return split(splitOp, operands);
      })
      .Case([&](ConcatFromSequenceOp joinOp) -> Result {
        return join(joinOp, operands[0].getElements());
      })
      .Case([&](OptionalHasElementOp) -> Result {
        return makeNumber(ElementType::BOOL,
                          !operands[0].getElements().empty());
      })
      .Case([&](OptionalGetElementOp) -> Result {
        if (operands[0].getElements().empty())
          return badData(op, "takes the value of an optional that holds none");
        return operands[0].getElements().front();
      })
      .Default([&](Operation *) -> Result {
        return makeOpError(op, ExitCode::Unsupported,
                           "has no reference evaluation");
      });
}

/// Checks the dims of a tensor, or of those in a list, against a type.
static Error checkDims(Operation *op, Type type, const HostValue &value) {
  if (auto tensor = dyn_cast<TensorType>(type)) {
    ArrayRef<int64_t> dims = value.getTensor().getDims();
    if (!tensor.hasRank() ||
        succeeded(verifyCompatibleShape(tensor.getShape(), dims)))
      return Error::success();
    return badData(op, "makes " + formatDims(dims) +
                           ", which is not what its type says");
  }
  auto sequence = dyn_cast<SequenceType>(type);
  Type element =
      sequence ? sequence.getElement() : cast<OptionalType>(type).getElement();
  for (const HostValue &inner : value.getElements())
    if (Error error = checkDims(op, element, inner))
      return error;
  return Error::success();
}

Expected<HostValue>
reference::evaluateSequenceOp(Operation *op, ArrayRef<HostValue> operands) {
  Expected<HostValue> result = evaluate(op, operands);
  if (!result)
    return result;
  if (Error error = checkDims(op, op->getResult(0).getType(), *result))
    return std::move(error);
  return result;
}
