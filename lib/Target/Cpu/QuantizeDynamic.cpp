//===- QuantizeDynamic.cpp - Codes with scales made from the data ---------===//
//
// Rows are read twice, from cache. The maximum of a sample, which is more than
// a row, is taken in a pass of its own, piece by piece.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "QuantizeRow.h"
#include "RowMath.h"
#include "RowSource.h"
#include "TrailingRows.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

/// Elements of a part, and of a piece of which the maximum is kept.
static constexpr int64_t kPartElements = 8192;

namespace {
/// A quantization whose operand lies in memory.
struct TensorQuantization : Quantization {
  TensorQuantization(HostProgram &program, const Quantization &q)
      : Quantization(q), program(program),
        x(program.buffer(op->getOperand(0)).pointer),
        dims(program.dims(op->getOperand(0))) {}

  HostProgram &program;
  Value x, codes;
  SmallVector<Value> scales, dims;
};
} // namespace

/// Integers, a scale for each run along the last axis.
static void emitIntegerRows(const TensorQuantization &q) {
  VectorBuilder host(q.program.code());
  Value size = q.dims.back();
  Value rows = host.product(ArrayRef(q.dims).drop_back());
  Value perPart = rowsPerPart(host, size, kPartElements);
  q.program.launch("quantize_dynamic",
                   {q.x, q.codes, q.scales[0], size, rows, perPart},
                   host.ceilDiv(rows, perPart), [&](KernelScope &scope) {
                     VectorBuilder v(scope.code());
                     ArrayRef<Value> own(scope.captures);
                     Value low = v.mul(scope.part, own[5]);
                     Value high = v.min(own[4], v.add(low, own[5]));
                     v.loop(low, high, 1, [&](Value row) {
                       Value begin = v.mul(row, own[3]);
                       quantizeIntegers(v, q, {own[0], begin}, {own[1], begin},
                                        {own[2], row}, own[3]);
                     });
                   });
}

namespace {
/// Maxima of the pieces of rows: `perRow` for each of `rows` rows of `size`.
struct Pieces {
  Value maxima, rows, size, perRow;
};
} // namespace

static Pieces emitPieceMaxima(const TensorQuantization &q, Value rows,
                              Value size) {
  VectorBuilder host(q.program.code());
  Value perRow = host.ceilDiv(size, host.i64(kPartElements));
  Value parts = host.mul(rows, perRow);
  Value maxima =
      q.program.temporary(host.add(host.mul(parts, host.i64(4)), host.i64(64)));
  q.program.launch(
      "largest_magnitude", {q.x, maxima, size, perRow}, parts,
      [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        ArrayRef<Value> own(scope.captures);
        Value row = v.div(scope.part, own[3]);
        Value first = v.mul(v.rem(scope.part, own[3]), v.i64(kPartElements));
        Value length = v.min(v.sub(own[2], first), v.i64(kPartElements));
        Value begin = v.add(v.mul(row, own[2]), first);
        v.storeScalar(largestMagnitude(v, q, {own[0], begin}, length), own[1],
                      scope.part);
      });
  return {maxima, rows, size, perRow};
}

/// The largest of the `perRow` maxima of a row.
static Value joinPieces(VectorBuilder &v, Value maxima, Value row,
                        Value perRow) {
  MLIRPolicy one(v.b, v.loc);
  Value first = v.mul(row, perRow);
  return v.loop(
      v.i64(0), perRow, 1, {one.f(0)}, [&](Value i, ValueRange carried) {
        Value piece = v.loadScalar(maxima, v.add(first, i), v.b.getF32Type());
        return SmallVector<Value>{one.max(piece, carried[0])};
      })[0];
}

/// Integers, a scale for each index of the first axis.
static void emitIntegerSamples(const TensorQuantization &q) {
  VectorBuilder host(q.program.code());
  Value size = host.product(ArrayRef(q.dims).drop_front());
  Pieces pieces = emitPieceMaxima(q, q.dims.front(), size);
  q.program.launch(
      "quantize_dynamic",
      {q.x, q.codes, q.scales[0], size, pieces.perRow, pieces.maxima},
      host.mul(pieces.rows, pieces.perRow), [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        MLIRPolicy one(scope.b, scope.loc);
        ArrayRef<Value> own(scope.captures);
        Value row = v.div(scope.part, own[4]);
        Value first = v.mul(v.rem(scope.part, own[4]), v.i64(kPartElements));
        Value length = v.min(v.sub(own[3], first), v.i64(kPartElements));
        auto scale =
            numerics::symmetricScale(one, joinPieces(v, own[5], row, own[4]),
                                     q.format->elementInfo().symmetricMax);
        v.ifThen(v.equal(first, v.i64(0)),
                 [&] { q.writeScale(v, 0, own[2], scale.scale, row); });
        Value begin = v.add(v.mul(row, own[3]), first);
        writeIntegers(v, q, {own[0], begin}, {own[1], begin}, length,
                      scale.inverse);
      });
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Blocks along another axis: 16 beside each other. `row` counts (outer,
/// block).
static void quantizeColumns(VectorBuilder &v, const TensorQuantization &q,
                            const BlockRule &rule, Value pointer, Value codes,
                            Value scales, Value row, Value size, Value blocks,
                            Value inner) {
  MLIRPolicy lanes(v.b, v.loc, kLanes);
  int64_t block = q.block;
  Value first = v.mul(v.rem(row, blocks), v.i64(block));
  Value length = v.min(v.sub(size, first), v.i64(block));
  Value begin = v.mul(v.add(v.mul(v.div(row, blocks), size), first), inner);
  loopRow(v, inner, {}, [&](Value column, Value count, ValueRange) {
    Value start = v.add(begin, column);
    auto at = [&](Value j) { return v.add(start, v.mul(j, inner)); };
    Value amax = v.loop(
        v.i64(0), length, 1, {lanes.i(0)}, [&](Value j, ValueRange carried) {
          Value x = v.loadLanes(pointer, at(j), q.xType, count);
          Value bits = numerics::magnitudeBits(lanes, x);
          return SmallVector<Value>{lanes.maxS(bits, carried[0])};
        })[0];
    Value byte = rule.scaleByte(lanes, amax);
    v.storeLanes(byte, scales, v.add(v.mul(row, inner), column),
                 q.scaleTypes[0], count);
    Value prepared = rule.prepare(lanes, byte);
    v.loop(v.i64(0), length, 1, [&](Value j) {
      Value x = v.loadLanes(pointer, at(j), q.xType, count);
      v.storeLanes(rule.code(lanes, x, amax, prepared), codes, at(j),
                   q.codeType, count);
    });
    return SmallVector<Value>();
  });
}

/// NVFP4: writes the scale of each sample and returns the factors, in memory.
static Value emitSampleScales(const TensorQuantization &q) {
  VectorBuilder host(q.program.code());
  Value size = host.product(ArrayRef(q.dims).drop_front());
  Pieces pieces = emitPieceMaxima(q, q.dims.front(), size);
  Value factors = q.program.temporary(host.mul(pieces.rows, host.i64(4)));
  q.program.launch(
      "sample_scales", {pieces.maxima, pieces.perRow, q.scales[1], factors},
      pieces.rows, [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        ArrayRef<Value> own(scope.captures);
        Value sample = scope.part;
        Value factor = encodeScaleOf(v, joinPieces(v, own[0], sample, own[1]));
        writeOuterScale(v, q, factor, {own[2], sample});
        v.storeScalar(factor, own[3], sample);
      });
  return factors;
}

static void emitBlocks(const TensorQuantization &q) {
  VectorBuilder host(q.program.code());
  int64_t axis = q.axis;
  ArrayRef<Value> dims(q.dims);
  Value outer = host.product(dims.take_front(axis));
  Value size = dims[axis];
  Value inner = host.product(dims.drop_front(axis + 1));
  Value blocks = host.ceilDiv(size, host.i64(q.block));
  bool isLast = knownNumber(inner) == 1;
  bool ofSamples =
      q.isNvfp4() && QuantizeDynamicOp(q.op).getPer() == Per::Sample;
  Value rows = isLast ? outer : host.mul(outer, blocks);
  Value rowSize = isLast ? size : host.mul(inner, host.i64(q.block));
  Value perPart = rowsPerPart(host, rowSize, kPartElements);
  SmallVector<Value> captures{q.x,    q.codes, q.scales[0], size,
                              blocks, inner,   rows,        perPart};
  if (ofSamples) {
    Value perSample = host.product(dims.slice(1, axis - 1));
    captures.append({emitSampleScales(q),
                     isLast ? perSample : host.mul(perSample, blocks)});
  } else if (q.isNvfp4()) {
    captures.push_back(q.scales[1]);
  }
  q.program.launch(
      "quantize_dynamic", captures, host.ceilDiv(rows, perPart),
      [&](KernelScope &scope) {
        VectorBuilder v(scope.code());
        ArrayRef<Value> args(scope.captures);
        BlockRule rule{*q.format, q.rule, q.isNvfp4()};
        Value low = v.mul(scope.part, args[7]);
        Value high = v.min(args[6], v.add(low, args[7]));
        v.loop(low, high, 1, [&](Value row) {
          Run x{args[0], v.mul(row, args[3])}, codes{args[1], x.begin};
          SmallVector<Run> scales{{args[2], v.mul(row, args[4])}};
          if (ofSamples)
            rule.encodeScale =
                v.loadScalar(args[8], v.div(row, args[9]), v.b.getF32Type());
          else if (q.isNvfp4())
            scales.push_back({args[8], row});
          if (isLast && !ofSamples)
            quantizeRowOfBlocks(v, q, x, codes, scales, args[3]);
          else if (isLast)
            quantizeBlocks(v, q, rule, x, codes, scales[0], args[3]);
          else
            quantizeColumns(v, q, rule, args[0], args[1], args[2], row, args[3],
                            args[4], args[5]);
        });
      });
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

kernel::Match cpu::checkQuantizeDynamic(const AnyCpu &, Operation *op) {
  auto root = cast<QuantizeDynamicOp>(cast<kernel::RowsOp>(op).getRoot());
  if (kernel::Match match = checkQuantization(root); !match)
    return match;
  if (!isa<BlockArgument>(root.getX()))
    return kernel::Match::success();
  for (Value yielded : op->getRegion(0).front().getTerminator()->getOperands())
    if (yielded.getDefiningOp() != root)
      return kernel::Match::failure("ops stand behind the quantizer");
  return kernel::Match::success();
}

LogicalResult cpu::emitQuantizeDynamic(HostProgram &program, Operation *op) {
  auto root = cast<QuantizeDynamicOp>(cast<kernel::RowsOp>(op).getRoot());
  if (!isa<BlockArgument>(root.getX()))
    return emitTrailingRows(program, op, {"map", root.getX()}, root);
  TensorQuantization q(program, readQuantization(root));
  q.codes = placeOf(program, op, root.getCodes());
  for (Value scale : root.getScales())
    q.scales.push_back(placeOf(program, op, scale));
  if (q.block)
    emitBlocks(q);
  else if (root.getPer() == Per::Sample)
    emitIntegerSamples(q);
  else
    emitIntegerRows(q);
  return success();
}
