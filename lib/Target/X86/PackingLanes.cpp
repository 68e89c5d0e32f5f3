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
using namespace qopt::x86;

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

/// Four rows as words. When partial, those from `depth` on count as code 0.
Value LanePacker::quad(const LaneRun &run, Value first, bool isPartial) {
  Type byte = v.b.getI8Type(), word = v.b.getI32Type();
  auto words = VectorType::get({kLanes}, word);
  Value result;
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
    codes = arith::ExtUIOp::create(v.b, v.loc, words, codes);
    if (flips) {
      Value flip = v.constant(v.b.getI32IntegerAttr(0x80), kLanes);
      codes = arith::XOrIOp::create(v.b, v.loc, codes, flip);
    }
    if (exists) {
      Value zero = v.constant(v.b.getI32IntegerAttr(0), kLanes);
      codes = arith::SelectOp::create(v.b, v.loc, exists, codes, zero);
    }
    if (i > 0) {
      Value shift = v.constant(v.b.getI32IntegerAttr(8 * i), kLanes);
      codes = arith::ShLIOp::create(v.b, v.loc, codes, shift);
    }
    result =
        result ? Value(arith::OrIOp::create(v.b, v.loc, result, codes)) : codes;
  }
  return result;
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
