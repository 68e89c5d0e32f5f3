//===- GroupedContract.cpp - Products whose operands have scales ----------===//
//
// One kernel for all formats: operands are decoded to signed bytes where sums
// of groups stay exact, else to f32; scales are applied once a group.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractLanes.h"
#include "GroupedContractSources.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

GroupedOperand x86::lhsOf(MatMulOp op) {
  return {op.getLhs(), op.getLhsScales(), op.getLhsZeros(), op.getLhsFormat()};
}
GroupedOperand x86::rhsOf(MatMulOp op) {
  return {op.getRhs(), op.getRhsScales(), op.getRhsZeros(), op.getRhsFormat()};
}
GroupedOperand x86::lhsOf(ConvOp op) {
  return {op.getX(), op.getXScales(), op.getXZeros(), op.getXFormat()};
}
GroupedOperand x86::rhsOf(ConvOp op) {
  return {op.getW(), op.getWScales(), op.getWZeros(), op.getWFormat()};
}

static std::optional<GroupShape> groupsOf(const Tier &tier, MatMulOp op) {
  GroupedOperand lhs = lhsOf(op), rhs = rhsOf(op);
  int64_t lhsAxis = lhs.type().getRank() - 1;
  int64_t rhsAxis = rhs.type().getRank() - 2;
  std::optional<GroupShape> groups =
      groupShapeOf(tier, lhs, lhsAxis, rhs, rhsAxis);
  if (!groups)
    return groups;
  std::optional<int64_t> depth;
  for (int64_t dim :
       {lhs.type().getDimSize(lhsAxis), rhs.type().getDimSize(rhsAxis)})
    if (!ShapedType::isDynamic(dim))
      depth = dim;
  // Lanes are packed in chunks, so a group begins with one.
  if (depth && *depth <= groups->block)
    groups->block = kOneBlock;
  if (groups->block % IntegerLanes::kDepthInChunk == 0)
    useIntegers(lhs, rhs, depth, *groups);
  return groups;
}

static std::optional<GroupShape> groupsOf(const Tier &tier, ConvOp op) {
  GroupedOperand x = lhsOf(op), w = rhsOf(op);
  std::optional<GroupShape> groups = convGroupShapeOf(tier, x, w);
  if (!groups || !w.zeros.empty())
    return groups;
  ArrayRef<int64_t> dims = w.type().getShape();
  int64_t length = groups->block == kOneBlock
                       ? ShapedType::getNumElements(dims.drop_front())
                       : dims[1];
  if (dims[1] <= groups->block)
    groups->block = llvm::alignTo(groups->block, kElementsInWord);
  if (groups->block % kElementsInWord == 0)
    useIntegers(x, w, length, *groups);
  return groups;
}

std::optional<GroupShape> x86::groupsOf(const Tier &tier, Operation *product) {
  if (auto conv = dyn_cast<ConvOp>(product))
    return ::groupsOf(tier, conv);
  return ::groupsOf(tier, cast<MatMulOp>(product));
}

/// True when zeros differ along an axis.
static bool varyAlong(ValueRange zeros, int64_t axis) {
  return llvm::any_of(zeros, [&](Value zero) {
    auto type = cast<RankedTensorType>(zero.getType());
    return axis < type.getRank() && type.getDimSize(axis) != 1;
  });
}

static StringRef reject(MatMulOp op, const GroupedOperand &lhs,
                        const GroupedOperand &rhs) {
  if (lhs.type().getRank() < 2 || rhs.type().getRank() < 2)
    return "codes with scales are no matrices";
  if (varyAlong(lhs.zeros, lhs.type().getRank() - 1))
    return "zeros of lhs differ along k";
  return "";
}

static StringRef reject(ProgramEmitter &program, ConvOp op,
                        const GroupedOperand &x, const GroupedOperand &w) {
  if (!program.constantOf(op.getW()))
    return "the weight is not constant";
  if (!x.zeros.empty())
    return "the input has zeros";
  if (varyAlong(w.zeros, 1) && w.blockAlong(1) % kLanes != 0)
    return "blocks with zeros are no multiples of 16";
  int64_t channels = w.type().getDimSize(1);
  if (op.getGroup() > 1 && x.blockAlong(1) && channels % x.blockAlong(1) != 0)
    return "blocks of the input cross groups of channels";
  return "";
}

static LogicalResult fail(Operation *op, StringRef reason) {
  return op->emitOpError("has no kernel: ") << reason;
}

LogicalResult x86::emitGroupedContract(ProgramEmitter &program, Operation *op) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  auto conv = dyn_cast<ConvOp>(root);
  GroupedOperand lhs = product ? lhsOf(product) : lhsOf(conv);
  GroupedOperand rhs = product ? rhsOf(product) : rhsOf(conv);
  if (!lhs.isSupported() || !rhs.isSupported())
    return fail(op, "operands are neither f32 nor codes of at most 8 bits");
  StringRef reason =
      product ? reject(product, lhs, rhs) : reject(program, conv, lhs, rhs);
  if (!reason.empty())
    return fail(op, reason);
  std::optional<GroupShape> groups = groupsOf(program.tier(), root);
  if (!groups)
    return fail(op, "the blocks of the operands do not fit each other");
  Value result = root->getResult(0);
  Epilogue epilogue(program, op, result, result);
  std::unique_ptr<ContractSource> source =
      product ? makeGroupedMatMulSource(program, product, *groups, epilogue)
              : makeGroupedConvSource(program, conv, *groups, epilogue);
  if (!source)
    return failure();
  return emitSchedule(program, product ? "grouped_matmul" : "grouped_conv",
                      *source, epilogue);
}
