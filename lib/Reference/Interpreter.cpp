//===- Interpreter.cpp - Plain-loop evaluation of qopt programs -----------===//
//
// A value keeps its tensor until the last op of its block that uses it, itself
// or inside its regions. Regions see what is outside of them. Scalars of
// control flow are tensors of rank 0 here.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/Interpreter.h"

#include "Elements.h"
#include "Evaluation.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;

namespace {
using Tensors = SmallVector<HostTensor>;

class Interpreter {
public:
  explicit Interpreter(ObserveCallback observe) : observe(observe) {}

  /// Runs `block` to its end; what its terminator uses become `results`.
  Error runBlock(Block &block, ArrayRef<HostTensor> arguments,
                 Tensors &results);

private:
  void planLifetimes(Block &block);
  Tensors tensorsOf(ValueRange values) const;
  Error runOp(Operation &op);
  Expected<Tensors> run(scf::IfOp op);
  Expected<Tensors> run(scf::ForOp op);
  Expected<Tensors> run(scf::WhileOp op);

  ObserveCallback observe;
  llvm::DenseMap<Value, HostTensor> live;
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

Tensors Interpreter::tensorsOf(ValueRange values) const {
  return llvm::map_to_vector(values,
                             [&](Value value) { return live.at(value); });
}

Error Interpreter::runBlock(Block &block, ArrayRef<HostTensor> arguments,
                            Tensors &results) {
  planLifetimes(block);
  for (auto [argument, tensor] :
       llvm::zip_equal(block.getArguments(), arguments))
    if (!argument.use_empty())
      live[argument] = tensor;
  for (Operation &op : block.without_terminator()) {
    if (Error error = runOp(op))
      return error;
    for (Value value : lastUses.lookup(&op))
      live.erase(value);
  }
  Operation *end = block.getTerminator();
  results = tensorsOf(end->getOperands());
  for (Value value : lastUses.lookup(end))
    live.erase(value);
  return Error::success();
}

Error Interpreter::runOp(Operation &op) {
  if (auto observed = dyn_cast<ObserveOp>(op); observed && observe)
    observe(observed.getId(), live.at(observed.getX()));
  Expected<Tensors> results =
      llvm::TypeSwitch<Operation *, Expected<Tensors>>(&op)
          .Case<scf::IfOp, scf::ForOp, scf::WhileOp>(
              [&](auto flow) { return run(flow); })
          .Default([&](Operation *) {
            return evaluateOp(&op, tensorsOf(op.getOperands()));
          });
  if (!results)
    return results.takeError();
  for (auto [result, tensor] : llvm::zip_equal(op.getResults(), *results))
    if (!result.use_empty())
      live[result] = std::move(tensor);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Expected<Tensors> Interpreter::run(scf::IfOp op) {
  bool holds = readInteger(live.at(op.getCondition()), 0) != 0;
  Region &taken = holds ? op.getThenRegion() : op.getElseRegion();
  Tensors results;
  if (!taken.empty())
    if (Error error = runBlock(taken.front(), {}, results))
      return std::move(error);
  return results;
}

Expected<Tensors> Interpreter::run(scf::ForOp op) {
  int64_t index = readInteger(live.at(op.getLowerBound()), 0);
  int64_t end = readInteger(live.at(op.getUpperBound()), 0);
  int64_t step = readInteger(live.at(op.getStep()), 0);
  if (op.getUnsignedCmp())
    return makeOpError(op, ExitCode::Unsupported, "compares without sign");
  if (step <= 0)
    return makeOpError(op, ExitCode::BadData,
                       "expects a step above 0, but found " + Twine(step));
  auto indexType = *getHostElementType(op.getInductionVar().getType());
  Tensors carried = tensorsOf(op.getInitArgs());
  while (index < end) {
    Expected<HostTensor> counter = HostTensor::allocate(indexType, {});
    if (!counter)
      return counter.takeError();
    writeInteger(*counter, 0, index);
    Tensors arguments{std::move(*counter)};
    llvm::append_range(arguments, carried);
    if (Error error = runBlock(*op.getBody(), arguments, carried))
      return std::move(error);
    if (llvm::AddOverflow(index, step, index))
      break;
  }
  return carried;
}

Expected<Tensors> Interpreter::run(scf::WhileOp op) {
  Tensors carried = tensorsOf(op.getInits());
  while (true) {
    Tensors passed;
    if (Error error = runBlock(*op.getBeforeBody(), carried, passed))
      return std::move(error);
    bool goesOn = readInteger(passed.front(), 0) != 0;
    passed.erase(passed.begin());
    if (!goesOn)
      return passed;
    if (Error error = runBlock(*op.getAfterBody(), passed, carried))
      return std::move(error);
  }
}

Error qopt::evaluate(func::FuncOp function, ArrayRef<HostTensor> inputs,
                     SmallVectorImpl<HostTensor> &outputs,
                     ObserveCallback observe) {
  if (!function.getBody().hasOneBlock())
    return makeError(ExitCode::Unsupported,
                     "expects a function of one block to evaluate");
  if (Error error = checkInputs(function, inputs))
    return error;
  Block &block = function.getBody().front();
  if (!isa<func::ReturnOp>(block.getTerminator()))
    return makeError(ExitCode::Unsupported, "expects a function that returns");
  Tensors results;
  if (Error error = Interpreter(observe).runBlock(block, inputs, results))
    return error;
  outputs.assign(results.begin(), results.end());
  return Error::success();
}
