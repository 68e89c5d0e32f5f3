//===- Normalize.cpp - Softmax and layer normalisation --------------------===//
//
// A row goes through scratch: what the last pass needs of the passes before it
// is written there, as f32. Softmax along another axis than the last has 16
// rows in the lanes, so its partial sums are 16 vectors.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "RowMath.h"
#include "RowSource.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;
using numerics::MLIRPolicy;

/// Elements of a part.
static constexpr int64_t partElements = 8192;

/// Bytes of scratch for `elements` f32 and the lanes behind them.
static Value scratchBytes(VectorBuilder v, Value elements) {
  Value rounded = v.mul(v.div(v.add(elements, v.i64(15)), v.i64(16)),
                        v.i64(16 * sizeof(float)));
  return v.add(rounded, v.i64(64));
}

static int64_t normalizeAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

/// A pass over a row of f32 in scratch: the sum over `term(lanes, index)`.
static Value sumRow(VectorBuilder &v, Value scratch, Value size,
                    llvm::function_ref<Value(Value lanes, Value sum)> add) {
  Type f32 = v.b.getF32Type();
  MLIRPolicy policy(v.b, v.loc, kLanes);
  auto sums = loopRow(v, size, {policy.f(0)},
                      [&](Value index, Value count, ValueRange carried) {
                        Value lanes = v.load(scratch, index, f32);
                        Value next = add(lanes, carried[0]);
                        if (count)
                          next = v.select(v.mask(count), next, carried[0]);
                        return SmallVector<Value>{next};
                      });
  return sumLanes(v, sums[0]);
}

/// scratch[i] = f(scratch[i]) for a row.
static void mapRow(VectorBuilder &v, Value scratch, Value size,
                   llvm::function_ref<Value(Value)> f) {
  loopRow(v, size, {}, [&](Value index, Value, ValueRange) {
    v.store(f(v.load(scratch, index, v.b.getF32Type())), scratch, index);
    return SmallVector<Value>();
  });
}

static Value maxRow(VectorBuilder &v, Value scratch, Value size) {
  MLIRPolicy policy(v.b, v.loc, kLanes);
  auto maxima = loopRow(
      v, size, {policy.f(-numerics::infinity)},
      [&](Value index, Value count, ValueRange carried) {
        Value lanes = v.load(scratch, index, v.b.getF32Type());
        Value next = policy.max(lanes, carried[0]);
        if (count)
          next = v.select(v.mask(count), next, carried[0]);
        return SmallVector<Value>{next};
      });
  return maxLanes(v, maxima[0]);
}

namespace {
/// What the three kernels of this file share.
struct Frame {
  Frame(ProgramEmitter &program, Operation *op, Operation *root)
      : program(program), op(op), root(root), x(root->getOperand(0)),
        epilogue(program, op, root->getResult(0), root->getResult(0)) {
    epilogue.need(x);
    for (Value operand : root->getOperands().drop_front())
      epilogue.need(operand);
  }
  ProgramEmitter &program;
  Operation *op, *root;
  Value x;
  Epilogue epilogue;
};
} // namespace

static LogicalResult checkFloat(Operation *root) {
  for (Value operand : root->getOperands())
    if (laneType(getElementTypeOrSelf(operand)) !=
        Float32Type::get(root->getContext()))
      return root->emitOpError("has no x86-64 kernel for elements of type ")
             << getElementTypeOrSelf(operand);
  return success();
}

/// Rows are the axes from `axis` on. `normalize` works on a row of f32 in
/// scratch; `last` gives the lanes of the root's result from those in scratch.
static LogicalResult emitTrailingRows(
    Frame &frame, StringRef name, int64_t axis,
    llvm::function_ref<SmallVector<Value>(VectorBuilder &, Value scratch,
                                          Value size)>
        normalize,
    llvm::function_ref<Value(KernelScope &, ValueRange, Value lanes,
                             const Epilogue::Lanes &)>
        last) {
  ProgramEmitter &program = frame.program;
  SmallVector<Value> captures;
  if (failed(frame.epilogue.capture(captures)))
    return failure();
  VectorBuilder host = program.vectors();
  SmallVector<Value> dims = program.dims(frame.x);
  Value size = host.product(ArrayRef(dims).drop_front(axis));
  Value rows = host.product(ArrayRef(dims).take_front(axis));
  Value perPart = rowsPerPart(host, size, partElements);
  Value bytes = scratchBytes(host, size);
  Value scratch = program.scratch(bytes);
  size_t own = captures.size();
  captures.append({size, rows, perPart, scratch, bytes});
  program.launch(
      name, captures, host.ceilDiv(rows, perPart), [&](KernelScope &scope) {
        frame.epilogue.enter(scope);
        VectorBuilder v = scope.vectors();
        ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
        SmallVector<Value> dims(frame.epilogue.dimsInside());
        Value row0 = v.mul(scope.part, args[2]);
        Value row1 = v.min(args[1], v.add(row0, args[2]));
        Value line = v.address(args[3], v.mul(scope.thread, args[4]),
                               scope.b.getI8Type());
        v.loop(row0, row1, 1, [&](Value row) {
          loopRowElements(v, dims, axis, row,
                          [&](const Epilogue::Lanes &lanes, Value index) {
                            Value x = frame.epilogue.evaluate(scope.b, frame.x,
                                                              lanes);
                            v.store(x, line, index);
                          });
          SmallVector<Value> facts = normalize(v, line, args[0]);
          loopRowElements(
              v, dims, axis, row,
              [&](const Epilogue::Lanes &lanes, Value index) {
                Value value = v.load(line, index, scope.b.getF32Type());
                frame.epilogue.finish(scope.b, lanes,
                                      last(scope, facts, value, lanes));
              });
        });
      });
  return frame.epilogue.verify();
}

static LogicalResult emitLayerNorm(ProgramEmitter &program, Operation *op,
                                   LayerNormOp norm) {
  Frame frame(program, op, norm);
  int64_t rank = cast<RankedTensorType>(frame.x.getType()).getRank();
  int64_t axis = normalizeAxis(norm.getAxis(), rank);
  if (axis < 0 || axis >= rank)
    return norm.emitOpError("expects an axis inside the rank");
  return emitTrailingRows(
      frame, "layer_norm", axis,
      [&](VectorBuilder &v, Value line, Value size) {
        MLIRPolicy lanes(v.b, v.loc, kLanes), one(v.b, v.loc);
        Value count = arith::SIToFPOp::create(v.b, v.loc, v.b.getF32Type(),
                                              size);
        Value sum = sumRow(v, line, size, [&](Value x, Value sum) {
          return lanes.add(sum, x);
        });
        Value mean = v.splat(one.div(sum, count));
        mapRow(v, line, size, [&](Value x) { return lanes.sub(x, mean); });
        Value squares = sumRow(v, line, size, [&](Value d, Value sum) {
          return lanes.fma(d, d, sum);
        });
        Value variance = one.div(squares, count);
        Value epsilon = one.f(norm.getEpsilon().convertToFloat());
        Value r = one.div(one.f(1), one.sqrt(one.add(variance, epsilon)));
        return SmallVector<Value>{v.splat(r)};
      },
      [&](KernelScope &scope, ValueRange facts, Value d,
          const Epilogue::Lanes &lanes) {
        MLIRPolicy policy(scope.b, scope.loc, kLanes);
        Value scale = frame.epilogue.evaluate(scope.b, norm.getScale(), lanes);
        Value scaled = policy.mul(d, facts[0]);
        if (!norm.getBias())
          return Value(policy.mul(scaled, scale));
        Value bias = frame.epilogue.evaluate(scope.b, norm.getBias(), lanes);
        return Value(policy.fma(scaled, scale, bias));
      });
}

/// Softmax along an axis with others behind it: the lanes run along the last
/// axis, each is a row of its own.
static LogicalResult emitLaneSoftmax(Frame &frame, int64_t axis) {
  ProgramEmitter &program = frame.program;
  SmallVector<Value> captures;
  if (failed(frame.epilogue.capture(captures)))
    return failure();
  VectorBuilder host = program.vectors();
  SmallVector<Value> dims = program.dims(frame.x);
  SmallVector<Value> outer(dims);
  outer.pop_back();
  outer.erase(outer.begin() + axis);
  Value size = dims[axis], rows = host.product(outer);
  // 16 vectors of partial sums, then the row of exponentials.
  Value bytes = host.mul(host.add(size, host.i64(16)), host.i64(64));
  Value scratch = program.scratch(bytes);
  Value perPart =
      rowsPerPart(host, host.mul(size, dims.back()), partElements);
  size_t own = captures.size();
  captures.append({rows, perPart, scratch, bytes});
  program.launch(
      "softmax", captures, host.ceilDiv(rows, perPart),
      [&](KernelScope &scope) {
        frame.epilogue.enter(scope);
        OpBuilder &b = scope.b;
        VectorBuilder v = scope.vectors();
        MLIRPolicy policy(b, scope.loc, kLanes);
        ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
        SmallVector<Value> dims(frame.epilogue.dimsInside());
        int64_t rank = dims.size();
        SmallVector<Value> outer(dims);
        outer.pop_back();
        outer.erase(outer.begin() + axis);
        Value size = dims[axis];
        Value row0 = v.mul(scope.part, args[1]);
        Value row1 = v.min(args[0], v.add(row0, args[1]));
        Value sums = v.address(args[2], v.mul(scope.thread, args[3]),
                               b.getI8Type());
        Value line = v.address(sums, v.i64(256), b.getF32Type());
        Type f32 = b.getF32Type();
        v.loop(row0, row1, 1, [&](Value row) {
          SmallVector<Value> at = v.delinearize(row, outer);
          at.insert(at.begin() + axis, Value());
          at.push_back(Value());
          loopRow(v, dims.back(), {}, [&](Value column, Value count,
                                          ValueRange) {
            at.back() = column;
            auto lanesAt = [&](Value i) {
              at[axis] = i;
              return Epilogue::Lanes{at, rank - 1, count};
            };
            auto maxima = v.loop(
                v.i64(0), size, 1, {policy.f(-numerics::infinity)},
                [&](Value i, ValueRange carried) {
                  Value x = frame.epilogue.evaluate(b, frame.x, lanesAt(i));
                  v.store(x, line, v.mul(i, v.i64(kLanes)));
                  return SmallVector<Value>{policy.max(x, carried[0])};
                });
            v.loop(v.i64(0), v.i64(16), 1, [&](Value j) {
              v.store(policy.f(0), sums, v.mul(j, v.i64(kLanes)));
            });
            v.loop(v.i64(0), size, 1, [&](Value i) {
              Value offset = v.mul(i, v.i64(kLanes));
              Value x = v.load(line, offset, f32);
              Value e = numerics::expF32(policy, policy.sub(x, maxima[0]));
              v.store(e, line, offset);
              Value slot = v.mul(v.rem(i, v.i64(16)), v.i64(kLanes));
              v.store(policy.add(v.load(sums, slot, f32), e), sums, slot);
            });
            SmallVector<Value> partial;
            for (int64_t j = 0; j < 16; ++j)
              partial.push_back(v.load(sums, v.i64(j * kLanes), f32));
            for (int64_t width = 8; width > 0; width /= 2)
              for (int64_t j = 0; j < width; ++j)
                partial[j] = policy.add(partial[j], partial[j + width]);
            v.loop(v.i64(0), size, 1, [&](Value i) {
              Value e = v.load(line, v.mul(i, v.i64(kLanes)), f32);
              frame.epilogue.finish(b, lanesAt(i), policy.div(e, partial[0]));
            });
            return SmallVector<Value>();
          });
        });
      });
  return frame.epilogue.verify();
}

static LogicalResult emitSoftmax(ProgramEmitter &program, Operation *op,
                                 SoftmaxOp softmax) {
  Frame frame(program, op, softmax);
  int64_t rank = cast<RankedTensorType>(frame.x.getType()).getRank();
  int64_t axis = normalizeAxis(softmax.getAxis(), rank);
  if (axis < 0 || axis >= rank)
    return softmax.emitOpError("expects an axis inside the rank");
  if (axis + 1 < rank)
    return emitLaneSoftmax(frame, axis);
  return emitTrailingRows(
      frame, "softmax", axis,
      [&](VectorBuilder &v, Value line, Value size) {
        MLIRPolicy policy(v.b, v.loc, kLanes);
        Value max = v.splat(maxRow(v, line, size));
        mapRow(v, line, size, [&](Value x) {
          return numerics::expF32(policy, policy.sub(x, max));
        });
        Value sum = sumRow(v, line, size, [&](Value e, Value sum) {
          return policy.add(sum, e);
        });
        return SmallVector<Value>{v.splat(sum)};
      },
      [&](KernelScope &scope, ValueRange facts, Value e,
          const Epilogue::Lanes &) {
        return Value(MLIRPolicy(scope.b, scope.loc, kLanes).div(e, facts[0]));
      });
}

LogicalResult x86::emitRows(ProgramEmitter &program, Operation *op) {
  Operation *root = cast<kernel::RowsOp>(op).getRoot();
  if (auto softmax = dyn_cast<SoftmaxOp>(root))
    return failed(checkFloat(root)) ? failure()
                                    : emitSoftmax(program, op, softmax);
  if (auto norm = dyn_cast<LayerNormOp>(root))
    return failed(checkFloat(root)) ? failure()
                                    : emitLayerNorm(program, op, norm);
  return emitReduce(program, op);
}
