//===- GroupedContractTile.cpp - Tiles of sums of groups ------------------===//
//
// Products of f32 are commutative, so it does not matter to the bits which
// operand is broadcast, nor which of two scales comes first.
//
// An integer sum of at most 24 bits gives the bits of the chain: every partial
// sum of that is exact, and a chain that starts from +0 never becomes -0.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractTile.h"
#include "CpuProgram.h"
#include "Dot.h"
#include "GroupedContractIntegers.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "dialects/QOpt/Numerics/Scaling.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

Type cpu::scaleWordType(VectorBuilder &v, ScaleWord word) {
  return word == ScaleWord::Exponent ? Type(v.b.getI32Type())
                                     : Type(v.b.getF32Type());
}

Value cpu::scaleByPower(VectorBuilder &v, const Tier &tier, ScaleWord kind,
                        Value x, Value word) {
  if (kind == ScaleWord::FloatExponent)
    return tier.scaleByFloat(v, x, word);
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value isNaN = b.geS(word, b.i(kNaNExponent / 2));
  return b.select(isNaN, b.f(numerics::quietNaN), numerics::scale2(b, x, word));
}

Value cpu::divideWord(VectorBuilder &v, ScaleWord kind, Value word, int log2) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  return kind == ScaleWord::FloatExponent ? b.sub(word, b.f(log2))
                                          : b.subI(word, b.i(log2));
}

/// `sum` + t times powers of two, t an integer of at most 24 bits. With the
/// smaller one first the first product is exact, and without end only where the
/// second one is.
static Value addPowers(VectorBuilder &v, const GroupShape &groups, Value sum,
                       Value t, Value lhs, Value rhs) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  if (!lhs)
    std::swap(lhs, rhs);
  if (groups.multiplierLog2)
    lhs = b.mul(lhs, b.f(std::ldexp(1.0f, -groups.multiplierLog2)));
  if (!rhs)
    return b.add(sum, b.mul(t, lhs));
  // What is no number is one of the two: either comparison fails.
  Value smaller = b.select(b.olt(lhs, rhs), lhs, rhs);
  Value larger = b.select(b.ogt(rhs, lhs), rhs, lhs);
  return b.add(sum, b.mul(b.mul(t, smaller), larger));
}

Value cpu::addGroup(VectorBuilder &v, const Tier &tier,
                    const GroupShape &groups, Value sum, Value t,
                    Value lhsScale, Value rhsScale) {
  if (groups.scaleWord == ScaleWord::Power)
    return addPowers(v, groups, sum, t, lhsScale, rhsScale);
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  if (ScaleWord kind = groups.scaleWord; kind != ScaleWord::Factor) {
    if (!lhsScale)
      std::swap(lhsScale, rhsScale);
    Value word = divideWord(v, kind, lhsScale, groups.multiplierLog2);
    if (rhsScale)
      word = joinScales(v, word, rhsScale, kind);
    return b.add(sum, scaleByPower(v, tier, kind, t, word));
  }
  if (groups.multiplierLog2)
    t = b.mul(t, b.f(std::ldexp(1.0f, -groups.multiplierLog2)));
  Value scale = lhsScale && rhsScale ? b.mul(lhsScale, rhsScale)
                : lhsScale           ? lhsScale
                                     : rhsScale;
  return b.fma(t, scale ? scale : b.f(1), sum);
}

namespace {
/// Sums of a tile, row by row.
using Sums = SmallVector<Value>;

constexpr int64_t kUnpackedSteps = ContractSource::kUnpackedSteps;

class GroupedTile {
public:
  GroupedTile(VectorBuilder &v, const Tier &tier, DotKind kind,
              const GroupShape &groups, TileSize size,
              const ContractSource::Rows &rows,
              const ContractSource::Lanes &lanes)
      : v(v), tier(tier), dot(Dot::make(v, tier, kind, groups.largestSigned)),
        areIntegers(kind != DotKind::Float), groups(groups), size(size),
        rows(rows), lanes(lanes) {}

  Sums emit() {
    Value blocks = groups.blocks(v), steps = groups.positionSteps;
    Value blockSteps = v.i64(groups.block / groups.elementsInStep);
    // The loop over the steps of a whole block has a constant length.
    Value wholeBlocks = groups.block == kOneBlock
                            ? v.i64(0)
                            : v.min(v.div(steps, blockSteps), blocks);
    Value zero = v.constant(v.b.getF32FloatAttr(0), kLanes);
    Sums inits(size.rows * size.vectors, zero);
    return v.loop(
        v.i64(0), v.i64(groups.positions), 1, inits,
        [&](Value position, ValueRange before) {
          Value firstStep = v.mul(position, steps);
          Value firstGroup = v.mul(position, blocks);
          auto addBlock = [&](Value block, Value count, ValueRange before) {
            Value first = v.add(firstStep, v.mul(block, blockSteps));
            Value group = v.add(firstGroup, block);
            return addScaled(sumGroup(first, count, group), before, group);
          };
          Sums after = loop(v.i64(0), wholeBlocks, before,
                            [&](Value block, ValueRange sums) {
                              return addBlock(block, blockSteps, sums);
                            });
          return loop(wholeBlocks, blocks, after,
                      [&](Value block, ValueRange sums) {
                        Value done = v.mul(block, blockSteps);
                        return addBlock(block, v.sub(steps, done), sums);
                      });
        });
  }

private:
  /// Writes no code for a loop that is known to do nothing.
  Sums loop(Value low, Value high, ValueRange inits,
            function_ref<Sums(Value, ValueRange)> body) {
    std::optional<int64_t> first = knownNumber(low), end = knownNumber(high);
    if (first && end && *first >= *end)
      return Sums(inits);
    return v.loop(low, high, 1, inits, body);
  }

  /// The sums of a group as f32.
  Sums sumGroup(Value first, Value count, Value group) {
    if (lanes.decoder)
      return sumDecoded(*lanes.decoder, first, count, group);
    Sums sums = lanes.unpack
                    ? sumUnpacked(first, count)
                    : v.loop(v.i64(0), count, 1, starts(group),
                             [&](Value index, ValueRange before) {
                               return addStep(v.add(first, index), before);
                             });
    numerics::MLIRPolicy b(v.b, v.loc, kLanes);
    if (areIntegers)
      for (Value &sum : sums)
        sum = b.toFloat(sum);
    return sums;
  }

  /// The integer sums of a group whose lanes are unpacked here. What the offset
  /// of the rows brings in is summed beside them.
  Sums sumUnpacked(Value first, Value count) {
    Type word = dot->wordType();
    Value zero = v.constant(cast<TypedAttr>(v.b.getZeroAttr(word)), kLanes);
    size_t numSums = size.rows * size.vectors;
    Sums inits(numSums + size.vectors, zero);
    Sums sums = v.loop(v.i64(0), v.ceilDiv(count, v.i64(kUnpackedSteps)), 1,
                       inits, [&](Value chunk, ValueRange before) {
                         Value step =
                             v.add(first, v.mul(chunk, v.i64(kUnpackedSteps)));
                         return addUnpacked(step, before);
                       });
    for (size_t i = 0; i < numSums; ++i)
      sums[i] = v.sub(sums[i], sums[numSums + i % size.vectors]);
    sums.truncate(numSums);
    return sums;
  }

  Sums addUnpacked(Value step, ValueRange before) {
    Sums after(before);
    SmallVector<Sums> words;
    for (int64_t j = 0; j < size.vectors; ++j)
      words.push_back(lanes.unpack(v, step, j));
    for (int64_t k = 0; k < kUnpackedSteps; ++k) {
      Dot::Operand offset = dot->row(v.i32(kByteOffsets));
      SmallVector<Dot::Operand> operands;
      for (int64_t j = 0; j < size.vectors; ++j) {
        operands.push_back(dot->lanes(words[j][k]));
        Value &sum = after[size.rows * size.vectors + j];
        sum = dot->add(offset, operands[j], sum);
      }
      addRows(v.add(step, v.i64(k)), operands, after);
    }
    return after;
  }

  /// The chains of a group whose lanes are decoded here.
  Sums sumDecoded(const ContractSource::Lanes::Decoder &decoder, Value first,
                  Value count, Value group) {
    Sums zeros;
    for (int64_t j = 0; j < size.vectors; ++j)
      zeros.push_back(decoder.zero(v, group, j));
    auto load = [&](Value step) {
      Sums words;
      for (int64_t j = 0; j < size.vectors; ++j)
        words.push_back(decoder.load(v, step, j));
      return words;
    };
    auto addStep = [&](Value step, ArrayRef<Value> words, Value index,
                       Sums &sums) {
      SmallVector<Dot::Operand> operands;
      for (int64_t j = 0; j < size.vectors; ++j)
        operands.push_back(
            dot->lanes(decoder.decode(v, words[j], index, zeros[j])));
      addRows(step, operands, sums);
    };
    Value perWord = v.i64(decoder.stepsInWord);
    Value wholeWords = v.div(count, perWord);
    Value zero = v.constant(v.b.getF32FloatAttr(0), kLanes);
    Sums sums = loop(v.i64(0), wholeWords, Sums(size.rows * size.vectors, zero),
                     [&](Value word, ValueRange before) {
                       Value step = v.add(first, v.mul(word, perWord));
                       Sums after(before), words = load(step);
                       for (int64_t i = 0; i < decoder.stepsInWord; ++i)
                         addStep(v.add(step, v.i64(i)), words, v.i64(i), after);
                       return after;
                     });
    Value done = v.mul(wholeWords, perWord), start = v.add(first, done);
    Value left = v.sub(count, done);
    if (knownNumber(left) == std::optional<int64_t>(0))
      return sums;
    // No word is read where none begins.
    return v.loop(v.i64(0), left, 1, sums, [&](Value index, ValueRange before) {
      Sums after(before);
      addStep(v.add(start, index), load(start), index, after);
      return after;
    });
  }

  Sums starts(Value group) {
    Type word = dot->wordType();
    Value zero = v.constant(cast<TypedAttr>(v.b.getZeroAttr(word)), kLanes);
    Sums result(size.rows * size.vectors, zero);
    for (int64_t i = 0; i < size.rows; ++i)
      for (int64_t j = 0; j < size.vectors; ++j) {
        Value &start = result[i * size.vectors + j];
        if (lanes.starts)
          start = v.load(lanes.starts, laneWord(group, j), word);
        else if (rows.starts)
          start = v.splat(v.loadScalar(rows.starts, rowWord(group, i), word));
      }
    return result;
  }

  Sums addStep(Value step, ValueRange before) {
    Sums after(before);
    SmallVector<Dot::Operand> operands;
    Value offset = v.mul(step, lanes.laneStep);
    for (int64_t j = 0; j < size.vectors; ++j)
      operands.push_back(dot->lanes(v.load(
          lanes.pointer, v.add(offset, v.mul(v.i64(j), lanes.vectorStride)),
          dot->wordType())));
    addRows(step, operands, after);
    return after;
  }

  /// Adds the products of all rows with the lanes of a step.
  void addRows(Value step, ArrayRef<Dot::Operand> operands, Sums &sums) {
    for (int64_t i = 0; i < size.rows; ++i) {
      Value at =
          v.add(v.mul(step, rows.rowStep), v.mul(v.i64(i), rows.rowStride));
      Dot::Operand row =
          dot->row(v.loadScalar(rows.pointer, at, dot->wordType()));
      for (int64_t j = 0; j < size.vectors; ++j) {
        Value &sum = sums[i * size.vectors + j];
        sum = dot->add(row, operands[j], sum);
      }
    }
  }

  Sums addScaled(ArrayRef<Value> t, ValueRange before, Value group) {
    Type word = scaleWordType(v, groups.scaleWord);
    Sums after(before), laneScales(size.vectors);
    if (lanes.scales)
      for (int64_t j = 0; j < size.vectors; ++j)
        laneScales[j] = v.load(lanes.scales, laneWord(group, j), word);
    for (int64_t i = 0; i < size.rows; ++i) {
      Value rowScale;
      if (rows.scales)
        rowScale = v.splat(v.loadScalar(rows.scales, rowWord(group, i), word));
      for (int64_t j = 0; j < size.vectors; ++j) {
        Value &sum = after[i * size.vectors + j];
        sum = addGroup(v, tier, groups, sum, t[i * size.vectors + j], rowScale,
                       laneScales[j]);
      }
    }
    return after;
  }

  Value laneWord(Value group, int64_t vector) {
    return v.add(v.mul(group, lanes.scaleStep), v.i64(vector * kLanes));
  }
  Value rowWord(Value group, int64_t row) {
    return v.add(group, v.mul(v.i64(row), rows.scaleStride));
  }

  VectorBuilder &v;
  const Tier &tier;
  std::unique_ptr<Dot> dot;
  bool areIntegers;
  const GroupShape &groups;
  TileSize size;
  const ContractSource::Rows &rows;
  const ContractSource::Lanes &lanes;
};
} // namespace

void cpu::emitGroupedTile(VectorBuilder &v, const Tier &tier, DotKind kind,
                          const GroupShape &groups, TileSize size,
                          const ContractSource::Rows &rows,
                          const ContractSource::Lanes &lanes, Value sums,
                          int64_t sumsStride) {
  Sums results = GroupedTile(v, tier, kind, groups, size, rows, lanes).emit();
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      v.store(results[i * size.vectors + j], sums,
              v.i64(i * sumsStride + j * kLanes));
}
