//===- EvaluateOp.cpp - Plain-loop evaluation of one op -------------------===//
//
// Result dims come from the shape functions with the numbers of the run, so
// evaluators never compute a shape.
//
//===----------------------------------------------------------------------===//

#include "ConcreteDims.h"
#include "Evaluation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "qopt/Reference/Interpreter.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Error reference::makeOpError(Operation *op, ExitCode code,
                             const Twine &message) {
  std::string node;
  op->getLoc()->walk([&](Location loc) {
    auto name = dyn_cast<NameLoc>(loc);
    if (!name)
      return WalkResult::advance();
    node = (name.getName().getValue() + ": ").str();
    return WalkResult::interrupt();
  });
  return makeError(code, node + "'" + op->getName().getStringRef() + "' op " +
                             message);
}

Error Evaluation::badData(const Twine &message) const {
  return makeOpError(op, ExitCode::BadData, message);
}

Error Evaluation::unsupported(const Twine &message) const {
  return makeOpError(op, ExitCode::Unsupported, message);
}

const HostTensor &Evaluation::operator[](Value operand) const {
  return operands[llvm::find(op->getOperands(), operand) -
                  op->getOperands().begin()];
}

SmallVector<const HostTensor *> Evaluation::tensors(ValueRange values) const {
  return llvm::map_to_vector(values,
                             [&](Value value) { return &(*this)[value]; });
}

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

/// Tensors for the results of `op`, of the dims that its shape rule gives.
static Expected<SmallVector<HostTensor>>
allocateResults(Operation *op, ArrayRef<HostTensor> operands,
                uint64_t bytesLeft) {
  ConcreteDims policy(op, operands);
  auto dims = resultDims(op, policy);
  if (!policy.problem.empty())
    return makeOpError(op, ExitCode::BadData, policy.problem);
  if (failed(dims))
    return makeOpError(op, ExitCode::Unsupported, "has no shape rule");
  SmallVector<HostTensor> results;
  for (auto [result, actual] : llvm::zip_equal(op->getResults(), *dims)) {
    auto type = cast<RankedTensorType>(result.getType());
    if (failed(verifyCompatibleShape(type.getShape(), actual)))
      return makeOpError(op, ExitCode::BadData,
                         "makes " + formatDims(actual) +
                             ", which is not what its type says");
    auto elementType = getHostElementType(type.getElementType());
    if (!elementType)
      return makeOpError(op, ExitCode::Unsupported,
                         "has a result of an unknown element type");
    uint64_t size =
        computeSizeInBytes(*elementType, actual).value_or(UINT64_MAX);
    if (size > bytesLeft)
      return makeOpError(op, ExitCode::Unsupported,
                         "makes a tensor of " + formatDims(actual) +
                             " from constants, but only " + Twine(bytesLeft) +
                             " bytes are left for such tensors");
    bytesLeft -= size;
    Expected<HostTensor> tensor = HostTensor::allocate(*elementType, actual);
    if (!tensor)
      return tensor.takeError();
    results.push_back(std::move(*tensor));
  }
  return results;
}

/// The result shares the operand's bytes.
static Error reshape(const Evaluation &e) {
  const HostTensor &x = e.operands.front();
  if (x.getNumElements() != e.result().getNumElements())
    return e.badData("cannot give " + formatDims(x.getDims()) + " the dims " +
                     formatDims(e.result().getDims()));
  e.result() = x.reshape(e.result().getDims());
  return Error::success();
}

/// The result has the operand's bytes.
static Error castBits(const Evaluation &e) {
  const HostTensor &x = e.operands.front();
  Expected<HostTensor> result =
      HostTensor::copy(e.result().getType(), x.getDims(), x.getBytes());
  if (!result)
    return result.takeError();
  e.result() = std::move(*result);
  return Error::success();
}

static bool isOfDoubles(Value value) {
  return typeOf(value).getElementType().isF64();
}

static Error evaluateInto(const Evaluation &e) {
  if (e.op->hasTrait<ElementwiseTrait>())
    return evaluateElementwiseOp(e);
  return llvm::TypeSwitch<Operation *, Error>(e.op)
      .Case([&](MatMulOp op) {
        return isOfDoubles(op.getResult()) ? evaluateLoops(e)
                                           : evaluateMatMul(e, op);
      })
      .Case([&](GemmOp op) { return evaluateGemm(e, op); })
      .Case([&](ConvOp op) {
        return isOfDoubles(op.getResult()) ? evaluateLoops(e)
                                           : evaluateConv(e, op);
      })
      .Case([&](AttentionOp op) { return evaluateAttention(e, op); })
      .Case([&](BatchNormOp op) { return evaluateBatchNorm(e, op); })
      .Case([&](QuantizeOp op) { return evaluateQuantize(e, op); })
      .Case([&](DequantizeOp op) { return evaluateDequantize(e, op); })
      .Case(
          [&](QuantizeDynamicOp op) { return evaluateQuantizeDynamic(e, op); })
      .Case([&](RequantizeOp op) { return evaluateRequantize(e, op); })
      .Case([&](ShiftOp op) { return evaluateShift(e, op); })
      .Case([&](DivideRoundOp op) { return evaluateDivideRound(e, op); })
      .Case([&](LookupOp op) { return evaluateLookup(e, op); })
      .Case<ReshapeOp, SqueezeOp, UnsqueezeOp, FlattenOp>(
          [&](auto) { return reshape(e); })
      .Case([&](BitCastOp) { return castBits(e); })
      .Default([&](Operation *) { return evaluateLoops(e); });
}

Expected<SmallVector<HostTensor>>
qopt::evaluateOp(Operation *op, ArrayRef<HostTensor> operands,
                 uint64_t maxBytes) {
  assert(operands.size() == op->getNumOperands() && "one tensor an operand");
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    Expected<HostTensor> value = readConstant(constant);
    if (!value)
      return value.takeError();
    return SmallVector<HostTensor>{std::move(*value)};
  }
  if (isa<ObserveOp>(op))
    return SmallVector<HostTensor>();
  if (isa<arith::ArithDialect, tensor::TensorDialect>(op->getDialect()))
    return evaluateScalarOp(op, operands);
  Expected<SmallVector<HostTensor>> results =
      allocateResults(op, operands, maxBytes);
  if (!results)
    return results.takeError();
  if (Error error = evaluateInto({op, operands, *results}))
    return error;
  return results;
}
