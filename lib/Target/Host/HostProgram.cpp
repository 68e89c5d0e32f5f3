//===- HostProgram.cpp - The host function of a tier ----------------------===//
//
// The host function is one block, with regions for control flow; what a run can
// fail of is an op in them. A run that fails leaves its memory to the arena,
// which starts every run empty.
//
//===----------------------------------------------------------------------===//

#include "HostProgram.h"
#include "Emissions.h"
#include "Staging.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

/// Bytes of an input of the generated entry: data, dims, rank.
static constexpr int64_t kInputBytes = 24;

HostProgram::HostProgram(ModuleOp module, StringRef tierName,
                         kernel::KernelList kernels, WeightsSection &weights)
    : module(module), tierName(tierName), kernels(kernels), weights(weights),
      b(module.getContext()), location(module.getLoc()),
      emissions(std::make_unique<Emissions>()) {}

HostProgram::~HostProgram() = default;

Type HostProgram::pointerType() {
  return LLVM::LLVMPointerType::get(b.getContext());
}

//===----------------------------------------------------------------------===//
// The frame
//===----------------------------------------------------------------------===//

void HostProgram::declareHost() {
  OpBuilder top = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = pointerType();
  auto type = LLVM::LLVMFunctionType::get(b.getI32Type(),
                                          {pointer, pointer, pointer, pointer});
  host = LLVM::LLVMFuncOp::create(top, location, "main." + tierName, type);
  Block *entry = host.addEntryBlock(top);
  context = entry->getArgument(0);
  weightsBase = entry->getArgument(1);
  b.setInsertionPointToStart(entry);
  Value size = code().i64(1);
  argsBlockSize = size.getDefiningOp();
  argsBlock = LLVM::AllocaOp::create(b, location, pointer, b.getI64Type(), size,
                                     /*alignment=*/64);
}

LogicalResult HostProgram::emit(func::FuncOp program) {
  location = program.getLoc();
  declareHost();
  Block &block = program.getBody().front();
  emitArguments(program, host.getBody().front().getArgument(2));
  for (Operation &op : block) {
    current = &op;
    location = op.getLoc();
    if (failed(emitOp(&op)))
      return failure();
  }
  argsBlockSize->setAttr("value", b.getI64IntegerAttr(argsSlots));
  return success();
}

void HostProgram::emitArguments(func::FuncOp program, Value inputs) {
  CodeBuilder v = code();
  for (BlockArgument argument : program.getArguments()) {
    Value entry = v.address(
        inputs, v.i64(argument.getArgNumber() * kInputBytes), b.getI8Type());
    Value pointer = v.loadScalar(entry, v.i64(0), pointerType());
    Value dims = v.loadScalar(entry, v.i64(1), pointerType());
    SmallVector<Value> open;
    auto type = cast<MemRefType>(argument.getType());
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (type.isDynamicDim(i))
        open.push_back(v.loadScalar(dims, v.i64(i), b.getI64Type()));
    setMemory(argument, pointer, open);
  }
}

LogicalResult HostProgram::emitOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](func::ReturnOp end) { return emitReturn(end); })
      .Case([&](kernel::LaunchOp launch) { return emitLaunch(launch); })
      .Case([&](kernel::RequireOp check) {
        kernel::RequireOp::create(b, location, scalar(check.getCondition()),
                                  check.getCodeAttr(), check.getMessageAttr(),
                                  /*status=*/Value());
        return success();
      })
      .Case([&](kernel::ObserveMemoryOp observe) {
        emitObserve(observe);
        return success();
      })
      .Case<ConstantOp, kernel::PackOp>([](auto) { return success(); })
      .Default([&](Operation *other) {
        bool isMemory = isa<memref::MemRefDialect, kernel::QKernelDialect>(
            other->getDialect());
        return isMemory ? emitMemory(other) : emitControlFlow(other);
      });
}

LogicalResult
HostProgram::writeLaunch(kernel::LaunchOp op, Staging *staging,
                         llvm::function_ref<LogicalResult(Launch &)> body) {
  current = op.getKernel(symbols);
  auto dimsOf = [&](unsigned i) { return operandDims(op.getInputs()[i]); };
  auto elementsOf = [&](unsigned i) {
    return elements(current->getOperand(i));
  };
  // What must hold was checked in the program.
  kernel::KernelDims dims(b, location, b.getI64Type(), current,
                          {dimsOf, elementsOf, nullptr});
  Launch launch(op, dims);
  launch.staging = staging;
  inWork = &launch;
  LogicalResult result = dims.compute();
  if (succeeded(result))
    result = body(launch);
  inWork = nullptr;
  return result;
}

SmallVector<Value> HostProgram::operandDims(Value operand) {
  if (isa<MemRefType>(operand.getType()))
    return memoryOf(operand).dims;
  // A packed operand has the dims of what was packed.
  if (auto pack = operand.getDefiningOp<kernel::PackOp>())
    operand = pack.getOperands().front();
  auto type = cast<RankedTensorType>(operand.getType());
  return llvm::map_to_vector(type.getShape(),
                             [&](int64_t dim) { return code().i64(dim); });
}

LogicalResult HostProgram::emitLaunch(kernel::LaunchOp op) {
  return writeLaunch(op, /*staging=*/nullptr, [&](Launch &launch) {
    launch.emitted = &emissions->find(op, current, [&](unsigned i) {
      SmallVector<Value> numbers = operandDims(op.getInputs()[i]);
      if (auto list = op.getInputs()[i].getDefiningOp<kernel::ListOp>())
        numbers.append(scalarsOf(list.getElements()));
      return numbers;
    });
    Block *block = b.getInsertionBlock();
    Operation *before = block->empty() ? nullptr : &block->back();
    if (failed(emitKernel(current, *findKernelOf(current))) || launch.isWrong)
      return failure();
    if (!op.getStep())
      return success();
    if (!launch.isStepWritten)
      return LogicalResult(op.emitOpError("is no step of its kernel"));
    // What other steps are given.
    eraseDead(before, &block->back());
    return success();
  });
}

LogicalResult HostProgram::emitKernel(Operation *op,
                                      const kernel::Kernel &kernel) {
  return kernel.emit(op, *this);
}

const kernel::Kernel *HostProgram::findKernelOf(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  const kernel::Kernel *kernel =
      name ? kernel::findKernel(kernels, name) : nullptr;
  assert(kernel && "kernels are verified");
  return kernel;
}

Value HostProgram::storeDims(ValueRange dims) {
  CodeBuilder v = code();
  for (auto [i, dim] : llvm::enumerate(dims))
    v.storeScalar(dim, argsBlock, v.i64(i));
  argsSlots = std::max<int64_t>(argsSlots, dims.size());
  return argsBlock;
}

void HostProgram::emitObserve(kernel::ObserveMemoryOp op) {
  CodeBuilder v = code();
  Memory x = memoryOf(op.getMemory());
  callRuntime("qopt_rt_observe", {},
              {context, v.i32(op.getId()), x.pointer, storeDims(x.dims),
               v.i64(x.dims.size())});
}

LogicalResult HostProgram::emitReturn(Operation *op) {
  LLVM::ReturnOp::create(b, location, code().i32(0));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

void HostProgram::launch(StringRef name, ValueRange given, Value parts,
                         llvm::function_ref<void(KernelScope &)> body) {
  std::string step = inWork->nameStep(name);
  if (inWork->staging)
    return inWork->staging->addStep(step, given);
  std::optional<StringRef> wanted = inWork->op.getStep();
  if (wanted && *wanted != step)
    return;
  inWork->isStepWritten = true;
  SmallVector<Value> captures(given);
  if (!giveTemporaries(captures)) {
    inWork->isWrong = true;
    return;
  }
  LLVM::LLVMFuncOp function =
      inWork->emitted->find(inWork->numFunctions, name, captures);
  if (!function) {
    function = writeKernel(name, captures, body);
    inWork->emitted->add(inWork->numFunctions, name, captures, function);
  }
  ++inWork->numFunctions;

  CodeBuilder v = code();
  int64_t slot = 0;
  for (Value capture : captures)
    if (!isConstantCapture(capture))
      v.storeScalar(capture,
                    v.address(argsBlock, v.i64(slot++), b.getI64Type()),
                    v.i64(0));
  argsSlots = std::max(argsSlots, slot);
  if (knownNumber(parts) == 1) {
    LLVM::CallOp::create(b, location, function,
                         ValueRange{argsBlock, v.i64(0), v.i64(0)});
    return;
  }
  Value address = LLVM::AddressOfOp::create(b, location, function);
  callRuntime("qopt_rt_parallel", {}, {context, address, argsBlock, parts});
}

LLVM::LLVMFuncOp
HostProgram::writeKernel(StringRef name, ValueRange captures,
                         llvm::function_ref<void(KernelScope &)> body) {
  Type pointer = pointerType(), word = b.getI64Type();
  OpBuilder top = OpBuilder::atBlockEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, word, word});
  auto function = LLVM::LLVMFuncOp::create(
      top, location, emissions->makeName(inWork->op.getCallee(), name), type,
      LLVM::Linkage::Internal);
  // Loads that are invariant in one kernel are not so across kernels.
  function.setNoInline(true);
  Block *entry = function.addEntryBlock(top);
  OpBuilder inner = OpBuilder::atBlockBegin(entry);
  CodeBuilder kernel(inner, location);
  KernelScope scope{
      inner, location, {}, entry->getArgument(1), entry->getArgument(2)};
  int64_t slot = 0;
  for (Value capture : captures) {
    if (isConstantCapture(capture)) {
      scope.captures.push_back(
          inner.clone(*capture.getDefiningOp())->getResult(0));
      continue;
    }
    Value source =
        kernel.address(entry->getArgument(0), kernel.i64(slot++), word);
    scope.captures.push_back(
        kernel.loadScalar(source, kernel.i64(0), capture.getType()));
  }
  body(scope);
  LLVM::ReturnOp::create(inner, location, ValueRange{});
  return function;
}

Value HostProgram::callRuntime(StringRef name, Type result,
                               ValueRange operands) {
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    Type type = result ? result : LLVM::LLVMVoidType::get(b.getContext());
    function = LLVM::LLVMFuncOp::create(
        top, location, name,
        LLVM::LLVMFunctionType::get(type,
                                    llvm::to_vector(operands.getTypes())));
  }
  auto call = LLVM::CallOp::create(b, location, function, operands);
  return result ? call.getResult() : Value();
}

//===----------------------------------------------------------------------===//
// Errors of a run
//===----------------------------------------------------------------------===//

void HostProgram::require(Value condition, int32_t code, const Twine &text) {
  if (inWork && inWork->op.getStep())
    return;
  kernel::createRequire(b, location, condition, code, text);
}

void HostProgram::requireEqual(Value x, Value y, const Twine &text) {
  if (!isSameDim(x, y))
    require(code().equal(x, y), 1, text);
}
