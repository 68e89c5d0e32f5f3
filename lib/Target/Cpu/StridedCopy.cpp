//===- StridedCopy.cpp - Copies and fills of elements ---------------------===//
//
// The last axis is copied at once where it is dense on both sides. Rows, and
// long rows in pieces, are the parts.
//
//===----------------------------------------------------------------------===//

#include "StridedCopy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Elements of a part.
static constexpr int64_t kPartElements = 32768;

void cpu::emitStridedCopy(HostProgram &program, StringRef name, Type element,
                          ArrayRef<CopyAxis> axes, Value from, Value to) {
  VectorBuilder host(program.code());
  Type memory = memoryType(element);
  CopyAxis one{host.i64(1), host.i64(1), host.i64(1)};
  CopyAxis inner = axes.empty() ? one : axes.back();
  ArrayRef<CopyAxis> outer = axes.empty() ? axes : axes.drop_back();
  bool isDense =
      knownNumber(inner.fromStride) == 1 && knownNumber(inner.toStride) == 1;
  SmallVector<Value> sizes, fromStrides, toStrides;
  for (const CopyAxis &axis : outer) {
    sizes.push_back(axis.size);
    fromStrides.push_back(axis.fromStride);
    toStrides.push_back(axis.toStride);
  }
  Value rows = host.product(sizes);
  Value pieces = host.ceilDiv(inner.size, host.i64(kPartElements));
  Value rowsPerPart = host.max(
      host.div(host.i64(kPartElements), host.max(inner.size, host.i64(1))),
      host.i64(1));
  Value parts = host.mul(host.ceilDiv(rows, rowsPerPart), pieces);

  SmallVector<Value> captures{
      from,           to,   inner.size, inner.fromStride,
      inner.toStride, rows, pieces,     rowsPerPart};
  size_t fixed = captures.size(), count = outer.size();
  captures.append(sizes);
  captures.append(fromStrides);
  captures.append(toStrides);
  program.launch(name, captures, parts, [&](KernelScope &scope) {
    VectorBuilder v(scope.code());
    ArrayRef<Value> own(scope.captures);
    ArrayRef<Value> sizes = own.slice(fixed, count);
    ArrayRef<Value> fromStrides = own.slice(fixed + count, count);
    ArrayRef<Value> toStrides = own.slice(fixed + 2 * count, count);
    Value size = own[2], fromStride = own[3], toStride = own[4];
    bool isWhole = knownNumber(own[6]) == 1;
    Value piece = isWhole ? v.i64(0) : v.rem(scope.part, own[6]);
    Value rowPart = isWhole ? scope.part : v.div(scope.part, own[6]);
    Value low = v.mul(piece, v.i64(kPartElements));
    Value length = v.min(v.sub(size, low), v.i64(kPartElements));
    Value firstRow = v.mul(rowPart, own[7]);
    Value lastRow = v.min(own[5], v.add(firstRow, own[7]));
    v.loop(firstRow, lastRow, 1, [&](Value row) {
      Value source = v.mul(low, fromStride), target = v.mul(low, toStride);
      for (auto [i, at] : llvm::enumerate(v.delinearize(row, sizes))) {
        source = v.add(source, v.mul(at, fromStrides[i]));
        target = v.add(target, v.mul(at, toStrides[i]));
      }
      if (isDense) {
        Value bytes = v.mul(length, v.i64(bytesPerElement(element)));
        LLVM::MemcpyOp::create(scope.b, scope.loc,
                               v.address(own[1], target, memory),
                               v.address(own[0], source, memory), bytes,
                               /*isVolatile=*/false);
        return;
      }
      v.loop(v.i64(0), length, 1, [&](Value i) {
        Value loaded =
            v.loadScalar(own[0], v.add(source, v.mul(i, fromStride)), memory);
        v.storeScalar(loaded, own[1], v.add(target, v.mul(i, toStride)));
      });
    });
  });
}

void cpu::emitFill(HostProgram &program, StringRef name, Type element,
                   Value value, Value to, Value count) {
  VectorBuilder host(program.code());
  Type memory = memoryType(element);
  Value parts = host.ceilDiv(count, host.i64(kPartElements));
  program.launch(name, {value, to, count}, parts, [&](KernelScope &scope) {
    VectorBuilder v(scope.code());
    Value lanes = v.splat(v.loadScalar(scope.captures[0], v.i64(0), memory));
    Value low = v.mul(scope.part, v.i64(kPartElements));
    Value high = v.min(scope.captures[2], v.add(low, v.i64(kPartElements)));
    v.loop(low, high, kLanes, [&](Value index) {
      v.storePartial(lanes, scope.captures[1], index, v.sub(high, index));
    });
  });
}
