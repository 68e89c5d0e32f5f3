//===- DeviceLoops.cpp - Formulas of loops, written as shaders ------------===//
//
// A shader cannot end a run. Each check has a flag in device memory, which the
// host function reads when the device is done.
//
//===----------------------------------------------------------------------===//

#include "DeviceLoops.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

static Type elementOf(Value tensor) { return getElementTypeOrSelf(tensor); }

DeviceLoops::DeviceLoops(DeviceProgram &program, Operation *op)
    : program(program), op(op) {
  for (Value result : op->getResults())
    program.destination(result);
}

Value DeviceLoops::handle(Value tensor) {
  auto known = program.handle(host::findOutside(op, tensor));
  if (succeeded(known))
    return *known;
  hasFailed = true;
  // Any handle will do: the program is given up.
  return program.handle(program.op()->getResult(0)).value_or(Value());
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value DeviceLoops::in(Value number) {
  // An i64 of the shader itself is an element, never an index.
  auto isOfShader = [&] {
    Region *region = number.getParentRegion();
    return region && region->getParentOfType<spirv::ModuleOp>();
  };
  return number.getType().isInteger(64) && !isOfShader() ? shader->host(number)
                                                         : number;
}

Value DeviceLoops::index(int64_t value) {
  return shader ? shader->i32(value) : host().i64(value);
}
Value DeviceLoops::add(Index x, Index y) {
  return shader ? shader->add(in(x), in(y)) : host().add(x, y);
}
Value DeviceLoops::sub(Index x, Index y) {
  return shader ? shader->sub(in(x), in(y)) : host().sub(x, y);
}
Value DeviceLoops::mul(Index x, Index y) {
  return shader ? shader->mul(in(x), in(y)) : host().mul(x, y);
}
Value DeviceLoops::min(Index x, Index y) {
  return shader ? shader->min(in(x), in(y)) : host().min(x, y);
}
Value DeviceLoops::max(Index x, Index y) {
  if (!shader)
    return host().max(x, y);
  return shader->select(shader->less(in(x), in(y)), in(y), in(x));
}
Value DeviceLoops::div(Index x, Index y) {
  return shader ? shader->div(in(x), in(y)) : host().div(x, y);
}
Value DeviceLoops::rem(Index x, Index y) {
  return shader ? shader->rem(in(x), in(y)) : host().rem(x, y);
}
Value DeviceLoops::less(Index x, Index y) {
  return shader ? shader->less(in(x), in(y)) : host().less(x, y);
}
Value DeviceLoops::equal(Index x, Index y) {
  return shader ? values().eqI(in(x), in(y)) : host().equal(x, y);
}
Value DeviceLoops::select(Value condition, Index x, Index y) {
  return shader ? shader->select(condition, in(x), in(y))
                : host().select(condition, x, y);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value DeviceLoops::load(Value tensor, Index at) {
  return shader->load(handle(tensor), elementOf(tensor), in(at));
}

void DeviceLoops::store(Value value, Value tensor, Index at) {
  shader->store(value, handle(tensor), elementOf(tensor), in(at));
}

DeviceLoops::Raw DeviceLoops::loadRaw(Value tensor, Index at) {
  return shader->loadRaw(handle(tensor), elementOf(tensor), in(at));
}

void DeviceLoops::storeRaw(const Raw &words, Value tensor, Index at) {
  shader->storeRaw(words, handle(tensor), elementOf(tensor), in(at));
}

DeviceLoops::Raw DeviceLoops::constantRaw(uint64_t bits, Value tensor) {
  return shader->constantRaw(elementOf(tensor), bits);
}

DeviceLoops::Raw DeviceLoops::selectRaw(Value condition, const Raw &x,
                                        const Raw &y) {
  Raw words;
  for (auto [a, b] : llvm::zip_equal(x, y))
    words.push_back(shader->select(condition, a, b));
  return words;
}

Value DeviceLoops::loadIndex(Value tensor, Index at) {
  Raw words = loadRaw(tensor, at);
  if (words.size() == 1)
    return words.front();
  // What 32 bits do not hold is far below every index.
  B b = values();
  Value isHeld = b.eqI(words[1], b.shrS(words[0], b.i(31)));
  return b.select(isHeld, words[0], b.i(std::numeric_limits<int32_t>::min()));
}

void DeviceLoops::storeIndex(Index value, Value tensor, Index at) {
  B b = values();
  Raw words{in(value)};
  if (elementOf(tensor).getIntOrFloatBitWidth() == 64)
    words.push_back(b.shrS(in(value), b.i(31)));
  storeRaw(words, tensor, at);
}

//===----------------------------------------------------------------------===//
// Dispatches
//===----------------------------------------------------------------------===//

void DeviceLoops::forEach(const Coordinates &dims,
                          llvm::function_ref<void(Coordinates)> body, Index) {
  LogicalResult written = program.dispatch(
      host().product(dims), [&](Shader &inner, Value position) {
        shader = &inner;
        body(inner.delinearize(position, inner.host(dims)));
        shader = nullptr;
        return success(!hasFailed);
      });
  hasFailed |= failed(written);
}

void DeviceLoops::require(Value condition, const Twine &text) {
  if (!shader)
    return program.require(condition, 1, text);
  DeviceProgram::Flag flag = program.checkAfterRun(text);
  Value fails = values().notM(condition);
  ifThen(fails, [&] {
    shader->storeRaw(shader->i32(1), flag.handle, shader->b.getI32Type(),
                     shader->i32(flag.slot));
  });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

LogicalResult vulkan::emitFormula(DeviceProgram &program, Operation *op) {
  DeviceLoops loops(program, op);
  numerics::runFormula(loops, op);
  return success(loops.isWritten());
}

std::unique_ptr<kernel::Kernel> vulkan::makeGenericKernel() {
  return std::make_unique<host::GenericKernel<DeviceLoops, DeviceProgram>>();
}
