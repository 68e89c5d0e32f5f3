//===- Attention.cpp - Attention in three steps ---------------------------===//
//
// The formula walks blocks of 64 keys with a running maximum. Scores come
// first, an invocation each; then an invocation a row turns them into p and
// leaves, for each block, the factor of what was summed before; then an
// invocation an output sums.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "Kernels.h"
#include "Rows.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "lib/Target/Cpu/Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using numerics::MLIRPolicy;

static constexpr int64_t kBlockKeys = 64;

namespace {
class AttentionEmitter {
public:
  AttentionEmitter(DeviceProgram &program, Operation *kernel, AttentionOp op)
      : program(program), kernel(kernel), op(op),
        queryDims(program.dims(op.getQuery())),
        keyDims(program.dims(op.getKey())) {}

  LogicalResult run();

private:
  LogicalResult computeScores();
  LogicalResult computeWeights();
  LogicalResult computeResult();
  Value load(Shader &shader, Value tensor, ValueRange place) {
    return shader.load(
        *program.handle(tensor), getElementTypeOrSelf(tensor),
        shader.linearize(place, shader.host(program.dims(tensor))));
  }

  DeviceProgram &program;
  Operation *kernel;
  AttentionOp op;
  SmallVector<Value> queryDims, keyDims;
  /// Of the scores: the batch, queries, keys.
  SmallVector<Value> scoreDims;
  /// Scores, then p; the factors of the blocks; the denominators.
  Value scores, factors, sums;
  Value rows, keys, blocks;
  Type f32;
};
} // namespace

LogicalResult AttentionEmitter::computeScores() {
  return program.dispatch(program.code().product(scoreDims), [&](Shader &shader,
                                                                 Value index) {
    MLIRPolicy policy(shader.b, shader.loc);
    SmallVector<Value> place =
        shader.delinearize(index, shader.host(scoreDims));
    SmallVector<Value> query(place), key(place);
    key.erase(key.end() - 2);
    key.push_back(Value());
    Value depth = shader.host(queryDims.back());
    Value sum = shader.loop(shader.i32(0), depth, shader.i32(1), policy.f(0),
                            [&](Value d, ValueRange before) {
                              query.back() = key.back() = d;
                              return SmallVector<Value>{policy.fma(
                                  load(shader, op.getQuery(), query),
                                  load(shader, op.getKey(), key), before[0])};
                            })[0];
    Value score = policy.mul(sum, policy.f(op.getScale().convertToFloat()));
    if (Value mask = op.getMask())
      score = policy.add(
          score, shader.load(*program.handle(mask), getElementTypeOrSelf(mask),
                             broadcastIndex(program, shader, program.dims(mask),
                                            place)));
    shader.store(score, scores, f32, index);
    return success();
  });
}

LogicalResult AttentionEmitter::computeWeights() {
  return program.dispatch(rows, [&](Shader &shader, Value row) {
    MLIRPolicy policy(shader.b, shader.loc);
    Value zero = shader.i32(0), one = shader.i32(1);
    Value width = shader.host(keys), firstKey = shader.mul(row, width);
    Value firstBlock = shader.mul(row, shader.host(blocks));
    Value lowest = policy.f(-numerics::infinity);
    SmallVector<Value> last = shader.loop(
        zero, width, shader.i32(kBlockKeys), ValueRange{lowest, policy.f(0)},
        [&](Value begin, ValueRange before) {
          Value count =
              shader.min(shader.sub(width, begin), shader.i32(kBlockKeys));
          Value first = shader.add(firstKey, begin);
          auto get = [&](Value j) {
            return shader.load(scores, f32, shader.add(first, j));
          };
          Value most = rowMax(shader, count, before[0], get);
          Value shift =
              policy.select(policy.oeq(most, lowest), policy.f(0), most);
          shader.loop(zero, count, one, [&](Value j) {
            shader.store(numerics::expF32(policy, policy.sub(get(j), shift)),
                         scores, f32, shader.add(first, j));
          });
          Value a = numerics::expF32(policy, policy.sub(before[0], shift));
          shader.store(a, factors, f32,
                       shader.add(firstBlock,
                                  shader.div(begin, shader.i32(kBlockKeys))));
          Value sum = policy.fma(a, before[1], rowSum(shader, count, get));
          return SmallVector<Value>{most, sum};
        });
    shader.store(last[1], sums, f32, row);
    return success();
  });
}

LogicalResult AttentionEmitter::computeResult() {
  Epilogue epilogue(program, kernel, op.getResult(), op.getResult());
  epilogue.allocate();
  return program.dispatch(
      program.code().product(epilogue.dims()),
      [&](Shader &shader, Value index) {
        MLIRPolicy policy(shader.b, shader.loc);
        SmallVector<Value> place =
            shader.delinearize(index, shader.host(epilogue.dims()));
        Value row = shader.div(index, shader.host(epilogue.dims().back()));
        Value width = shader.host(keys), one = shader.i32(1);
        Value firstKey = shader.mul(row, width);
        Value firstBlock = shader.mul(row, shader.host(blocks));
        Value step = shader.i32(kBlockKeys);
        Value sum = shader.loop(
            shader.i32(0), width, step, policy.f(0),
            [&](Value begin, ValueRange before) {
              Value a =
                  shader.load(factors, f32,
                              shader.add(firstBlock, shader.div(begin, step)));
              Value end = shader.min(shader.add(begin, step), width);
              return shader.loop(
                  begin, end, one, policy.mul(a, before[0]),
                  [&](Value j, ValueRange partial) {
                    SmallVector<Value> at(place);
                    at[at.size() - 2] = j;
                    Value p = shader.load(scores, f32, shader.add(firstKey, j));
                    return SmallVector<Value>{policy.fma(
                        p, load(shader, op.getValue(), at), partial[0])};
                  });
            })[0];
        Value l = shader.load(sums, f32, row);
        Value empty = policy.f(0);
        if (!op.getMaskedRowsAreZero())
          empty = policy.select(policy.eqI(width, shader.i32(0)), empty,
                                policy.f(numerics::quietNaN));
        Value value = policy.select(policy.oeq(l, policy.f(0)), empty,
                                    policy.div(sum, l));
        return epilogue.finish(shader, place, value);
      });
}

LogicalResult AttentionEmitter::run() {
  for (Value operand : op->getOperands())
    if (failed(program.handle(operand)))
      return failure();
  host::CodeBuilder v = program.code();
  f32 = program.builder().getF32Type();
  keys = keyDims[keyDims.size() - 2];
  blocks = v.ceilDiv(keys, v.i64(kBlockKeys));
  SmallVector<Value> rowDims(queryDims.begin(), queryDims.end() - 1);
  rows = v.product(rowDims);
  scoreDims = rowDims;
  scoreDims.push_back(keys);
  scores = program.deviceTemporary(scoreDims, f32);
  factors = program.deviceTemporary({rows, blocks}, f32);
  sums = program.deviceTemporary({rows}, f32);
  if (failed(computeScores()) || failed(computeWeights()))
    return failure();
  return computeResult();
}

kernel::Match vulkan::checkAttention(const AnyDevice &, Operation *op) {
  Operation *root = cast<kernel::AttentionOp>(op).getRoot();
  for (Value operand : root->getOperands()) {
    // Taken apart, what decodes keys and values has a kernel of its own.
    if (!isa<BlockArgument>(operand))
      return kernel::Match::other();
    Type element = getElementTypeOrSelf(operand);
    if (numerics::getValueKind(element) != numerics::ValueKind::Float)
      return host::unsupported(element);
  }
  return kernel::Match::success();
}

LogicalResult vulkan::emitAttention(DeviceProgram &program, Operation *op) {
  auto root = cast<AttentionOp>(cast<kernel::AttentionOp>(op).getRoot());
  return AttentionEmitter(program, op, root).run();
}
