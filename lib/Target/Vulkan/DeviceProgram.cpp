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

bool DeviceProgram::isOnHost(Value tensor) {
  return !deviceTensors.contains(operandOf(tensor));
}

FailureOr<Value> DeviceProgram::handle(Value tensor) {
  tensor = operandOf(tensor);
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  if (Value known = handles.lookup(tensor))
    return known;
  CodeBuilder v = code();
  Value made;
  if (auto constant = tensor.getDefiningOp<ConstantOp>()) {
    std::vector<uint8_t> storage;
    ArrayRef<uint8_t> bytes = host::constantBytes(constant, storage);
    if (static_cast<int64_t>(bytes.size()) >= kMaxBindingBytes) {
      current->emitOpError("has a constant of ")
          << bytes.size() << " bytes, but Vulkan binds less than "
          << kMaxBindingBytes;
      return failure();
    }
    made = callRuntime("qopt_rt_vk_weight", pointerType(),
                       {context, weightPointer(bytes), v.i64(bytes.size())});
  } else {
    Buffer &source = buffer(tensor);
    made = callRuntime("qopt_rt_vk_upload", pointerType(),
                       {context, source.pointer,
                        byteCount(source.dims, source.elementType())});
  }
  return handles[tensor] = made;
}

Value DeviceProgram::allocateOnDevice(Value result) {
  Value bytes = byteCount(dims(result), getElementTypeOrSelf(result));
  Value made = callRuntime("qopt_rt_vk_alloc", pointerType(), {context, bytes});
  deviceTensors.insert(hostValue(result));
  return handles[hostValue(result)] = made;
}

LogicalResult DeviceProgram::aliasOnDevice(Value result, Value source) {
  auto memory = handle(source);
  if (failed(memory))
    return failure();
  handles[hostValue(result)] = *memory;
  deviceTensors.insert(hostValue(result));
  return success();
}

Value DeviceProgram::deviceTemporary(ValueRange dims, Type element) {
  Value made = callRuntime("qopt_rt_vk_alloc", pointerType(),
                           {context, byteCount(dims, element)});
  deviceTemporaries.push_back(made);
  return made;
}

void DeviceProgram::freeBuffer(Value tensor) {
  if (!deviceTensors.contains(tensor))
    return HostProgram::freeBuffer(tensor);
  callRuntime("qopt_rt_vk_free", {}, {context, handles.lookup(tensor)});
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
}

void DeviceProgram::emitOutput(kernel::OutputOp op) {
  CodeBuilder v = code();
  Value value = op.getTensor();
  int32_t index = op.getIndex();
  SmallVector<Value> valueDims = dims(value);
  Value bytes = byteCount(valueDims, getElementTypeOrSelf(value));
  Value target = checkedAlloc("qopt_rt_output",
                              {context, v.i32(index), storeDims(valueDims),
                               v.i64(valueDims.size()), bytes});
  if (isOnHost(value))
    LLVM::MemcpyOp::create(b, location, target, buffer(value).pointer, bytes,
                           /*isVolatile=*/false);
  else
    callRuntime("qopt_rt_vk_download", {},
                {context, handles.lookup(value), target, bytes});
}

LogicalResult DeviceProgram::emitReturn(Operation *op) {
  SmallVector<Value> flags = downloadFlags();
  Value status = callRuntime("qopt_rt_vk_finish", b.getI32Type(), {context});
  if (!flags.empty())
    failUnlessZero(status);
  for (auto [checks, found] : llvm::zip_equal(lateChecks, flags)) {
    location = checks.location;
    for (auto [slot, text] : llvm::enumerate(checks.texts)) {
      CodeBuilder after = code();
      Value flag = after.loadScalar(found, after.i64(slot), b.getI32Type());
      require(after.equal(flag, after.i32(0)), 1, text);
    }
  }
  LLVM::ReturnOp::create(b, location, status);
  return success();
}

//===----------------------------------------------------------------------===//
// What only the device finds wrong
//===----------------------------------------------------------------------===//

/// Flags of one op: more than any has.
static constexpr int64_t kMaxFlags = 256;

DeviceProgram::Flag DeviceProgram::checkAfterRun(const Twine &text) {
  if (lateChecks.empty() || lateChecks.back().op != hostOp()) {
    std::vector<uint8_t> zeros(kMaxFlags * 4, 0);
    Value handle =
        callRuntime("qopt_rt_vk_upload", pointerType(),
                    {context, weightPointer(zeros), code().i64(kMaxFlags * 4)});
    lateChecks.push_back({hostOp(), location, handle, {}});
  }
  auto &texts = lateChecks.back().texts;
  texts.push_back(text.str());
  assert(texts.size() <= kMaxFlags && "an op has one check an axis or two");
  return {lateChecks.back().handle, static_cast<int64_t>(texts.size()) - 1};
}

SmallVector<Value> DeviceProgram::downloadFlags() {
  SmallVector<Value> found;
  for (LateChecks &checks : lateChecks) {
    Value bytes = code().i64(kMaxFlags * 4);
    found.push_back(checkedAlloc("qopt_rt_alloc", {context, bytes}));
    callRuntime("qopt_rt_vk_download", {},
                {context, checks.handle, found.back(), bytes});
  }
  return found;
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
  if (isa<arith::ArithDialect, scf::SCFDialect, tensor::TensorDialect>(
          op->getDialect()))
    return op->emitOpError("is of a branch or a loop, which has no Vulkan "
                           "kernel");
  if (isa<ObserveOp>(op))
    return op->emitOpError("has no Vulkan kernel");
  return HostProgram::emitOp(op);
}

LogicalResult DeviceProgram::emitKernel(Operation *op,
                                        const kernel::Kernel &kernel) {
  LogicalResult result = HostProgram::emitKernel(op, kernel);
  if (isHostKernel(kernel.getName()))
    return result;
  for (Value temporary : deviceTemporaries)
    callRuntime("qopt_rt_vk_free", {}, {context, temporary});
  deviceTemporaries.clear();
  for (Value made : op->getResults())
    if (succeeded(result) && !deviceTensors.contains(hostValue(made)))
      return op->emitOpError("has no Vulkan kernel for results of other dims "
                             "than its root's");
  return result;
}
