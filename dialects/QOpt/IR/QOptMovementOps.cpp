//===- QOptMovementOps.cpp - Data movement and shapes ---------------------===//
//
// Generated definitions and the checks of permutations.
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
  if (static_cast<int64_t>(perm.size()) != rank || !seen.all())
    return emitOpError("expects a permutation of ")
           << rank << " axes, but found [" << perm << "]";
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
