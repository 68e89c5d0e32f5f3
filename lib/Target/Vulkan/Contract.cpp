//===- Contract.cpp - Matrix products and convolutions --------------------===//
//
// Refuses what the sums do not cover: blocks of two sizes, blocks that do not
// begin where a group of channels does.
//
//===----------------------------------------------------------------------===//

#include "Contract.h"
#include "Epilogue.h"
#include "ExactPolicy.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

static LogicalResult checkSum(Operation *op, CodeOperand &a, CodeOperand &b,
                              int64_t aAxis, int64_t bAxis) {
  if (failed(a.prepare()) || failed(b.prepare()))
    return failure();
  int64_t aBlock = a.getBlock(aAxis), bBlock = b.getBlock(bAxis);
  if (aBlock && bBlock && aBlock != bBlock)
    return op->emitOpError("has no Vulkan kernel for blocks of ")
           << aBlock << " by blocks of " << bBlock;
  Type result = getElementTypeOrSelf(op->getResult(0));
  bool isInteger = getSumKind(a, b) == SumKind::Integer;
  if (isInteger ? !result.isInteger(32)
                : !(result.isF32() || result.isF16() || result.isBF16()))
    return op->emitOpError("has no Vulkan kernel that sums in ") << result;
  return success();
}

static LogicalResult emitMatMul(DeviceProgram &program, Operation *kernel,
                                MatMulOp op) {
  CodeOperand lhs(program, op.getLhs(), op.getLhsScales(), op.getLhsZeros(),
                  op.getLhsFormat());
  CodeOperand rhs(program, op.getRhs(), op.getRhsScales(), op.getRhsZeros(),
                  op.getRhsFormat());
  int64_t lhsRank = lhs.dims().size(), rhsRank = rhs.dims().size();
  if (failed(
          checkSum(op, lhs, rhs, lhsRank - 1, rhsRank == 1 ? 0 : rhsRank - 2)))
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

/// True where blocks of x along its channels begin with each group of channels.
static bool blocksFitGroups(ConvOp op, int64_t block) {
  int64_t channels = cast<RankedTensorType>(op.getW().getType()).getDimSize(1);
  return block == 0 || op.getGroup() == 1 || channels == 1 ||
         channels % block == 0;
}

static LogicalResult emitConv(DeviceProgram &program, Operation *kernel,
                              ConvOp op) {
  CodeOperand x(program, op.getX(), op.getXScales(), op.getXZeros(),
                op.getXFormat());
  CodeOperand w(program, op.getW(), op.getWScales(), op.getWZeros(),
                op.getWFormat());
  if (failed(checkSum(op, x, w, 1, 1)))
    return failure();
  if (!blocksFitGroups(op, x.getBlock(1)))
    return op.emitOpError("has no Vulkan kernel for blocks that cross groups");
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
  Operation *root = nullptr;
  if (auto contract = dyn_cast<kernel::ContractOp>(op))
    root = contract.getRoot();
  else
    root = cast<kernel::DepthwiseConvOp>(op).getRoot();
  // A sum is computed for the results with its dims only.
  for (Value result : op->getResults())
    if (cast<RankedTensorType>(result.getType()).getRank() !=
        cast<RankedTensorType>(root->getResult(0).getType()).getRank())
      return op->emitOpError("has no Vulkan kernel for results of two ranks");
  if (auto matmul = dyn_cast<MatMulOp>(root))
    return emitMatMul(program, op, matmul);
  return emitConv(program, op, cast<ConvOp>(root));
}
