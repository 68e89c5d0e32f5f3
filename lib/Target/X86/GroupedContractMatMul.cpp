//===- GroupedContractMatMul.cpp - Matrix products with scales ------------===//
//
// Rows are decoded once for all parts; lanes by the part that uses them, into
// its thread's scratch. Constant codes of fewer than 8 bits stay a stream of
// bits until then.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Cpu/Constants.h"
#include "ContractMatMul.h"
#include "GroupedContractSources.h"
#include "GroupedContractTile.h"
#include "Packing.h"
#include "lib/Target/Cpu/TrailingRows.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

namespace {
class GroupedMatMulSource : public MatMulSource {
public:
  GroupedMatMulSource(ProgramEmitter &program, MatMulOp op,
                      const GroupShape &shape);

  void capture(CaptureList &captures) override;
  Value laneWords(VectorBuilder &v, int64_t numVectors) override;
  Lanes lanes(VectorBuilder &v, Value batch, Value vector, Value count,
              Value scratch) override;
  Rows rowsFrom(VectorBuilder &v, Value batch, Value row) override;

protected:
  LogicalResult setRows(ProgramEmitter &program) override;
  void setLanes(ProgramEmitter &program) override;

private:
  void decodeLanes(VectorBuilder &v, ArrayRef<Value> batch, Value lane,
                   Value panel, Value codes, Value scales);
  Value loadCodes(VectorBuilder &v, Value matrix, Value step, Value lane,
                  Value panel);

  GroupedOperand lhs, rhs;
  bool isStream = false;
  BesideTensors laneScales, laneZeros;
  SmallVector<Value> rhsBatchZeros;
  Value rowScales, groupCount;
};
} // namespace

GroupedMatMulSource::GroupedMatMulSource(ProgramEmitter &program, MatMulOp op,
                                         const GroupShape &shape)
    : MatMulSource(program, op), lhs(lhsOf(op)), rhs(rhsOf(op)) {
  VectorBuilder v = program.vectors();
  tile = largestGroupedTile(program.tier());
  groups = shape;
  groups.channels = depth;
  groupCount = groups.count(v);
}

namespace {
/// Decodes rows of a [rows][depth] matrix of codes to f32, and the scales of
/// their groups to words.
class RowDecoder : public RowConsumer {
public:
  RowDecoder(ProgramEmitter &program, const GroupedOperand &operand,
             const GroupShape &groups, Value rows, Value depth)
      : operand(operand), groups(groups), depth(depth),
        source(program.buffer(operand.tensor).pointer),
        scales(program, operand.scales, operand.tensor, operand.format),
        zeros(program, operand.zeros, operand.tensor, operand.format) {
    VectorBuilder v = program.vectors();
    SmallVector<Value> dims = program.dims(operand.tensor);
    leading.assign(dims.begin(), dims.end() - 1);
    groupCount = groups.count(v);
    stride = v.mul(v.ceilDiv(depth, v.i64(kLanes)), v.i64(kLanes));
    target = program.temporary(v.product({rows, stride, v.i64(4)}));
    if (!scales.empty())
      table = program.temporary(v.product({rows, groupCount, v.i64(4)}));
  }

  void capture(CaptureList &captures) override {
    captures.add({&depth, &source, &groupCount, &stride, &target, &table});
    for (Value &dim : leading)
      captures.add(dim);
    scales.capture(captures);
    zeros.capture(captures);
  }

  void run(VectorBuilder &v, Value row) override {
    SmallVector<Value> at = v.delinearize(row, leading);
    at.push_back(v.i64(0));
    Value from = v.mul(row, depth), to = v.mul(row, stride);
    // Zeros of a row are one: along k they would be zeros of groups.
    Value zero = zeros.empty() ? Value() : v.splat(zeros.zero(v, at, false));
    v.loop(v.i64(0), depth, kLanes, [&](Value k) {
      Value codes = v.loadLanes(source, v.add(from, k), operand.element());
      v.store(operand.decode(v, codes, zero), target, v.add(to, k));
    });
    if (!table)
      return;
    v.loop(v.i64(0), groupCount, 1, [&](Value group) {
      at.back() = v.mul(group, v.i64(groups.block));
      v.storeScalar(scales.scale(v, at, groups.areExponents, false), table,
                    v.add(v.mul(row, groupCount), group));
    });
  }

  /// On the host, before a launch.
  Value target, stride, table;

private:
  const GroupedOperand &operand;
  const GroupShape &groups;
  Value depth, source, groupCount;
  BesideTensors scales, zeros;
  SmallVector<Value> leading;
};
} // namespace

LogicalResult GroupedMatMulSource::setRows(ProgramEmitter &program) {
  steps = depth;
  if (lhs.isF32() && lhs.scales.empty()) {
    rowPointer = program.buffer(lhs.tensor).pointer;
    rowStride = depth;
    return success();
  }
  SmallVector<Value> dims = program.dims(lhs.tensor);
  Value all = program.vectors().product(ArrayRef(dims).drop_back());
  RowDecoder decoder(program, lhs, groups, all, depth);
  rowPointer = decoder.target;
  rowStride = decoder.stride;
  rowScales = decoder.table;
  return emitConsumer(program, op, "decode_rows", all, decoder);
}

void GroupedMatMulSource::setLanes(ProgramEmitter &program) {
  lanePointer = program.buffer(rhs.tensor).pointer;
  laneScales = BesideTensors(program, rhs.scales, rhs.tensor, rhs.format);
  laneZeros = BesideTensors(program, rhs.zeros, rhs.tensor, rhs.format);
  VectorBuilder v = program.vectors();
  rhsBatchZeros.assign(rhs.type().getRank() - 2, v.i64(0));
  ConstantOp constant = program.constantOf(rhs.tensor);
  isStream = constant && batchDims.empty() && rhs.bits() < 8;
  if (!isStream)
    return;
  std::vector<uint8_t> storage;
  ArrayRef<uint8_t> codes = constantBytes(constant, storage);
  lanePointer = program.weightPointer(packCodeStream(
      codes, *knownNumber(depth), *knownNumber(columns), rhs.bits()));
}

void GroupedMatMulSource::capture(CaptureList &captures) {
  MatMulSource::capture(captures);
  captures.add({&rowScales, &groupCount, &groups.channels});
  laneScales.capture(captures);
  laneZeros.capture(captures);
}

Value GroupedMatMulSource::laneWords(VectorBuilder &v, int64_t numVectors) {
  Value width = v.i64(numVectors * kLanes);
  scratchWords = v.mul(steps, width);
  return v.add(scratchWords, v.mul(groupCount, width));
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

void GroupedMatMulSource::decodeLanes(VectorBuilder &v, ArrayRef<Value> batch,
                                      Value lane, Value panel, Value codes,
                                      Value scales) {
  Value laneStep = v.i64(tile.vectors * kLanes);
  Value matrix = v.i64(0);
  if (!batchDims.empty())
    matrix = v.mul(batch.front(), depth);
  SmallVector<Value> at(rhsBatchZeros);
  for (size_t i = 1; i < batch.size(); ++i)
    at[i - 1] = batch[i];
  at.append({v.i64(0), lane});
  v.loop(v.i64(0), groupCount, 1, [&](Value group) {
    Value low = v.mul(group, v.i64(groups.block));
    Value high = v.min(v.add(low, v.i64(groups.block)), depth);
    at[at.size() - 2] = low;
    Value zero = laneZeros.empty() ? Value() : laneZeros.zero(v, at, true);
    v.loop(low, high, 1, [&](Value step) {
      Value raw = loadCodes(v, matrix, step, lane, panel);
      v.store(rhs.decode(v, raw, zero), codes, v.mul(step, laneStep));
    });
    if (!laneScales.empty())
      v.store(laneScales.scale(v, at, groups.areExponents, true), scales,
              v.mul(group, laneStep));
  });
}

ContractSource::Lanes GroupedMatMulSource::lanes(VectorBuilder &v, Value batch,
                                                 Value vector, Value count,
                                                 Value scratch) {
  Type word = v.b.getI32Type();
  Value scales = v.address(scratch, scratchWords, word);
  // The matrix of rhs, then its coordinates.
  SmallVector<Value> where;
  if (!batchDims.empty()) {
    where.push_back(batchOffset(v, batch, laneStrides));
    SmallVector<Value> all = v.delinearize(batch, batchDims);
    llvm::append_range(where,
                       ArrayRef<Value>(all).take_back(rhsBatchZeros.size()));
  }
  v.loop(v.i64(0), count, 1, [&](Value i) {
    Value panel = v.add(vector, i), offset = v.mul(i, v.i64(kLanes));
    decodeLanes(v, where, v.mul(panel, v.i64(kLanes)), panel,
                v.address(scratch, offset, word),
                v.address(scales, offset, word));
  });
  return {scratch, v.i64(kLanes), v.i64(tile.vectors * kLanes), Value(),
          laneScales.empty() ? Value() : scales};
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
x86::makeGroupedMatMulSource(ProgramEmitter &program, MatMulOp op,
                             const GroupShape &shape, Epilogue &epilogue) {
  auto source = std::make_unique<GroupedMatMulSource>(program, op, shape);
  if (failed(source->prepare(program, epilogue)))
    return nullptr;
  return source;
}
