//===- GroupedContractMatMul.cpp - Matrix products with scales ------------===//
//
// Rows are decoded once for all parts, to words of unsigned bytes (integers
// plus 128) or to f32; lanes by the part that uses them, into its thread's
// scratch or, where rows are few, in its tiles. Constant codes of fewer than 8
// bits stay narrow until then.
//
//===----------------------------------------------------------------------===//

#include "ContractMatMul.h"
#include "GroupedContractFloats.h"
#include "GroupedContractLanes.h"
#include "GroupedContractRows.h"
#include "GroupedContractSources.h"
#include "GroupedContractTile.h"
#include "Packing.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

namespace {
class GroupedMatMulSource : public MatMulSource {
public:
  GroupedMatMulSource(CpuProgram &program, MatMulOp op,
                      const GroupShape &shape);

  void capture(CaptureList &captures) override;
  Value laneWords(VectorBuilder &v, int64_t numVectors) override;
  Lanes lanes(VectorBuilder &v, Value batch, Value vector, Value count,
              Value scratch) override;
  Rows rowsFrom(VectorBuilder &v, Value batch, Value row) override;

protected:
  LogicalResult setRows(CpuProgram &program) override;
  void setLanes(CpuProgram &program) override;

private:
  /// Where the vectors of a part keep what is packed for them.
  struct Scratch {
    Value codes, scales, starts;
    Scratch at(VectorBuilder &v, Value offset) const;
  };

  /// Whether lanes are of use to so few rows that tiles unpack them.
  enum class Unpacks { Never, WhereFew, Always };

  bool areIntegers() const { return kind != DotKind::Float; }
  Unpacks unpacksInTiles() const;
  SmallVector<Value> laneCoordinates(VectorBuilder &v, ArrayRef<Value> batch,
                                     Value panel) const;
  void decodeLanes(VectorBuilder &v, ArrayRef<Value> batch, Value panel,
                   const Scratch &scratch, bool writesCodes);
  void setUnpacking(ArrayRef<Value> batch, Value vector, Lanes &lanes);
  void decodeGroup(VectorBuilder &v, Value matrix, Value lane, Value panel,
                   Value group, Value zero, Value target);
  Value loadCodes(VectorBuilder &v, Value matrix, Value step, Value lane,
                  Value panel);

  GroupedOperand lhs, rhs;
  IntegerLanes integers;
  FloatLanes floats;
  bool isStream = false;
  BesideTensors laneScales, laneZeros;
  SmallVector<Value> rhsBatchZeros;
  Value rowScales, groupCount;
};
} // namespace

GroupedMatMulSource::GroupedMatMulSource(CpuProgram &program, MatMulOp op,
                                         const GroupShape &shape)
    : MatMulSource(program, op), lhs(lhsOf(op)), rhs(rhsOf(op)) {
  VectorBuilder v(program.code());
  tile = program.tier().getLargestGroupedTile();
  groups = shape;
  groups.channels = depth;
  groupCount = groups.count(v);
  steps = depth;
  if (sumsIntegers(groups)) {
    kind = DotKind::UnsignedRows;
    steps = v.mul(v.ceilDiv(depth, v.i64(IntegerLanes::kDepthInChunk)),
                  v.i64(IntegerLanes::kStepsInChunk));
  }
  groups.positionSteps = steps;
}

LogicalResult GroupedMatMulSource::setRows(CpuProgram &program) {
  if (lhs.isF32() && lhs.scales.empty()) {
    rowPointer = program.buffer(lhs.tensor).pointer;
    rowStride = depth;
    return success();
  }
  SmallVector<Value> dims = program.dims(lhs.tensor);
  Value all = program.code().product(ArrayRef(dims).drop_back());
  RowDecoder decoder(program, lhs, groups, all, depth);
  rowPointer = decoder.decoded().pointer;
  rowStride = decoder.decoded().stride;
  rowScales = decoder.decoded().scales;
  return emitConsumer(program, op, "decode_rows", all, decoder);
}

void GroupedMatMulSource::setLanes(CpuProgram &program) {
  laneScales = BesideTensors(program, rhs.scales, rhs.tensor, rhs.format);
  laneZeros = BesideTensors(program, rhs.zeros, rhs.tensor, rhs.format);
  VectorBuilder v(program.code());
  rhsBatchZeros.assign(rhs.type().getRank() - 2, v.i64(0));
  if (areIntegers()) {
    integers =
        IntegerLanes(program, rhs, depth, columns, groups, batchDims.empty());
    return;
  }
  bool isMatrix = program.isConstant(rhs.tensor) && batchDims.empty();
  if (isMatrix && FloatLanes::canHold(rhs, groups.block)) {
    floats =
        FloatLanes(program, rhs, *knownNumber(depth), *knownNumber(columns));
    return;
  }
  isStream = isMatrix && rhs.bits() < 8;
  if (!isStream) {
    lanePointer = program.buffer(rhs.tensor).pointer;
    return;
  }
  lanePointer = program.packedWeight(rhs.tensor, [&](ArrayRef<uint8_t> codes) {
    return packCodeStream(codes, *knownNumber(depth), *knownNumber(columns),
                          rhs.bits());
  });
}

void GroupedMatMulSource::capture(CaptureList &captures) {
  MatMulSource::capture(captures);
  captures.add(
      {&rowScales, &groupCount, &groups.channels, &groups.positionSteps});
  laneScales.capture(captures);
  laneZeros.capture(captures);
  if (areIntegers())
    integers.capture(captures);
  else if (!floats.empty())
    floats.capture(captures);
}

GroupedMatMulSource::Unpacks GroupedMatMulSource::unpacksInTiles() const {
  bool canUnpack = areIntegers() ? integers.arePlanes() && laneZeros.empty()
                                 : !floats.empty();
  if (!canUnpack)
    return Unpacks::Never;
  std::optional<int64_t> known = knownNumber(rows);
  if (!known)
    return Unpacks::WhereFew;
  return *known <= tile.rows ? Unpacks::Always : Unpacks::Never;
}

Value GroupedMatMulSource::laneWords(VectorBuilder &v, int64_t numVectors) {
  Value width = v.i64(numVectors * kLanes);
  Value table = v.mul(groupCount, width);
  bool isEmpty = (areIntegers() && integers.isReady()) ||
                 unpacksInTiles() == Unpacks::Always;
  // Floats are written a word of codes at a time.
  Value written = floats.empty()
                      ? steps
                      : v.mul(v.ceilDiv(steps, v.i64(floats.stepsInWord())),
                              v.i64(floats.stepsInWord()));
  scratchWords = isEmpty ? v.i64(0) : v.mul(written, width);
  return v.add(scratchWords, v.mul(table, v.i64(areIntegers() ? 2 : 1)));
}

/// 16 codes of step `step`, in lanes.
Value GroupedMatMulSource::loadCodes(VectorBuilder &v, Value matrix, Value step,
                                     Value lane, Value panel) {
  if (!isStream) {
    Value offset = v.add(v.mul(v.add(matrix, step), columns), lane);
    return v.loadLanes(lanePointer, offset, rhs.element());
  }
  Value row = v.add(v.mul(panel, depth), step);
  return unpackLanes(v, lanePointer, v.mul(row, v.i64(kLanes * rhs.bits() / 8)),
                     rhs.bits());
}

/// Writes the f32 of a group.
void GroupedMatMulSource::decodeGroup(VectorBuilder &v, Value matrix,
                                      Value lane, Value panel, Value group,
                                      Value zero, Value target) {
  Value laneStep = v.i64(tile.vectors * kLanes);
  Value low = v.mul(group, v.i64(groups.block));
  Value high = v.min(v.add(low, v.i64(groups.block)), depth);
  if (floats.empty()) {
    v.loop(low, high, 1, [&](Value step) {
      Value raw = loadCodes(v, matrix, step, lane, panel);
      v.store(rhs.decode(v, raw, zero), target, v.mul(step, laneStep));
    });
    return;
  }
  v.loop(low, high, floats.stepsInWord(), [&](Value step) {
    Value words = floats.load(v, panel, step);
    for (int64_t i = 0; i < floats.stepsInWord(); ++i)
      v.store(floats.decode(v, tier, words, v.i64(i), zero), target,
              v.mul(v.add(step, v.i64(i)), laneStep));
  });
}

/// Where the lanes of a panel begin in rhs.
SmallVector<Value> GroupedMatMulSource::laneCoordinates(VectorBuilder &v,
                                                        ArrayRef<Value> batch,
                                                        Value panel) const {
  SmallVector<Value> at(rhsBatchZeros);
  for (size_t i = 1; i < batch.size(); ++i)
    at[i - 1] = batch[i];
  at.append({v.i64(0), v.mul(panel, v.i64(kLanes))});
  return at;
}

void GroupedMatMulSource::decodeLanes(VectorBuilder &v, ArrayRef<Value> batch,
                                      Value panel, const Scratch &scratch,
                                      bool writesCodes) {
  Value laneStep = v.i64(tile.vectors * kLanes);
  Value matrix = v.i64(0);
  if (!batchDims.empty())
    matrix = v.mul(batch.front(), depth);
  SmallVector<Value> at = laneCoordinates(v, batch, panel);
  v.loop(v.i64(0), groupCount, 1, [&](Value group) {
    at[at.size() - 2] = v.mul(group, v.i64(groups.block));
    Value word = v.mul(group, laneStep);
    if (writesCodes) {
      Value zero = laneZeros.empty() ? Value() : laneZeros.zero(v, at, true);
      if (areIntegers())
        v.store(integers.writeGroup(v, tier, matrix, panel, group,
                                    zero ? zeroBytes(v, zero) : Value(),
                                    scratch.codes, laneStep),
                scratch.starts, word);
      else
        decodeGroup(v, matrix, at.back(), panel, group, zero, scratch.codes);
    }
    if (!laneScales.empty())
      v.store(laneScales.scale(v, at, groups.scaleWord, true), scratch.scales,
              word);
  });
}

GroupedMatMulSource::Scratch
GroupedMatMulSource::Scratch::at(VectorBuilder &v, Value offset) const {
  auto advance = [&](Value pointer) {
    return pointer ? v.address(pointer, offset, v.b.getI32Type()) : Value();
  };
  return {advance(codes), advance(scales), advance(starts)};
}

ContractSource::Lanes GroupedMatMulSource::lanes(VectorBuilder &v, Value batch,
                                                 Value vector, Value count,
                                                 Value scratch) {
  Type word = v.b.getI32Type();
  Value width = v.i64(tile.vectors * kLanes);
  Scratch parts{scratch, v.address(scratch, scratchWords, word), Value()};
  if (areIntegers())
    parts.starts = v.address(parts.scales, v.mul(groupCount, width), word);
  // The matrix of rhs, then its coordinates.
  SmallVector<Value> where;
  if (!batchDims.empty()) {
    where.push_back(batchOffset(v, batch, laneStrides));
    SmallVector<Value> all = v.delinearize(batch, batchDims);
    llvm::append_range(where,
                       ArrayRef<Value>(all).take_back(rhsBatchZeros.size()));
  }
  Unpacks unpacks = unpacksInTiles();
  auto decode = [&](bool writesCodes) {
    v.loop(v.i64(0), count, 1, [&](Value i) {
      decodeLanes(v, where, v.add(vector, i),
                  parts.at(v, v.mul(i, v.i64(kLanes))), writesCodes);
    });
  };
  Value isFew;
  if (unpacks == Unpacks::WhereFew) {
    isFew = v.less(rows, v.i64(tile.rows + 1));
    v.ifElse(isFew, [&] { decode(false); }, [&] { decode(true); });
  } else {
    decode(unpacks == Unpacks::Never);
  }
  Lanes result{scratch, v.i64(kLanes), width, Value()};
  if (areIntegers() && integers.isReady()) {
    result.pointer = integers.panelAddress(v, vector);
    result.vectorStride = integers.panelStride(v);
    result.laneStep = v.i64(kLanes);
  }
  result.scaleStep = width;
  result.starts = parts.starts;
  result.isFew = isFew;
  if (unpacks != Unpacks::Never)
    setUnpacking(where, vector, result);
  if (!laneScales.empty())
    result.scales = parts.scales;
  return result;
}

/// Makes tiles unpack lanes from vector `vector` on.
void GroupedMatMulSource::setUnpacking(ArrayRef<Value> batch, Value vector,
                                       Lanes &lanes) {
  if (areIntegers()) {
    lanes.unpack = [this, vector](VectorBuilder &v, Value step, int64_t j) {
      Value chunk = v.div(step, v.i64(IntegerLanes::kStepsInChunk));
      return integers.unpack(v, tier, v.add(vector, v.i64(j)), chunk);
    };
    return;
  }
  Lanes::Decoder &decoder = lanes.decoder.emplace();
  decoder.stepsInWord = floats.stepsInWord();
  decoder.load = [this, vector](VectorBuilder &v, Value step, int64_t j) {
    return floats.load(v, v.add(vector, v.i64(j)), step);
  };
  decoder.decode = [this](VectorBuilder &v, Value words, Value index,
                          Value zero) {
    return floats.decode(v, tier, words, index, zero);
  };
  decoder.zero = [this, vector, where = llvm::to_vector(batch)](
                     VectorBuilder &v, Value group, int64_t j) {
    if (laneZeros.empty())
      return Value();
    SmallVector<Value> at = laneCoordinates(v, where, v.add(vector, v.i64(j)));
    at[at.size() - 2] = v.mul(group, v.i64(groups.block));
    return laneZeros.zero(v, at, true);
  };
}

ContractSource::Rows GroupedMatMulSource::rowsFrom(VectorBuilder &v,
                                                   Value batch, Value row) {
  Rows result = MatMulSource::rowsFrom(v, batch, row);
  if (!rowScales)
    return result;
  Value matrix = v.mul(batchOffset(v, batch, rowStrides), rows);
  result.scales = v.address(rowScales, v.mul(v.add(matrix, row), groupCount),
                            v.b.getI32Type());
  result.scaleStride = groupCount;
  return result;
}

std::unique_ptr<ContractSource>
cpu::makeGroupedMatMulSource(CpuProgram &program, MatMulOp op,
                             const GroupShape &shape, Epilogue &epilogue) {
  auto source = std::make_unique<GroupedMatMulSource>(program, op, shape);
  if (failed(source->prepare(program, epilogue)))
    return nullptr;
  return source;
}
