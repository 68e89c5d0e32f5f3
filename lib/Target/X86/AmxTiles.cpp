//===- AmxTiles.cpp - Sums of products of codes in AMX tiles --------------===//
//
// The shape of every tile is constant: LLVM then configures the registers once
// for a function. K is not unrolled: more than eight tiles would be spilled.
//
//===----------------------------------------------------------------------===//

#include "AmxTiles.h"
#include "Intrinsics.h"
#include "lib/Target/Cpu/ContractTile.h"

using namespace mlir;
using namespace qopt::x86;

/// Rows and words of K of a tile.
static constexpr int64_t kAmxRows = 16, kAmxWords = 16;
/// Rows that the VNNI tile of the last words of K takes at a time.
static constexpr int64_t kRestRows = 8;

namespace {
/// The instructions, for tiles of 16 rows of 64 bytes.
class Instructions {
public:
  explicit Instructions(VectorBuilder &v)
      : v(v), type(LLVM::LLVMX86AMXType::get(v.b.getContext())),
        rows(constant(kAmxRows)), bytes(constant(kAmxWords * 4)) {}

  Value zero() { return call("tilezero", {rows, bytes}); }
  /// `strideWords` from row to row.
  Value load(Value pointer, Value strideWords) {
    return call("tileloadd64", {rows, bytes, pointer, bytesOf(strideWords)});
  }
  void store(Value tile, Value pointer, Value strideWords) {
    LLVM::CallIntrinsicOp::create(
        v.b, v.loc, v.b.getStringAttr("llvm.x86.tilestored64.internal"),
        ValueRange{rows, bytes, pointer, bytesOf(strideWords), tile});
  }
  Value dot(DotKind kind, Value sum, Value row, Value lanes) {
    StringRef name = kind == DotKind::UnsignedRows ? "tdpbusd" : "tdpbsud";
    return call(name, {rows, bytes, bytes, sum, row, lanes});
  }

private:
  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(v.b, v.loc, v.b.getI16Type(),
                                    v.b.getI16IntegerAttr(value));
  }
  Value bytesOf(Value words) { return v.mul(words, v.i64(4)); }
  Value call(StringRef name, ValueRange operands) {
    return intrinsic(v, name + ".internal", type, operands);
  }

  VectorBuilder &v;
  Type type;
  Value rows, bytes;
};
} // namespace

/// Adds the products of the steps from `first` on to `sums`.
static void addRest(VectorBuilder &v, const Tier &tier, DotKind kind,
                    TileSize size, const TileOperands &operands, Value first,
                    Value sums, Value sumsStride) {
  Type word = v.b.getI32Type();
  v.loop(v.i64(0), v.i64(size.rows / kRestRows), 1, [&](Value chunk) {
    Value row = v.mul(chunk, v.i64(kRestRows));
    Value chunkSums = v.address(sums, v.mul(row, sumsStride), word);
    TileOperands rest = operands;
    rest.rows = v.address(operands.rows,
                          v.add(v.mul(row, operands.rowStride), first), word);
    rest.lanes =
        v.address(operands.lanes, v.mul(first, operands.laneStep), word);
    rest.steps = v.sub(operands.steps, first);
    emitTile(v, tier, kind, {kRestRows, size.vectors}, rest, chunkSums,
             sumsStride, [&](int64_t i, int64_t j) {
               return v.load(
                   chunkSums,
                   v.add(v.mul(v.i64(i), sumsStride), v.i64(j * kLanes)), word);
             });
  });
}

/// Two by two tiles of sums, two of each operand: all eight registers.
AmxTiles::AmxTiles(const Tier &tier)
    : TileUnit(kAmxRows, kAmxWords, {2 * kAmxRows, 2}), tier(tier) {}

void AmxTiles::emit(VectorBuilder &v, DotKind kind, TileSize size,
                    const TileOperands &operands, Value sums,
                    Value sumsStride) const {
  Instructions tiles(v);
  Type word = v.b.getI32Type();
  int64_t rowTiles = size.rows / kAmxRows;
  auto rowOffset = [&](int64_t i, Value stride) {
    return v.mul(v.i64(i * kAmxRows), stride);
  };
  SmallVector<Value> zeros;
  for (int64_t i = 0; i < rowTiles * size.vectors; ++i)
    zeros.push_back(tiles.zero());
  Value blocks = v.div(operands.steps, v.i64(kAmxWords));
  SmallVector<Value> results =
      v.loop(v.i64(0), blocks, 1, zeros, [&](Value block, ValueRange before) {
        Value step = v.mul(block, v.i64(kAmxWords));
        SmallVector<Value> rows, lanes, after;
        for (int64_t i = 0; i < rowTiles; ++i) {
          Value offset = v.add(rowOffset(i, operands.rowStride), step);
          rows.push_back(tiles.load(v.address(operands.rows, offset, word),
                                    operands.rowStride));
        }
        for (int64_t j = 0; j < size.vectors; ++j) {
          Value offset = v.add(v.mul(step, operands.laneStep),
                               v.mul(v.i64(j), operands.vectorStride));
          lanes.push_back(tiles.load(v.address(operands.lanes, offset, word),
                                     operands.laneStep));
        }
        for (int64_t i = 0; i < rowTiles; ++i)
          for (int64_t j = 0; j < size.vectors; ++j)
            after.push_back(tiles.dot(kind, before[i * size.vectors + j],
                                      rows[i], lanes[j]));
        return after;
      });
  for (int64_t i = 0; i < rowTiles; ++i)
    for (int64_t j = 0; j < size.vectors; ++j) {
      Value offset = v.add(rowOffset(i, sumsStride), v.i64(j * kLanes));
      tiles.store(results[i * size.vectors + j], v.address(sums, offset, word),
                  sumsStride);
    }
  Value first = v.mul(blocks, v.i64(kAmxWords));
  std::optional<int64_t> known = knownNumber(operands.steps);
  if (known && *known % kAmxWords == 0)
    return;
  v.ifThen(v.less(first, operands.steps), [&] {
    addRest(v, tier, kind, size, operands, first, sums, sumsStride);
  });
}
