//===- ProgramShapes.cpp - Dims of a program as SSA values ----------------===//
//
// Equal dims should be one value: kernels collapse axes and load contiguous
// lanes only where they know that dims are equal. So shape arithmetic is
// followed through the ops that exporters write instead of read from memory.
//
//===----------------------------------------------------------------------===//

#include "GenericKernel.h"
#include "HostProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/OperandDims.h"
#include "dialects/QOpt/IR/ShapeFunctions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

//===----------------------------------------------------------------------===//
// The dim policy
//===----------------------------------------------------------------------===//

/// i64 values in the host function. What must hold is collected: the checks
/// follow when all dims of an op are there.
class HostProgram::DimPolicy {
public:
  using Dim = Value;

  explicit DimPolicy(HostProgram &program)
      : program(program), v(program.code()) {}

  struct Need {
    Value condition;
    const char *text;
  };
  SmallVector<Need> needs;
  bool isUnknown = false;

  Dim constant(int64_t value) { return v.i64(value); }
  std::optional<int64_t> known(Dim dim) { return knownNumber(dim); }
  bool isSame(Dim x, Dim y) { return isSameDim(x, y); }
  Dim add(Dim x, Dim y) { return v.add(x, y); }
  Dim sub(Dim x, Dim y) { return v.sub(x, y); }
  Dim mul(Dim x, Dim y) { return v.mul(x, y); }
  Dim min(Dim x, Dim y) { return v.min(x, y); }
  Dim max(Dim x, Dim y) { return v.max(x, y); }
  Dim floorDiv(Dim x, Dim y) { return v.div(x, divisor(y)); }
  Dim ceilDiv(Dim x, Dim y) {
    Value d = divisor(y);
    if (knownNumber(d) == 1)
      return x;
    Value hasRest = v.less(v.i64(0), v.rem(x, d));
    return v.add(v.div(x, d), v.select(hasRest, v.i64(1), v.i64(0)));
  }
  Dim broadcast(Dim x, Dim y) {
    if (isSameDim(x, y) || knownNumber(y) == 1)
      return x;
    if (knownNumber(x) == 1)
      return y;
    bool isXKnown = knownNumber(x).has_value();
    bool isYKnown = knownNumber(y).has_value();
    Value one = v.i64(1), holds = v.equal(x, y);
    if (!isXKnown)
      holds = either(holds, v.equal(x, one));
    if (!isYKnown)
      holds = either(holds, v.equal(y, one));
    needs.push_back({holds, "the dims of the operands do not broadcast"});
    if (isXKnown)
      return x;
    return isYKnown ? y : v.select(v.equal(x, one), y, x);
  }
  Dim selectEqual(Dim x, int64_t number, Dim a, Dim c) {
    if (isSameDim(a, c))
      return a;
    return v.select(v.equal(x, v.i64(number)), a, c);
  }
  Dim selectNegative(Dim x, Dim a, Dim c) {
    return v.select(v.less(x, v.i64(0)), a, c);
  }
  // What must hold of operands is checked at once.
  void requireEqual(Dim x, Dim y, const char *text) {
    program.requireEqual(x, y, text);
  }
  void requireBroadcast(Dim dim, Dim target) {
    if (isSameDim(dim, target) || knownNumber(dim) == 1)
      return;
    program.require(either(v.equal(dim, target), v.equal(dim, v.i64(1))), 1,
                    "the dims of the operands do not broadcast");
  }
  void requireScaleDim(Dim dim, Dim target, int64_t block) {
    if (isSameDim(dim, target) || knownNumber(dim) == 1)
      return;
    Value holds = either(v.equal(dim, target), v.equal(dim, v.i64(1)));
    if (block) {
      Value blocks = ceilDiv(target, v.i64(block));
      if (isSameDim(dim, blocks))
        return;
      holds = either(holds, v.equal(dim, blocks));
    }
    program.require(holds, 1, "the dims of the scales do not fit the codes");
  }
  SmallVector<Dim> dimsOf(Value value) { return program.dims(value); }
  SmallVector<Dim> elementsOf(Value value) {
    if (auto elements = program.elements(value))
      return *elements;
    isUnknown = true;
    return {v.i64(1)};
  }

  Value either(Value x, Value y) {
    return program.b.createOrFold<arith::OrIOp>(program.location, x, y);
  }

private:
  /// No division by zero, whatever the data says.
  Value divisor(Value y) {
    return knownNumber(y).value_or(0) > 0 ? y : v.max(y, v.i64(1));
  }

  HostProgram &program;
  CodeBuilder v;
};

//===----------------------------------------------------------------------===//
// Elements of shape tensors
//===----------------------------------------------------------------------===//

std::optional<SmallVector<Value>> HostProgram::followElements(Value tensor) {
  using Result = std::optional<SmallVector<Value>>;
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](ShapeOp shape) -> Result {
        SmallVector<Value> all = dims(shape.getX());
        if (static_cast<size_t>(shape.getEnd()) > all.size())
          return std::nullopt;
        return SmallVector<Value>(all.begin() + shape.getStart(),
                                  all.begin() + shape.getEnd());
      })
      .Case([&](GatherOp gather) -> Result {
        auto indices = getAllKnownIntegers(gather.getIndices());
        auto table = elements(gather.getX());
        if (!indices || !table ||
            cast<RankedTensorType>(gather.getX().getType()).getRank() != 1)
          return std::nullopt;
        SmallVector<Value> result;
        for (int64_t index : *indices) {
          int64_t size = table->size();
          index += index < 0 ? size : 0;
          if (index < 0 || index >= size)
            return std::nullopt;
          result.push_back((*table)[index]);
        }
        return result;
      })
      .Case([&](ConcatOp concat) -> Result {
        SmallVector<Value> result;
        for (Value input : concat.getInputs()) {
          auto part = elements(input);
          if (!part)
            return std::nullopt;
          result.append(*part);
        }
        return result;
      })
      .Case([&](tensor::FromElementsOp join) -> Result {
        SmallVector<Value> result;
        for (Value element : join.getElements()) {
          Value number = scalar(element);
          if (!number.getType().isInteger(64))
            return std::nullopt;
          result.push_back(number);
        }
        return result;
      })
      .Case<SqueezeOp, UnsqueezeOp, ReshapeOp>([&](auto view) -> Result {
        if (cast<RankedTensorType>(view.getX().getType()).getRank() > 1)
          return std::nullopt;
        return elements(view.getX());
      })
      .Case([&](kernel::MapOp map) -> Result {
        Operation &inner = map.getBodyBlock().front();
        auto isInteger = [](Value value) {
          return getElementTypeOrSelf(value).isSignlessInteger();
        };
        if (!isa<CastOp>(inner) || !isInteger(inner.getOperand(0)) ||
            !isInteger(inner.getResult(0)) || map.getInputs().size() != 1)
          return std::nullopt;
        return elements(map.getInputs().front());
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

std::optional<SmallVector<Value>> HostProgram::elements(Value tensor) {
  tensor = hostValue(tensor);
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.hasStaticShape() || type.getRank() > 1 ||
      type.getNumElements() > kMaxKnownIntegers)
    return std::nullopt;
  auto it = tensorElements.find(tensor);
  if (it != tensorElements.end())
    return it->second;
  CodeBuilder v = code();
  std::optional<SmallVector<Value>> result;
  if (auto known = getAllKnownIntegers(tensor)) {
    result.emplace();
    for (int64_t number : *known)
      result->push_back(v.i64(number));
  } else {
    result = followElements(tensor);
  }
  if (!result && !isOnHost(tensor))
    return std::nullopt;
  if (!result) {
    result.emplace();
    Buffer &source = buffer(tensor);
    Type element = source.elementType();
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      Value loaded = v.widen(
          v.loadScalar(source.pointer, v.i64(i), memoryType(element)), element);
      if (!loaded.getType().isInteger(64))
        loaded = arith::ExtSIOp::create(b, location, b.getI64Type(), loaded);
      result->push_back(loaded);
    }
  }
  tensorElements[tensor] = *result;
  return result;
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

SmallVector<Value> HostProgram::dims(Value tensor) {
  tensor = hostValue(tensor);
  auto it = tensorDims.find(tensor);
  if (it != tensorDims.end())
    return it->second;
  SmallVector<Value> result;
  auto type = cast<RankedTensorType>(tensor.getType());
  assert(type.hasStaticShape() && "dims of a tensor that was not made yet");
  for (int64_t dim : type.getShape())
    result.push_back(code().i64(dim));
  return result;
}

LogicalResult HostProgram::computeDims(Operation *op) {
  if (isa<kernel::PackOp>(op))
    return success();
  if (!kernel::isKernel(op))
    return setDims(op);
  Block &body = op->getRegion(0).front();
  for (BlockArgument argument : body.getArguments()) {
    Value operand = op->getOperand(argument.getArgNumber());
    if (auto pack = operand.getDefiningOp<kernel::PackOp>())
      operand = pack.getOperands().front();
    tensorDims[argument] = dims(operand);
  }
  for (Operation &inner : body.without_terminator())
    if (failed(setDims(&inner)))
      return failure();
  for (auto [result, value] :
       llvm::zip_equal(op->getResults(), body.getTerminator()->getOperands()))
    tensorDims[hostValue(result)] = dims(value);
  return success();
}

LogicalResult HostProgram::setDims(Operation *op) {
  if (op->getNumResults() == 0)
    return success();
  DimPolicy policy(*this);
  requireOperandDims(op, policy);
  auto computed = resultDims(op, policy);
  // Those of a slice with unknown steps, which no kernel runs either.
  if (failed(computed))
    return refuse(op);
  if (policy.isUnknown)
    return op->emitOpError("has dims that only the device computes");
  for (DimPolicy::Need &need : policy.needs)
    require(need.condition, 1, need.text);
  CodeBuilder v = code();
  for (auto [result, resultDims] :
       llvm::zip_equal(op->getResults(), *computed)) {
    auto type = cast<RankedTensorType>(result.getType());
    assert(type.getRank() == static_cast<int64_t>(resultDims.size()) &&
           "types are verified");
    for (auto [i, dim] : llvm::enumerate(resultDims)) {
      if (type.isDynamicDim(i))
        continue;
      Value expected = v.i64(type.getDimSize(i));
      requireEqual(dim, expected,
                   "expects " + Twine(type.getDimSize(i)) +
                       " elements along axis " + Twine(i));
      dim = expected;
    }
    tensorDims[hostValue(result)] = resultDims;
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    Type element = getElementTypeOrSelf(op->getResult(0));
    requireEqual(byteCount(dims(reshape.getX()), element),
                 byteCount(dims(op->getResult(0)), element),
                 "a reshape changes the number of elements");
  }
  return success();
}
