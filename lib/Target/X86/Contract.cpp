//===- Contract.cpp - Matrix products and convolutions --------------------===//
//
// Products of f32 and of 8-bit codes. Operands with scales are summed in groups
// and have an emitter of their own.
//
//===----------------------------------------------------------------------===//

#include "ContractAmx.h"
#include "ContractCodes.h"
#include "ContractOperands.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

static bool isF32(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType().isF32();
}

namespace {
/// A product or convolution inside its kernel.
struct Operands {
  explicit Operands(Operation *op)
      : root(cast<kernel::ContractOp>(op).getRoot()) {
    if (auto product = dyn_cast<MatMulOp>(root)) {
      lhs = product.getLhs();
      rhs = product.getRhs();
      hasScales =
          !product.getLhsScales().empty() || !product.getRhsScales().empty();
    } else {
      auto conv = cast<ConvOp>(root);
      lhs = conv.getX();
      rhs = conv.getW();
      hasScales = !conv.getXScales().empty() || !conv.getWScales().empty();
    }
  }

  Operation *root;
  Value lhs, rhs;
  bool hasScales;
};
} // namespace

bool x86::isConstant(Operation *kernel, Value argument) {
  auto inside = cast<BlockArgument>(argument);
  Operation *maker = kernel->getOperand(inside.getArgNumber()).getDefiningOp();
  return isa_and_nonnull<ConstantOp, kernel::PackOp>(maker);
}

/// What holds for floats and codes alike.
static kernel::Match checkShape(Operation *op, const Operands &operands) {
  if (operands.hasScales)
    return kernel::Match::other();
  if (isa<ConvOp>(operands.root)) {
    if (!isConstant(op, operands.rhs))
      return kernel::Match::failure("the weight is not constant");
  } else if (cast<RankedTensorType>(operands.root->getResult(0).getType())
                 .getRank() == 0) {
    return kernel::Match::failure("the product of two vectors has no lanes");
  }
  return cpu::checkPrologue(op);
}

kernel::Match x86::checkFloatContract(const Tier &, Operation *op) {
  Operands operands(op);
  kernel::Match match = checkShape(op, operands);
  if (match && (!isF32(operands.lhs) || !isF32(operands.rhs)))
    return kernel::Match::failure("operands are neither f32 nor 8-bit codes");
  return match;
}

kernel::Match x86::checkCodeContract(const Tier &, Operation *op) {
  Operands operands(op);
  kernel::Match match = checkShape(op, operands);
  if (match && (!isByteCodes(operands.lhs) || !isByteCodes(operands.rhs)))
    return kernel::Match::failure("operands are neither f32 nor 8-bit codes");
  return match;
}

/// Codes that an output is the sum of; nothing where that is not known.
static std::optional<int64_t> depthOf(const Operands &operands) {
  auto rhs = cast<RankedTensorType>(operands.rhs.getType());
  if (isa<ConvOp>(operands.root)) {
    // Each position begins with a word.
    ArrayRef<int64_t> dims = rhs.getShape();
    return int64_t(llvm::alignTo(dims[1], 4)) *
           ShapedType::getNumElements(dims.drop_front(2));
  }
  auto lhs = cast<RankedTensorType>(operands.lhs.getType());
  for (int64_t dim : {lhs.getShape().back(),
                      rhs.getDimSize(std::max<int64_t>(rhs.getRank() - 2, 0))})
    if (!ShapedType::isDynamic(dim))
      return dim;
  return std::nullopt;
}

kernel::Match x86::checkTileContract(const Tier &tier, Operation *op) {
  kernel::Match match = checkCodeContract(tier, op);
  std::optional<int64_t> depth = match ? depthOf(Operands(op)) : std::nullopt;
  if (depth && llvm::divideCeil(*depth, 4) < kAmxWords)
    return kernel::Match::failure("k is too short for tiles");
  return match;
}

static LogicalResult emitContract(ProgramEmitter &program, Operation *op,
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

LogicalResult x86::emitFloatContract(ProgramEmitter &program, Operation *op) {
  return emitContract(program, op, CodeUnit::Vectors);
}

template <CodeUnit unit>
LogicalResult x86::emitCodeContract(ProgramEmitter &program, Operation *op) {
  return emitContract(program, op, unit);
}
template LogicalResult
x86::emitCodeContract<CodeUnit::Vectors>(ProgramEmitter &, Operation *);
template LogicalResult x86::emitCodeContract<CodeUnit::Tiles>(ProgramEmitter &,
                                                              Operation *);
