//===- Contract.cpp - Matrix products and convolutions --------------------===//
//
// Products of f32 and of 8-bit codes. Operands with scales are summed in groups
// and have an emitter of their own.
//
//===----------------------------------------------------------------------===//

#include "ContractCodes.h"
#include "ContractOperands.h"
#include "ProductKernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

static bool isF32(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType().isF32();
}

/// The product or convolution of a kernel.
static Contraction sumOf(Operation *op) {
  return cast<ContractionOpInterface>(cast<kernel::ContractOp>(op).getRoot())
      .getContraction();
}

bool cpu::isConstant(Operation *kernel, Value argument) {
  auto inside = cast<BlockArgument>(argument);
  Operation *maker = kernel->getOperand(inside.getArgNumber()).getDefiningOp();
  return isa_and_nonnull<ConstantOp, kernel::PackOp>(maker);
}

kernel::Match cpu::wrongOperands(Value lhs, Value rhs) {
  std::string text;
  llvm::raw_string_ostream(text)
      << "operands of type " << getElementTypeOrSelf(lhs) << " and "
      << getElementTypeOrSelf(rhs)
      << " are neither f32 nor codes of at most 8 bits";
  return kernel::Match::failure(text);
}

kernel::Match cpu::wrongBlocks(FormatAttr lhs, FormatAttr rhs) {
  return kernel::Match::failure("blocks of " + Twine(lhs.getBlockSize()) +
                                " meet blocks of " + Twine(rhs.getBlockSize()));
}

/// What holds for floats and codes alike.
static kernel::Match checkShape(Operation *op, const Contraction &sum) {
  if (sum.hasScales())
    return kernel::Match::other();
  if (sum.isConvolution) {
    if (!isConstant(op, sum.rhs.tensor))
      return kernel::Match::failure("the weight is not constant");
  } else if (sum.resultAxes.empty()) {
    return kernel::Match::failure("the product of two vectors has no lanes");
  }
  return cpu::checkPrologue(op);
}

kernel::Match cpu::checkFloatContract(const Tier &, Operation *op) {
  Contraction sum = sumOf(op);
  kernel::Match match = checkShape(op, sum);
  if (match && (!isF32(sum.lhs.tensor) || !isF32(sum.rhs.tensor)))
    return wrongOperands(sum.lhs.tensor, sum.rhs.tensor);
  return match;
}

kernel::Match cpu::checkCodeContract(const Tier &, Operation *op) {
  Contraction sum = sumOf(op);
  kernel::Match match = checkShape(op, sum);
  if (match && (!isByteCodes(sum.lhs.tensor) || !isByteCodes(sum.rhs.tensor)))
    return wrongOperands(sum.lhs.tensor, sum.rhs.tensor);
  return match;
}

/// Codes that an output is the sum of; nothing where that is not known.
static std::optional<int64_t> depthOf(const Contraction &sum) {
  if (!sum.isConvolution)
    return sum.countProducts();
  // Each position begins with a word.
  ArrayRef<int64_t> dims = sum.rhs.getType().getShape();
  return int64_t(llvm::alignTo(dims[1], 4)) *
         ShapedType::getNumElements(dims.drop_front(2));
}

kernel::Match cpu::checkTileContract(const Tier &tier, Operation *op) {
  kernel::Match match = checkCodeContract(tier, op);
  std::optional<int64_t> depth = match ? depthOf(sumOf(op)) : std::nullopt;
  if (depth && int64_t(llvm::divideCeil(*depth, 4)) < tier.getTileUnit()->words)
    return kernel::Match::failure("k is too short for tiles");
  return match;
}

static LogicalResult emitContract(CpuProgram &program, Operation *op,
                                  CodeUnit unit) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  Value result = root->getResult(0);
  Epilogue epilogue(program, op, result, result);
  std::unique_ptr<ContractSource> source =
      product ? makeMatMulSource(program, product, unit, epilogue)
              : makeConvSource(program, cast<ConvOp>(root), unit, epilogue);
  if (!source)
    return failure();
  return emitSchedule(program, product ? "matmul" : "conv", *source, epilogue);
}

LogicalResult cpu::emitFloatContract(CpuProgram &program, Operation *op) {
  return emitContract(program, op, CodeUnit::Vectors);
}

template <CodeUnit unit>
LogicalResult cpu::emitCodeContract(CpuProgram &program, Operation *op) {
  return emitContract(program, op, unit);
}
template LogicalResult cpu::emitCodeContract<CodeUnit::Vectors>(CpuProgram &,
                                                                Operation *);
template LogicalResult cpu::emitCodeContract<CodeUnit::Tiles>(CpuProgram &,
                                                              Operation *);
