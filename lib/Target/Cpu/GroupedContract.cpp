//===- GroupedContract.cpp - Products whose operands have scales ----------===//
//
// One kernel for all formats: operands are decoded to signed bytes where sums
// of groups stay exact, else to f32; scales are applied once a group.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractLanes.h"
#include "GroupedContractSources.h"
#include "ProductKernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

GroupedOperand cpu::lhsOf(ContractionOpInterface op) {
  return GroupedOperand(op.getContraction().lhs);
}
GroupedOperand cpu::rhsOf(ContractionOpInterface op) {
  return GroupedOperand(op.getContraction().rhs);
}

static std::optional<GroupShape> groupsOf(const Tier &tier, MatMulOp op) {
  GroupedOperand lhs = lhsOf(op), rhs = rhsOf(op);
  std::optional<GroupShape> groups = groupShapeOf(
      tier, lhs, lhs.type().getRank() - 1, rhs, rhs.type().getRank() - 2);
  std::optional<int64_t> depth = op.getContraction().countProducts();
  if (groups && depth && *depth <= groups->block)
    groups->block = kOneBlock;
  return groups;
}

static kernel::Match sumIntegers(MatMulOp op, GroupShape &groups) {
  kernel::Match match = useIntegers(
      lhsOf(op), rhsOf(op), op.getContraction().countProducts(), groups);
  // Lanes are packed in chunks, so a group begins with one.
  if (match && groups.block % IntegerLanes::kDepthInChunk != 0)
    return kernel::Match::failure("blocks of " + Twine(groups.block) +
                                  " are no multiples of 16");
  return match;
}

static std::optional<GroupShape> groupsOf(const Tier &tier, ConvOp op) {
  GroupedOperand x = lhsOf(op), w = rhsOf(op);
  std::optional<GroupShape> groups = convGroupShapeOf(tier, x, w);
  if (groups && w.zeros.empty() && w.type().getDimSize(1) <= groups->block)
    groups->block = llvm::alignTo(groups->block, kElementsInWord);
  return groups;
}

static kernel::Match sumIntegers(ConvOp op, GroupShape &groups) {
  GroupedOperand w = rhsOf(op);
  ArrayRef<int64_t> dims = w.type().getShape();
  int64_t length = groups.block == kOneBlock
                       ? ShapedType::getNumElements(dims.drop_front())
                       : dims[1];
  kernel::Match match = useIntegers(lhsOf(op), w, length, groups);
  if (match && !w.zeros.empty())
    return kernel::Match::failure("the weight has zeros");
  if (match && groups.block % kElementsInWord != 0)
    return kernel::Match::failure("blocks of " + Twine(groups.block) +
                                  " are no multiples of 4");
  return match;
}

static std::optional<GroupShape> groupsOf(const Tier &tier,
                                          Operation *product) {
  if (auto conv = dyn_cast<ConvOp>(product))
    return groupsOf(tier, conv);
  return groupsOf(tier, cast<MatMulOp>(product));
}

static kernel::Match sumIntegers(Operation *product, GroupShape &groups) {
  if (auto conv = dyn_cast<ConvOp>(product))
    return sumIntegers(conv, groups);
  return sumIntegers(cast<MatMulOp>(product), groups);
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

static StringRef reject(Operation *kernel, ConvOp op, const GroupedOperand &x,
                        const GroupedOperand &w) {
  if (!isConstant(kernel, op.getW()))
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

kernel::Match cpu::checkGroupedContract(const Tier &tier, Operation *op) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  auto conv = dyn_cast<ConvOp>(root);
  auto sum = cast<ContractionOpInterface>(root);
  GroupedOperand lhs = lhsOf(sum), rhs = rhsOf(sum);
  if (lhs.scales.empty() && rhs.scales.empty())
    return kernel::Match::other();
  if (!lhs.isSupported() || !rhs.isSupported())
    return wrongOperands(lhs.tensor, rhs.tensor);
  StringRef reason =
      product ? reject(product, lhs, rhs) : reject(op, conv, lhs, rhs);
  if (!reason.empty())
    return kernel::Match::failure(reason);
  if (!groupsOf(tier, root))
    return wrongBlocks(*lhs.format, *rhs.format);
  return cpu::checkPrologue(op);
}

kernel::Match cpu::checkIntegerGroups(const Tier &tier, Operation *op) {
  if (kernel::Match match = checkGroupedContract(tier, op); !match)
    return match;
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  GroupShape groups = *groupsOf(tier, root);
  return sumIntegers(root, groups);
}

template <GroupSum sum>
LogicalResult cpu::emitGroupedContract(CpuProgram &program, Operation *op) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  GroupShape groups = *groupsOf(program.tier(), root);
  if (sum == GroupSum::Integer)
    (void)sumIntegers(root, groups);
  Value result = root->getResult(0);
  Epilogue epilogue(program, op, result, result);
  std::unique_ptr<ContractSource> source =
      product ? makeGroupedMatMulSource(program, product, groups, epilogue)
              : makeGroupedConvSource(program, cast<ConvOp>(root), groups,
                                      epilogue);
  if (!source)
    return failure();
  return emitSchedule(program, product ? "grouped_matmul" : "grouped_conv",
                      *source, epilogue);
}
template LogicalResult cpu::emitGroupedContract<GroupSum::Float>(CpuProgram &,
                                                                 Operation *);
template LogicalResult cpu::emitGroupedContract<GroupSum::Integer>(CpuProgram &,
                                                                   Operation *);
