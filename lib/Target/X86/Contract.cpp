//===- Contract.cpp - Matrix products and convolutions --------------------===//
//
// Products of f32 and of 8-bit codes. Operands with scales are summed in groups
// and have an emitter of their own.
//
//===----------------------------------------------------------------------===//

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

/// Why the product of two tensors has no kernel; empty when it has.
static StringRef rejectOperands(Value lhs, Value rhs) {
  bool areFloats = isF32(lhs) && isF32(rhs);
  bool areCodes = isByteCodes(lhs) && isByteCodes(rhs);
  return areFloats || areCodes ? ""
                               : "operands are neither f32 nor 8-bit codes";
}

static StringRef reject(ProgramEmitter &program, MatMulOp op) {
  if (cast<RankedTensorType>(op.getType()).getRank() == 0)
    return "the product of two vectors has no lanes";
  return rejectOperands(op.getLhs(), op.getRhs());
}

static StringRef reject(ProgramEmitter &program, ConvOp op) {
  if (!program.constantOf(op.getW()))
    return "the weight is not constant";
  return rejectOperands(op.getX(), op.getW());
}

LogicalResult x86::emitContract(ProgramEmitter &program, Operation *op) {
  Operation *root = cast<kernel::ContractOp>(op).getRoot();
  auto product = dyn_cast<MatMulOp>(root);
  auto conv = dyn_cast<ConvOp>(root);
  if (product
          ? !product.getLhsScales().empty() || !product.getRhsScales().empty()
          : !conv.getXScales().empty() || !conv.getWScales().empty())
    return emitGroupedContract(program, op);
  StringRef reason = product ? reject(program, product) : reject(program, conv);
  if (!reason.empty())
    return op->emitOpError("has no kernel: ") << reason;
  Value result = root->getResult(0);
  Epilogue epilogue(program, op, result, result);
  std::unique_ptr<ContractSource> source =
      product ? makeMatMulSource(program, product, epilogue)
              : makeConvSource(program, conv, epilogue);
  if (!source)
    return failure();
  return emitSchedule(program, product ? "matmul" : "conv", *source, epilogue);
}
