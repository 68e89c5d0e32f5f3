//===- Staging.cpp - Which launches a kernel takes ------------------------===//
//
// What writes the code of a kernel is asked, without the bodies of its
// launches: its arithmetic on dims, which gives the sizes of temporaries, is
// written into the program. The code is written later, once for each step, by
// the same functions, so that they cannot disagree with what is said here.
//
//===----------------------------------------------------------------------===//

#include "Staging.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;
using kernel::LaunchOp;

//===----------------------------------------------------------------------===//
// Steps and temporaries
//===----------------------------------------------------------------------===//

std::string HostProgram::Launch::nameStep(StringRef name) {
  int64_t number = numSteps[name]++;
  return number ? (name + "." + Twine(number)).str() : name.str();
}

SmallVector<Value>
HostProgram::Launch::findTemporaries(ValueRange captures) const {
  SmallVector<Value> used;
  for (Value temporary : temporaries) {
    llvm::SetVector<Value> derived;
    derived.insert(temporary);
    for (size_t i = 0; i < derived.size(); ++i)
      for (Operation *user : derived[i].getUsers())
        derived.insert(user->result_begin(), user->result_end());
    if (llvm::any_of(captures,
                     [&](Value value) { return derived.contains(value); }))
      used.push_back(temporary);
  }
  return used;
}

Value HostProgram::temporary(Value bytes) {
  if (inWork->staging)
    inWork->staging->allocate(bytes);
  // Stands for memory that steps are given.
  Value pointer = LLVM::ZeroOp::create(b, location, pointerType());
  inWork->temporaries.push_back(pointer);
  return pointer;
}

Value HostProgram::scratch(Value bytesPerThread) {
  if (!inWork->staging)
    return temporary(Value());
  Value threads = arith::IndexCastOp::create(
      b, location, b.getI64Type(),
      kernel::ThreadCountOp::create(b, location, b.getIndexType()));
  return temporary(code().mul(threads, bytesPerThread));
}

bool HostProgram::giveTemporaries(MutableArrayRef<Value> captures) {
  LaunchOp op = inWork->op;
  SmallVector<Value> used = inWork->findTemporaries(captures);
  if (used.size() != op.getTemporaries().size()) {
    InFlightDiagnostic error = op.emitOpError("expects memory for ")
                               << used.size() << " temporaries, but found "
                               << op.getTemporaries().size();
    error.attachNote() << "between its launches a kernel computes with dims "
                          "alone";
    return false;
  }
  for (auto [temporary, memory] : llvm::zip(used, op.getTemporaries())) {
    Value pointer = memoryOf(memory).pointer;
    temporary.replaceAllUsesWith(pointer);
    llvm::replace(captures, temporary, pointer);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Staging
//===----------------------------------------------------------------------===//

HostProgram::Staging::Staging(HostProgram &program, LaunchOp launch)
    : program(program), launch(launch), b(program.b),
      before(launch->getPrevNode()) {
  b.setInsertionPoint(launch);
}

/// The dims that the type of `memory` leaves open, as far as the program says
/// them.
static SmallVector<Value> findOpenDims(OpBuilder &b, Value memory) {
  Operation *maker = memory.getDefiningOp();
  if (auto alloc = dyn_cast_or_null<memref::AllocOp>(maker))
    return alloc.getDynamicSizes();
  if (auto output = dyn_cast_or_null<kernel::OutputMemoryOp>(maker))
    return output.getDims();
  if (auto append = dyn_cast_or_null<kernel::AppendMemoryOp>(maker))
    return append.getDims();
  if (auto view = dyn_cast_or_null<kernel::ViewOp>(maker))
    return view.getDims();
  auto type = cast<MemRefType>(memory.getType());
  SmallVector<Value> dims;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      dims.push_back(memref::DimOp::create(b, memory.getLoc(), memory, i));
  return dims;
}

Value HostProgram::Staging::toWord(Value index) {
  Location loc = launch.getLoc();
  if (std::optional<int64_t> number = knownNumber(index))
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(*number));
  // One dim is one value, wherever it is asked for.
  std::pair<Value, int64_t> key(index, -1);
  if (auto dim = index.getDefiningOp<memref::DimOp>())
    key = {dim.getSource(), *dim.getConstantIndex()};
  Value &word = words[key];
  if (!word)
    word = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return word;
}

Value HostProgram::Staging::toIndex(Value word) {
  return b.createOrFold<arith::IndexCastOp>(launch.getLoc(), b.getIndexType(),
                                            word);
}

void HostProgram::Staging::bindOperands() {
  for (Value operand : llvm::concat<const Value>(
           SmallVector<Value>(launch.getInputs()),
           SmallVector<Value>(launch.getDestinations()))) {
    if (!isa<MemRefType>(operand.getType()))
      continue;
    SmallVector<Value> dims;
    for (Value dim : findOpenDims(b, operand))
      dims.push_back(toWord(dim));
    program.setMemory(
        operand,
        LLVM::ZeroOp::create(b, launch.getLoc(), program.pointerType()), dims);
    if (auto list = operand.getDefiningOp<kernel::ListOp>())
      for (Value element : list.getElements())
        program.scalars[element] = toWord(element);
  }
}

void HostProgram::Staging::allocate(Value bytes) {
  Type byte = b.getI8Type();
  Location loc = launch.getLoc();
  if (std::optional<int64_t> number = knownNumber(bytes))
    memories.push_back(
        memref::AllocOp::create(b, loc, MemRefType::get({*number}, byte)));
  else
    memories.push_back(memref::AllocOp::create(
        b, loc, MemRefType::get({ShapedType::kDynamic}, byte),
        ValueRange{toIndex(bytes)}));
}

void HostProgram::Staging::addStep(StringRef name, ValueRange captures) {
  SmallVector<Value> used;
  for (Value pointer : program.inWork->findTemporaries(captures))
    used.push_back(memories[llvm::find(program.inWork->temporaries, pointer) -
                            program.inWork->temporaries.begin()]);
  auto step =
      LaunchOp::create(b, launch.getLoc(), TypeRange(), launch.getCalleeAttr(),
                       launch.getInputs(), launch.getDestinations(), used,
                       b.getStringAttr(name));
  for (Value memory : used)
    lastUses[memory] = step;
}

void HostProgram::Staging::checkSize(ValueRange dims, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> open;
  for (Value dim : dims) {
    shape.push_back(knownNumber(dim).value_or(ShapedType::kDynamic));
    if (ShapedType::isDynamic(shape.back()))
      open.push_back(toIndex(dim));
  }
  kernel::CheckSizeOp::create(b, launch.getLoc(), open,
                              MemRefType::get(shape, memoryType(element)));
}

SmallVector<Operation *> host::findBetween(Operation *first, Operation *last) {
  SmallVector<Operation *> between;
  for (Operation *op = last; op != first; op = op->getPrevNode())
    between.push_back(op);
  return between;
}

void HostProgram::Staging::undo() {
  for (Operation *op : findBetween(before, launch->getPrevNode()))
    op->erase();
}

void host::eraseDead(Operation *first, Operation *last) {
  for (Operation *op : findBetween(first, last))
    if (isOpTriviallyDead(op))
      op->erase();
}

/// What sizes and checks are made of, and what is said of launches.
static bool isOfProgram(Operation *op) {
  return isa<memref::AllocOp, memref::DimOp>(op) ||
         isa<arith::ArithDialect, kernel::QKernelDialect>(op->getDialect());
}

void HostProgram::Staging::finish() {
  eraseDead(before, launch->getPrevNode());
  if (lastUses.empty() ||
      !llvm::all_of(findBetween(before, launch->getPrevNode()), isOfProgram))
    return undo();
  llvm::DenseMap<Operation *, Operation *> ends;
  for (auto [memory, step] : lastUses) {
    Operation *&end = ends.try_emplace(step, step).first->second;
    b.setInsertionPointAfter(end);
    end = memref::DeallocOp::create(b, launch.getLoc(), memory);
  }
  launch.erase();
}

LogicalResult HostProgram::stageLaunch(LaunchOp op,
                                       const kernel::Kernel &kernel) {
  location = op.getLoc();
  Staging staging(*this, op);
  staging.bindOperands();
  LogicalResult result = writeLaunch(
      op, &staging, [&](Launch &) { return emitKernel(current, kernel); });
  if (succeeded(result))
    staging.finish();
  else
    staging.undo();
  return result;
}
