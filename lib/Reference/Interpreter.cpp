//===- Interpreter.cpp - Plain-loop evaluation of qopt programs -----------===//
//
// Result dims come from the shape functions with the numbers of the run, so
// evaluators never compute a shape.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/Interpreter.h"

#include "ConcreteDims.h"
#include "Evaluation.h"
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

static Error evaluateInto(const Evaluation &e) {
  if (e.op->hasTrait<ElementwiseTrait>())
    return evaluateElementwiseOp(e);
  return llvm::TypeSwitch<Operation *, Error>(e.op)
      .Case([&](MatMulOp op) { return evaluateMatMul(e, op); })
      .Case([&](GemmOp op) { return evaluateGemm(e, op); })
      .Case([&](ConvOp op) { return evaluateConv(e, op); })
      .Case([&](AttentionOp op) { return evaluateAttention(e, op); })
      .Case([&](BatchNormOp op) { return evaluateBatchNorm(e, op); })
      .Case([&](LayerNormOp op) { return evaluateLayerNorm(e, op); })
      .Case([&](SoftmaxOp op) { return evaluateSoftmax(e, op); })
      .Case([&](ReduceOp op) { return evaluateReduce(e, op); })
      .Case([&](GlobalAveragePoolOp op) {
        return evaluateGlobalAveragePool(e, op);
      })
      .Case([&](AveragePoolOp op) { return evaluateAveragePool(e, op); })
      .Case([&](MaxPoolOp op) { return evaluateMaxPool(e, op); })
      .Case([&](QuantizeOp op) { return evaluateQuantize(e, op); })
      .Case([&](DequantizeOp op) { return evaluateDequantize(e, op); })
      .Case(
          [&](QuantizeDynamicOp op) { return evaluateQuantizeDynamic(e, op); })
      .Case([&](RequantizeOp op) { return evaluateRequantize(e, op); })
      .Case([&](ShiftOp op) { return evaluateShift(e, op); })
      .Case([&](DivideRoundOp op) { return evaluateDivideRound(e, op); })
      .Case([&](LookupOp op) { return evaluateLookup(e, op); })
      .Default([&](Operation *) { return evaluateMovement(e); });
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
  Expected<SmallVector<HostTensor>> results =
      allocateResults(op, operands, maxBytes);
  if (!results)
    return results.takeError();
  if (Error error = evaluateInto({op, operands, *results}))
    return error;
  return results;
}

//===----------------------------------------------------------------------===//
// A function
//===----------------------------------------------------------------------===//

/// How messages call argument `index`.
static std::string getInputName(func::FuncOp function, unsigned index) {
  if (auto name = function.getArgAttrOfType<StringAttr>(index, kNameAttrName))
    return ("input '" + name.getValue() + "'").str();
  return "input " + std::to_string(index);
}

static Error checkInput(func::FuncOp function, unsigned index,
                        const HostTensor &tensor) {
  std::string name = getInputName(function, index);
  auto type = dyn_cast<RankedTensorType>(function.getArgument(index).getType());
  if (!type)
    return makeError(ExitCode::Unsupported, name + " is not a ranked tensor");
  auto elementType = getHostElementType(type.getElementType());
  if (elementType != tensor.getType())
    return makeError(
        ExitCode::BadData,
        name + " has elements of " +
            (elementType ? getName(*elementType) : "unknown type") +
            ", but found " + getName(tensor.getType()));
  if (type.getRank() != tensor.getRank())
    return makeError(ExitCode::BadData,
                     name + " has rank " + Twine(type.getRank()) +
                         ", but found " + Twine(tensor.getRank()));
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(dim) && dim != tensor.getDims()[i])
      return makeError(ExitCode::BadData,
                       "dim " + Twine(i) + " of " + name + " is " + Twine(dim) +
                           ", but found " + Twine(tensor.getDims()[i]));
  return Error::success();
}

/// Checks that dims with one symbol are equal in all inputs.
static Error checkSymbols(func::FuncOp function, ArrayRef<HostTensor> inputs) {
  struct Seen {
    int64_t size;
    unsigned input;
  };
  llvm::StringMap<Seen> symbols;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto names = function.getArgAttrOfType<ArrayAttr>(i, kDimsAttrName);
    if (!names)
      continue;
    for (auto [attr, size] : llvm::zip(names, input.getDims())) {
      auto symbol = dyn_cast<StringAttr>(attr);
      if (!symbol || symbol.empty())
        continue;
      Seen seen =
          symbols.try_emplace(symbol, Seen{size, static_cast<unsigned>(i)})
              .first->second;
      if (seen.size != size)
        return makeError(ExitCode::BadData,
                         "dim '" + symbol.getValue() + "' is " +
                             Twine(seen.size) + " in " +
                             getInputName(function, seen.input) + ", but " +
                             Twine(size) + " in " + getInputName(function, i));
    }
  }
  return Error::success();
}

Error qopt::checkInputs(func::FuncOp function, ArrayRef<HostTensor> inputs) {
  if (inputs.size() != function.getNumArguments())
    return makeError(ExitCode::BadData,
                     "expects " + Twine(function.getNumArguments()) +
                         " inputs, but found " + Twine(inputs.size()));
  for (auto [i, input] : llvm::enumerate(inputs))
    if (Error error = checkInput(function, i, input))
      return error;
  return checkSymbols(function, inputs);
}

namespace {
/// The tensors of the values that are still to be used.
class LiveTensors {
public:
  void define(Value value, HostTensor tensor) {
    if (!value.use_empty())
      tensors.try_emplace(value, Entry{std::move(tensor), countUses(value)});
  }
  HostTensor get(Value value) const { return tensors.at(value).tensor; }
  /// Frees the tensor of `value` if this was its last use.
  void release(Value value) {
    auto it = tensors.find(value);
    if (--it->second.usesLeft == 0)
      tensors.erase(it);
  }

private:
  struct Entry {
    HostTensor tensor;
    int64_t usesLeft;
  };
  static int64_t countUses(Value value) {
    return std::distance(value.use_begin(), value.use_end());
  }
  llvm::DenseMap<Value, Entry> tensors;
};
} // namespace

Error qopt::evaluate(func::FuncOp function, ArrayRef<HostTensor> inputs,
                     SmallVectorImpl<HostTensor> &outputs,
                     ObserveCallback observe) {
  if (!function.getBody().hasOneBlock())
    return makeError(ExitCode::Unsupported,
                     "expects a function of one block to evaluate");
  if (Error error = checkInputs(function, inputs))
    return error;
  LiveTensors live;
  for (auto [argument, input] :
       llvm::zip_equal(function.getArguments(), inputs))
    live.define(argument, input);
  for (Operation &op : function.getBody().front()) {
    SmallVector<HostTensor> operands = llvm::map_to_vector(
        op.getOperands(), [&](Value value) { return live.get(value); });
    for (Value operand : op.getOperands())
      live.release(operand);
    if (isa<func::ReturnOp>(op)) {
      outputs.assign(operands.begin(), operands.end());
      return Error::success();
    }
    if (auto observed = dyn_cast<ObserveOp>(op); observed && observe)
      observe(observed.getId(), operands.front());
    Expected<SmallVector<HostTensor>> results = evaluateOp(&op, operands);
    if (!results)
      return results.takeError();
    for (auto [result, tensor] : llvm::zip_equal(op.getResults(), *results))
      live.define(result, std::move(tensor));
  }
  return makeError(ExitCode::Unsupported, "expects a function that returns");
}
