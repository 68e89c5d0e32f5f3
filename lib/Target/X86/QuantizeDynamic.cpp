//===- QuantizeDynamic.cpp - Codes with scales made from the data ---------===//
//
// Rows are read twice, from cache. What needs a maximum over more than a row (a
// sample, NVFP4's tensor) takes it in a pass of its own, piece by piece.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "RowMath.h"
#include "RowSource.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;
using numerics::MLIRPolicy;

/// Elements of a part, and of a piece of which the maximum is kept.
static constexpr int64_t partElements = 8192;

namespace {
/// What all ways to quantize share.
struct Quantization {
  ProgramEmitter &program;
  QuantizeDynamicOp root;
  const BlockFormat &format;
  Type xType, codeType;
  /// Null where the result is not used.
  Value x, codes;
  SmallVector<Value> scales;
  SmallVector<Value> dims;
  SmallVector<Type> scaleTypes;
  /// Of blocks: their axis and size.
  int64_t axis = 0, block = 0;
};
} // namespace

static Value loadX(VectorBuilder &v, const Quantization &q, Value pointer,
                   Value offset, Value count) {
  return v.loadLanes(pointer, offset, q.xType, count);
}

/// The largest magnitude of x[begin, begin + size), as f32 where NaN wins.
static Value magnitudeOfRow(VectorBuilder &v, const Quantization &q,
                            Value pointer, Value begin, Value size) {
  MLIRPolicy policy(v.b, v.loc, kLanes);
  auto maxima = loopRow(
      v, size, {policy.f(0)},
      [&](Value index, Value count, ValueRange carried) {
        Value x = loadX(v, q, pointer, v.add(begin, index), count);
        Value next = policy.max(policy.abs(x), carried[0]);
        if (count)
          next = v.select(v.mask(count), next, carried[0]);
        return SmallVector<Value>{next};
      });
  return maxLanes(v, maxima[0]);
}

/// Writes the integer codes of a run of elements.
static void writeIntegers(VectorBuilder &v, const Quantization &q,
                          Value pointer, Value codes, Value begin, Value size,
                          Value inverse) {
  const ElementFormatInfo &info = q.format.elementInfo();
  MLIRPolicy policy(v.b, v.loc, kLanes);
  Value factor = v.splat(inverse);
  loopRow(v, size, {}, [&](Value index, Value count, ValueRange) {
    Value offset = v.add(begin, index);
    Value x = loadX(v, q, pointer, offset, count);
    Value code = numerics::quantizeToInt(policy, x, factor, policy.i(0),
                                         info.symmetricMin, info.symmetricMax);
    v.storeLanes(code, codes, offset, q.codeType, count);
    return SmallVector<Value>();
  });
}

static void writeScale(VectorBuilder &v, const Quantization &q, unsigned i,
                       Value pointer, Value value, Value offset) {
  v.storeScalar(v.narrow(value, q.scaleTypes[i]), pointer, offset);
}

/// Integers, a scale for each run along the last axis.
static void emitIntegerRows(const Quantization &q) {
  VectorBuilder host = q.program.vectors();
  Value size = q.dims.back();
  Value rows = host.product(ArrayRef(q.dims).drop_back());
  Value perPart = rowsPerPart(host, size, partElements);
  q.program.launch(
      "quantize_dynamic",
      {q.x, q.codes, q.scales[0], size, rows, perPart},
      host.ceilDiv(rows, perPart), [&](KernelScope &scope) {
        VectorBuilder v = scope.vectors();
        MLIRPolicy one(scope.b, scope.loc);
        ArrayRef<Value> own(scope.captures);
        Value low = v.mul(scope.part, own[5]);
        Value high = v.min(own[4], v.add(low, own[5]));
        v.loop(low, high, 1, [&](Value row) {
          Value begin = v.mul(row, own[3]);
          Value amax = magnitudeOfRow(v, q, own[0], begin, own[3]);
          auto scale = numerics::symmetricScale(
              one, amax, q.format.elementInfo().symmetricMax);
          writeScale(v, q, 0, own[2], scale.scale, row);
          writeIntegers(v, q, own[0], own[1], begin, own[3], scale.inverse);
        });
      });
}

namespace {
/// Maxima of the pieces of rows: `perRow` for each of `rows` rows of `size`.
struct Pieces {
  Value maxima, rows, size, perRow;
};
} // namespace

static Pieces emitPieceMaxima(const Quantization &q, Value rows, Value size) {
  VectorBuilder host = q.program.vectors();
  Value perRow = host.ceilDiv(size, host.i64(partElements));
  Value parts = host.mul(rows, perRow);
  Value maxima =
      q.program.temporary(host.add(host.mul(parts, host.i64(4)), host.i64(64)));
  q.program.launch(
      "largest_magnitude", {q.x, maxima, size, perRow}, parts,
      [&](KernelScope &scope) {
        VectorBuilder v = scope.vectors();
        ArrayRef<Value> own(scope.captures);
        Value row = v.div(scope.part, own[3]);
        Value first =
            v.mul(v.rem(scope.part, own[3]), v.i64(partElements));
        Value length = v.min(v.sub(own[2], first), v.i64(partElements));
        Value begin = v.add(v.mul(row, own[2]), first);
        v.storeScalar(magnitudeOfRow(v, q, own[0], begin, length), own[1],
                      scope.part);
      });
  return {maxima, rows, size, perRow};
}

/// The largest of the `perRow` maxima of a row.
static Value joinPieces(VectorBuilder &v, Value maxima, Value row,
                        Value perRow) {
  MLIRPolicy one(v.b, v.loc);
  Value first = v.mul(row, perRow);
  return v.loop(v.i64(0), perRow, 1, {one.f(0)},
                [&](Value i, ValueRange carried) {
                  Value piece = v.loadScalar(maxima, v.add(first, i),
                                             v.b.getF32Type());
                  return SmallVector<Value>{one.max(piece, carried[0])};
                })[0];
}

/// Integers, a scale for each index of the first axis.
static void emitIntegerSamples(const Quantization &q) {
  VectorBuilder host = q.program.vectors();
  Value size = host.product(ArrayRef(q.dims).drop_front());
  Pieces pieces = emitPieceMaxima(q, q.dims.front(), size);
  q.program.launch(
      "quantize_dynamic",
      {q.x, q.codes, q.scales[0], size, pieces.perRow, pieces.maxima},
      host.mul(pieces.rows, pieces.perRow), [&](KernelScope &scope) {
        VectorBuilder v = scope.vectors();
        MLIRPolicy one(scope.b, scope.loc);
        ArrayRef<Value> own(scope.captures);
        Value row = v.div(scope.part, own[4]);
        Value first = v.mul(v.rem(scope.part, own[4]), v.i64(partElements));
        Value length = v.min(v.sub(own[3], first), v.i64(partElements));
        auto scale = numerics::symmetricScale(
            one, joinPieces(v, own[5], row, own[4]),
            q.format.elementInfo().symmetricMax);
        v.ifThen(v.equal(first, v.i64(0)), [&] {
          writeScale(v, q, 0, own[2], scale.scale, row);
        });
        writeIntegers(v, q, own[0], own[1], v.add(v.mul(row, own[3]), first),
                      length, scale.inverse);
      });
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {
/// The formulas of a block format, in lanes or on scalars.
struct BlockRule {
  const BlockFormat &format;
  ScaleRule rule;
  bool isNvfp4;
  /// NVFP4: the factor of the tensor, a scalar.
  Value encodeScale;

  /// The byte of a block's scale from the bits of its largest magnitude.
  Value scaleByte(MLIRPolicy &b, Value amax) const {
    return isNvfp4 ? numerics::nvfp4ScaleCode(b, amax, b.splat(encodeScale))
                   : numerics::mxScaleByte(b, amax, format, rule);
  }
  /// What elements need of the block: NVFP4's step.
  Value prepare(MLIRPolicy &b, Value byte) const {
    return isNvfp4 ? numerics::nvfp4Step(b, byte, b.splat(encodeScale)) : byte;
  }
  Value code(MLIRPolicy &b, Value x, Value amax, Value prepared) const {
    return isNvfp4 ? numerics::nvfp4ElementCode(b, x, prepared)
                   : numerics::mxElementCode(b, x, amax, prepared, format);
  }
};
} // namespace

/// Blocks along the last axis: one at a time.
static void quantizeLine(VectorBuilder &v, const Quantization &q,
                         const BlockRule &rule, Value pointer, Value codes,
                         Value scales, Value row, Value size, Value blocks) {
  OpBuilder &b = v.b;
  MLIRPolicy lanes(b, v.loc, kLanes), one(b, v.loc);
  int64_t block = q.block;
  v.loop(v.i64(0), blocks, 1, [&](Value i) {
    Value first = v.mul(i, v.i64(block));
    Value length = v.min(v.sub(size, first), v.i64(block));
    Value begin = v.add(v.mul(row, size), first);
    auto maxima = loopRow(
        v, length, {lanes.i(0)},
        [&](Value index, Value count, ValueRange carried) {
          Value x = loadX(v, q, pointer, v.add(begin, index), count);
          Value bits = numerics::magnitudeBits(lanes, x);
          bits = keepLanes(v, bits, count, v.i32(0));
          return SmallVector<Value>{lanes.maxS(bits, carried[0])};
        });
    Value amax = maxLanes(v, maxima[0]);
    Value byte = rule.scaleByte(one, amax);
    writeScale(v, q, 0, scales, byte, v.add(v.mul(row, blocks), i));
    Value amaxLanes = v.splat(amax);
    Value prepared = v.splat(rule.prepare(one, byte));
    loopRow(v, length, {}, [&](Value index, Value count, ValueRange) {
      Value offset = v.add(begin, index);
      Value x = loadX(v, q, pointer, offset, count);
      v.storeLanes(rule.code(lanes, x, amaxLanes, prepared), codes, offset,
                   q.codeType, count);
      return SmallVector<Value>();
    });
  });
}

/// Blocks along another axis: 16 beside each other. `row` counts (outer, block).
static void quantizeColumns(VectorBuilder &v, const Quantization &q,
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
    Value amax =
        v.loop(v.i64(0), length, 1, {lanes.i(0)},
               [&](Value j, ValueRange carried) {
                 Value x = loadX(v, q, pointer, at(j), count);
                 Value bits = numerics::magnitudeBits(lanes, x);
                 return SmallVector<Value>{lanes.maxS(bits, carried[0])};
               })[0];
    Value byte = rule.scaleByte(lanes, amax);
    v.storeLanes(byte, scales, v.add(v.mul(row, inner), column),
                 q.scaleTypes[0], count);
    Value prepared = rule.prepare(lanes, byte);
    v.loop(v.i64(0), length, 1, [&](Value j) {
      Value x = loadX(v, q, pointer, at(j), count);
      v.storeLanes(rule.code(lanes, x, amax, prepared), codes, at(j),
                   q.codeType, count);
    });
    return SmallVector<Value>();
  });
}

static void emitBlocks(const Quantization &q, ScaleRule scaleRule) {
  VectorBuilder host = q.program.vectors();
  bool isNvfp4 = !q.format.hasSharedExponent();
  int64_t axis = q.axis;
  ArrayRef<Value> dims(q.dims);
  Value outer = host.product(dims.take_front(axis));
  Value size = dims[axis];
  Value inner = host.product(dims.drop_front(axis + 1));
  Value blocks = host.ceilDiv(size, host.i64(q.block));
  bool isLast = knownNumber(inner) == 1;
  SmallVector<Value> captures{q.x, q.codes, q.scales[0], size, blocks, inner};
  if (isNvfp4) {
    Pieces pieces = emitPieceMaxima(q, host.i64(1), host.product(dims));
    captures.append({pieces.maxima, pieces.perRow, q.scales[1]});
  }
  Value rows = isLast ? outer : host.mul(outer, blocks);
  Value rowSize = isLast ? size : host.mul(inner, host.i64(q.block));
  Value perPart = rowsPerPart(host, rowSize, partElements);
  size_t own = captures.size();
  captures.append({rows, perPart});
  // A tensor without elements still has a scale.
  Value parts = host.ceilDiv(rows, perPart);
  if (isNvfp4)
    parts = host.max(parts, host.i64(1));
  q.program.launch(
      "quantize_dynamic", captures, parts, [&](KernelScope &scope) {
        VectorBuilder v = scope.vectors();
        MLIRPolicy one(scope.b, scope.loc);
        ArrayRef<Value> args(scope.captures);
        BlockRule rule{q.format, scaleRule, isNvfp4, Value()};
        if (isNvfp4) {
          Value amax = joinPieces(v, args[6], v.i64(0), args[7]);
          rule.encodeScale =
              numerics::nvfp4EncodeScaleOfBits(one, one.bitsOf(amax));
          v.ifThen(v.equal(scope.part, v.i64(0)), [&] {
            writeScale(v, q, 1, args[8],
                       one.div(one.f(1), rule.encodeScale), v.i64(0));
          });
        }
        Value low = v.mul(scope.part, args[own + 1]);
        Value high = v.min(args[own], v.add(low, args[own + 1]));
        v.loop(low, high, 1, [&](Value row) {
          if (isLast)
            quantizeLine(v, q, rule, args[0], args[1], args[2], row, args[3],
                         args[4]);
          else
            quantizeColumns(v, q, rule, args[0], args[1], args[2], row,
                            args[3], args[4], args[5]);
        });
      });
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

/// Gives each result of the root its memory: that of the kernel's result which
/// yields it, or a temporary where none does.
static LogicalResult placeResults(Quantization &q, Operation *op) {
  Operation *yield = op->getRegion(0).front().getTerminator();
  for (Value yielded : yield->getOperands())
    if (yielded.getDefiningOp() != q.root)
      return op->emitOpError("cannot have ops behind 'qopt.quantize_dynamic'");
  for (OpResult result : q.root->getResults()) {
    Value pointer;
    for (OpOperand &operand : yield->getOpOperands())
      if (operand.get() == result)
        pointer = q.program.allocate(op->getResult(operand.getOperandNumber()))
                      .pointer;
    if (!pointer) {
      VectorBuilder v = q.program.vectors();
      Value count = v.product(q.program.dims(result));
      Type element = getElementTypeOrSelf(result);
      pointer = q.program.temporary(
          v.mul(count, v.i64(bytesPerElement(element))));
    }
    if (result.getResultNumber() == 0)
      q.codes = pointer;
    else
      q.scales.push_back(pointer);
  }
  return success();
}

static std::optional<ScaleRule> findRule(StringRef name) {
  if (name == "floor")
    return ScaleRule::Floor;
  if (name == "ceil")
    return ScaleRule::Ceil;
  if (name == "even")
    return ScaleRule::Even;
  return std::nullopt;
}

LogicalResult x86::emitQuantizeDynamic(ProgramEmitter &program, Operation *op) {
  auto root = cast<QuantizeDynamicOp>(cast<kernel::RowsOp>(op).getRoot());
  const BlockFormat &format = *lookupFormat(root.getFormat().getName());
  Type xType = getElementTypeOrSelf(root.getX());
  Type codeType = getElementTypeOrSelf(root.getCodes());
  std::optional<ScaleRule> rule = findRule(root.getRule());
  bool isBlocked = root.getFormat().isBlocked();
  if (!laneType(xType) || !isa<FloatType>(laneType(xType)) ||
      elementFormatOf(codeType) != format.element)
    return root.emitOpError("has no x86-64 kernel from ")
           << xType << " to " << codeType;
  if (!isBlocked && !format.elementInfo().isInteger())
    return root.emitOpError("has no x86-64 kernel for format ")
           << root.getFormat().getName();
  if (!rule)
    return root.emitOpError("expects rule floor, ceil or even, but found ")
           << root.getRule();
  if (!isa<BlockArgument>(root.getX()))
    return root.emitOpError("expects an operand of its kernel");
  Quantization q{program, root, format, xType, codeType, Value(), Value(), {},
                 program.dims(root.getX()), {}};
  for (Value scale : root.getScales())
    q.scaleTypes.push_back(getElementTypeOrSelf(scale));
  q.axis = root.getFormat().getAxis();
  q.block = root.getFormat().getBlockSize();
  if (q.dims.empty())
    return root.emitOpError("expects a tensor of rank 1 or more");
  q.x = program.buffer(root.getX()).pointer;
  if (failed(placeResults(q, op)))
    return failure();
  if (isBlocked)
    emitBlocks(q, *rule);
  else if (root.getPer() == "sample")
    emitIntegerSamples(q);
  else
    emitIntegerRows(q);
  return success();
}
