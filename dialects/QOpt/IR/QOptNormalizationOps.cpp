//===- QOptNormalizationOps.cpp - Norms, softmax, pools, sums -------------===//
//
// Generated definitions and the checks of reductions and windows.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/VerifyTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;

LogicalResult ReduceOp::verify() {
  int64_t rank = cast<RankedTensorType>(getX().getType()).getRank();
  // reduce_c1
  int64_t previous = -1;
  for (int64_t axis : getAxes()) {
    if (axis <= previous || axis >= rank)
      return emitOpError("expects ascending axes below ")
             << rank << ", but found [" << getAxes() << "]";
    previous = axis;
  }
  return success();
}

LogicalResult HadamardOp::verify() {
  int64_t block = getBlock();
  // hadamard_c1
  if (block < 2 || block > 4096 || !llvm::isPowerOf2_64(block))
    return emitOpError("expects a block that is a power of two from 2 to 4096, "
                       "but found ")
           << block;
  // hadamard_c2
  auto type = cast<RankedTensorType>(getX().getType());
  if (!type.getElementType().isF32() || type.getRank() == 0 ||
      type.isDynamicDim(type.getRank() - 1) ||
      type.getShape().back() % block != 0)
    return emitOpError("expects elements of f32 and a last dim that is a "
                       "multiple of ")
           << block << ", but found " << type;
  return success();
}

/// Checks the numbers that say where the windows of `pool` are; each of `steps`
/// has one for each spatial axis.
template <class Pool>
static LogicalResult verifyWindows(Pool pool,
                                   ArrayRef<ArrayRef<int64_t>> steps) {
  int64_t rank = cast<RankedTensorType>(pool.getX().getType()).getRank();
  auto result = cast<RankedTensorType>(pool.getResult().getType());
  // average_pool_c1, max_pool_c1
  if (rank < 3 || result.getRank() != rank)
    return pool.emitOpError("expects x and a result of one rank, 3 or more, "
                            "but found ")
           << rank << " and " << result.getRank();
  // average_pool_c2, max_pool_c2
  size_t spatial = rank - 2;
  for (ArrayRef<int64_t> values : steps)
    if (values.size() != spatial)
      return pool.emitOpError("expects numbers for ")
             << spatial << " spatial axes, but found [" << values << "]";
  if (pool.getPads().size() != 2 * spatial)
    return pool.emitOpError("expects ")
           << 2 * spatial << " pads, but found [" << pool.getPads() << "]";
  // average_pool_c3, max_pool_c3
  for (ArrayRef<int64_t> values : steps)
    for (int64_t value : values)
      if (value < 1 || value > kMaxWindow)
        return pool.emitOpError("expects sizes, strides and dilations "
                                "from 1 to 2^30, but found ")
               << value;
  for (int64_t pad : pool.getPads())
    if (pad < 0 || pad > kMaxWindow)
      return pool.emitOpError("expects pads from 0 to 2^30, but found ") << pad;
  return success();
}

LogicalResult AveragePoolOp::verify() {
  return verifyWindows(*this, {getKernel(), getStrides()});
}

LogicalResult MaxPoolOp::verify() {
  return verifyWindows(*this, {getKernel(), getStrides(), getDilations()});
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptNormalizationOps.cpp.inc"

void QOptDialect::registerNormalizationOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptNormalizationOps.cpp.inc"
      >();
}
