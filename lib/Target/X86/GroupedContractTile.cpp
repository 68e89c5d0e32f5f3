//===- GroupedContractTile.cpp - Tiles of sums of groups ------------------===//
//
// Products of f32 are commutative, so it does not matter to the bits which
// operand is broadcast, nor which of two scales comes first.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractTile.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "dialects/QOpt/Numerics/Scaling.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

TileSize x86::largestGroupedTile(const Tier &tier) {
  return tier.vectorBits == 512 ? TileSize{4, 3} : TileSize{4, 1};
}

Value x86::addGroup(VectorBuilder &v, const GroupShape &groups, Value sum,
                    Value t, Value lhsScale, Value rhsScale) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  if (!groups.areExponents) {
    if (groups.multiplierLog2)
      t = b.mul(t, b.f(std::ldexp(1.0f, -groups.multiplierLog2)));
    Value scale = lhsScale && rhsScale ? b.mul(lhsScale, rhsScale)
                  : lhsScale           ? lhsScale
                                       : rhsScale;
    return b.fma(t, scale ? scale : b.f(1), sum);
  }
  Value exponent = lhsScale && rhsScale ? b.addI(lhsScale, rhsScale)
                   : lhsScale           ? lhsScale
                                        : rhsScale;
  Value isNaN = b.geS(exponent, b.i(kNaNExponent / 2));
  exponent = b.subI(exponent, b.i(groups.multiplierLog2));
  Value added = b.add(sum, numerics::scale2(b, t, exponent));
  return b.select(isNaN, b.f(numerics::quietNaN), added);
}

namespace {
/// Sums of a tile, row by row.
using Sums = SmallVector<Value>;

class GroupedTile {
public:
  GroupedTile(VectorBuilder &v, const GroupShape &groups, TileSize size,
              const ContractSource::Rows &rows,
              const ContractSource::Lanes &lanes)
      : v(v), groups(groups), size(size), rows(rows), lanes(lanes),
        zero(v.constant(v.b.getF32FloatAttr(0), kLanes)) {}

  Sums emit() {
    Value blocks = groups.blocks(v);
    Sums inits(size.rows * size.vectors, zero);
    return v.loop(
        v.i64(0), v.i64(groups.positions), 1, inits,
        [&](Value position, ValueRange outer) {
          Value firstStep = v.mul(position, groups.channels);
          Value firstGroup = v.mul(position, blocks);
          return v.loop(
              v.i64(0), blocks, 1, Sums(outer),
              [&](Value block, ValueRange before) {
                Value low = v.mul(block, v.i64(groups.block));
                Value high = v.min(v.add(low, v.i64(groups.block)),
                                   groups.channels);
                Sums t = chain(v.add(firstStep, low), v.add(firstStep, high));
                return addScaled(t, before, v.add(firstGroup, block));
              });
        });
  }

private:
  Sums chain(Value low, Value high) {
    Sums inits(size.rows * size.vectors, zero);
    Type word = v.b.getF32Type();
    return v.loop(low, high, 1, inits, [&](Value step, ValueRange before) {
      numerics::MLIRPolicy b(v.b, v.loc, kLanes);
      Sums after(before), operands;
      Value offset = v.mul(step, lanes.laneStep);
      for (int64_t j = 0; j < size.vectors; ++j)
        operands.push_back(v.load(
            lanes.pointer, v.add(offset, v.mul(v.i64(j), lanes.vectorStride)),
            word));
      for (int64_t i = 0; i < size.rows; ++i) {
        Value at = v.add(v.mul(step, rows.rowStep),
                         v.mul(v.i64(i), rows.rowStride));
        Value row = v.splat(v.loadScalar(rows.pointer, at, word));
        for (int64_t j = 0; j < size.vectors; ++j) {
          Value &sum = after[i * size.vectors + j];
          sum = b.fma(row, operands[j], sum);
        }
      }
      return after;
    });
  }

  Sums addScaled(ArrayRef<Value> t, ValueRange before, Value group) {
    Type word = groups.areExponents ? Type(v.b.getI32Type())
                                    : Type(v.b.getF32Type());
    Sums after(before), laneScales(size.vectors);
    if (lanes.scales)
      for (int64_t j = 0; j < size.vectors; ++j)
        laneScales[j] = v.load(
            lanes.scales,
            v.add(v.mul(group, lanes.laneStep), v.i64(j * kLanes)), word);
    for (int64_t i = 0; i < size.rows; ++i) {
      Value rowScale;
      if (rows.scales)
        rowScale = v.splat(v.loadScalar(
            rows.scales, v.add(group, v.mul(v.i64(i), rows.scaleStride)),
            word));
      for (int64_t j = 0; j < size.vectors; ++j) {
        Value &sum = after[i * size.vectors + j];
        sum = addGroup(v, groups, sum, t[i * size.vectors + j], rowScale,
                       laneScales[j]);
      }
    }
    return after;
  }

  VectorBuilder &v;
  const GroupShape &groups;
  TileSize size;
  const ContractSource::Rows &rows;
  const ContractSource::Lanes &lanes;
  Value zero;
};
} // namespace

void x86::emitGroupedTile(VectorBuilder &v, const GroupShape &groups,
                          TileSize size, const ContractSource::Rows &rows,
                          const ContractSource::Lanes &lanes, Value sums,
                          int64_t sumsStride) {
  Sums results = GroupedTile(v, groups, size, rows, lanes).emit();
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      v.store(results[i * size.vectors + j], sums,
              v.i64(i * sumsStride + j * kLanes));
}
