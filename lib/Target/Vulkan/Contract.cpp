//===- Contract.cpp - Matrix products and convolutions --------------------===//
//
// Not covered are blocks of two sizes, and blocks that do not begin where a
// group of channels does.
//
//===----------------------------------------------------------------------===//

#include "Contract.h"
#include "Epilogue.h"
#include "ExactPolicy.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "lib/Target/Cpu/Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

namespace {
/// What the check knows of an operand.
struct OperandTypes {
  Value codes;
  ValueRange scales, zeros;
  std::optional<FormatAttr> format;
  /// Where k runs.
  int64_t axis;

  int64_t block() const {
    return format && !scales.empty() && format->getAxis() == axis
               ? format->getBlockSize()
               : 0;
  }
  bool isUsable() const {
    auto isKnown = [](Value tensor) {
      Type element = getElementTypeOrSelf(tensor);
      return elementFormatOf(element) || element.isInteger(32);
    };
    return isKnown(codes) && llvm::all_of(scales, isKnown) &&
           llvm::all_of(zeros, isKnown);
  }
};
} // namespace

static int64_t rankOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

static kernel::Match checkSum(Operation *op, const OperandTypes &a,
                              const OperandTypes &b) {
  for (const OperandTypes &operand : {a, b})
    if (!operand.isUsable())
      return cpu::unsupported(getElementTypeOrSelf(operand.codes));
  if (a.block() && b.block() && a.block() != b.block())
    return kernel::Match::failure("blocks of " + Twine(a.block()) +
                                  " meet blocks of " + Twine(b.block()));
  Type result = getElementTypeOrSelf(op->getResult(0));
  bool isInteger = a.scales.empty() && b.scales.empty() &&
                   !CodeOperand::isReal(a.codes) &&
                   !CodeOperand::isReal(b.codes);
  if (isInteger ? !result.isInteger(32)
                : !(result.isF32() || result.isF16() || result.isBF16()))
    return cpu::unsupported(result);
  return kernel::Match::success();
}

/// True where blocks of x along its channels begin with each group of channels.
static bool blocksFitGroups(ConvOp op, int64_t block) {
  int64_t channels = cast<RankedTensorType>(op.getW().getType()).getDimSize(1);
  return block == 0 || op.getGroup() == 1 || channels == 1 ||
         channels % block == 0;
}

static Operation *rootOf(Operation *op) {
  if (auto contract = dyn_cast<kernel::ContractOp>(op))
    return contract.getRoot();
  return cast<kernel::DepthwiseConvOp>(op).getRoot();
}

kernel::Match vulkan::checkContract(const AnyDevice &, Operation *op) {
  Operation *root = rootOf(op);
  // A sum is computed for the results with its dims only.
  for (Value result : op->getResults())
    if (rankOf(result) != rankOf(root->getResult(0)))
      return kernel::Match::failure("results have two ranks");
  if (auto product = dyn_cast<MatMulOp>(root)) {
    int64_t rank = rankOf(product.getRhs());
    return checkSum(
        product,
        {product.getLhs(), product.getLhsScales(), product.getLhsZeros(),
         product.getLhsFormat(), rankOf(product.getLhs()) - 1},
        {product.getRhs(), product.getRhsScales(), product.getRhsZeros(),
         product.getRhsFormat(), rank == 1 ? 0 : rank - 2});
  }
  auto conv = cast<ConvOp>(root);
  OperandTypes x{conv.getX(), conv.getXScales(), conv.getXZeros(),
                 conv.getXFormat(), 1};
  if (!blocksFitGroups(conv, x.block()))
    return kernel::Match::failure("blocks cross groups of channels");
  return checkSum(
      conv, x,
      {conv.getW(), conv.getWScales(), conv.getWZeros(), conv.getWFormat(), 1});
}

static LogicalResult emitMatMul(DeviceProgram &program, Operation *kernel,
                                MatMulOp op) {
  CodeOperand lhs(program, op.getLhs(), op.getLhsScales(), op.getLhsZeros(),
                  op.getLhsFormat());
  CodeOperand rhs(program, op.getRhs(), op.getRhsScales(), op.getRhsZeros(),
                  op.getRhsFormat());
  if (failed(lhs.prepare()) || failed(rhs.prepare()))
    return failure();
  Epilogue epilogue(program, kernel, op.getResult(), op.getResult());
  epilogue.allocate();
  return program.dispatch(
      program.vectors().product(epilogue.dims()),
      [&](Shader &shader, Value index) {
        SmallVector<Value> coordinates =
            shader.delinearize(index, shader.host(epilogue.dims()));
        Value sum = sumMatMul(program, shader, op, lhs, rhs, coordinates);
        return epilogue.finish(shader, coordinates, sum);
      });
}

static LogicalResult emitConv(DeviceProgram &program, Operation *kernel,
                              ConvOp op) {
  CodeOperand x(program, op.getX(), op.getXScales(), op.getXZeros(),
                op.getXFormat());
  CodeOperand w(program, op.getW(), op.getWScales(), op.getWZeros(),
                op.getWFormat());
  if (failed(x.prepare()) || failed(w.prepare()))
    return failure();
  Epilogue epilogue(program, kernel, op.getResult(), op.getResult());
  epilogue.allocate();
  return program.dispatch(
      program.vectors().product(epilogue.dims()),
      [&](Shader &shader, Value index) -> LogicalResult {
        SmallVector<Value> coordinates =
            shader.delinearize(index, shader.host(epilogue.dims()));
        Value sum = sumConv(program, shader, op, x, w, coordinates);
        if (Value bias = op.getBias()) {
          auto handle = program.handle(bias);
          if (failed(handle))
            return failure();
          ExactPolicy policy(shader.b, shader.loc);
          Value term =
              shader.load(*handle, getElementTypeOrSelf(bias), coordinates[1]);
          sum = sum.getType().isInteger(32) ? policy.addI(sum, term)
                                            : policy.add(sum, term);
        }
        return epilogue.finish(shader, coordinates, sum);
      });
}

LogicalResult vulkan::emitContract(DeviceProgram &program, Operation *op) {
  Operation *root = rootOf(op);
  if (auto matmul = dyn_cast<MatMulOp>(root))
    return emitMatMul(program, op, matmul);
  return emitConv(program, op, cast<ConvOp>(root));
}
