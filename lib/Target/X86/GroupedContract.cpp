//===- GroupedContract.cpp - Products whose operands have scales ----------===//
//
// One kernel for all formats: operands are decoded to signed bytes where sums of
// groups stay exact, else to f32; scales are applied once a group.
//
//===----------------------------------------------------------------------===//

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

LogicalResult x86::emitGroupedContract(ProgramEmitter &program,
                                       Operation *op) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  auto conv = dyn_cast<ConvOp>(root);
  GroupedOperand lhs = product ? lhsOf(product) : lhsOf(conv);
  GroupedOperand rhs = product ? rhsOf(product) : rhsOf(conv);
  if (!lhs.isSupported() || !rhs.isSupported())
    return fail(op, "operands are neither f32 nor codes of at most 8 bits");
  StringRef reason = product ? reject(product, lhs, rhs)
                             : reject(program, conv, lhs, rhs);
  if (!reason.empty())
    return fail(op, reason);
  std::optional<GroupShape> groups =
      product ? groupShapeOf(program.tier(), lhs, lhs.type().getRank() - 1,
                             rhs, rhs.type().getRank() - 2)
              : convGroupShapeOf(program.tier(), lhs, rhs);
  if (!groups)
    return fail(op, "the blocks of the operands do not fit each other");
  Value result = root->getResult(0);
  Epilogue epilogue(program, op, result, result);
  std::unique_ptr<ContractSource> source =
      product ? makeGroupedMatMulSource(program, product, *groups, epilogue)
              : makeGroupedConvSource(program, conv, *groups, epilogue);
  return emitSchedule(program, product ? "grouped_matmul" : "grouped_conv",
                      *source, epilogue);
}
