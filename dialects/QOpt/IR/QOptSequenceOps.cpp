//===- QOptSequenceOps.cpp - Sequences and optionals ----------------------===//
//
// Their types, and what the conditions of the definitions ask.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

LogicalResult
OptionalType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                     Type element) {
  // optional_c1
  if (!isa<RankedTensorType, SequenceType>(element))
    return emitError() << "expects a tensor of known rank or a sequence, but "
                          "found "
                       << element;
  return success();
}

#define GET_TYPEDEF_CLASSES
#include "dialects/QOpt/IR/QOptTypes.cpp.inc"

std::optional<int64_t> qopt::findPosition(int64_t position, int64_t size,
                                          int64_t end) {
  if (position < -size || position >= end)
    return std::nullopt;
  return position < 0 ? position + size : position;
}

bool qopt::isSequenceOrOptional(Type type) {
  return isa<SequenceType, OptionalType>(type);
}

bool qopt::hasSequences(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), isSequenceOrOptional) ||
         llvm::any_of(op->getResultTypes(), isSequenceOrOptional);
}

void QOptDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/QOpt/IR/QOptTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

static TensorType elementOf(Value sequence) {
  return cast<SequenceType>(sequence.getType()).getElement();
}

static bool areAlike(TensorType a, TensorType b) {
  return a.getElementType() == b.getElementType() &&
         succeeded(verifyCompatibleShape(a, b));
}

static bool areElements(ValueRange tensors, Value sequence) {
  return llvm::all_of(tensors.getTypes(), [&](Type type) {
    return areAlike(cast<TensorType>(type), elementOf(sequence));
  });
}

static bool haveSameElements(Value a, Value b) {
  return areAlike(elementOf(a), elementOf(b));
}

static bool isPosition(Value position) {
  if (!position)
    return true;
  auto type = typeOf(position);
  return type.getRank() <= 1 && type.hasStaticShape() &&
         type.getNumElements() == 1;
}

/// True when the tensors of `sequence` are parts of `whole` along `axis`, with
/// that axis or without it.
static bool arePartsOf(Value whole, uint64_t axis, bool hasAxis,
                       Value sequence) {
  auto type = typeOf(whole);
  SmallVector<int64_t> shape(type.getShape());
  if (axis >= shape.size())
    return false;
  if (hasAxis)
    shape[axis] = ShapedType::kDynamic;
  else
    shape.erase(shape.begin() + axis);
  return areAlike(RankedTensorType::get(shape, type.getElementType()),
                  elementOf(sequence));
}

static bool isHeldBy(Value value, Value optional) {
  return !value ||
         value.getType() == cast<OptionalType>(optional.getType()).getElement();
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptSequenceOps.cpp.inc"

void QOptDialect::registerSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptSequenceOps.cpp.inc"
      >();
}
