//===- QOptMovementOps.cpp - Data movement and shapes ---------------------===//
//
// Generated definitions and the checks of axes and ranks.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace qopt;

LogicalResult TransposeOp::verify() {
  int64_t rank = cast<RankedTensorType>(getX().getType()).getRank();
  ArrayRef<int64_t> perm = getPerm();
  llvm::SmallBitVector seen(rank);
  for (int64_t axis : perm)
    if (axis >= 0 && axis < rank)
      seen.set(axis);
  // transpose_c1
  if (static_cast<int64_t>(perm.size()) != rank || !seen.all())
    return emitOpError("expects a permutation of ")
           << rank << " axes, but found [" << perm << "]";
  return success();
}

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

LogicalResult SliceOp::verify() {
  int64_t rank = rankOf(getX());
  ArrayRef<int64_t> axes = getAxes();
  // slice_c1
  llvm::SmallBitVector seen(rank);
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= rank || seen.test(axis))
      return emitOpError("expects different axes below ")
             << rank << ", but found [" << axes << "]";
    seen.set(axis);
  }
  // slice_c2
  for (Value numbers : {getStarts(), getEnds(), getSteps()}) {
    if (!numbers)
      continue;
    auto type = cast<RankedTensorType>(numbers.getType());
    if (type.getShape() != ArrayRef<int64_t>(axes.size()))
      return emitOpError("expects starts, ends and steps for ")
             << axes.size() << " axes, but found " << type;
  }
  // slice_c3
  if (rankOf(getResult()) != rank)
    return emitOpError("expects a result of rank ")
           << rank << ", but found " << getResult().getType();
  return success();
}

LogicalResult ConcatOp::verify() {
  // concat_c1
  if (getInputs().empty())
    return emitOpError("expects one input or more");
  auto first = cast<RankedTensorType>(getInputs().front().getType());
  int64_t rank = first.getRank(), axis = getAxis();
  // concat_c2
  for (Type type : getOperation()->getOperandTypes())
    if (cast<RankedTensorType>(type).getRank() != rank)
      return emitOpError("expects inputs of rank ")
             << rank << ", but found " << type;
  if (rankOf(getResult()) != rank)
    return emitOpError("expects a result of rank ")
           << rank << ", but found " << getResult().getType();
  // concat_c3
  if (axis < 0 || axis >= rank)
    return emitOpError("expects an axis from 0 and below ")
           << rank << ", but found " << axis;
  // concat_c4
  for (Type type : getOperation()->getOperandTypes())
    for (int64_t i = 0; i < rank; ++i)
      if (int64_t a = first.getDimSize(i),
          b = cast<RankedTensorType>(type).getDimSize(i);
          i != axis && !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) &&
          a != b)
        return emitOpError("expects equal dims on axis ")
               << i << ", but found " << a << " and " << b;
  return success();
}

LogicalResult GatherOp::verify() {
  int64_t rank = rankOf(getX()), axis = getAxis();
  // gather_c1
  if (axis < 0 || axis >= rank)
    return emitOpError("expects an axis from 0 and below ")
           << rank << ", but found " << axis;
  // gather_c2
  int64_t expected = rank - 1 + rankOf(getIndices());
  if (rankOf(getResult()) != expected)
    return emitOpError("expects a result of rank ")
           << expected << ", but found " << getResult().getType();
  return success();
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptMovementOps.cpp.inc"

void QOptDialect::registerMovementOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptMovementOps.cpp.inc"
      >();
}
