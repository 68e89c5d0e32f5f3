//===- Reduce.cpp - Sums, means, maxima, minima, products, norms ----------===//
//
// Where the last axis stays, lanes run along it and the partial sums are 16
// vectors. Where it is reduced, the elements of a result are first written next
// to each other. Floats are f32 and integers i64 until the epilogue.
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoop.h"
#include "Kernels.h"
#include "RowMath.h"
#include "RowSource.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

/// Elements of a part.
static constexpr int64_t kPartElements = 8192;

namespace {
/// The formula of a kind of reduction.
struct Formula {
  ReduceKind kind;
  bool isFloat;
  /// Of x, in memory.
  Type element;

  bool isSum() const {
    return kind == ReduceKind::Sum || kind == ReduceKind::Mean ||
           kind == ReduceKind::L2;
  }
  /// Float sums have 16 partial sums; float products are one chain.
  bool hasPartialSums() const { return isFloat && isSum(); }
  bool isChain() const { return isFloat && kind == ReduceKind::Prod; }
  bool isOrder() const {
    return kind == ReduceKind::Max || kind == ReduceKind::Min;
  }

  Type type(OpBuilder &b) const {
    return isFloat ? Type(b.getF32Type()) : Type(b.getI64Type());
  }
  /// What a result starts from.
  Value start(VectorBuilder &v, int64_t lanes) const {
    if (isFloat) {
      float value = isSum()                    ? 0.0f
                    : kind == ReduceKind::Prod ? 1.0f
                    : kind == ReduceKind::Max  ? -numerics::infinity
                                               : numerics::infinity;
      return v.constant(v.b.getF32FloatAttr(value), lanes);
    }
    int64_t value = isSum()                    ? 0
                    : kind == ReduceKind::Prod ? 1
                    : kind == ReduceKind::Max
                        ? numerics::leastInteger(element)
                        : numerics::greatestInteger(element);
    return v.constant(v.b.getI64IntegerAttr(value), lanes);
  }
  Value step(VectorBuilder &v, Value total, Value x, int64_t lanes) const {
    MLIRPolicy policy(v.b, v.loc, lanes);
    if (kind == ReduceKind::L2)
      return policy.fma(x, x, total);
    if (isSum())
      return isFloat ? policy.add(total, x) : policy.addI(total, x);
    if (kind == ReduceKind::Prod)
      return isFloat ? policy.mul(total, x) : policy.mulI(total, x);
    if (kind == ReduceKind::Max)
      return isFloat ? policy.max(x, total) : policy.maxS(x, total);
    return isFloat ? policy.min(x, total) : policy.minS(x, total);
  }
  /// Joins totals of different elements.
  Value join(VectorBuilder &v, Value x, Value y, int64_t lanes) const {
    if (kind == ReduceKind::L2)
      return MLIRPolicy(v.b, v.loc, lanes).add(x, y);
    return step(v, x, y, lanes);
  }
  /// The result of `size` elements from their total.
  Value last(VectorBuilder &v, Value total, Value size, int64_t lanes) const {
    MLIRPolicy policy(v.b, v.loc, lanes);
    if (kind == ReduceKind::L2)
      return policy.sqrt(total);
    if (kind != ReduceKind::Mean)
      return total;
    if (isFloat) {
      Value count = arith::SIToFPOp::create(v.b, v.loc, v.b.getF32Type(), size);
      return policy.div(total, policy.splat(count));
    }
    Value count = v.max(size, v.i64(1));
    return policy.divS(total, policy.splat(count));
  }
};

/// One reduction: what it reads and the temporary tensor that it fills.
struct Reduction {
  HostProgram &program;
  Operation *op;
  Value x;
  SmallVector<int64_t> kept, reduced;
  Formula formula;
  Epilogue source;

  Value totals;
};
} // namespace

/// The lanes of x as f32 or i64.
static Value loadLanes(VectorBuilder &v, Reduction &reduction,
                       const Epilogue::Lanes &lanes) {
  Value x = reduction.source.evaluate(v.b, reduction.x, lanes);
  Type wide = VectorType::get({kLanes}, reduction.formula.type(v.b));
  if (x.getType() == wide)
    return x;
  if (getElementTypeOrSelf(x).isInteger(1))
    return arith::ExtUIOp::create(v.b, v.loc, wide, x);
  return arith::ExtSIOp::create(v.b, v.loc, wide, x);
}

static SmallVector<Value> pick(ArrayRef<Value> values, ArrayRef<int64_t> axes) {
  SmallVector<Value> picked;
  for (int64_t axis : axes)
    picked.push_back(values[axis]);
  return picked;
}

static void place(SmallVectorImpl<Value> &coordinates, ArrayRef<int64_t> axes,
                  ArrayRef<Value> values) {
  for (auto [axis, value] : llvm::zip_equal(axes, values))
    coordinates[axis] = value;
}

/// The last axis is kept.
static LogicalResult emitAcross(Reduction &reduction) {
  HostProgram &program = reduction.program;
  SmallVector<Value> captures;
  reduction.source.capture(captures);
  const Formula &formula = reduction.formula;
  SmallVector<Value> dims = reduction.source.groupDims();
  int64_t rank = dims.size();
  ArrayRef<int64_t> rowAxes = ArrayRef(reduction.kept).drop_back();
  VectorBuilder host(program.code());
  Value rows = host.product(pick(dims, rowAxes));
  Value size = host.product(pick(dims, reduction.reduced));
  Value perPart = rowsPerPart(host, host.mul(size, dims.back()), kPartElements);
  Value bytes = host.i64(16 * kLanes * sizeof(float));
  Value scratch =
      formula.hasPartialSums() ? program.scratch(bytes) : reduction.totals;
  size_t own = captures.size();
  captures.append({rows, size, perPart, scratch, reduction.totals});
  program.launch(
      "reduce", captures, host.ceilDiv(rows, perPart), [&](KernelScope &scope) {
        reduction.source.enter(scope);
        VectorBuilder v(scope.code());
        ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
        SmallVector<Value> dims(reduction.source.dimsInside());
        SmallVector<Value> rowDims = pick(dims, rowAxes);
        SmallVector<Value> reducedDims = pick(dims, reduction.reduced);
        Value size = args[1];
        Value low = v.mul(scope.part, args[2]);
        Value high = v.min(args[0], v.add(low, args[2]));
        Type type = formula.type(scope.b);
        Value sums =
            v.address(args[3], v.mul(scope.thread, v.i64(16 * kLanes)), type);
        v.loop(low, high, 1, [&](Value row) {
          SmallVector<Value> at(rank);
          place(at, rowAxes, v.delinearize(row, rowDims));
          loopRow(
              v, dims.back(), {}, [&](Value column, Value count, ValueRange) {
                auto element = [&](Value i) {
                  place(at, reduction.reduced, v.delinearize(i, reducedDims));
                  at.back() = column;
                  return loadLanes(v, reduction, {at, rank - 1, count});
                };
                Value total;
                if (formula.hasPartialSums()) {
                  v.loop(v.i64(0), v.i64(16), 1, [&](Value j) {
                    v.store(formula.start(v, kLanes), sums,
                            v.mul(j, v.i64(kLanes)));
                  });
                  v.loop(v.i64(0), size, 1, [&](Value i) {
                    Value slot = v.mul(v.rem(i, v.i64(16)), v.i64(kLanes));
                    Value sum = v.load(sums, slot, type);
                    v.store(formula.step(v, sum, element(i), kLanes), sums,
                            slot);
                  });
                  SmallVector<Value> partial;
                  for (int64_t j = 0; j < 16; ++j)
                    partial.push_back(v.load(sums, v.i64(j * kLanes), type));
                  for (int64_t width = 8; width > 0; width /= 2)
                    for (int64_t j = 0; j < width; ++j)
                      partial[j] = formula.join(v, partial[j],
                                                partial[j + width], kLanes);
                  total = partial[0];
                } else {
                  total = v.loop(v.i64(0), size, 1, {formula.start(v, kLanes)},
                                 [&](Value i, ValueRange carried) {
                                   return SmallVector<Value>{formula.step(
                                       v, carried[0], element(i), kLanes)};
                                 })[0];
                }
                Value offset = v.add(v.mul(row, dims.back()), column);
                v.storePartial(formula.last(v, total, size, kLanes), args[4],
                               offset, count);
                return SmallVector<Value>();
              });
        });
      });
  return success();
}

/// The total of `size` elements that lie next to each other, one by one.
static Value chainOfLine(VectorBuilder &v, const Formula &formula, Value line,
                         Value size) {
  Type type = formula.type(v.b);
  return v.loop(v.i64(0), size, 1, {formula.start(v, 0)},
                [&](Value i, ValueRange carried) {
                  return SmallVector<Value>{formula.step(
                      v, carried[0], v.loadScalar(line, i, type), 0)};
                })[0];
}

/// The total of `size` elements that lie next to each other.
static Value totalOfLine(VectorBuilder &v, const Formula &formula, Value line,
                         Value size) {
  Type type = formula.type(v.b);
  if (formula.isChain())
    return chainOfLine(v, formula, line, size);
  auto totals = loopRow(v, size, {formula.start(v, kLanes)},
                        [&](Value index, Value count, ValueRange carried) {
                          Value next = formula.step(
                              v, carried[0], v.load(line, index, type), kLanes);
                          if (count)
                            next = v.select(v.mask(count), next, carried[0]);
                          return SmallVector<Value>{next};
                        });
  Value total = foldLanes(v, totals[0], [&](Value x, Value y, int64_t lanes) {
    return formula.join(v, x, y, lanes);
  });
  if (!formula.isFloat || !formula.isOrder())
    return total;
  // Lanes do not know which of two zeros is the first: that takes a chain.
  MLIRPolicy policy(v.b, v.loc, 0);
  Value isZero = policy.oeq(total, policy.f(0));
  Value first = chainOfLine(v, formula, line, v.select(isZero, size, v.i64(0)));
  return v.select(isZero, first, total);
}

/// The last axis is reduced.
static LogicalResult emitAlong(Reduction &reduction) {
  HostProgram &program = reduction.program;
  SmallVector<Value> captures;
  reduction.source.capture(captures);
  const Formula &formula = reduction.formula;
  SmallVector<Value> dims = reduction.source.groupDims();
  int64_t rank = dims.size();
  ArrayRef<int64_t> lineAxes = ArrayRef(reduction.reduced).drop_back();
  VectorBuilder host(program.code());
  Value rows = host.product(pick(dims, reduction.kept));
  Value size = host.product(pick(dims, reduction.reduced));
  Value perPart = rowsPerPart(host, size, kPartElements);
  int64_t width = formula.isFloat ? 4 : 8;
  Value rounded = host.mul(host.div(host.add(size, host.i64(15)), host.i64(16)),
                           host.i64(16 * width));
  Value bytes = host.add(rounded, host.i64(16 * width));
  Value scratch = program.scratch(bytes);
  size_t own = captures.size();
  captures.append({rows, size, perPart, scratch, bytes, reduction.totals});
  program.launch(
      "reduce", captures, host.ceilDiv(rows, perPart), [&](KernelScope &scope) {
        reduction.source.enter(scope);
        VectorBuilder v(scope.code());
        ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
        SmallVector<Value> dims(reduction.source.dimsInside());
        SmallVector<Value> lineDims = pick(dims, lineAxes);
        Value line = v.address(args[3], v.mul(scope.thread, args[4]),
                               scope.b.getI8Type());
        Value low = v.mul(scope.part, args[2]);
        Value high = v.min(args[0], v.add(low, args[2]));
        v.loop(low, high, 1, [&](Value row) {
          SmallVector<Value> at(rank);
          place(at, reduction.kept,
                v.delinearize(row, pick(dims, reduction.kept)));
          v.loop(v.i64(0), v.product(lineDims), 1, [&](Value i) {
            place(at, lineAxes, v.delinearize(i, lineDims));
            Value first = v.mul(i, dims.back());
            loopRow(v, dims.back(), {},
                    [&](Value index, Value count, ValueRange) {
                      at.back() = index;
                      v.store(loadLanes(v, reduction, {at, rank - 1, count}),
                              line, v.add(first, index));
                      return SmallVector<Value>();
                    });
          });
          Value total = totalOfLine(v, formula, line, args[1]);
          v.storeScalar(formula.last(v, total, args[1], 0), args[5], row);
        });
      });
  return success();
}

/// The element-wise ops behind the reduction, over its results.
static LogicalResult emitEpilogue(Reduction &reduction, Operation *root) {
  Epilogue epilogue(reduction.program, reduction.op, root->getResult(0),
                    root->getResult(0));
  Type element = getElementTypeOrSelf(root->getResult(0));
  bool isFloat = reduction.formula.isFloat;
  return emitElementwiseLoop(
      reduction.program, "reduce_epilogue", epilogue, {reduction.totals},
      [&](KernelScope &scope, ArrayRef<Value> extras, Value index,
          Value count) {
        VectorBuilder v(scope.code());
        OpBuilder &b = scope.b;
        if (isFloat)
          return v.load(extras[0], index, b.getF32Type());
        Value total =
            count ? v.loadMasked(extras[0], index, b.getI64Type(), count)
                  : v.load(extras[0], index, b.getI64Type());
        Type memory = VectorType::get({kLanes}, memoryType(element));
        if (total.getType() == memory)
          return total;
        total = arith::TruncIOp::create(b, scope.loc, memory, total);
        return v.widen(total, element);
      });
}

kernel::Match cpu::checkReduce(Operation *op) {
  Operation *root = cast<kernel::RowsOp>(op).getRoot();
  Type element = getElementTypeOrSelf(root->getOperand(0));
  Type lane = laneType(element);
  bool isFloat = lane && isa<FloatType>(lane);
  auto reduce = dyn_cast<ReduceOp>(root);
  Formula formula{reduce ? reduce.getKind() : ReduceKind::Mean, isFloat,
                  element};
  if (!lane || lane.isF64() || element.isUnsignedInteger(64) ||
      (!isFloat && formula.kind == ReduceKind::L2) ||
      (lane.isInteger(1) && !formula.isOrder()) ||
      (isa<FloatType>(element) && !isFloat))
    return unsupported(element);
  return kernel::Match::success();
}

LogicalResult cpu::emitReduce(HostProgram &program, Operation *op) {
  Operation *root = cast<kernel::RowsOp>(op).getRoot();
  Value x = root->getOperand(0);
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  Type lane = laneType(getElementTypeOrSelf(x));
  SmallVector<int64_t> kept, reduced;
  ReduceKind kind = ReduceKind::Mean;
  if (auto reduce = dyn_cast<ReduceOp>(root)) {
    kind = reduce.getKind();
    reduced = llvm::to_vector(reduce.getAxes());
  } else {
    reduced = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  }
  // A scalar is a row of one element.
  for (int64_t axis = 0; axis < std::max<int64_t>(rank, 1); ++axis)
    if (!llvm::is_contained(reduced, axis))
      kept.push_back(axis);
  bool isFloat = lane && isa<FloatType>(lane);
  Formula formula{kind, isFloat, getElementTypeOrSelf(x)};
  Reduction reduction{
      program,
      op,
      x,
      kept,
      reduced,
      formula,
      Epilogue(program, op, x, Value(), Epilogue::Stores::Nothing),
      Value()};
  reduction.source.need(x);
  VectorBuilder v(program.code());
  SmallVector<Value> dims = reduction.source.groupDims();
  Value results = v.product(pick(dims, kept));
  // The slack behind the totals takes the last vector that is read.
  reduction.totals = program.temporary(
      v.add(v.mul(results, v.i64(isFloat ? 4 : 8)), v.i64(128)));
  bool isAlong = !reduced.empty() && reduced.back() == rank - 1;
  if (failed(isAlong ? emitAlong(reduction) : emitAcross(reduction)))
    return failure();
  return emitEpilogue(reduction, root);
}
