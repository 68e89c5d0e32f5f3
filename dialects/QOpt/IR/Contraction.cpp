//===- Contraction.cpp - What sums of products have in common -------------===//
//
// The interfaces, and which axes each op sums along. Nothing here relies on the
// op's verifier: kernels ask for their roots before the ops inside are checked.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"

using namespace mlir;
using namespace qopt;

#include "dialects/QOpt/IR/QOptInterfaces.cpp.inc"

//===----------------------------------------------------------------------===//
// Roles of axes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> qopt::findAxes(ArrayRef<unsigned> roles, AxisRole role) {
  SmallVector<int64_t> axes;
  for (auto [axis, all] : llvm::enumerate(roles))
    if (all & role)
      axes.push_back(axis);
  return axes;
}

static int64_t findFirst(ArrayRef<unsigned> roles, AxisRole role) {
  SmallVector<int64_t> axes = findAxes(roles, role);
  return axes.empty() ? -1 : axes.front();
}

int64_t ContractionOperand::getOutputAxis() const {
  return findFirst(axes, kOutputAxis);
}

int64_t Contraction::getResultOutputAxis() const {
  return findFirst(resultAxes, kOutputAxis);
}

bool Contraction::isDepthwise() const {
  if (group <= 1)
    return false;
  auto isOf = [](const ContractionOperand &side, int64_t channels) {
    int64_t axis = findFirst(side.axes, kProductAxis);
    return axis < side.getType().getRank() &&
           side.getType().getDimSize(axis) == channels;
  };
  // Either of the two can be open.
  return isOf(rhs, 1) || isOf(lhs, group);
}

std::optional<int64_t> Contraction::countProducts() const {
  int64_t count = 1;
  for (int64_t axis : rhs.getSummedAxes()) {
    int64_t dim = rhs.getType().getDimSize(axis);
    // The only axis of a product has the same dim on both sides.
    if (ShapedType::isDynamic(dim) && !isConvolution)
      dim = lhs.getType().getDimSize(lhs.getProductAxis());
    if (ShapedType::isDynamic(dim))
      return std::nullopt;
    count *= dim;
  }
  return count;
}

/// Leading axes of a matrix, then its last two.
static AxisRoles matrixAxes(int64_t rank, unsigned first, unsigned second) {
  AxisRoles axes(std::max<int64_t>(rank - 2, 0), kBatchAxis);
  axes.append({first, second});
  return axes;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static int64_t rankOf(Value tensor) { return typeOf(tensor).getRank(); }

static void copyPlan(Operation *from, Operation *to) {
  if (Attribute request = from->getAttr(kRequestAttrName))
    to->setAttr(kRequestAttrName, request);
}

SmallVector<ScaledTensor> MatMulOp::getScaledTensors() {
  return {{getLhs(), getLhsScales(), getLhsZeros(), getLhsFormatAttr(),
           getLhsFormatAttrName()},
          {getRhs(), getRhsScales(), getRhsZeros(), getRhsFormatAttr(),
           getRhsFormatAttrName()}};
}

Contraction MatMulOp::getContraction() {
  SmallVector<ScaledTensor> sides = getScaledTensors();
  // A row has no M, a column no N.
  bool isRow = rankOf(getLhs()) <= 1, isColumn = rankOf(getRhs()) <= 1;
  AxisRoles lhs = matrixAxes(rankOf(getLhs()), kRowAxis, kProductAxis);
  AxisRoles rhs = matrixAxes(rankOf(getRhs()), kProductAxis, kOutputAxis);
  AxisRoles result(std::max<int64_t>(std::max(lhs.size(), rhs.size()) - 2, 0),
                   kBatchAxis);
  if (isRow)
    lhs = {kProductAxis};
  else
    result.push_back(kRowAxis);
  if (isColumn)
    rhs = {kProductAxis};
  else
    result.push_back(kOutputAxis);
  return {{sides[0], &getLhsMutable(), lhs},
          {sides[1], &getRhsMutable(), rhs},
          /*bias=*/nullptr,
          result};
}

Value MatMulOp::rebuild(OpBuilder &builder, Type resultType,
                        const ScaledTensor &lhs, const ScaledTensor &rhs,
                        Value bias) {
  assert(!bias && "a product has no bias");
  auto made = MatMulOp::create(builder, getLoc(), resultType, lhs.tensor,
                               lhs.scales, lhs.zeros, rhs.tensor, rhs.scales,
                               rhs.zeros, lhs.format, rhs.format);
  copyPlan(*this, made);
  return made.getResult();
}

KernelFamily MatMulOp::getKernelFamily() { return KernelFamily::Contract; }

OpOperand *MatMulOp::getPrologueOperand() {
  return rankOf(getRhs()) > 1 ? &getLhsMutable() : nullptr;
}

Contraction GemmOp::getContraction() {
  auto axesOf = [](bool isTransposed, unsigned first, unsigned second) {
    return isTransposed ? AxisRoles{second, first} : AxisRoles{first, second};
  };
  MutableOperandRange bias = getCMutable();
  return {
      {{getA()}, &getAMutable(), axesOf(getTransA(), kRowAxis, kProductAxis)},
      {{getB()},
       &getBMutable(),
       axesOf(getTransB(), kProductAxis, kOutputAxis)},
      bias.empty() ? nullptr : &bias[0],
      {kRowAxis, kOutputAxis}};
}

bool GemmOp::takesCodes() { return false; }

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

SmallVector<ScaledTensor> ConvOp::getScaledTensors() {
  return {{getX(), getXScales(), getXZeros(), getXFormatAttr(),
           getXFormatAttrName()},
          {getW(), getWScales(), getWZeros(), getWFormatAttr(),
           getWFormatAttrName()}};
}

Contraction ConvOp::getContraction() {
  SmallVector<ScaledTensor> sides = getScaledTensors();
  size_t image = std::max<int64_t>(rankOf(getX()) - 2, 0);
  size_t window = std::max<int64_t>(rankOf(getW()) - 2, 0);
  AxisRoles x{kRowAxis, kProductAxis}, w{kOutputAxis, kProductAxis},
      result{kRowAxis, kOutputAxis};
  x.append(image, kRowAxis | kProductAxis);
  w.append(window, kProductAxis);
  result.append(image, kRowAxis);
  MutableOperandRange bias = getBiasMutable();
  return {{sides[0], &getXMutable(), x},
          {sides[1], &getWMutable(), w},
          bias.empty() ? nullptr : &bias[0],
          result,
          static_cast<int64_t>(getGroup()),
          /*isConvolution=*/true};
}

Value ConvOp::rebuild(OpBuilder &builder, Type resultType,
                      const ScaledTensor &lhs, const ScaledTensor &rhs,
                      Value bias) {
  auto made = ConvOp::create(
      builder, getLoc(), resultType, lhs.tensor, lhs.scales, lhs.zeros,
      rhs.tensor, rhs.scales, rhs.zeros, bias, getStrides(), getPads(),
      getDilations(), getGroup(), lhs.format, rhs.format);
  copyPlan(*this, made);
  return made.getResult();
}

KernelFamily ConvOp::getKernelFamily() {
  return getContraction().isDepthwise() ? KernelFamily::DepthwiseConv
                                        : KernelFamily::Contract;
}

OpOperand *ConvOp::getPrologueOperand() { return nullptr; }

//===----------------------------------------------------------------------===//
// Other roots, and other ops with scales
//===----------------------------------------------------------------------===//

KernelFamily AttentionOp::getKernelFamily() { return KernelFamily::Attention; }

static bool isLastAxis(int64_t axis, Value x) {
  int64_t rank = rankOf(x);
  return rank > 0 && countFromFront(axis, rank) == rank - 1;
}

bool LayerNormOp::makesWholeRows() { return isLastAxis(getAxis(), getX()); }
bool SoftmaxOp::makesWholeRows() { return isLastAxis(getAxis(), getX()); }
bool HadamardOp::makesWholeRows() { return true; }

SmallVector<ScaledTensor> QuantizeOp::getScaledTensors() {
  return {
      {getX(), getScales(), getZeros(), getFormatAttr(), getFormatAttrName()}};
}

SmallVector<ScaledTensor> DequantizeOp::getScaledTensors() {
  return {{getCodes(), getScales(), getZeros(), getFormatAttr(),
           getFormatAttrName()}};
}
