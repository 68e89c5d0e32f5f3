//===- ProgramOps.cpp - What a program does beside kernels ----------------===//
//
// Launches, memory and what a run can fail of.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

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
// Ops
//===----------------------------------------------------------------------===//

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

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // launch_c1
  auto function =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!function)
    return emitOpError("expects a function ") << getCalleeAttr();
  if (!llvm::equal(function.getArgumentTypes(), getOperandTypes()) ||
      !llvm::equal(function.getResultTypes(), getResultTypes()))
    return emitOpError("expects a function of its own type, but found ")
           << function.getFunctionType();
  // launch_c2
  if (!holdsOneOp(function))
    return emitOpError("expects one op of the arguments in ")
           << getCalleeAttr();
  return success();
}

Operation *LaunchOp::getKernel(SymbolTableCollection &symbols) {
  auto function =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  return &function.getBody().front().front();
}
