//===- KnownConditions.cpp - Conditions that shapes decide ----------------===//
//
// A value may be used many times on the way, so the number of ops that one
// question visits is bounded.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/KnownConditions.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

namespace {
using Number = std::optional<int64_t>;

class Evaluation {
public:
  /// The one number or truth, 0 or 1, that `value` holds.
  Number evaluate(Value value);

private:
  Number evaluateOp(Operation *op);

  /// Ops that may still be visited.
  int budget = 64;
};
} // namespace

static bool isBoolean(Value value) {
  return typeOf(value).getElementType().isInteger(1);
}

Number Evaluation::evaluate(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() != 1 ||
      budget-- <= 0)
    return std::nullopt;
  if (Operation *op = value.getDefiningOp())
    if (Number number = evaluateOp(op))
      return number;
  if (isBoolean(value))
    return std::nullopt;
  auto known = getAllKnownIntegers(value);
  return known ? Number(known->front()) : std::nullopt;
}

Number Evaluation::evaluateOp(Operation *op) {
  auto binary = [&](auto compute) -> Number {
    Number a = evaluate(op->getOperand(0)), b = evaluate(op->getOperand(1));
    return a && b ? Number(compute(*a, *b)) : std::nullopt;
  };
  return TypeSwitch<Operation *, Number>(op)
      .Case([&](ConstantOp constant) -> Number {
        auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
        if (!elements || !isBoolean(constant.getResult()))
          return std::nullopt;
        return (*elements.value_begin<APInt>()).getBoolValue();
      })
      .Case<SqueezeOp, UnsqueezeOp, ReshapeOp, FlattenOp>(
          [&](auto move) { return evaluate(move.getX()); })
      .Case([&](CastOp cast) -> Number {
        Number x = evaluate(cast.getX());
        if (x && isBoolean(cast.getResult()))
          return *x != 0;
        return isBoolean(cast.getX()) ? x : std::nullopt;
      })
      .Case([&](NotOp op) -> Number {
        Number x = evaluate(op.getX());
        return x ? Number(!*x) : std::nullopt;
      })
      .Case([&](AndOp) {
        return binary([](int64_t a, int64_t b) { return a & b; });
      })
      .Case([&](OrOp) {
        return binary([](int64_t a, int64_t b) { return a | b; });
      })
      .Case([&](XorOp) {
        return binary([](int64_t a, int64_t b) { return a ^ b; });
      })
      .Case([&](EqualOp) {
        return binary([](int64_t a, int64_t b) { return a == b; });
      })
      .Case([&](LessOp) {
        return binary([](int64_t a, int64_t b) { return a < b; });
      })
      .Case([&](LessOrEqualOp) {
        return binary([](int64_t a, int64_t b) { return a <= b; });
      })
      .Case([&](GreaterOp) {
        return binary([](int64_t a, int64_t b) { return a > b; });
      })
      .Case([&](GreaterOrEqualOp) {
        return binary([](int64_t a, int64_t b) { return a >= b; });
      })
      .Default([](Operation *) { return Number(); });
}

std::optional<bool> qopt::getKnownCondition(Value value) {
  Number number = Evaluation().evaluate(value);
  return number ? std::optional(*number != 0) : std::nullopt;
}
