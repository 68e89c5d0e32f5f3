//===- Movement.cpp - Ops that copy elements and make shapes --------------===//
//
// Neighbouring axes that lie alike on both sides are copied as one.
//
//===----------------------------------------------------------------------===//

#include "Movement.h"
#include "StridedCopy.h"
#include "lib/Target/Host/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// The product of dims[first, last).
static Value productOf(VectorBuilder v, ArrayRef<Value> dims, size_t first,
                       size_t last) {
  return v.product(dims.slice(first, last - first));
}

LogicalResult cpu::emitTranspose(HostProgram &program, Operation *anyOp) {
  auto op = cast<TransposeOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &x = program.buffer(op.getX());
  Buffer &result = program.buffer(op.getResult());
  SmallVector<Value> from = v.strides(x.dims), to = v.strides(result.dims);
  SmallVector<CopyAxis> axes;
  std::optional<int64_t> previous;
  for (auto [i, axis] : llvm::enumerate(op.getPerm())) {
    if (knownNumber(x.dims[axis]) == 1)
      continue;
    CopyAxis next{x.dims[axis], from[axis], to[i]};
    bool isRun = previous && axis > *previous &&
                 llvm::all_of(llvm::seq(*previous + 1, axis), [&](int64_t j) {
                   return knownNumber(x.dims[j]) == 1;
                 });
    if (isRun)
      axes.back() = {v.mul(axes.back().size, next.size), next.fromStride,
                     next.toStride};
    else
      axes.push_back(next);
    previous = axis;
  }
  emitStridedCopy(program, "transpose", x.elementType(), axes, x.pointer,
                  result.pointer);
  return success();
}

kernel::Match cpu::checkSlice(const AnyCpu &, Operation *op) {
  Value steps = cast<SliceOp>(op).getSteps();
  if (!steps)
    return kernel::Match::success();
  auto known = kernel::findIntegers(op, steps);
  if (!known || !known.getElements())
    return kernel::Match::failure("steps are not constant");
  if (llvm::is_contained(known.getElements().asArrayRef(), 0))
    return kernel::Match::failure("a step is 0");
  return kernel::Match::success();
}

LogicalResult cpu::emitSlice(HostProgram &program, Operation *anyOp) {
  auto op = cast<SliceOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &x = program.buffer(op.getX());
  auto starts = program.elements(op.getStarts());
  SmallVector<int64_t> steps(op.getAxes().size(), 1);
  if (op.getSteps())
    steps = llvm::to_vector(
        program.factOf(op.getSteps()).getElements().asArrayRef());
  Buffer &result = program.buffer(op.getResult());
  SmallVector<Value> from = v.strides(x.dims), to = v.strides(result.dims);
  Value offset = v.i64(0);
  SmallVector<bool> isCut(x.rank(), false), isStepped(x.rank(), false);
  SmallVector<Value> fromStrides = from;
  for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
    Value dim = x.dims[axis], start = (*starts)[i], zero = v.i64(0);
    start = v.select(v.less(start, zero), v.add(start, dim), start);
    Value most = steps[i] > 0 ? dim : v.sub(dim, v.i64(1));
    start = v.min(v.max(start, zero), most);
    // An empty slice may start behind the last element; nothing is read then.
    offset = v.add(offset, v.mul(start, from[axis]));
    fromStrides[axis] = v.mul(from[axis], v.i64(steps[i]));
    isCut[axis] = true;
    isStepped[axis] = steps[i] != 1;
  }
  SmallVector<CopyAxis> axes;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    CopyAxis next{result.dims[axis], fromStrides[axis], to[axis]};
    if (axis > 0 && !isCut[axis] && !isStepped[axis - 1])
      axes.back() = {v.mul(axes.back().size, next.size), next.fromStride,
                     next.toStride};
    else
      axes.push_back(next);
  }
  Type memory = memoryType(x.elementType());
  emitStridedCopy(program, "slice", x.elementType(), axes,
                  v.address(x.pointer, offset, memory), result.pointer);
  return success();
}

/// Copies between a whole tensor and a part of it along `axis` that begins at
/// `begin`: into the whole, or out of it. A part that is in the place of the
/// whole is there already.
static void copyPart(HostProgram &program, StringRef name, const Buffer &whole,
                     const Buffer &part, int64_t axis, Value begin,
                     bool isIntoWhole, bool mayBeInPlace = false) {
  VectorBuilder v(program.code());
  Value inner = productOf(v, part.dims, axis + 1, part.dims.size());
  Value run = v.mul(part.dims[axis], inner);
  Value pitch = v.mul(whole.slotsOf(axis), inner);
  Value outer = productOf(v, part.dims, 0, axis);
  if (mayBeInPlace) {
    Value isInPlace = LLVM::ICmpOp::create(v.b, v.loc, LLVM::ICmpPredicate::eq,
                                           whole.pointer, part.pointer);
    outer = v.select(isInPlace, v.i64(0), outer);
  }
  Value inside = v.address(whole.pointer, v.mul(begin, inner),
                           memoryType(whole.elementType()));
  CopyAxis rows{outer, isIntoWhole ? run : pitch, isIntoWhole ? pitch : run};
  CopyAxis elements{run, v.i64(1), v.i64(1)};
  emitStridedCopy(program, name, whole.elementType(), {rows, elements},
                  isIntoWhole ? part.pointer : inside,
                  isIntoWhole ? inside : part.pointer);
}

bool cpu::joinsWithSlots(Operation *op, Value value, int64_t axis) {
  return value == cast<ConcatOp>(op).getResult() &&
         axis == static_cast<int64_t>(cast<ConcatOp>(op).getAxis());
}

LogicalResult cpu::emitConcat(HostProgram &program, Operation *anyOp) {
  auto op = cast<ConcatOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &result = program.buffer(op.getResult());
  Value begin = v.i64(0);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    Buffer &part = program.buffer(input);
    copyPart(program, "concat", result, part, op.getAxis(), begin,
             /*isIntoWhole=*/true, /*mayBeInPlace=*/i == 0 && result.slots);
    begin = v.add(begin, part.dims[op.getAxis()]);
  }
  return success();
}

LogicalResult cpu::emitSplit(HostProgram &program, Operation *anyOp) {
  auto op = cast<SplitOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &x = program.buffer(op.getX());
  int64_t begin = 0;
  for (auto [part, size] : llvm::zip_equal(op.getParts(), op.getSizes())) {
    copyPart(program, "split", x, program.buffer(part), op.getAxis(),
             v.i64(begin), /*isIntoWhole=*/false);
    begin += size;
  }
  return success();
}

static Value loadIndex(VectorBuilder &v, Value pointer, Value at, Type element,
                       Value size) {
  Value index =
      v.widen(v.loadScalar(pointer, at, memoryType(element)), element);
  if (!index.getType().isInteger(64))
    index = arith::ExtSIOp::create(v.b, v.loc, v.b.getI64Type(), index);
  return v.select(v.less(index, v.i64(0)), v.add(index, size), index);
}

/// Ends the run when an index is out of range, and says which one is, as far as
/// the program knows.
static void checkIndices(HostProgram &program, GatherOp op, Value size) {
  VectorBuilder v(program.code());
  kernel::IntegersAttr known = program.factOf(op.getIndices());
  std::optional<int64_t> knownSize = knownNumber(size);
  if (known && knownSize && known.getMin() >= -*knownSize &&
      known.getMax() < *knownSize)
    return;
  Buffer &indices = program.buffer(op.getIndices());
  OpBuilder &b = program.builder();
  auto results = v.loop(v.i64(0), v.product(indices.dims), 1, {v.i1(true)},
                        [&](Value at, ValueRange holds) {
                          Value index = loadIndex(v, indices.pointer, at,
                                                  indices.elementType(), size);
                          // Negative ones are large when unsigned.
                          Value isInside = arith::CmpIOp::create(
                              b, v.loc, arith::CmpIPredicate::ult, index, size);
                          return SmallVector<Value>{arith::AndIOp::create(
                              b, v.loc, holds[0], isInside)};
                        });
  std::string range = " of axis " + std::to_string(op.getAxis());
  if (knownSize)
    range += ", which is from " + std::to_string(-*knownSize) + " to " +
             std::to_string(*knownSize - 1);
  program.require(results[0], 1, "an index is out of range" + range);
}

LogicalResult cpu::emitGather(HostProgram &program, Operation *anyOp) {
  auto op = cast<GatherOp>(anyOp);
  VectorBuilder host(program.code());
  Buffer &x = program.buffer(op.getX());
  Buffer &indices = program.buffer(op.getIndices());
  int64_t axis = op.getAxis();
  Value size = x.dims[axis];
  checkIndices(program, op, size);
  Buffer &result = program.buffer(op.getResult());
  Value inner = productOf(host, x.dims, axis + 1, x.dims.size());
  Value count = host.product(indices.dims);
  Value rows = host.mul(productOf(host, x.dims, 0, axis), count);
  Value rowsPerPart = host.max(
      host.div(host.i64(16384), host.max(inner, host.i64(1))), host.i64(1));
  Type memory = memoryType(x.elementType());
  program.launch(
      "gather",
      {x.pointer, indices.pointer, result.pointer, size, inner, count, rows,
       rowsPerPart},
      host.ceilDiv(rows, rowsPerPart), [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        ArrayRef<Value> own(scope.captures);
        Value low = v.mul(scope.part, own[7]);
        Value high = v.min(own[6], v.add(low, own[7]));
        v.loop(low, high, 1, [&](Value row) {
          Value outer = v.div(row, own[5]);
          Value index = loadIndex(v, own[1], v.rem(row, own[5]),
                                  indices.elementType(), own[3]);
          Value source = v.mul(v.add(v.mul(outer, own[3]), index), own[4]);
          Value target = v.mul(row, own[4]);
          if (knownNumber(own[4]) == 1)
            return v.storeScalar(v.loadScalar(own[0], source, memory), own[2],
                                 target);
          Value bytes = v.mul(own[4], v.i64(bytesPerElement(x.elementType())));
          LLVM::MemcpyOp::create(scope.b, scope.loc,
                                 v.address(own[2], target, memory),
                                 v.address(own[0], source, memory), bytes,
                                 /*isVolatile=*/false);
        });
      });
  return success();
}

LogicalResult cpu::emitExpand(HostProgram &program, Operation *anyOp) {
  auto op = cast<ExpandOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &x = program.buffer(op.getX());
  Buffer &result = program.buffer(op.getResult());
  SmallVector<Value> from = v.strides(x.dims), to = v.strides(result.dims);
  SmallVector<CopyAxis> axes;
  int64_t missing = result.rank() - x.rank();
  enum { Open, Zero, Dense } kind = Open, previous = Open;
  for (int64_t axis = 0; axis < result.rank(); ++axis, previous = kind) {
    Value stride = v.i64(0);
    kind = Zero;
    if (axis >= missing && knownNumber(x.dims[axis - missing]) != 1) {
      Value dim = x.dims[axis - missing];
      bool isSame = isSameDim(dim, result.dims[axis]);
      kind = isSame ? Dense : Open;
      stride = from[axis - missing];
      if (!isSame)
        stride = v.select(v.equal(dim, v.i64(1)), v.i64(0), stride);
    }
    CopyAxis next{result.dims[axis], stride, to[axis]};
    if (kind != Open && kind == previous)
      axes.back() = {v.mul(axes.back().size, next.size), next.fromStride,
                     next.toStride};
    else
      axes.push_back(next);
  }
  emitStridedCopy(program, "expand", x.elementType(), axes, x.pointer,
                  result.pointer);
  return success();
}

LogicalResult cpu::emitPad(HostProgram &program, Operation *anyOp) {
  auto op = cast<PadOp>(anyOp);
  VectorBuilder v(program.code());
  Buffer &x = program.buffer(op.getX());
  Value value = op.getValue()
                    ? program.buffer(op.getValue()).pointer
                    : program.weightPointer(std::vector<uint8_t>(8, 0));
  Buffer &result = program.buffer(op.getResult());
  emitFill(program, "pad", x.elementType(), value, result.pointer,
           v.product(result.dims));
  SmallVector<Value> from = v.strides(x.dims), to = v.strides(result.dims);
  Value offset = v.i64(0);
  SmallVector<CopyAxis> axes;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    int64_t before = op.getPads()[axis], after = op.getPads()[axis + x.rank()];
    offset = v.add(offset, v.mul(v.i64(before), to[axis]));
    CopyAxis next{x.dims[axis], from[axis], to[axis]};
    if (axis > 0 && before == 0 && after == 0)
      axes.back() = {v.mul(axes.back().size, next.size), next.fromStride,
                     next.toStride};
    else
      axes.push_back(next);
  }
  emitStridedCopy(
      program, "pad", x.elementType(), axes, x.pointer,
      v.address(result.pointer, offset, memoryType(x.elementType())));
  return success();
}

LogicalResult cpu::emitShape(HostProgram &program, Operation *anyOp) {
  auto op = cast<ShapeOp>(anyOp);
  VectorBuilder v(program.code());
  SmallVector<Value> dims = program.dims(op.getX());
  Buffer &result = program.buffer(op.getResult());
  for (int64_t i = op.getStart(), e = op.getEnd(); i < e; ++i)
    v.storeScalar(dims[i], result.pointer, v.i64(i - op.getStart()));
  return success();
}

LogicalResult cpu::emitConstantOfShape(HostProgram &program, Operation *anyOp) {
  auto op = cast<ConstantOfShapeOp>(anyOp);
  Value value = program.weightPointer(elementBytes(op.getValue()));
  Buffer &result = program.buffer(op.getResult());
  VectorBuilder v(program.code());
  emitFill(program, "constant_of_shape", result.elementType(), value,
           result.pointer, v.product(result.dims));
  return success();
}

LogicalResult cpu::emitRange(HostProgram &program, Operation *anyOp) {
  auto op = cast<RangeOp>(anyOp);
  auto start = program.elements(op.getStart());
  auto delta = program.elements(op.getDelta());
  VectorBuilder host(program.code());
  Value isZero = host.equal((*delta)[0], host.i64(0));
  program.require(host.select(isZero, host.i1(false), host.i1(true)), 1,
                  "a range has a step of 0");
  Buffer &result = program.buffer(op.getResult());
  Type element = result.elementType();
  program.launch(
      "range", {result.pointer, result.dims[0], (*start)[0], (*delta)[0]},
      host.i64(1), [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        ArrayRef<Value> own(scope.captures);
        v.loop(v.i64(0), own[1], 1, [&](Value i) {
          Value value = v.add(own[2], v.mul(i, own[3]));
          Type memory = memoryType(element);
          if (value.getType() != memory)
            value = arith::TruncIOp::create(scope.b, scope.loc, memory, value);
          v.storeScalar(value, own[0], i);
        });
      });
  return success();
}
