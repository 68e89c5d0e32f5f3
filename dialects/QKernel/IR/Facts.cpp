//===- Facts.cpp - What is known of the values of operands ----------------===//
//
// Lists of integers are followed through shape arithmetic; of other tensors
// only constants are known. What no kernel asks for is not looked at: a bias
// has integers too.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using kernel::IntegersAttr;

//===----------------------------------------------------------------------===//
// The attributes
//===----------------------------------------------------------------------===//

LogicalResult
IntegersAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                     unsigned operand, int64_t min, int64_t max,
                     DenseI64ArrayAttr elements) {
  // integers_c1
  if (min > max)
    return emitError() << "expects min of at most max, but found " << min
                       << " and " << max;
  // integers_c2
  if (!elements)
    return success();
  ArrayRef<int64_t> list = elements.asArrayRef();
  if (list.empty() || static_cast<int64_t>(list.size()) > kMaxKnownIntegers ||
      *llvm::min_element(list) != min || *llvm::max_element(list) != max)
    return emitError() << "expects elements from min to max, but found "
                       << elements << " for " << min << " and " << max;
  return success();
}

LogicalResult kernel::verifyFacts(Operation *op, Attribute attribute) {
  // qkernel_c1
  auto facts = dyn_cast<ArrayAttr>(attribute);
  if (!facts || !llvm::all_of(facts, llvm::IsaPred<IntegersAttr>))
    return op->emitOpError("expects an array of #qkernel.integers in ")
           << kFactsAttrName << ", but found " << attribute;
  int64_t previous = -1;
  for (auto fact : facts.getAsRange<IntegersAttr>()) {
    int64_t operand = fact.getOperand();
    if (operand <= previous || operand >= op->getNumOperands())
      return op->emitOpError("expects facts in the order of its ")
             << op->getNumOperands() << " operands, but found one of operand "
             << operand;
    previous = operand;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

template <class T> static std::vector<int64_t> widen(const HostTensor &tensor) {
  ArrayRef<T> elements = tensor.as<T>();
  return {elements.begin(), elements.end()};
}

/// The numbers of a constant of integers; nothing for other types.
static std::vector<int64_t> readIntegers(ConstantOp constant) {
  auto type = cast<RankedTensorType>(constant.getType());
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element || element.getWidth() == 1)
    return {};
  llvm::Expected<HostTensor> tensor = readConstant(constant);
  if (!tensor) {
    llvm::consumeError(tensor.takeError());
    return {};
  }
  bool isUnsigned = element.isUnsigned();
  switch (element.getWidth()) {
  case 64:
    return isUnsigned ? std::vector<int64_t>() : widen<int64_t>(*tensor);
  case 32:
    return isUnsigned ? widen<uint32_t>(*tensor) : widen<int32_t>(*tensor);
  case 16:
    return isUnsigned ? widen<uint16_t>(*tensor) : widen<int16_t>(*tensor);
  case 8:
    return isUnsigned ? widen<uint8_t>(*tensor) : widen<int8_t>(*tensor);
  }
  std::vector<int64_t> numbers = widen<uint8_t>(*tensor);
  for (int64_t &number : numbers)
    number = integerOf(number, *elementFormatOf(element));
  return numbers;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static IntegersAttr describe(MLIRContext *context, unsigned operand,
                             ArrayRef<int64_t> numbers, bool isList) {
  if (numbers.empty())
    return {};
  bool isShort =
      isList && static_cast<int64_t>(numbers.size()) <= kMaxKnownIntegers;
  return IntegersAttr::get(context, operand, *llvm::min_element(numbers),
                           *llvm::max_element(numbers),
                           isShort ? DenseI64ArrayAttr::get(context, numbers)
                                   : DenseI64ArrayAttr());
}

static IntegersAttr findIntegersOf(OpOperand &operand) {
  Value tensor = operand.get();
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  MLIRContext *context = tensor.getContext();
  unsigned number = operand.getOperandNumber();
  auto type = cast<RankedTensorType>(tensor.getType());
  bool isList = type.getRank() <= 1 && (type.getElementType().isInteger(64) ||
                                        type.getElementType().isInteger(32));
  if (isList)
    if (auto known = getAllKnownIntegers(tensor))
      return describe(context, number, *known, /*isList=*/true);
  if (auto constant = tensor.getDefiningOp<ConstantOp>())
    return describe(context, number, readIntegers(constant), isList);
  return {};
}

IntegersAttr kernel::findIntegers(Operation *op, Value tensor) {
  for (OpOperand &operand : op->getOpOperands())
    if (operand.get() == tensor)
      return findIntegersOf(operand);
  return {};
}

/// The tensors whose integers kernels ask for: operands of `op`, a qopt op.
static SmallVector<Value> askedOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
      .Case([](SliceOp slice) -> SmallVector<Value> {
        return {slice.getSteps()};
      })
      .Case([](GatherOp gather) -> SmallVector<Value> {
        return {gather.getIndices()};
      })
      .Case([](ShiftOp shift) -> SmallVector<Value> {
        return {shift.getAmount()};
      })
      .Case([](MatMulOp product) {
        SmallVector<Value> zeros(product.getLhsZeros());
        llvm::append_range(zeros, product.getRhsZeros());
        return zeros;
      })
      .Case([](ConvOp conv) {
        SmallVector<Value> zeros(conv.getXZeros());
        llvm::append_range(zeros, conv.getWZeros());
        return zeros;
      })
      .Default([](Operation *) { return SmallVector<Value>(); });
}

ArrayAttr kernel::findFacts(Operation *op) {
  llvm::SetVector<unsigned> asked;
  auto askFor = [&](Operation *reader) {
    for (Value tensor : askedOf(reader)) {
      auto argument = dyn_cast_or_null<BlockArgument>(tensor);
      if (reader != op && argument)
        asked.insert(argument.getArgNumber());
      for (OpOperand &operand : op->getOpOperands())
        if (reader == op && operand.get() == tensor)
          asked.insert(operand.getOperandNumber());
    }
  };
  if (isKernel(op))
    for (Operation &inner : op->getRegion(0).front())
      askFor(&inner);
  else
    askFor(op);
  SmallVector<unsigned> operands(asked.begin(), asked.end());
  llvm::sort(operands);
  SmallVector<Attribute> facts;
  for (unsigned operand : operands)
    if (IntegersAttr fact = findIntegersOf(op->getOpOperand(operand)))
      facts.push_back(fact);
  return facts.empty() ? ArrayAttr() : ArrayAttr::get(op->getContext(), facts);
}

IntegersAttr kernel::getFact(Operation *op, Value tensor) {
  auto facts = op->getAttrOfType<ArrayAttr>(kFactsAttrName);
  if (!facts)
    return {};
  auto argument = dyn_cast<BlockArgument>(tensor);
  bool isInside = argument && argument.getOwner()->getParentOp() == op;
  for (auto fact : facts.getAsRange<IntegersAttr>())
    if (isInside ? argument.getArgNumber() == fact.getOperand()
                 : op->getOperand(fact.getOperand()) == tensor)
      return fact;
  return {};
}
