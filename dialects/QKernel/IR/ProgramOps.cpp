//===- ProgramOps.cpp - What a program does beside kernels ----------------===//
//
// Launches, memory and what a run can fail of.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

//===----------------------------------------------------------------------===//
// Attributes of other ops
//===----------------------------------------------------------------------===//

static LogicalResult verifyOutputs(Operation *op, Attribute attribute) {
  // qkernel_c2
  auto outputs = dyn_cast<DenseI32ArrayAttr>(attribute);
  auto isOutput = [](int32_t index) { return index >= -1; };
  if (!outputs || outputs.size() != op->getNumResults() ||
      !llvm::all_of(outputs.asArrayRef(), isOutput))
    return op->emitOpError("expects the output or -1 of each of its ")
           << op->getNumResults() << " results in " << kOutputsAttrName
           << ", but found " << attribute;
  return success();
}

LogicalResult
QKernelDialect::verifyOperationAttribute(Operation *op,
                                         NamedAttribute attribute) {
  if (attribute.getName() == kFactsAttrName)
    return verifyFacts(op, attribute.getValue());
  if (attribute.getName() == kOutputsAttrName)
    return verifyOutputs(op, attribute.getValue());
  return success();
}

std::optional<int32_t> kernel::getOutput(OpResult result) {
  auto outputs =
      result.getOwner()->getAttrOfType<DenseI32ArrayAttr>(kOutputsAttrName);
  if (!outputs || outputs[result.getResultNumber()] < 0)
    return std::nullopt;
  return outputs[result.getResultNumber()];
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Type kernel::getMemoryElement(Type element) {
  if (element.isF32() || element.isF64() || element.isF16())
    return element;
  unsigned bits = element.getIntOrFloatBitWidth();
  return IntegerType::get(element.getContext(), bits <= 8 ? 8 : bits);
}

MemRefType kernel::getMemoryType(RankedTensorType tensor) {
  return MemRefType::get(tensor.getShape(),
                         getMemoryElement(tensor.getElementType()));
}

MemRefType kernel::getAppendedType(MemRefType memory, int64_t axis) {
  SmallVector<int64_t> strides(memory.getRank(), ShapedType::kDynamic);
  int64_t stride = 1;
  for (int64_t i = memory.getRank() - 1; i >= axis; --i) {
    strides[i] = stride;
    bool isKnown = !ShapedType::isDynamic(stride) && !memory.isDynamicDim(i);
    stride = isKnown ? stride * memory.getDimSize(i) : ShapedType::kDynamic;
  }
  return MemRefType::get(
      memory.getShape(), memory.getElementType(),
      StridedLayoutAttr::get(memory.getContext(), /*offset=*/0, strides));
}

/// Whether `memory` can be that of `tensor`, wherever it lies.
static bool isMemoryOf(Type memory, Type tensor) {
  auto found = dyn_cast<MemRefType>(memory);
  auto wanted = dyn_cast<RankedTensorType>(tensor);
  return found && wanted && wanted.getElementType().isIntOrFloat() &&
         MemRefType::get(found.getShape(), found.getElementType()) ==
             kernel::getMemoryType(wanted);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The name of the first ONNX node in a location; where there is none, as of
/// ops on an input, the first name.
static StringRef nodeName(Location loc) {
  NameLoc name = loc->findInstanceOf<NameLoc>();
  loc->walk([&](Location inner) {
    auto fused = dyn_cast<FusedLoc>(inner);
    if (!fused || !isa_and_nonnull<NodeAttr>(fused.getMetadata()))
      return WalkResult::advance();
    if (auto named = inner->findInstanceOf<NameLoc>())
      name = named;
    return WalkResult::interrupt();
  });
  return name ? name.getName() : StringRef();
}

void kernel::createRequire(OpBuilder &b, Location loc, Value condition,
                           int32_t code, const Twine &text) {
  APInt known;
  if (matchPattern(condition, m_ConstantInt(&known)) && !known.isZero())
    return;
  std::string message = text.str();
  if (StringRef name = nodeName(loc); !name.empty())
    message = ("node \"" + name + "\": " + message).str();
  RequireOp::create(b, loc, condition, b.getI32IntegerAttr(code),
                    b.getStringAttr(message), /*status=*/Value());
}

LogicalResult RequireOp::verify() {
  // require_c1
  if (getCode().has_value() == bool(getStatus()))
    return emitOpError("expects a code or a status");
  if (getMessage() && !getCode())
    return emitOpError("expects a code for its message");
  return success();
}

/// Whether `function` holds one op that takes and gives what it does.
static bool holdsOneOp(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return false;
  Block &block = function.getBody().front();
  if (!llvm::hasNItems(block, 2))
    return false;
  Operation &kernel = block.front(), &end = block.back();
  return isa<func::ReturnOp>(end) &&
         llvm::equal(kernel.getOperands(), block.getArguments()) &&
         llvm::equal(end.getOperands(), kernel.getResults());
}

LogicalResult LaunchOp::verify() {
  // launch_c3
  if (!getStep() && !getTemporaries().empty())
    return emitOpError("expects a step for its temporaries");
  if (getStep() && getNumResults() != 0)
    return emitOpError("expects destinations of its step, but found results");
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // launch_c1
  auto function =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!function)
    return emitOpError("expects a function ") << getCalleeAttr();
  auto isOperand = [](Type operand, Type argument) {
    return operand == argument || isMemoryOf(operand, argument);
  };
  bool hasResults = llvm::equal(getResultTypes(), function.getResultTypes()) ||
                    (getNumResults() == 0 &&
                     llvm::equal(getDestinations().getTypes(),
                                 function.getResultTypes(), isMemoryOf));
  if (!llvm::equal(getInputs().getTypes(), function.getArgumentTypes(),
                   isOperand) ||
      !hasResults)
    return emitOpError("expects a function of its own type, but found ")
           << function.getFunctionType();
  // launch_c2
  if (!holdsOneOp(function))
    return emitOpError("expects one op of the arguments in ")
           << getCalleeAttr();
  return success();
}

/// Checks that `dims` are those that `memory` leaves open.
static LogicalResult verifyDims(Operation *op, Type memory, ValueRange dims) {
  int64_t wanted = cast<MemRefType>(memory).getNumDynamicDims();
  if (static_cast<int64_t>(dims.size()) == wanted)
    return success();
  return op->emitOpError("expects ")
         << wanted << " dims for " << memory << ", but found " << dims.size();
}

LogicalResult CheckSizeOp::verify() {
  // check_size_c1
  return verifyDims(*this, getMemory(), getDims());
}

LogicalResult OutputMemoryOp::verify() {
  // output_memory_c1
  return verifyDims(*this, getMemory().getType(), getDims());
}

LogicalResult AppendMemoryOp::verify() {
  // append_memory_c1
  if (failed(verifyDims(*this, getMemory().getType(), getDims())))
    return failure();
  // append_memory_c2
  auto type = cast<MemRefType>(getMemory().getType());
  auto dense = MemRefType::get(type.getShape(), type.getElementType());
  auto axis = static_cast<int64_t>(getAxis());
  if (axis < type.getRank() && type == kernel::getAppendedType(dense, axis))
    return success();
  return emitOpError("expects open strides in front of axis ")
         << axis << ", but found " << type;
}

LogicalResult ViewOp::verify() {
  auto type = cast<MemRefType>(getMemory().getType());
  // view_c1
  if (failed(verifyDims(*this, type, getDims())))
    return failure();
  // view_c2
  auto source = dyn_cast<MemRefType>(getSource().getType());
  if (source && source.getMemorySpace() != type.getMemorySpace())
    return emitOpError("expects memory in the space of ")
           << source << ", but found " << type;
  return success();
}

LogicalResult ListOp::verify() {
  // list_c1
  int64_t wanted = cast<MemRefType>(getMemory().getType()).getNumElements();
  if (static_cast<int64_t>(getElements().size()) != wanted)
    return emitOpError("expects ")
           << wanted << " elements, but found " << getElements().size();
  return success();
}

Operation *LaunchOp::getKernel(SymbolTableCollection &symbols) {
  auto function =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  return &function.getBody().front().front();
}
