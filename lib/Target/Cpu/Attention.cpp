//===- Attention.cpp - Softmax of products, times values ------------------===//
//
// Keys are transposed, so that 16 of them fill the lanes: once for all blocks
// of rows, or, where a head has only one, block by block in the thread's
// scratch. A part is a block of rows of one head; it walks the keys in blocks
// of 64, as the formula says, and keeps its sums in scratch memory. Codes of
// keys are decoded as they are turned, those of values a block at a time.
//
//===----------------------------------------------------------------------===//

#include "ContractOperands.h"
#include "ProductKernels.h"
#include "RowMath.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Keys of a block: a part of the formula.
static constexpr int64_t kBlockKeys = 64;
static constexpr int64_t kBlockVectors = kBlockKeys / kLanes;
/// Rows of a part.
static constexpr int64_t kBlockRows = 24;

namespace {
/// Keys or values: floats, f16, or bytes with a scale a row.
struct Rows {
  Type element;
  Value pointer;
  /// Rows of memory for each head, of which some are there.
  Value slots;
  /// Null without scales.
  Value scales, scaleSlots;

  bool areFloats() const { return element.isF32(); }

  void capture(CaptureList &captures) {
    captures.add({&pointer, &slots, &scales, &scaleSlots});
  }
};

class AttentionKernel {
public:
  AttentionKernel(CpuProgram &program, qopt::AttentionOp op, Epilogue &epilogue)
      : program(program), op(op), epilogue(epilogue) {}

  LogicalResult emit();

private:
  void setOperands();
  Rows findRows(Value tensor);
  void transposeKeys();
  void turnBlock(VectorBuilder &v, Value head, Value firstKey);
  void capture(CaptureList &captures);
  void writePart(VectorBuilder &v, KernelScope &scope);
  void addBlock(VectorBuilder &v, Value head, Value firstRow, Value numRows,
                Value firstKey);
  void emitScores(VectorBuilder &v, Value head, Value firstRow, Value numRows,
                  Value firstKey);
  /// Turns the scores of a row into probabilities; updates the row's maximum
  /// and sum, and stores the factor of what was summed before.
  void updateRow(VectorBuilder &v, Value head, Value row, Value i,
                 Value firstKey);
  void addValues(VectorBuilder &v, Value head, Value numRows, Value firstKey);
  /// The values of a block, decoded.
  void decodeValues(VectorBuilder &v, Value head, Value firstKey, Value count);
  void finishRow(VectorBuilder &v, Value head, Value row, Value i);
  Value addMask(VectorBuilder &v, Value score, Value head, Value row,
                Value key);

  CpuProgram &program;
  qopt::AttentionOp op;
  Epilogue &epilogue;
  SmallVector<Value> leading, maskStrides;
  Value heads, queries, depth, keys, width;
  Value query, mask;
  Rows key, value;
  Value maskRowStride, maskRowLength;
  bool maskVaries = false;
  Value paddedKeys, transposed;
  Value paddedWidth, rowBlocks, scratch, bytesPerThread;
  AxisRange headAxes;
  int64_t laneGroup = 0;
  // In the kernel, pointers into the thread's scratch.
  Value scores, sums, maxima, totals, factors, turned, decoded;
};
} // namespace

Rows AttentionKernel::findRows(Value tensor) {
  int64_t axis = cast<RankedTensorType>(tensor.getType()).getRank() - 2;
  Operation *decoder = tensor.getDefiningOp();
  Buffer &buffer = program.buffer(decoder ? decoder->getOperand(0) : tensor);
  Rows rows{buffer.elementType(), buffer.pointer, buffer.slotsOf(axis), Value(),
            Value()};
  auto dequantize = dyn_cast_or_null<DequantizeOp>(decoder);
  if (!dequantize)
    return rows;
  Buffer &scales = program.buffer(dequantize.getScales().front());
  rows.scales = scales.pointer;
  rows.scaleSlots = scales.slotsOf(axis);
  for (int64_t i = 0; i <= axis; ++i)
    program.requireEqual(buffer.dims[i], scales.dims[i],
                         "the dims of the operands do not broadcast");
  return rows;
}

void AttentionKernel::setOperands() {
  VectorBuilder v(program.code());
  SmallVector<Value> q = program.dims(op.getQuery());
  SmallVector<Value> k = program.dims(op.getKey());
  SmallVector<Value> e = program.dims(op.getValue());
  leading.assign(q.begin(), q.end() - 2);
  heads = v.product(leading);
  queries = q[q.size() - 2];
  depth = q.back();
  keys = k[k.size() - 2];
  width = e.back();
  query = program.buffer(op.getQuery()).pointer;
  key = findRows(op.getKey());
  value = findRows(op.getValue());
  paddedKeys = v.mul(v.ceilDiv(keys, v.i64(kBlockKeys)), v.i64(kBlockKeys));
  paddedWidth = v.mul(v.ceilDiv(width, v.i64(kLanes)), v.i64(kLanes));
  rowBlocks = v.ceilDiv(queries, v.i64(kBlockRows));
  if (!op.getMask())
    return;
  mask = program.buffer(op.getMask()).pointer;
  SmallVector<Value> dims = program.dims(op.getMask());
  SmallVector<Value> strides = v.strides(dims);
  auto strideOf = [&](size_t fromBack) {
    if (fromBack >= dims.size())
      return v.i64(0);
    size_t axis = dims.size() - 1 - fromBack;
    return v.select(v.equal(dims[axis], v.i64(1)), v.i64(0), strides[axis]);
  };
  maskVaries = !dims.empty() && knownNumber(dims.back()) != 1;
  // A last dim that is 1 only at run time is one element for all keys.
  maskRowLength = maskVaries ? dims.back() : v.i64(1);
  maskRowStride = strideOf(1);
  for (size_t i = 0; i < leading.size(); ++i)
    maskStrides.push_back(strideOf(leading.size() + 1 - i));
}

/// Loads elements of `rows` from element `offset` on, without their scales.
static Value loadRow(VectorBuilder &v, const Rows &rows, Value offset,
                     int64_t lanes = kLanes) {
  Type f32 = v.b.getF32Type();
  Value loaded = lanes == 1 ? v.widen(v.loadScalar(rows.pointer, offset,
                                                   memoryType(rows.element)),
                                      rows.element)
                            : v.loadLanes(rows.pointer, offset, rows.element);
  if (!rows.scales)
    return loaded;
  Type real = lanes == 1 ? f32 : Type(VectorType::get({lanes}, f32));
  return arith::SIToFPOp::create(v.b, v.loc, real, loaded);
}

/// Writes element d of the 16 keys of `head` from `first` on side by side to
/// `to` + d * `stride`; the last of `keys` in place of those behind it.
static void turnRows(VectorBuilder &v, const Rows &from, Value head,
                     Value first, Value keys, Value length, Value to,
                     Value stride) {
  Type f32 = v.b.getF32Type();
  Value last = v.sub(keys, v.i64(1));
  SmallVector<Value> rows;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    Value index = v.min(v.add(first, v.i64(lane)), last);
    rows.push_back(v.mul(v.add(v.mul(head, from.slots), index), length));
  }
  Value scale;
  if (from.scales)
    scale =
        v.loadMasked(from.scales, v.add(v.mul(head, from.scaleSlots), first),
                     f32, v.max(v.sub(keys, first), v.i64(0)));
  auto put = [&](Value vector, Value d) {
    if (scale)
      vector = arith::MulFOp::create(v.b, v.loc, vector, scale);
    v.store(vector, to, v.mul(d, stride));
  };
  // Lane i of a and of b side by side, of the lower and of the upper half.
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < kLanes / 2; ++lane) {
    low.append({lane, lane + kLanes});
    high.append({lane + kLanes / 2, lane + kLanes / 2 + kLanes});
  }
  Value whole = v.mul(v.div(length, v.i64(kLanes)), v.i64(kLanes));
  v.loop(v.i64(0), whole, kLanes, [&](Value d) {
    SmallVector<Value> square;
    for (Value row : rows)
      square.push_back(loadRow(v, from, v.add(row, d)));
    for (int64_t round = 1; round < kLanes; round *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < kLanes / 2; ++i)
        for (ArrayRef<int64_t> lanes : {ArrayRef(low), ArrayRef(high)})
          next.push_back(vector::ShuffleOp::create(
              v.b, v.loc, square[i], square[i + kLanes / 2], lanes));
      square = std::move(next);
    }
    for (auto [i, vector] : llvm::enumerate(square))
      put(vector, v.add(d, v.i64(i)));
  });
  v.loop(whole, length, 1, [&](Value d) {
    Value vector = v.constant(v.b.getF32FloatAttr(0), kLanes);
    for (auto [lane, row] : llvm::enumerate(rows)) {
      Value element = loadRow(v, from, v.add(row, d), /*lanes=*/1);
      vector = vector::InsertOp::create(v.b, v.loc, element, vector,
                                        static_cast<int64_t>(lane));
    }
    put(vector, d);
  });
}

/// [heads][keys][depth] to [heads][depth][padded keys], for all row blocks of a
/// head. Where there is only one it turns the keys itself.
void AttentionKernel::transposeKeys() {
  VectorBuilder host(program.code());
  Value isAlone = host.equal(rowBlocks, host.i64(1));
  Value size = host.product({heads, depth, paddedKeys, host.i64(4)});
  transposed = program.temporary(host.select(isAlone, host.i64(64), size));
  Rows from = key;
  Value to = transposed, count = keys, padded = paddedKeys, length = depth;
  Value panels = host.div(paddedKeys, host.i64(kLanes));
  Value parts = host.select(isAlone, host.i64(0), host.mul(heads, panels));
  CaptureList list;
  from.capture(list);
  list.add({&to, &count, &padded, &length, &panels});
  program.launch(
      "transpose_keys", list.values(), parts, [&](KernelScope &scope) {
        list.enter(scope);
        VectorBuilder v(scope.b, scope.loc);
        Value head = v.div(scope.part, panels);
        Value first = v.mul(v.rem(scope.part, panels), v.i64(kLanes));
        Value base = v.add(v.product({head, length, padded}), first);
        turnRows(v, from, head, first, count, length,
                 v.address(to, base, v.b.getF32Type()), padded);
      });
}

/// The keys of a block, for the one row block of a head.
void AttentionKernel::turnBlock(VectorBuilder &v, Value head, Value firstKey) {
  for (int64_t i = 0; i < kBlockVectors; ++i)
    turnRows(v, key, head, v.add(firstKey, v.i64(i * kLanes)), keys, depth,
             v.address(turned, v.i64(i * kLanes), v.b.getF32Type()),
             v.i64(kBlockKeys));
}

void AttentionKernel::capture(CaptureList &captures) {
  captures.add({&heads, &queries, &depth, &keys, &width, &query, &mask,
                &maskRowStride, &maskRowLength, &paddedKeys, &transposed,
                &paddedWidth, &rowBlocks, &scratch, &bytesPerThread});
  key.capture(captures);
  value.capture(captures);
  for (auto *list : {&leading, &maskStrides})
    for (Value &entry : *list)
      captures.add(entry);
  headAxes.capture(captures);
}

LogicalResult AttentionKernel::emit() {
  setOperands();
  transposeKeys();
  VectorBuilder host(program.code());
  SmallVector<int64_t> groups;
  int64_t rank = leading.size() + 2;
  headAxes =
      groupAxes(epilogue, program.dims(op.getResult()), 0, rank - 2, groups);
  groups.append({rank - 2, rank - 1});
  laneGroup = groups.size() - 1;
  epilogue.collapse(groups);
  // Scores, sums, and three numbers a row; a block of keys, and one of values.
  Value words = host.mul(host.i64(kBlockRows),
                         host.add(paddedWidth, host.i64(kBlockKeys + 16)));
  words = host.add(words, host.mul(depth, host.i64(kBlockKeys)));
  if (!value.areFloats())
    words = host.add(words, host.mul(paddedWidth, host.i64(kBlockKeys)));
  bytesPerThread = host.mul(words, host.i64(4));
  scratch = program.scratch(bytesPerThread);
  Value parts = host.mul(heads, rowBlocks);
  CaptureList list;
  capture(list);
  launch(program, "attention", list, epilogue, parts,
         [&](VectorBuilder &v, KernelScope &scope) { writePart(v, scope); });
  return success();
}

void AttentionKernel::writePart(VectorBuilder &v, KernelScope &scope) {
  Type f32 = v.b.getF32Type();
  Value mine =
      v.address(scratch, v.mul(scope.thread, bytesPerThread), v.b.getI8Type());
  scores = mine;
  maxima = v.address(mine, v.i64(kBlockRows * kBlockKeys), f32);
  totals = v.address(maxima, v.i64(kBlockRows), f32);
  factors = v.address(totals, v.i64(kBlockRows), f32);
  sums = v.address(mine, v.i64(kBlockRows * (kBlockKeys + 16)), f32);
  turned = v.address(sums, v.mul(v.i64(kBlockRows), paddedWidth), f32);
  decoded = v.address(turned, v.mul(v.i64(kBlockKeys), depth), f32);

  Value head = v.div(scope.part, rowBlocks);
  Value firstRow = v.mul(v.rem(scope.part, rowBlocks), v.i64(kBlockRows));
  Value numRows = v.min(v.sub(queries, firstRow), v.i64(kBlockRows));
  Value zero = v.constant(v.b.getF32FloatAttr(0), kLanes);
  v.loop(v.i64(0), v.mul(numRows, paddedWidth), kLanes,
         [&](Value at) { v.store(zero, sums, at); });
  v.loop(v.i64(0), numRows, 1, [&](Value i) {
    v.storeScalar(v.f32(-numerics::infinity), maxima, i);
    v.storeScalar(v.f32(0), totals, i);
  });
  v.loop(v.i64(0), keys, kBlockKeys, [&](Value firstKey) {
    addBlock(v, head, firstRow, numRows, firstKey);
  });
  v.loop(v.i64(0), numRows, 1,
         [&](Value i) { finishRow(v, head, v.add(firstRow, i), i); });
}

void AttentionKernel::addBlock(VectorBuilder &v, Value head, Value firstRow,
                               Value numRows, Value firstKey) {
  v.ifThen(v.equal(rowBlocks, v.i64(1)), [&] { turnBlock(v, head, firstKey); });
  emitScores(v, head, firstRow, numRows, firstKey);
  v.loop(v.i64(0), numRows, 1,
         [&](Value i) { updateRow(v, head, v.add(firstRow, i), i, firstKey); });
  addValues(v, head, numRows, firstKey);
}

void AttentionKernel::emitScores(VectorBuilder &v, Value head, Value firstRow,
                                 Value numRows, Value firstKey) {
  const Tier &tier = program.tier();
  Type f32 = v.b.getF32Type();
  bool isWide = largestTile(tier, DotKind::Float).vectors > 1;
  SmallVector<int64_t> sizes =
      isWide ? SmallVector<int64_t>{6, 2, 1} : SmallVector<int64_t>{1};
  TileOperands operands;
  operands.rowStride = depth;
  operands.rowStep = v.i64(1);
  Value isAlone = v.equal(rowBlocks, v.i64(1));
  Value ofAll = v.address(
      transposed, v.add(v.product({head, depth, paddedKeys}), firstKey), f32);
  operands.lanes = v.select(isAlone, turned, ofAll);
  operands.vectorStride = v.i64(kLanes);
  operands.laneStep = v.select(isAlone, v.i64(kBlockKeys), paddedKeys);
  operands.steps = depth;
  forEachPiece(v, numRows, sizes, [&](int64_t size, Value i) {
    Value row = v.add(v.mul(head, queries), v.add(firstRow, i));
    operands.rows = v.address(query, v.mul(row, depth), f32);
    Value target = v.address(scores, v.mul(i, v.i64(kBlockKeys)), f32);
    emitTile(v, tier, DotKind::Float, {size, kBlockVectors}, operands, target,
             v.i64(kBlockKeys));
  });
}

Value AttentionKernel::addMask(VectorBuilder &v, Value score, Value head,
                               Value row, Value key) {
  Type f32 = v.b.getF32Type();
  Value offset = v.mul(row, maskRowStride);
  for (auto [coordinate, stride] :
       llvm::zip(v.delinearize(head, leading), maskStrides))
    offset = v.add(offset, v.mul(coordinate, stride));
  Value first = v.splat(v.loadScalar(mask, offset, f32));
  Value term = first;
  if (maskVaries) {
    Value left = v.sub(maskRowLength, key);
    term = v.loadMasked(mask, v.add(offset, key), f32, v.max(left, v.i64(0)));
    Value isOne = v.equal(maskRowLength, v.i64(1));
    term = v.select(isOne, first, term);
  }
  return arith::AddFOp::create(v.b, v.loc, score, term);
}

void AttentionKernel::updateRow(VectorBuilder &v, Value head, Value row,
                                Value i, Value firstKey) {
  numerics::MLIRPolicy lanes(v.b, v.loc, kLanes), one(v.b, v.loc);
  Type f32 = v.b.getF32Type();
  Value base = v.mul(i, v.i64(kBlockKeys));
  Value scale = lanes.f(op.getScale().convertToFloat());
  SmallVector<Value> s;
  Value largest;
  for (int64_t j = 0; j < kBlockVectors; ++j) {
    Value first = v.add(firstKey, v.i64(j * kLanes));
    Value score =
        lanes.mul(v.load(scores, v.add(base, v.i64(j * kLanes)), f32), scale);
    if (mask)
      score = addMask(v, score, head, row, first);
    score = keepLanes(v, score, v.sub(keys, first), v.f32(-numerics::infinity));
    s.push_back(score);
    largest = largest ? lanes.max(score, largest) : score;
  }
  Value before = v.loadScalar(maxima, i, f32);
  Value now = one.max(maxLanes(v, largest), before);
  Value isEmpty = one.oeq(now, one.f(-numerics::infinity));
  Value center = one.select(isEmpty, one.f(0), now);
  Value wide = v.splat(center);
  Value partial = lanes.f(0);
  for (int64_t j = 0; j < kBlockVectors; ++j) {
    Value p = numerics::expF32(lanes, lanes.sub(s[j], wide));
    partial = lanes.add(partial, p);
    v.store(p, scores, v.add(base, v.i64(j * kLanes)));
  }
  Value factor = numerics::expF32(one, one.sub(before, center));
  Value total =
      one.fma(factor, v.loadScalar(totals, i, f32), sumLanes(v, partial));
  v.storeScalar(now, maxima, i);
  v.storeScalar(total, totals, i);
  v.storeScalar(factor, factors, i);
}

void AttentionKernel::decodeValues(VectorBuilder &v, Value head, Value firstKey,
                                   Value count) {
  Type f32 = v.b.getF32Type();
  Value firstScale;
  if (value.scales)
    firstScale = v.add(v.mul(head, value.scaleSlots), firstKey);
  Value firstRow = v.add(v.mul(head, value.slots), firstKey);
  v.loop(v.i64(0), count, 1, [&](Value i) {
    Value scale;
    if (value.scales)
      scale = v.splat(v.loadScalar(value.scales, v.add(firstScale, i), f32));
    Value from = v.mul(v.add(firstRow, i), width);
    Value to = v.mul(i, paddedWidth);
    v.loop(v.i64(0), paddedWidth, kLanes, [&](Value lane) {
      Value real = loadRow(v, value, v.add(from, lane));
      if (scale)
        real = arith::MulFOp::create(v.b, v.loc, real, scale);
      v.store(real, decoded, v.add(to, lane));
    });
  });
}

void AttentionKernel::addValues(VectorBuilder &v, Value head, Value numRows,
                                Value firstKey) {
  const Tier &tier = program.tier();
  Type f32 = v.b.getF32Type();
  TileSize largest = largestTile(tier, DotKind::Float);
  SmallVector<int64_t> rowSizes{largest.rows, largest.rows / 2, 1};
  SmallVector<int64_t> vectorSizes;
  for (int64_t size = largest.vectors; size > 0; --size)
    vectorSizes.push_back(size);
  TileOperands operands;
  operands.rowStride = v.i64(kBlockKeys);
  operands.rowStep = v.i64(1);
  operands.vectorStride = v.i64(kLanes);
  operands.laneStep = value.areFloats() ? width : paddedWidth;
  operands.steps = v.min(v.sub(keys, firstKey), v.i64(kBlockKeys));
  Value block = decoded;
  if (!value.areFloats())
    decodeValues(v, head, firstKey, operands.steps);
  else
    block =
        v.address(value.pointer,
                  v.mul(v.add(v.mul(head, value.slots), firstKey), width), f32);
  Value vectors = v.div(paddedWidth, v.i64(kLanes));
  forEachPiece(v, vectors, vectorSizes, [&](int64_t vectorCount, Value vector) {
    Value lane = v.mul(vector, v.i64(kLanes));
    operands.lanes = v.address(block, lane, f32);
    forEachPiece(v, numRows, rowSizes, [&](int64_t rowCount, Value i) {
      operands.rows = v.address(scores, v.mul(i, v.i64(kBlockKeys)), f32);
      Value target = v.address(sums, v.add(v.mul(i, paddedWidth), lane), f32);
      auto scaled = [&](int64_t row, int64_t j) -> Value {
        Value old = v.load(
            target, v.add(v.mul(v.i64(row), paddedWidth), v.i64(j * kLanes)),
            f32);
        Value factor = v.loadScalar(factors, v.add(i, v.i64(row)), f32);
        return arith::MulFOp::create(v.b, v.loc, v.splat(factor), old);
      };
      emitTile(v, tier, DotKind::Float, {rowCount, vectorCount}, operands,
               target, paddedWidth, scaled);
    });
  });
}

void AttentionKernel::finishRow(VectorBuilder &v, Value head, Value row,
                                Value i) {
  numerics::MLIRPolicy lanes(v.b, v.loc, kLanes);
  Type f32 = v.b.getF32Type();
  Value total = v.splat(v.loadScalar(totals, i, f32));
  Value isZero = lanes.oeq(total, lanes.f(0));
  Value empty = lanes.f(0);
  if (!op.getMaskedRowsAreZero())
    empty =
        v.select(v.equal(keys, v.i64(0)), empty, lanes.f(numerics::quietNaN));
  v.loop(v.i64(0), width, kLanes, [&](Value lane) {
    Value sum = v.load(sums, v.add(v.mul(i, paddedWidth), lane), f32);
    Value result = lanes.select(isZero, empty, lanes.div(sum, total));
    Epilogue::Lanes at;
    headAxes.append(v, head, at.coordinates);
    at.coordinates.append({row, lane});
    at.laneGroup = laneGroup;
    at.count = v.min(v.sub(width, lane), v.i64(kLanes));
    epilogue.finish(v.b, at, result);
  });
}

bool cpu::readsKeysWithSlots(Operation *op, Value value, int64_t axis) {
  auto isRead = [](OpOperand &use) {
    Operation *reader = use.getOwner();
    return isKeyOrValue(use) || (isa<DequantizeOp, CastOp>(reader) &&
                                 llvm::all_of(reader->getUses(), isKeyOrValue));
  };
  for (OpOperand &use : op->getOpOperands()) {
    if (use.get() != value)
      continue;
    Value inside = op->getRegion(0).getArgument(use.getOperandNumber());
    if (axis != cast<RankedTensorType>(inside.getType()).getRank() - 2 ||
        !llvm::all_of(inside.getUses(), isRead))
      return false;
  }
  return true;
}

kernel::Match cpu::checkAttention(const Tier &, Operation *op) {
  Operation *root = cast<kernel::AttentionOp>(op).getRoot();
  for (OpOperand &use : root->getOpOperands()) {
    if (!getElementTypeOrSelf(use.get()).isF32())
      return host::unsupported(getElementTypeOrSelf(use.get()));
    Operation *maker = use.get().getDefiningOp();
    // Taken apart, what decodes otherwise has a kernel of its own.
    if (maker &&
        !(isKeyOrValue(use) && decodesRows(maker) &&
          llvm::all_of(maker->getOperands(), llvm::IsaPred<BlockArgument>)))
      return kernel::Match::other();
  }
  return kernel::Match::success();
}

LogicalResult cpu::emitAttention(CpuProgram &program, Operation *op) {
  auto root = cast<qopt::AttentionOp>(cast<kernel::AttentionOp>(op).getRoot());
  Epilogue epilogue(program, op, root.getResult(), root.getResult());
  return AttentionKernel(program, root, epilogue).emit();
}
