//===- QOptLoopOps.cpp - Ops that are one nest of loops -------------------===//
//
// What the conditions of the definitions ask.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"

using namespace mlir;
using namespace qopt;

static bool isOneNumber(Value value) {
  auto type = typeOf(value);
  return type.getRank() <= 1 && type.hasStaticShape() &&
         type.getNumElements() == 1;
}

static bool isListOf(Value value, int64_t count) {
  return count <= kMaxKnownIntegers &&
         typeOf(value).getShape() == ArrayRef<int64_t>(count);
}

/// True when the last axis of `indices` has positions on the axes from `batch`
/// on of a tensor of `rank`.
static bool isTupleOf(Value indices, int64_t rank, uint64_t batch) {
  auto type = typeOf(indices);
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return false;
  int64_t size = type.getShape().back();
  return size >= 1 && size <= rank && batch <= uint64_t(rank - size) &&
         batch < uint64_t(type.getRank());
}

static bool isReal(Value value) {
  Type element = typeOf(value).getElementType();
  return element.isF32() || element.isF16() || element.isBF16();
}

static bool isNumber(Value value) {
  Type element = typeOf(value).getElementType();
  return isReal(value) || element.isF64() ||
         (element.isInteger() && element.getIntOrFloatBitWidth() >= 8);
}

static bool areF32(std::initializer_list<Value> values) {
  return llvm::all_of(values, [](Value value) {
    return typeOf(value).getElementType().isF32();
  });
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptLoopOps.cpp.inc"

void QOptDialect::registerLoopOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptLoopOps.cpp.inc"
      >();
}
