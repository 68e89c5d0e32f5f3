//===- KnownIntegers.cpp - What is known of shape arithmetic --------------===//
//
// A value may be used many times on the way, so the number of ops that one
// question visits is bounded: what lies behind the bound is unknown.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;

namespace {
using Integer = std::optional<int64_t>;
using Integers = SmallVector<Integer>;

class Evaluation {
public:
  std::optional<Integers> evaluate(Value value);

private:
  std::optional<Integers> evaluateMatrix(Value value);
  std::optional<Integers> evaluateElements(Value value);
  Integers evaluateMatrixSlice(SliceOp op);
  Integers evaluateOp(Operation *op, int64_t count);
  Integers evaluateBinary(Operation *op, int64_t count);
  Integers evaluateWhere(WhereOp op, int64_t count);
  Integers evaluateReduce(ReduceOp op);
  Integers evaluateGather(GatherOp op, int64_t count);
  Integers evaluateSlice(SliceOp op, int64_t count);

  /// Ops that may still be visited.
  int budget = 256;
};
} // namespace

/// Elements of a tensor of rank `most` or less whose number is static; nothing
/// for others.
static std::optional<int64_t> getCount(Value value, int64_t most = 1) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() > most || !type.hasStaticShape() ||
      !(type.getElementType().isSignlessInteger(64) ||
        type.getElementType().isSignlessInteger(32) ||
        type.getElementType().isSignlessInteger(1)))
    return std::nullopt;
  int64_t count = type.getNumElements();
  return count <= kMaxKnownIntegers ? std::optional(count) : std::nullopt;
}

std::optional<Integers> Evaluation::evaluate(Value value) {
  std::optional<int64_t> count = getCount(value);
  if (!count)
    return std::nullopt;
  Integers unknown(*count, std::nullopt);
  Operation *op = value.getDefiningOp();
  if (!op || budget-- <= 0)
    return unknown;
  Integers result = evaluateOp(op, *count);
  return static_cast<int64_t>(result.size()) == *count ? result : unknown;
}

//===----------------------------------------------------------------------===//
// Matrices: PyTorch turns pairs of pads around in one
//===----------------------------------------------------------------------===//

/// The elements of a matrix, row by row.
std::optional<Integers> Evaluation::evaluateMatrix(Value value) {
  std::optional<int64_t> count = getCount(value, /*most=*/2);
  Operation *op = value.getDefiningOp();
  if (!count || !op || budget-- <= 0)
    return std::nullopt;
  auto result =
      TypeSwitch<Operation *, std::optional<Integers>>(op)
          .Case<SqueezeOp, UnsqueezeOp, ReshapeOp, FlattenOp>(
              [&](auto move) { return evaluateElements(move.getX()); })
          .Case([&](SliceOp slice) { return evaluateMatrixSlice(slice); })
          .Case([&](TransposeOp transpose) -> std::optional<Integers> {
            auto x = evaluateMatrix(transpose.getX());
            auto type = cast<RankedTensorType>(transpose.getX().getType());
            if (!x || type.getRank() != 2 ||
                transpose.getPerm() != ArrayRef<int64_t>{1, 0})
              return x;
            Integers turned;
            for (int64_t j = 0; j < type.getDimSize(1); ++j)
              for (int64_t i = 0; i < type.getDimSize(0); ++i)
                turned.push_back((*x)[i * type.getDimSize(1) + j]);
            return turned;
          })
          .Default([](Operation *) { return std::nullopt; });
  if (!result || static_cast<int64_t>(result->size()) != *count)
    return std::nullopt;
  return result;
}

std::optional<Integers> Evaluation::evaluateElements(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getRank() == 2 ? evaluateMatrix(value) : evaluate(value);
}

/// Rows of a matrix.
Integers Evaluation::evaluateMatrixSlice(SliceOp op) {
  auto x = evaluateMatrix(op.getX());
  auto starts = evaluate(op.getStarts());
  Integers steps{1};
  if (op.getSteps())
    steps = evaluate(op.getSteps()).value_or(Integers());
  if (!x || op.getAxes() != ArrayRef<int64_t>{0} || !starts ||
      starts->size() != 1 || !starts->front() || steps.size() != 1 ||
      !steps.front())
    return {};
  auto type = cast<RankedTensorType>(op.getX().getType());
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  int64_t start = *starts->front(), step = *steps.front();
  if (start < 0)
    start += rows;
  start = std::clamp<int64_t>(start, 0, step < 0 ? rows - 1 : rows);
  // The result's type says how many there are.
  int64_t count = cast<RankedTensorType>(op.getType()).getDimSize(0);
  Integers result;
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset, row;
    if (llvm::MulOverflow(i, step, offset) ||
        llvm::AddOverflow(start, offset, row) || row < 0 || row >= rows)
      return {};
    result.append(x->begin() + row * columns, x->begin() + (row + 1) * columns);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

static Integer combine(Operation *op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows =
      TypeSwitch<Operation *, bool>(op)
          .Case([&](AddOp) { return llvm::AddOverflow(a, b, result); })
          .Case([&](SubOp) { return llvm::SubOverflow(a, b, result); })
          .Case([&](MulOp) { return llvm::MulOverflow(a, b, result); })
          .Case([&](DivOp) {
            if (b == 0 || b == -1)
              return true;
            result = a / b;
            return false;
          })
          .Case([&](ModOp mod) {
            if (b == 0 || b == -1)
              return true;
            result = a % b;
            if (result != 0 && (result < 0) != (b < 0) && !mod.getTruncates())
              result += b;
            return false;
          })
          .Case([&](EqualOp) { return result = a == b, false; })
          .Case([&](LessOp) { return result = a < b, false; })
          .Case([&](LessOrEqualOp) { return result = a <= b, false; })
          .Case([&](GreaterOp) { return result = a > b, false; })
          .Case([&](GreaterOrEqualOp) { return result = a >= b, false; })
          .Case([&](AndOp) { return result = a & b, false; })
          .Case([&](OrOp) { return result = a | b, false; })
          .Case([&](XorOp) { return result = a ^ b, false; })
          .Case([&](MinOp) { return result = std::min(a, b), false; })
          .Case([&](MaxOp) { return result = std::max(a, b), false; })
          .Default([](Operation *) { return true; });
  unsigned width = cast<RankedTensorType>(op->getResult(0).getType())
                       .getElementType()
                       .getIntOrFloatBitWidth();
  // Truth values are 0 and 1.
  if (overflows || (width > 1 && !llvm::isIntN(width, result)))
    return std::nullopt;
  return result;
}

Integers Evaluation::evaluateBinary(Operation *op, int64_t count) {
  auto lhs = evaluate(op->getOperand(0)), rhs = evaluate(op->getOperand(1));
  if (!lhs || !rhs)
    return {};
  Integers result;
  for (int64_t i = 0; i < count; ++i) {
    if ((lhs->size() != 1 && i >= static_cast<int64_t>(lhs->size())) ||
        (rhs->size() != 1 && i >= static_cast<int64_t>(rhs->size())))
      return {};
    Integer a = (*lhs)[lhs->size() == 1 ? 0 : i];
    Integer b = (*rhs)[rhs->size() == 1 ? 0 : i];
    result.push_back(a && b ? combine(op, *a, *b) : std::nullopt);
  }
  return result;
}

Integers Evaluation::evaluateWhere(WhereOp op, int64_t count) {
  auto condition = evaluate(op.getCondition());
  auto x = evaluate(op.getX()), y = evaluate(op.getY());
  if (!condition || !x || !y)
    return {};
  auto at = [](const Integers &list, size_t i) -> Integer {
    return list.size() == 1  ? list.front()
           : i < list.size() ? list[i]
                             : std::nullopt;
  };
  Integers result;
  for (int64_t i = 0; i < count; ++i) {
    Integer choice = at(*condition, i), a = at(*x, i), b = at(*y, i);
    if (choice)
      result.push_back(*choice ? a : b);
    else
      result.push_back(a == b ? a : std::nullopt);
  }
  return result;
}

/// A sum or product of all elements of a list.
Integers Evaluation::evaluateReduce(ReduceOp op) {
  auto x = evaluate(op.getX());
  bool isSum = op.getKind() == ReduceKind::Sum;
  if (!x || (!isSum && op.getKind() != ReduceKind::Prod) ||
      op.getAxes() != ArrayRef<int64_t>{0})
    return {};
  int64_t total = isSum ? 0 : 1;
  for (Integer element : *x) {
    if (!element)
      return {std::nullopt};
    bool overflows = isSum ? llvm::AddOverflow(total, *element, total)
                           : llvm::MulOverflow(total, *element, total);
    if (overflows)
      return {std::nullopt};
  }
  return {total};
}

Integers Evaluation::evaluateGather(GatherOp op, int64_t count) {
  auto x = evaluate(op.getX()), indices = evaluate(op.getIndices());
  if (!x || !indices || op.getAxis() != 0 ||
      cast<RankedTensorType>(op.getX().getType()).getRank() != 1)
    return {};
  Integers result;
  int64_t size = x->size();
  for (Integer index : *indices) {
    if (index && *index < 0)
      index = *index + size;
    bool isInside = index && *index >= 0 && *index < size;
    result.push_back(isInside ? (*x)[*index] : std::nullopt);
  }
  return result;
}

Integers Evaluation::evaluateSlice(SliceOp op, int64_t count) {
  auto x = evaluate(op.getX());
  auto starts = evaluate(op.getStarts());
  Integers steps{1};
  if (op.getSteps())
    steps = evaluate(op.getSteps()).value_or(Integers());
  if (!x || !starts || starts->size() != 1 || !starts->front() ||
      steps.size() != 1 || steps.front() != 1)
    return {};
  int64_t size = x->size(), start = *starts->front();
  if (start < 0)
    start = start < -size ? 0 : start + size;
  // The result's type says how many there are.
  if (start > size || count > size - start)
    return {};
  return Integers(x->begin() + start, x->begin() + start + count);
}

Integers Evaluation::evaluateOp(Operation *op, int64_t count) {
  return TypeSwitch<Operation *, Integers>(op)
      .Case([&](ConstantOp constant) -> Integers {
        auto integers = getConstantIntegers(constant.getResult());
        if (!integers)
          return {};
        Integers result(integers->begin(), integers->end());
        if (mlir::cast<RankedTensorType>(constant.getType())
                .getElementType()
                .isInteger(1))
          for (Integer &element : result)
            element = *element != 0;
        return result;
      })
      .Case([&](ShapeOp shape) -> Integers {
        auto type = cast<RankedTensorType>(shape.getX().getType());
        int64_t start = shape.getStart(), end = shape.getEnd();
        if (start < 0 || end > type.getRank())
          return {};
        Integers result;
        for (int64_t i = start; i < end; ++i)
          result.push_back(type.isDynamicDim(i) ? Integer()
                                                : Integer(type.getDimSize(i)));
        return result;
      })
      .Case([&](ConcatOp concat) -> Integers {
        Integers result;
        for (Value input : concat.getInputs()) {
          auto part = evaluate(input);
          if (!part)
            return {};
          result.append(*part);
        }
        return result;
      })
      .Case<SqueezeOp, UnsqueezeOp, ReshapeOp, FlattenOp, TransposeOp>(
          [&](auto move) -> Integers {
            return evaluateElements(move.getX()).value_or(Integers());
          })
      .Case([&](CastOp cast) -> Integers {
        auto x = evaluate(cast.getX());
        if (!x)
          return {};
        unsigned width = mlir::cast<RankedTensorType>(cast.getType())
                             .getElementType()
                             .getIntOrFloatBitWidth();
        for (Integer &element : *x) {
          if (element && width == 1)
            element = *element != 0;
          else if (element && !llvm::isIntN(width, *element))
            element = std::nullopt;
        }
        return *x;
      })
      .Case([&](ConstantOfShapeOp fill) -> Integers {
        auto elements = dyn_cast<DenseIntElementsAttr>(fill.getValue());
        if (!elements || elements.getNumElements() != 1)
          return {};
        APInt element = *elements.value_begin<APInt>();
        return Integers(count, element.getBitWidth() == 1
                                   ? int64_t(element.getBoolValue())
                                   : element.getSExtValue());
      })
      .Case([&](GatherOp gather) { return evaluateGather(gather, count); })
      .Case([&](SliceOp slice) { return evaluateSlice(slice, count); })
      .Case([&](WhereOp where) { return evaluateWhere(where, count); })
      .Case([&](ReduceOp reduce) { return evaluateReduce(reduce); })
      .Case([&](ExpandOp expand) -> Integers {
        auto x = evaluate(expand.getX());
        if (!x || (x->size() != 1 && static_cast<int64_t>(x->size()) != count))
          return {};
        return x->size() == 1 ? Integers(count, x->front()) : *x;
      })
      .Case([&](NegOp neg) -> Integers {
        auto x = evaluate(neg.getX());
        if (!x)
          return {};
        for (Integer &element : *x)
          if (element && *element != std::numeric_limits<int64_t>::min())
            element = -*element;
          else
            element = std::nullopt;
        return *x;
      })
      .Case([&](NotOp negate) -> Integers {
        auto x = evaluate(negate.getX());
        if (!x)
          return {};
        for (Integer &element : *x)
          if (element)
            element = *element == 0;
        return *x;
      })
      .Case<AddOp, SubOp, MulOp, DivOp, ModOp, MinOp, MaxOp, EqualOp, LessOp,
            LessOrEqualOp, GreaterOp, GreaterOrEqualOp, AndOp, OrOp, XorOp>(
          [&](auto binary) { return evaluateBinary(binary, count); })
      .Default([](Operation *) { return Integers(); });
}

std::optional<Integers> qopt::getKnownIntegers(Value value) {
  return Evaluation().evaluate(value);
}

std::optional<SmallVector<int64_t>> qopt::getAllKnownIntegers(Value value) {
  auto constant = getConstantIntegers(value);
  if (constant)
    return constant;
  auto known = getKnownIntegers(value);
  if (!known)
    return std::nullopt;
  SmallVector<int64_t> result;
  for (Integer element : *known) {
    if (!element)
      return std::nullopt;
    result.push_back(*element);
  }
  return result;
}
