//===- Interpreter.cpp - Plain-loop evaluation of qopt programs -----------===//
//
// A value keeps its tensor until the last op of its block that uses it, itself
// or inside its regions. Regions see what is outside of them. Scalars of
// control flow are tensors of rank 0 here. Sequences and optionals live between
// ops; functions take and return tensors.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/Interpreter.h"

#include "Elements.h"
#include "Evaluation.h"
#include "HostValue.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;

namespace {
using Values = SmallVector<HostValue>;

class Interpreter {
public:
  Interpreter(ObserveCallback observe, int64_t maxIterations)
      : observe(observe), maxIterations(maxIterations) {}

  /// Runs `block` to its end; what its terminator uses become `results`.
  Error runBlock(Block &block, ArrayRef<HostValue> arguments, Values &results);

private:
  void planLifetimes(Block &block);
  Values valuesOf(ValueRange values) const;
  const HostTensor &tensorOf(Value value) const {
    return live.find(value)->second.getTensor();
  }
  Error runOp(Operation &op);
  Expected<Values> evaluate(Operation &op) const;
  Expected<Values> run(scf::IfOp op);
  Expected<Values> run(scf::ForOp op);
  Expected<Values> run(scf::WhileOp op);
  Error countIteration(Operation *loop);

  ObserveCallback observe;
  int64_t maxIterations;
  int64_t numIterations = 0;
  llvm::DenseMap<Value, HostValue> live;
  /// Values that are used last by an op of their own block.
  llvm::DenseMap<Operation *, SmallVector<Value>> lastUses;
  llvm::DenseSet<Block *> planned;
};
} // namespace

void Interpreter::planLifetimes(Block &block) {
  if (!planned.insert(&block).second)
    return;
  auto plan = [&](Value value) {
    Operation *last = nullptr;
    for (Operation *user : value.getUsers()) {
      Operation *own = block.findAncestorOpInBlock(*user);
      if (!last || last->isBeforeInBlock(own))
        last = own;
    }
    if (last)
      lastUses[last].push_back(value);
  };
  llvm::for_each(block.getArguments(), plan);
  for (Operation &op : block)
    llvm::for_each(op.getResults(), plan);
}

Values Interpreter::valuesOf(ValueRange values) const {
  return llvm::map_to_vector(values,
                             [&](Value value) { return live.at(value); });
}

Error Interpreter::runBlock(Block &block, ArrayRef<HostValue> arguments,
                            Values &results) {
  planLifetimes(block);
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments(), arguments))
    if (!argument.use_empty())
      live[argument] = value;
  for (Operation &op : block.without_terminator()) {
    if (Error error = runOp(op))
      return error;
    for (Value value : lastUses.lookup(&op))
      live.erase(value);
  }
  Operation *end = block.getTerminator();
  results = valuesOf(end->getOperands());
  for (Value value : lastUses.lookup(end))
    live.erase(value);
  return Error::success();
}

Expected<Values> Interpreter::evaluate(Operation &op) const {
  Values operands = valuesOf(op.getOperands());
  if (isa_and_nonnull<QOptDialect>(op.getDialect()) && hasSequences(&op)) {
    Expected<HostValue> result = evaluateSequenceOp(&op, operands);
    if (!result)
      return result.takeError();
    return Values{std::move(*result)};
  }
  auto tensors = llvm::map_to_vector(
      operands, [](const HostValue &value) { return value.getTensor(); });
  Expected<SmallVector<HostTensor>> results = evaluateOp(&op, tensors);
  if (!results)
    return results.takeError();
  return Values(results->begin(), results->end());
}

Error Interpreter::runOp(Operation &op) {
  if (auto observed = dyn_cast<ObserveOp>(op); observed && observe)
    observe(observed.getId(), tensorOf(observed.getX()));
  Expected<Values> results =
      llvm::TypeSwitch<Operation *, Expected<Values>>(&op)
          .Case<scf::IfOp, scf::ForOp, scf::WhileOp>(
              [&](auto flow) { return run(flow); })
          .Default([&](Operation *) { return evaluate(op); });
  if (!results)
    return results.takeError();
  for (auto [result, value] : llvm::zip_equal(op.getResults(), *results))
    if (!result.use_empty())
      live[result] = std::move(value);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Expected<Values> Interpreter::run(scf::IfOp op) {
  bool holds = readInteger(tensorOf(op.getCondition()), 0) != 0;
  Region &taken = holds ? op.getThenRegion() : op.getElseRegion();
  Values results;
  if (!taken.empty())
    if (Error error = runBlock(taken.front(), {}, results))
      return std::move(error);
  return results;
}

Error Interpreter::countIteration(Operation *loop) {
  if (numIterations++ < maxIterations)
    return Error::success();
  return makeOpError(loop, ExitCode::BadData,
                     "the loops of the run take more than " +
                         Twine(maxIterations) +
                         " iterations, the most that were allowed");
}

Expected<Values> Interpreter::run(scf::ForOp op) {
  int64_t index = readInteger(tensorOf(op.getLowerBound()), 0);
  int64_t end = readInteger(tensorOf(op.getUpperBound()), 0);
  int64_t step = readInteger(tensorOf(op.getStep()), 0);
  if (op.getUnsignedCmp())
    return makeOpError(op, ExitCode::Unsupported, "compares without sign");
  if (step <= 0)
    return makeOpError(op, ExitCode::BadData,
                       "expects a step above 0, but found " + Twine(step));
  auto indexType = *getHostElementType(op.getInductionVar().getType());
  Values carried = valuesOf(op.getInitArgs());
  while (index < end) {
    if (Error error = countIteration(op))
      return std::move(error);
    Expected<HostTensor> counter = HostTensor::allocate(indexType, {});
    if (!counter)
      return counter.takeError();
    writeInteger(*counter, 0, index);
    Values arguments{HostValue(std::move(*counter))};
    llvm::append_range(arguments, carried);
    if (Error error = runBlock(*op.getBody(), arguments, carried))
      return std::move(error);
    if (llvm::AddOverflow(index, step, index))
      break;
  }
  return carried;
}

Expected<Values> Interpreter::run(scf::WhileOp op) {
  Values carried = valuesOf(op.getInits());
  while (true) {
    Values passed;
    if (Error error = runBlock(*op.getBeforeBody(), carried, passed))
      return std::move(error);
    bool goesOn = readInteger(passed.front().getTensor(), 0) != 0;
    passed.erase(passed.begin());
    if (!goesOn)
      return passed;
    if (Error error = countIteration(op))
      return std::move(error);
    if (Error error = runBlock(*op.getAfterBody(), passed, carried))
      return std::move(error);
  }
}

Error qopt::evaluate(func::FuncOp function, ArrayRef<HostTensor> inputs,
                     SmallVectorImpl<HostTensor> &outputs,
                     ObserveCallback observe, int64_t maxIterations) {
  if (!function.getBody().hasOneBlock())
    return makeError(ExitCode::Unsupported,
                     "expects a function of one block to evaluate");
  if (Error error = checkInputs(function, inputs))
    return error;
  Block &block = function.getBody().front();
  if (!isa<func::ReturnOp>(block.getTerminator()) ||
      !llvm::all_of(block.getTerminator()->getOperandTypes(),
                    llvm::IsaPred<TensorType>))
    return makeError(ExitCode::Unsupported,
                     "expects a function that returns tensors");
  Values arguments(inputs.begin(), inputs.end()), results;
  Interpreter interpreter(observe, maxIterations);
  if (Error error = interpreter.runBlock(block, arguments, results))
    return error;
  outputs.clear();
  for (const HostValue &result : results)
    outputs.push_back(result.getTensor());
  return Error::success();
}
