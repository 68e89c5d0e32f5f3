//===- Movement.cpp - Evaluation of data movement -------------------------===//
//
// Every op is one or a few strided copies of whole elements.
//
//===----------------------------------------------------------------------===//

#include "ConcreteDims.h"
#include "Elements.h"
#include "Evaluation.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;

namespace {
/// Elements in memory, reached from `data` by strides in elements.
struct StridedBytes {
  char *data;
  Shape strides;

  StridedBytes(HostTensor &tensor)
      : data(tensor.getMutableData()), strides(getStrides(tensor.getDims())) {}
  /// Only read from.
  StridedBytes(const HostTensor &tensor)
      : data(const_cast<char *>(tensor.getData())),
        strides(getStrides(tensor.getDims())) {}
};
} // namespace

/// Copies `dims` elements of `bytes` bytes.
static void copyElements(ArrayRef<int64_t> dims, unsigned bytes,
                         const StridedBytes &from, const StridedBytes &to) {
  int64_t count = getProduct(dims);
  if (count == 0)
    return;
  int64_t inner = dims.empty() ? 1 : dims.back();
  int64_t fromStep = dims.empty() ? 0 : from.strides.back() * bytes;
  int64_t toStep = dims.empty() ? 0 : to.strides.back() * bytes;
  ArrayRef<int64_t> outer = dims.empty() ? dims : dims.drop_back();
  Shape position(outer.size(), 0);
  for (int64_t row = 0, rows = count / inner; row < rows; ++row) {
    const char *source = from.data;
    char *target = to.data;
    for (size_t i = 0; i < outer.size(); ++i) {
      source += position[i] * from.strides[i] * bytes;
      target += position[i] * to.strides[i] * bytes;
    }
    if (fromStep == bytes && toStep == bytes)
      std::memcpy(target, source, inner * bytes);
    else
      for (int64_t i = 0; i < inner; ++i)
        std::memcpy(target + i * toStep, source + i * fromStep, bytes);
    advance(position, outer);
  }
}

static unsigned bytesOf(const HostTensor &tensor) {
  return getBytesPerElement(tensor.getType());
}

/// Reshapes: the result shares the operand's bytes.
static Error reuse(const Evaluation &evaluation) {
  const HostTensor &x = evaluation.operands.front();
  HostTensor &result = evaluation.result();
  if (x.getNumElements() != result.getNumElements())
    return evaluation.badData("cannot give " + formatDims(x.getDims()) +
                              " the dims " + formatDims(result.getDims()));
  result = x.reshape(result.getDims());
  return Error::success();
}

static Error transpose(const Evaluation &evaluation, TransposeOp op) {
  const HostTensor &x = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  StridedBytes from(x);
  Shape strides;
  for (int64_t axis : op.getPerm())
    strides.push_back(from.strides[axis]);
  from.strides = strides;
  copyElements(result.getDims(), bytesOf(x), from, result);
  return Error::success();
}

static Error slice(const Evaluation &evaluation, SliceOp op) {
  const HostTensor &x = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  StridedBytes from(x);
  ConcreteDims policy(evaluation.op, evaluation.operands);
  auto starts = policy.elementsOf(op.getStarts());
  auto ends = policy.elementsOf(op.getEnds());
  for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
    int64_t step = 1;
    if (op.getSteps())
      step = policy.elementsOf(op.getSteps())[i];
    auto range =
        sliceRange(policy, x.getDims()[axis], starts[i], ends[i], step);
    from.data += range->start * from.strides[axis] * bytesOf(x);
    from.strides[axis] *= range->step;
  }
  copyElements(result.getDims(), bytesOf(x), from, result);
  return Error::success();
}

static Error concat(const Evaluation &evaluation, ConcatOp op) {
  HostTensor &result = evaluation.result();
  StridedBytes to(result);
  for (const HostTensor &input : evaluation.operands) {
    for (auto [i, dims] :
         llvm::enumerate(llvm::zip_equal(input.getDims(), result.getDims())))
      if (static_cast<int64_t>(i) != op.getAxis() &&
          std::get<0>(dims) != std::get<1>(dims))
        return evaluation.badData("cannot join " + formatDims(input.getDims()) +
                                  " to " + formatDims(result.getDims()));
    copyElements(input.getDims(), bytesOf(input), input, to);
    to.data += input.getDims()[op.getAxis()] * to.strides[op.getAxis()] *
               bytesOf(input);
  }
  return Error::success();
}

static Error split(const Evaluation &evaluation, SplitOp op) {
  const HostTensor &x = evaluation[op.getX()];
  StridedBytes from(x);
  int64_t axis = op.getAxis(), rest = x.getDims()[axis];
  for (int64_t size : op.getSizes())
    rest -= size;
  if (rest != 0)
    return evaluation.badData("sizes do not sum to the dim " +
                              Twine(x.getDims()[axis]));
  for (HostTensor &part : evaluation.results) {
    copyElements(part.getDims(), bytesOf(x), from, part);
    from.data += part.getDims()[axis] * from.strides[axis] * bytesOf(x);
  }
  return Error::success();
}

static Error gather(const Evaluation &evaluation, GatherOp op) {
  const HostTensor &x = evaluation[op.getX()];
  const HostTensor &indices = evaluation[op.getIndices()];
  ArrayRef<int64_t> dims = x.getDims();
  int64_t axis = op.getAxis(), size = dims[axis];
  int64_t outer = getProduct(dims.take_front(axis));
  int64_t innerBytes = getProduct(dims.drop_front(axis + 1)) * bytesOf(x);
  char *target = evaluation.result().getMutableData();
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = 0; j < indices.getNumElements(); ++j) {
      int64_t index = readInteger(indices, j);
      if (index < -size || index >= size)
        return evaluation.badData("index " + Twine(index) +
                                  " is outside an axis of " + Twine(size));
      if (index < 0)
        index += size;
      if (innerBytes)
        std::memcpy(target, x.getData() + (i * size + index) * innerBytes,
                    innerBytes);
      target += innerBytes;
    }
  return Error::success();
}

static Error expand(const Evaluation &evaluation, ExpandOp op) {
  const HostTensor &x = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  StridedBytes from(x);
  from.strides = getBroadcastStrides(x.getDims(), result.getDims());
  copyElements(result.getDims(), bytesOf(x), from, result);
  return Error::success();
}

static Error shape(const Evaluation &evaluation, ShapeOp op) {
  ArrayRef<int64_t> dims = evaluation[op.getX()].getDims();
  for (int64_t i = op.getStart(); i < static_cast<int64_t>(op.getEnd()); ++i)
    writeInteger(evaluation.result(), i - op.getStart(), dims[i]);
  return Error::success();
}

/// Sets every element of `tensor` to the first one of `value`.
static void fill(HostTensor &tensor, const HostTensor &value) {
  StridedBytes from(value);
  from.strides.assign(tensor.getRank(), 0);
  copyElements(tensor.getDims(), bytesOf(tensor), from, tensor);
}

static Error pad(const Evaluation &evaluation, PadOp op) {
  const HostTensor &x = evaluation[op.getX()];
  HostTensor &result = evaluation.result();
  if (op.getValue()) {
    const HostTensor &value = evaluation[op.getValue()];
    if (value.getNumElements() != 1)
      return evaluation.badData("expects one value to pad with");
    fill(result, value);
  }
  StridedBytes to(result);
  for (int64_t i = 0; i < x.getRank(); ++i)
    to.data += op.getPads()[i] * to.strides[i] * bytesOf(x);
  copyElements(x.getDims(), bytesOf(x), x, to);
  return Error::success();
}

static Error constantOfShape(const Evaluation &evaluation,
                             ConstantOfShapeOp op) {
  llvm::Expected<HostTensor> value = readElements(op.getValue());
  if (!value)
    return value.takeError();
  fill(evaluation.result(), *value);
  return Error::success();
}

static Error range(const Evaluation &evaluation, RangeOp op) {
  int64_t start = readInteger(evaluation[op.getStart()], 0);
  int64_t delta = readInteger(evaluation[op.getDelta()], 0);
  if (delta == 0)
    return evaluation.badData("expects a delta that is not 0");
  for (int64_t i = 0; i < evaluation.result().getNumElements(); ++i)
    writeInteger(evaluation.result(), i, start + i * delta);
  return Error::success();
}

Error reference::evaluateMovement(const Evaluation &evaluation) {
  return llvm::TypeSwitch<Operation *, Error>(evaluation.op)
      .Case<ReshapeOp, SqueezeOp, UnsqueezeOp, FlattenOp>(
          [&](auto) { return reuse(evaluation); })
      .Case([&](TransposeOp op) { return transpose(evaluation, op); })
      .Case([&](SliceOp op) { return slice(evaluation, op); })
      .Case([&](ConcatOp op) { return concat(evaluation, op); })
      .Case([&](SplitOp op) { return split(evaluation, op); })
      .Case([&](GatherOp op) { return gather(evaluation, op); })
      .Case([&](ExpandOp op) { return expand(evaluation, op); })
      .Case([&](ShapeOp op) { return shape(evaluation, op); })
      .Case([&](PadOp op) { return pad(evaluation, op); })
      .Case(
          [&](ConstantOfShapeOp op) { return constantOfShape(evaluation, op); })
      .Case([&](RangeOp op) { return range(evaluation, op); })
      .Default([&](Operation *) { return evaluateLoops(evaluation); });
}
