//===- ScalarOps.cpp - Numbers that control flow asks for -----------------===//
//
// The few ops of upstream's arith and tensor that conditions and counters are
// made with. A scalar is a tensor of rank 0.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Evaluation.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Expected;

static Expected<HostTensor> makeScalar(Operation *op, int64_t value) {
  auto type = getHostElementType(op->getResult(0).getType());
  if (!type || !(isInteger(*type) || *type == ElementType::BOOL))
    return makeOpError(op, ExitCode::Unsupported,
                       "has no reference evaluation for its type");
  Expected<HostTensor> scalar = HostTensor::allocate(*type, {});
  if (scalar)
    writeInteger(*scalar, 0, *type == ElementType::BOOL ? value & 1 : value);
  return scalar;
}

/// The number of a scalar; true is -1, as for all signed numbers of one bit.
static int64_t readScalar(const HostTensor &scalar) {
  int64_t number = readInteger(scalar, 0);
  return scalar.getType() == ElementType::BOOL ? -number : number;
}

static Expected<HostTensor> extract(tensor::ExtractOp op,
                                    ArrayRef<HostTensor> operands) {
  const HostTensor &from = operands.front();
  int64_t offset = 0;
  for (auto [i, index] : llvm::enumerate(operands.drop_front())) {
    int64_t at = readInteger(index, 0), size = from.getDims()[i];
    if (at < 0 || at >= size)
      return makeOpError(op, ExitCode::BadData,
                         "index " + Twine(at) + " is outside an axis of " +
                             Twine(size));
    offset = offset * size + at;
  }
  unsigned bytes = getBytesPerElement(from.getType());
  return HostTensor::copy(from.getType(), {},
                          from.getBytes().slice(offset * bytes, bytes));
}

static Expected<HostTensor> join(tensor::FromElementsOp op,
                                 ArrayRef<HostTensor> operands) {
  auto type = op.getType();
  auto elementType = getHostElementType(type.getElementType());
  if (!elementType)
    return makeOpError(op, ExitCode::Unsupported,
                       "has a result of an unknown element type");
  Expected<HostTensor> result =
      HostTensor::allocate(*elementType, type.getShape());
  if (!result)
    return result;
  unsigned bytes = getBytesPerElement(*elementType);
  for (auto [i, operand] : llvm::enumerate(operands))
    std::memcpy(result->getMutableData() + i * bytes, operand.getData(), bytes);
  return result;
}

static bool compare(arith::CmpIPredicate predicate, int64_t a, int64_t b) {
  // Signs are kept by widening, so the order of unsigned numbers is, too.
  uint64_t x = a, y = b;
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  case arith::CmpIPredicate::sge:
    return a >= b;
  case arith::CmpIPredicate::ult:
    return x < y;
  case arith::CmpIPredicate::ule:
    return x <= y;
  case arith::CmpIPredicate::ugt:
    return x > y;
  case arith::CmpIPredicate::uge:
    return x >= y;
  }
  llvm_unreachable("all predicates are above");
}

static Expected<HostTensor> evaluateOne(Operation *op,
                                        ArrayRef<HostTensor> operands) {
  auto number = [&](unsigned i) { return readScalar(operands[i]); };
  return llvm::TypeSwitch<Operation *, Expected<HostTensor>>(op)
      .Case([&](tensor::ExtractOp extracted) {
        return extract(extracted, operands);
      })
      .Case(
          [&](tensor::FromElementsOp joined) { return join(joined, operands); })
      .Case([&](arith::ConstantOp constant) -> Expected<HostTensor> {
        if (auto elements = dyn_cast<ElementsAttr>(constant.getValue()))
          return readElements(elements);
        auto value = dyn_cast<IntegerAttr>(constant.getValue());
        if (!value)
          return makeOpError(op, ExitCode::Unsupported,
                             "has no reference evaluation for its type");
        return makeScalar(op, value.getValue().isSingleWord()
                                  ? value.getValue().getSExtValue()
                                  : 0);
      })
      .Case([&](arith::IndexCastOp) { return makeScalar(op, number(0)); })
      .Case([&](arith::AddIOp) {
        return makeScalar(op, static_cast<uint64_t>(number(0)) +
                                  static_cast<uint64_t>(number(1)));
      })
      .Case(
          [&](arith::AndIOp) { return makeScalar(op, number(0) & number(1)); })
      .Case([&](arith::OrIOp) { return makeScalar(op, number(0) | number(1)); })
      .Case(
          [&](arith::XOrIOp) { return makeScalar(op, number(0) ^ number(1)); })
      .Case([&](arith::CmpIOp comparison) {
        return makeScalar(
            op, compare(comparison.getPredicate(), number(0), number(1)));
      })
      .Default([&](Operation *) -> Expected<HostTensor> {
        return makeOpError(op, ExitCode::Unsupported,
                           "has no reference evaluation");
      });
}

Expected<SmallVector<HostTensor>>
reference::evaluateScalarOp(Operation *op, ArrayRef<HostTensor> operands) {
  Expected<HostTensor> result = evaluateOne(op, operands);
  if (!result)
    return result.takeError();
  return SmallVector<HostTensor>{std::move(*result)};
}
