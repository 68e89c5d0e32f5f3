//===- HostLoops.cpp - Formulas of loops, written for the host ------------===//
//
// A kernel cannot end a run. Each check has a flag in memory that parts set;
// the host function looks at it when all parts are done, so which text a run
// ends with does not depend on threads.
//
//===----------------------------------------------------------------------===//

#include "HostLoops.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

/// Elements, or what takes about as long, of a part.
static constexpr int64_t kPartElements = 16384;

static Type elementOf(Value tensor) { return getElementTypeOrSelf(tensor); }

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value HostLoops::toIndex(Value x) {
  return arith::ExtSIOp::create(builder(), program.loc(),
                                builder().getI64Type(), x);
}

Value HostLoops::load(Value tensor, Index at) {
  return v().widen(loadRaw(tensor, at), elementOf(tensor));
}

void HostLoops::store(Value value, Value tensor, Index at) {
  storeRaw(v().narrow(value, elementOf(tensor)), tensor, at);
}

Value HostLoops::loadRaw(Value tensor, Index at) {
  return v().loadScalar(bufferOf(tensor).pointer, at,
                        memoryType(elementOf(tensor)));
}

void HostLoops::storeRaw(Raw element, Value tensor, Index at) {
  v().storeScalar(element, bufferOf(tensor).pointer, at);
}

HostLoops::Raw HostLoops::constantRaw(uint64_t bits, Value tensor) {
  Type memory = memoryType(elementOf(tensor));
  unsigned width = memory.getIntOrFloatBitWidth();
  APInt number(64, bits);
  number = number.trunc(width);
  if (auto real = dyn_cast<FloatType>(memory))
    return v().constant(
        FloatAttr::get(memory, APFloat(real.getFloatSemantics(), number)), 0);
  return v().constant(IntegerAttr::get(memory, number), 0);
}

Value HostLoops::loadIndex(Value tensor, Index at) {
  Value loaded = load(tensor, at);
  return loaded.getType().isInteger(64) ? loaded : toIndex(loaded);
}

void HostLoops::storeIndex(Index value, Value tensor, Index at) {
  Type memory = memoryType(elementOf(tensor));
  if (value.getType() != memory)
    value = arith::TruncIOp::create(builder(), program.loc(), memory, value);
  storeRaw(value, tensor, at);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

void HostLoops::forEach(const Coordinates &dims,
                        llvm::function_ref<void(Coordinates)> body,
                        Index work) {
  CodeBuilder host = v();
  Value inner = dims.empty() ? host.i64(1) : dims.back();
  SmallVector<Value> outer(dims);
  if (!dims.empty())
    outer.pop_back();
  Value rows = host.product(outer), one = host.i64(1);
  Value rowWork = host.max(work ? host.mul(inner, work) : inner, one);
  Value rowsPerPart = host.max(host.div(host.i64(kPartElements), rowWork), one);
  // Few long rows are cut too.
  Value innerWork = host.max(work ? work : one, one);
  Value innerPerPart =
      host.max(host.div(host.i64(kPartElements), innerWork), one);
  Value innerParts = host.ceilDiv(inner, innerPerPart);

  Region region;
  Block &block = region.emplaceBlock();
  Type word = host.i64(0).getType();
  Value part = block.addArgument(word, program.loc());
  OpBuilder kernel(op->getContext());
  kernel.setInsertionPointToStart(&block);
  size_t firstCheck = checks.size();
  inside = &kernel;
  CodeBuilder k = v();
  Value rowPart = k.div(part, innerParts), innerPart = k.rem(part, innerParts);
  Value firstRow = k.mul(rowPart, rowsPerPart);
  Value low = k.mul(innerPart, innerPerPart);
  Value high = k.min(inner, k.add(low, innerPerPart));
  k.loop(firstRow, k.min(rows, k.add(firstRow, rowsPerPart)), 1,
         [&](Value row) {
           SmallVector<Value> at = k.delinearize(row, outer);
           if (dims.empty())
             return body(at);
           at.push_back(Value());
           k.loop(low, high, 1, [&](Value index) {
             at.back() = index;
             body(at);
           });
         });
  inside = nullptr;
  launch(block, host.mul(host.ceilDiv(rows, rowsPerPart), innerParts));
  for (Check &check : llvm::drop_begin(checks, firstCheck)) {
    CodeBuilder after = v();
    Value flag =
        after.loadScalar(check.flag, after.i64(0), builder().getI32Type());
    program.require(after.equal(flag, after.i32(0)), 1, check.text);
  }
}

/// The values that `body` uses and does not make.
static SmallVector<Value> findCaptures(Block &body) {
  llvm::SetVector<Value> captures;
  body.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!body.getParent()->isAncestor(operand.getParentRegion()))
        captures.insert(operand);
  });
  return captures.takeVector();
}

void HostLoops::launch(Block &body, Value parts) {
  SmallVector<Value> captures = findCaptures(body);
  StringRef name = op->getName().stripDialect();
  program.launch(name, captures, parts, [&](KernelScope &scope) {
    IRMapping mapping;
    mapping.map(captures, scope.captures);
    mapping.map(body.getArgument(0), scope.part);
    for (Operation &inner : body)
      scope.b.clone(inner, mapping);
  });
}

void HostLoops::require(Value condition, const Twine &text) {
  if (!inside)
    return program.require(condition, 1, text);
  // The flag belongs to the host function, the code around stays inside.
  OpBuilder *kernel = std::exchange(inside, nullptr);
  CodeBuilder host = v();
  Check &check = checks.emplace_back(Check{host.stack(64), text.str()});
  v().storeScalar(v().i32(0), check.flag, v().i64(0));
  inside = kernel;
  Value fails = values().notM(condition);
  Value flag = check.flag;
  ifThen(fails, [&] { v().storeScalar(v().i32(1), flag, v().i64(0)); });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

Operation *host::findSingleOp(Operation *op) {
  if (!kernel::isKernel(op))
    return op;
  Block &body = op->getRegion(0).front();
  return llvm::hasSingleElement(body.without_terminator()) ? &body.front() : op;
}

Value host::findOutside(Operation *kernel, Value value) {
  if (!kernel::isKernel(kernel))
    return value;
  Block &body = kernel->getRegion(0).front();
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == &body
               ? kernel->getOperand(argument.getArgNumber())
               : value;
  ValueRange yielded = body.getTerminator()->getOperands();
  if (value.getParentBlock() != &body)
    return value;
  return kernel->getResult(llvm::find(yielded, value) - yielded.begin());
}

LogicalResult host::refuse(Operation *op) {
  auto reason = op->getAttrOfType<StringAttr>(kernel::getReasonAttrName(op));
  assert(reason && "kernels are verified");
  return op->emitOpError("has no kernel: ") << reason.getValue();
}

std::unique_ptr<kernel::Kernel> host::makeGenericKernel() {
  return std::make_unique<GenericKernel<HostLoops, HostProgram>>();
}
