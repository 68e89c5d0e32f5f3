//===- Pool.cpp - Maxima and means over windows ---------------------------===//
//
// 16 outputs of a row at a time. Positions outside of x are read from its
// border and left out by a mask. Windows that tile images of known size exactly
// need no masks, and their lanes run on from row to row.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

namespace {
struct Window {
  SmallVector<int64_t> kernel, strides, pads, dilations;
};
} // namespace

/// One tap's positions: the offset of each lane inside the plane, whether it
/// lies inside x, and whether it lies inside x and its pads.
static std::tuple<Value, Value, Value>
tapLanes(VectorBuilder &v, const Window &window, ArrayRef<Value> taps,
         ArrayRef<Value> position, Value column, ArrayRef<Value> sizes) {
  OpBuilder &b = v.b;
  Location loc = v.loc;
  MLIRPolicy policy(b, loc, kLanes);
  size_t last = taps.size() - 1;
  Value offset = v.i64(0), isInside = v.i1(true), isPadded = v.i1(true);
  auto below = [&](Value x, Value y, arith::CmpIPredicate predicate) {
    return arith::CmpIOp::create(b, loc, predicate, x, y).getResult();
  };
  auto both = [&](Value x, Value y) {
    return b.createOrFold<arith::AndIOp>(loc, x, y);
  };
  for (size_t i = 0; i < last; ++i) {
    Value at = v.add(v.sub(v.mul(position[i], v.i64(window.strides[i])),
                           v.i64(window.pads[i])),
                     v.mul(taps[i], v.i64(window.dilations[i])));
    isInside = both(isInside, below(at, sizes[i], arith::CmpIPredicate::ult));
    Value end = v.add(sizes[i], v.i64(window.pads[i + taps.size()]));
    isPadded = both(isPadded, below(at, end, arith::CmpIPredicate::slt));
    Value bounded = v.max(v.min(at, v.sub(sizes[i], v.i64(1))), v.i64(0));
    offset = v.add(v.mul(offset, sizes[i]), bounded);
  }
  Type word = b.getI64Type();
  Value at = arith::AddIOp::create(b, loc, v.iota(word), v.splat(column));
  at = arith::MulIOp::create(b, loc, at, v.splat(v.i64(window.strides[last])));
  Value shift = v.sub(v.mul(taps[last], v.i64(window.dilations[last])),
                      v.i64(window.pads[last]));
  at = arith::AddIOp::create(b, loc, at, v.splat(shift));
  Value inside = below(at, v.splat(sizes[last]), arith::CmpIPredicate::ult);
  inside = both(inside, v.splat(isInside));
  Value end = v.add(sizes[last], v.i64(window.pads[last + taps.size()]));
  Value padded = below(at, v.splat(end), arith::CmpIPredicate::slt);
  padded = both(padded, v.splat(isPadded));
  // Zero last: an empty x has no last element, but slack.
  Value bounded =
      arith::MinSIOp::create(b, loc, at, v.splat(v.sub(sizes[last], v.i64(1))));
  bounded = arith::MaxSIOp::create(b, loc, bounded, v.splat(v.i64(0)));
  Value base = v.mul(offset, sizes[last]);
  return {arith::AddIOp::create(b, loc, bounded, v.splat(base)), inside,
          padded};
}

/// The value that a maximum of elements starts from, in every lane.
static Value lowest(VectorBuilder &v, Type element) {
  if (isa<FloatType>(element))
    return v.splat(v.f32(-numerics::infinity));
  return v.constant(
      v.b.getIntegerAttr(laneType(element), numerics::leastInteger(element)),
      kLanes);
}

/// Whether windows tile x, with rows of outputs that fill vectors or divide
/// them.
static bool tilesExactly(const Window &window, ArrayRef<Value> sizes,
                         ArrayRef<Value> resultSizes) {
  for (auto [i, size] : llvm::enumerate(window.kernel)) {
    std::optional<int64_t> x = knownNumber(sizes[i]),
                           result = knownNumber(resultSizes[i]);
    if (!x || !result || *x != *result * size || window.strides[i] != size ||
        window.dilations[i] != 1)
      return false;
  }
  int64_t columns = std::max<int64_t>(*knownNumber(resultSizes.back()), 1);
  return llvm::all_of(window.pads, [](int64_t pad) { return pad == 0; }) &&
         (kLanes % columns == 0 || columns % kLanes == 0);
}

/// The next value of a maximum or a sum.
static Value join(MLIRPolicy &policy, bool isMax, Value value, Value before) {
  if (!isMax)
    return policy.add(before, value);
  return isa<FloatType>(getElementTypeOrSelf(value))
             ? policy.max(value, before)
             : policy.maxS(before, value);
}

/// Windows that tile x.
static void emitTiles(HostProgram &program, Buffer &x, Buffer &result,
                      const Window &window, bool isMax) {
  Type element = x.elementType();
  VectorBuilder host(program.code());
  int64_t columns = *knownNumber(result.dims.back());
  int64_t width = *knownNumber(x.dims.back()), across = window.kernel.back();
  int64_t down = window.kernel.size() > 1 ? window.kernel.front() : 1;
  int64_t rowStep = down * width;
  Value total = host.product(result.dims);
  int64_t perPart = 32768 / (down * across) / kLanes * kLanes + kLanes;
  SmallVector<Value> captures{x.pointer, result.pointer, total};
  program.launch(
      isMax ? "max_pool" : "average_pool", captures,
      host.ceilDiv(total, host.i64(perPart)), [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        OpBuilder &b = scope.b;
        MLIRPolicy policy(b, scope.loc, kLanes);
        ArrayRef<Value> own(scope.captures);
        SmallVector<int64_t> offsets;
        for (int64_t i = 0; i < kLanes; ++i)
          offsets.push_back(i / columns * rowStep + i % columns * across);
        Value lanes = arith::ConstantOp::create(b, scope.loc,
                                                b.getI64VectorAttr(offsets));
        Value low = v.mul(scope.part, v.i64(perPart));
        Value high = v.min(own[2], v.add(low, v.i64(perPart)));
        v.loop(low, high, kLanes, [&](Value first) {
          Value row = v.div(first, v.i64(columns));
          Value column = v.rem(first, v.i64(columns));
          Value base =
              v.add(v.mul(row, v.i64(rowStep)), v.mul(column, v.i64(across)));
          Value count = v.sub(own[2], first);
          Value total = isMax ? lowest(v, element) : policy.f(0);
          for (int64_t tap = 0; tap < down * across; ++tap) {
            int64_t offset = tap / across * width + tap % across;
            Value at = arith::AddIOp::create(
                b, scope.loc, lanes, v.splat(v.add(base, v.i64(offset))));
            // Lanes behind the end read the first element.
            at = v.select(v.mask(count), at, v.splat(v.i64(0)));
            Value value =
                v.widen(v.gather(own[0], at, memoryType(element)), element);
            total = join(policy, isMax, value, total);
          }
          if (!isMax)
            total = policy.div(total, policy.f(down * across));
          v.storeLanes(total, own[1], first, element, count);
        });
      });
}

static LogicalResult emitWindows(HostProgram &program, Operation *op,
                                 const Window &window, bool isMax,
                                 bool countsPads) {
  Buffer &x = program.buffer(op->getOperand(0));
  Type element = x.elementType();
  Buffer &result = program.buffer(op->getResult(0));
  size_t spatial = window.kernel.size();
  ArrayRef<Value> xSizes = ArrayRef(x.dims).drop_front(2);
  if (tilesExactly(window, xSizes, ArrayRef(result.dims).drop_front(2))) {
    emitTiles(program, x, result, window, isMax);
    return success();
  }
  VectorBuilder host(program.code());
  ArrayRef<Value> outer = ArrayRef(result.dims).drop_front(2).drop_back();
  Value columns = result.dims.back();
  Value rowsOfPlane = host.product(outer);
  Value planes = host.mul(x.dims[0], x.dims[1]);
  Value rows = host.mul(planes, rowsOfPlane);
  int64_t numTaps = 1;
  for (int64_t size : window.kernel)
    numTaps *= size;
  Value rowsPerPart =
      host.max(host.div(host.i64(std::max<int64_t>(1, 32768 / numTaps)),
                        host.max(columns, host.i64(1))),
               host.i64(1));
  SmallVector<Value> captures{x.pointer,   result.pointer, columns,
                              rowsOfPlane, rows,           rowsPerPart};
  size_t fixed = captures.size();
  captures.append(xSizes.begin(), xSizes.end());
  captures.append(outer.begin(), outer.end());
  program.launch(
      isMax ? "max_pool" : "average_pool", captures,
      host.ceilDiv(rows, rowsPerPart), [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        OpBuilder &b = scope.b;
        MLIRPolicy policy(b, scope.loc, kLanes);
        ArrayRef<Value> own(scope.captures);
        ArrayRef<Value> sizes = own.slice(fixed, spatial);
        ArrayRef<Value> outer = own.drop_front(fixed + spatial);
        SmallVector<Value> taps;
        for (int64_t size : window.kernel)
          taps.push_back(v.i64(size));
        Value low = v.mul(scope.part, own[5]);
        Value high = v.min(own[4], v.add(low, own[5]));
        v.loop(low, high, 1, [&](Value row) {
          Value plane = v.div(row, own[3]);
          SmallVector<Value> position =
              v.delinearize(v.rem(row, own[3]), outer);
          Value base = v.mul(plane, v.product(sizes));
          v.loop(v.i64(0), own[2], kLanes, [&](Value column) {
            Value start = isMax ? lowest(v, element) : policy.f(0);
            Value zero = policy.i(0);
            auto totals = v.loop(
                v.i64(0), v.i64(numTaps), 1, {start, zero},
                [&](Value tap, ValueRange carried) {
                  auto [offset, inside, padded] =
                      tapLanes(v, window, v.delinearize(tap, taps), position,
                               column, sizes);
                  Value at = arith::AddIOp::create(b, scope.loc, offset,
                                                   v.splat(base));
                  Value value = v.widen(
                      v.gather(own[0], at, memoryType(element)), element);
                  Value next = join(policy, isMax, value, carried[0]);
                  next = policy.select(inside, next, carried[0]);
                  Value counted = policy.select(countsPads ? padded : inside,
                                                policy.i(1), zero);
                  return SmallVector<Value>{next,
                                            policy.addI(carried[1], counted)};
                });
            Value value = totals[0];
            if (!isMax)
              value = policy.div(value, policy.toFloat(totals[1]));
            v.storeLanes(value, own[1], v.add(v.mul(row, own[2]), column),
                         element, v.sub(own[2], column));
          });
        });
      });
  return success();
}

kernel::Match cpu::checkPool(const AnyCpu &, Operation *op) {
  Type element = getElementTypeOrSelf(op->getOperand(0));
  Type lane = laneType(element);
  bool isMax = isa<MaxPoolOp>(op);
  if (!lane || lane.isInteger(1) || lane.isInteger(64) || lane.isF64() ||
      (!isMax && !isa<FloatType>(lane)) ||
      (isMax && isa<FloatType>(element) && !isa<FloatType>(lane)))
    return unsupported(element);
  int64_t rank = cast<RankedTensorType>(op->getOperand(0).getType()).getRank();
  if (rank > 4)
    return kernel::Match::failure("windows have " + Twine(rank - 2) +
                                  " axes, more than 2");
  return kernel::Match::success();
}

LogicalResult cpu::emitPool(HostProgram &program, Operation *op) {
  if (auto pool = dyn_cast<MaxPoolOp>(op)) {
    Window window{
        llvm::to_vector(pool.getKernel()), llvm::to_vector(pool.getStrides()),
        llvm::to_vector(pool.getPads()), llvm::to_vector(pool.getDilations())};
    if (window.dilations.empty())
      window.dilations.assign(window.kernel.size(), 1);
    return emitWindows(program, op, window, /*isMax=*/true,
                       /*countsPads=*/false);
  }
  auto pool = cast<AveragePoolOp>(op);
  Window window{llvm::to_vector(pool.getKernel()),
                llvm::to_vector(pool.getStrides()),
                llvm::to_vector(pool.getPads()),
                SmallVector<int64_t>(pool.getKernel().size(), 1)};
  return emitWindows(program, op, window, /*isMax=*/false,
                     pool.getCountIncludePad());
}
