//===- Normalize.cpp - Softmax, layer normalisation, Hadamard -------------===//
//
// Softmax along another axis than the last has 16 rows in the lanes, so its
// partial sums are 16 vectors.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "QuantizeRow.h"
#include "RowMath.h"
#include "RowSource.h"
#include "TrailingRows.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/Hadamard.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

/// Elements of a part.
static constexpr int64_t kPartElements = 8192;

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
  auto maxima = loopRow(v, size, {policy.f(-numerics::infinity)},
                        [&](Value index, Value count, ValueRange carried) {
                          Value lanes =
                              v.load(scratch, index, v.b.getF32Type());
                          Value next = policy.max(lanes, carried[0]);
                          if (count)
                            next = v.select(v.mask(count), next, carried[0]);
                          return SmallVector<Value>{next};
                        });
  return maxLanes(v, maxima[0]);
}

RowFormula cpu::formulaOf(LayerNormOp norm) {
  RowFormula formula{"layer_norm", norm.getX(), norm.getResult()};
  formula.axis = norm.getAxis();
  formula.others.push_back(norm.getScale());
  if (norm.getBias())
    formula.others.push_back(norm.getBias());
  formula.normalize = [norm](VectorBuilder &v, Value line, Value size) mutable {
    MLIRPolicy lanes(v.b, v.loc, kLanes), one(v.b, v.loc);
    Value count = arith::SIToFPOp::create(v.b, v.loc, v.b.getF32Type(), size);
    Value sum = sumRow(v, line, size,
                       [&](Value x, Value sum) { return lanes.add(sum, x); });
    Value mean = v.splat(one.div(sum, count));
    mapRow(v, line, size, [&](Value x) { return lanes.sub(x, mean); });
    Value squares = sumRow(v, line, size, [&](Value d, Value sum) {
      return lanes.fma(d, d, sum);
    });
    Value variance = one.div(squares, count);
    Value epsilon = one.f(norm.getEpsilon().convertToFloat());
    Value r = one.div(one.f(1), one.sqrt(one.add(variance, epsilon)));
    return SmallVector<Value>{v.splat(r)};
  };
  formula.last = [norm](VectorBuilder &v, Epilogue &epilogue, ValueRange facts,
                        Value d, const Epilogue::Lanes &at) mutable {
    MLIRPolicy policy(v.b, v.loc, kLanes);
    Value scale = epilogue.evaluate(v.b, norm.getScale(), at);
    Value scaled = policy.mul(d, facts[0]);
    if (!norm.getBias())
      return Value(policy.mul(scaled, scale));
    Value bias = epilogue.evaluate(v.b, norm.getBias(), at);
    return Value(policy.fma(scaled, scale, bias));
  };
  return formula;
}

RowFormula cpu::formulaOf(SoftmaxOp softmax) {
  RowFormula formula{"softmax", softmax.getX(), softmax.getResult()};
  formula.normalize = [](VectorBuilder &v, Value line, Value size) {
    MLIRPolicy policy(v.b, v.loc, kLanes);
    Value max = v.splat(maxRow(v, line, size));
    mapRow(v, line, size, [&](Value x) {
      return numerics::expF32(policy, policy.sub(x, max));
    });
    Value sum = sumRow(v, line, size,
                       [&](Value e, Value sum) { return policy.add(sum, e); });
    return SmallVector<Value>{v.splat(sum)};
  };
  formula.last = [](VectorBuilder &v, Epilogue &, ValueRange facts, Value e,
                    const Epilogue::Lanes &) {
    return Value(MLIRPolicy(v.b, v.loc, kLanes).div(e, facts[0]));
  };
  return formula;
}

/// One stage of the butterfly inside of each vector: lane i meets lane i ^ h.
static Value meetLanes(VectorBuilder &v, Value x, int64_t h) {
  SmallVector<int64_t> partners;
  SmallVector<bool> isUpper;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    partners.push_back(lane ^ h);
    isUpper.push_back(lane & h);
  }
  auto type = VectorType::get(kLanes, v.b.getI1Type());
  Value upper = arith::ConstantOp::create(
      v.b, v.loc, DenseElementsAttr::get(type, isUpper));
  MLIRPolicy policy(v.b, v.loc, kLanes);
  Value partner = vector::ShuffleOp::create(v.b, v.loc, x, x, partners);
  return v.select(upper, policy.sub(partner, x), policy.add(x, partner));
}

/// The transform of the block at `first` of a row in scratch.
static void transformBlock(VectorBuilder &v, Value line, Value first,
                           int64_t block) {
  Type f32 = v.b.getF32Type();
  MLIRPolicy policy(v.b, v.loc, kLanes);
  SmallVector<Value> vectors;
  for (int64_t i = 0; i < block; i += kLanes)
    vectors.push_back(v.load(line, v.add(first, v.i64(i)), f32));
  for (int64_t h = 1; h < kLanes; h *= 2)
    for (Value &each : vectors)
      each = meetLanes(v, each, h);
  for (size_t h = 1; h < vectors.size(); h *= 2)
    for (size_t low = 0; low < vectors.size(); ++low)
      if (Value &x = vectors[low]; !(low & h)) {
        Value &y = vectors[low + h];
        Value sum = policy.add(x, y);
        y = policy.sub(x, y);
        x = sum;
      }
  Value norm = policy.f(numerics::getHadamardNorm(block));
  for (auto [i, each] : llvm::enumerate(vectors))
    v.store(policy.mul(each, norm), line, v.add(first, v.i64(i * kLanes)));
}

RowFormula cpu::formulaOf(HadamardOp hadamard) {
  RowFormula formula{"hadamard", hadamard.getX(), hadamard.getResult()};
  int64_t block = hadamard.getBlock();
  formula.normalize = [block](VectorBuilder &v, Value line, Value size) {
    v.loop(v.i64(0), size, block,
           [&](Value first) { transformBlock(v, line, first, block); });
    return SmallVector<Value>();
  };
  formula.last = [](VectorBuilder &, Epilogue &, ValueRange, Value transformed,
                    const Epilogue::Lanes &) { return transformed; };
  return formula;
}

/// Softmax along an axis with others behind it: the lanes run along the last
/// axis, each is a row of its own.
static LogicalResult emitLaneSoftmax(HostProgram &program, Operation *op,
                                     SoftmaxOp softmax, int64_t axis) {
  Epilogue epilogue(program, op, softmax.getResult(), softmax.getResult());
  epilogue.need(softmax.getX());
  SmallVector<Value> captures;
  epilogue.capture(captures);
  VectorBuilder host(program.code());
  SmallVector<Value> dims = program.dims(softmax.getX());
  SmallVector<Value> outer(dims);
  outer.pop_back();
  outer.erase(outer.begin() + axis);
  Value size = dims[axis], rows = host.product(outer);
  // 16 vectors of partial sums, then the row of exponentials.
  Value bytes = host.mul(host.add(size, host.i64(16)), host.i64(64));
  Value scratch = program.scratch(bytes);
  Value perPart = rowsPerPart(host, host.mul(size, dims.back()), kPartElements);
  size_t own = captures.size();
  captures.append({rows, perPart, scratch, bytes});
  program.launch(
      "softmax", captures, host.ceilDiv(rows, perPart),
      [&](KernelScope &scope) {
        epilogue.enter(scope);
        OpBuilder &b = scope.b;
        VectorBuilder v(scope.code());
        MLIRPolicy policy(b, scope.loc, kLanes);
        ArrayRef<Value> args = ArrayRef(scope.captures).drop_front(own);
        SmallVector<Value> dims(epilogue.dimsInside());
        int64_t rank = dims.size();
        SmallVector<Value> outer(dims);
        outer.pop_back();
        outer.erase(outer.begin() + axis);
        Value size = dims[axis];
        Value row0 = v.mul(scope.part, args[1]);
        Value row1 = v.min(args[0], v.add(row0, args[1]));
        Value sums =
            v.address(args[2], v.mul(scope.thread, args[3]), b.getI8Type());
        Value line = v.address(sums, v.i64(256), b.getF32Type());
        Type f32 = b.getF32Type();
        v.loop(row0, row1, 1, [&](Value row) {
          SmallVector<Value> at = v.delinearize(row, outer);
          at.insert(at.begin() + axis, Value());
          at.push_back(Value());
          loopRow(
              v, dims.back(), {}, [&](Value column, Value count, ValueRange) {
                at.back() = column;
                auto lanesAt = [&](Value i) {
                  at[axis] = i;
                  return Epilogue::Lanes{at, rank - 1, count};
                };
                auto maxima = v.loop(
                    v.i64(0), size, 1, {policy.f(-numerics::infinity)},
                    [&](Value i, ValueRange carried) {
                      Value x =
                          epilogue.evaluate(b, softmax.getX(), lanesAt(i));
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
                  epilogue.finish(b, lanesAt(i), policy.div(e, partial[0]));
                });
                return SmallVector<Value>();
              });
        });
      });
  return success();
}

static int64_t axisOf(SoftmaxOp op) {
  int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
  return countFromFront(op.getAxis(), rank);
}

kernel::Match cpu::checkRows(const AnyCpu &, Operation *op) {
  auto rows = cast<kernel::RowsOp>(op);
  Operation *root = rows.getRoot();
  if (!isa<SoftmaxOp, LayerNormOp, HadamardOp>(root))
    return checkReduce(op);
  // Whole vectors, all of a block at once.
  if (auto hadamard = dyn_cast<HadamardOp>(root);
      hadamard && (hadamard.getBlock() < kLanes || hadamard.getBlock() > 256))
    return kernel::Match::failure("the block is not one of 16 to 256");
  kernel::Match match = checkFloats(root);
  if (!match || !rows.getQuantizer())
    return match;
  return checkQuantization(rows.getQuantizer());
}

LogicalResult cpu::emitRows(HostProgram &program, Operation *op) {
  auto rows = cast<kernel::RowsOp>(op);
  Operation *root = rows.getRoot();
  auto softmax = dyn_cast<SoftmaxOp>(root);
  auto norm = dyn_cast<LayerNormOp>(root);
  if (auto hadamard = dyn_cast<HadamardOp>(root))
    return emitTrailingRows(program, op, formulaOf(hadamard),
                            rows.getQuantizer());
  if (!softmax && !norm)
    return emitReduce(program, op);
  if (norm)
    return emitTrailingRows(program, op, formulaOf(norm), rows.getQuantizer());
  int64_t rank = cast<RankedTensorType>(softmax.getType()).getRank();
  if (int64_t axis = axisOf(softmax); axis + 1 < rank)
    return emitLaneSoftmax(program, op, softmax, axis);
  return emitTrailingRows(program, op, formulaOf(softmax), rows.getQuantizer());
}
