//===- PackingLanes.cpp - The lane operand, packed by its part ------------===//
//
// Lanes that do not exist get what lies behind the matrix: nobody reads their
// sums. Rows that do not exist become code 0 of the stored signedness.
//
//===----------------------------------------------------------------------===//

#include "PackingLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt::cpu;

Value LanePacker::stepsOf(Value depth) {
  return kind == DotKind::Float ? depth : v.ceilDiv(depth, v.i64(4));
}

Value LanePacker::loadRow(const LaneRun &run, Value row, Type type) {
  Value first = v.mul(row, run.stride);
  Value offset = v.add(run.offset, first);
  if (!run.laneStride) {
    Value lanes = v.load(run.source, offset, type);
    for (const LaneRun::Piece &piece : run.pieces)
      lanes = v.select(piece.before, lanes,
                       v.load(run.source, v.add(piece.offset, first), type));
    return lanes;
  }
  Value last = v.sub(run.laneCount, v.i64(1));
  Value result = v.constant(cast<TypedAttr>(v.b.getZeroAttr(type)), kLanes);
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    Value at = v.add(offset, v.mul(v.min(v.i64(lane), last), run.laneStride));
    Value element = v.loadScalar(run.source, at, type);
    result = vector::InsertOp::create(v.b, v.loc, element, result, lane);
  }
  return result;
}

/// Byte i of each of four vectors side by side.
static Value interleaveBytes(VectorBuilder &v, ArrayRef<Value> rows) {
  SmallVector<int64_t> both, quads;
  for (int64_t lane = 0; lane < 2 * kLanes; ++lane)
    both.push_back(lane);
  for (int64_t lane = 0; lane < kLanes; ++lane)
    for (int64_t row = 0; row < 4; ++row)
      quads.push_back(row * kLanes + lane);
  Value low = vector::ShuffleOp::create(v.b, v.loc, rows[0], rows[1], both);
  Value high = vector::ShuffleOp::create(v.b, v.loc, rows[2], rows[3], both);
  return vector::ShuffleOp::create(v.b, v.loc, low, high, quads);
}

/// Four rows as words. When partial, those from `depth` on count as code 0.
Value LanePacker::quad(const LaneRun &run, Value first, bool isPartial) {
  Type byte = v.b.getI8Type();
  SmallVector<Value> rows;
  for (int64_t i = 0; i < 4; ++i) {
    Value row = v.add(first, v.i64(i)), exists;
    if (isPartial) {
      exists = v.less(row, run.depth);
      row = v.min(row, v.sub(run.depth, v.i64(1)));
    }
    Value codes = loadRow(run, row, byte);
    if (element.getIntOrFloatBitWidth() < 8)
      codes = arith::TruncIOp::create(v.b, v.loc, codes.getType(),
                                      v.widen(codes, element));
    // What turns into code 0 when all are flipped.
    Value zero = v.constant(v.b.getI8IntegerAttr(flips ? -128 : 0), kLanes);
    if (exists)
      codes = arith::SelectOp::create(v.b, v.loc, exists, codes, zero);
    rows.push_back(codes);
  }
  Value bytes = interleaveBytes(v, rows);
  if (flips) {
    Value flip = v.constant(v.b.getI8IntegerAttr(-128), 4 * kLanes);
    bytes = arith::XOrIOp::create(v.b, v.loc, bytes, flip);
  }
  return vector::BitCastOp::create(
      v.b, v.loc, VectorType::get({kLanes}, v.b.getI32Type()), bytes);
}

Value LanePacker::pack(const LaneRun &run, Value target, Value step,
                       Value laneStep, Value sum) {
  if (kind == DotKind::Float) {
    v.loop(v.i64(0), run.depth, 1, [&](Value row) {
      Value values = loadRow(run, row, v.b.getF32Type());
      v.store(values, target, v.mul(v.add(step, row), laneStep));
    });
    return sum;
  }
  auto packQuad = [&](Value index, bool isPartial, Value before) {
    Value words = quad(run, v.mul(index, v.i64(4)), isPartial);
    v.store(words, target, v.mul(v.add(step, index), laneStep));
    return wantsSums ? addLaneCodes(v, tier, kind, words, before) : before;
  };
  Value whole = v.div(run.depth, v.i64(4));
  SmallVector<Value> sums(wantsSums ? 1 : 0, sum);
  auto packRange = [&](Value low, Value high, bool isPartial) {
    sums = v.loop(low, high, 1, sums, [&](Value index, ValueRange before) {
      Value old = wantsSums ? before.front() : Value();
      Value after = packQuad(index, isPartial, old);
      return SmallVector<Value>(wantsSums ? 1 : 0, after);
    });
  };
  packRange(v.i64(0), whole, /*isPartial=*/false);
  packRange(whole, stepsOf(run.depth), /*isPartial=*/true);
  return wantsSums ? sums.front() : sum;
}
