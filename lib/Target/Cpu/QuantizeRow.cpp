//===- QuantizeRow.cpp - Codes of a row with scales of its own ------------===//
//
// A row is read twice, from cache.
//
//===----------------------------------------------------------------------===//

#include "QuantizeRow.h"
#include "RowMath.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

kernel::Match cpu::checkQuantization(QuantizeDynamicOp op) {
  const BlockFormat *format = lookupFormat(op.getFormat().getName());
  Type x = getElementTypeOrSelf(op.getX());
  Type codes = getElementTypeOrSelf(op.getCodes());
  if (!laneType(x) || !laneType(x).isF32() ||
      elementFormatOf(codes) != format->element) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "no codes of type " << codes << " are made of " << x;
    return kernel::Match::failure(text);
  }
  if (!op.getFormat().isBlocked() && !format->elementInfo().isInteger())
    return kernel::Match::failure("format " + op.getFormat().getName() +
                                  " has no blocks");
  return kernel::Match::success();
}

Quantization cpu::readQuantization(QuantizeDynamicOp op) {
  Quantization q;
  q.op = op;
  q.format = lookupFormat(op.getFormat().getName());
  q.xType = getElementTypeOrSelf(op.getX());
  q.codeType = getElementTypeOrSelf(op.getCodes());
  q.rule = op.getRule();
  for (Value scale : op.getScales())
    q.scaleTypes.push_back(getElementTypeOrSelf(scale));
  if (op.getFormat().isBlocked()) {
    q.axis = op.getFormat().getAxis();
    q.block = op.getFormat().getBlockSize();
  }
  return q;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

static Value loadX(VectorBuilder &v, const Quantization &q, Run x, Value index,
                   Value count) {
  return v.loadLanes(x.pointer, v.add(x.begin, index), q.xType, count);
}

Value cpu::largestMagnitude(VectorBuilder &v, const Quantization &q, Run x,
                            Value size) {
  MLIRPolicy policy(v.b, v.loc, kLanes);
  auto maxima = loopRow(v, size, {policy.f(0)},
                        [&](Value index, Value count, ValueRange carried) {
                          Value lanes = loadX(v, q, x, index, count);
                          Value next =
                              policy.max(policy.abs(lanes), carried[0]);
                          if (count)
                            next = v.select(v.mask(count), next, carried[0]);
                          return SmallVector<Value>{next};
                        });
  return maxLanes(v, maxima[0]);
}

void cpu::writeIntegers(VectorBuilder &v, const Quantization &q, Run x,
                        Run codes, Value size, Value inverse) {
  const ElementFormatInfo &info = q.format->elementInfo();
  MLIRPolicy policy(v.b, v.loc, kLanes);
  Value factor = v.splat(inverse);
  loopRow(v, size, {}, [&](Value index, Value count, ValueRange) {
    Value lanes = loadX(v, q, x, index, count);
    Value code = numerics::quantizeToInt(policy, lanes, factor, policy.i(0),
                                         info.symmetricMin, info.symmetricMax);
    v.storeLanes(code, codes.pointer, v.add(codes.begin, index), q.codeType,
                 count);
    return SmallVector<Value>();
  });
}

void cpu::quantizeIntegers(VectorBuilder &v, const Quantization &q, Run x,
                           Run codes, Run scale, Value size) {
  MLIRPolicy one(v.b, v.loc);
  auto factors = numerics::symmetricScale(one, largestMagnitude(v, q, x, size),
                                          q.format->elementInfo().symmetricMax);
  q.writeScale(v, 0, scale.pointer, factors.scale, scale.begin);
  writeIntegers(v, q, x, codes, size, factors.inverse);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Value BlockRule::scaleByte(MLIRPolicy &b, Value amax) const {
  return isNvfp4 ? numerics::nvfp4ScaleCode(b, amax, b.splat(encodeScale))
                 : numerics::mxScaleByte(b, amax, format, rule);
}

Value BlockRule::prepare(MLIRPolicy &b, Value byte) const {
  return isNvfp4 ? numerics::nvfp4Step(b, byte, b.splat(encodeScale)) : byte;
}

Value BlockRule::code(MLIRPolicy &b, Value x, Value amax,
                      Value prepared) const {
  return isNvfp4 ? numerics::nvfp4ElementCode(b, x, prepared)
                 : numerics::mxElementCode(b, x, amax, prepared, format);
}

void cpu::quantizeBlocks(VectorBuilder &v, const Quantization &q,
                         const BlockRule &rule, Run x, Run codes, Run scales,
                         Value size) {
  MLIRPolicy lanes(v.b, v.loc, kLanes), one(v.b, v.loc);
  Value blocks = v.ceilDiv(size, v.i64(q.block));
  v.loop(v.i64(0), blocks, 1, [&](Value i) {
    Value first = v.mul(i, v.i64(q.block));
    Value length = v.min(v.sub(size, first), v.i64(q.block));
    Run from{x.pointer, v.add(x.begin, first)};
    Run to{codes.pointer, v.add(codes.begin, first)};
    auto maxima =
        loopRow(v, length, {lanes.i(0)},
                [&](Value index, Value count, ValueRange carried) {
                  Value bits = numerics::magnitudeBits(
                      lanes, loadX(v, q, from, index, count));
                  bits = keepLanes(v, bits, count, v.i32(0));
                  return SmallVector<Value>{lanes.maxS(bits, carried[0])};
                });
    Value amax = maxLanes(v, maxima[0]);
    Value byte = rule.scaleByte(one, amax);
    q.writeScale(v, 0, scales.pointer, byte, v.add(scales.begin, i));
    Value amaxLanes = v.splat(amax);
    Value prepared = v.splat(rule.prepare(one, byte));
    loopRow(v, length, {}, [&](Value index, Value count, ValueRange) {
      Value element = loadX(v, q, from, index, count);
      v.storeLanes(rule.code(lanes, element, amaxLanes, prepared), to.pointer,
                   v.add(to.begin, index), q.codeType, count);
      return SmallVector<Value>();
    });
  });
}

Value cpu::encodeScaleOf(VectorBuilder &v, Value amax) {
  MLIRPolicy one(v.b, v.loc);
  return numerics::nvfp4EncodeScaleOfBits(one, one.bitsOf(amax));
}

void cpu::writeOuterScale(VectorBuilder &v, const Quantization &q,
                          Value encodeScale, Run scale) {
  MLIRPolicy one(v.b, v.loc);
  q.writeScale(v, 1, scale.pointer, one.div(one.f(1), encodeScale),
               scale.begin);
}

void cpu::quantizeRowOfBlocks(VectorBuilder &v, const Quantization &q, Run x,
                              Run codes, ArrayRef<Run> scales, Value size) {
  BlockRule rule{*q.format, q.rule, q.isNvfp4()};
  if (rule.isNvfp4) {
    rule.encodeScale = encodeScaleOf(v, largestMagnitude(v, q, x, size));
    writeOuterScale(v, q, rule.encodeScale, scales[1]);
  }
  quantizeBlocks(v, q, rule, x, codes, scales[0], size);
}

//===----------------------------------------------------------------------===//
// Rows of a kernel
//===----------------------------------------------------------------------===//

RowQuantizer::RowQuantizer(HostProgram &program,
                           const Quantization &quantization, Value codes,
                           ArrayRef<Value> scales, Value size)
    : quantization(quantization), codes(codes), size(size), scales(scales) {
  VectorBuilder v(program.code());
  this->quantization.xType = v.b.getF32Type();
  scalesPerRow = quantization.block ? v.ceilDiv(size, v.i64(quantization.block))
                                    : v.i64(1);
}

void RowQuantizer::run(VectorBuilder &v, Run x, Value row) const {
  const Quantization &q = quantization;
  Run to{codes, v.mul(row, size)};
  SmallVector<Run> beside{{scales[0], v.mul(row, scalesPerRow)}};
  for (Value outer : ArrayRef(scales).drop_front())
    beside.push_back({outer, row});
  if (q.block)
    quantizeRowOfBlocks(v, q, x, to, beside, size);
  else
    quantizeIntegers(v, q, x, to, beside[0], size);
}
