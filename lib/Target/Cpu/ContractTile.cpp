//===- ContractTile.cpp - Sums of products held in registers --------------===//
//
// Sums stay in registers over all steps.
//
//===----------------------------------------------------------------------===//

#include "ContractTile.h"

using namespace mlir;
using namespace qopt::cpu;

TileSize qopt::cpu::largestTile(const Tier &tier, DotKind kind, CodeUnit unit) {
  return unit == CodeUnit::Tiles ? tier.getTileUnit()->largest
                                 : tier.getLargestTile(kind);
}

void qopt::cpu::emitTile(VectorBuilder &v, const Tier &tier, DotKind kind,
                         TileSize size, const TileOperands &operands,
                         Value sums, Value sumsStride,
                         function_ref<Value(int64_t, int64_t)> initial) {
  std::unique_ptr<Dot> dot = Dot::make(v, tier, kind);
  Type word = dot->wordType();
  Value zero =
      v.constant(kind == DotKind::Float ? TypedAttr(v.b.getF32FloatAttr(0))
                                        : TypedAttr(v.b.getI32IntegerAttr(0)),
                 kLanes);
  SmallVector<Value> inits;
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      inits.push_back(initial ? initial(i, j) : zero);
  SmallVector<Value> results = v.loop(
      v.i64(0), operands.steps, 1, inits, [&](Value step, ValueRange before) {
        SmallVector<Value> after(before);
        SmallVector<Dot::Operand> lanes;
        Value laneOffset = v.mul(step, operands.laneStep);
        for (int64_t j = 0; j < size.vectors; ++j) {
          Value offset =
              v.add(laneOffset, v.mul(v.i64(j), operands.vectorStride));
          lanes.push_back(dot->lanes(v.load(operands.lanes, offset, word)));
        }
        Value rowOffset = v.mul(step, operands.rowStep);
        for (int64_t i = 0; i < size.rows; ++i) {
          Value offset = v.add(rowOffset, v.mul(v.i64(i), operands.rowStride));
          Dot::Operand row =
              dot->row(v.loadScalar(operands.rows, offset, word));
          for (int64_t j = 0; j < size.vectors; ++j) {
            Value &sum = after[i * size.vectors + j];
            sum = dot->add(row, lanes[j], sum);
          }
        }
        return after;
      });
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      v.store(results[i * size.vectors + j], sums,
              v.add(v.mul(v.i64(i), sumsStride), v.i64(j * kLanes)));
}

void qopt::cpu::forEachPiece(VectorBuilder &v, Value count,
                             ArrayRef<int64_t> sizes,
                             function_ref<void(int64_t, Value)> body) {
  Value start = v.i64(0);
  for (int64_t size : sizes) {
    Value pieces = v.div(v.sub(count, start), v.i64(size));
    v.loop(v.i64(0), pieces, 1, [&](Value piece) {
      body(size, v.add(start, v.mul(piece, v.i64(size))));
    });
    start = v.add(start, v.mul(pieces, v.i64(size)));
  }
}

Value qopt::cpu::addLaneCodes(VectorBuilder &v, const Tier &tier, DotKind kind,
                              Value words, Value sum) {
  std::unique_ptr<Dot> dot = Dot::make(v, tier, kind);
  return dot->add(dot->row(v.i32(0x01010101)), dot->lanes(words), sum);
}
