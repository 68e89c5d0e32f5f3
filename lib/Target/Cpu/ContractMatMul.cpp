//===- ContractMatMul.cpp - Operands of a matrix product ------------------===//
//
// Strides of batches count matrices, so that rows of any length follow them.
//
//===----------------------------------------------------------------------===//

#include "ContractMatMul.h"
#include "Packing.h"
#include "PackingLanes.h"
#include "PackingRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

void AxisRange::append(VectorBuilder &v, Value index,
                       SmallVectorImpl<Value> &coordinates) const {
  if (dims.empty() && exists)
    coordinates.push_back(index);
  else
    llvm::append_range(coordinates, v.delinearize(index, dims));
}

AxisRange cpu::groupAxes(Epilogue &epilogue, ArrayRef<Value> dims,
                         int64_t first, int64_t last,
                         SmallVectorImpl<int64_t> &groups) {
  AxisRange range;
  range.exists = first < last;
  if (!range.exists)
    return range;
  if (last - first == 1 || epilogue.canCollapse(first, last - 1)) {
    groups.push_back(first);
    return range;
  }
  for (int64_t axis = first; axis < last; ++axis) {
    groups.push_back(axis);
    range.dims.push_back(dims[axis]);
  }
  return range;
}

/// Strides, in matrices, with which an operand follows the batch dims of the
/// result.
static SmallVector<Value> batchStrides(VectorBuilder &v, ArrayRef<Value> own,
                                       size_t rank) {
  SmallVector<Value> strides(rank, v.i64(0));
  Value stride = v.i64(1);
  for (size_t i = own.size(); i-- > 0;) {
    Value isOne = v.equal(own[i], v.i64(1));
    strides[rank - own.size() + i] = v.select(isOne, v.i64(0), stride);
    stride = v.mul(stride, own[i]);
  }
  return strides;
}

static bool isAllOnes(ArrayRef<Value> dims) {
  return llvm::all_of(dims, [](Value dim) {
    return knownNumber(dim) == std::optional<int64_t>(1);
  });
}

MatMulSource::MatMulSource(CpuProgram &program, MatMulOp op, CodeUnit unit)
    : tier(program.tier()), op(op), rowOperand{op.getLhs(), op.getLhsZeros()},
      laneOperand{op.getRhs(), op.getRhsZeros()} {
  VectorBuilder v(program.code());
  bool isGrouped = !op.getLhsScales().empty() || !op.getRhsScales().empty();
  kind = !isGrouped && isByteCodes(op.getLhs()) ? DotKind::UnsignedRows
                                                : DotKind::Float;
  SmallVector<Value> lhs(program.dims(op.getLhs()));
  SmallVector<Value> rhs(program.dims(op.getRhs()));
  SmallVector<Value> result = program.dims(op.getResult());
  depth = knownDimOf(lhs.back(), rhs.size() == 1 ? rhs[0] : rhs.end()[-2]);
  tile = largestTile(tier, kind, unit);
  ArrayRef<Value> lhsBatch =
      ArrayRef<Value>(lhs).drop_back(lhs.size() > 1 ? 2 : 1);
  swapped = rhs.size() == 1;
  if (swapped) {
    std::swap(rowOperand, laneOperand);
    rows = v.i64(1);
    columns = lhs[lhs.size() - 2];
    batchDims.assign(lhsBatch.begin(), lhsBatch.end());
    rowStrides.assign(batchDims.size(), v.i64(0));
    laneStrides = batchStrides(v, lhsBatch, batchDims.size());
  } else {
    columns = rhs.back();
    ArrayRef<Value> rhsBatch = ArrayRef<Value>(rhs).drop_back(2);
    Value m = lhs.size() > 1 ? lhs[lhs.size() - 2] : v.i64(1);
    if (isAllOnes(rhsBatch)) {
      rows = v.mul(m, v.product(lhsBatch));
    } else {
      rows = m;
      size_t rank = std::max(lhsBatch.size(), rhsBatch.size());
      batchDims.assign(result.begin(), result.begin() + rank);
      rowStrides = batchStrides(v, lhsBatch, rank);
      laneStrides = batchStrides(v, rhsBatch, rank);
    }
  }
  batches = v.product(batchDims);
  vectors = v.ceilDiv(columns, v.i64(kLanes));
  if (kind != DotKind::Float) {
    terms.rowZero = storedZero(program, rowOperand, /*storedUnsigned=*/true);
    terms.laneZero = storedZero(program, laneOperand, /*storedUnsigned=*/false);
    terms.depth = depth;
  }
}

LogicalResult MatMulSource::prepare(CpuProgram &program, Epilogue &epilogue) {
  placePrologue(program, op);
  if (failed(setRows(program)))
    return failure();
  setLanes(program);
  setAxes(program, epilogue);
  return success();
}

LogicalResult MatMulSource::setRows(CpuProgram &program) {
  VectorBuilder v(program.code());
  Value pointer = program.buffer(rowOperand.tensor).pointer;
  if (kind == DotKind::Float) {
    steps = depth;
    rowPointer = pointer;
    rowStride = depth;
    return success();
  }
  steps = v.ceilDiv(depth, v.i64(4));
  std::optional<int64_t> known = knownNumber(depth);
  if (rowOperand.isUnsigned() && known && *known % 4 == 0 &&
      !terms.needsRowSums() && isa<BlockArgument>(op.getLhs())) {
    rowPointer = pointer;
    rowStride = steps;
    return success();
  }
  SmallVector<Value> operandDims = program.dims(rowOperand.tensor);
  Value all = v.product(ArrayRef<Value>(operandDims).drop_back());
  RowPacker packer(program, pointer, all, depth, rowOperand.element(),
                   terms.needsRowSums());
  PackedRows packed = packer.packed();
  rowPointer = packed.pointer;
  rowStride = packed.stride;
  terms.rowSums = packed.sums;
  return emitConsumer(program, op, "pack_rows", all, packer);
}

void MatMulSource::setLanes(CpuProgram &program) {
  VectorBuilder v(program.code());
  isPacked =
      program.isConstant(laneOperand.tensor) && !swapped && batchDims.empty();
  if (!isPacked) {
    lanePointer = program.buffer(laneOperand.tensor).pointer;
    return;
  }
  int64_t k = *knownNumber(depth), n = *knownNumber(columns);
  panelStride = v.mul(steps, v.i64(kLanes));
  if (kind == DotKind::Float) {
    lanePointer = program.packedWeight(laneOperand.tensor,
                                       [&](ArrayRef<uint8_t> elements) {
                                         return packFloatPanels(elements, k, n);
                                       });
    return;
  }
  bool withSums = terms.needsLaneSums();
  SmallVector<Value> pieces = program.packedWeights(
      laneOperand.tensor, ElementForm::Integers, [&](ArrayRef<uint8_t> codes) {
        return packCodePanels(codes, k, n, laneOperand.isUnsigned())
            .pieces(withSums);
      });
  lanePointer = pieces.front();
  if (withSums)
    laneSumTable = pieces.back();
}

void MatMulSource::setAxes(CpuProgram &program, Epilogue &epilogue) {
  SmallVector<Value> dims = program.dims(op.getResult());
  SmallVector<int64_t> groups;
  int64_t laneAxis = dims.size() - 1, batchEnd = batchDims.size();
  batchAxes = groupAxes(epilogue, dims, 0, batchEnd, groups);
  rowAxes = groupAxes(epilogue, dims, batchEnd, laneAxis, groups);
  groups.push_back(laneAxis);
  laneGroup = groups.size() - 1;
  epilogue.collapse(groups);
}

void MatMulSource::capture(CaptureList &captures) {
  captures.add({&depth, &columns, &rowPointer, &rowStride, &lanePointer,
                &panelStride, &laneSumTable, &scratchWords});
  for (auto *list : {&batchDims, &rowStrides, &laneStrides})
    for (Value &value : *list)
      captures.add(value);
  batchAxes.capture(captures);
  rowAxes.capture(captures);
  terms.capture(captures);
}

Value MatMulSource::laneWords(VectorBuilder &v, int64_t numVectors) {
  if (isPacked)
    return {};
  scratchWords = v.mul(steps, v.i64(numVectors * kLanes));
  return v.add(scratchWords, v.i64(numVectors * kLanes));
}

Value MatMulSource::batchOffset(VectorBuilder &v, Value batch,
                                ArrayRef<Value> strides) const {
  Value offset = v.i64(0);
  for (auto [coordinate, stride] :
       llvm::zip(v.delinearize(batch, batchDims), strides))
    offset = v.add(offset, v.mul(coordinate, stride));
  return offset;
}

ContractSource::Lanes MatMulSource::lanes(VectorBuilder &v, Value batch,
                                          Value vector, Value count,
                                          Value scratch) {
  Type word = v.b.getI32Type();
  if (isPacked) {
    Value pointer = v.address(lanePointer, v.mul(vector, panelStride), word);
    Value sums;
    if (laneSumTable)
      sums = v.address(laneSumTable, v.mul(vector, v.i64(kLanes)), word);
    return {pointer, panelStride, v.i64(kLanes), sums};
  }
  Value laneStep = v.i64(tile.vectors * kLanes);
  Value sums = v.address(scratch, scratchWords, word);
  bool wantsSums = kind != DotKind::Float && terms.needsLaneSums();
  LanePacker packer(v, tier, kind, laneOperand.element(), wantsSums);
  Value matrix =
      v.mul(batchOffset(v, batch, laneStrides), v.mul(depth, columns));
  v.loop(v.i64(0), count, 1, [&](Value i) {
    Value lane = v.mul(v.add(vector, i), v.i64(kLanes));
    LaneRun run;
    run.source = lanePointer;
    run.depth = depth;
    if (swapped) {
      run.offset = v.add(matrix, v.mul(lane, depth));
      run.stride = v.i64(1);
      run.laneStride = depth;
      run.laneCount = v.sub(columns, lane);
    } else {
      run.offset = v.add(matrix, lane);
      run.stride = columns;
    }
    Value target = v.address(scratch, v.mul(i, v.i64(kLanes)), word);
    Value zero = v.constant(v.b.getI32IntegerAttr(0), kLanes);
    Value sum = packer.pack(run, target, v.i64(0), laneStep, zero);
    if (wantsSums)
      v.store(sum, sums, v.mul(i, v.i64(kLanes)));
  });
  return {scratch, v.i64(kLanes), laneStep, wantsSums ? sums : Value()};
}

ContractSource::Rows MatMulSource::rowsFrom(VectorBuilder &v, Value batch,
                                            Value row) {
  Value matrix = v.mul(batchOffset(v, batch, rowStrides), rows);
  Value offset = v.mul(v.add(matrix, row), rowStride);
  return {v.address(rowPointer, offset, v.b.getI32Type()), rowStride, v.i64(1)};
}

Epilogue::Lanes MatMulSource::coordinates(VectorBuilder &v,
                                          const OutputVector &at) {
  Epilogue::Lanes lanes;
  batchAxes.append(v, at.batch, lanes.coordinates);
  rowAxes.append(v, at.row, lanes.coordinates);
  Value lane = v.mul(at.vector, v.i64(kLanes));
  lanes.coordinates.push_back(lane);
  lanes.laneGroup = laneGroup;
  std::optional<int64_t> known = knownNumber(columns);
  if (!known || *known % kLanes != 0)
    lanes.count = v.min(v.sub(columns, lane), v.i64(kLanes));
  return lanes;
}

Value MatMulSource::finish(VectorBuilder &v, Value sums, const OutputVector &at,
                           Value laneSums) {
  if (sumsAreFloats())
    return sums;
  Value matrix = v.mul(batchOffset(v, at.batch, rowStrides), rows);
  return terms.apply(v, sums, v.add(matrix, at.row), laneSums);
}

std::unique_ptr<ContractSource> cpu::makeMatMulSource(CpuProgram &program,
                                                      MatMulOp op,
                                                      CodeUnit unit,
                                                      Epilogue &epilogue) {
  auto source = std::make_unique<MatMulSource>(program, op, unit);
  if (failed(source->prepare(program, epilogue)))
    return nullptr;
  return source;
}
