//===- Movement.cpp - Ops that only copy elements -------------------------===//
//
// One invocation an element of the result; words go as they are.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Cpu/Movement.h"
#include "Epilogue.h"
#include "Kernels.h"
#include "lib/Target/Cpu/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using cpu::VectorBuilder;

/// The element of `x` that lies at the coordinates of the result.
using SourceIndex =
    llvm::function_ref<Value(Shader &shader, ValueRange coordinates)>;

static LogicalResult emitCopy(DeviceProgram &program, Value x, Value result,
                              SourceIndex source) {
  auto from = program.handle(x);
  if (failed(from))
    return failure();
  Type element = getElementTypeOrSelf(x);
  Value to = program.allocateOnDevice(result);
  SmallVector<Value> dims = program.dims(result);
  return program.dispatch(
      program.vectors().product(dims), [&](Shader &shader, Value index) {
        SmallVector<Value> place = shader.delinearize(index, shader.host(dims));
        shader.storeRaw(shader.loadRaw(*from, element, source(shader, place)),
                        to, element, index);
        return success();
      });
}

LogicalResult vulkan::emitTranspose(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<TransposeOp>(anyOp);
  return emitCopy(program, op.getX(), op.getResult(),
                  [&](Shader &shader, ValueRange place) {
                    SmallVector<Value> at(place.size());
                    for (auto [i, axis] : llvm::enumerate(op.getPerm()))
                      at[axis] = place[i];
                    return shader.linearize(
                        at, shader.host(program.dims(op.getX())));
                  });
}

kernel::Match vulkan::checkSlice(const AnyDevice &, Operation *op) {
  if (kernel::Match match = cpu::checkSlice({}, op); !match)
    return match;
  if (!isHostTensor(cast<SliceOp>(op).getStarts()))
    return kernel::Match::failure("the dims do not determine the starts");
  return kernel::Match::success();
}

LogicalResult vulkan::emitSlice(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<SliceOp>(anyOp);
  VectorBuilder v = program.vectors();
  SmallVector<Value> xDims = program.dims(op.getX());
  auto starts = program.elements(op.getStarts());
  SmallVector<int64_t> steps(op.getAxes().size(), 1);
  if (op.getSteps())
    steps = llvm::to_vector(
        program.factOf(op.getSteps()).getElements().asArrayRef());
  SmallVector<Value> first(xDims.size(), v.i64(0));
  SmallVector<int64_t> by(xDims.size(), 1);
  for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
    Value dim = xDims[axis], start = (*starts)[i], zero = v.i64(0);
    start = v.select(v.less(start, zero), v.add(start, dim), start);
    Value most = steps[i] > 0 ? dim : v.sub(dim, v.i64(1));
    first[axis] = v.min(v.max(start, zero), most);
    by[axis] = steps[i];
  }
  return emitCopy(program, op.getX(), op.getResult(),
                  [&](Shader &shader, ValueRange place) {
                    SmallVector<Value> at;
                    for (size_t axis = 0; axis < place.size(); ++axis)
                      at.push_back(shader.add(
                          shader.host(first[axis]),
                          shader.mul(place[axis], shader.i32(by[axis]))));
                    return shader.linearize(at, shader.host(xDims));
                  });
}

/// Copies all of `part` to its place in a whole tensor along `axis`.
static LogicalResult copyInto(DeviceProgram &program, Value part, Value whole,
                              ArrayRef<Value> wholeDims,
                              ArrayRef<Value> offsets) {
  auto from = program.handle(part);
  if (failed(from))
    return failure();
  SmallVector<Value> dims = program.dims(part);
  Type element = getElementTypeOrSelf(part);
  return program.dispatch(
      program.vectors().product(dims), [&](Shader &shader, Value index) {
        SmallVector<Value> place = shader.delinearize(index, shader.host(dims));
        for (auto [coordinate, offset] : llvm::zip_equal(place, offsets))
          coordinate = shader.add(coordinate, shader.host(offset));
        shader.storeRaw(shader.loadRaw(*from, element, index), whole, element,
                        shader.linearize(place, shader.host(wholeDims)));
        return success();
      });
}

LogicalResult vulkan::emitConcat(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<ConcatOp>(anyOp);
  Value whole = program.allocateOnDevice(op.getResult());
  SmallVector<Value> dims = program.dims(op.getResult());
  VectorBuilder v = program.vectors();
  SmallVector<Value> offsets(dims.size(), v.i64(0));
  for (Value input : op.getInputs()) {
    if (failed(copyInto(program, input, whole, dims, offsets)))
      return failure();
    offsets[op.getAxis()] = program.vectors().add(
        offsets[op.getAxis()], program.dims(input)[op.getAxis()]);
  }
  return success();
}

LogicalResult vulkan::emitSplit(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<SplitOp>(anyOp);
  int64_t begin = 0;
  SmallVector<Value> xDims = program.dims(op.getX());
  for (auto [part, size] : llvm::zip_equal(op.getParts(), op.getSizes())) {
    if (failed(emitCopy(program, op.getX(), part,
                        [&](Shader &shader, ValueRange place) {
                          SmallVector<Value> at(place);
                          at[op.getAxis()] =
                              shader.add(at[op.getAxis()], shader.i32(begin));
                          return shader.linearize(at, shader.host(xDims));
                        })))
      return failure();
    begin += size;
  }
  return success();
}

/// Gives every element of `result` the words that `value` makes.
static LogicalResult
fill(DeviceProgram &program, Value result, Value to,
     llvm::function_ref<SmallVector<Value>(Shader &)> value) {
  Type element = getElementTypeOrSelf(result);
  return program.dispatch(program.vectors().product(program.dims(result)),
                          [&](Shader &shader, Value index) {
                            shader.storeRaw(value(shader), to, element, index);
                            return success();
                          });
}

/// An element of `element` with these bytes, as `Shader::loadRaw` gives it.
static SmallVector<Value> constantWords(Shader &shader, Type element,
                                        ArrayRef<uint8_t> bytes) {
  SmallVector<Value> words;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    uint32_t bits = 0;
    for (size_t j = i; j < std::min(i + 4, bytes.size()); ++j)
      bits |= uint32_t(bytes[j]) << (8 * (j - i));
    unsigned width = std::min<size_t>(bytes.size(), 4) * 8;
    Value word = arith::ConstantOp::create(
        shader.b, shader.loc,
        IntegerAttr::get(shader.b.getIntegerType(width), APInt(width, bits)));
    if (element.isF32())
      word = arith::BitcastOp::create(shader.b, shader.loc, element, word);
    words.push_back(word);
  }
  return words;
}

LogicalResult vulkan::emitPad(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<PadOp>(anyOp);
  Type element = getElementTypeOrSelf(op.getX());
  FailureOr<Value> value = Value();
  if (op.getValue() && failed(value = program.handle(op.getValue())))
    return failure();
  Value whole = program.allocateOnDevice(op.getResult());
  LogicalResult filled =
      fill(program, op.getResult(), whole, [&](Shader &shader) {
        if (*value)
          return shader.loadRaw(*value, element, shader.i32(0));
        std::vector<uint8_t> zero(cpu::bytesPerElement(element), 0);
        return constantWords(shader, element, zero);
      });
  if (failed(filled))
    return failure();
  VectorBuilder v = program.vectors();
  SmallVector<Value> offsets;
  SmallVector<Value> dims = program.dims(op.getResult());
  for (size_t axis = 0; axis < dims.size(); ++axis)
    offsets.push_back(v.i64(op.getPads()[axis]));
  return copyInto(program, op.getX(), whole, dims, offsets);
}

LogicalResult vulkan::emitGather(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<GatherOp>(anyOp);
  auto indices = program.handle(op.getIndices());
  if (failed(indices))
    return failure();
  Type indexType = getElementTypeOrSelf(op.getIndices());
  SmallVector<Value> xDims = program.dims(op.getX());
  SmallVector<Value> indexDims = program.dims(op.getIndices());
  int64_t axis = op.getAxis();
  return emitCopy(
      program, op.getX(), op.getResult(),
      [&](Shader &shader, ValueRange place) {
        ValueRange inner = place.slice(axis, indexDims.size());
        Value at = shader.linearize(inner, shader.host(indexDims));
        // Of 64 bits the low word comes first.
        Value picked = shader.loadRaw(*indices, indexType, at).front();
        Value size = shader.host(xDims[axis]), zero = shader.i32(0);
        picked = shader.select(shader.less(picked, zero),
                               shader.add(picked, size), picked);
        SmallVector<Value> source(place.take_front(axis));
        source.push_back(picked);
        llvm::append_range(source, place.drop_front(axis + indexDims.size()));
        return shader.linearize(source, shader.host(xDims));
      });
}

LogicalResult vulkan::emitConstantOfShape(DeviceProgram &program,
                                          Operation *anyOp) {
  auto op = cast<ConstantOfShapeOp>(anyOp);
  Value whole = program.allocateOnDevice(op.getResult());
  return fill(program, op.getResult(), whole, [&](Shader &shader) {
    return constantWords(shader, getElementTypeOrSelf(op.getResult()),
                         cpu::elementBytes(op.getValue()));
  });
}

LogicalResult vulkan::emitExpand(DeviceProgram &program, Operation *anyOp) {
  auto op = cast<ExpandOp>(anyOp);
  return emitCopy(program, op.getX(), op.getResult(),
                  [&](Shader &shader, ValueRange place) {
                    return broadcastIndex(program, shader,
                                          program.dims(op.getX()), place);
                  });
}

LogicalResult vulkan::emitView(DeviceProgram &program, Operation *op) {
  return program.aliasOnDevice(op->getResult(0), op->getOperand(0));
}
