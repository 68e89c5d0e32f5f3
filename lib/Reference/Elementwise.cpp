//===- Elementwise.cpp - Evaluation element by element --------------------===//
//
// Operands are gathered into lanes through their broadcast strides, the op's
// formula runs on the lanes, and the result is scattered. Nothing here knows
// what an op computes.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Evaluation.h"
#include "LanePolicy.h"
#include "ScaleLayout.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using namespace qopt::numerics;
using llvm::Error;

using LaneValue = ElementValue<LanePolicy>;

static bool isNarrowFloat(Type type) {
  return isa<FloatType>(type) && getValueKind(type) == ValueKind::Int;
}

namespace {
/// Reads one operand in the row-major order of the result.
class OperandReader {
public:
  OperandReader(const HostTensor &tensor, Type type, ArrayRef<int64_t> dims,
                ScaleLayout operandLayout)
      : tensor(tensor), kind(*getValueKind(type)), isCode(isNarrowFloat(type)),
        dims(dims), layout(std::move(operandLayout)), position(dims.size(), 0) {
    isContiguous =
        tensor.getDims() == dims &&
        llvm::all_of(layout.blocks, [](int64_t b) { return b == 1; });
    switch (kind) {
    case ValueKind::Float:
      value = Lanes<float>{};
      break;
    case ValueKind::Bool:
      value = Lanes<bool>{};
      break;
    case ValueKind::Int:
      value = Lanes<int32_t>{};
      break;
    case ValueKind::Long:
      value = Lanes<int64_t>{};
      break;
    case ValueKind::Double:
      value = Lanes<double>{};
      break;
    }
  }

  /// Puts the next `count` elements into `value`; other lanes keep what they
  /// held.
  void read(int count) {
    findOffsets(count);
    if (kind == ValueKind::Float && tensor.getType() == ElementType::F32)
      fill<float>(count, [data = tensor.as<float>().data()](int64_t i) {
        return data[i];
      });
    else if (kind == ValueKind::Float)
      fill<float>(count, [&](int64_t i) { return readFloat(tensor, i); });
    else if (kind == ValueKind::Bool)
      fill<bool>(count, [&](int64_t i) { return readInteger(tensor, i) != 0; });
    else if (kind == ValueKind::Long)
      fill<int64_t>(count, [&](int64_t i) { return readInteger(tensor, i); });
    else if (kind == ValueKind::Double)
      fill<double>(count, [data = tensor.as<double>().data()](int64_t i) {
        return data[i];
      });
    else if (isCode)
      fill<int32_t>(count, [&](int64_t i) { return tensor.as<uint8_t>()[i]; });
    else
      fill<int32_t>(count, [&](int64_t i) { return readInteger(tensor, i); });
  }

  LaneValue value;

private:
  template <class T, class Read> void fill(int count, Read readAt) {
    Lanes<T> &lanes = std::get<Lanes<T>>(value);
    for (int lane = 0; lane < count; ++lane)
      lanes[lane] = readAt(offsets[lane]);
  }

  void findOffsets(int count) {
    if (isContiguous) {
      for (int lane = 0; lane < count; ++lane)
        offsets[lane] = next++;
      return;
    }
    if (dims.empty()) {
      offsets[0] = 0;
      return;
    }
    // Runs along the innermost axis; `next` counts inside the run.
    int64_t stride = layout.strides.back(), block = layout.blocks.back();
    for (int lane = 0; lane < count;) {
      int64_t base = 0;
      for (size_t i = 0; i + 1 < dims.size(); ++i)
        base += position[i] / layout.blocks[i] * layout.strides[i];
      for (; lane < count && next < dims.back(); ++next)
        offsets[lane++] = base + next / block * stride;
      if (next == dims.back()) {
        next = 0;
        advance(MutableArrayRef<int64_t>(position).drop_back(),
                ArrayRef<int64_t>(dims).drop_back());
      }
    }
  }

  const HostTensor &tensor;
  ValueKind kind;
  bool isCode, isContiguous;
  Shape dims;
  ScaleLayout layout;
  Shape position;
  int64_t next = 0;
  int64_t offsets[kNumLanes];
};
} // namespace

static void write(HostTensor &tensor, int64_t begin, int count,
                  const LaneValue &value, Type type) {
  auto each = [&](auto writeLane) {
    for (int lane = 0; lane < count; ++lane)
      writeLane(begin + lane, lane);
  };
  if (auto *floats = std::get_if<Lanes<float>>(&value))
    each([&](int64_t i, int lane) { writeFloat(tensor, i, (*floats)[lane]); });
  else if (auto *doubles = std::get_if<Lanes<double>>(&value))
    each([&](int64_t i, int lane) {
      tensor.asMutable<double>()[i] = (*doubles)[lane];
    });
  else if (auto *bools = std::get_if<Lanes<bool>>(&value))
    each([&](int64_t i, int lane) { writeInteger(tensor, i, (*bools)[lane]); });
  else if (auto *longs = std::get_if<Lanes<int64_t>>(&value))
    each([&](int64_t i, int lane) { writeInteger(tensor, i, (*longs)[lane]); });
  else if (auto *ints = std::get_if<Lanes<int32_t>>(&value))
    each([&](int64_t i, int lane) {
      if (isNarrowFloat(type))
        tensor.asMutable<uint8_t>()[i] = (*ints)[lane];
      else
        writeInteger(tensor, i, (*ints)[lane]);
    });
}

static Error evaluateLanes(const Evaluation &evaluation,
                           ArrayRef<ScaleLayout> layouts) {
  Operation *op = evaluation.op;
  HostTensor &result = evaluation.result();
  Type resultType = getElementTypeOrSelf(op->getResult(0));
  Type operandType =
      getElementTypeOrSelf(op->getOperand(isa<WhereOp>(op) ? 1 : 0));
  std::vector<OperandReader> readers;
  readers.reserve(layouts.size());
  for (auto [i, layout] : llvm::enumerate(layouts)) {
    Type type = getElementTypeOrSelf(op->getOperand(i));
    if (!getValueKind(type) || !getValueKind(resultType))
      break;
    readers.emplace_back(evaluation.operands[i], type, result.getDims(),
                         layout);
  }
  auto noFormula = [&] {
    std::string text;
    llvm::raw_string_ostream(text)
        << "has no formula for " << operandType << " to " << resultType;
    return evaluation.unsupported(text);
  };
  if (readers.size() != layouts.size())
    return noFormula();
  LanePolicy policy;
  SmallVector<LaneValue, 3> values(readers.size());
  for (int64_t begin = 0, end = result.getNumElements(); begin < end;
       begin += kNumLanes) {
    int count = std::min<int64_t>(kNumLanes, end - begin);
    for (auto [reader, value] : llvm::zip_equal(readers, values)) {
      reader.read(count);
      value = reader.value;
    }
    auto computed = evaluateElementwise<LanePolicy>(policy, op, values,
                                                    operandType, resultType);
    if (failed(computed))
      return noFormula();
    write(result, begin, count, *computed, resultType);
  }
  return Error::success();
}

Error reference::evaluateElementwiseOp(const Evaluation &evaluation) {
  ArrayRef<int64_t> dims = evaluation.result().getDims();
  Operation *op = evaluation.op;
  // `where` chooses between values of one type; others combine them.
  for (Value operand : op->getOperands().drop_front(isa<WhereOp>(op) ? 2 : 1))
    if (getElementTypeOrSelf(operand) !=
        getElementTypeOrSelf(op->getOperand(isa<WhereOp>(op) ? 1 : 0)))
      return evaluation.badData("expects operands of one element type");
  SmallVector<ScaleLayout> layouts;
  for (const HostTensor &operand : evaluation.operands)
    layouts.push_back(ScaleLayout::broadcast(operand.getDims(), dims));
  return evaluateLanes(evaluation, layouts);
}

/// Ops whose further operands lie beside the codes of the first one.
static Error evaluateBesideCodes(const Evaluation &evaluation,
                                 std::optional<FormatAttr> format) {
  ArrayRef<int64_t> dims = evaluation.result().getDims();
  SmallVector<ScaleLayout> layouts{ScaleLayout::broadcast(dims, dims)};
  for (const HostTensor &operand : evaluation.operands.drop_front()) {
    auto layout = ScaleLayout::get(operand.getDims(), dims, format);
    if (!layout)
      return evaluation.badData("cannot use " + formatDims(operand.getDims()) +
                                " scales, zeros or multipliers beside " +
                                formatDims(dims));
    layouts.push_back(*layout);
  }
  return evaluateLanes(evaluation, layouts);
}

Error reference::evaluateQuantize(const Evaluation &evaluation, QuantizeOp op) {
  return evaluateBesideCodes(evaluation, op.getFormat());
}

Error reference::evaluateDequantize(const Evaluation &evaluation,
                                    DequantizeOp op) {
  return evaluateBesideCodes(evaluation, op.getFormat());
}

Error reference::evaluateRequantize(const Evaluation &evaluation,
                                    RequantizeOp op) {
  return evaluateBesideCodes(evaluation, std::nullopt);
}

Error reference::evaluateShift(const Evaluation &evaluation, ShiftOp op) {
  return evaluateBesideCodes(evaluation, std::nullopt);
}

Error reference::evaluateDivideRound(const Evaluation &evaluation,
                                     DivideRoundOp op) {
  return evaluateBesideCodes(evaluation, std::nullopt);
}

Error reference::evaluateBatchNorm(const Evaluation &evaluation,
                                   BatchNormOp op) {
  ArrayRef<int64_t> dims = evaluation.result().getDims();
  if (dims.size() < 2)
    return evaluation.badData("expects a channel axis");
  SmallVector<ScaleLayout> layouts{ScaleLayout::broadcast(dims, dims)};
  for (const HostTensor &operand : evaluation.operands.drop_front()) {
    if (operand.getDims() != dims.slice(1, 1))
      return evaluation.badData("expects " + Twine(dims[1]) +
                                " channels, but found " +
                                formatDims(operand.getDims()));
    ScaleLayout layout = ScaleLayout::broadcast({}, dims);
    layout.strides[1] = 1;
    layouts.push_back(layout);
  }
  return evaluateLanes(evaluation, layouts);
}
