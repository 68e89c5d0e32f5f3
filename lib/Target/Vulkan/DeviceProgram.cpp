//===- DeviceProgram.cpp - The host function of a Vulkan program ----------===//
//
// SPIR-V lies among the weights: its address in the mapped file names the
// pipeline. Equal shaders have equal bytes and so one pipeline.
//
//===----------------------------------------------------------------------===//

#include "DeviceProgram.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "lib/Target/Host/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using host::Buffer;
using host::CodeBuilder;
using host::knownNumber;

/// What a binding may hold on every device.
static constexpr int64_t kMaxBindingBytes = int64_t(128) << 20;

LogicalResult DeviceProgram::emitProgram(func::FuncOp program) {
  if (failed(emit(program)))
    return failure();
  if (featureMask)
    featureMask->setAttr("value", b.getI64IntegerAttr(features));
  return success();
}

//===----------------------------------------------------------------------===//
// Where tensors are
//===----------------------------------------------------------------------===//

bool DeviceProgram::isOnHost(Value memory) {
  auto type = dyn_cast<MemRefType>(memory.getType());
  return !type || !type.getMemorySpace();
}

FailureOr<Value> DeviceProgram::handle(Value tensor) {
  return handleOf(hostValue(tensor));
}

FailureOr<Value> DeviceProgram::handleOf(Value given) {
  if (!isOnHost(given))
    return memoryOf(given).pointer;
  if (isa<MemRefType>(given.getType()))
    return listHandle(given);
  if (auto pack = given.getDefiningOp<kernel::PackOp>())
    given = pack.getOperands().front();
  if (Value known = constants.lookup(given))
    return known;
  std::vector<uint8_t> storage;
  ArrayRef<uint8_t> bytes = host::constantBytes(given, storage);
  if (static_cast<int64_t>(bytes.size()) >= kMaxBindingBytes) {
    current->emitOpError("has a constant of ")
        << bytes.size() << " bytes, but Vulkan binds less than "
        << kMaxBindingBytes;
    return failure();
  }
  return constants[given] = atStart([&] {
           return callRuntime(
               "qopt_rt_vk_weight", pointerType(),
               {context, weightPointer(bytes), code().i64(bytes.size())});
         });
}

Value DeviceProgram::listHandle(Value list) {
  assert(list.getDefiningOp<kernel::ListOp>() &&
         "what kernels of the device read is there, but for lists");
  Value &made = lists[list];
  if (!made) {
    Memory memory = memoryOf(list);
    Type element = getElementTypeOrSelf(list);
    made = deviceTemporary(memory.dims, element);
    callRuntime(
        "qopt_rt_vk_upload", {},
        {context, memory.pointer, made, byteCount(memory.dims, element)});
  }
  return made;
}

Value DeviceProgram::allocateMemory(memref::AllocOp op, Value bytes) {
  if (isOnHost(op))
    return HostProgram::allocateMemory(op, bytes);
  return callRuntime("qopt_rt_vk_alloc", pointerType(), {context, bytes});
}

void DeviceProgram::freeMemory(Value memory) {
  if (isOnHost(memory))
    return HostProgram::freeMemory(memory);
  callRuntime("qopt_rt_vk_free", {}, {context, memoryOf(memory).pointer});
}

void DeviceProgram::copyMemory(Value from, Value to, Value bytes) {
  Value source = memoryOf(from).pointer, target = memoryOf(to).pointer;
  if (isOnHost(from) && isOnHost(to))
    return HostProgram::copyMemory(from, to, bytes);
  if (isOnHost(from))
    callRuntime("qopt_rt_vk_upload", {}, {context, source, target, bytes});
  else if (!isOnHost(to))
    callRuntime("qopt_rt_vk_copy", {}, {context, source, target, bytes});
  else
    callRuntime("qopt_rt_vk_download", {}, {context, source, target, bytes});
  // Outputs are there when the run ends.
  if (isOnHost(to) && !to.getDefiningOp<kernel::OutputMemoryOp>())
    waitAt(current);
}

FailureOr<Value> DeviceProgram::viewMemory(kernel::ViewOp op) {
  return isOnHost(op.getMemory()) ? HostProgram::viewMemory(op)
                                  : handleOf(op.getSource());
}

Value DeviceProgram::destination(Value result) {
  Value given = hostValue(result);
  written.insert(given);
  return memoryOf(given).pointer;
}

Value DeviceProgram::deviceTemporary(ValueRange dims, Type element) {
  checkSize(dims, element);
  Value made = callRuntime("qopt_rt_vk_alloc", pointerType(),
                           {context, byteCount(dims, element)});
  deviceTemporaries.push_back(made);
  return made;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

/// Returns `status` from the host function unless it is 0.
void DeviceProgram::failUnlessZero(Value status) {
  CodeBuilder v = code();
  kernel::RequireOp::create(b, location, v.equal(status, v.i32(0)),
                            /*code=*/IntegerAttr(), /*message=*/StringAttr(),
                            status);
}

void DeviceProgram::beginRun() {
  auto mask = arith::ConstantOp::create(b, location, b.getI64IntegerAttr(0));
  featureMask = mask;
  failUnlessZero(callRuntime("qopt_rt_vk_begin", b.getI32Type(),
                             {context, mask.getResult()}));
  lastAtStart = &*std::prev(b.getInsertionPoint());
}

Value DeviceProgram::atStart(llvm::function_ref<Value()> make) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(lastAtStart);
  Value made = make();
  lastAtStart = &*std::prev(b.getInsertionPoint());
  return made;
}

LogicalResult DeviceProgram::emitReturn(Operation *op) {
  Value status = waitFor("qopt_rt_vk_finish", /*first=*/0);
  LLVM::ReturnOp::create(b, location, status);
  return success();
}

//===----------------------------------------------------------------------===//
// What only the device finds wrong
//===----------------------------------------------------------------------===//

/// Flags of one op: more than any has.
static constexpr int64_t kMaxFlags = 256;

DeviceProgram::Flag DeviceProgram::checkAfterRun(const Twine &text) {
  if (lateChecks.empty() || lateChecks.back().op != inWork->op) {
    Value handle = atStart([&] {
      std::vector<uint8_t> zeros(kMaxFlags * 4, 0);
      Value bytes = code().i64(kMaxFlags * 4);
      Value made =
          callRuntime("qopt_rt_vk_alloc", pointerType(), {context, bytes});
      callRuntime("qopt_rt_vk_upload", {},
                  {context, weightPointer(zeros), made, bytes});
      return made;
    });
    lateChecks.push_back({inWork->op, location, handle, {}});
  }
  auto &texts = lateChecks.back().texts;
  texts.push_back(text.str());
  assert(texts.size() <= kMaxFlags && "an op has one check an axis or two");
  return {lateChecks.back().handle, static_cast<int64_t>(texts.size()) - 1};
}

size_t DeviceProgram::numSeenAt(Operation *op) {
  size_t num = 0;
  for (; op; op = op->getParentOp())
    num = std::max(num, numSeen.lookup(op->getBlock()));
  return num;
}

void DeviceProgram::waitAt(Operation *op) {
  waitFor("qopt_rt_vk_wait", numSeenAt(op));
  numSeen[op->getBlock()] = lateChecks.size();
  for (Operation *around = op; (around = around->getParentOp());)
    waiting.insert(around);
}

void DeviceProgram::endIteration(Operation *last) {
  Operation *loop = last->getParentOp();
  auto isOfLoop = [&](const LateChecks &checks) {
    return loop->isAncestor(checks.op);
  };
  if (waiting.contains(loop) &&
      llvm::any_of(ArrayRef(lateChecks).drop_front(numSeenAt(last)), isOfLoop))
    waitAt(last);
}

Value DeviceProgram::waitFor(StringRef function, size_t first) {
  ArrayRef<LateChecks> open = ArrayRef(lateChecks).drop_front(first);
  SmallVector<Value> flags;
  for (const LateChecks &checks : open) {
    Value bytes = code().i64(kMaxFlags * 4);
    flags.push_back(checkedAlloc("qopt_rt_alloc", {context, bytes}));
    callRuntime("qopt_rt_vk_download", {},
                {context, checks.handle, flags.back(), bytes});
  }
  Value status = callRuntime(function, b.getI32Type(), {context});
  failUnlessZero(status);
  Location outside = location;
  for (auto [checks, found] : llvm::zip_equal(open, flags)) {
    location = checks.location;
    for (auto [slot, text] : llvm::enumerate(checks.texts)) {
      CodeBuilder after = code();
      Value flag = after.loadScalar(found, after.i64(slot), b.getI32Type());
      require(after.equal(flag, after.i32(0)), 1, text);
    }
    callRuntime("qopt_rt_free", {}, {context, found});
  }
  location = outside;
  return status;
}

LogicalResult DeviceProgram::dispatch(
    Value count,
    llvm::function_ref<LogicalResult(Shader &, Value index)> body) {
  Shader shader(b.getContext(), location);
  if (failed(body(shader, shader.begin(count))))
    return failure();
  auto words = shader.finish();
  if (failed(words))
    return current->emitOpError("cannot be written in SPIR-V");
  features |= shader.requiredFeatures();
  CodeBuilder v = code();
  // Indices are 32-bit.
  require(v.less(count, v.i64(int64_t(1) << 31)), 3,
          "a tensor is too large for Vulkan");
  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(words->data()),
                          words->size() * sizeof(uint32_t));
  auto parameters = shader.parameters();
  auto bindings = shader.bindings();
  for (auto [i, number] : llvm::enumerate(parameters))
    v.storeScalar(number, argsBlock, v.i64(i));
  for (auto [i, tensor] : llvm::enumerate(bindings))
    v.storeScalar(tensor, argsBlock, v.i64(parameters.size() + i));
  argsSlots = std::max<int64_t>(argsSlots, parameters.size() + bindings.size());
  callRuntime("qopt_rt_vk_dispatch", {},
              {context, weightPointer(bytes), v.i64(bytes.size()),
               v.address(argsBlock, v.i64(parameters.size()), b.getI64Type()),
               v.i64(bindings.size()), argsBlock, v.i64(parameters.size()),
               count});
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult DeviceProgram::emitOp(Operation *op) {
  if (!featureMask)
    beginRun();
  if (failed(HostProgram::emitOp(op)))
    return failure();
  if (isa<scf::ForOp, scf::WhileOp>(op->getParentOp()) &&
      op->getNextNode() == op->getBlock()->getTerminator())
    endIteration(op);
  return success();
}

LogicalResult DeviceProgram::emitKernel(Operation *op,
                                        const kernel::Kernel &kernel) {
  written.clear();
  LogicalResult result = HostProgram::emitKernel(op, kernel);
  if (isHostKernel(kernel.getName()))
    return result;
  for (Value temporary : deviceTemporaries)
    callRuntime("qopt_rt_vk_free", {}, {context, temporary});
  deviceTemporaries.clear();
  lists.clear();
  for (Value made : op->getResults())
    if (succeeded(result) && !written.contains(hostValue(made)))
      return op->emitOpError("has no Vulkan kernel for results of other dims "
                             "than its root's");
  return result;
}
