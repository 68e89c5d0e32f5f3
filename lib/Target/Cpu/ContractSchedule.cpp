//===- ContractSchedule.cpp - The loops around tiles ----------------------===//
//
// Sums of a tile go to memory in L1 and the epilogue reads them from there, so
// its code stands once in a kernel, not once a tile shape. K is never cut: a
// vector of lanes is read once for each tile of rows, which L2 delivers.
//
//===----------------------------------------------------------------------===//

#include "ContractSchedule.h"
#include "GroupedContractTile.h"

using namespace mlir;
using namespace qopt::cpu;

/// Rows of a block: enough of them to pay for packing the lanes.
static constexpr int64_t kRowsInBlock = 96;
/// Parts that the rows are cut for when lanes alone are too few.
static constexpr int64_t kWantedParts = 16;

namespace {
/// How many rows or vectors a tile may have, largest first.
using Sizes = SmallVector<int64_t, 5>;

struct Blocks {
  Value rowsInBlock, rowBlocks, laneTiles;
};

class TileLoop {
public:
  TileLoop(VectorBuilder &v, const Tier &tier, ContractSource &source)
      : v(v), tier(tier), source(source), largest(source.tile) {}

  /// Sizes of row tiles that can occur.
  Sizes rowSizes() const {
    Sizes sizes{largest.rows};
    const TileUnit *unit = tier.getTileUnit();
    if (unit && largest.rows > unit->rows)
      sizes.append({unit->rows, unit->rows / 2, unit->rows / 4});
    else if (largest.rows > 2)
      sizes.push_back(largest.rows / 2);
    sizes.push_back(1);
    std::optional<int64_t> rows = knownNumber(source.rows);
    if (!rows)
      return sizes;
    int64_t left = *rows;
    Sizes used;
    for (int64_t size : sizes)
      if (left >= size) {
        used.push_back(size);
        left %= size;
      }
    return used;
  }

  Sizes vectorSizes() const {
    Sizes used;
    std::optional<int64_t> vectors = knownNumber(source.vectors);
    for (int64_t size = largest.vectors; size > 0; --size)
      if (!vectors || (size == largest.vectors && *vectors >= size) ||
          *vectors % largest.vectors == size)
        used.push_back(size);
    return used;
  }

  /// Calls `body` with the first row and the number of rows of each tile.
  void forEachRowTile(Value first, Value count,
                      function_ref<void(Value, Value)> body) {
    // Tiles of each size in turn: the whole ones, then what is left.
    Value left = count, start = first;
    for (int64_t size : rowSizes()) {
      Value tiles = v.div(left, v.i64(size));
      Value base = start;
      starts.push_back({tiles, base, size});
      start = v.add(start, v.mul(tiles, v.i64(size)));
      left = v.sub(left, v.mul(tiles, v.i64(size)));
    }
    Value total = v.i64(0);
    for (const Run &run : starts)
      total = v.add(total, run.tiles);
    v.loop(v.i64(0), total, 1, [&](Value tile) {
      Value row, rows, before = v.i64(0);
      for (const Run &run : starts) {
        Value inRun = v.sub(tile, before);
        Value candidate = v.add(run.base, v.mul(inRun, v.i64(run.size)));
        Value isHere = v.less(before, v.add(tile, v.i64(1)));
        row = row ? v.select(isHere, candidate, row) : candidate;
        rows = rows ? v.select(isHere, v.i64(run.size), rows) : v.i64(run.size);
        before = v.add(before, run.tiles);
      }
      body(row, rows);
    });
  }

  void emitSums(const ContractSource::Rows &rows,
                const ContractSource::Lanes &lanes, Value numRows,
                Value numVectors, Value sums) {
    TileOperands operands{rows.pointer,  rows.rowStride,     rows.rowStep,
                          lanes.pointer, lanes.vectorStride, lanes.laneStep,
                          source.steps};
    const TileUnit *unit = tier.getTileUnit();
    choose(numRows, rowSizes(), [&](int64_t rowCount) {
      choose(numVectors, vectorSizes(), [&](int64_t vectorCount) {
        TileSize size{rowCount, vectorCount};
        int64_t stride = largest.vectors * kLanes;
        if (source.groups.block)
          emitGrouped(size, rows, lanes, sums, stride);
        else if (unit && rowCount >= unit->rows)
          unit->emit(v, source.kind, size, operands, sums, v.i64(stride));
        else
          emitTile(v, tier, source.kind, size, operands, sums, v.i64(stride));
      });
    });
  }

private:
  void emitGrouped(TileSize size, const ContractSource::Rows &rows,
                   const ContractSource::Lanes &lanes, Value sums,
                   int64_t stride) {
    auto emit = [&](const ContractSource::Lanes &lanes) {
      emitGroupedTile(v, tier, source.kind, source.groups, size, rows, lanes,
                      sums, stride);
    };
    if (!lanes.isFew)
      return emit(lanes);
    ContractSource::Lanes inMemory = lanes;
    inMemory.unpack = {};
    inMemory.decoder.reset();
    v.ifElse(lanes.isFew, [&] { emit(lanes); }, [&] { emit(inMemory); });
  }

  struct Run {
    Value tiles, base;
    int64_t size;
  };

  /// The code for each size `value` can have.
  void choose(Value value, ArrayRef<int64_t> sizes,
              function_ref<void(int64_t)> body) {
    if (sizes.size() == 1)
      return body(sizes.front());
    v.ifElse(
        v.equal(value, v.i64(sizes.front())), [&] { body(sizes.front()); },
        [&] { choose(value, sizes.drop_front(), body); });
  }

  VectorBuilder &v;
  const Tier &tier;
  ContractSource &source;
  TileSize largest;
  SmallVector<Run> starts;
};
} // namespace

/// Cuts the work by its shape alone, so that the cut does not depend on the
/// number of threads.
static Blocks cut(VectorBuilder &v, const ContractSource &source,
                  TileSize largest) {
  Value laneTiles = v.ceilDiv(source.vectors, v.i64(largest.vectors));
  Value others = v.max(v.mul(laneTiles, source.batches), v.i64(1));
  Value wanted = v.ceilDiv(v.i64(kWantedParts), others);
  Value small = v.ceilDiv(source.rows, wanted);
  int64_t unit = largest.rows * 4;
  Value rows = v.max(v.min(small, v.i64(kRowsInBlock)), v.i64(1));
  rows = v.mul(v.ceilDiv(rows, v.i64(unit)), v.i64(unit));
  return {rows, v.ceilDiv(source.rows, rows), laneTiles};
}

LogicalResult qopt::cpu::emitSchedule(CpuProgram &program, StringRef name,
                                      ContractSource &source,
                                      Epilogue &epilogue) {
  const Tier &tier = program.tier();
  TileSize largest = source.tile;
  VectorBuilder host(program.code());
  Blocks blocks = cut(host, source, largest);
  Value parts =
      host.product({source.batches, blocks.laneTiles, blocks.rowBlocks});
  Value bytes, scratch;
  if (Value words = source.laneWords(host, largest.vectors)) {
    bytes = host.mul(host.ceilDiv(words, host.i64(16)), host.i64(64));
    scratch = program.scratch(bytes);
  }

  CaptureList list;
  list.add({&source.batches, &source.rows, &source.vectors, &source.steps,
            &blocks.rowsInBlock, &blocks.rowBlocks, &blocks.laneTiles, &bytes,
            &scratch});
  source.capture(list);

  launch(
      program, name, list, epilogue, parts,
      [&](VectorBuilder &v, KernelScope &scope) {
        TileLoop tiles(v, tier, source);
        int64_t sumsStride = largest.vectors * kLanes;
        Value sums = v.stack(largest.rows * sumsStride * 4);

        Value rowBlock = v.rem(scope.part, blocks.rowBlocks);
        Value rest = v.div(scope.part, blocks.rowBlocks);
        Value batch = v.div(rest, blocks.laneTiles);
        Value vector =
            v.mul(v.rem(rest, blocks.laneTiles), v.i64(largest.vectors));
        Value numVectors =
            v.min(v.sub(source.vectors, vector), v.i64(largest.vectors));
        Value mine;
        if (scratch)
          mine =
              v.address(scratch, v.mul(scope.thread, bytes), v.b.getI8Type());
        ContractSource::Lanes lanes =
            source.lanes(v, batch, vector, numVectors, mine);

        Value firstRow = v.mul(rowBlock, blocks.rowsInBlock);
        Value rowCount =
            v.min(blocks.rowsInBlock, v.sub(source.rows, firstRow));
        tiles.forEachRowTile(firstRow, rowCount, [&](Value row, Value numRows) {
          tiles.emitSums(source.rowsFrom(v, batch, row), lanes, numRows,
                         numVectors, sums);
          v.loop(v.i64(0), numRows, 1, [&](Value i) {
            v.loop(v.i64(0), numVectors, 1, [&](Value j) {
              Value offset =
                  v.add(v.mul(i, v.i64(sumsStride)), v.mul(j, v.i64(kLanes)));
              Type word = source.sumsAreFloats() ? Type(v.b.getF32Type())
                                                 : Type(v.b.getI32Type());
              Value sum = v.load(sums, offset, word);
              Value laneSums;
              if (lanes.sums)
                laneSums = v.load(lanes.sums, v.mul(j, v.i64(kLanes)),
                                  v.b.getI32Type());
              OutputVector at{batch, v.add(row, i), v.add(vector, j)};
              Value root = source.finish(v, sum, at, laneSums);
              epilogue.finish(v.b, source.coordinates(v, at), root);
            });
          });
        });
      });
  return success();
}
