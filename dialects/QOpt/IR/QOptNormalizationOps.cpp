//===- QOptNormalizationOps.cpp - Norms, softmax, pools, sums -------------===//
//
// Generated definitions and the checks of reductions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;

LogicalResult ReduceOp::verify() {
  static constexpr StringLiteral kinds[] = {"sum", "mean", "max",
                                            "min", "prod", "l2"};
  if (!llvm::is_contained(kinds, getKind()))
    return emitOpError("expects kind sum, mean, max, min, prod or l2, but found ")
           << getKind();
  int64_t rank = cast<RankedTensorType>(getX().getType()).getRank();
  int64_t previous = -1;
  for (int64_t axis : getAxes()) {
    if (axis <= previous || axis >= rank)
      return emitOpError("expects ascending axes below ")
             << rank << ", but found [" << getAxes() << "]";
    previous = axis;
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptNormalizationOps.cpp.inc"

void QOptDialect::registerNormalizationOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptNormalizationOps.cpp.inc"
      >();
}
