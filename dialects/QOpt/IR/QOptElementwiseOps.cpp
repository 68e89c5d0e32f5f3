//===- QOptElementwiseOps.cpp - Element-wise ops --------------------------===//
//
// Generated definitions; element-wise ops have no checks beyond their types.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"

using namespace mlir;
using namespace qopt;

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptElementwiseOps.cpp.inc"

void QOptDialect::registerElementwiseOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptElementwiseOps.cpp.inc"
      >();
}
