//===- KernelDims.cpp - Dims of a kernel as SSA values --------------------===//
//
// Equal dims should be one value: kernels collapse axes and load contiguous
// lanes only where they know that dims are equal.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/OperandDims.h"
#include "dialects/QOpt/IR/ShapeFunctions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

std::optional<int64_t> kernel::knownNumber(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

bool kernel::isSameDim(Value a, Value b) {
  if (a == b)
    return true;
  std::optional<int64_t> known = knownNumber(a);
  return known && known == knownNumber(b);
}

Value kernel::knownDimOf(Value a, Value b) { return knownNumber(a) ? a : b; }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value KernelDims::constant(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}
Value KernelDims::either(Value x, Value y) {
  return b.createOrFold<arith::OrIOp>(loc, x, y);
}

/// No division by zero, whatever the data says.
Value KernelDims::divisor(Dim y) {
  return knownNumber(y).value_or(0) > 0 ? y : max(y, constant(1));
}

Value KernelDims::floorDiv(Dim x, Dim y) { return div(x, divisor(y)); }

Value KernelDims::ceilDiv(Dim x, Dim y) {
  Value d = divisor(y);
  if (knownNumber(d) == 1)
    return x;
  Value hasRest = less(constant(0), rem(x, d));
  return add(div(x, d), select(hasRest, constant(1), constant(0)));
}

Value KernelDims::broadcast(Dim x, Dim y) {
  if (isSameDim(x, y) || knownNumber(y) == 1)
    return x;
  if (knownNumber(x) == 1)
    return y;
  bool isXKnown = knownNumber(x).has_value();
  bool isYKnown = knownNumber(y).has_value();
  if (outside.require) {
    Value one = constant(1), holds = equal(x, y);
    if (!isXKnown)
      holds = either(holds, equal(x, one));
    if (!isYKnown)
      holds = either(holds, equal(y, one));
    needs.push_back({holds, "the dims of the operands do not broadcast"});
  }
  if (isXKnown)
    return x;
  return isYKnown ? y : select(equal(x, constant(1)), y, x);
}

Value KernelDims::selectEqual(Dim x, int64_t number, Dim a, Dim c) {
  if (isSameDim(a, c))
    return a;
  return select(equal(x, constant(number)), a, c);
}

Value KernelDims::selectNegative(Dim x, Dim a, Dim c) {
  return select(less(x, constant(0)), a, c);
}

//===----------------------------------------------------------------------===//
// What must hold
//===----------------------------------------------------------------------===//

void KernelDims::require(Value condition, const Twine &text) {
  outside.require(condition, text);
}

void KernelDims::requireEqual(Dim x, Dim y, const Twine &text) {
  if (outside.require && !isSameDim(x, y))
    require(equal(x, y), text);
}

void KernelDims::requireBroadcast(Dim dim, Dim target) {
  if (!outside.require || isSameDim(dim, target) || knownNumber(dim) == 1)
    return;
  require(either(equal(dim, target), equal(dim, constant(1))),
          "the dims of the operands do not broadcast");
}

void KernelDims::requireScaleDim(Dim dim, Dim target, int64_t block) {
  if (!outside.require || isSameDim(dim, target) || knownNumber(dim) == 1)
    return;
  Value holds = either(equal(dim, target), equal(dim, constant(1)));
  if (block) {
    Value blocks = ceilDiv(target, constant(block));
    if (isSameDim(dim, blocks))
      return;
    holds = either(holds, equal(dim, blocks));
  }
  require(holds, "the dims of the scales do not fit the codes");
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

std::optional<unsigned> KernelDims::findOperand(Value value) const {
  auto argument = dyn_cast<BlockArgument>(value);
  if (argument && isKernel(op) && argument.getOwner()->getParentOp() == op)
    return argument.getArgNumber();
  for (OpOperand &operand : op->getOpOperands())
    if (operand.get() == value)
      return operand.getOperandNumber();
  return std::nullopt;
}

KernelDims::Values KernelDims::dimsOf(Value value) {
  auto it = dims.find(value);
  if (it != dims.end())
    return it->second;
  Values &result = dims[value];
  if (std::optional<unsigned> operand = findOperand(value))
    return result = outside.dims(*operand);
  auto known = cast<RankedTensorType>(value.getType());
  assert(known.hasStaticShape() && "dims of a tensor that was not made yet");
  for (int64_t dim : known.getShape())
    result.push_back(constant(dim));
  return result;
}

KernelDims::Values KernelDims::elementsOf(Value value) {
  if (std::optional<unsigned> operand = findOperand(value))
    if (std::optional<Values> elements = outside.elements(*operand))
      return *elements;
  isUnknown = true;
  return {constant(1)};
}

LogicalResult KernelDims::compute() {
  if (!isKernel(op))
    return setDims(op);
  Block &body = op->getRegion(0).front();
  for (Operation &inner : body.without_terminator())
    if (failed(setDims(&inner)))
      return failure();
  for (auto [result, value] :
       llvm::zip_equal(op->getResults(), body.getTerminator()->getOperands()))
    dims[result] = Values(dimsOf(value));
  return success();
}

LogicalResult KernelDims::setDims(Operation *inner) {
  requireOperandDims(inner, *this);
  auto computed = resultDims(inner, *this);
  // Those of a slice with unknown steps, which no kernel runs either.
  if (failed(computed)) {
    auto reason = op->getAttrOfType<StringAttr>(getReasonAttrName(op));
    return op->emitOpError("has no kernel: ")
           << (reason ? reason.getValue() : "its dims are not known");
  }
  if (isUnknown)
    return inner->emitOpError("has dims that follow from nothing known");
  for (auto [condition, text] : needs)
    require(condition, text);
  needs.clear();
  for (auto [result, own] : llvm::zip_equal(inner->getResults(), *computed)) {
    auto known = cast<RankedTensorType>(result.getType());
    assert(known.getRank() == static_cast<int64_t>(own.size()) &&
           "types are verified");
    for (auto [i, dim] : llvm::enumerate(own)) {
      if (known.isDynamicDim(i))
        continue;
      Value expected = constant(known.getDimSize(i));
      requireEqual(dim, expected,
                   "expects " + Twine(known.getDimSize(i)) +
                       " elements along axis " + Twine(i));
      dim = expected;
    }
    dims[result] = std::move(own);
  }
  return success();
}
