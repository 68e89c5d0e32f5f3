//===- RowSource.cpp - The rows that a kernel reduces ---------------------===//
//
// Lanes run along the last axis; a row of several axes is walked line by line.
//
//===----------------------------------------------------------------------===//

#include "RowSource.h"
#include "RowMath.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

Value cpu::rowsPerPart(VectorBuilder v, Value rowSize, int64_t elements) {
  return v.max(v.div(v.i64(elements), v.max(rowSize, v.i64(1))), v.i64(1));
}

void cpu::loopRowElements(
    VectorBuilder &v, ArrayRef<Value> dims, int64_t axis, Value row,
    llvm::function_ref<void(const Epilogue::Lanes &, Value)> body) {
  int64_t rank = dims.size();
  SmallVector<Value> rowAt = v.delinearize(row, dims.take_front(axis));
  ArrayRef<Value> lineDims = dims.slice(axis, rank - 1 - axis);
  Value size = dims.back();
  auto walkLine = [&](ArrayRef<Value> lineAt, Value first) {
    Epilogue::Lanes lanes{rowAt, rank - 1, Value()};
    lanes.coordinates.append(lineAt.begin(), lineAt.end());
    lanes.coordinates.push_back(Value());
    loopRow(v, size, {}, [&](Value index, Value count, ValueRange) {
      lanes.coordinates.back() = index;
      lanes.count = count;
      body(lanes, v.add(first, index));
      return SmallVector<Value>();
    });
  };
  if (lineDims.empty())
    return walkLine({}, v.i64(0));
  v.loop(v.i64(0), v.product(lineDims), 1, [&](Value line) {
    walkLine(v.delinearize(line, lineDims), v.mul(line, size));
  });
}
