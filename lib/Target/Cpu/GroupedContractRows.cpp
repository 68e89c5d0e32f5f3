//===- GroupedContractRows.cpp - Rows of codes as tiles read them ---------===//
//
// Whole vectors are written; bytes behind the end of a row are 128.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractRows.h"
#include "GroupedContractIntegers.h"
#include "GroupedContractSources.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Bytes that are decoded at once.
static constexpr int64_t kRowBytes = 64;

RowDecoder::RowDecoder(CpuProgram &program, const GroupedOperand &operand,
                       const GroupShape &groups, Value rows, Value depth)
    : tier(program.tier()), operand(operand), groups(groups),
      scales(program, operand.scales, operand.tensor, operand.format),
      zeros(program, operand.zeros, operand.tensor, operand.format),
      depth(depth), source(program.buffer(operand.tensor).pointer) {
  VectorBuilder v(program.code());
  SmallVector<Value> dims = program.dims(operand.tensor);
  leading.assign(dims.begin(), dims.end() - 1);
  groupCount = groups.count(v);
  Value unit = v.i64(sumsIntegers(groups) ? kRowBytes : kLanes);
  elementStride = v.mul(v.ceilDiv(depth, unit), unit);
  result.stride = sumsIntegers(groups)
                      ? v.div(elementStride, v.i64(kElementsInWord))
                      : elementStride;
  target = program.temporary(v.product({rows, result.stride, v.i64(4)}));
  if (!scales.empty())
    table = program.temporary(v.product({rows, groupCount, v.i64(4)}));
  result.pointer = target;
  result.scales = table;
}

void RowDecoder::capture(CaptureList &captures) {
  captures.add({&depth, &source, &target, &table, &elementStride, &groupCount});
  for (Value &dim : leading)
    captures.add(dim);
  scales.capture(captures);
  zeros.capture(captures);
}

void RowDecoder::decodeFloats(VectorBuilder &v, Value from, Value to,
                              Value zero) const {
  v.loop(v.i64(0), depth, kLanes, [&](Value k) {
    Value codes = v.loadLanes(source, v.add(from, k), operand.element());
    v.store(operand.decode(v, codes, zero), target, v.add(to, k));
  });
}

void RowDecoder::decodeIntegers(VectorBuilder &v, Value from, Value to,
                                Value zero) const {
  Type byte = v.b.getI8Type();
  Value zeroOfRow = zero ? zeroBytes(v, zero) : Value();
  Value none = v.constant(v.b.getI8IntegerAttr(-128), kRowBytes);
  v.loop(v.i64(0), depth, kRowBytes, [&](Value k) {
    Value codes = v.load(source, v.add(from, k), byte, kRowBytes);
    Value bytes =
        offsetBytes(v, integerBytes(v, tier, operand, codes, zeroOfRow));
    Value exists = v.mask(v.sub(depth, k), kRowBytes);
    v.store(v.select(exists, bytes, none), target, v.add(to, k));
  });
}

void RowDecoder::run(VectorBuilder &v, Value row) {
  SmallVector<Value> at = v.delinearize(row, leading);
  at.push_back(v.i64(0));
  Value from = v.mul(row, depth), to = v.mul(row, elementStride);
  // Zeros of a row are one: along k they would be zeros of groups.
  Value zero = zeros.empty() ? Value() : v.splat(zeros.zero(v, at, false));
  if (sumsIntegers(groups))
    decodeIntegers(v, from, to, zero);
  else
    decodeFloats(v, from, to, zero);
  if (!table)
    return;
  v.loop(v.i64(0), groupCount, 1, [&](Value group) {
    at.back() = v.mul(group, v.i64(groups.block));
    v.storeScalar(scales.scale(v, at, groups.scaleWord, false), table,
                  v.add(v.mul(row, groupCount), group));
  });
}
