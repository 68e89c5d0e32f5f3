//===- PackingRows.cpp - Rows of codes as words of unsigned bytes ---------===//
//
// Reads whole vectors of 64 bytes: what lies behind a row is masked out.
//
//===----------------------------------------------------------------------===//

#include "PackingRows.h"
#include "ContractCodes.h"
#include "ContractSchedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt::cpu;

static constexpr int64_t kBytes = 64;

/// The unsigned bytes of `count` codes at `offset`, then zeros.
static Value loadBytes(VectorBuilder &v, Value codes, Value offset, Value count,
                       Type element) {
  Value bytes =
      unsignedBytes(v, v.load(codes, offset, v.b.getI8Type(), kBytes), element);
  Value zero = v.constant(v.b.getI8IntegerAttr(0), kBytes);
  return arith::SelectOp::create(v.b, v.loc, v.mask(count, kBytes), bytes,
                                 zero);
}

static Value sumOf(VectorBuilder &v, Value bytes) {
  auto wide = VectorType::get({kBytes}, v.b.getI32Type());
  Value words = arith::ExtUIOp::create(v.b, v.loc, wide, bytes);
  return vector::ReductionOp::create(v.b, v.loc, vector::CombiningKind::ADD,
                                     words);
}

RowPacker::RowPacker(CpuProgram &program, Value codes, Value rows, Value depth,
                     Type element, bool wantsSums)
    : element(element), codes(codes), depth(depth) {
  VectorBuilder host(program.code());
  vectors = host.ceilDiv(depth, host.i64(kBytes));
  rowBytes = host.mul(vectors, host.i64(kBytes));
  target = program.temporary(host.mul(rows, rowBytes));
  if (wantsSums)
    sums = program.temporary(host.mul(rows, host.i64(4)));
  result = {target, host.mul(vectors, host.i64(kBytes / 4)), sums};
}

void RowPacker::capture(CaptureList &captures) {
  captures.add({&codes, &depth, &vectors, &rowBytes, &target, &sums});
}

void RowPacker::run(VectorBuilder &v, Value row) {
  Value source = v.mul(row, depth), base = v.mul(row, rowBytes);
  SmallVector<Value> inits(sums ? 1 : 0, v.i32(0));
  SmallVector<Value> sum =
      v.loop(v.i64(0), vectors, 1, inits, [&](Value index, ValueRange before) {
        Value at = v.mul(index, v.i64(kBytes));
        Value bytes =
            loadBytes(v, codes, v.add(source, at), v.sub(depth, at), element);
        v.store(bytes, target, v.add(base, at));
        SmallVector<Value> after;
        if (sums)
          after.push_back(v.add(before.front(), sumOf(v, bytes)));
        return after;
      });
  if (sums)
    v.storeScalar(sum.front(), sums, row);
}
