//===- Epilogue.cpp - Element-wise ops inside a shader --------------------===//
//
// Divisions in front of a code are our own; others are the device's.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "ExactPolicy.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using host::CodeBuilder;
using host::isSameDim;
using host::knownNumber;

SmallVector<Value> vulkan::broadcastStrides(DeviceProgram &program,
                                            ValueRange dims) {
  CodeBuilder v = program.code();
  SmallVector<Value> strides = v.strides(dims);
  for (auto [dim, stride] : llvm::zip_equal(dims, strides)) {
    if (knownNumber(dim) == 1)
      stride = Value();
    else if (!knownNumber(dim))
      stride = v.select(v.equal(dim, v.i64(1)), v.i64(0), stride);
  }
  return strides;
}

Value vulkan::broadcastIndex(DeviceProgram &program, Shader &shader,
                             ValueRange dims, ValueRange coordinates,
                             int64_t blockAxis, int64_t block) {
  assert(coordinates.size() >= dims.size());
  Value index = shader.i32(0);
  size_t skipped = coordinates.size() - dims.size();
  for (auto [axis, stride] : llvm::enumerate(broadcastStrides(program, dims))) {
    if (!stride)
      continue;
    Value coordinate = coordinates[skipped + axis];
    if (static_cast<int64_t>(axis) == blockAxis)
      coordinate = shader.div(coordinate, shader.i32(block));
    index = shader.add(index, shader.mul(coordinate, shader.host(stride)));
  }
  return index;
}

static Value yieldedValue(Operation *kernel, unsigned index) {
  return kernel->getRegion(0).front().getTerminator()->getOperand(index);
}

Epilogue::Epilogue(DeviceProgram &program, Operation *kernel, Value space,
                   Value root)
    : program(program), kernel(kernel), root(root),
      spaceDims(program.dims(space)) {
  for (unsigned i = 0; i < kernel->getNumResults(); ++i) {
    SmallVector<Value> dims = program.dims(yieldedValue(kernel, i));
    if (dims.size() != spaceDims.size())
      continue;
    bool isSame = llvm::all_of(llvm::zip(dims, spaceDims), [](auto pair) {
      return isSameDim(std::get<0>(pair), std::get<1>(pair));
    });
    // What follows a root has its dims, even where that cannot be seen here.
    if (!isSame && root && kernel->getNumResults() == 1) {
      for (auto [dim, spaceDim] : llvm::zip(dims, spaceDims))
        program.requireEqual(dim, spaceDim,
                             "the dims of the operands do not broadcast");
      isSame = true;
    }
    if (isSame)
      stored.push_back(i);
  }
}

void Epilogue::allocate() {
  for (unsigned index : stored)
    program.destination(kernel->getResult(index));
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

FailureOr<Value> Epilogue::loadUse(OpOperand &use) {
  Value tensor = use.get();
  Operation *op = use.getOwner();
  auto handle = program.handle(tensor);
  if (failed(handle))
    return failure();
  SmallVector<Value> dims = program.dims(tensor);
  Type element = getElementTypeOrSelf(tensor);
  std::optional<FormatAttr> format;
  if (use.getOperandNumber() > 0) {
    if (auto quantize = dyn_cast<QuantizeOp>(op))
      format = quantize.getFormat();
    else if (auto dequantize = dyn_cast<DequantizeOp>(op))
      format = dequantize.getFormat();
  }
  if (auto norm = dyn_cast<BatchNormOp>(op);
      norm && use.getOperandNumber() > 0) {
    int64_t xRank = cast<RankedTensorType>(norm.getX().getType()).getRank();
    Value channel = position[position.size() - xRank + 1];
    return shader->load(*handle, element, channel);
  }
  bool isBlocked = format && format->isBlocked();
  Value index = broadcastIndex(program, *shader, dims, position,
                               isBlocked ? format->getAxis() : -1,
                               isBlocked ? format->getBlockSize() : 0);
  return shader->load(*handle, element, index);
}

FailureOr<Value> Epilogue::lookUp(LookupOp op) {
  FailureOr<Value> code = isa<BlockArgument>(op.getX())
                              ? loadUse(op->getOpOperand(0))
                              : evaluateValue(op.getX());
  auto table = program.handle(op.getTable());
  if (failed(code) || failed(table))
    return failure();
  Value index = *code;
  if (!getElementTypeOrSelf(op.getX()).isUnsignedInteger())
    index = shader->add(index, shader->i32(128));
  return shader->load(*table, getElementTypeOrSelf(op.getTable()), index);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

FailureOr<Value> Epilogue::evaluateOp(Operation *op) {
  assert(kernel::isEpilogueOp(op) && "kernels are verified");
  if (auto lookup = dyn_cast<LookupOp>(op))
    return lookUp(lookup);
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    assert(numerics::getValueKind(getElementTypeOrSelf(operand.get())) &&
           "see checkBody");
    auto value = isa<BlockArgument>(operand.get())
                     ? loadUse(operand)
                     : evaluateValue(operand.get());
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  Type result = getElementTypeOrSelf(op->getResult(0));
  Type operand = getElementTypeOrSelf(op->getOperand(isa<WhereOp>(op) ? 1 : 0));
  FailureOr<Value> value = failure();
  if (isa<QuantizeOp>(op)) {
    ExactPolicy policy(shader->b, shader->loc);
    value = numerics::evaluateElementwise<ExactPolicy>(policy, op, operands,
                                                       operand, result);
  } else {
    numerics::MLIRPolicy policy(shader->b, shader->loc);
    value = numerics::evaluateElementwise<numerics::MLIRPolicy>(
        policy, op, operands, operand, result);
  }
  assert(succeeded(value) && "see checkBody");
  return shader->roundTo(*value, result);
}

FailureOr<Value> Epilogue::evaluateValue(Value tensor) {
  if (Value known = memo.lookup(tensor))
    return known;
  FailureOr<Value> value;
  if (tensor == root) {
    value = shader->roundTo(rootValue, getElementTypeOrSelf(tensor));
  } else if (isa<BlockArgument>(tensor)) {
    auto handle = program.handle(tensor);
    if (failed(handle))
      return failure();
    value = shader->load(
        *handle, getElementTypeOrSelf(tensor),
        broadcastIndex(program, *shader, program.dims(tensor), position));
  } else {
    value = evaluateOp(tensor.getDefiningOp());
  }
  if (succeeded(value))
    memo[tensor] = *value;
  return value;
}

FailureOr<Value> Epilogue::evaluate(Shader &inShader, Value tensor,
                                    ValueRange coordinates, Value inRootValue) {
  shader = &inShader;
  position.assign(coordinates.begin(), coordinates.end());
  rootValue = inRootValue;
  memo.clear();
  return evaluateValue(tensor);
}

LogicalResult Epilogue::finish(Shader &inShader, ValueRange coordinates,
                               Value inRootValue) {
  shader = &inShader;
  position.assign(coordinates.begin(), coordinates.end());
  rootValue = inRootValue;
  memo.clear();
  Value index = shader->linearize(coordinates, shader->host(spaceDims));
  for (unsigned result : stored) {
    auto value = evaluateValue(yieldedValue(kernel, result));
    auto handle = program.handle(kernel->getResult(result));
    if (failed(value) || failed(handle))
      return failure();
    shader->store(*value, *handle,
                  getElementTypeOrSelf(kernel->getResult(result)), index);
  }
  return success();
}
