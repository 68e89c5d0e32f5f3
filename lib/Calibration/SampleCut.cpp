//===- SampleCut.cpp - Runs that go on where the last one ended -----------===//
//
// A part is what observe ops read, back to the inputs and to values at the cut.
// What is not at the cut, since it is no tensor, or an op that reads it came
// later, is computed again.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/SampleCut.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/Quantization/RoundingMethod.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;

/// The number of an op's first result, on ops that were run.
static constexpr llvm::StringLiteral kCutAttrName = "qopt.cut";

struct SampleCut::Part {
  /// The ops of @main that it runs, in their order.
  SmallVector<Operation *> ops;
  /// What it takes behind the inputs of @main.
  SmallVector<Value> arguments;
  /// What of it later ops read.
  SmallVector<Value> results;
  /// What stays at the cut.
  llvm::DenseSet<int64_t> needed;
  OwningOpRef<ModuleOp> program;
};

static func::FuncOp mainOf(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

/// Calls `visit` on the values that an op of @main reads, itself or inside.
static void forEachRead(Operation *op, llvm::function_ref<void(Value)> visit) {
  llvm::for_each(op->getOperands(), visit);
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  llvm::for_each(captured, visit);
}

SampleCut::~SampleCut() {
  for (Operation &op : mainOf(module).getBody().front())
    op.removeAttr(kCutAttrName);
}

void SampleCut::readMarks() {
  numbers.clear();
  executed.clear();
  for (Operation &op : mainOf(module).getBody().front()) {
    auto first = op.getAttrOfType<IntegerAttr>(kCutAttrName);
    if (!first)
      continue;
    executed.insert(&op);
    for (auto [i, result] : llvm::enumerate(op.getResults()))
      if (!kept.empty() && kept.front().contains(first.getInt() + i))
        numbers[result] = first.getInt() + i;
  }
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// True where all that `op` is to have codes for was rounded.
static bool isRounded(Operation *op) {
  return !op->walk([](Operation *inner) {
              auto request =
                  inner->getAttrOfType<RequestAttr>(kRequestAttrName);
              bool isPlanned = request && request.getParams() != Params::Float;
              return isPlanned && !inner->hasAttr(kRoundedAttrName)
                         ? WalkResult::interrupt()
                         : WalkResult::advance();
            }).wasInterrupted();
}

/// Finds what observe ops read, from the cut on or from the inputs.
SampleCut::Part SampleCut::makePart(bool startsFromCut) {
  Part part;
  Block &block = mainOf(module).getBody().front();
  llvm::DenseSet<Operation *> reached;
  llvm::SetVector<Value> arguments;
  SmallVector<Operation *> open;
  auto reach = [&](Operation *op) {
    if (reached.insert(op).second)
      open.push_back(op);
  };
  block.walk([&](ObserveOp op) { reach(block.findAncestorOpInBlock(*op)); });
  while (!open.empty())
    forEachRead(open.pop_back_val(), [&](Value value) {
      if (startsFromCut && numbers.contains(value))
        arguments.insert(value);
      else if (Operation *op = value.getDefiningOp())
        reach(op);
    });
  for (Operation &op : block)
    if (reached.contains(&op))
      part.ops.push_back(&op);
  part.arguments = arguments.takeVector();
  return part;
}

/// Numbers the values of a part that stay as they are.
void SampleCut::mark(const Part &part) {
  llvm::DenseSet<Operation *> changes, constants;
  auto i64 = IntegerType::get(module.getContext(), 64);
  for (Operation *op : part.ops) {
    bool changesLater = isa<ObserveOp>(op) || !isRounded(op), isConstant = true;
    forEachRead(op, [&](Value value) {
      Operation *made = value.getDefiningOp();
      changesLater |= made && changes.contains(made);
      isConstant &= made && constants.contains(made);
    });
    if (changesLater)
      changes.insert(op);
    else if (isConstant)
      constants.insert(op);
    else if (executed.insert(op).second) {
      op->setAttr(kCutAttrName, IntegerAttr::get(i64, nextNumber));
      for (Value result : op->getResults()) {
        auto type = dyn_cast<RankedTensorType>(result.getType());
        if (type && getHostElementType(type.getElementType()))
          numbers[result] = nextNumber;
        ++nextNumber;
      }
    }
  }
}

/// What later ops read of the part, and what of the cut they read still.
void SampleCut::addResults(Part &part) {
  Block &block = mainOf(module).getBody().front();
  llvm::DenseSet<Operation *> own(part.ops.begin(), part.ops.end());
  auto isToRun = [&](Operation *user) {
    Operation *op = block.findAncestorOpInBlock(*user);
    return op != block.getTerminator() && !isa<ObserveOp>(op) &&
           !executed.contains(op);
  };
  for (Operation &op : block)
    for (Value result : op.getResults()) {
      auto number = numbers.find(result);
      if (number == numbers.end() || !llvm::any_of(result.getUsers(), isToRun))
        continue;
      part.needed.insert(number->second);
      if (own.contains(&op))
        part.results.push_back(result);
    }
}

/// A module whose @main is the part.
static OwningOpRef<ModuleOp> writeProgram(ModuleOp module,
                                          ArrayRef<Operation *> ops,
                                          ValueRange arguments,
                                          ValueRange results) {
  func::FuncOp main = mainOf(module);
  OpBuilder builder(module.getContext());
  OwningOpRef<ModuleOp> program = ModuleOp::create(builder, module.getLoc());
  (*program)->setAttrs(module->getAttrDictionary());
  builder.setInsertionPointToStart(program->getBody());
  auto types = llvm::to_vector(main.getArgumentTypes());
  llvm::append_range(types, arguments.getTypes());
  auto function =
      func::FuncOp::create(builder, main.getLoc(), main.getName(),
                           builder.getFunctionType(types, results.getTypes()));
  Block *block = function.addEntryBlock();
  IRMapping mapping;
  for (auto [i, argument] : llvm::enumerate(main.getArguments())) {
    function.setArgAttrs(i, main.getArgAttrDict(i));
    mapping.map(argument, block->getArgument(i));
  }
  mapping.map(arguments,
              block->getArguments().drop_front(main.getNumArguments()));
  builder.setInsertionPointToStart(block);
  for (Operation *op : ops)
    builder.clone(*op, mapping)->removeAttr(kCutAttrName);
  func::ReturnOp::create(builder, main.getLoc(),
                         llvm::map_to_vector(results, [&](Value value) {
                           return mapping.lookup(value);
                         }));
  return program;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

static uint64_t sizeOf(const HostTensor &tensor) {
  return tensor.getSizeInBytes();
}

void SampleCut::dropFrom(size_t sample) {
  for (size_t i = sample; i < kept.size(); ++i)
    for (auto &[number, tensor] : kept[i])
      numBytes -= sizeOf(tensor);
  kept.resize(sample);
}

/// Replaces what is kept of a sample; false where that does not fit.
bool SampleCut::keep(size_t sample, const Part &part,
                     SmallVectorImpl<HostTensor> &results) {
  Tensors next;
  uint64_t bytes = numBytes;
  for (auto &[number, tensor] : kept[sample]) {
    if (part.needed.contains(number))
      next.try_emplace(number, tensor);
    else
      bytes -= sizeOf(tensor);
  }
  for (auto [value, tensor] : llvm::zip_equal(part.results, results)) {
    bytes += sizeOf(tensor);
    next.try_emplace(numbers.at(value), std::move(tensor));
  }
  if (bytes > maxBytes)
    return false;
  numBytes = bytes;
  kept[sample] = std::move(next);
  return true;
}

llvm::Error SampleCut::runPart(const Part &part, size_t first, size_t end,
                               const CalibrationData &data,
                               ProgramRunner &runner, SampleCallback observe) {
  if (first == end)
    return llvm::Error::success();
  if (llvm::Error error = runner.prepare(*part.program))
    return error;
  // From here on there is no room.
  size_t full = end;
  for (size_t sample = first; sample < end; ++sample) {
    const std::string &file = data.files[sample];
    auto inputs = readSample(file, mainOf(module));
    if (!inputs)
      return inputs.takeError();
    for (Value argument : part.arguments)
      inputs->push_back(kept[sample].at(numbers.at(argument)));
    SmallVector<HostTensor> results;
    llvm::Error error = runner.run(
        *inputs,
        [&](int64_t id, const HostTensor &tensor) {
          observe(sample, id, tensor);
        },
        part.results.empty() ? nullptr : &results);
    if (error)
      return inSample(file, std::move(error));
    if (sample < full && sample < kept.size() && !keep(sample, part, results))
      full = sample;
  }
  dropFrom(std::min(full, kept.size()));
  return llvm::Error::success();
}

llvm::Error SampleCut::runSamples(ModuleOp program, const CalibrationData &data,
                                  ProgramRunner &runner,
                                  SampleCallback observe) {
  assert(program == module && "a cut is one of a module");
  size_t numSamples = data.files.size();
  if (!hasRun)
    kept.resize(numSamples);
  hasRun = true;
  readMarks();
  size_t numFromCut = kept.size();
  if (numFromCut != 0) {
    Part part = makePart(/*startsFromCut=*/true);
    mark(part);
    addResults(part);
    part.program = writeProgram(module, part.ops, part.arguments, part.results);
    if (llvm::Error error = runPart(part, 0, numFromCut, data, runner, observe))
      return error;
  }
  if (numFromCut == numSamples)
    return llvm::Error::success();
  Part part = makePart(/*startsFromCut=*/false);
  part.program = writeProgram(module, part.ops, {}, {});
  return runPart(part, numFromCut, numSamples, data, runner, observe);
}
