//===- GroupedContractLanes.cpp - Matrices of integers as lanes -----------===//
//
// Behind the end of k stand any integers: rows hold 0 there, and the sums that
// make up for the offset of rows count them too.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractLanes.h"
#include "Packing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

static constexpr int64_t kBytes = kLanes * kElementsInWord;

IntegerLanes::IntegerLanes(CpuProgram &program, const GroupedOperand &operand,
                           Value depth, Value columns, const GroupShape &groups,
                           bool isOneMatrix)
    : operand(operand), block(groups.block),
      largestSigned(groups.largestSigned), depth(depth), columns(columns) {
  VectorBuilder v(program.code());
  chunks = v.ceilDiv(depth, v.i64(kDepthInChunk));
  groupCount = groups.count(v);
  if (!program.isConstant(operand.tensor) || !isOneMatrix) {
    pointer = program.buffer(operand.tensor).pointer;
    return;
  }
  ArrayRef<int64_t> dims = operand.type().getShape().take_back(2);
  int64_t k = dims.front(), n = dims.back();
  form = operand.bits() < 8 ? Form::Planes : Form::Words;
  int64_t length = std::min(block, k);
  SmallVector<Value> pieces = program.packedWeights(
      operand.tensor, ElementForm::Memory, [&](ArrayRef<uint8_t> codes) {
        SmallVector<Bytes> made;
        made.push_back(packCodePlanes(codes, k, n, operand.bits()));
        if (form == Form::Words)
          made.push_back(packSums(sumGroups(codes, k, n, block), length));
        return made;
      });
  pointer = pieces.front();
  if (form == Form::Planes)
    return;
  sums = pieces.back();
  sumElement = sumType(v.b, length);
}

void IntegerLanes::capture(CaptureList &captures) {
  captures.add({&pointer, &sums, &depth, &columns, &chunks, &groupCount});
}

Value IntegerLanes::panelStride(VectorBuilder &v) const {
  return v.mul(chunks, v.i64(kStepsInChunk * kLanes));
}

Value IntegerLanes::panelAddress(VectorBuilder &v, Value panel) const {
  return v.address(pointer, v.mul(panel, panelStride(v)), v.b.getI32Type());
}

/// Bits of bytes, moved `distance` to the left (or right), under a mask.
static Value moveBits(VectorBuilder &v, Value bytes, int64_t distance,
                      int64_t mask) {
  auto constant = [&](int64_t value) {
    return v.constant(v.b.getI8IntegerAttr(int8_t(value)), kBytes);
  };
  if (distance > 0)
    bytes = arith::ShLIOp::create(v.b, v.loc, bytes, constant(distance));
  else if (distance < 0)
    bytes = arith::ShRUIOp::create(v.b, v.loc, bytes, constant(-distance));
  return arith::AndIOp::create(v.b, v.loc, bytes, constant(mask));
}

Value IntegerLanes::planeCodes(VectorBuilder &v, Value chunk,
                               int64_t step) const {
  int64_t bits = operand.bits();
  auto load = [&](int64_t offset) {
    return v.load(pointer, v.add(chunk, v.i64(offset)), v.b.getI8Type(),
                  kBytes);
  };
  Value codes;
  if (bits & 4)
    codes = moveBits(v, load(step / 2 * kBytes), step % 2 * -4, 0x0F);
  if (!(bits & 2))
    return codes;
  int64_t low = bits & 4;
  Value more = moveBits(v, load(low * kBytes / 2), low - 2 * step, 3 << low);
  return codes ? Value(arith::OrIOp::create(v.b, v.loc, codes, more)) : more;
}

Value IntegerLanes::matrixCodes(VectorBuilder &v, Value firstRow, Value panel,
                                Value firstDepth) const {
  auto wordsType = VectorType::get({kLanes}, v.b.getI32Type());
  Value last = v.sub(depth, v.i64(1)), words;
  for (int64_t i = 0; i < kElementsInWord; ++i) {
    Value row = v.add(firstRow, v.min(v.add(firstDepth, v.i64(i)), last));
    Value offset = v.add(v.mul(row, columns), v.mul(panel, v.i64(kLanes)));
    Value codes = arith::ExtUIOp::create(
        v.b, v.loc, wordsType, v.load(pointer, offset, v.b.getI8Type()));
    Value distance = v.constant(v.b.getI32IntegerAttr(8 * i), kLanes);
    codes = arith::ShLIOp::create(v.b, v.loc, codes, distance);
    words =
        words ? Value(arith::OrIOp::create(v.b, v.loc, words, codes)) : codes;
  }
  auto bytes = VectorType::get({kBytes}, v.b.getI8Type());
  return vector::BitCastOp::create(v.b, v.loc, bytes, words);
}

Value IntegerLanes::wordsOf(VectorBuilder &v, const Tier &tier, Value codes,
                            Value zero) const {
  auto words = VectorType::get({kLanes}, v.b.getI32Type());
  return vector::BitCastOp::create(v.b, v.loc, words,
                                   integerBytes(v, tier, operand, codes, zero));
}

SmallVector<Value> IntegerLanes::unpack(VectorBuilder &v, const Tier &tier,
                                        Value panel, Value chunk,
                                        Value zero) const {
  Value at = v.mul(v.add(v.mul(panel, chunks), chunk),
                   v.i64(kDepthInChunk * 2 * operand.bits()));
  SmallVector<Value> words;
  for (int64_t step = 0; step < kStepsInChunk; ++step)
    words.push_back(wordsOf(v, tier, planeCodes(v, at, step), zero));
  return words;
}

Value IntegerLanes::writeGroup(VectorBuilder &v, const Tier &tier,
                               Value firstRow, Value panel, Value group,
                               Value zero, Value target, Value laneStep) const {
  if (form == Form::Words) {
    Value index = v.add(v.mul(panel, groupCount), group);
    return startOf(v, v.load(sums, v.mul(index, v.i64(kLanes)), sumElement));
  }
  auto wordsAt = [&](Value chunk) {
    if (form == Form::Planes)
      return unpack(v, tier, panel, chunk, zero);
    SmallVector<Value> words;
    Value depth = v.mul(chunk, v.i64(kDepthInChunk));
    for (int64_t i = 0; i < kDepthInChunk; i += kElementsInWord)
      words.push_back(wordsOf(
          v, tier, matrixCodes(v, firstRow, panel, v.add(depth, v.i64(i))),
          zero));
    return words;
  };
  Value none = v.constant(v.b.getI32IntegerAttr(0), kLanes);
  Value blockChunks = v.i64(llvm::divideCeil(block, kDepthInChunk));
  Value first = v.mul(group, blockChunks);
  Value end = v.min(v.add(first, blockChunks), chunks);
  SmallVector<Value> sum =
      v.loop(first, end, 1, {none}, [&](Value chunk, ValueRange before) {
        Value sum = before.front();
        Value step = v.mul(chunk, v.i64(kStepsInChunk));
        for (auto [i, words] : llvm::enumerate(wordsAt(chunk))) {
          v.store(words, target, v.mul(v.add(step, v.i64(i)), laneStep));
          sum = addOffsets(v, tier, largestSigned, words, sum);
        }
        return SmallVector<Value>{sum};
      });
  return v.sub(none, sum.front());
}
