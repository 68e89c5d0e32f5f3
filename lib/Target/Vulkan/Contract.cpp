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

static bool isUsable(const ScaledTensor &operand) {
  auto isKnown = [](Value tensor) {
    Type element = getElementTypeOrSelf(tensor);
    return elementFormatOf(element) || element.isInteger(32);
  };
  return isKnown(operand.tensor) && llvm::all_of(operand.scales, isKnown) &&
         llvm::all_of(operand.zeros, isKnown);
}

/// Products that share scales; 0 where all do.
static int64_t blockOf(const ContractionOperand &operand) {
  FormatAttr format = operand.format;
  return format && !operand.scales.empty() &&
                 format.getAxis() == operand.getProductAxis()
             ? format.getBlockSize()
             : 0;
}

static int64_t rankOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

static kernel::Match checkSum(Operation *op, const Contraction &sum) {
  for (const ContractionOperand &operand : {sum.lhs, sum.rhs})
    if (!isUsable(operand))
      return host::unsupported(getElementTypeOrSelf(operand.tensor));
  int64_t a = blockOf(sum.lhs), b = blockOf(sum.rhs);
  if (a && b && a != b)
    return kernel::Match::failure("blocks of " + Twine(a) + " meet blocks of " +
                                  Twine(b));
  Type result = getElementTypeOrSelf(op->getResult(0));
  bool isInteger = !sum.hasScales() && !CodeOperand::isReal(sum.lhs.tensor) &&
                   !CodeOperand::isReal(sum.rhs.tensor);
  if (isInteger ? !result.isInteger(32)
                : !(result.isF32() || result.isF16() || result.isBF16()))
    return host::unsupported(result);
  return kernel::Match::success();
}

/// True where blocks of x along its channels begin with each group of channels.
static bool blocksFitGroups(const Contraction &sum) {
  int64_t channels = sum.rhs.getType().getDimSize(sum.rhs.getProductAxis());
  int64_t block = blockOf(sum.lhs);
  return block == 0 || sum.group == 1 || channels == 1 || channels % block == 0;
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
  Contraction sum = cast<ContractionOpInterface>(root).getContraction();
  if (!blocksFitGroups(sum))
    return kernel::Match::failure("blocks cross groups of channels");
  return checkSum(root, sum);
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
      program.code().product(epilogue.dims()),
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
      program.code().product(epilogue.dims()),
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
