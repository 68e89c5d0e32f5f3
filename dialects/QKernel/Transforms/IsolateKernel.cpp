//===- IsolateKernel.cpp - A program of one kernel ------------------------===//
//
// Constants are brought along, memory is an argument.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/IsolateKernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

OwningOpRef<VariantOp> kernel::isolateKernel(LaunchOp launch,
                                             Operation *kernel) {
  Location loc = launch->getLoc();
  OpBuilder builder(kernel->getContext());
  auto like = launch->getParentOfType<VariantOp>();
  auto variant =
      VariantOp::create(builder, loc, like.getSymName(), like.getTarget());
  builder.setInsertionPointToStart(&variant.getBody().emplaceBlock());
  auto alone = func::FuncOp::create(
      builder, loc, "main",
      builder.getFunctionType({}, kernel->getResultTypes()));
  Block *body = alone.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  IRMapping mapping;
  SmallVector<Type> arguments;
  auto bring = [&](auto &bring, Value constant) -> void {
    if (mapping.contains(constant))
      return;
    Operation *op = constant.getDefiningOp();
    for (Value operand : op->getOperands())
      bring(bring, operand);
    builder.clone(*op, mapping);
  };
  SmallVector<Value> operands;
  for (auto [given, operand] :
       llvm::zip_equal(launch.getInputs(), kernel->getOperands())) {
    if (isa<RankedTensorType>(given.getType())) {
      bring(bring, given);
      operands.push_back(mapping.lookup(given));
      continue;
    }
    arguments.push_back(operand.getType());
    operands.push_back(body->addArgument(operand.getType(), loc));
  }
  Operation *copy = builder.clone(*kernel);
  copy->setLoc(loc);
  copy->setOperands(operands);
  func::ReturnOp::create(builder, loc, copy->getResults());
  alone.setType(builder.getFunctionType(arguments, kernel->getResultTypes()));
  return variant;
}

Operation *kernel::getIsolated(VariantOp variant) {
  auto main = variant.lookupSymbol<func::FuncOp>("main");
  return main.getBody().front().getTerminator()->getPrevNode();
}
