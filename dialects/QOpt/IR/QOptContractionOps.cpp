//===- QOptContractionOps.cpp - Sums over products ------------------------===//
//
// Generated definitions and the checks of ranks, dims and formats.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/VerifyTypes.h"

using namespace mlir;
using namespace qopt;

static bool differ(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

/// Checks that blocked operands come with scales and a format.
static LogicalResult verifyScales(Operation *op, StringRef side,
                                  ValueRange scales,
                                  std::optional<FormatAttr> format) {
  // matmul_c3, conv_c6
  if (!scales.empty() && !format)
    return op->emitOpError("expects a format for the scales of ") << side;
  // matmul_c4, conv_c8
  if (format && scales.empty() && format->isBlocked())
    return op->emitOpError("expects scales beside the blocked codes of ")
           << side;
  return success();
}

/// Checks that each zero of an integer sum, which has no scales, is one number.
static LogicalResult verifyZeros(Operation *op, StringRef side,
                                 ValueRange zeros) {
  // matmul_c5, conv_c9
  if (!getElementTypeOrSelf(op->getResult(0)).isInteger())
    return success();
  for (Value zero : zeros) {
    auto type = cast<RankedTensorType>(zero.getType());
    if (llvm::any_of(type.getShape(), [](int64_t dim) { return dim != 1; }))
      return op->emitOpError(
                 "expects a zero with one element for the codes of ")
             << side << ", but found " << type;
  }
  return success();
}

LogicalResult MatMulOp::verify() {
  auto lhs = cast<RankedTensorType>(getLhs().getType());
  auto rhs = cast<RankedTensorType>(getRhs().getType());
  // matmul_c1
  if (lhs.getRank() < 1 || rhs.getRank() < 1)
    return emitOpError("expects operands of rank 1 or more");
  // matmul_c2
  int64_t lhsK = lhs.getDimSize(lhs.getRank() - 1);
  int64_t rhsK = rhs.getDimSize(rhs.getRank() == 1 ? 0 : rhs.getRank() - 2);
  if (differ(lhsK, rhsK))
    return emitOpError("expects equal reduction dims, but found ")
           << lhsK << " and " << rhsK;
  if (failed(verifyScales(*this, "lhs", getLhsScales(), getLhsFormat())) ||
      failed(verifyScales(*this, "rhs", getRhsScales(), getRhsFormat())) ||
      failed(verifyZeros(*this, "lhs", getLhsZeros())) ||
      failed(verifyZeros(*this, "rhs", getRhsZeros())))
    return failure();
  return success();
}

LogicalResult ConvOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto w = cast<RankedTensorType>(getW().getType());
  int64_t spatial = x.getRank() - 2;
  // conv_c1
  if (spatial < 1 || spatial > 2 || w.getRank() != x.getRank())
    return emitOpError("expects x and w of rank 3 or 4, but found ")
           << x.getRank() << " and " << w.getRank();
  // conv_c2
  if (static_cast<int64_t>(getStrides().size()) != spatial ||
      static_cast<int64_t>(getDilations().size()) != spatial ||
      static_cast<int64_t>(getPads().size()) != 2 * spatial)
    return emitOpError("expects ") << spatial << " strides and dilations and "
                                   << 2 * spatial << " pads";
  // conv_c3
  for (int64_t stride :
       llvm::concat<const int64_t>(getStrides(), getDilations()))
    if (stride < 1 || stride > kMaxWindow)
      return emitOpError("expects strides and dilations from 1 to 2^30, but "
                         "found ")
             << stride;
  for (int64_t pad : getPads())
    if (pad < 0 || pad > kMaxWindow)
      return emitOpError("expects pads from 0 to 2^30, but found ") << pad;
  // conv_c4
  int64_t group = getGroup(), outputs = w.getDimSize(0);
  if (group < 1 || (!ShapedType::isDynamic(outputs) && outputs % group != 0))
    return emitOpError("expects a group that divides ")
           << outputs << " output channels, but found " << group;
  // conv_c5
  if (!ShapedType::isDynamic(w.getDimSize(1)) &&
      differ(x.getDimSize(1), w.getDimSize(1) * group))
    return emitOpError("expects ")
           << w.getDimSize(1) * group << " input channels, but found "
           << x.getDimSize(1);
  if (failed(verifyScales(*this, "x", getXScales(), getXFormat())) ||
      failed(verifyScales(*this, "w", getWScales(), getWFormat())) ||
      failed(verifyZeros(*this, "x", getXZeros())) ||
      failed(verifyZeros(*this, "w", getWZeros())))
    return failure();
  return success();
}

LogicalResult GemmOp::verify() {
  auto a = cast<RankedTensorType>(getA().getType());
  auto b = cast<RankedTensorType>(getB().getType());
  // gemm_c1
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOpError("expects matrices, but found ranks ")
           << a.getRank() << " and " << b.getRank();
  // gemm_c2
  int64_t aK = a.getDimSize(getTransA() ? 0 : 1);
  int64_t bK = b.getDimSize(getTransB() ? 1 : 0);
  if (differ(aK, bK))
    return emitOpError("expects equal reduction dims, but found ")
           << aK << " and " << bK;
  return success();
}

LogicalResult AttentionOp::verify() {
  auto q = cast<RankedTensorType>(getQuery().getType());
  auto k = cast<RankedTensorType>(getKey().getType());
  auto v = cast<RankedTensorType>(getValue().getType());
  // attention_c1
  if (q.getRank() < 2 || k.getRank() != q.getRank() ||
      v.getRank() != q.getRank())
    return emitOpError("expects query, key and value of one rank, 2 or more");
  // attention_c2
  int64_t last = q.getRank() - 1;
  if (differ(q.getDimSize(last), k.getDimSize(last)))
    return emitOpError("expects equal head sizes of query and key, but found ")
           << q.getDimSize(last) << " and " << k.getDimSize(last);
  // attention_c3
  if (differ(k.getDimSize(last - 1), v.getDimSize(last - 1)))
    return emitOpError("expects as many values as keys, but found ")
           << v.getDimSize(last - 1) << " and " << k.getDimSize(last - 1);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptContractionOps.cpp.inc"

void QOptDialect::registerContractionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptContractionOps.cpp.inc"
      >();
}
